"""One door to both engines: a scenario, a policy, a seed, a replication, a site."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from churnsim.engines.books import Books, open_books
from churnsim.engines.kernel.run import run_interpreted, run_kernel
from churnsim.engines.outcome import Outcome, Rates, totals_of
from churnsim.engines.reference.run import run_reference
from churnsim.engines.watch import part_of_watch, tell_watch
from churnsim.given import chosen, of_kind, refused, whole_number
from churnsim.mechanisms.hours import (
    WEEK,
    Hours,
    back_hours,
    front_hours,
    message_hours,
    staffed_time,
)
from churnsim.memory import check_run
from churnsim.population import draw_population, history_of
from churnsim.records import Elsewhere, Plan, Population
from churnsim.scenario import Scenario
from churnsim.scenario.files import close_to
from churnsim.scenario.policy import Policy
from churnsim.streams import SEED_LIMIT, STREAM_VERSION, Key, key_from_seed

Engine = Callable[[Plan, Population, Key, int, Books, Elsewhere | None], int]
ENGINES: dict[str, Engine] = {
    "kernel": run_kernel,
    "interpreted": run_interpreted,
    "reference": run_reference,
}
DRAWING = 0.4  # what drawing customers takes of a policy's run, about
REPLICATION_LIMIT = 2**32


class SiteTask(NamedTuple):
    """One site's run under one policy: plain data, which can be sent anywhere."""

    scenario: Scenario
    policy: str | Policy
    seed: int
    replication: int
    site: int = 0
    engine: str = "kernel"
    elsewhere: Elsewhere | None = None  # what the firm's other sites tell


def make_population(
    scenario: Scenario,
    *,
    seed: int | None = None,
    replication: int = 0,
    site: int = 0,
) -> Population:
    """Return one replication's customers at a site: the same for every policy.

    Whoever watches the thread is told which share of them is drawn.

    Args:
        scenario: What they are drawn from.
        seed: From 0 to 2^64 − 1; the scenario's where absent.
        replication: Its number, from 0.
        site: Its number, from 0.

    Raises:
        ResourceError: More memory would be needed than there is.
    """
    check_run(scenario, "kernel")
    key = key_from_seed(scenario.seed if seed is None else seed, site)
    history = history_of(scenario)
    return draw_population(scenario.population, key, replication, history, tell_watch)


def rates_of(scenario: Scenario, policy: str | Policy, plan: Plan) -> Rates:
    """Return what the firm pays per day under a policy [micro-units].

    Wages are paid for the time on duty, over the week; training for every seat.
    """
    costs, own = scenario.costs, scenario.policy_costs(policy)
    front, messages = front_hours(plan), message_hours(plan)
    wages = daily_wages(front, costs.agent_pay)
    wages += daily_wages(messages, costs.agent_pay)
    wages += daily_wages(back_hours(plan), costs.supervisor_pay)
    return Rates(
        margin=costs.margin,
        wages=wages,
        training=(front.n_seats + messages.n_seats) * own.training,
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
    """Return the outcome of one policy in one replication of a firm with one site.

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
        InputError: What is given cannot be: no such policy, engine, seed, replication;
            or the firm has several sites.
        ResourceError: More memory would be needed than there is.
    """
    of_kind("scenario", scenario, Scenario, 'what load_scenario("telecom") returns')
    if not isinstance(policy, Policy):
        scenario.policy(policy)
    chosen("engine", engine, ENGINES, close_to(engine, ENGINES))
    seed = scenario.seed if seed is None else seed
    seed = whole_number("seed", seed, 0, SEED_LIMIT - 1)
    replication = whole_number("replication", replication, 0, REPLICATION_LIMIT - 1)
    require_one_site(
        scenario, "one outcome", "`simulate_firm` of churnsim.firm runs them all"
    )
    if population is not None:
        of_kind("population", population, Population, "what make_population returns")
    task = SiteTask(scenario, policy, seed, replication, engine=engine)
    return simulate_site(task, population)


def simulate_site(task: SiteTask, population: Population | None = None) -> Outcome:
    """Return the outcome of one site: a function of the task alone.

    Args:
        task: What to run; its policy, engine and numbers can be.
        population: The site's own, if it is at hand: saves drawing it again.

    Raises:
        ResourceError: More memory would be needed than there is.
    """
    scenario, replication = task.scenario, task.replication
    if population is None:
        check_run(scenario, task.engine)
        share = DRAWING / (DRAWING + 1.0)
        with part_of_watch(0.0, share):
            population = make_population(
                scenario, seed=task.seed, replication=replication, site=task.site
            )
        with part_of_watch(share, 1.0 - share):
            return simulate_site(task, population)
    plan = scenario.plan(task.policy, population.n_customers)
    return outcome_of(task, plan, population, scenario.digest)


def outcome_of(
    task: SiteTask, plan: Plan, population: Population, digest: str = ""
) -> Outcome:
    """Return the outcome of a site whose policy is compiled and customers are drawn.

    Args:
        task: What to run; what is given is not checked.
        plan: Its policy, compiled.
        population: The site's.
        digest: Of the scenario. Where nobody sees it, it is left out: it takes as long
            to make as some thousand events.
    """
    scenario, policy, seed, replication, site, engine, elsewhere = task
    books = open_books(plan, len(population.arrival), 0)
    key = key_from_seed(seed, site)
    ENGINES[engine](plan, population, key, replication, books, elsewhere)
    return Outcome(
        scenario.name,
        digest,
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
        site,
        elsewhere,
    )


def require_one_site(scenario: Scenario, what: str, hint: str = "") -> None:
    """Refuse a firm of several sites.

    Args:
        scenario: What is to be simulated.
        what: What cannot be told of several sites.
        hint: The cure.

    Raises:
        InputError: The firm has several.
    """
    if scenario.sites > 1:
        rule = f"must be 1: {what} cannot be told of several sites"
        raise refused("sites", scenario.sites, rule, hint)


def with_events(outcome: Outcome) -> Outcome:
    """Return the same outcome with its event log.

    A run is a function of its arguments, so it is made again, with a log of the size
    that the first run counted.
    """
    plan, people = outcome.plan, outcome.population
    n_events = int(outcome.books.log_count[0])
    books = open_books(plan, len(people.arrival), n_events)
    key = key_from_seed(outcome.seed, outcome.site)
    run = ENGINES[outcome.engine]
    run(plan, people, key, outcome.replication, books, outcome.elsewhere)
    return replace(outcome, books=books)
