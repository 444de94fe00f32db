"""Worlds in which one mechanism acts alone: constants, shares of 0 and 1, κ = 0.

A world starts from records in which nothing happens at all; each test replaces what its
closed form speaks of. Populations are drawn by the package itself.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from churnsim.engines.books import MICROSECONDS, Books, Event, Tally, open_books
from churnsim.engines.kernel.run import run_kernel
from churnsim.population import draw_population
from churnsim.records import (
    MICRO,
    N_KIND_COLUMNS,
    Floats,
    KindColumn,
    Market,
    Plan,
    Policy,
    Population,
    Relationship,
)
from churnsim.scenario.measures import Tenure
from churnsim.scenario.traits import PopulationSpec, TraitKind, TraitLaw
from churnsim.streams import Key, key_from_seed
from churnsim.variates import Law, constant
from tests.oracles.gates import Battery, Cdf

SECOND = 1 / 86_400
MINUTE = 1 / 1_440
WEEK = 7.0
YEAR = 365.25

NOW = constant(0.0)
NEVER = constant(math.inf)
ENDLESS = 10**9  # attempts
CROWD = 10**9  # servers, so that nobody ever waits
SURE = 800.0  # log-odds at which a share is 1 in doubles
KEY = key_from_seed(20_260_101)

FAMILY_ALPHA = 1e-4  # false alarms of all gates on the engine together
GATES_MAX = 200  # in all test files together

Change = Callable[["World"], "World"]  # a mistake made on purpose
Builder = Callable[[Battery, Change], None]  # adds gates on worlds, each changed

# Nothing goes wrong, nobody calls, and nobody would leave if it did.
MARKET = Market(
    relationship=int(Relationship.PURCHASE),
    period=YEAR,
    exit_at_renewal=0,
    mistake_probability=0.0,
    lock_in=0.0,
    stated_to_actual=0.0,
    drift=0.0,
    delight=0.0,
    spend_sensitivity=0.0,
    spend_cap=1.0,
    open_spend=0.0,
    ordinary_rate=0.0,
    ordinary_per_occasion=0.0,
    unanswered_sting=NOW,
    memory=NOW,
    double=1.0,
    disclosure=0.0,
    voice_delay=NOW,
    patience=NEVER,
    endurance=NEVER,
    return_delay=NOW,
    retry=0.0,
    hoop_sting=0.0,
    wait_sting=0.0,
    contact_sting=0.0,
    apology=0.0,
    apology_repeat=0.0,
    blame_sting=0.0,
    truth_stretch=1.0,
    excuse_believed=0.0,
    excuse_credit=0.0,
    excuse_sting=0.0,
    placated=0.0,
    discovery=0.0,
    lie_sting=0.0,
    betrayal=0.0,
    distributive=0.0,
    follow_up_credit=0.0,
    max_attempts=ENDLESS,
    told_bad=0,
    told_good=0,
    news_period=100 * YEAR,
    news_decay=0.0,
    influence=0.0,
    conversion=1.0,
    discount=0.0,
    follow_up_price=0,
    acquisition_cost=0,
)

# Whoever turns up is settled on the spot, at once and for nothing.
POLICY = Policy(
    hoops=np.zeros((0, 4)),
    voice_ease=0.0,
    notice=0.0,
    agents=CROWD,
    handle=NOW,
    supervisors=CROWD,
    approval=NOW,
    repair=NOW,
    limit=math.inf,
    leakage=0.0,
    guidelines=constant(1.0),
    truth=1.0,
    truth_or_excuse=1.0,
    fob_off=0.0,
    promise=NOW,
    contest=0.0,
    apology=0,
    compensation=0.0,
    follow_up=0.0,
    mistakes=1.0,
    manners=1.0,
)

# New purchasers with one rate of occasions, who never drop out.
SPEC = PopulationSpec(
    customers=0,
    prospects=0.0,
    tenure=Tenure("new", 0.0),
    history=0.0,
    transactions=None,
    relationship="purchase",
    period=YEAR,
    rate=TraitLaw(TraitKind.CONSTANT, 0.0),
    dropout=TraitLaw(TraitKind.CONSTANT, 0.0),
    value=TraitLaw(TraitKind.CONSTANT, 0.0),
    trust_sd=0.0,
    horizon=YEAR,
)


class Mistake(NamedTuple):
    """One kind of mistake; its columns are those of `KindColumn`."""

    sting: Law = NOW  # [log-odds]
    stake: float = 0.0  # [units of currency]
    at_fault: float = 0.0  # [-]
    voice: float = -SURE  # [log-odds]
    heard: float = 0.0  # [log-odds]
    settled: float = 0.0  # [log-odds]
    quick: float = 0.0  # [log-odds]
    tolerance: float = 0.0  # [days]
    tau: float = 0.0  # [days]

    def table(self) -> Floats:
        """Return the table of mistakes with this one row."""
        row = np.zeros((1, N_KIND_COLUMNS))
        row[0, KindColumn.CUMULATIVE] = 1.0
        row[0, KindColumn.STING_LAW : KindColumn.STING_LAW + 3] = self.sting
        stake = constant(self.stake * MICRO)
        row[0, KindColumn.STAKE_LAW : KindColumn.STAKE_LAW + 3] = stake
        row[0, KindColumn.AT_FAULT] = self.at_fault
        row[0, KindColumn.VOICE] = self.voice
        row[0, KindColumn.HEARD] = self.heard
        row[0, KindColumn.SETTLED] = self.settled
        row[0, KindColumn.QUICK] = self.quick
        row[0, KindColumn.TOLERANCE] = self.tolerance
        row[0, KindColumn.TAU] = self.tau
        return row


class World(NamedTuple):
    """All that a run needs: who behaves how, what the firm does, and for how long."""

    market: Market = MARKET
    policy: Policy = POLICY
    mistake: Mistake = Mistake()
    spec: PopulationSpec = SPEC
    key: Key = KEY

    def plan(self) -> Plan:
        """Return the engine's plan, with one month as long as the horizon."""
        horizon = self.spec.horizon
        return Plan(self.market, self.policy, self.mistake.table(), horizon, horizon, 1)

    def people(self, replication: int) -> Population:
        """Return one replication's customers and prospects."""
        return draw_population(self.spec, self.key, replication, None)


