"""A firm of many sites, which share nothing but its reputation (7.10).

Each site is a task of plain data: its own customers and desks, and what is told
elsewhere. First every site is run as if it stood alone. Then all sites together give
the firm's reputation, period by period, and with it the chance at which a prospect is
won. A site whose prospects would all choose under that chance as they did has nothing
to run again: what it told is what it would tell. The others are run again with what was
told elsewhere, until nobody's choice changes.

What is told in a period depends on the periods before it alone. So the first period is
right from the first pass on, and each pass makes the next one right, if it was not: as
many passes as there are periods are enough, and what they end in is the one run in
which all sites hear each other as time passes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from churnsim.engines.outcome import Outcome
from churnsim.engines.sums import Sums, sum_of
from churnsim.given import chosen, of_kind, whole_number
from churnsim.mechanisms.word_of_mouth import (
    news_decay,
    reputation_after,
    win_probability,
)
from churnsim.population import population_digest
from churnsim.records import Elsewhere, Floats, Integers, Market
from churnsim.scenario import Scenario
from churnsim.scenario.files import close_to
from churnsim.scenario.policy import Policy
from churnsim.simulation import ENGINES, REPLICATION_LIMIT, SiteTask, simulate_site
from churnsim.streams import SEED_LIMIT


class Choices(NamedTuple):
    """At which chances of being won all prospects of a site choose as they did.

    In news period k: above `low[k]`, up to `high[k]`; both of shape (n_periods,).
    """

    low: Floats
    high: Floats

    def hold(self, chances: Floats) -> bool:
        """Return whether nobody's choice changes at other chances, (n_periods,)."""
        return bool(((self.low < chances) & (chances <= self.high)).all())


class SiteRow(NamedTuple):
    """What is kept of a site's run: plain data of some kilobytes."""

    site: int
    sums: Sums
    population: str  # SHA-256 of the site's population
    digest: str  # SHA-256 of every number in its books
    tellings: Integers  # (n_periods,) bad minus good news [thousandths]
    choices: Choices
    kept: Any = None  # besides, where somebody wants more of it


class Firm(NamedTuple):
    """What all sites of a firm come to under one policy in one replication."""

    sums: Sums
    population: str  # SHA-256 of the populations of all sites
    digest: str  # SHA-256 of every number in the books of all sites
    passes: int  # how often news went round, the first one without any
    n_runs: int  # of sites, in all passes


Run = Callable[[Iterable[SiteTask]], Iterable[SiteRow]]


def run_site(task: SiteTask) -> SiteRow:
    """Return what is kept of a site's run: a function of the task alone.

    Raises:
        ResourceError: More memory would be needed than there is.
    """
    return row_of(simulate_site(task))


def row_of(outcome: Outcome, kept: object = None) -> SiteRow:
    """Return what is kept of a site's run.

    Args:
        outcome: The run.
        kept: What is wanted of it besides.
    """
    return SiteRow(
        outcome.site,
        outcome.sums,
        population_digest(outcome.population),
        outcome.digest(),
        outcome.books.tellings,
        choices_of(outcome),
        kept,
    )


def one_by_one(tasks: Iterable[SiteTask]) -> Iterator[SiteRow]:
    """Yield the rows of tasks, run one after the other."""
    return map(run_site, tasks)


def choices_of(outcome: Outcome) -> Choices:
    """Return at which chances of being won a run's prospects choose as they did."""
    people, books = outcome.population, outcome.books
    n_periods = len(books.tellings)
    low, high = np.full(n_periods, -np.inf), np.full(n_periods, np.inf)
    comes = people.arrival < outcome.horizon
    comes[: people.n_customers] = False
    u, is_won = people.choice[comes], books.is_won[comes] == 1
    period = np.floor(people.arrival[comes] / outcome.plan.market.news_period)
    place = period.astype(np.int64)
    np.maximum.at(low, place[is_won], u[is_won])
    np.minimum.at(high, place[~is_won], u[~is_won])
    return Choices(low, high)


