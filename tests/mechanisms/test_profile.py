"""Busy time: it runs by the profile of the week, and back."""

import numpy as np
import pytest

from churnsim.mechanisms.profile import busy_time, moment_at, turns_up_at
from churnsim.records import EVENLY

# Nobody until Monday 06:00, then 3.5 times the mean for two days of a week.
ROWS = np.array([[0.0, 0.0, 0.0], [0.25, 3.5, 0.0], [2.25, 0.0, 7.0]])


@pytest.mark.parametrize(
    ("now", "busy"),
    [
        (0.0, 0.0),
        (0.25, 0.0),
        (0.75, 1.75),
        (2.25, 7.0),
        (6.9, 7.0),
        (7.1, 7.0),
        (7.5, 7.875),
        (-6.25, -7.0 + 1.75),
    ],
)
def test_busy_time__is_the_profile_added_up(now: float, busy: float) -> None:
    """Worked by hand: it stands still in hours in which nobody turns up."""
    assert busy_time(ROWS, now) == busy


@pytest.mark.parametrize("busy", [0.001, 1.75, 6.9, 7.0, 7.875, 700.5])
def test_moment__is_when_so_much_busy_time_has_passed(busy: float) -> None:
    """One is the inverse of the other, wherever time passes."""
    at = moment_at(ROWS, busy)
    assert busy_time(ROWS, at) == pytest.approx(busy, abs=1e-12)


def test_moment__is_the_end_of_a_time_in_which_none_passes() -> None:
    """Monday 06:00, of this week or the next: nobody turns up before."""
    assert moment_at(ROWS, 0.0) == 0.25
    assert moment_at(ROWS, 7.0) == 7.25


def test_delay__over_empty_hours_ends_when_they_do() -> None:
    """One who means to turn up at night does as the next busy hours begin."""
    assert turns_up_at(ROWS, 2.25, 0.0) == 7.25
    assert turns_up_at(ROWS, 5.0, 1.75) == 7.75
    assert turns_up_at(ROWS, 0.5, 0.35) == pytest.approx(0.6)


def test_delay__where_all_hours_are_alike_is_itself() -> None:
    """Without a profile nothing is changed, to the last bit."""
    assert turns_up_at(EVENLY, 0.1, 0.2) == 0.1 + 0.2
    assert turns_up_at(EVENLY, 3.0, np.inf) == np.inf


def test_delay__that_never_ends_never_does() -> None:
    """No moment is made up for a delay beyond all runs."""
    assert turns_up_at(ROWS, 3.0, np.inf) == np.inf
