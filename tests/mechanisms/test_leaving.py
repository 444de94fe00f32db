"""Leaving: the published table, renewals, and the clocks behind dropout."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from churnsim.mechanisms import clocks, leaving
from churnsim.mechanisms.value import Pace
from churnsim.records import Goodwill, Market, Relationship, Traits
from tests.mechanisms.neutral import neutral_market

BUYER = Traits(0.5, 0.2, 1e6, math.inf)
SUBSCRIBER = Traits(0.5, 0.25, 1e6, 10.0)


def pace(mistakes: float, dropout: float, contacts: float = 0.0) -> Pace:
    """Return a pace without revenue."""
    return Pace(mistakes, dropout, contacts, 0.0)


def test_leave_probability__reproduces_the_silent_minor_cell(market: Market) -> None:
    """With κ = 1 and a sting of ln(.63/.37), 37 % stay."""
    hurt = Goodwill(math.log(0.63 / 0.37), 0.0)
    assert leaving.leave_probability(market, hurt) == pytest.approx(0.63, abs=1e-15)


def test_leave_probability__is_bounded_by_kappa(market: Market) -> None:
    """However hurt, no more than κ leave."""
    market = market._replace(stated_to_actual=0.35)
    assert leaving.leave_probability(market, Goodwill(800.0, 0.0)) == 0.35
    assert leaving.leave_probability(market, Goodwill(-800.0, 0.0)) == 0.0


@given(st.floats(-50, 50), st.floats(-50, 50), st.floats(-50, 50))
def test_leave_probability__is_monotone(a: float, b: float, trust: float) -> None:
    """More grievance never makes leaving less likely, more trust never more likely."""
    market = neutral_market()._replace(stated_to_actual=0.8)
    low, high = sorted((a, b))
    calm = leaving.leave_probability(market, Goodwill(low, trust))
    upset = leaving.leave_probability(market, Goodwill(high, trust))
    trusted = leaving.leave_probability(market, Goodwill(high, trust + 1.0))
    assert calm <= upset
    assert trusted <= upset


def test_drift_factor__is_one_without_effect(market: Market) -> None:
    """β = 0 leaves the hazard as it is; β = 1 multiplies it by e^γ."""
    assert leaving.drift_factor(market, 3.0) == 1.0
    one = market._replace(drift=1.0)
    assert leaving.drift_factor(one, 2.0) == pytest.approx(math.exp(2.0))
    assert leaving.drift_factor(one, -2.0) == 1.0


@given(
    st.floats(0.0, 1e3),
    st.floats(1e-3, 1e3),
    st.integers(0, 100_000),
)
def test_n_renewals__agrees_with_the_moments(
    first: float, period: float, index: int
) -> None:
    """A renewal counts exactly from its own moment on."""
    at = leaving.renewal_moment(first, period, index)
    before = math.nextafter(at, -math.inf)
    count = leaving.n_renewals(first, period, at)
    assert leaving.renewal_moment(first, period, count - 1) <= at
    assert leaving.renewal_moment(first, period, count) > at
    if at > first:
        assert leaving.n_renewals(first, period, before) < count


def test_cancels_at__known_answer() -> None:
    """A budget of 2.5 uses of 1 lasts through two renewals: gone at the third."""
    assert leaving.cancels_at(10.0, 30.0, 0.0, 2.5, 1.0) == 70.0
    assert leaving.cancels_at(10.0, 30.0, 10.0, 2.5, 1.0) == 100.0
    assert leaving.cancels_at(10.0, 30.0, 0.0, 2.5, math.inf) == 10.0
    assert leaving.cancels_at(10.0, 30.0, 0.0, 2.5, 0.0) == math.inf
    assert leaving.cancels_at(10.0, 30.0, 0.0, 2.5, 1e-300) == math.inf


@given(st.floats(0.0, 100.0), st.floats(0.01, 10.0), st.floats(0.01, 10.0))
def test_repaced__a_change_back_changes_nothing(
    left: float, slow: float, quick: float
) -> None:
    """A clock that is slowed down and sped up at one moment strikes when it would."""
    market = neutral_market()._replace(relationship=int(Relationship.PURCHASE))
    start = clocks.first_clocks(
        market, BUYER, pace(slow, slow), 0.0, clocks.Budgets(left, left, left)
    )
    there = clocks.Change(pace(slow, slow), pace(quick, quick), 0.0, 0.0)
    back = clocks.Change(pace(quick, quick), pace(slow, slow), 0.0, 0.0)
    twice = clocks.repaced(market, BUYER, start, there)
    twice = clocks.repaced(market, BUYER, twice, back)
    assert twice.mistake_at == pytest.approx(start.mistake_at, rel=1e-15)
    assert twice.dropout_at == pytest.approx(start.dropout_at, rel=1e-15)


def test_repaced__a_stopped_clock_keeps_what_is_left(market: Market) -> None:
    """Three of five days' budget left, a pause of seven days, then three days more."""
    start = clocks.first_clocks(
        market, BUYER, pace(1.0, 0.1), 0.0, clocks.Budgets(5.0, 9.0, 1.0)
    )
    stopped = clocks.repaced(
        market, BUYER, start, clocks.Change(pace(1.0, 0.1), pace(0.0, 0.1), 0.0, 2.0)
    )
    assert stopped.mistake_at == math.inf
    assert stopped.dropout_at == start.dropout_at
    again = clocks.repaced(
        market, BUYER, stopped, clocks.Change(pace(0.0, 0.1), pace(1.0, 0.1), 2.0, 9.0)
    )
    assert again.mistake_at == 12.0


