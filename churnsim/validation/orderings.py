"""The orderings of Knox & van Oest 2014, in the e-commerce scenario.

K1 no complaint > complaint and recovery > complaint, no recovery. K2 the relative loss
is smaller for an established customer. K3 a second complaint soon after the first is
worse than one long after. K4 who survives the critical period is as good as new.
K5 complainers buy faster, die faster. K6 no paradox in behaviour, and none at all after
two failures. Desks that keep nobody waiting isolate the mistakes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from churnsim.engines.books import Account
from churnsim.engines.outcome import Outcome
from churnsim.records import Cause
from churnsim.scenario import load_scenario
from churnsim.simulation import make_population, simulate, with_events
from churnsim.validation.checks import (
    Check,
    Figure,
    Rule,
    Seen,
    difference,
    mean,
    share,
)
from churnsim.validation.episodes import (
    ALL_VOICE,
    ALONE,
    Episode,
    episodes,
    run,
    share_left,
)

GROUP = "orderings"
SOURCE = "Knox & van Oest 2014, 20,000 customers of a catalogue retailer"

CRITICAL = 56.0  # days: twice the 28 between complaints that the study reports
LONG_AFTER = 360.0  # days: four times the mean memory
N = 60_000
N_STEADY = 12_000
N_NEW, N_ESTABLISHED = 600_000, 100_000

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


def checks() -> tuple[Check, ...]:
    """Return the checks of this group."""
    return (
        _check(
            recovery_earns_back,
            2.0,
            _above("K1 no mistake over recovery", 2, " $"),
            _above("K1 recovery over no recovery", 2, " $"),
        ),
        _check(
            established_lose_less,
            12.0,
            _above("K2 loss of new over established"),
            _above("K2 share that the established lose"),
        ),
        _check(
            steady_customers,
            3.0,
            _above("K3 leave: soon again over late again"),
            Figure("K4 leave: forgotten less first time", 0.0),
        ),
        _check(
            dropout_of_survivors,
            3.0,
            Figure("K4 dropout, forgotten, to hassle-free", 1.0, digits=3),
            Figure(
                "K4 dropout, remembered, to hassle-free", 1.0, digits=3, rule=Rule.ABOVE
            ),
        ),
        _check(
            complainers,
            3.0,
            _above("K5 purchases/day, complained over not", 5),
            _above("K5 departures/day, complained over not", 5),
        ),
        _check(
            no_paradox,
            2.0,
            _above("K6 no mistake over generous recovery", 2, " $"),
        ),
        _check(
            delight,
            1.0,
            _above("K6 delighted by a first recovery"),
            Figure("K6 delighted after a second failure", 0.0, 0.0, rule=Rule.WITHIN),
        ),
    )


def recovery_earns_back() -> Sequence[Seen]:
    """Return what a customer brings less: no mistakes to recovery, recovery to none."""
    flawless, recovered, unheard = (
        revenue(variant(policy, N))
        for policy in ("flawless", "empowered", "no_recovery")
    )
    return (mean(flawless - recovered), mean(recovered - unheard))


def established_lose_less() -> Sequence[Seen]:
    """Return how much more of the future a new customer's complaint costs, and theirs.

    The established have bought five times in 39 weeks.
    """
    new = relative_loss(N_NEW, 0.0, *NEW)
    established = relative_loss(N_ESTABLISHED, ESTABLISHED_FOR, *ESTABLISHED)
    return (difference(new, established), established)


def steady_customers() -> Sequence[Seen]:
    """Return how many more leave over a second failure: soon than late; than at first.

    Soon is within 56 days of the first one's close, late a year on; the last compares
    second failures after forgetting with first ones.
    """
    told = episodes(run("ecommerce", "empowered", (*COMPLAIN, *STEADY), N_STEADY))
    cases = [own for own in told.values() if own]
    seconds = [own[1] for own in cases if len(own) > 1]
    soon = [case for case in seconds if case.since_last < CRITICAL]
    late = [case for case in seconds if case.since_last > LONG_AFTER]
    first = share_left(own[0] for own in cases)
    again = share_left(case for case in seconds if not case.is_double)
    return (
        difference(share_left(soon), share_left(late)),
        difference(again, first),
    )


def dropout_of_survivors() -> Sequence[Seen]:
    """Return ordinary dropouts over those of the hassle-free hazard λ(1−q)p.

    Dropouts while nothing is remembered are Poisson with the hazard times the time at
    risk; before that, when the grievance is remembered, they are more.
    """
    outcome = run("ecommerce", "no_recovery", (*COMPLAIN, *STEADY), N_STEADY)
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
    return (forgotten.to(hazard), remembered.to(hazard))


def complainers() -> Sequence[Seen]:
    """Return how much faster those who complained once buy, and leave after it."""
    outcome = run("ecommerce", "slow", ALONE, N)
    first = {who: own[0].opened_at for who, own in episodes(outcome).items() if own}
    has_complained = np.isin(np.arange(outcome.n_customers), sorted(first))
    rate = outcome.population.rate
    faster = difference(mean(rate[has_complained]), mean(rate[~has_complained]))
    until = np.minimum(outcome.books.departure, outcome.horizon)
    since = np.zeros(outcome.n_customers)
    since[sorted(first)] = [first[who] for who in sorted(first)]
    is_gone = np.isfinite(outcome.books.departure)
    after = _hazard(is_gone[has_complained], (until - since)[has_complained])
    without = _hazard(is_gone[~has_complained], until[~has_complained])
    return (faster, difference(after, without))


def no_paradox() -> Sequence[Seen]:
    """Return what the most generous recovery brings less than no mistake at all."""
    generous = "policy.empowered.make_good.compensation=1.5"
    flawless = revenue(variant("flawless", N, generous))
    return (mean(flawless - revenue(variant("empowered", N, generous))),)


def delight() -> Sequence[Seen]:
    """Return the share whom a settlement delights: of a first failure, of a second."""
    soon = (*COMPLAIN, *STEADY, 'market.voice_delay="1 h"')
    told = episodes(run("ecommerce", "empowered", soon, 4_000)).values()
    settled = [case for own in told for case in own if case.settled_with is not None]
    first, second = (
        [case.settled_with or 0.0 for case in settled if case.is_double is double]
        for double in (False, True)
    )
    return tuple(
        share(sum(grievance < 0.0 for grievance in levels), len(levels))
        for levels in (first, second)
    )


def variant(policy: str, customers: int, *overrides: str) -> Outcome:
    """Return a run of customers who all complain, without an event log."""
    people = f"population.customers={customers}"
    scenario = load_scenario("ecommerce", overrides=[*COMPLAIN, *overrides, people])
    return simulate(scenario, policy, seed=7)


def revenue(outcome: Outcome) -> NDArray[np.float64]:
    """Return each customer's revenue, the same customer at the same place [$]."""
    return np.asarray(outcome.books.accounts[:, Account.REVENUE] / 1e6)


