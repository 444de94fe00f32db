"""What mistakes do in the engine: the repurchase table, hazards, double deviations.

Desks are instant and outcomes forced, so that leaving is a thinned Poisson process.
"""

import math
from typing import NamedTuple

import numpy as np
import pytest
from scipy import special

from churnsim.engines.books import Account, Tally
from churnsim.records import MICRO, Cause, Floats
from churnsim.scenario.traits import TraitKind, TraitLaw
from churnsim.validation.repurchase import (
    INSTANT,
    forced,
    leaving_at_first,
    published,
)
from churnsim.variates import constant, exponential
from tests.oracles import closed_forms as forms
from tests.oracles.gates import Battery
from tests.oracles.worlds import (
    MARKET,
    NEVER,
    NOW,
    POLICY,
    SPEC,
    SURE,
    YEAR,
    Builder,
    Change,
    Mistake,
    World,
    caught,
    certain,
    engine_battery,
    exponential_up_to,
    run,
    run_with,
)

pytestmark = pytest.mark.compiled

ALWAYS = 1.0  # [days], a zone of tolerance that nothing here exceeds
TEN_PERCENT = math.log(1.1) / YEAR  # continuous [per day]


def repurchase_table(battery: Battery, change: Change) -> None:
    """Add TARP's eight cells, each forced on everybody's first mistake.

    The larger of a share and its complement is known to 1 %, and both so to less than
    .005, the tolerance printed with the table.
    """
    number = 0
    for kind, row in forms.TARP.items():
        for cell, stay in row._asdict().items():
            number += 1
            rarer = min(stay, 1 - stay)
            world = forced(kind, cell, int(1e6 * rarer / (1 - rarer)))
            left, n = leaving_at_first(run(change(world), number))
            name = f"TARP {kind}, {cell}"
            if stay > 0.5:
                battery.share(f"{name}: stay", (n - left, n), stay)
            else:
                battery.share(f"{name}: leave", (left, n), 1 - stay)


class Row(NamedTuple):
    """A policy of the table of whole lifetimes, as printed."""

    name: str
    recovery: forms.Recovery
    hazard: float  # [per year]
    alive_1: float  # after a year [-]
    alive_3: float
    value: float  # [$]
    lost: float  # against no mistakes [$]


WHOLE = [
    Row(
        "slow",
        forms.Recovery(0.5, 0.5, 0.0),
        0.412500,
        0.661993,
        0.290109,
        2363.0877,
        2528.6783,
    ),
    Row(
        "empowered",
        forms.Recovery(0.5, 0.95, 1.0),
        0.326125,
        0.721715,
        0.375921,
        2847.4130,
        2044.3530,
    ),
    Row(
        "inviting",
        forms.Recovery(0.9, 0.95, 1.0),
        0.215025,
        0.806521,
        0.524623,
        3866.7869,
        1024.9791,
    ),
]
UNTOUCHED = 4891.7660  # lifetime value without mistakes [$]


def whole_life(row: Row, n: int) -> World:
    """Return customers with hazard .15, half a mistake and $1,200 a year.

    Twelve purchases a year at $100, half of one of them wrong. Dropout may follow each,
    if nobody left over it, such that the hazards add up to .15 and half a share.
    Those not put right are at fault and contested.
    """
    voiced, settled, quick = row.recovery
    share = 0.5 / 12
    mistake = published("minor")._replace(
        voice=float(special.logit(voiced)),
        at_fault=1 - settled,
        tolerance=ALWAYS if quick else 0.0,
    )
    market = MARKET._replace(
        mistake_probability=share, stated_to_actual=1.0, discount=TEN_PERCENT
    )
    policy = POLICY._replace(contest=1.0, handle=constant(INSTANT))
    spec = SPEC._replace(
        customers=n,
        rate=certain(12 / YEAR),
        dropout=certain(0.15 / (12 - (row.hazard - 0.15))),
        value=certain(100 * MICRO),
        horizon=60 * YEAR,
    )
    return World(market, policy, mistake, spec)


