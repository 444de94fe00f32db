"""What there is to do in a sweep, cut into chunks, each a function of its number.

A chunk takes about two seconds: long enough that handing it out and writing it cost
next to nothing, short enough that little is lost when it is cut off.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from churnsim.scenario.measures import prospects_per_day
from churnsim.sweep.rows import Failed, Row, Rows
from churnsim.sweep.store.writing import Made
from churnsim.units import year_days

if TYPE_CHECKING:
    from churnsim.sweep.plan import Point, Sweep

CHUNK_SECONDS = 2.0
CHUNKS_MAX = 20_000  # more would choke a scheduler
POINTS_MAX = 100_000  # a chunk, which is built in memory
# What a customer's year costs on a usual core, and what a run costs beside. It decides
# the chunks, which must be the same on every machine, and nothing else.
YEAR_SECONDS = 1.5e-6
RUN_SECONDS = 1.0e-3

Evaluate = Callable[["Point"], "Sequence[Row] | Failed"]


class Work:
    """A sweep's chunks, and what makes the rows of a point."""

    def __init__(self, sweep: Sweep, evaluate: Evaluate) -> None:
        self.sweep = sweep
        self.evaluate = evaluate
        self.chunk_points = chunk_points(sweep)
        self.n_chunks = -(-sweep.n_points // self.chunk_points)

    def points_of(self, chunk: int) -> range:
        """Return the numbers of a chunk's points."""
        first = chunk * self.chunk_points
        return range(first, min(first + self.chunk_points, self.sweep.n_points))

    def make(self, chunk: int) -> Made:
        """Return a chunk, made point by point."""
        making = Making(self, chunk)
        made = None
        for index in self.points_of(chunk):
            made = making.do(index)
        assert made is not None  # noqa: S101 - the last point was done
        return made


class Making:
    """A chunk as it is made: its points are done by whoever is free, in any order."""

    def __init__(self, work: Work, chunk: int) -> None:
        self.chunk = chunk
        self._work = work
        self._rows = Rows(work.sweep)
        self._n_left = len(work.points_of(chunk))
        self._next = work.points_of(chunk).start  # whose rows come next
        self._early: dict[int, tuple[Point, Sequence[Row] | Failed]] = {}
        self._seconds = 0.0
        self._adding = threading.Lock()

    def do(self, index: int) -> Made | None:
        """Do a point of it; return the chunk where none is left to do."""
        began = time.perf_counter()
        point = self._work.sweep.point(index)
        found = self._work.evaluate(point)
        with self._adding:
            self._early[index] = (point, found)
            while early := self._early.pop(self._next, None):
                self._rows.add(*early)
                self._next += 1
            self._n_left -= 1
            self._seconds += time.perf_counter() - began
            if self._n_left:
                return None
        began = time.perf_counter()
        data = self._rows.to_bytes()
        seconds = self._seconds + time.perf_counter() - began
        return Made(data, len(self._rows), self._rows.n_failed, seconds)


def chunk_points(sweep: Sweep) -> int:
    """Return how many points a chunk holds, whatever the machine."""
    fitting = round(CHUNK_SECONDS / point_seconds(sweep))
    least = -(-sweep.n_points // CHUNKS_MAX)
    return max(1, min(POINTS_MAX, max(fitting, least)))


def point_seconds(sweep: Sweep) -> float:
    """Return about how long a point takes on a usual core, told without running one."""
    scenario = sweep.scenario
    customers = scenario.population.customers or 0
    years = scenario.horizon / year_days()
    coming = prospects_per_day(scenario.population.prospects, customers)
    people = customers + coming * scenario.horizon
    run = scenario.sites * (RUN_SECONDS + YEAR_SECONDS * people * years)
    return run * len(sweep.policies) * sweep.replications