def chances_of(market: Market, tellings: Integers, n_customers: int) -> Floats:
    """Return the chance that a prospect of each news period is won, (n_periods,).

    Args:
        market: How news spreads and acts.
        tellings: Of the whole firm, (n_periods,) [thousandths].
        n_customers: Of the whole firm at the start.
    """
    decay, reputation = news_decay(market), 0.0
    chances = np.empty(len(tellings))
    for period, told in enumerate(tellings.tolist()):
        chances[period] = win_probability(market, reputation)
        reputation = reputation_after(reputation, decay, told, n_customers)
    return chances


class Exchange:
    """The news between a firm's sites under one policy in one replication."""

    def __init__(self, n_sites: int) -> None:
        """Let every site be run once, as if it stood alone."""
        self.n_sites = n_sites
        self.n_runs = 0
        self.passes = 0
        self._rows: dict[int, SiteRow] = {}

    def take(self, row: SiteRow) -> None:
        """Take in a site's row, in place of what it had before."""
        self._rows[row.site] = row
        self.n_runs += 1

    def next_pass(self) -> dict[int, Elsewhere | None]:
        """Return the sites to run next, with what they hear; none: all is settled.

        To be asked again when all of their rows were taken in.
        """
        asked = self._astray() if self._rows else dict.fromkeys(range(self.n_sites))
        self.passes += bool(asked)
        return asked

    def rows(self) -> list[SiteRow]:
        """Return the rows of all sites by their numbers, however they came in."""
        return [self._rows[site] for site in range(self.n_sites)]

    def firm(self) -> Firm:
        """Return what the firm comes to."""
        rows = self.rows()
        return Firm(
            sum_of([row.sums for row in rows]),
            _digest_of([row.population for row in rows]),
            _digest_of([row.digest for row in rows]),
            self.passes,
            self.n_runs,
        )

    def _astray(self) -> dict[int, Elsewhere | None]:
        """Return the sites at which a prospect would choose otherwise, knowing all."""
        rows = self.rows()
        told = np.add.reduce([row.tellings for row in rows])
        n_customers = sum(row.sums.n_customers for row in rows)
        chances = chances_of(rows[0].sums.plan.market, told, n_customers)
        return {
            row.site: Elsewhere(told - row.tellings, n_customers - row.sums.n_customers)
            for row in rows
            if not row.choices.hold(chances)
        }


def simulate_firm(
    scenario: Scenario,
    policy: str | Policy,
    *,
    seed: int | None = None,
    replication: int = 0,
    engine: str = "kernel",
    run: Run = one_by_one,
) -> Firm:
    """Return what all sites of a firm come to under one policy in one replication.

    Args:
        scenario: From `load_scenario`.
        policy: A name of the scenario's, or settings mixed from several.
        seed: From 0 to 2^64 − 1; the scenario's where absent.
        replication: Its number, from 0.
        engine: "kernel", "interpreted" or "reference".
        run: Runs the tasks of a pass, on whatever machines, and returns their rows in
            any order; here one after the other, where absent.

    Raises:
        InputError: What is given cannot be: no such policy, engine, seed, replication.
        ResourceError: More memory would be needed than there is.
    """
    of_kind("scenario", scenario, Scenario, 'what load_scenario("telecom") returns')
    if not isinstance(policy, Policy):
        scenario.policy(policy)
    chosen("engine", engine, ENGINES, close_to(engine, ENGINES))
    seed = scenario.seed if seed is None else seed
    seed = whole_number("seed", seed, 0, SEED_LIMIT - 1)
    replication = whole_number("replication", replication, 0, REPLICATION_LIMIT - 1)
    exchange = Exchange(scenario.sites)
    while asked := exchange.next_pass():
        tasks = (
            SiteTask(scenario, policy, seed, replication, site, engine, elsewhere)
            for site, elsewhere in asked.items()
        )
        for row in run(tasks):
            exchange.take(row)
    return exchange.firm()


def _digest_of(digests: list[str]) -> str:
    """Return the digest of all sites: a single one's own."""
    if len(digests) == 1:
        return digests[0]
    return hashlib.sha256("\n".join(digests).encode("ascii")).hexdigest()
