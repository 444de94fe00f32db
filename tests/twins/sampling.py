"""Check something on many random setups, the same ones in every run."""

from collections.abc import Callable

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from tests.twins.strategies import Setup

# Setups are large, and a busy machine may draw them slowly.
NOT_ASKED = (
    HealthCheck.too_slow,
    HealthCheck.data_too_large,
    HealthCheck.large_base_example,
)


def check_many(
    some: st.SearchStrategy[Setup],
    n: int,
    check: Callable[[Setup], None],
    start: int = 0,
) -> None:
    """Check n setups; a failure is shrunk to a small one.

    Args:
        some: What they are drawn from.
        n: How many.
        check: Raises an AssertionError where something is wrong.
        start: Of the numbers that they are drawn by: another one, other setups.
    """

    @seed(start)
    @settings(max_examples=n, suppress_health_check=NOT_ASKED)
    @given(some)
    def check_one(setup: Setup) -> None:
        check(setup)

    check_one()
