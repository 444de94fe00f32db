"""The compiled engine: all customers in arrays behind one event queue."""
