"""The orderings of Knox & van Oest 2014, in the e-commerce scenario.

K1 no complaint > complaint and recovery > complaint, no recovery. K2 the relative loss
is smaller for an established customer. K3 a second complaint soon after the first is
worse than one long after. K4 who survives the critical period is as good as new.
K5 complainers buy faster, die faster. K6 no paradox in behaviour, and none at all after
two failures. The comparisons are those of the validation pack, z is 3 throughout.
"""

from collections.abc import Sequence
from functools import cache

import pytest

from churnsim.validation import orderings
from churnsim.validation.checks import Seen

pytestmark = pytest.mark.compiled

Z = 3.0


def z(seen: Seen, expected: float = 0.0) -> float:
    """Return how many standard errors a figure is above what is expected."""
    return (seen.value - expected) / seen.error


@cache
def steady_customers() -> Sequence[Seen]:
    """Return the comparisons of first and second failures."""
    return orderings.steady_customers()


def test_k1__recovery_earns_back_part_of_what_a_complaint_costs() -> None:
    """Revenue: no mistakes > complaint and recovery > complaint, no recovery."""
    over_recovery, over_none = orderings.recovery_earns_back()
    assert z(over_recovery) > Z
    assert z(over_none) > Z


def test_k2__an_established_customer_loses_less_in_proportion() -> None:
    """The share of future revenue lost is smaller after five purchases in 39 weeks."""
    new_over_established, established = orderings.established_lose_less()
    assert z(established) > Z
    assert z(new_over_established) > Z


def test_k3__a_second_complaint_soon_after_the_first_is_worse() -> None:
    """More leave after a second failure within 56 days than after one a year later."""
    soon_over_late, _ = steady_customers()
    assert z(soon_over_late) > Z


def test_k4__a_survivor_who_forgot_is_as_hard_to_lose_as_anybody() -> None:
    """After forgetting, as many leave over a mistake as over the first one."""
    _, again_less_first = steady_customers()
    assert abs(z(again_less_first)) < Z


def test_k4__a_survivor_who_forgot_drops_out_at_the_old_rate() -> None:
    """Ordinary dropouts after forgetting are those of the hassle-free hazard λ(1−q)p.

    Dropouts while nothing is remembered are Poisson with the hazard times the time at
    risk; before that, when the grievance is remembered, they are more.
    """
    forgotten, remembered = orderings.dropout_of_survivors()
    assert abs(z(forgotten, 1.0)) < Z
    assert z(remembered, 1.0) > Z


def test_k5__complainers_buy_faster_and_die_faster() -> None:
    """Who complained once has a higher rate of purchase, and leaves sooner after it."""
    assert all(z(seen) > Z for seen in orderings.complainers())


def test_k6__the_most_generous_recovery_earns_no_more_than_no_mistake() -> None:
    """No paradox in behaviour: with compensation of 1.5, revenue stays below."""
    (over_generous,) = orderings.no_paradox()
    assert z(over_generous) > Z


def test_k6__satisfaction_may_rise_after_one_failure_but_never_after_two() -> None:
    """Some are delighted by a first recovery; after a second failure nobody is."""
    first, second = orderings.delight()
    assert first.value > 0.0
    assert second.n > 1000
    assert second.value == 0.0
