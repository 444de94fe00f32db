"""Lifetimes in the engine when nothing goes wrong: published tables and values."""

import functools
import math
from typing import NamedTuple

import numpy as np
import pytest
from scipy import integrate

from churnsim.engines.books import Account, Books
from churnsim.records import MICRO, Cause, Floats, Population, Relationship
from churnsim.scenario.measures import Tenure
from churnsim.scenario.traits import PopulationSpec, TraitKind, TraitLaw
from tests.oracles import closed_forms as forms
from tests.oracles.gates import Battery
from tests.oracles.worlds import (
    MARKET,
    SPEC,
    SURE,
    WEEK,
    YEAR,
    Builder,
    Change,
    World,
    caught,
    certain,
    engine_battery,
    exponential_up_to,
    run,
    run_with,
    unchanged,
)

pytestmark = pytest.mark.compiled

HIGH_END = forms.Beta(0.668, 3.806)
# Share left after each year [%], as printed: of the model, and as it was.
HIGH_END_MODEL: tuple[float, ...] = (85.069, 74.688, 66.982, 60.995, 56.187, 52.225)
HIGH_END_MODEL += (48.894, 46.048, 43.582, 41.421, 39.510, 37.804)
HIGH_END_ACTUAL: tuple[float, ...] = (86.9, 74.3, 65.3, 59.3, 55.1, 51.7)
HIGH_END_ACTUAL += (49.1, 46.8, 44.5, 42.7, 40.9, 39.4)
# Discounted residual lifetime just before renewal 1 … 8, at 10 % a year, as printed.
HIGH_END_RESIDUAL: tuple[float, ...] = (5.41486, 5.90175, 6.29426, 6.62028)
HIGH_END_RESIDUAL += (6.89706, 7.13600, 7.34505, 7.52995)
TEN_PERCENT = math.log(1.1) / YEAR  # continuous [per day]
YEAR_WORTH = (1 - 1 / 1.1) / math.log(1.1)  # of 1 a year over one year, at its start

CDNOW_RATE = forms.Gamma(0.243, 4.414)  # [weeks]
CDNOW_DROPOUT = forms.Beta(0.793, 2.426)
CDNOW = SPEC._replace(
    rate=TraitLaw(TraitKind.GAMMA, 0.243, 4.414 * WEEK),
    dropout=TraitLaw(TraitKind.BETA, 0.793, 2.426),
    value=certain(MICRO),
)


class Worth(NamedTuple):
    """What each customer brought, in units of currency at time 0."""

    revenue: Floats
    discounted: Floats
    whole: Floats  # discounted, with what those who stay are still worth


def worth_of(books: Books, world: World) -> Worth:
    """Return what each customer brought."""
    accounts = books.accounts / MICRO
    later = math.exp(-world.market.discount * world.spec.horizon)
    now = accounts[:, Account.REVENUE_DISCOUNTED]
    whole = now + later * accounts[:, Account.RESIDUAL]
    return Worth(accounts[:, Account.REVENUE], now, whole)


def subscribers(n: int, law: forms.Beta, years: float, fee: float = 1.0) -> World:
    """Return yearly subscribers to whom nothing happens but renewals."""
    market = MARKET._replace(
        relationship=int(Relationship.SUBSCRIPTION), discount=TEN_PERCENT
    )
    spec = SPEC._replace(
        customers=n,
        relationship="subscription",
        dropout=TraitLaw(TraitKind.BETA, *law),
        value=certain(fee * MICRO),
        horizon=years * YEAR,
    )
    return World(market, spec=spec)


@functools.cache
def retained(change: Change) -> tuple[int, tuple[int, ...]]:
    """Return how many subscribers there were, and were left after each renewal."""
    world = change(subscribers(1_000_000, HIGH_END, 13.0))
    people = world.people(0)
    books = run_with(world, people, 0)
    survived = np.rint((books.departure - people.renewal) / YEAR)
    left = tuple(int(np.sum(survived >= n)) for n in range(1, 13))
    return len(survived), left