def run(world: World, replication: int = 0, log_capacity: int = 0) -> Books:
    """Return the books of one replication, its population drawn anew."""
    return run_with(world, world.people(replication), replication, log_capacity)


def run_with(
    world: World, people: Population, replication: int, log_capacity: int = 0
) -> Books:
    """Return the books of one replication with the given population."""
    plan = world.plan()
    books = open_books(plan, len(people.arrival), log_capacity)
    n_events = run_kernel(plan, people, world.key, replication, books)
    if log_capacity and n_events > log_capacity:
        raise ValueError(f"log_capacity must hold all {n_events} events")
    return books


def certain(value: float) -> TraitLaw:
    """Return the trait that is the same for all."""
    return TraitLaw(TraitKind.CONSTANT, value)


def exponential_up_to(hazard: float, end: float) -> Cdf:
    """Return P(min(T, end) ≤ t) for an exponential lifetime T, of an array of t."""

    def cdf(times: Floats) -> Floats:
        below = -np.expm1(-hazard * np.maximum(times, 0.0))
        return np.where(times < end, below, 1.0)

    return cdf


def unchanged(world: World) -> World:
    """Return the world as it is; what stands in its place makes a mistake in it."""
    return world


def calling(
    n_customers: int, rate: float, agents: int, handle: Law, patience: Law = NEVER
) -> World:
    """Return customers who call at a rate while away; nothing comes of giving up."""
    return World(
        MARKET._replace(ordinary_rate=rate, patience=patience),
        POLICY._replace(agents=agents, handle=handle, mistakes=0.0),
        spec=SPEC._replace(customers=n_customers),
    )


def engine_battery(builder: Builder, change: Change = unchanged) -> Battery:
    """Return a builder's gates, each with its share of the family's false alarms.

    Each gate errs with probability `FAMILY_ALPHA / GATES_MAX`, so that all gates on the
    engine together fail a right one with `FAMILY_ALPHA` at most, whatever the seeds.
    """
    battery = Battery()
    builder(battery, change)
    battery.family_alpha = FAMILY_ALPHA * len(battery.gates) / GATES_MAX
    return battery


def caught(builder: Builder, change: Change) -> list[str]:
    """Return the gates of a builder that fail on worlds with a mistake in them."""
    results = engine_battery(builder, change).results()
    return [name for name, result in results.items() if not result.passes]


