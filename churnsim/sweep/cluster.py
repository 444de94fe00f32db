"""Making chunks on an existing Dask cluster.

The scheduler may lose workers, run a chunk twice and take new workers in: a chunk is a
function of its number, so the store is the same whoever made it. This process alone
writes it.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from churnsim.experiment.schedule import Results
from churnsim.experiment.schedule import Row as Kept
from churnsim.sweep.flight import LOST, Flight, Task
from churnsim.sweep.jobs import run_job
from churnsim.sweep.remote import make_chunk, make_point, order_of
from churnsim.sweep.rows import Failed, Row, Rows
from churnsim.sweep.session import Lost, Session, session
from churnsim.sweep.simulated import command_of
from churnsim.sweep.sited import are_jobs, chunks_of
from churnsim.sweep.store.writing import Made

if TYPE_CHECKING:
    from churnsim.experiment.workers import Job
    from churnsim.sweep.remote import Evaluator
    from churnsim.sweep.running import Chunk
    from churnsim.sweep.work import Work


class Cluster:
    """Makes chunks, or does replications, on the workers of a cluster."""

    def __init__(self, session: Session, evaluator: Evaluator | None = None) -> None:
        self._session = session
        self._evaluator = evaluator

    def __call__(
        self, work: Work, todo: Iterable[int], stop: threading.Event
    ) -> Iterator[Chunk]:
        """Yield chunks as they are made.

        Raises:
            InputError: A worker is not as this churnsim, or lacks a file.
            PartialError: The scheduler is gone.
        """
        if self._evaluator is None and are_jobs(work):
            yield from chunks_of(self._session, work, todo, stop)
            return
        sender = _Sender(work, self._evaluator)
        flight = Flight(self._session)
        suspected = _Suspected(work)
        tasks = map(sender.chunk, todo)
        is_stopping = False
        try:
            while True:
                if stop.is_set() and not is_stopping:
                    is_stopping = True
                    flight.cancel_waiting()
                if not is_stopping:
                    flight.take(tasks)
                if not flight.under_way:
                    return
                self._session.check_there()
                if (landed := flight.landed()) is None:
                    continue
                task, future = landed
                try:
                    found = self._session.found(future)
                except Lost:
                    if not task.is_suspect:
                        suspects = suspected.lost(task.what)
                        flight.suspects.extend(map(sender.point, suspects))
                        continue
                    found = suspected.failed(task.what)
                if found is None:
                    flight.again(task)
                elif isinstance(found, Made):
                    yield task.what, found
                elif made := suspected.add(task.what, found):
                    yield made
        finally:
            flight.cancel()

    def run_job(self, job: Job[Kept], results: Results[Kept]) -> None:
        """Do the replications of a job, site by site; see `run_job` of `jobs`."""
        run_job(self._session, job, results)

    def n_threads(self) -> int:
        """Return how many tasks the workers can do at once, at least 1.

        Raises:
            PartialError: The scheduler is gone.
        """
        return self._session.n_threads()


class _Sender:
    """Says how workers make the chunks and points of a sweep."""

    def __init__(self, work: Work, evaluator: Evaluator | None) -> None:
        self._order = order_of(work)
        self._evaluator = evaluator

    def chunk(self, number: int) -> Task:
        """Return the task that makes a chunk."""
        return Task(number, make_chunk, (self._order, number, self._evaluator))

    def point(self, index: int) -> Task:
        """Return the task that makes a point of a chunk whose workers were lost."""
        arguments = (self._order, index, self._evaluator)
        return Task(index, make_point, arguments, is_suspect=True)


class _Suspected:
    """Chunks whose workers were lost: made point by point, to tell which one it is."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._found: dict[int, dict[int, Sequence[Row] | Failed]] = {}  # by chunk

    def lost(self, chunk: int) -> Iterable[int]:
        """Return the points to be made one by one."""
        self._found[chunk] = {}
        return self._work.points_of(chunk)

    def failed(self, index: int) -> Failed:
        """Return what is told of a point that nobody survives."""
        sweep = self._work.sweep
        return Failed(LOST, command_of(sweep, sweep.point(index)))

    def add(self, index: int, found: Sequence[Row] | Failed) -> Chunk | None:
        """Take a point's rows; return the chunk once it is whole."""
        chunk = index // self._work.chunk_points
        known = self._found[chunk]
        known[index] = found
        points = self._work.points_of(chunk)
        if len(known) < len(points):
            return None
        del self._found[chunk]
        rows = Rows(self._work.sweep)
        for one in points:
            rows.add(self._work.sweep.point(one), known[one])
        return chunk, Made(rows.to_bytes(), len(rows), rows.n_failed, 0.0)


@contextlib.contextmanager
def joined(
    address: str, *, is_insecure: bool = False, evaluator: Evaluator | None = None
) -> Iterator[Cluster]:
    """Yield the cluster at an address, every worker that is there being compared.

    It makes the chunks of a sweep (`run_sweep`), and does the replications of whatever
    takes an `Execution`.

    Args:
        address: Of its scheduler, such as "tls://host:8786". Certificates come from
            Dask's own configuration.
        is_insecure: Lets "tcp://" lead to another machine.
        evaluator: Returns what makes the rows of a sweep's points; the simulation,
            where absent. A function that workers can import.

    Raises:
        InputError: No such address, nobody there, or a worker that differs.
    """
    with session(address, is_insecure=is_insecure) as begun:
        yield Cluster(begun, evaluator)
