"""What every test shares: examples that repeat."""

from hypothesis import settings

# The same examples in every run: a change cannot fail by luck, nor pass by it.
settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.load_profile("repeatable")