def ratio_values(
    sums: Floats, counts: Floats, ratio: float, count_mean: float
) -> Floats:
    """Return one value a replication, whose mean is `ratio` if E[sum] = ratio·E[count].

    ratio + (sum − ratio·count)/E[count]: without the bias of a ratio of means.
    """
    return ratio + (sums - ratio * counts) / count_mean


def controlled(values: Floats, controls: Floats) -> Floats:
    """Return values with the same mean, less what controls of mean 0 explain.

    Each half is corrected by the regression on the other one, so that no value
    depends on its own coefficients and the mean stays what it is.

    Args:
        values: One a replication, shape (n,).
        controls: Of mean 0, shape (n, n_controls).

    Source:
        Lavenberg & Welch 1981 (control variates); Avramidis & Wilson 1993 (splitting).
    """
    corrected = values.copy()
    half = len(values) // 2
    early, late = slice(half), slice(half, None)
    for one, other in ((early, late), (late, early)):
        design = controls[other] - controls[other].mean(axis=0)
        slopes = np.linalg.lstsq(design, values[other], rcond=None)[0]
        corrected[one] -= controls[one] @ slopes
    return corrected


class Watch(NamedTuple):
    """How a stationary world is watched: after a warm-up, over a window."""

    replications: int
    warm_up: float  # [days]
    window: float  # [days]


class DeskCounts(NamedTuple):
    """What a desk did in the window, one value a replication; times in days."""

    joined: Floats
    waited: Floats
    handled: Floats
    abandoned: Floats
    wait_sum: Floats
    busy: Floats


def tallies(world: World, watch: Watch) -> Floats:
    """Return what was counted in the window, shape (replications, N_TALLIES).

    The difference of two runs, one that ends as the window opens and one that ends as
    it closes: every draw has an address, so up to there they are one run.
    """
    spec = world.spec._replace(horizon=watch.warm_up)
    before = world._replace(spec=spec)
    whole = world._replace(spec=spec._replace(horizon=watch.warm_up + watch.window))
    people = whole.people(0)
    rows = [
        run_with(whole, people, i).tally - run_with(before, people, i).tally
        for i in range(watch.replications)
    ]
    return np.array(rows, dtype=np.float64)


def desk_counts(counts: Floats, desk: str) -> DeskCounts:
    """Return the columns of the desk "FRONT" or "BACK" of `tallies`."""

    def column(name: str) -> Floats:
        return np.ascontiguousarray(counts[:, Tally[f"{desk}_{name}"]])

    return DeskCounts(
        column("JOINED"),
        column("WAITED"),
        column("HANDLED"),
        column("ABANDONED"),
        column("WAIT_SUM") / MICROSECONDS,
        column("BUSY") / MICROSECONDS,
    )


class Visits(NamedTuple):
    """Visits to the front desk in the order of joining, each with its end."""

    customer: NDArray[np.int64]
    joined_at: Floats  # [days]
    ended_at: Floats  # handled, or patience spent [days]
    is_handled: NDArray[np.bool_]


def front_visits(books: Books, until: float) -> Visits:
    """Return the visits that began before `until`, all of which must have ended.

    Args:
        books: With the event log of the run.
        until: So far before the horizon that nobody of then is waiting at its end.
    """
    size = int(books.log_count[0])
    events = books.log_codes[:size, 1]
    ends = (events == Event.HANDLED) | (events == Event.PATIENCE_SPENT)
    kept = np.flatnonzero(ends | (events == Event.JOINED_FRONT))
    customers = books.log_codes[kept, 0]
    order = kept[np.argsort(customers, kind="stable")]
    is_join = events[order] == Event.JOINED_FRONT
    first = np.flatnonzero(is_join[:-1] & ~is_join[1:])
    start, end = order[first], order[first + 1]
    start, end = start[np.argsort(start)], end[np.argsort(start)]
    early = books.log_times[start] < until
    start, end = start[early], end[early]
    n_joined = int(np.sum((books.log_times[kept] < until) & ~ends[kept]))
    if len(start) != n_joined:
        raise ValueError(f"all {n_joined} visits must have ended; {len(start)} have")
    return Visits(
        books.log_codes[start, 0],
        books.log_times[start],
        books.log_times[end],
        events[end] == Event.HANDLED,
    )
