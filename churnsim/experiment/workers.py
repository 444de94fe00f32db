"""Who does the work: daemon threads, or processes that can be lost and replaced.

Threads come first: the kernel releases the interpreter's lock, and nothing has to be
sent anywhere. They are daemons, because a running kernel cannot be interrupted: whoever
stops a comparison is answered at once and need not wait for it.
"""

from __future__ import annotations

import multiprocessing
import queue
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import NamedTuple

import numpy as np

from churnsim.errors import ResourceError
from churnsim.experiment.failures import Failure
from churnsim.experiment.summary import Summary, summarise
from churnsim.population import population_digest
from churnsim.records import Population
from churnsim.scenario import Policy, Scenario
from churnsim.simulation import history_of, make_population, simulate

WATCH = 0.1  # how often a wait looks whether to stop [s]

Rows = tuple[Summary, ...]


class Job(NamedTuple):
    """What each replication consists of."""

    scenario: Scenario
    policies: dict[str, Policy]
    seed: int
    engine: str


class PolicyFailed(Exception):  # noqa: N818 - carries another error
    """A run failed: the policy, and what was wrong."""

    def __init__(self, policy: str, error: BaseException) -> None:
        super().__init__(policy, error)
        self.policy = policy
        self.error = error


class Results:
    """What has come in so far; used by the collecting thread alone."""

    def __init__(
        self,
        numbers: tuple[int, ...],
        progress: Callable[[int, int], None] | None,
        stop: threading.Event,
    ) -> None:
        self.numbers = numbers
        self.stop = stop
        self.finished: dict[int, Rows] = {}
        self.failures: dict[int, Failure] = {}
        self._progress = progress

    @property
    def missing(self) -> list[int]:
        """Return the replications that neither finished nor failed."""
        return [
            n for n in self.numbers if n not in self.finished and n not in self.failures
        ]

    def add(self, number: int, seed: int, result: Rows | BaseException) -> None:
        """Take in one replication's rows, or its error."""
        if isinstance(result, PolicyFailed):
            failure = Failure(number, seed, result.policy, result.error)
            self.failures[number] = failure
        elif isinstance(result, BaseException):
            self.failures[number] = Failure(number, seed, "", result)
        else:
            self.finished[number] = result
        if self._progress is not None:
            n_done = len(self.finished) + len(self.failures)
            self._progress(n_done, len(self.numbers))


def run_replication(job: Job, number: int, stop: threading.Event | None = None) -> Rows:
    """Return one replication's rows, one a policy; none if it was told to stop.

    Raises:
        PolicyFailed: A run failed.
    """
    people = make_population(job.scenario, seed=job.seed, replication=number)
    digest = population_digest(people)
    rows = []
    for name, policy in job.policies.items():
        if stop is not None and stop.is_set():
            return ()
        rows.append(_run(job, name, policy, number, people)._replace(population=digest))
    return tuple(rows)


def warm_up(job: Job) -> None:
    """Compile all that a replication calls, by running one without customers."""
    history_of(job.scenario)
    columns = np.zeros((len(Population._fields) - 1, 0))
    nobody = Population(0, *columns)
    policy = next(iter(job.policies.values()))
    simulate(job.scenario, policy, engine=job.engine, population=nobody)


def on_threads(job: Job, results: Results, n_workers: int) -> None:
    """Fill the results with `n_workers` daemon threads; return early when stopped."""
    done: queue.SimpleQueue[tuple[int, Rows | BaseException]] = queue.SimpleQueue()
    todo = iter(results.numbers)
    lock = threading.Lock()
    halt = threading.Event()  # ours, so that a caller's event stays the caller's
    is_warm = False

    def take() -> int | None:
        """Return the next replication; the first to ask compiles for all."""
        nonlocal is_warm
        with lock:
            if not is_warm:
                warm_up(job)
                is_warm = True
            return None if halt.is_set() else next(todo, None)

    def work() -> None:
        try:
            while (number := take()) is not None:
                done.put((number, _result(job, number, halt)))
        except BaseException as error:  # noqa: BLE001 - told to the collector
            done.put((-1, error))

    threads = [threading.Thread(target=work, daemon=True) for _ in range(n_workers)]
    try:
        for thread in threads:
            thread.start()
        while len(results.finished) + len(results.failures) < len(results.numbers):
            if results.stop.is_set():
                break
            try:
                number, result = done.get(timeout=WATCH)
            except queue.Empty:
                continue
            if number < 0 and isinstance(result, BaseException):
                raise result  # warming up failed, so every replication would
            if result:
                results.add(number, job.seed, result)
    except KeyboardInterrupt:
        pass  # what has finished is kept; the caller sees that some are missing
    finally:
        halt.set()


def on_processes(job: Job, results: Results, n_workers: int) -> None:
    """Fill the results with processes, started afresh and never forked.

    A process that dies takes the whole pool with it. What was lost is then run again,
    each replication in a process of its own, so that only the one that kills fails.
    """
    _in_pool(job, results, results.numbers, n_workers)
    for number in results.missing:
        if results.stop.is_set():
            return
        if not _in_pool(job, results, [number], 1):
            died = ResourceError("its process died twice, perhaps for lack of memory")
            results.add(number, job.seed, died)


def _in_pool(job: Job, results: Results, numbers: Iterable[int], size: int) -> bool:
    """Run replications in one pool of processes; return whether it survived."""
    context = multiprocessing.get_context("spawn")
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(size, mp_context=context)
    try:
        pending: dict[Future[Rows | BaseException], int] = {
            pool.submit(_result, job, number): number for number in numbers
        }
        while pending and not results.stop.is_set():
            ready, _ = wait(pending, WATCH, FIRST_COMPLETED)
            for future in ready:
                results.add(pending.pop(future), job.seed, future.result())
    except BrokenProcessPool:
        return False
    except KeyboardInterrupt:
        results.stop.set()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        if results.stop.is_set():
            for child in set(multiprocessing.active_children()) - others:
                child.terminate()
    return True


def _result(
    job: Job, number: int, stop: threading.Event | None = None
) -> Rows | BaseException:
    """Return a replication's rows, or why there are none."""
    try:
        return run_replication(job, number, stop)
    except Exception as error:  # noqa: BLE001 - one replication must not end the others
        return error


def _run(
    job: Job, name: str, policy: Policy, number: int, people: Population
) -> Summary:
    try:
        outcome = simulate(
            job.scenario,
            policy,
            seed=job.seed,
            replication=number,
            engine=job.engine,
            population=people,
        )
        return summarise(outcome, name, "")
    except Exception as error:
        raise PolicyFailed(name, error) from error
