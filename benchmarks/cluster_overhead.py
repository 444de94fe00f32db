"""Measure what share of its cores' time a Dask cluster spends inside the kernel.

    python -m benchmarks.cluster_overhead [--points 10000] [--customers N]

A scheduler and two workers of one thread each are started on this machine and joined
over TCP, as `churnsim sweep --cluster` does. The points are those of `sweep_overhead`.
A small sweep goes first, each point a chunk, so that all workers have loaded and
compiled; then a larger one is timed by the clock on the wall,
from the first chunk that is sent to the last that is synced to disk. Each row of its
store holds the seconds that its run spent inside the compiled kernel; their sum, by
workers times the time on the wall, is the share. It is to be 75 %. The rest is Python
around the kernel, Dask, Parquet, and the disk. How much of it the cluster costs is told
by the share of making chunks, which Python around the kernel is a part of.

The table must hold each run once, and no point may fail.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.common import ROOT, insist
from benchmarks.sweep_overhead import customers_of_points, sweep_of
from churnsim.engines.kernel import run as kernel
from churnsim.engines.kernel.world import World
from churnsim.sweep.cluster import Cluster, joined
from churnsim.sweep.plan import Point, Sweep
from churnsim.sweep.rows import Failed, Row
from churnsim.sweep.running import Swept, run_sweep
from churnsim.sweep.simulated import simulated
from churnsim.sweep.store.reading import read_store
from churnsim.sweep.work import Evaluate, Work

TARGET = 0.75
N_WORKERS = 2
ADDRESS = "tcp://127.0.0.1:8797"
QUIETLY = ("--no-dashboard", "--host", "127.0.0.1")
WARM_POINTS = 8  # so few are a chunk each
Kernel = Callable[[World, kernel.Place], bool]


class Stopwatch:
    """Counts the seconds that one thread spends in the kernel."""

    def __init__(self, run_in_slices: Callable[[Kernel, World], int]) -> None:
        self.run_in_slices = run_in_slices
        self.seconds = 0.0

    def __call__(self, run: Kernel, world: World) -> int:
        """Run a world to its horizon, slice by slice."""

        def timed(world: World, place: kernel.Place) -> bool:
            began = time.perf_counter()
            try:
                return run(world, place)
            finally:
                self.seconds += time.perf_counter() - began

        return self.run_in_slices(timed, world)


def measured(sweep: Sweep) -> Evaluate:
    """Return what simulates a point and gives its seconds in the kernel as revenue."""
    evaluate = simulated(sweep)
    known = kernel.run_in_slices
    watch = known if isinstance(known, Stopwatch) else Stopwatch(known)
    kernel.run_in_slices = watch

    def timed(point: Point) -> Sequence[Row] | Failed:
        before = watch.seconds
        rows = evaluate(point)
        if isinstance(rows, Failed):
            return rows
        each = (watch.seconds - before) / len(rows)
        return [row._replace(outcomes=(each, *row.outcomes[1:])) for row in rows]

    return timed


def swept(cluster: Cluster, place: Path, points: int, customers: int) -> Swept:
    """Return what came of a sweep of so many points."""
    sweep = sweep_of(place, points, customers)
    work = Work(sweep, simulated(sweep))
    if points <= WARM_POINTS:
        work.chunk_points, work.n_chunks = 1, points
    return run_sweep(work, place / "store", cluster)


def main() -> None:
    """Start a cluster, sweep on it, and print the share."""
    from benchmarks.cluster_overhead import (
        measured,
    )  # as workers import it, not as __main__

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=10_000)
    parser.add_argument("--customers", type=int, help="a pilot tells by default")
    options = parser.parse_args()
    port = ADDRESS.rpartition(":")[2]
    commands = [
        ["scheduler", "--port", port],
        *[["worker", ADDRESS, "--nthreads", "1"] for _ in range(N_WORKERS)],
    ]
    with contextlib.ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        customers = options.customers or customers_of_points(place)
        for words in commands:
            process = subprocess.Popen(  # noqa: S603 - Dask itself
                [sys.executable, "-m", "dask", *words, *QUIETLY],
                cwd=place,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stderr=subprocess.DEVNULL,
            )
            stack.callback(process.wait)
            stack.callback(process.terminate)
            time.sleep(3.0)
        cluster = stack.enter_context(joined(ADDRESS, evaluator=measured))
        while cluster.n_threads() < N_WORKERS:
            time.sleep(0.5)
        swept(cluster, place / "warm", WARM_POINTS, customers)
        began = time.perf_counter()
        done = swept(cluster, place / "timed", options.points, customers)
        wall = time.perf_counter() - began
        finished = read_store(place / "timed" / "store")
        inside = [
            seconds
            for batch in finished.batches(["revenue"])
            for seconds in batch.column(0).to_pylist()
        ]
    status = done.status
    insist(status.is_complete and not status.n_failed, "every point must be simulated")
    insist(len(inside) == options.points, "each run must be in the table once")
    share = sum(inside) / (N_WORKERS * wall)
    made = status.seconds / (N_WORKERS * wall)
    verdict = "met" if share >= TARGET else "MISSED"
    print(f"{options.points:,} points in {status.n_chunks} chunks: {wall:.1f} s")
    print(f"a run spends {1e3 * sum(inside) / len(inside):.2f} ms in the kernel")
    print(f"of {N_WORKERS} cores' time, making chunks:   {made:6.1%}")
    print(f"of {N_WORKERS} cores' time, in the kernel:   {share:6.1%}")
    print(f"goal of {TARGET:.0%}: {verdict}")


if __name__ == "__main__":
    main()
