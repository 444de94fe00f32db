"""Lifetimes and their value: closed forms and published tables, by the whole engine."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from churnsim.engines.books import Account, Books
from churnsim.records import MICRO, Floats, Relationship
from churnsim.scenario.measures import Tenure
from churnsim.scenario.traits import TraitKind, TraitLaw
from churnsim.validation.checks import Check, Figure, Rule, Seen, mean, share
from churnsim.validation.repurchase import INSTANT, published
from churnsim.validation.worlds import (
    MARKET,
    POLICY,
    SPEC,
    WEEK,
    YEAR,
    World,
    certain,
    run,
    run_with,
)
from churnsim.variates import constant

GROUP = "closed-forms"
SBG = "Fader & Hardie 2007, Table 1 (high end: a = 0.668, b = 3.806)"
BGNBD = "Fader, Hardie & Lee 2005, CDNOW parameters rounded"
CONSTANT = "constant hazard: survival exp(−ht), value m/(h + δ)"

TEN_PERCENT = math.log(1.1) / YEAR  # continuous [per day]
YEAR_WORTH = (1.0 - 1.0 / 1.1) / math.log(1.1)  # of 1 a year over a year, at its start
ALWAYS = 1.0  # [days], a zone of tolerance that nothing here exceeds
N = 100_000  # customers, of which the tolerances are
N_AGED = 60_000

# Share left after each year [%]: the model's, and as the firm saw it.
HIGH_END_MODEL = (
    *(85.069, 74.688, 66.982, 60.995, 56.187, 52.225),
    *(48.894, 46.048, 43.582, 41.421, 39.510, 37.804),
)
HIGH_END_ACTUAL = (
    *(86.9, 74.3, 65.3, 59.3, 55.1, 51.7),
    *(49.1, 46.8, 44.5, 42.7, 40.9, 39.4),
)
# Discounted residual lifetime just before a renewal, at 10 % a year.
RESIDUALS = {1: 5.41486, 4: 6.62028, 8: 7.52995}


class Life(NamedTuple):
    """A policy whose survival and lifetime value are known."""

    name: str
    voiced: float  # of mistakes [-]
    settled: float  # of those voiced [-]
    is_quick: bool  # all that is settled, or nothing
    hazard: float  # [per year]
    alive_1: float  # after a year [-]
    alive_3: float
    value: float  # [$]


UNTOUCHED = 4891.7660  # lifetime value where nothing goes wrong [$]
LIVES = (
    Life("slow", 0.5, 0.5, False, 0.412500, 0.661993, 0.290109, 2363.0877),
    Life("empowered", 0.5, 0.95, True, 0.326125, 0.721715, 0.375921, 2847.4130),
    Life("inviting", 0.9, 0.95, True, 0.215025, 0.806521, 0.524623, 3866.7869),
)


def checks() -> tuple[Check, ...]:
    """Return the checks of this group."""
    retained = tuple(
        Figure(f"sBG, left after year {year}", model, 0.5, 3, " %")
        for year, model in enumerate(HIGH_END_MODEL, start=1)
    )
    actual = Figure("most points off what was seen", 2.0, 2.0, 2, "", Rule.AT_MOST)
    lifetime = Figure("sBG, lifetime of a new customer", 5.92260, 0.036, 4)
    bought = (
        Figure("BG/NBD, purchases in 1 week", 0.053268, 0.003, 5),
        Figure("BG/NBD, purchases in 39 weeks", 1.196723, 0.024, 5),
        Figure("BG/NBD, alive after 39 weeks", 0.794403, 0.005, 5),
    )
    return (
        Check(GROUP, CONSTANT, _constant_figures(), constant_hazard, 1.0),
        *(
            Check(GROUP, CONSTANT, _life_figures(life), partial(whole_life, life), 2.0)
            for life in LIVES
        ),
        Check(GROUP, SBG, (*retained, actual), retention, 1.0),
        Check(GROUP, SBG, (lifetime,), new_lifetime, 1.0),
        *(
            Check(
                GROUP,
                "Fader & Hardie 2010, discounted residual lifetime at 10 %",
                (Figure(f"sBG, residual before renewal {n}", worth, 0.06, 4),),
                partial(residual_lifetime, n),
                1.0,
            )
            for n, worth in RESIDUALS.items()
        ),
        Check(GROUP, BGNBD, bought, purchases, 0.5),
    )


def constant_hazard() -> Sequence[Seen]:
    """Return value and survival of customers with hazard .15 and $1,200 a year."""
    spec = SPEC._replace(
        customers=N,
        rate=certain(12.0 / YEAR),
        dropout=certain(0.15 / 12.0),
        value=certain(100 * MICRO),
        horizon=60 * YEAR,
    )
    world = World(MARKET._replace(discount=TEN_PERCENT), spec=spec)
    books = run(world)
    return (mean(worth(books, world)), *(_alive(books, year) for year in (1, 3)))


def whole_life(life: Life) -> Sequence[Seen]:
    """Return survival, value and loss under a policy, half a mistake a year.

    Twelve purchases a year at $100, one in 24 of them wrong. Dropout may follow each,
    if nobody left over it, such that the hazards add up to .15 and half a share. What
    is not put right is at fault and contested.
    """
    mistake = published("minor")._replace(
        voice=math.log(life.voiced / (1.0 - life.voiced)),
        at_fault=1.0 - life.settled,
        tolerance=ALWAYS if life.is_quick else 0.0,
    )
    market = MARKET._replace(
        mistake_probability=0.5 / 12.0, stated_to_actual=1.0, discount=TEN_PERCENT
    )
    policy = POLICY._replace(contest=1.0, handle=constant(INSTANT))
    spec = SPEC._replace(
        customers=N,
        rate=certain(12.0 / YEAR),
        dropout=certain(0.15 / (12.0 - (life.hazard - 0.15))),
        value=certain(100 * MICRO),
        horizon=60 * YEAR,
    )
    books = run(World(market, policy, mistake, spec))
    value = books.accounts[:, Account.REVENUE_DISCOUNTED] / MICRO
    return (
        *(_alive(books, year) for year in (1, 3)),
        mean(value),
        mean(UNTOUCHED - value),
    )


def retention() -> Sequence[Seen]:
    """Return the share of subscribers left after each of twelve renewals [%]."""
    world = subscribers(N, 13.0)
    people = world.people(0)
    books = run_with(world, people, 0)
    survived = np.rint((books.departure - people.renewal) / YEAR)
    left = [share(int(np.sum(survived >= n)), N) for n in range(1, 13)]
    shares = [Seen(100.0 * x.value, 100.0 * x.error, x.n) for x in left]
    pairs = zip(shares, HIGH_END_ACTUAL, strict=True)
    worst = max(abs(found.value - actual) for found, actual in pairs)
    return (*shares, Seen(worst, 0.0, N))


def new_lifetime() -> Sequence[Seen]:
    """Return the discounted lifetime of a new subscriber, fees as they are due."""
    world = subscribers(N, 40.0)
    people = world.people(0)
    people = people._replace(renewal=np.full(len(people.renewal), YEAR))
    return (mean(worth(run_with(world, people, 0), world) / YEAR_WORTH),)


def residual_lifetime(n_renewals: int) -> Sequence[Seen]:
    """Return the discounted residual lifetime just before a renewal.

    What is paid until then is certain; the rest, as worth at that renewal, is it.
    """
    world = subscribers(N_AGED, 30.0)
    tenure = Tenure("renewals", float(n_renewals - 1))
    world = world._replace(spec=world.spec._replace(tenure=tenure))
    people = world.people(n_renewals)
    whole = worth(run_with(world, people, n_renewals), world)
    until = -np.expm1(-TEN_PERCENT * people.renewal) / (TEN_PERCENT * YEAR)
    later = (whole - until) * np.exp(TEN_PERCENT * people.renewal) / YEAR_WORTH
    return (mean(later),)


def purchases() -> Sequence[Seen]:
    """Return purchases by weeks 1 and 39, and the share alive then."""
    spec = SPEC._replace(
        customers=N,
        rate=TraitLaw(TraitKind.GAMMA, 0.243, 4.414 * WEEK),
        dropout=TraitLaw(TraitKind.BETA, 0.793, 2.426),
        value=certain(MICRO),
    )
    bought, alive = [], share(0, N)
    for weeks in (1, 39):
        books = run(World(spec=spec._replace(horizon=weeks * WEEK)))
        bought.append(mean(books.accounts[:, Account.REVENUE] / MICRO))
        alive = share(int(np.isinf(books.departure).sum()), N)
    return (*bought, alive)


def subscribers(n: int, years: float) -> World:
    """Return yearly subscribers to whom nothing happens but renewals, for $1 a year."""
    market = MARKET._replace(
        relationship=int(Relationship.SUBSCRIPTION), discount=TEN_PERCENT
    )
    spec = SPEC._replace(
        customers=n,
        relationship="subscription",
        dropout=TraitLaw(TraitKind.BETA, 0.668, 3.806),
        value=certain(MICRO),
        horizon=years * YEAR,
    )
    return World(market, spec=spec)


def worth(books: Books, world: World) -> Floats:
    """Return each customer's discounted revenue, what comes later included [$]."""
    accounts = books.accounts / MICRO
    later = math.exp(-world.market.discount * world.spec.horizon)
    now = accounts[:, Account.REVENUE_DISCOUNTED]
    return np.asarray(now + later * accounts[:, Account.RESIDUAL], dtype=np.float64)


def _alive(books: Books, years: int) -> Seen:
    return share(int(np.sum(books.departure > years * YEAR)), len(books.departure))


def _constant_figures() -> tuple[Figure, ...]:
    return (
        Figure("no mistakes, lifetime value", UNTOUCHED, 0.01 * UNTOUCHED, 2, " $"),
        Figure("no mistakes, alive after 1 year", math.exp(-0.15), 0.0048),
        Figure("no mistakes, alive after 3 years", math.exp(-0.45), 0.0048),
    )


def _life_figures(life: Life) -> tuple[Figure, ...]:
    near = 0.01 * life.value
    return (
        Figure(f"{life.name}, alive after 1 year", life.alive_1, 0.0048),
        Figure(f"{life.name}, alive after 3 years", life.alive_3, 0.0048),
        Figure(f"{life.name}, lifetime value", life.value, near, 2, " $"),
        Figure(f"{life.name}, lost to mistakes", UNTOUCHED - life.value, near, 2, " $"),
    )
