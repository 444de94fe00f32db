"""Simulate what mistakes and their recovery cost in customers and revenue."""
