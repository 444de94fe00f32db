"""One door to both engines: a scenario, a policy, a seed and a replication."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import replace

from churnsim.engines.books import Books, open_books
from churnsim.engines.kernel.run import run_interpreted, run_kernel
from churnsim.engines.outcome import Outcome, Rates, totals_of
from churnsim.engines.reference.run import run_reference
from churnsim.errors import InputError, Problem
from churnsim.fit import PosteriorTraits
from churnsim.mechanisms.hours import (
    WEEK,
    Hours,
    back_hours,
    front_hours,
    staffed_time,
)
from churnsim.population import draw_population, read_history
from churnsim.records import Plan, Population
from churnsim.scenario import Scenario
from churnsim.scenario.policy import Policy
from churnsim.scenario.traits import PopulationSpec
from churnsim.streams import STREAM_VERSION, Key, key_from_seed

Engine = Callable[[Plan, Population, Key, int, Books], int]
ENGINES: dict[str, Engine] = {
    "kernel": run_kernel,
    "interpreted": run_interpreted,
    "reference": run_reference,
}


@functools.lru_cache(maxsize=4)
def _history(spec: PopulationSpec, log_digest: str) -> PosteriorTraits | None:
    del log_digest  # part of the key: a log that changed is read again
    return read_history(spec)


def history_of(scenario: Scenario) -> PosteriorTraits | None:
    """Return the posterior of the customers of the scenario's log, if it has one."""
    return _history(scenario.population, scenario.log_digest)


def make_population(
    scenario: Scenario, *, seed: int | None = None, replication: int = 0
) -> Population:
    """Return one replication's customers: the same for every policy.

    Args:
        scenario: What they are drawn from.
        seed: From 0 to 2^64 − 1; the scenario's where absent.
        replication: Its number, from 0.
    """
    key = key_from_seed(scenario.seed if seed is None else seed)
    return draw_population(scenario.population, key, replication, history_of(scenario))


def rates_of(scenario: Scenario, policy: str | Policy, plan: Plan) -> Rates:
    """Return what the firm pays per day under a policy [micro-units].

    Wages are paid for the time on duty, over the week; training for every seat.
    """
    costs, own = scenario.costs, scenario.policy_costs(policy)
    front, back = front_hours(plan), back_hours(plan)
    wages = daily_wages(front, costs.agent_pay)
    wages += daily_wages(back, costs.supervisor_pay)
    return Rates(
        margin=costs.margin,
        wages=wages,
        training=front.n_seats * own.training,
        prevention=own.prevention,
        seat=costs.agent_pay,
    )


def daily_wages(hours: Hours, pay: int) -> int:
    """Return what a desk's seats cost per day at so much a seat and day, half up."""
    if not len(hours.roster):
        return hours.n_servers * pay
    week = staffed_time(hours._replace(into_week=0.0), WEEK)
    return math.floor(week * pay / WEEK + 0.5)


def simulate(
    scenario: Scenario,
    policy: str | Policy,
    *,
    seed: int | None = None,
    replication: int = 0,
    engine: str = "kernel",
    population: Population | None = None,
) -> Outcome:
    """Return the outcome of one policy in one replication.

    The same arguments give the same bits, whatever the engine.

    Args:
        scenario: From `load_scenario`.
        policy: A name of the scenario's, or settings mixed from several.
        seed: From 0 to 2^64 − 1; the scenario's where absent.
        replication: Its number, from 0.
        engine: "kernel" (compiled), "interpreted" (the same source in CPython) or
            "reference" (SimPy).
        population: The replication's own, if it is at hand: saves drawing it again.

    Raises:
        InputError: No such policy or engine.
    """
    if engine not in ENGINES:
        rule = f"must be one of {', '.join(ENGINES)}"
        raise InputError(Problem(rule, field="engine", value=engine))
    seed = scenario.seed if seed is None else seed
    key = key_from_seed(seed)
    if population is None:
        population = make_population(scenario, seed=seed, replication=replication)
    plan = scenario.plan(policy, population.n_customers)
    books = open_books(plan, len(population.arrival), 0)
    ENGINES[engine](plan, population, key, replication, books)
    return Outcome(
        scenario.name,
        scenario.digest,
        policy if isinstance(policy, str) else policy.title or "custom",
        seed,
        replication,
        engine,
        STREAM_VERSION,
        scenario.currency,
        plan,
        population,
        books,
        totals_of(books, plan, rates_of(scenario, policy, plan)),
    )


def with_events(outcome: Outcome) -> Outcome:
    """Return the same outcome with its event log.

    A run is a function of its arguments, so it is made again, with a log of the size
    that the first run counted.
    """
    plan, people = outcome.plan, outcome.population
    n_events = int(outcome.books.log_count[0])
    books = open_books(plan, len(people.arrival), n_events)
    key = key_from_seed(outcome.seed)
    ENGINES[outcome.engine](plan, people, key, outcome.replication, books)
    return replace(outcome, books=books)