def retention_table(battery: Battery, change: Change) -> None:
    """Add the share of subscribers left after each of twelve renewals."""
    n, left = retained(change)
    for year, share in enumerate(HIGH_END_MODEL):
        battery.share(f"sBG year {year + 1}", (left[year], n), share / 100)


def subscriber_value(battery: Battery, change: Change) -> None:
    """Add the discounted lifetime of a new subscriber, fees counted as they are due."""
    world = change(subscribers(400_000, HIGH_END, 40.0))
    people = world.people(0)
    people = people._replace(renewal=np.full(len(people.renewal), YEAR))
    whole = worth_of(run_with(world, people, 0), world).whole / YEAR_WORTH
    battery.mean("sBG lifetime, new", whole, 5.92260)


def subscribers_of_age(battery: Battery, change: Change) -> None:
    """Add discounted residual lifetimes of those who have survived 0 … 7 renewals.

    What is paid until the next renewal is certain; the rest, as worth at that renewal,
    is the residual lifetime just before it.
    """
    for n_renewals, residual in enumerate(HIGH_END_RESIDUAL, start=1):
        n = 330_000 if n_renewals < 3 else 240_000
        world = subscribers(n, HIGH_END, 30.0)
        tenure = Tenure("renewals", float(n_renewals - 1))
        world = change(world._replace(spec=world.spec._replace(tenure=tenure)))
        people = world.people(n_renewals)
        whole = worth_of(run_with(world, people, n_renewals), world).whole
        until = -np.expm1(-TEN_PERCENT * people.renewal) / (TEN_PERCENT * YEAR)
        later = (whole - until) * np.exp(TEN_PERCENT * people.renewal) / YEAR_WORTH
        battery.mean(f"sBG residual, renewal {n_renewals}", later, residual)


def stationary_subscribers(battery: Battery, change: Change) -> None:
    """Add the base that constant acquisition over ten years leaves, two years on."""
    world = subscribers(1_000_000, HIGH_END, 2.5)
    spec = world.spec._replace(tenure=Tenure("stationary", 0.0), history=10 * YEAR)
    world = change(world._replace(spec=spec))
    people = world.people(0)
    books = run_with(world, people, 0)
    shares = np.array([forms.renewal_survival(HIGH_END, n) for n in range(14)])
    base = shares[:11].sum()
    cancel = -np.expm1(-people.dropout)
    a, b = HIGH_END
    mean = shares[:11] @ (a / (a + b + np.arange(11))) / base
    battery.mean("sBG stationary, mean cancellation", cancel, mean)
    survived = np.rint((books.departure - people.renewal) / YEAR)
    for n in (1, 2):
        left = int(np.sum(survived >= n))
        share = shares[n : n + 11].sum() / base
        battery.share(f"sBG stationary, year {n}", (left, len(cancel)), share)


def bought_and_left(change: Change, weeks: int, n_runs: int) -> tuple[Floats, int]:
    """Return what 1.1 million customers a run have bought by a week, and who is left.

    The people of all runs and weeks are drawn once.
    """
    bought, left = [], 0
    for i in range(n_runs):
        spec = CDNOW._replace(customers=1_100_000, horizon=weeks * WEEK)
        world = change(World(spec=spec))
        books = run_with(world, people_of(world.spec._replace(horizon=WEEK), i), i)
        bought.append(worth_of(books, world).revenue)
        left += int(np.isinf(books.departure).sum())
    return np.concatenate(bought), left


@functools.lru_cache(maxsize=2)
def people_of(spec: PopulationSpec, replication: int) -> Population:
    """Return one replication's customers."""
    return World(spec=spec).people(replication)


def purchases_seen(
    battery: Battery, change: Change, n_runs: int, week_1: float
) -> None:
    """Add purchases and share alive with the published parameters of CDNOW.

    Args:
        battery: To add to.
        change: A mistake made on purpose.
        n_runs: Of 1.1 million customers.
        week_1: Largest error that may go unseen in week 1, when purchases are few.
    """
    for weeks, expected, limit in ((1, 0.053268, week_1), (39, 1.196723, 0.01)):
        bought, left = bought_and_left(change, weeks, n_runs)
        battery.mean(f"BG/NBD purchases, week {weeks}", bought, expected, limit)
    battery.share("BG/NBD alive, week 39", (left, len(bought)), 0.794403)


