"""Mechanisms: known answers worked by hand, and laws."""
