"""Worlds in which one mechanism acts alone: constants, shares of 0 and 1, κ = 0.

A world starts from records in which nothing happens at all; each check replaces what
its closed form speaks of. Populations are drawn as those of scenarios are.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from churnsim.births import first_budgets
from churnsim.engines.books import Books, open_books
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
    bonding=YEAR,
    buffer=0.0,
    betrayed_bond=0.0,
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
    """Return the books of one replication with the given population.

    It may be another replication's: first budgets are drawn for this one.
    """
    plan, n = world.plan(), len(people.arrival)
    mistake, contact = first_budgets(world.key, replication, n)
    people = people._replace(mistake=mistake, contact=contact)
    books = open_books(plan, n, log_capacity)
    n_events = run_kernel(plan, people, world.key, replication, books)
    if log_capacity and n_events > log_capacity:
        raise ValueError(f"log_capacity must hold all {n_events} events")
    return books


def certain(value: float) -> TraitLaw:
    """Return the trait that is the same for all.

    A whole number would make a column of whole numbers, and a kernel of its own for it.
    """
    return TraitLaw(TraitKind.CONSTANT, float(value))


def calling(
    n_customers: int, rate: float, agents: int, handle: Law, patience: Law = NEVER
) -> World:
    """Return customers who call at a rate while away; nothing comes of giving up."""
    return World(
        MARKET._replace(ordinary_rate=rate, patience=patience),
        POLICY._replace(agents=agents, handle=handle, mistakes=0.0),
        spec=SPEC._replace(customers=n_customers),
    )
