"""Policies times replications, on threads or processes.

A unit of work is one replication: its population is drawn once and run under each
policy. Every random number has an address, so neither the number of workers nor the
order in which they finish can change a bit of the results.
"""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, NamedTuple

from churnsim.errors import InterruptedRun
from churnsim.experiment.failures import Failure
from churnsim.experiment.intervals import ANYWHERE, Estimate, Range, estimate
from churnsim.experiment.posterior.components import drawn_estimate
from churnsim.experiment.posterior.record import Lots
from churnsim.experiment.posterior.uncertain import Uncertain
from churnsim.experiment.schedule import Cluster, Results, Row, SitesDone, Telling
from churnsim.experiment.summary import Summary, Value, firm_summary, summaries
from churnsim.experiment.workers import Job, on_processes, on_threads
from churnsim.given import chosen, names, of_kind, refused, whole_number
from churnsim.memory import check_memory, fitting_workers, need_of
from churnsim.scenario import Policy, Scenario
from churnsim.scenario.files import close_to
from churnsim.scenario.model import FLAWLESS
from churnsim.simulation import ENGINES, REPLICATION_LIMIT, require_one_site
from churnsim.streams import SEED_LIMIT

REPLICATIONS_MAX = 1_000_000
WORKERS_MAX = 1024

Policies = Sequence[str] | Mapping[str, str | Policy]
Sites = Callable[[SitesDone], None]
Within = Callable[[float], None]  # the share of a replication that is done
Progress = Callable[[int, int], None]  # replications done, of how many; 0: not known


class Execution(NamedTuple):
    """How replications are run; none of it changes a result."""

    engine: str = "kernel"  # "kernel", "interpreted" or "reference"
    threads: int | None = None  # None: one a core, as far as memory allows
    processes: int | None = None  # instead of threads
    progress: Progress | None = None
    stop: threading.Event | None = None  # set it, and finished replications are kept
    sites: Sites | None = None  # is told how far a replication of many sites has come
    cluster: Cluster | None = (
        None  # instead of threads; `churnsim.sweep.cluster.joined`
    )
    within: Within | None = None  # is told how far the first one under way has come


THREADS = Execution()  # the kernel on a thread for each core


class Batch(NamedTuple, Generic[Row]):
    """What a job's replications gave, in the order in which they were asked for."""

    rows: dict[int, tuple[Row, ...]]  # of each that finished, by its number
    asked: tuple[int, ...]
    failures: tuple[Failure, ...]
    is_stopped: bool


class Replications(NamedTuple):
    """The rows of all finished replications, in order."""

    policies: tuple[str, ...]
    runs: tuple[Summary, ...]  # by replication, then in the order of `policies`
    asked: tuple[int, ...]  # numbers of the replications
    failures: tuple[Failure, ...]
    is_stopped: bool
    lots: Lots | None = None  # which draw each is run under; None: nothing is drawn

    @property
    def finished(self) -> tuple[int, ...]:
        """Return the numbers of the replications that finished under every policy."""
        return tuple(run.replication for run in self.runs[:: len(self.policies)])

    def of(self, policy: str) -> tuple[Summary, ...]:
        """Return the rows of one policy, by replication."""
        return self.runs[self.policies.index(policy) :: len(self.policies)]

    @property
    def draws(self) -> tuple[int, ...]:
        """Return the draw of each replication that finished; none where nothing is."""
        if self.lots is None:
            return ()
        return tuple(self.lots.draw(number) for number in self.finished)

    def estimate(
        self, values: Sequence[Value | int], within: Range = ANYWHERE
    ) -> Estimate:
        """Return the mean and its 95 % interval; with draws, ignorance is in it.

        Args:
            values: One of each replication that finished; None where it has no data.
            within: The range that all values are in by their nature.
        """
        if self.lots is None:
            return estimate(values, within)
        return drawn_estimate(values, self.draws, within)


def run_replications(
    scenario: Scenario,
    policies: Policies,
    *,
    replications: int | Sequence[int] | None = None,
    seed: int | None = None,
    execution: Execution = THREADS,
    uncertain: Uncertain | None = None,
) -> Replications:
    """Return the results of policies × replications; flawless is always among them.

    Args:
        scenario: What is simulated.
        policies: Names of the scenario's, or names of one's own with their settings.
        replications: How many, or their numbers; the scenario's where absent.
        seed: The scenario's where absent.
        execution: Engine, threads, progress, a way to stop.
        uncertain: Of the scenario: each replication is run under one of its draws, and
            each policy by its name.

    Raises:
        InputError: A policy, an engine or a number that there cannot be, or a draw.
        ResourceError: More memory would be needed than there is.
        InterruptedRun: Stopped before any replication was finished.
        ChurnsimError: Every replication failed; this is the first one's error.
    """
    checked_execution(execution)
    named = _named(scenario, policies)
    seed = checked_seed(scenario, seed)
    job = Job(scenario, named, seed, execution.engine, summaries, of_firm=firm_summary)
    if uncertain is not None:
        numbers = numbers_of(scenario, replications)
        job = job._replace(drawn=uncertain.scenarios(numbers))
    batch = run_job(job, replications, execution)
    return Replications(
        policies=tuple(named),
        runs=tuple(row for rows in batch.rows.values() for row in rows),
        asked=batch.asked,
        failures=batch.failures,
        is_stopped=batch.is_stopped,
        lots=uncertain.lots if uncertain else None,
    )


