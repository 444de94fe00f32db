"""The parts of the engines on their own."""
