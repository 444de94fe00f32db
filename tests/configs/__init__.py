"""The ready scenarios: sources of their figures, and what comes out of them."""