def relative_loss(customers: int, tenure: float, *overrides: str) -> Seen:
    """Return the share of future revenue that one complaint costs.

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
    before = rate * (1.0 - gone) * value * np.array([opened[i] for i in who]) / 1e6
    failing = RARELY * hurt.plan.market.mistake_probability
    # The order that went wrong is paid for in full; ordinary ones as expected.
    with_it = revenue(hurt)[who] - (1.0 - failing) * before - value / 1e6
    without = revenue(spared)[who] - before
    loss = 1.0 - with_it.sum() / without.sum()
    spread = (without - with_it - loss * without).std(ddof=1)
    error = spread / math.sqrt(len(who)) / without.mean()
    return Seen(float(loss), float(error), len(who))


class _Exposure:
    """Time at risk, and how many dropped out in it."""

    def __init__(self) -> None:
        self.time, self.n_gone = 0.0, 0

    def add(self, since: float, until: float, is_gone: bool) -> None:
        """Add a stretch of time, and whether it ended in dropout."""
        self.time += until - since
        self.n_gone += is_gone

    def to(self, hazard: float) -> Seen:
        """Return dropouts over those that the hazard lets one expect."""
        expected = hazard * self.time
        return Seen(self.n_gone / expected, 1.0 / math.sqrt(expected), self.n_gone)


def _hazard(is_gone: NDArray[Any], time: NDArray[Any]) -> Seen:
    """Return departures per day at risk."""
    n_gone = int(is_gone.sum())
    at_risk = float(time.sum())
    return Seen(n_gone / at_risk, math.sqrt(n_gone) / at_risk, n_gone)


def _check(look: Any, cost: float, *figures: Figure) -> Check:
    return Check(GROUP, SOURCE, figures, look, cost)


def _above(what: str, digits: int = 4, unit: str = "") -> Figure:
    return Figure(what, 0.0, digits=digits, unit=unit, rule=Rule.ABOVE)