def purchases(battery: Battery, change: Change) -> None:
    """Add 2.2 million customers."""
    purchases_seen(battery, change, 2, 0.015)


def purchases_sharper(battery: Battery, change: Change) -> None:
    """Add 5.5 million customers."""
    purchases_seen(battery, change, 5, 0.01)


def with_harmless_mistakes(world: World) -> World:
    """Return the world in which three of ten purchases go wrong, and nobody minds."""
    market = world.market._replace(mistake_probability=0.3, stated_to_actual=0.0)
    return world._replace(market=market)


def harmless_mistakes(battery: Battery, change: Change) -> None:
    """Add purchases and share alive where mistakes happen and change nothing.

    Dropout may follow a purchase that went wrong as it may follow any other.
    """

    def both(world: World) -> World:
        return change(with_harmless_mistakes(world))

    bought, left = bought_and_left(both, 39, 2)
    battery.mean("BG/NBD with harmless mistakes, purchases", bought, 1.196723)
    battery.share("with harmless mistakes, alive", (left, len(bought)), 0.794403)


def purchasers_of_age(battery: Battery, change: Change) -> None:
    """Add survivors of a year, and of any age up to a year: the posterior holds.

    A year later alive(T + s)/alive(T) are left; over uniform ages both are integrated.
    """
    habit = forms.Habit(CDNOW_RATE, CDNOW_DROPOUT)
    year = YEAR / WEEK

    def lived(low: float, high: float) -> float:
        whole, _ = integrate.quad(lambda t: forms.purchase_alive(habit, t), low, high)
        return float(whole)

    alike = forms.purchase_alive(habit, 2 * year) / forms.purchase_alive(habit, year)
    mixed = lived(year, 2 * year) / lived(0.0, year)
    for name, tenure, share in (
        ("a year old", Tenure("time", YEAR), alike),
        ("of mixed ages", Tenure("stationary", 0.0), mixed),
    ):
        n = 125_000
        spec = CDNOW._replace(customers=n, tenure=tenure, history=YEAR, horizon=YEAR)
        left = int(np.isinf(run(change(World(spec=spec))).departure).sum())
        battery.share(f"BG/NBD {name}, alive", (left, n), share)


def first_purchases(battery: Battery, change: Change) -> None:
    """Add the time to the first purchase, Lomax: (α/(α + t))^r are still to come.

    Every occasion fails and everyone leaves at once, so that departures show it.
    """
    market = MARKET._replace(
        mistake_probability=1.0, stated_to_actual=1.0, lock_in=-SURE
    )
    weeks = 78.0
    spec = CDNOW._replace(customers=200_000, horizon=weeks * WEEK)
    books = run(change(World(market, spec=spec)))
    times = np.minimum(books.departure / WEEK, weeks)
    r, alpha = CDNOW_RATE

    def cdf(t: Floats) -> Floats:
        below = 1 - (alpha / (alpha + np.maximum(t, 0.0))) ** r
        return np.where(t < weeks, below, 1.0)

    battery.law("first purchase", times, cdf)


def homogeneous(n: int) -> World:
    """Return customers with hazard .15 and revenue $1,200 a year, at 10 % a year."""
    spec = SPEC._replace(
        customers=n,
        rate=certain(12 / YEAR),
        dropout=certain(0.15 / 12),
        value=certain(100 * MICRO),
        horizon=60 * YEAR,
    )
    return World(MARKET._replace(discount=TEN_PERCENT), spec=spec)


