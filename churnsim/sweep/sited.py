"""Big points of a sweep on a cluster: replications or their sites are tasks."""

from __future__ import annotations

import functools
import itertools
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from churnsim.experiment.schedule import Results, Telling
from churnsim.experiment.summary import FIGURES
from churnsim.experiment.workers import Job
from churnsim.sweep.jobs import Begun, begin, settled
from churnsim.sweep.points import Variations
from churnsim.sweep.rows import Failed, Row, Rows
from churnsim.sweep.simulated import failed, seed_of
from churnsim.sweep.store.writing import Made
from churnsim.sweep.work import point_seconds

if TYPE_CHECKING:
    from churnsim.engines.outcome import Outcome
    from churnsim.engines.sums import Sums
    from churnsim.firm import Firm
    from churnsim.records import Population
    from churnsim.sweep.plan import Point, Sweep
    from churnsim.sweep.running import Chunk
    from churnsim.sweep.session import Session
    from churnsim.sweep.work import Work

TASK_SECONDS = 0.1  # a task for less costs more than it brings


def are_jobs(work: Work) -> bool:
    """Return whether replications of points, or their sites, are tasks.

    They are where a chunk is one point, and each part of it is worth a task.
    """
    sweep = work.sweep
    parts = sweep.replications * sweep.scenario.sites
    seconds = point_seconds(sweep)
    return work.chunk_points == 1 and parts > 1 and seconds >= TASK_SECONDS * parts


def chunks_of(
    session: Session, work: Work, todo: Iterable[int], stop: threading.Event
) -> Iterator[Chunk]:
    """Yield chunks of one point each as they are made; stopped, those begun by workers.

    Raises:
        InputError: A worker is not as this churnsim, or lacks a file.
        PartialError: The scheduler is gone.
    """
    sweep = work.sweep
    jobs = _Jobs(sweep)
    numbers = itertools.takewhile(lambda _: not stop.is_set(), todo)
    refused: list[Chunk] = []

    def begun() -> Iterator[Begun]:
        for number in numbers:
            point = sweep.point(number)
            try:
                job = jobs.job(point)
            except Exception as error:  # noqa: BLE001 - one must not end the others
                refused.append(
                    (number, _made(sweep, point, failed(sweep, point, error)))
                )
                continue
            replications = tuple(range(sweep.replications))
            results = Results[Row](replications, Telling(), threading.Event())
            yield begin(number, job, results)

    for done in settled(session, begun(), threading.Event(), stop):
        yield from refused
        refused.clear()
        point = sweep.point(done.number)
        found = _found(sweep, point, done.results)
        yield done.number, _made(sweep, point, found, done.seconds)
    yield from refused


class _Jobs:
    """Points as jobs, whose rows are those of the sweep."""

    def __init__(self, sweep: Sweep) -> None:
        self._sweep = sweep
        self._variations = Variations(sweep.scenario)

    def job(self, point: Point) -> Job[Row]:
        """Return what a point's replications consist of.

        Raises:
            ChurnsimError: There are no such settings.
        """
        scenario = self._variations.scenario(point.varied)
        policies = {name: scenario.policy(name) for name in point.policies}
        names = self._sweep.outcomes
        return Job(
            scenario,
            policies,
            seed_of(self._sweep, point.number),
            "kernel",
            functools.partial(_keeping, names),
            of_firm=functools.partial(_of_firm, names),
        )


def _keeping(
    names: Sequence[str], _people: Population
) -> Callable[[str, Outcome], Row]:
    return lambda policy, outcome: row_of(
        names, policy, outcome.replication, outcome.sums
    )


def _of_firm(names: Sequence[str], policy: str, replication: int, firm: Firm) -> Row:
    return row_of(names, policy, replication, firm.sums)


def row_of(names: Sequence[str], policy: str, replication: int, sums: Sums) -> Row:
    """Return a sweep's row of a run, or of a firm."""
    figures = tuple(FIGURES[name].of(sums) for name in names)
    return Row(policy, replication, figures, sums.totals.revenue)


def _found(sweep: Sweep, point: Point, results: Results[Row]) -> list[Row] | Failed:
    """Return a point's rows, or why there are none."""
    if results.failures:
        return failed(sweep, point, results.failures[min(results.failures)].error)
    return [row for n in results.numbers for row in results.finished[n]]


def _made(
    sweep: Sweep, point: Point, found: Sequence[Row] | Failed, seconds: float = 0.0
) -> Made:
    rows = Rows(sweep)
    rows.add(point, found)
    return Made(rows.to_bytes(), len(rows), rows.n_failed, seconds)
