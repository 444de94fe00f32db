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

from churnsim.errors import InputError, InterruptedRun, Problem
from churnsim.experiment.failures import Failure
from churnsim.experiment.memory import check_memory, fitting_workers, need_of
from churnsim.experiment.summary import Summary, summaries
from churnsim.experiment.workers import Job, Results, Row, on_processes, on_threads
from churnsim.scenario import Policy, Scenario
from churnsim.scenario.model import FLAWLESS
from churnsim.simulation import ENGINES
from churnsim.streams import SEED_LIMIT

REPLICATIONS_MAX = 1_000_000
WORKERS_MAX = 1024

Policies = Sequence[str] | Mapping[str, str | Policy]
Progress = Callable[[int, int], None]  # replications done, of how many; 0: not known


class Execution(NamedTuple):
    """How replications are run; none of it changes a result."""

    engine: str = "kernel"  # "kernel", "interpreted" or "reference"
    threads: int | None = None  # None: one a core, as far as memory allows
    processes: int | None = None  # instead of threads
    progress: Progress | None = None
    stop: threading.Event | None = None  # set it, and finished replications are kept


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

    @property
    def finished(self) -> tuple[int, ...]:
        """Return the numbers of the replications that finished under every policy."""
        return tuple(run.replication for run in self.runs[:: len(self.policies)])

    def of(self, policy: str) -> tuple[Summary, ...]:
        """Return the rows of one policy, by replication."""
        return self.runs[self.policies.index(policy) :: len(self.policies)]


def run_replications(
    scenario: Scenario,
    policies: Policies,
    *,
    replications: int | Sequence[int] | None = None,
    seed: int | None = None,
    execution: Execution = THREADS,
) -> Replications:
    """Return the results of policies × replications; flawless is always among them.

    Args:
        scenario: What is simulated.
        policies: Names of the scenario's, or names of one's own with their settings.
        replications: How many, or their numbers; the scenario's where absent.
        seed: The scenario's where absent.
        execution: Engine, threads, progress, a way to stop.

    Raises:
        InputError: A policy, an engine or a number that there cannot be.
        ResourceError: More memory would be needed than there is.
        InterruptedRun: Stopped before any replication was finished.
        ChurnsimError: Every replication failed; this is the first one's error.
    """
    named = _named(scenario, policies)
    seed = checked_seed(scenario, seed)
    job = Job(scenario, named, seed, execution.engine, summaries)
    batch = run_job(job, replications, execution)
    return Replications(
        policies=tuple(named),
        runs=tuple(row for rows in batch.rows.values() for row in rows),
        asked=batch.asked,
        failures=batch.failures,
        is_stopped=batch.is_stopped,
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
    numbers = _numbers(job.scenario, replications)
    if execution.engine not in ENGINES:
        rule = f"must be one of {', '.join(ENGINES)}"
        raise InputError(Problem(rule, field="engine", value=execution.engine))
    n_workers = _workers(job, execution, len(numbers), bytes_per_person)
    stop = execution.stop or threading.Event()
    results: Results[Row] = Results(numbers, execution.progress, stop)
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


def checked_seed(scenario: Scenario, seed: int | None) -> int:
    """Return a seed that there can be; the scenario's where absent.

    Raises:
        InputError: It is not a whole number from 0 to 2^64 − 1.
    """
    return checked_number(
        "seed", scenario.seed if seed is None else seed, 0, SEED_LIMIT - 1
    )


def checked_number(field: str, value: object, low: int, high: int) -> int:
    """Return a whole number that is within its bounds.

    Raises:
        InputError: It is not.
    """
    if not isinstance(value, int) or isinstance(value, bool):
        raise InputError(Problem("must be a whole number", field=field, value=value))
    if not low <= value <= high:
        rule = f"must be from {low} to {high}"
        raise InputError(Problem(rule, field=field, value=value))
    return value


def available_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _named(scenario: Scenario, policies: Policies) -> dict[str, Policy]:
    """Return the settings of each policy, and of flawless."""
    given: Mapping[str, str | Policy] = (
        policies if isinstance(policies, Mapping) else {name: name for name in policies}
    )
    named = {
        name: scenario.policy(value) if isinstance(value, str) else value
        for name, value in given.items()
    }
    named.setdefault(FLAWLESS, scenario.policy(FLAWLESS))
    return named


def _numbers(
    scenario: Scenario, replications: int | Sequence[int] | None
) -> tuple[int, ...]:
    """Return the numbers of the replications to run."""
    if replications is None:
        replications = scenario.replications
    if isinstance(replications, int):
        n = checked_number("replications", replications, 1, REPLICATIONS_MAX)
        return tuple(range(n))
    if not replications or len(set(replications)) < len(replications):
        rule = "must be one number or several different ones"
        raise InputError(Problem(rule, field="replications", value=list(replications)))
    return tuple(
        checked_number("replications", number, 0, 2**32 - 1) for number in replications
    )


def _workers(job: Job[Row], how: Execution, n_units: int, extra: int) -> int:
    """Return how many replications to run at once, within memory.

    Raises:
        ResourceError: Even as asked for, it would need more than there is.
    """
    asked = how.threads if how.processes is None else how.processes
    field = "threads" if how.processes is None else "processes"
    cores = available_cores() if asked is None else 0
    wanted = cores if asked is None else checked_number(field, asked, 1, WORKERS_MAX)
    wanted = min(wanted, n_units)
    need = need_of(
        job.scenario,
        how.engine,
        n_units * len(job.policies),
        wanted,
        are_processes=how.processes is not None,
    )
    need = need._replace(kept=need.kept + extra * need.n_people)
    if asked is None:
        need = need._replace(n_workers=fitting_workers(need, wanted))
    check_memory(need)
    return need.n_workers


def _raise_nothing(failures: Sequence[Failure]) -> None:
    """Raise why there is no result at all."""
    if not failures:
        raise InterruptedRun("stopped before the first replication was finished")
    raise failures[0].error
