"""Sweeps a toy into a folder until it is killed: `python -m tests.sweep.victim DIR`."""

import sys
import time

from churnsim.scenario import load_scenario
from churnsim.sweep.plan import Point
from churnsim.sweep.rows import Failed, Row
from churnsim.sweep.running import Threads, run_sweep
from tests.sweep.toy import cheap, toy_work

POINTS = 400
CHUNK_POINTS = 5
POINT_SECONDS = 0.0005


def slowly(point: Point) -> list[Row] | Failed:
    """Return what comes of a point, after a while."""
    time.sleep(POINT_SECONDS)
    return cheap(point)


def main() -> None:
    """Sweep; say when it begins, and when it is done."""
    few = load_scenario("telecom", overrides={"population.customers": "50"})
    work = toy_work(few, POINTS, CHUNK_POINTS, slowly)
    print("begins", flush=True)  # noqa: T201 - its parent waits for it
    run_sweep(work, sys.argv[1], Threads(2))
    print("done", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
