"""Value, voice and news: known answers worked by hand."""

import math

import numpy as np
import pytest

from churnsim.mechanisms import episode, value, word_of_mouth
from churnsim.records import (
    N_KIND_COLUMNS,
    Kind,
    KindColumn,
    Market,
    Policy,
    Relationship,
    Statement,
    Traits,
)

BUYER = Traits(0.5, 0.2, 1e6, math.inf)


def test_pace_of__purchases_add_up_to_the_rate(market: Market) -> None:
    """Mistakes, last ones and the others are all purchases: λφ in sum."""
    pace = value.pace_of(market, 0.1, BUYER, 0.8, 1.0, False)
    assert pace.mistakes == pytest.approx(0.5 * 0.8 * 0.1)
    assert pace.dropout == pytest.approx(0.5 * 0.8 * 0.9 * 0.2)
    ordinary = pace.revenue / 1e6
    assert pace.mistakes + pace.dropout + ordinary == pytest.approx(0.5 * 0.8)


def test_pace_of__a_subscription_pays_the_fee_and_meets_mistakes_all_the_same(
    market: Market,
) -> None:
    """Spend scales the fee, not the occasions."""
    market = market._replace(relationship=int(Relationship.SUBSCRIPTION))
    pace = value.pace_of(market, 0.1, BUYER, 0.5, 2.0, True)
    assert pace == value.Pace(0.05, 0.4, 0.0, 0.5 * 1e6 / 30.0)


def test_contact_rate__per_day_and_per_occasion(market: Market) -> None:
    """Contacts per occasion follow a purchaser's spend, not a subscriber's."""
    busy = market._replace(ordinary_rate=0.25, ordinary_per_occasion=2.0)
    assert value.contact_rate(busy, 0.5, 0.5) == 0.75
    bound = busy._replace(relationship=int(Relationship.SUBSCRIPTION))
    assert value.contact_rate(bound, 0.5, 0.5) == 1.25


def test_spend_factor__cap_and_open_episode(market: Market) -> None:
    """min(cap, e^−wγ*), times `open_spend` while an episode is open."""
    market = market._replace(
        spend_sensitivity=1.0, spend_cap=1.5, open_spend=0.5, delight=1.0
    )
    assert value.spend_factor(market, 0.0, False) == 1.0
    assert value.spend_factor(market, math.log(2.0), False) == pytest.approx(0.5)
    assert value.spend_factor(market, -9.0, False) == 1.5
    assert value.spend_factor(market, -9.0, True) == 0.75


def test_discounted_stream__known_answer(market: Market) -> None:
    """1000 a day for a year at δ = ln 1.1 a year from the start: (1 − 1/1.1)/δ."""
    delta = math.log(1.1) / 365.25
    market = market._replace(discount=delta)
    worth = value.discounted_stream(market, 1000.0, 0.0, 365.25)
    assert worth == math.floor(1000.0 * (1.0 - 1.0 / 1.1) / delta + 0.5)
    assert value.discounted(market, 1_100_000, 365.25) == 1_000_000


def test_residual_value__of_a_purchaser(market: Market) -> None:
    """λm/(λp + δ)."""
    market = market._replace(discount=0.1)
    assert value.residual_value(market, BUYER, 0.0) == 500_000 / 0.2


def test_residual_value__of_a_subscriber_is_the_sum_of_its_periods(
    market: Market,
) -> None:
    """Half a period now, then each later one with its survival, summed one by one."""
    market = market._replace(
        relationship=int(Relationship.SUBSCRIPTION), discount=0.001
    )
    traits = Traits(0.5, 0.25, 1e6, 10.0)
    total, at = 0.0, 0.0
    for number in range(3000):
        until = 15.0 + 30.0 * number
        alive = math.exp(-0.25 * number)
        fee = 1e6 / 30.0
        total += (
            alive * fee * (math.exp(-0.001 * at) - math.exp(-0.001 * until)) / 0.001
        )
        at = until
    assert value.residual_value(market, traits, 15.0) == pytest.approx(total, abs=0.51)


def test_make_good__rounds_half_up_and_leaks(policy: Policy) -> None:
    """x·c·(1 + leakage) in micro-units."""
    assert value.make_good(policy, 1_000_000.0, 0.5) == 510_000


def test_failure_probability__is_capped(market: Market, policy: Policy) -> None:
    """Prevention may double q, but nothing fails more often than always."""
    assert value.failure_probability(market, policy._replace(mistakes=2.0)) == 0.2
    assert value.failure_probability(market, policy._replace(mistakes=99.0)) == 1.0


def test_kind_index__follows_the_cumulative_shares() -> None:
    """U below the first share is the first kind; the last takes the rest."""
    table = np.zeros((3, N_KIND_COLUMNS))
    table[:, KindColumn.CUMULATIVE] = (0.2, 0.2, 1.0)
    rows = [episode.kind_index(table, u) for u in (0.1, 0.19999, 0.2, 0.9999)]
    assert rows == [0, 0, 2, 2]


def test_voice_probability__known_answer(policy: Policy, kind: Kind) -> None:
    """−.4 + .5·1.6 + .6 = 1: 1/(1 + e^−1)."""
    eased = policy._replace(voice_ease=0.6)
    expected = 1.0 / (1.0 + math.exp(-1.0))
    assert episode.voice_probability(eased, kind, 1.6) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("u", "said"),
    [
        (0.49, Statement.TRUTH),
        (0.5, Statement.EXCUSE),
        (0.79, Statement.EXCUSE),
        (0.8, Statement.LIE),
    ],
)
def test_statement__by_shares(policy: Policy, u: float, said: int) -> None:
    """Half truths, three tenths excuses, the rest lies."""
    assert episode.statement(policy, u) == said


def test_may_try_again__counts_attempts_from_zero(market: Market) -> None:
    """Three attempts: after the first and second another one may follow."""
    allowed = [episode.may_try_again(market, attempt) for attempt in range(4)]
    assert allowed == [True, True, False, False]


def test_reputation__known_answer(market: Market) -> None:
    """9 people told by each of 10 leavers among 100 customers, then half forgotten."""
    told = word_of_mouth.reputation_after(0.0, 0.5, 90_000, 100)
    assert told == 0.9
    assert word_of_mouth.reputation_after(told, 0.5, 0, 100) == 0.45
    assert word_of_mouth.reputation_after(0.0, 0.5, 1000, 0) == 1.0
    won = word_of_mouth.win_probability(market, told)
    assert won == pytest.approx(0.8 * math.exp(-0.9))
    assert word_of_mouth.win_probability(market, -9.0) == 1.0


def test_news_period_of__is_the_floor(market: Market) -> None:
    """The period that begins at an instant holds it."""
    weekly = market._replace(news_period=7.0)
    periods = [word_of_mouth.news_period_of(weekly, t) for t in (0.0, 6.99, 7.0)]
    assert periods == [0, 0, 1]