def test_repaced__an_equal_rate_does_not_touch_a_clock(market: Market) -> None:
    """A clock whose rate stays the same keeps its moment to the last bit."""
    start = clocks.first_clocks(
        market, BUYER, pace(0.3, 0.1), 0.1, clocks.Budgets(0.7, 0.9, 1.0)
    )
    change = clocks.Change(pace(0.3, 0.1), pace(0.3, 0.7), 0.1, 0.2)
    after = clocks.repaced(market, BUYER, start, change)
    assert after.mistake_at == start.mistake_at
    assert after.dropout_at < start.dropout_at


def test_repaced__a_subscriber_uses_the_budget_up_at_renewals(market: Market) -> None:
    """A budget of 3: two renewals at 1 before the change, then one at ½, then gone."""
    market = market._replace(relationship=int(Relationship.SUBSCRIPTION))
    start = clocks.first_clocks(
        market, SUBSCRIBER, pace(0.1, 1.0), 0.0, clocks.Budgets(1.0, 3.0, 1.0)
    )
    assert start.dropout_at == 70.0
    change = clocks.Change(pace(0.1, 1.0), pace(0.1, 0.5), 0.0, 45.0)
    after = clocks.repaced(market, SUBSCRIBER, start, change)
    assert after.dropout_left == 1.0
    assert after.dropout_at == 100.0


@pytest.mark.parametrize(
    ("dropout", "forget", "mistake", "contact", "what", "at"),
    [
        (9.0, 9.0, 9.0, 9.0, clocks.DROPOUT, 9.0),
        (9.5, 9.0, 9.0, 9.0, clocks.FORGETTING, 9.0),
        (9.5, 9.5, 9.0, 9.0, clocks.MISTAKE, 9.0),
        (9.5, 9.5, 9.5, 9.0, clocks.CONTACT, 9.0),
        (9.0, 4.0, 3.0, 2.0, clocks.FORGETTING, 4.0),
        (9.0, 8.0, 3.0, 2.0, clocks.MISTAKE, 5.0),
        (4.0, 8.0, 3.0, 2.0, clocks.DROPOUT, 4.0),
    ],
)
def test_next_happening__order_and_what_is_due(
    dropout: float, forget: float, mistake: float, contact: float, what: int, at: float
) -> None:
    """Dropout, forgetting, mistake, contact; the first two at their own time."""
    state = clocks.Clocks(mistake, 0.0, dropout, 0.0, contact, 0.0)
    assert clocks.next_happening(state, forget, 5.0) == (what, at)


@given(st.floats(0.0, 1e6), st.floats(0.0, 1e3), st.booleans())
def test_served_until__is_later_if_it_takes_time(
    now: float, time: float, has_waited: bool
) -> None:
    """What takes time, or was waited for, ends later; at most two numbers later."""
    until = clocks.served_until(now, time, has_waited)
    if time == 0.0 and not has_waited:
        assert until == now
    elif now + time > now:
        assert until == now + time
    elif now > 0.0:
        assert now < until <= math.nextafter(math.nextafter(now, 1e9), 1e9)
