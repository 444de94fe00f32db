"""What there is to do in a sweep, cut into chunks, each a function of its number.

A chunk takes about two seconds: long enough that handing it out and writing it cost
next to nothing, short enough that little is lost when it is cut off.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from churnsim.errors import InterruptedRun
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

    def make(self, chunk: int, halt: threading.Event | None = None) -> Made | None:
        """Return a chunk; None where it was told to halt before it was whole."""
        began = time.perf_counter()
        rows = Rows(self.sweep)
        for index in self.points_of(chunk):
            if halt is not None and halt.is_set():
                return None
            point = self.sweep.point(index)
            try:
                rows.add(point, self.evaluate(point))
            except InterruptedRun:
                return None
        data = rows.to_bytes()
        return Made(data, len(rows), rows.n_failed, time.perf_counter() - began)


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