def whole_lives(battery: Battery, change: Change) -> None:
    """Add hazard, survival, lifetimes and value of three policies over 60 years."""
    n = 600_000
    for number, row in enumerate(WHOLE):
        world = change(whole_life(row, n))
        books = run(world, number)
        lived = np.minimum(books.departure / YEAR, 60.0)
        name = f"whole life, {row.name}"
        battery.mean(f"{name}: 1/hazard", lived, 1 / row.hazard)
        battery.law(f"{name}: lifetimes", lived, exponential_up_to(row.hazard, 60.0))
        for year, share in ((1, row.alive_1), (3, row.alive_3)):
            alive = int(np.sum(lived > year))
            battery.share(f"{name}: S({year})", (alive, n), share, 0.0048 / share)
        value = books.accounts[:, Account.REVENUE_DISCOUNTED] / MICRO
        battery.mean(f"{name}: value", value, row.value)
        lost = UNTOUCHED - value
        battery.mean(f"{name}: lost", lost, row.lost, 0.01 * row.value / row.lost)


def thinned_counts(battery: Battery, change: Change) -> None:
    """Add the number of episodes and the gaps, where every purchase is a mistake.

    With leaving probability π each, it is the BG/NBD with a dropout of π for all:
    P(X = x) = (1−π)^x·NB(x) + [x>0]·π·(1−π)^{x−1}·(1 − Σ_{j<x} NB(j)).
    """
    leave, weeks = 0.3, 39.0
    market = MARKET._replace(
        mistake_probability=1.0, stated_to_actual=leave, lock_in=-SURE
    )
    spec = SPEC._replace(
        customers=200_000,
        rate=TraitLaw(TraitKind.GAMMA, 2.5, 30.0),
        horizon=weeks,
    )
    counts = run(change(World(market, spec=spec))).accounts[:, Account.EPISODES]
    x = np.arange(200)
    r, alpha = 2.5, 30.0
    logs = special.gammaln(r + x) - special.gammaln(r) - special.gammaln(x + 1)
    whole = alpha + weeks
    logs += r * math.log(alpha / whole) + x * math.log(weeks / whole)
    bought = np.exp(logs)
    last = 1 - np.concatenate(([0.0], np.cumsum(bought)[:-1]))
    shares = (1 - leave) ** x * bought
    shares[1:] += leave * (1 - leave) ** (x[1:] - 1) * last[1:]
    below = np.cumsum(shares)

    def cdf(values: Floats) -> Floats:
        place = np.floor(values).astype(int)
        return np.where(place < 0, 0.0, below[np.clip(place, 0, len(x) - 1)])

    battery.law("episodes until leaving", counts.astype(np.float64), cdf)


def double_deviations(battery: Battery, change: Change) -> None:
    """Add first and repeated failures, silent and remembered for ever.

    Survey: .83 buy again after one late order and .45 after the next, .71 and .41 after
    wrong items. With sting s, lock_in = logit(first) + s, double·s makes the step.
    """
    for number, (name, first, repeated, sting) in enumerate(
        (("late", 0.83, 0.45, 1.0), ("wrong", 0.71, 0.41, 0.6))
    ):
        step = float(special.logit(first) - special.logit(repeated))
        market = MARKET._replace(
            mistake_probability=1.0,
            stated_to_actual=1.0,
            lock_in=float(special.logit(first)) + sting,
            memory=NEVER,
            double=step / sting,
        )
        spec = SPEC._replace(customers=1_000_000, rate=certain(1.0), horizon=3.0)
        world = World(market, POLICY, Mistake(sting=constant(sting)), spec)
        books = run(change(world), number)
        left, n = leaving_at_first(books)
        battery.share(f"{name}: stays after one", (n - left, n), first)
        n_episodes = books.accounts[:, Account.EPISODES]
        n = int(np.sum(n_episodes >= 2))
        left = int(np.sum((n_episodes == 2) & (books.cause > Cause.NATURAL)))
        battery.share(f"{name}: leaves after two", (left, n), 1 - repeated)


def fading_memory(battery: Battery, change: Change) -> None:
    """Add how often the last mistake is still remembered at the next one.

    Of exponential gaps (rate λ) and memories (rate ν) the gap is shorter with
    probability λ/(λ + ν). Only a double deviation drives anybody away.
    """
    n, rate, forgetting = 500_000, 1.0, 1.5
    market = MARKET._replace(
        mistake_probability=1.0,
        stated_to_actual=1.0,
        lock_in=SURE,
        memory=exponential(1 / forgetting),
        double=1e6,
    )
    spec = SPEC._replace(customers=n, rate=certain(rate), horizon=80.0)
    books = run(change(World(market, POLICY, Mistake(sting=constant(1.0)), spec)))
    counts = books.accounts[:, Account.EPISODES].astype(np.float64)
    share = rate / (rate + forgetting)
    battery.mean("episodes until a double one", counts, 1 + 1 / share)
    forgiven = int(np.sum(counts > 2))
    battery.share("second one forgiven", (forgiven, n), 1 - share)
    waited = np.minimum(books.departure, 80.0)
    battery.mean("time until a double one", waited, 1 / rate + 1 / rate / share)


