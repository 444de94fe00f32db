"""Goodwill: known answers worked by hand, and laws over many inputs."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from churnsim.mechanisms import goodwill as rules
from churnsim.records import Goodwill, Kind, Market, Policy
from tests.mechanisms.neutral import neutral_market

grievances = st.floats(-20.0, 20.0)


def test_acting__delight_counts_for_its_share(market: Market) -> None:
    """A grievance acts whole, delight only in the share `delight`."""
    half = market._replace(delight=0.5)
    assert rules.acting(half, 1.5) == 1.5
    assert rules.acting(half, -1.5) == -0.75
    assert rules.acting(market, -1.5) == 0.0


def test_after_mistake__grievance_carries_over_and_delight_does_not(
    policy: Policy,
) -> None:
    """γ becomes max(γ, 0) + s·manners."""
    rude = policy._replace(manners=1.5)
    assert rules.after_mistake(rude, Goodwill(-2.0, 0.0), 1.0).grievance == 1.5
    assert rules.after_mistake(rude, Goodwill(2.0, 0.0), 1.0).grievance == 3.5


def test_bond__grows_with_tenure_towards_one(market: Market) -> None:
    """Nothing at first, 1 − 1/e after `bonding`, never quite 1."""
    assert rules.bond(market, 0.0) == 0.0
    assert rules.bond(market, market.bonding) == pytest.approx(1.0 - math.exp(-1.0))
    assert rules.bond(market, 30.0 * market.bonding) == pytest.approx(1.0)


def test_sting_of__is_buffered_by_a_bond(market: Market) -> None:
    """A full bond takes off `buffer`, half of it half as much; a newcomer nothing."""
    loyal = market._replace(buffer=0.5)
    assert rules.sting_of(loyal, 0.75, False, 0.0) == 0.75
    assert rules.sting_of(loyal, 0.75, False, 0.5) == 0.5625
    assert rules.sting_of(loyal, 0.75, True, 1.0) == 0.75


def test_after_discovery__costs_a_friend_more_trust(market: Market) -> None:
    """A full bond adds `betrayed_bond` times the betrayal."""
    loyal = market._replace(betrayed_bond=2.0)
    assert rules.after_discovery(loyal, Goodwill(0.25, 0.0), 0.5).trust == -0.5


def test_sting_of__is_multiplied_in_a_double_deviation(market: Market) -> None:
    """With `double` 2 the second failure stings twice as much."""
    assert rules.sting_of(market, 0.75, False, 0.5) == 0.75
    assert rules.sting_of(market, 0.75, True, 0.5) == 1.5


@pytest.mark.parametrize(
    ("is_first", "is_double", "push"),
    [
        (True, False, -0.37 - 0.1),
        (True, True, -0.37 + 0.2),
        (False, False, 0.3 + 0.2),
        (False, True, 0.3 + 0.2),
    ],
)
def test_after_contact__a_repeated_apology_backfires(
    market: Market,
    policy: Policy,
    kind: Kind,
    *,
    is_first: bool,
    is_double: bool,
    push: float,
) -> None:
    """Only the first apology of an episode that is no double deviation helps."""
    sorry = policy._replace(apology=1)
    after = rules.after_contact(
        market, sorry, kind, Goodwill(0.0, 0.0), is_first, is_double
    )
    assert after.grievance == pytest.approx(push, abs=1e-15)


def test_after_excuse__credit_if_believed_else_sting(market: Market) -> None:
    """An excuse is believed where u < `excuse_believed`."""
    assert rules.after_excuse(market, Goodwill(0.0, 0.0), 0.499).grievance == -0.4
    assert rules.after_excuse(market, Goodwill(0.0, 0.0), 0.5).grievance == 0.7


def test_after_discovery__takes_back_stings_and_costs_trust(market: Market) -> None:
    """γ + placated + lie_sting, τ − betrayal."""
    after = rules.after_discovery(market, Goodwill(0.25, 0.0), 0.5)
    assert after == Goodwill(1.75, -0.25)


@pytest.mark.parametrize(("x", "credit"), [(0.0, 0.0), (1.0, 1.0)])
def test_compensation_credit__is_anchored(x: float, credit: float) -> None:
    """c(0)/c(1) is 0 and c(1)/c(1) is 1."""
    assert rules.compensation_credit(x) == pytest.approx(credit, abs=2e-16)


def test_compensation_credit__known_answer_at_half() -> None:
    """c(½)/c(1) = (1 − e^−1.25)/(1 − e^−2.5) = .777300."""
    assert rules.compensation_credit(0.5) == pytest.approx(0.77730, abs=5e-6)


@given(st.floats(0.0, 5.0), st.floats(0.0, 5.0))
def test_compensation_credit__grows_and_levels_off(a: float, b: float) -> None:
    """More compensation is never worth less, and nothing beyond 150 % of the stake."""
    low, high = sorted((a, b))
    assert rules.compensation_credit(low) <= rules.compensation_credit(high)
    assert rules.compensation_credit(5.0) == rules.compensation_credit(1.5)


def test_quickness__known_answers(kind: Kind) -> None:
    """1 in the zone of a day; e^−1 two days after it; no zone when it is a double."""
    assert rules.quickness(kind, 1.0, 1.0, False) == 1.0
    assert rules.quickness(kind, 3.0, 1.0, False) == pytest.approx(math.exp(-1))
    assert rules.quickness(kind, 3.0, 3.0, False) == 1.0
    assert rules.quickness(kind, 2.0, 3.0, True) == pytest.approx(math.exp(-1))
    assert rules.quickness(kind._replace(tau=0.0), 1.5, 1.0, False) == 0.0
    assert rules.quickness(kind._replace(tau=math.inf), 99.0, 1.0, False) == 1.0


def test_after_settlement__full_and_no_compensation(market: Market, kind: Kind) -> None:
    """At x = 1 the whole of `settled` is earned, at x = 0 all but justice."""
    start = Goodwill(3.0, 0.0)
    full = rules.after_settlement(market, kind, start, 1.0, 0.0)
    none = rules.after_settlement(market, kind, start, 0.0, 0.0)
    assert full.grievance == pytest.approx(3.0 - 1.01)
    assert none.grievance == pytest.approx(3.0 - 1.01 * 0.55)


@given(grievances, st.floats(0.0, 1.5), st.floats(0.0, 1.0))
def test_after_settlement__never_hurts(
    grievance: float, compensation: float, quick: float
) -> None:
    """A settlement lowers the grievance, the more so the quicker it is."""
    market = neutral_market()._replace(distributive=0.45)
    figures = Kind(0.0, 0.0, 0.0, 0.37, 1.01, 2.10, 1.0, 2.0, 0.0)
    start = Goodwill(grievance, 0.0)
    after = rules.after_settlement(market, figures, start, compensation, quick)
    slower = rules.after_settlement(market, figures, start, compensation, quick / 2)
    assert after.grievance <= slower.grievance <= grievance


def test_without_delight__keeps_grievance() -> None:
    """After two failures nobody is delighted."""
    assert rules.without_delight(Goodwill(-1.0, 0.5)) == Goodwill(0.0, 0.5)
    assert rules.without_delight(Goodwill(1.0, 0.5)) == Goodwill(1.0, 0.5)
