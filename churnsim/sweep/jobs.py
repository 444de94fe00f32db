"""Replications on a cluster: whole ones, or their sites, each a task.

What the sites of a firm tell comes here after each round, and what they hear goes out
with the next one. Nothing depends on who ran what, or when.
"""

from __future__ import annotations

import itertools
import threading
import uuid
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from churnsim.errors import PartialError, Problem, ResourceError
from churnsim.experiment.schedule import Results, Row, Schedule
from churnsim.experiment.workers import Job
from churnsim.sweep.flight import LOST, Flight, Task
from churnsim.sweep.remote import Done, JobOrder, do_work, identity
from churnsim.sweep.session import Lost, Session

RERUNNABLE = "what was finished is shown; run it again"


@dataclass
class Begun:
    """A job of which works are out."""

    number: int  # whoever began it knows
    order: JobOrder
    schedule: Schedule[Any]
    results: Results[Any]
    seconds: float = 0.0  # that workers spent on it


def begin(number: int, job: Job[Row], results: Results[Row]) -> Begun:
    """Return a job whose works can be sent.

    Args:
        number: By which the job is known again.
        job: Whatever it keeps, workers must be able to import.
        results: Take in its rows.
    """
    order = JobOrder(tuple(identity().items()), uuid.uuid4().hex, job)
    return Begun(number, order, Schedule(job, results, 1), results)


def settled(
    session: Session,
    jobs: Iterator[Begun],
    halt: threading.Event,
    stop: threading.Event | None = None,
) -> Iterator[Begun]:
    """Yield jobs as they are done.

    Args:
        session: The cluster.
        jobs: Taken one by one, as those before leave workers idle.
        halt: Once set, all is dropped.
        stop: Once set, jobs of which no worker has begun a part are dropped.

    Raises:
        InputError: A worker is not as this churnsim, or lacks a file.
        PartialError: The scheduler is gone.
    """
    flight = Flight(session)
    begun: dict[int, Begun] = {}
    ready: deque[Task] = deque()
    is_stopping = False
    try:
        while not halt.is_set():
            if stop is not None and stop.is_set() and not is_stopping:
                is_stopping = True
                _drop_waiting(flight, begun, ready)
            _gather(flight, begun, ready)
            while len(flight.under_way) + len(ready) < flight.limit and not is_stopping:
                if (job := next(jobs, None)) is None:
                    break
                begun[job.number] = job
                _gather(flight, begun, ready)
            if not begun:
                return
            flight.take(_popped(ready))
            session.check_there()
            if (landed := flight.landed()) is None:
                continue
            task, future = landed
            try:
                found = session.found(future)
            except Lost:
                if not task.is_suspect:
                    flight.suspects.append(task._replace(is_suspect=True))
                    continue
                found = Done(ResourceError(Problem(LOST)), 0.0)
            if found is None:
                flight.again(task)
                continue
            number, work = task.what
            job = begun.get(number)
            if job is None:
                continue  # another site failed, and with it the last replication
            job.seconds += found.seconds
            job.schedule.take(work, found.result)
            if job.results.is_complete:
                yield begun.pop(number)
    finally:
        flight.cancel()


def run_job(session: Session, job: Job[Row], results: Results[Row]) -> None:
    """Fill the results on a cluster; return early when they are told to stop.

    Where the scheduler is gone, what is missing has failed.

    Raises:
        InputError: A worker is not as this churnsim, or lacks a file.
    """
    one = begin(0, job, results)
    try:
        for _ in settled(session._replace(kept=RERUNNABLE), iter([one]), results.stop):
            return
    except KeyboardInterrupt:
        results.stop.set()  # what has finished is kept
    except PartialError as error:
        for number in results.missing:
            results.add(number, job.seed, error)


def _gather(flight: Flight, begun: dict[int, Begun], ready: deque[Task]) -> None:
    """Make ready what can be begun of jobs, as far as workers may want it."""
    for job in begun.values():
        job.schedule.n_ahead = flight.limit
        # The next round of a job goes before the first one of those after it, so that
        # few are half done at any time.
        ready.extend(
            Task((job.number, work), do_work, (job.order, work), priority=-job.number)
            for work in job.schedule.next_works()
        )


def _drop_waiting(flight: Flight, begun: dict[int, Begun], ready: deque[Task]) -> None:
    """Drop the jobs of which no part is done, nor begun by a worker."""
    running = flight.begun()
    kept = {flight.under_way[key][0].what[0] for key in running}
    kept |= {number for number, job in begun.items() if job.seconds}
    for number in begun.keys() - kept:
        del begun[number]
    flight.cancel_these(
        key for key, (task, _) in flight.under_way.items() if task.what[0] not in kept
    )
    for tasks in (ready, flight.suspects):
        left = [task for task in tasks if task.what[0] in kept]
        tasks.clear()
        tasks.extend(left)


def _popped(ready: deque[Task]) -> Iterator[Task]:
    """Yield what is ready, taking it away."""
    return (ready.popleft() for _ in itertools.takewhile(bool, itertools.repeat(ready)))