def constant_hazard(battery: Battery, change: Change) -> None:
    """Add lifetimes, survival and lifetime value under a constant hazard."""
    n = 600_000
    world = change(homogeneous(n))
    books = run(world)
    value = worth_of(books, world)
    battery.mean("lifetime value", value.whole, 4891.7660)
    span = forms.Span(60.0, math.log(1.1))
    cut = forms.lifetime_value(1200.0, 0.15, span)
    battery.mean("lifetime value up to 60 years", value.discounted, cut)
    lived = np.minimum(books.departure / YEAR, 60.0)
    battery.law("lifetimes", lived, exponential_up_to(0.15, 60.0))
    battery.mean("mean lifetime", lived, -math.expm1(-9.0) / 0.15)
    for year in (1, 3):
        share = forms.survival(0.15, year)
        battery.share(f"S({year})", (int(np.sum(lived > year)), n), share)
    assert set(np.unique(books.cause)) == {Cause.NONE, Cause.NATURAL}


BUILDERS = [
    retention_table,
    subscriber_value,
    subscribers_of_age,
    stationary_subscribers,
    purchases,
    harmless_mistakes,
    purchasers_of_age,
    first_purchases,
    constant_hazard,
]


@pytest.mark.parametrize(
    "builder", [*BUILDERS, pytest.param(purchases_sharper, marks=pytest.mark.slow)]
)
def test_lifetimes__match_published_figures(builder: Builder) -> None:
    """Survival, purchases and values are those of the BG/NBD, the sBG, one hazard."""
    engine_battery(builder).check()


def test_retention__is_near_what_was_published_as_seen() -> None:
    """The share left after each year is within two points of the real customers'."""
    n, left = retained(unchanged)
    shares = [100 * left_then / n for left_then in left]
    assert np.max(np.abs(np.subtract(shares, HIGH_END_ACTUAL))) < 2.0


def loyal(world: World) -> World:
    """Return the world with one percent less dropout."""
    law = world.spec.dropout
    less = law._replace(a=0.99 * law.a)
    return world._replace(spec=world.spec._replace(dropout=less))


def steadfast(world: World) -> World:
    """Return the world with five percent less dropout."""
    less = world.spec.dropout._replace(a=0.95 * world.spec.dropout.a)
    return world._replace(spec=world.spec._replace(dropout=less))


def eager(world: World) -> World:
    """Return the world with eight percent more occasions."""
    more = world.spec.rate._replace(a=1.08 * world.spec.rate.a)
    return world._replace(spec=world.spec._replace(rate=more))


def impatient_money(world: World) -> World:
    """Return the world with one percent more discount."""
    discount = 1.01 * world.market.discount
    return world._replace(market=world.market._replace(discount=discount))


def slower_years(world: World) -> World:
    """Return the world with renewals two percent further apart."""
    market = world.market._replace(period=1.02 * world.market.period)
    spec = world.spec._replace(period=1.02 * world.spec.period)
    return world._replace(market=market, spec=spec)


def forgetful(world: World) -> World:
    """Return the world in which the starting base is taken for new."""
    return world._replace(spec=world.spec._replace(tenure=Tenure("new", 0.0)))


def keener(world: World) -> World:
    """Return the world with one percent more occasions."""
    law = world.spec.rate
    more = law._replace(a=1.01 * law.a)
    return world._replace(spec=world.spec._replace(rate=more))


@pytest.mark.parametrize(
    ("builder", "change"),
    [
        pytest.param(retention_table, loyal, marks=pytest.mark.slow),
        (subscriber_value, impatient_money),
        (subscriber_value, slower_years),
        pytest.param(stationary_subscribers, forgetful, marks=pytest.mark.slow),
        (constant_hazard, loyal),
        (constant_hazard, impatient_money),
        pytest.param(purchases, steadfast, marks=pytest.mark.slow),
        pytest.param(purchases, keener, marks=pytest.mark.slow),
        pytest.param(purchasers_of_age, forgetful, marks=pytest.mark.slow),
        pytest.param(first_purchases, eager, marks=pytest.mark.slow),
    ],
)
def test_lifetimes__catch_faults(builder: Builder, change: Change) -> None:
    """A world that is wrong by a little in one thing fails at least one gate."""
    assert caught(builder, change)
