"""What a sweep will take, told by a pilot: some of its points, run and measured."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from churnsim.errors import Problem, ResourceError
from churnsim.sweep.rows import Rows
from churnsim.units import format_duration

if TYPE_CHECKING:
    from churnsim.sweep.work import Work

PILOT_SECONDS = 3.0
PILOT_POINTS = 50
RUNS_MAX = 5_000_000  # more are meant by few
DAYS_MAX = 7.0  # of work, on the threads at hand
POINTS_LIMIT = 100_000_000
SECONDS = 86_400.0


class Estimate(NamedTuple):
    """What a sweep will take on this machine."""

    n_points: int  # of the shard
    n_runs: int  # points × policies × replications
    n_chunks: int
    chunk_points: int
    n_threads: int
    n_piloted: int  # points that were run to learn it
    n_failed: int  # of those
    point_seconds: float  # one point, on one thread
    seconds: float  # all of them, on the threads
    n_bytes: int  # of the store


def estimate(work: Work, shard: tuple[int, int], n_threads: int) -> Estimate:
    """Run a few points spread over the sweep, and say what all will take.

    The first one only compiles and reads; it does not count.

    Args:
        work: What there is to do.
        shard: Which part of how many, from 1.
        n_threads: On which it is to run.
    """
    part, parts = shard
    chunks = range(part - 1, work.n_chunks, parts)
    n_points = sum(len(work.points_of(chunk)) for chunk in chunks)
    rows = Rows(work.sweep)
    work.evaluate(work.sweep.point(0))
    began = time.perf_counter()
    n_piloted = n_policies = 0
    for index in _spread(work.sweep.n_points):
        point = work.sweep.point(index)
        rows.add(point, work.evaluate(point))
        n_piloted += 1
        n_policies += len(point.policies)
        if time.perf_counter() - began > PILOT_SECONDS:
            break
    each = (time.perf_counter() - began) / n_piloted
    # A file has a head that grows with its columns, not with its rows.
    head = len(Rows(work.sweep).to_bytes())
    per_point = (len(rows.to_bytes()) - head) / n_piloted
    runs = n_policies / n_piloted * work.sweep.replications
    return Estimate(
        n_points=n_points,
        n_runs=round(n_points * runs),
        n_chunks=len(chunks),
        chunk_points=work.chunk_points,
        n_threads=n_threads,
        n_piloted=n_piloted,
        n_failed=rows.n_failed,
        point_seconds=each,
        seconds=each * n_points / min(n_threads, max(1, len(chunks))),
        n_bytes=round(head * len(chunks) + per_point * n_points),
    )


def check_size(found: Estimate) -> None:
    """Refuse what is rarely meant, before days of work begin.

    Raises:
        ResourceError: With the estimate, and what to change.
    """
    if found.n_runs <= RUNS_MAX and found.seconds <= DAYS_MAX * SECONDS:
        return
    rule = (
        f"would take about {format_duration(found.seconds / SECONDS)} on"
        f" {found.n_threads} threads and {found.n_bytes / 1e9:.3g} GB:"
        f" {found.n_points:,} points, {found.n_runs:,} runs"
    )
    hint = (
        "take fewer points, a sampled design, or a --shard; --yes runs it all the same"
    )
    raise ResourceError(Problem(rule, field="sweep", hint=hint))


def _spread(n_points: int) -> Iterator[int]:
    """Yield the numbers of a few points, spread evenly, each once."""
    n = min(PILOT_POINTS, n_points)
    yield from itertools.islice((i * n_points // n for i in range(n)), n)
