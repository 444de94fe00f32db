"""What tests let workers do in place of the simulation: they import it from here."""

import os
import signal
import time
from collections.abc import Callable

from churnsim.engines.outcome import Outcome
from churnsim.records import Population
from churnsim.sweep.plan import Point, Sweep
from churnsim.sweep.rows import Failed, Row
from churnsim.sweep.work import Evaluate

POINT_SECONDS = 0.02
POISON = 13  # the number of the point, or replication, that kills its worker


def rows_of(sweep: Sweep, point: Point) -> list[Row] | Failed:
    """Return rows that no simulation made; each 17th point fails."""
    if point.number % 17 == 16:
        return Failed(f"point {point.number} is unlucky", "churnsim run =shop")
    outcomes = (float(point.number), 0.5, None, -1.0)
    return [
        Row(policy, replication, outcomes, 10**15)
        for replication in range(sweep.replications)
        for policy in point.policies
    ]


def quick(sweep: Sweep) -> Evaluate:
    """Return what makes rows at once."""
    return lambda point: rows_of(sweep, point)


def slow(sweep: Sweep) -> Evaluate:
    """Return what makes rows after a while."""

    def evaluate(point: Point) -> list[Row] | Failed:
        time.sleep(POINT_SECONDS)
        return rows_of(sweep, point)

    return evaluate


def poisoned(sweep: Sweep) -> Evaluate:
    """Return what kills its process at one point."""

    def evaluate(point: Point) -> list[Row] | Failed:
        if point.number == POISON:
            os.kill(os.getpid(), signal.SIGKILL)
        return rows_of(sweep, point)

    return evaluate


def deadly(_people: Population) -> Callable[[str, Outcome], int]:
    """Return what kills its process in one replication; of others it keeps a number."""

    def keep(_policy: str, outcome: Outcome) -> int:
        if outcome.replication == POISON:
            os.kill(os.getpid(), signal.SIGKILL)
        return outcome.totals.revenue

    return keep
