"""How desks are watched: counts over a window, visits from the log, gates on both."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from churnsim.engines.books import MICROSECONDS, Books, Event, Tally
from churnsim.records import Floats
from tests.oracles import closed_forms as forms
from tests.oracles.gates import Battery
from tests.oracles.worlds import World, run_with


def ratio_values(
    sums: Floats, counts: Floats, ratio: float, count_mean: float
) -> Floats:
    """Return one value a replication, whose mean is `ratio` if E[sum] = ratio·E[count].

    ratio + (sum − ratio·count)/E[count]: without the bias of a ratio of means.
    """
    return ratio + (sums - ratio * counts) / count_mean


def controlled(values: Floats, controls: Floats) -> Floats:
    """Return values with the same mean, less what controls of mean 0 explain.

    Each half is corrected by the regression on the other one, so that no value
    depends on its own coefficients and the mean stays what it is.

    Args:
        values: One a replication, shape (n,).
        controls: Of mean 0, shape (n, n_controls).

    Source:
        Lavenberg & Welch 1981 (control variates); Avramidis & Wilson 1993 (splitting).
    """
    corrected = values.copy()
    half = len(values) // 2
    early, late = slice(half), slice(half, None)
    for one, other in ((early, late), (late, early)):
        design = controls[other] - controls[other].mean(axis=0)
        slopes = np.linalg.lstsq(design, values[other], rcond=None)[0]
        corrected[one] -= controls[one] @ slopes
    return corrected


class Watch(NamedTuple):
    """How a stationary world is watched: after a warm-up, over a window."""

    replications: int
    warm_up: float  # [days]
    window: float  # [days]


class DeskCounts(NamedTuple):
    """What a desk did in the window, one value a replication; times in days."""

    joined: Floats
    waited: Floats
    handled: Floats
    abandoned: Floats
    wait_sum: Floats
    busy: Floats


def tallies(world: World, watch: Watch) -> Floats:
    """Return what was counted in the window, shape (replications, N_TALLIES).

    The difference of two runs, one that ends as the window opens and one that ends as
    it closes: every draw has an address, so up to there they are one run.
    """
    spec = world.spec._replace(horizon=watch.warm_up)
    before = world._replace(spec=spec)
    whole = world._replace(spec=spec._replace(horizon=watch.warm_up + watch.window))
    people = whole.people(0)
    rows = [
        run_with(whole, people, i).tally - run_with(before, people, i).tally
        for i in range(watch.replications)
    ]
    return np.array(rows, dtype=np.float64)


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
