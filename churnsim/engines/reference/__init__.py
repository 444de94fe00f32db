"""The reference engine: SimPy, one process a customer, one resource a desk."""
