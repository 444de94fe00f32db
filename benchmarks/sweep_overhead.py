"""Measure which share of the cores' time a sweep on threads spends inside the kernel.

    python -m benchmarks.sweep_overhead [--points 10000] [--threads 2]

Points of about 5 ms, each one policy in one replication, over three settings of the
market and the policy: a pilot tells how many customers that takes on this machine.
Inside the kernel counts the processor time of its compiled loop alone; the rest is all
else: settings, records, rows, files, and waiting.
"""

import argparse
import contextlib
import gc
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.common import insist
from churnsim.__main__ import GARBAGE
from churnsim.engines.kernel import run as kernel
from churnsim.engines.kernel.world import World
from churnsim.sweep.plan import Sweep, load_sweep
from churnsim.sweep.running import Threads, run_sweep
from churnsim.sweep.simulated import simulated
from churnsim.sweep.work import Work

TARGET = 0.85
POINT = 0.005  # what a point is to take in the kernel [s]
N_PILOT = 100  # points
SWEEP = """\
scenario = "telecom"
policies = ["slow"]
replications = 1

[set]
"population.customers" = {customers}
horizon = "1 year"

[design]
kind = "sobol"
points = {points}

[[factor]]
field = "market.lock_in"
low = 0.0
high = 1.5

[[factor]]
field = "market.discovery"
low = 0.0
high = 1.0

[[factor]]
field = "policy.slow.speed.approval.mean"
low = "1 h"
high = "5 days"
scale = "log"
"""
CUSTOMERS = 3_000  # of the pilot


def sweep_of(folder: Path, points: int, customers: int) -> Sweep:
    """Return a sweep of so many points, written down in a folder."""
    folder.mkdir(exist_ok=True)
    file = folder / "overhead.toml"
    file.write_text(SWEEP.format(customers=customers, points=points), encoding="utf-8")
    return load_sweep(file)


@contextlib.contextmanager
def stopwatch() -> Iterator[tuple[list[float], list[bool]]]:
    """Yield the seconds of processor of each slice of a run, and runs that ended."""
    inside: list[float] = []  # of each slice of a run
    ended: list[bool] = []
    run_in_slices = kernel.run_in_slices

    def timed(run: Callable[[World, kernel.Place], bool], world: World) -> int:
        def run_timed(world: World, place: kernel.Place) -> bool:
            began = time.thread_time()
            is_over = run(world, place)
            inside.append(time.thread_time() - began)
            if is_over:
                ended.append(True)
            return is_over

        return run_in_slices(run_timed, world)

    kernel.run_in_slices = timed
    try:
        yield inside, ended
    finally:
        kernel.run_in_slices = run_in_slices


def customers_of_points(folder: Path) -> int:
    """Return with how many customers a point takes `POINT` in the kernel.

    Args:
        folder: To write in.
    """
    sweep = sweep_of(folder, N_PILOT, CUSTOMERS)
    work = Work(sweep, simulated(sweep))
    work.evaluate(sweep.point(0))  # compiles
    with stopwatch() as (inside, _):
        for number in range(N_PILOT):
            work.evaluate(sweep.point(number))
    return round(CUSTOMERS * POINT * N_PILOT / sum(inside))


def main() -> None:
    """Run it and print the shares."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=10_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--customers", type=int, help="a pilot tells by default")
    options = parser.parse_args()
    gc.set_threshold(GARBAGE, *gc.get_threshold()[1:])  # as the command does
    with tempfile.TemporaryDirectory() as folder:
        customers = options.customers or customers_of_points(Path(folder))
        sweep = sweep_of(Path(folder), options.points, customers)
        work = Work(sweep, simulated(sweep))
        work.evaluate(sweep.point(0))  # compiles
        with stopwatch() as (inside, ended):
            began, used = time.perf_counter(), time.process_time()
            swept = run_sweep(work, Path(folder) / "store", Threads(options.threads))
            wall, used = time.perf_counter() - began, time.process_time() - used
    insist(len(ended) == options.points, "each point must be run once")
    insist(swept.status.n_failed == 0, "no point may fail")
    insist(threading.active_count() <= options.threads + 2, "threads must end")
    each = sum(inside) / len(ended)
    share = sum(inside) / (wall * options.threads)
    outside = 1000 * (used - sum(inside)) / len(ended)
    verdict = "met" if share >= TARGET else "MISSED"
    print(
        f"{options.points:,} points of {customers:,} customers,"
        f" {1000 * each:.2f} ms in the kernel, {wall:.1f} s"
        f" on {options.threads} threads: {100 * share:.1f} % of the cores' time inside"
        f" it, {100 * sum(inside) / used:.1f} % of the processor time used;"
        f" {outside:.2f} ms a point outside it; at least"
        f" {100 * TARGET:.0f} %: {verdict}"
    )


if __name__ == "__main__":
    main()
