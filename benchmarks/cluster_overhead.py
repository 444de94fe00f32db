"""Measure what share of its cores' time a Dask cluster spends inside the kernel.

    python -m benchmarks.cluster_overhead [--points 744] [--customers 10000]

A scheduler and two workers of one thread each are started on this machine and joined
over TCP, as `churnsim sweep --cluster` does. A small sweep goes first, so that the
workers have loaded and compiled; then a larger one is timed by the clock on the wall,
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
from typing import Any

from benchmarks.common import ROOT, insist
from churnsim.engines.kernel import run
from churnsim.sweep.cluster import Cluster, joined
from churnsim.sweep.plan import Point, Sweep, load_sweep
from churnsim.sweep.rows import Failed, Row
from churnsim.sweep.running import Swept, run_sweep
from churnsim.sweep.simulated import simulated
from churnsim.sweep.store.reading import read_store
from churnsim.sweep.work import Evaluate, Work

TARGET = 0.75
N_WORKERS = 2
ADDRESS = "tcp://127.0.0.1:8797"
QUIETLY = ("--no-dashboard", "--host", "127.0.0.1")
WARM_POINTS = 4
SWEEP = """
scenario = "telecom"
policies = ["empowered", "slow"]
replications = 1
[set]
"population.customers" = {customers}
horizon = "1 year"
[design]
kind = "latin_hypercube"
points = {points}
[[factor]]
field = "market.lock_in"
low = 0.1
high = 1.9
"""


class Stopwatch:
    """A kernel that counts the seconds that are spent in it, by one thread."""

    def __init__(self, kernel: Callable[..., Any]) -> None:
        self.kernel = kernel
        self.seconds = 0.0

    def __call__(self, *arguments: Any) -> Any:
        """Run the kernel for a slice."""
        began = time.perf_counter()
        try:
            return self.kernel(*arguments)
        finally:
            self.seconds += time.perf_counter() - began


def measured(sweep: Sweep) -> Evaluate:
    """Return what simulates a point and gives its seconds in the kernel as revenue."""
    evaluate = simulated(sweep)
    if not isinstance(run.run_world, Stopwatch):
        run.run_world = Stopwatch(run.run_world)
    watch = run.run_world

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
    place.mkdir()
    file = place / "sweep.toml"
    file.write_text(SWEEP.format(points=points, customers=customers), encoding="utf-8")
    sweep = load_sweep(file)
    return run_sweep(Work(sweep, simulated(sweep)), place / "store", cluster)


def main() -> None:
    """Start a cluster, sweep on it, and print the share."""
    from benchmarks.cluster_overhead import (
        measured,
    )  # as workers import it, not as __main__

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=744)
    parser.add_argument("--customers", type=int, default=10_000)
    options = parser.parse_args()
    port = ADDRESS.rpartition(":")[2]
    commands = [
        ["scheduler", "--port", port],
        *[["worker", ADDRESS, "--nthreads", "1"] for _ in range(N_WORKERS)],
    ]
    with contextlib.ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
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
        swept(cluster, place / "warm", WARM_POINTS * N_WORKERS, options.customers)
        began = time.perf_counter()
        done = swept(cluster, place / "timed", options.points, options.customers)
        wall = time.perf_counter() - began
        finished = read_store(place / "timed" / "store")
        kernel = [
            seconds
            for batch in finished.batches(["revenue"])
            for seconds in batch.column(0).to_pylist()
        ]
    status = done.status
    insist(status.is_complete and not status.n_failed, "every point must be simulated")
    insist(len(kernel) == 2 * options.points, "each run must be in the table once")
    share = sum(kernel) / (N_WORKERS * wall)
    made = status.seconds / (N_WORKERS * wall)
    verdict = "met" if share >= TARGET else "MISSED"
    print(f"{options.points:,} points in {status.n_chunks} chunks: {wall:.1f} s")
    print(f"a run spends {1e3 * sum(kernel) / len(kernel):.2f} ms in the kernel")
    print(f"of {N_WORKERS} cores' time, making chunks:   {made:6.1%}")
    print(f"of {N_WORKERS} cores' time, in the kernel:   {share:6.1%}")
    print(f"goal of {TARGET:.0%}: {verdict}")


if __name__ == "__main__":
    main()