def run_job(
    job: Job[Row],
    replications: int | Sequence[int] | None,
    execution: Execution = THREADS,
    bytes_per_person: int = 0,
) -> Batch[Row]:
    """Return what is kept of a job's replications, and which of them failed.

    Args:
        job: What is simulated, and what is kept of each run.
        replications: How many, or their numbers; the scenario's where absent.
        execution: Engine, threads, progress, a way to stop.
        bytes_per_person: What the job keeps beside its rows, whatever their number.

    Raises:
        InputError: An engine or a number that there cannot be.
        ResourceError: More memory would be needed than there is.
        InterruptedRun: Stopped before any replication was finished.
        ChurnsimError: Every replication failed; this is the first one's error.
    """
    checked_execution(execution)
    if job.of_firm is None and job.of_rows is None:
        require_one_site(job.scenario, "single customers")
    numbers = numbers_of(job.scenario, replications)
    n_workers = _workers(job, execution, len(numbers), bytes_per_person)
    stop = execution.stop or threading.Event()
    telling = Telling(execution.progress, execution.sites, execution.within)
    results: Results[Row] = Results(numbers, telling, stop)
    if execution.cluster is not None:
        execution.cluster.run_job(job, results)
    else:
        run = on_threads if execution.processes is None else on_processes
        run(job, results, n_workers)
    # One that finished after another that was cut off is left out, so that asking for
    # as many replications as there are gives the same ones.
    missing = set(results.missing)
    kept = tuple(itertools.takewhile(lambda n: n not in missing, numbers))
    failures = tuple(results.failures[n] for n in kept if n in results.failures)
    rows = {n: results.finished[n] for n in kept if n in results.finished}
    if not rows:
        _raise_nothing(failures)
    return Batch(rows, numbers, failures, is_stopped=len(kept) < len(numbers))


def checked_execution(how: Execution) -> Execution:
    """Return a way to run replications that there can be; how many is asked later.

    Raises:
        InputError: It is none, or an engine, a progress or a way to stop is none.
    """
    of_kind("execution", how, Execution, "an Execution, such as Execution(threads=2)")
    chosen("engine", how.engine, ENGINES, close_to(how.engine, ENGINES))
    progress: object = how.progress
    if progress is not None and not callable(progress):
        rule = "must be a function of how many are done, of how many"
        raise refused("progress", progress, rule)
    sites: object = how.sites
    if sites is not None and not callable(sites):
        raise refused("sites", sites, "must be a function of a SitesDone")
    within: object = how.within
    if within is not None and not callable(within):
        raise refused("within", within, "must be a function of a share")
    cluster: object = how.cluster
    if cluster is not None and not callable(getattr(cluster, "run_job", None)):
        rule = "must be what joined of churnsim.sweep.cluster yields"
        raise refused("cluster", cluster, rule)
    if how.stop is not None:
        of_kind("stop", how.stop, threading.Event, "a threading.Event")
    return how


def checked_seed(scenario: Scenario, seed: int | None) -> int:
    """Return a seed that there can be; the scenario's where absent.

    Raises:
        InputError: It is not a whole number from 0 to 2^64 − 1.
    """
    return whole_number(
        "seed", scenario.seed if seed is None else seed, 0, SEED_LIMIT - 1
    )


def numbers_of(
    scenario: Scenario, replications: int | Sequence[int] | None
) -> tuple[int, ...]:
    """Return the numbers of the replications to run.

    Args:
        scenario: Says how many where nothing else does.
        replications: How many, or their numbers; the scenario's where absent.

    Raises:
        InputError: Numbers that there cannot be, or none, or one twice.
    """
    given: object = scenario.replications if replications is None else replications
    if isinstance(given, str) or not isinstance(given, Sequence):
        return tuple(range(whole_number("replications", given, 1, REPLICATIONS_MAX)))
    n = len(given)
    if not 1 <= n <= REPLICATIONS_MAX:
        rule = f"must be from 1 to {REPLICATIONS_MAX} numbers, or how many"
        raise refused("replications", f"a list of {n}", rule)
    numbers = tuple(
        whole_number("replications", number, 0, REPLICATION_LIMIT - 1)
        for number in given
    )
    if len(set(numbers)) < n:
        raise refused("replications", list(numbers), "must be different numbers")
    return numbers


def available_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _named(scenario: Scenario, policies: Policies) -> dict[str, Policy]:
    """Return the settings of each policy, and of flawless."""
    given: Mapping[str, str | Policy] = (
        policies
        if isinstance(policies, Mapping)
        else {name: name for name in names("policies", policies)}
    )
    named = {
        name: value if isinstance(value, Policy) else scenario.policy(value)
        for name, value in given.items()
    }
    named.setdefault(FLAWLESS, scenario.policy(FLAWLESS))
    return named


def _workers(job: Job[Row], how: Execution, n_units: int, extra: int) -> int:
    """Return how many replications to run at once, within memory.

    Raises:
        ResourceError: Even as asked for, it would need more than there is.
    """
    asked = how.threads if how.processes is None else how.processes
    field = "threads" if how.processes is None else "processes"
    cores = available_cores() if asked is None else 0
    wanted = cores if asked is None else whole_number(field, asked, 1, WORKERS_MAX)
    is_by_site = how.processes is None  # a process has whole replications
    wanted = min(wanted, n_units * (job.scenario.sites if is_by_site else 1))
    need = need_of(
        job.scenario,
        how.engine,
        n_units * len(job.policies),
        wanted,
        n_policies=len(job.policies),
        are_processes=how.processes is not None,
    )
    need = need._replace(kept=need.kept + extra * need.n_people)
    if how.cluster is not None:  # people are there, what is kept of them comes here
        need = need._replace(per_worker=0, n_workers=1)
    if asked is None:
        need = need._replace(n_workers=fitting_workers(need, wanted))
    check_memory(need)
    return need.n_workers


def _raise_nothing(failures: Sequence[Failure]) -> None:
    """Raise why there is no result at all."""
    if not failures:
        raise InterruptedRun("stopped before the first replication was finished")
    raise failures[0].error