def lost_callers(battery: Battery, change: Change) -> None:
    """Add customers who find no agent at all, and turn up again with .6."""
    n, again = 30_000, 0.6
    market = MARKET._replace(
        mistake_probability=1.0, patience=exponential(INSTANT), retry=again
    )
    spec = SPEC._replace(customers=n, rate=certain(1.0), horizon=1.0)
    nobody = POLICY._replace(agents=0)
    world = change(World(market, nobody, Mistake(voice=SURE), spec))
    people = world.people(0)
    books = [run_with(world, people, i) for i in range(40)]
    episodes = np.array([book.closed[Cause.ABANDONED] for book in books], float)
    attempts = np.array([book.tally[Tally.ATTEMPTS] for book in books])
    each = forms.contact_mean(1 - again)
    battery.mean("attempts of lost callers", attempts / episodes, each)
    battery.mean("their episodes", episodes, n)


BUILDERS = [
    repurchase_table,
    whole_lives,
    thinned_counts,
    double_deviations,
    fading_memory,
    lost_callers,
]


@pytest.mark.parametrize("builder", BUILDERS)
def test_episodes__match_closed_forms(builder: Builder) -> None:
    """Leaving after mistakes is as published, and as a thinned Poisson process."""
    engine_battery(builder).check()


def remembering(world: World) -> World:
    """Return the world in which nothing is ever forgotten."""
    return world._replace(market=world.market._replace(memory=NEVER))


def forgetful(world: World) -> World:
    """Return the world in which every mistake is forgotten at once."""
    return world._replace(market=world.market._replace(memory=NOW))


def stinging(world: World) -> World:
    """Return the world with stings larger by three percent."""
    law = world.mistake.sting
    more = world.mistake._replace(sting=constant(1.03 * law.a))
    return world._replace(mistake=more)


def meeker(world: World) -> World:
    """Return the world in which a few fewer speak up: .2 in log-odds."""
    return world._replace(policy=world.policy._replace(voice_ease=-0.2))


def busier(world: World) -> World:
    """Return the world with eight percent more occasions."""
    rate = world.spec.rate._replace(a=1.08 * world.spec.rate.a)
    return world._replace(spec=world.spec._replace(rate=rate))


def doing_worse(world: World) -> World:
    """Return the world with two percent more mistakes."""
    return world._replace(policy=world.policy._replace(mistakes=1.02))


def tolerant(world: World) -> World:
    """Return the world in which stated intentions become a percent less behaviour."""
    kappa = 0.99 * world.market.stated_to_actual
    return world._replace(market=world.market._replace(stated_to_actual=kappa))


def giving_up(world: World) -> World:
    """Return the world in which nobody turns up again."""
    return world._replace(market=world.market._replace(retry=0.0))


def lenient(world: World) -> World:
    """Return the world in which a repeated mistake weighs three percent less."""
    double = 0.97 * world.market.double
    return world._replace(market=world.market._replace(double=double))


def mindful(world: World) -> World:
    """Return the world with memories longer by two percent."""
    memory = exponential(1.02 * world.market.memory.a)
    return world._replace(market=world.market._replace(memory=memory))


@pytest.mark.parametrize(
    ("builder", "change"),
    [
        pytest.param(repurchase_table, stinging, marks=pytest.mark.slow),
        pytest.param(whole_lives, remembering, marks=pytest.mark.slow),
        (thinned_counts, busier),
        pytest.param(whole_lives, meeker, marks=pytest.mark.slow),
        pytest.param(whole_lives, doing_worse, marks=pytest.mark.slow),
        pytest.param(double_deviations, lenient, marks=pytest.mark.slow),
        (fading_memory, mindful),
        (lost_callers, giving_up),
        pytest.param(repurchase_table, tolerant, marks=pytest.mark.slow),
        pytest.param(whole_lives, tolerant, marks=pytest.mark.slow),
        pytest.param(double_deviations, forgetful, marks=pytest.mark.slow),
    ],
)
def test_episodes__catch_faults(builder: Builder, change: Change) -> None:
    """A world that is wrong by a little in one thing fails at least one gate."""
    assert caught(builder, change)
