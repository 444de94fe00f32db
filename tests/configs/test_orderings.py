"""The orderings of Knox & van Oest 2014, in the e-commerce scenario.

K1 no complaint > complaint and recovery > complaint, no recovery. K2 the relative loss
is smaller for an established customer. K3 a second complaint soon after the first is
worse than one long after. K4 who survives the critical period is as good as new.
K5 complainers buy faster, die faster. K6 no paradox in behaviour, and none at all after
two failures. Desks that keep nobody waiting isolate the mistakes; z is 3 throughout.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from churnsim.engines.books import Account
from churnsim.engines.outcome import Outcome
from churnsim.records import Cause
from churnsim.scenario import load_scenario
from churnsim.simulation import make_population, simulate, with_events
from tests.configs.episodes import (
    ALL_VOICE,
    ALONE,
    Episode,
    episodes,
    run,
    share_left,
    z_of,
)

pytestmark = pytest.mark.compiled

Z = 3.0
CRITICAL = 56.0  # days: twice the 28 between complaints that the study reports
LONG_AFTER = 360.0  # days: four times the mean memory

# One mistake in a life, as a rule, and then no other.
RARELY = 0.3
RARE = tuple(
    f"policy.{name}.prevention.mistakes={RARELY}"
    for name in ("empowered", "no_recovery")
)
LISTED = 'policies=["empowered", "no_recovery"]'
COMPLAIN = (*ALONE, *ALL_VOICE, LISTED)
# BG/NBD's prior, and its posterior after five purchases in 39 weeks, the last just now.
NEW = (
    'market.rate={law="gamma", shape=0.243, scale="4.414 weeks"}',
    'market.dropout={law="beta", a=0.793, b=2.426}',
    'population.history="1 day"',
)
ESTABLISHED_FOR = 39.0 * 7.0  # days
ESTABLISHED = (
    'market.rate={law="gamma", shape=5.243, scale="43.414 weeks"}',
    'market.dropout={law="beta", a=0.793, b=7.426}',
    'population.history="1 day"',
)
# One customer like another, who buys once a month and hardly ever goes without reason.
STEADY = (
    'market.rate="12/year"',
    "market.dropout=0.02",
    'market.value="$88"',
    'horizon="6 years"',
)


def variant(policy: str, customers: int, *overrides: str) -> Outcome:
    """Return a run of customers who all complain, without an event log."""
    people = f"population.customers={customers}"
    scenario = load_scenario("ecommerce", overrides=[*COMPLAIN, *overrides, people])
    return simulate(scenario, policy, seed=7)


def revenue(outcome: Outcome) -> NDArray[np.float64]:
    """Return each customer's revenue, the same customer at the same place."""
    return outcome.books.accounts[:, Account.REVENUE].astype(float)


def z_of_mean(differences: NDArray[Any]) -> float:
    """Return how many standard errors the mean of paired differences is above 0."""
    error = differences.std(ddof=1) / math.sqrt(len(differences))
    return float(differences.mean() / error)


@cache
def steady_cases(policy: str) -> tuple[tuple[Episode, ...], ...]:
    """Return the episodes of each steady customer who suffered one, in order."""
    told = episodes(run("ecommerce", policy, (*COMPLAIN, *STEADY), 12_000))
    return tuple(tuple(own) for own in told.values() if own)


def test_k1__recovery_earns_back_part_of_what_a_complaint_costs() -> None:
    """Revenue: no mistakes > complaint and recovery > complaint, no recovery."""
    flawless, recovered, unheard = (
        revenue(variant(policy, 60_000))
        for policy in ("flawless", "empowered", "no_recovery")
    )
    assert z_of_mean(flawless - recovered) > Z
    assert z_of_mean(recovered - unheard) > Z


def relative_loss(
    customers: int, tenure: float, *overrides: str
) -> tuple[float, float]:
    """Return the share of future revenue that one complaint costs, and its SE.

    Of those to whom one mistake happened, against the same people without it; both
    counted from the mistake on. They have been customers for `tenure` days.
    """
    rare = (*RARE, *overrides)
    people = f"population.customers={customers}"
    scenario = load_scenario("ecommerce", overrides=[*COMPLAIN, *rare, people])
    drawn = make_population(scenario, seed=7)
    people_of = drawn._replace(begun=drawn.begun - tenure)
    hurt = with_events(simulate(scenario, "empowered", seed=7, population=people_of))
    spared = simulate(scenario, "flawless", seed=7, population=people_of)
    opened = {
        who: own[0].opened_at
        for who, own in episodes(hurt).items()
        if len(own) == 1 and spared.books.departure[who] > own[0].opened_at
    }
    who = np.array(sorted(opened))
    rate, gone = people_of.rate[who], people_of.dropout[who]
    value = people_of.value[who]
    before = rate * (1.0 - gone) * value * np.array([opened[i] for i in who])
    failing = RARELY * hurt.plan.market.mistake_probability
    # The order that went wrong is paid for in full; ordinary ones as expected.
    with_it = revenue(hurt)[who] - (1.0 - failing) * before - value
    without = revenue(spared)[who] - before
    loss = 1.0 - with_it.sum() / without.sum()
    spread = (without - with_it - loss * without).std(ddof=1)
    return float(loss), float(spread / math.sqrt(len(who)) / without.mean())


