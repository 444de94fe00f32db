"""How desks are watched: counts over a window, visits from the log, gates on both."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from churnsim.engines.books import MICROSECONDS, Books, Event, Tally
from churnsim.records import Floats
from churnsim.validation.watching import Watch, controlled, ratio_values, tallies
from tests.oracles import closed_forms as forms
from tests.oracles.gates import Battery

__all__ = [
    "DeskCounts",
    "Figures",
    "Limits",
    "ONE_PERCENT",
    "Seen",
    "Visits",
    "Watch",
    "controlled",
    "desk_counts",
    "desk_gates",
    "figures_of",
    "front_visits",
    "ratio_values",
    "tallies",
]


class DeskCounts(NamedTuple):
    """What a desk did in the window, one value a replication; times in days."""

    joined: Floats
    waited: Floats
    handled: Floats
    abandoned: Floats
    wait_sum: Floats
    busy: Floats


def desk_counts(counts: Floats, desk: str) -> DeskCounts:
    """Return the columns of the desk "FRONT" or "BACK" of `tallies`."""

    def column(name: str) -> Floats:
        return np.ascontiguousarray(counts[:, Tally[f"{desk}_{name}"]])

    return DeskCounts(
        column("JOINED"),
        column("WAITED"),
        column("HANDLED"),
        column("ABANDONED"),
        column("WAIT_SUM") / MICROSECONDS,
        column("BUSY") / MICROSECONDS,
    )


class Visits(NamedTuple):
    """Visits to the front desk in the order of joining, each with its end."""

    customer: NDArray[np.int64]
    joined_at: Floats  # [days]
    ended_at: Floats  # handled, or patience spent [days]
    is_handled: NDArray[np.bool_]


def front_visits(books: Books, until: float) -> Visits:
    """Return the visits that began before `until`, all of which must have ended.

    Args:
        books: With the event log of the run.
        until: So far before the horizon that nobody of then is waiting at its end.
    """
    size = int(books.log_count[0])
    events = books.log_codes[:size, 1]
    ends = (events == Event.HANDLED) | (events == Event.PATIENCE_SPENT)
    kept = np.flatnonzero(ends | (events == Event.JOINED_FRONT))
    customers = books.log_codes[kept, 0]
    order = kept[np.argsort(customers, kind="stable")]
    is_join = events[order] == Event.JOINED_FRONT
    first = np.flatnonzero(is_join[:-1] & ~is_join[1:])
    start, end = order[first], order[first + 1]
    start, end = start[np.argsort(start)], end[np.argsort(start)]
    early = books.log_times[start] < until
    start, end = start[early], end[early]
    n_joined = int(np.sum((books.log_times[kept] < until) & ~ends[kept]))
    if len(start) != n_joined:
        raise ValueError(f"all {n_joined} visits must have ended; {len(start)} have")
    return Visits(
        books.log_codes[start, 0],
        books.log_times[start],
        books.log_times[end],
        events[end] == Event.HANDLED,
    )


class Figures(NamedTuple):
    """What a desk must show; rates per day, times in days."""

    throughput: float
    wait_probability: float  # 0 where no closed form is at hand
    wait_mean: float
    abandon_probability: float
    utilisation: float


class Limits(NamedTuple):
    """The largest errors that may go unseen [-]."""

    throughput: float = 0.01
    wait_probability: float = 0.01
    wait_mean: float = 0.01
    abandon_probability: float = 0.01
    utilisation: float = 0.01
    queue: float = 0.0  # 0: not looked at, since it is the wait by Little's law


ONE_PERCENT = Limits()


class Seen(NamedTuple):
    """Which desk was watched."""

    desk: str  # "FRONT" or "BACK"
    n_servers: int
    window: float  # [days]


def figures_of(queue: forms.Queue) -> Figures:
    """Return the figures of a desk with exponential times."""
    return Figures(
        queue.throughput,
        queue.wait_probability,
        queue.wait_mean,
        queue.abandon_probability,
        queue.utilisation,
    )


def desk_gates(
    battery: Battery,
    name: str,
    counts: Floats,
    seen: Seen,
    figures: Figures,
    limits: Limits = ONE_PERCENT,
) -> None:
    """Add the gates of one desk, given the counts of `tallies`.

    Waits are noisy because the load is: what they owe to calls and to busy time, whose
    means are known, is taken off.
    """
    desk = desk_counts(counts, seen.desk)
    expected = figures.throughput * seen.window
    capacity = seen.n_servers * seen.window
    over = desk.handled + desk.abandoned
    load = np.stack(
        [desk.joined - expected, desk.busy - figures.utilisation * capacity], axis=1
    )
    battery.mean(f"{name} joined", desk.joined, expected, limits.throughput)
    battery.mean(
        f"{name} utilisation",
        desk.busy / capacity,
        figures.utilisation,
        limits.utilisation,
    )
    for what, sums, trials, ratio, limit in (
        ("wait", desk.wait_sum, over, figures.wait_mean, limits.wait_mean),
        (
            "P(wait)",
            desk.waited,
            desk.joined,
            figures.wait_probability,
            limits.wait_probability,
        ),
        (
            "P(abandon)",
            desk.abandoned,
            over,
            figures.abandon_probability,
            limits.abandon_probability,
        ),
    ):
        if ratio:
            values = ratio_values(sums, trials, ratio, expected)
            battery.mean(f"{name} {what}", controlled(values, load), ratio, limit)
    if limits.queue:
        queue = figures.throughput * figures.wait_mean
        values = controlled(desk.wait_sum / seen.window, load)
        battery.mean(f"{name} queue", values, queue, limits.queue)
