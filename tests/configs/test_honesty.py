"""The signature of honesty: what is put right is forgotten, a lie found out is not.

The comparisons are those of the validation pack (`churnsim/validation/honesty.py`).
"""

import pytest

from churnsim.validation.checks import Seen
from churnsim.validation.honesty import (
    ALL_LIES,
    HALF_LIES,
    deceived,
    trace_left,
    truth_over_lie,
)

pytestmark = pytest.mark.compiled

Z = 3.0


def z(seen: Seen) -> float:
    """Return how many standard errors a difference is above 0."""
    return seen.value / seen.error


@pytest.mark.parametrize(
    ("policy", "overrides"), [("slow", HALF_LIES), ("dishonest", ALL_LIES)]
)
def test_recovery__leaves_no_trace_once_it_is_forgotten(
    policy: str, overrides: tuple[str, ...]
) -> None:
    """Put right, or lied away unnoticed: a new mistake loses as many as the first."""
    (again_less_first,) = trace_left(policy, overrides)
    assert abs(z(again_less_first)) < Z


def test_lie_found_out__is_never_forgotten() -> None:
    """Long after, those once deceived leave over a new mistake more often."""
    (more,) = deceived()
    assert z(more) > Z


def test_lie__loses_no_more_than_the_slow_truth_until_it_is_found_out() -> None:
    """Never found out, lies lose fewer customers than the truth and a long wait."""
    (more,) = truth_over_lie()
    assert z(more) > 0.0