def test_k2__an_established_customer_loses_less_in_proportion() -> None:
    """The share of future revenue lost is smaller after five purchases in 39 weeks."""
    new = relative_loss(600_000, 0.0, *NEW)
    established = relative_loss(100_000, ESTABLISHED_FOR, *ESTABLISHED)
    assert new[0] / new[1] > Z
    assert established[0] / established[1] > Z
    assert z_of(new, established) > Z


def test_k3__a_second_complaint_soon_after_the_first_is_worse() -> None:
    """More leave after a second failure within 56 days than after one a year later."""
    seconds = [own[1] for own in steady_cases("empowered") if len(own) > 1]
    soon = [case for case in seconds if case.since_last < CRITICAL]
    late = [case for case in seconds if case.since_last > LONG_AFTER]
    assert z_of(share_left(soon), share_left(late)) > Z


def test_k4__a_survivor_who_forgot_is_as_hard_to_lose_as_anybody() -> None:
    """After forgetting, as many leave over a mistake as over the first one."""
    cases = steady_cases("empowered")
    first = share_left(own[0] for own in cases)
    again = share_left(own[1] for own in cases if len(own) > 1 and not own[1].is_double)
    assert abs(z_of(again, first)) < Z


def test_k4__a_survivor_who_forgot_drops_out_at_the_old_rate() -> None:
    """Ordinary dropouts after forgetting are those of the hassle-free hazard λ(1−q)p.

    Dropouts while nothing is remembered are Poisson with the hazard times the time at
    risk; before that, when the grievance is remembered, they are more.
    """
    outcome = run("ecommerce", "no_recovery", (*COMPLAIN, *STEADY), 12_000)
    market, people = outcome.plan.market, outcome.population
    hazard = people.rate[0] * (1.0 - market.mistake_probability) * people.dropout[0]
    forgotten, remembered = _Exposure(), _Exposure()
    for who, own in episodes(outcome).items():
        gone_at = min(float(outcome.books.departure[who]), outcome.horizon)
        is_natural = outcome.books.cause[who] == Cause.NATURAL
        followers: list[Episode | None] = [*own[1:], None] if own else []
        for case, follower in zip(own, followers, strict=True):
            until = follower.opened_at if follower else gone_at
            last = follower is None and is_natural
            if case.forgot_at < until:
                forgotten.add(case.forgot_at, until, last)
                remembered.add(case.closed_at, case.forgot_at, False)
            elif case.closed_at < until:
                remembered.add(case.closed_at, until, last)
    assert abs(forgotten.excess(hazard)) < Z
    assert remembered.excess(hazard) > Z


class _Exposure:
    """Time at risk, and how many dropped out in it."""

    def __init__(self) -> None:
        self.time, self.n_gone = 0.0, 0

    def add(self, since: float, until: float, is_gone: bool) -> None:
        """Add a stretch of time, and whether it ended in dropout."""
        self.time += until - since
        self.n_gone += is_gone

    def excess(self, hazard: float) -> float:
        """Return the standard errors above what the hazard lets one expect."""
        expected = hazard * self.time
        return (self.n_gone - expected) / math.sqrt(expected)


def test_k5__complainers_buy_faster_and_die_faster() -> None:
    """Who complained once has a higher rate of purchase, and leaves sooner after it."""
    outcome = run("ecommerce", "slow", ALONE, 60_000)
    first = {who: own[0].opened_at for who, own in episodes(outcome).items() if own}
    has_complained = np.isin(np.arange(outcome.n_customers), sorted(first))
    rate = outcome.population.rate
    fast, ordinary = rate[has_complained], rate[~has_complained]
    error = math.hypot(
        fast.std() / math.sqrt(len(fast)), ordinary.std() / math.sqrt(len(ordinary))
    )
    assert (fast.mean() - ordinary.mean()) / error > Z
    until = np.minimum(outcome.books.departure, outcome.horizon)
    since = np.zeros(outcome.n_customers)
    since[sorted(first)] = [first[who] for who in sorted(first)]
    is_gone = np.isfinite(outcome.books.departure)
    after = _hazard(is_gone[has_complained], (until - since)[has_complained])
    without = _hazard(is_gone[~has_complained], until[~has_complained])
    assert z_of(after, without) > Z


def _hazard(is_gone: NDArray[Any], time: NDArray[Any]) -> tuple[float, float]:
    """Return departures per day at risk, and the SE."""
    n_gone = int(is_gone.sum())
    at_risk = float(time.sum())
    return n_gone / at_risk, math.sqrt(n_gone) / at_risk


def test_k6__the_most_generous_recovery_earns_no_more_than_no_mistake() -> None:
    """No paradox in behaviour: with compensation of 1.5, revenue stays below."""
    generous = "policy.empowered.make_good.compensation=1.5"
    flawless = revenue(variant("flawless", 60_000, generous))
    recovered = revenue(variant("empowered", 60_000, generous))
    assert z_of_mean(flawless - recovered) > Z


def test_k6__satisfaction_may_rise_after_one_failure_but_never_after_two() -> None:
    """Some are delighted by a first recovery; after a second failure nobody is."""
    soon = (*COMPLAIN, *STEADY, 'market.voice_delay="1 h"')
    told = episodes(run("ecommerce", "empowered", soon, 4_000)).values()
    settled = [case for own in told for case in own if case.settled_with is not None]
    first = [case.settled_with for case in settled if not case.is_double]
    second = [case.settled_with for case in settled if case.is_double]
    assert min(grievance or 0.0 for grievance in first) < 0.0
    assert len(second) > 1000
    assert min(grievance or 0.0 for grievance in second) >= 0.0
