"""Who does the work: daemon threads, or processes that can be lost and replaced.

Threads come first: the kernel releases the interpreter's lock, and nothing has to be
sent anywhere. They are daemons, so that whoever stops a comparison is answered at once
and need not wait for a run, which looks between two slices whether it is to end.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import queue
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Generic, NamedTuple

from churnsim.engines.outcome import Outcome
from churnsim.engines.watch import Watch, part_of_watch, watched
from churnsim.errors import InterruptedRun, ResourceError
from churnsim.experiment.rounds import Errand, Rounds
from churnsim.experiment.schedule import (
    PolicyFailed,
    Results,
    Row,
    Schedule,
    Work,
    firm_rows,
)
from churnsim.firm import Firm, SiteRow, row_of
from churnsim.jit import uncollected
from churnsim.population import draw_population, history_of
from churnsim.records import Population
from churnsim.scenario import Policy, Scenario
from churnsim.simulation import (
    DRAWING,
    SiteTask,
    make_population,
    simulate,
    simulate_site,
)
from churnsim.streams import key_from_seed

# How often a wait looks whether to stop [s]. Not on a SimpleQueue: where a signal takes
# longer than what is left of the wait, that waits without end (seen in Python 3.11).
WATCH = 0.1

Keep = Callable[[str, Outcome], Row]  # what is kept of a policy's run


class Job(NamedTuple, Generic[Row]):
    """What each replication consists of, and what is kept of it."""

    scenario: Scenario
    policies: dict[str, Policy]
    seed: int
    engine: str
    keeping: Callable[[Population], Keep[Row]]  # called once a replication
    # By policy, where it is run in another scenario, on the same customers.
    elsewhere: Mapping[str, Scenario] | None = None
    # Of a firm of several sites either the row of all together (policy, replication,
    # firm), or that from the rows which its sites kept. Neither: it must have one site.
    of_firm: Callable[[str, int, Firm], Row] | None = None
    of_rows: Callable[[Sequence[Row]], Row] | None = None
    # By replication, where each is run in a scenario of its own, policies too.
    drawn: Mapping[int, Scenario] | None = None

    def at(self, number: int) -> Job[Row]:
        """Return the job as a replication does it: in the scenario drawn for it."""
        if self.drawn is None:
            return self
        scenario = self.drawn[number]
        policies = {name: scenario.policy(name) for name in self.policies}
        return self._replace(scenario=scenario, policies=policies, drawn=None)


class Gauge:
    """How far the replications under way have come; filled by the workers."""

    def __init__(self, telling: Callable[[float], None] | None) -> None:
        """Begin with none under way.

        Args:
            telling: Is told the share of the first that is under way.
        """
        self._telling = telling
        self._shares: dict[int, float] = {}

    def watch(self, number: int, *stops: threading.Event | None) -> Watch:
        """Return a watch over one: notes its share, and ends it once told to stop.

        Args:
            number: Of the replication, or of what else is done.
            stops: Any of them, set, ends it.
        """

        def watch(share: float) -> None:
            for stop in stops:
                _raise_stopped(stop)
            self._shares[number] = share

        return watch

    def drop(self, number: int) -> None:
        """Forget a replication: it is over."""
        self._shares.pop(number, None)

    def tell(self) -> None:
        """Tell of the first that is under way; called by the collecting thread."""
        shares = self._shares.copy()
        if self._telling is not None and shares:
            self._telling(shares[min(shares)])


def run_replication(
    job: Job[Row],
    number: int,
    stop: threading.Event | None = None,
    gauge: Gauge | None = None,
) -> tuple[Row, ...]:
    """Return one replication's rows, one a policy; of a firm, site after site.

    Told to stop, it leaves the rest out; nobody waits for its rows then.

    Raises:
        PolicyFailed: A run failed.
    """
    if job.scenario.sites > 1:
        return _in_rounds(job, number, stop)
    each = 1.0 / (DRAWING + len(job.policies))
    rows: list[Row] = []
    with watched((gauge or Gauge(None)).watch(number, stop)):
        with part_of_watch(0.0, DRAWING * each):
            people = make_population(job.scenario, seed=job.seed, replication=number)
        keep = job.keeping(people)
        for name, policy in job.policies.items():
            if stop is not None and stop.is_set():
                break
            with part_of_watch((DRAWING + len(rows)) * each, each):
                rows.append(_run(job, name, policy, number, people, keep))
    return tuple(rows)


def run_errand(
    job: Job[Row], errand: Errand, stop: threading.Event | None = None
) -> dict[str, SiteRow]:
    """Return one site's rows by policy; told to stop, it leaves the rest out.

    Raises:
        PolicyFailed: A run failed.
    """
    number, site, heard = errand
    with watched(lambda _: _raise_stopped(stop)):
        people = make_population(
            job.scenario, seed=job.seed, replication=number, site=site
        )
    keep = job.keeping(people) if job.of_rows is not None else None
    rows = {}
    for name, elsewhere in heard.items():
        if stop is not None and stop.is_set():
            break
        scenario = (job.elsewhere or {}).get(name, job.scenario)
        policy = job.policies[name]
        task = SiteTask(scenario, policy, job.seed, number, site, job.engine, elsewhere)
        try:
            with watched(lambda _: _raise_stopped(stop)):
                outcome = simulate_site(task, people)
            rows[name] = row_of(outcome, keep(name, outcome) if keep else None)
        except Exception as error:
            raise PolicyFailed(name, error) from error
    return rows


def warm_up(job: Job[Row]) -> None:
    """Compile all that a replication calls, by running one without customers."""
    history_of(job.scenario)
    spec = job.scenario.population._replace(customers=0, prospects=0.0)
    nobody = draw_population(spec, key_from_seed(job.seed), 0, None)
    policy = next(iter(job.policies.values()))
    simulate_site(SiteTask(job.scenario, policy, 0, 0, engine=job.engine), nobody)


def on_threads(job: Job[Row], results: Results[Row], n_workers: int) -> None:
    """Fill the results with `n_workers` daemon threads; return early when stopped."""
    done: queue.Queue[tuple[Work, Any]] = queue.Queue()
    todo: queue.Queue[Work] = queue.Queue()
    # Whole replications are handed out at once; those that go site by site are begun
    # one by one, since each keeps what its sites told.
    n_ahead = n_workers if job.scenario.sites > 1 else len(results.numbers)
    schedule = Schedule(job, results, n_ahead)
    gauge = Gauge(results.telling.within)
    halt = threading.Event()  # ours, so that a caller's event stays the caller's

    def work() -> None:
        while not halt.is_set():
            with contextlib.suppress(queue.Empty):
                next_one = todo.get(timeout=WATCH)
                done.put((next_one, result_of(job, next_one, halt, gauge)))
                gauge.drop(next_one.number)

    try:
        if not _is_warm(job, results):
            return
        for _ in range(n_workers):
            threading.Thread(target=work, daemon=True).start()
        while not results.is_complete and not results.stop.is_set():
            for next_one in schedule.next_works():
                todo.put(next_one)
            with contextlib.suppress(queue.Empty):
                schedule.take(*done.get(timeout=WATCH))
            gauge.tell()
    except KeyboardInterrupt:
        results.stop.set()  # what has finished is kept
    finally:
        halt.set()


def on_processes(job: Job[Row], results: Results[Row], n_workers: int) -> None:
    """Fill the results with processes, started afresh and never forked.

    A process that dies takes the whole pool with it. What was lost is then run again,
    each replication in a process of its own, so that only the one that kills fails.
    """
    try:
        if not _is_warm(job, results):
            return
        _in_pool(job, results, results.numbers, n_workers)
        _rescue(job, results)
    except KeyboardInterrupt:
        results.stop.set()


def _rescue(job: Job[Row], results: Results[Row]) -> None:
    """Run what a broken pool lost, each replication by itself."""
    for number in results.missing:
        if results.stop.is_set():
            return
        if not _in_pool(job, results, [number], 1):
            died = ResourceError("its process died twice, perhaps for lack of memory")
            results.add(number, job.seed, died)


def _is_warm(job: Job[Row], results: Results[Row]) -> bool:
    """Compile, and return True; or return False at once when stopped meanwhile."""
    done: queue.Queue[Exception | None] = queue.Queue()

    def work() -> None:
        try:
            with uncollected():
                warm_up(job)
        except Exception as error:  # noqa: BLE001 - raised again in the other thread
            done.put(error)
        else:
            done.put(None)

    threading.Thread(target=work, daemon=True).start()
    while not results.stop.is_set():
        with contextlib.suppress(queue.Empty):
            error = done.get(timeout=WATCH)
            if error is not None:
                raise error
            return True
    return False


def _in_pool(
    job: Job[Row], results: Results[Row], numbers: Iterable[int], size: int
) -> bool:
    """Run replications in one pool of processes; return whether it survived."""
    context = multiprocessing.get_context("spawn")
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(size, mp_context=context)
    try:
        pending: dict[Future[Any], int] = {
            pool.submit(result_of, job.at(number), Work(number, None)): number
            for number in numbers
        }
        while pending and not results.stop.is_set():
            ready, _ = wait(pending, WATCH, FIRST_COMPLETED)
            for future in ready:
                results.add(pending.pop(future), job.seed, future.result())
    except BrokenProcessPool:
        return False
    except KeyboardInterrupt:
        results.stop.set()
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        if results.stop.is_set():
            for child in set(multiprocessing.active_children()) - others:
                child.terminate()
    return True


def _in_rounds(
    job: Job[Row], number: int, stop: threading.Event | None
) -> tuple[Row, ...]:
    """Return the rows of a replication whose sites are run one after the other."""
    rounds = Rounds(number, job.scenario.sites, job.policies)
    while errands := rounds.next_errands():
        for errand in errands:
            if stop is not None and stop.is_set():
                return ()
            rounds.take(run_errand(job, errand, stop))
    return firm_rows(job, rounds)


def result_of(
    job: Job[Row],
    work: Work,
    stop: threading.Event | None = None,
    gauge: Gauge | None = None,
) -> tuple[Row, ...] | dict[str, SiteRow] | Exception:
    """Return what comes of a work, or why nothing does."""
    try:
        job = job.at(work.number)
        if work.errand is not None:
            return run_errand(job, work.errand, stop)
        return run_replication(job, work.number, stop, gauge)
    except Exception as error:  # noqa: BLE001 - one replication must not end the others
        return error


def _raise_stopped(stop: threading.Event | None) -> None:
    """End a run that nobody waits for any more.

    Raises:
        InterruptedRun: Told to stop.
    """
    if stop is not None and stop.is_set():
        raise InterruptedRun("stopped in the middle of a run")


def _run(
    job: Job[Row],
    name: str,
    policy: Policy,
    number: int,
    people: Population,
    keep: Keep[Row],
) -> Row:
    try:
        outcome = simulate(
            (job.elsewhere or {}).get(name, job.scenario),
            policy,
            seed=job.seed,
            replication=number,
            engine=job.engine,
            population=people,
        )
        return keep(name, outcome)
    except Exception as error:
        raise PolicyFailed(name, error) from error
