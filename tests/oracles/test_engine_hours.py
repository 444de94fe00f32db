"""The engine's front desk over a week of closed nights, against its exact solution."""

import itertools
from typing import NamedTuple

import numpy as np
import pytest
from scipy import integrate

from churnsim.engines.books import Books, Event
from churnsim.records import Floats
from churnsim.variates import exponential
from tests.oracles.birth_death import Callers, Path, paths
from tests.oracles.gates import Battery
from tests.oracles.worlds import (
    MINUTE,
    WEEK,
    Change,
    World,
    calling,
    caught,
    engine_battery,
    run_with,
)

pytestmark = pytest.mark.compiled

HOUR = 1.0 / 24.0
REPLICATIONS = 300
CALLERS = Callers(1000, 0.03, 7.5, 1.5, 6, 64)  # 30 calls an hour, 4 agents' work
STEP = 1.0 / 60.0
# Opens at 8 with too few, is well staffed at noon, and lets most go at 18.
DAY = ((0.0, 0), (8.0, 3), (12.0, 6), (18.0, 2), (20.0, 0))
SATURDAY = ((0.0, 0), (9.0, 4), (13.0, 0))
SUNDAY = ((0.0, 0),)
DAYS = (DAY,) * 5 + (SATURDAY, SUNDAY)
CHANGES = [(24.0 * i + at, n) for i, day in enumerate(DAYS) for at, n in day]


class Window(NamedTuple):
    """Hours of a weekday over which is averaged, and what errors may go unseen."""

    begin: float  # [hours]
    end: float
    busy: float  # largest error that may go unseen [-]; 0: not looked at
    waiting: float


# Where hardly anybody waits, the line is seen only coarsely.
WINDOWS = {
    "at night": Window(0.0, 8.0, 0.0, 0.02),
    "as it opens": Window(8.0, 9.0, 0.005, 0.07),
    "in the morning": Window(9.0, 12.0, 0.01, 0.08),
    "at noon, with more agents": Window(12.0, 13.0, 0.05, 0.3),
    "in the afternoon": Window(13.0, 18.0, 0.025, 0.16),
    "after most have gone": Window(18.0, 20.0, 0.01, 0.08),
    "as it closes": Window(20.0, 21.0, 0.16, 0.05),
}


def staffed() -> list[tuple[float, float, int]]:
    """Return begin, end [hours] and agents over the week."""
    ends = [at for at, _ in CHANGES[1:]] + [168.0]
    return [(at, end, n) for (at, n), end in zip(CHANGES, ends, strict=True)]


def world() -> World:
    """Return the customers and the desk of the exact solution, for one week."""
    calls = calling(
        CALLERS.n_customers,
        CALLERS.call_rate / HOUR,
        0,
        exponential(HOUR / CALLERS.service_rate),
        exponential(HOUR / CALLERS.patience_rate),
    )
    changes = [(at * HOUR, n) for at, n in CHANGES]
    kept = [
        change
        for before, change in itertools.pairwise([changes[-1], *changes])
        if change[1] != before[1]
    ]
    policy = calls.policy._replace(front_roster=np.array(kept, dtype=np.float64))
    return calls._replace(policy=policy, spec=calls.spec._replace(horizon=WEEK))


def expected(solved: list[Path], begin: float, end: float) -> tuple[float, float]:
    """Return the mean busy and waiting time in some hours of the weekdays [hours]."""
    busy, waiting = 0.0, 0.0
    for day in range(5):
        for path in solved:
            hours = path.hours - 24.0 * day
            is_within = (hours >= begin - 1e-9) & (hours <= end + 1e-9)
            if np.count_nonzero(is_within) > 1:
                at = hours[is_within]
                busy += integrate.simpson(path.busy[is_within], x=at)
                waiting += integrate.simpson(path.waiting[is_within], x=at)
    return busy, waiting


def times_of(books: Books, horizon: float) -> tuple[Floats, Floats]:
    """Return when contacts, and waits, began and ended [days], shapes (n, 2)."""
    n = int(books.log_count[0])
    customers, events = books.log_codes[:n, 0], books.log_codes[:n, 1]
    of_desk = np.isin(
        events,
        (
            *(Event.JOINED_FRONT, Event.HANDLED),
            *(Event.PATIENCE_SPENT, Event.CONTACT_ENDED),
        ),
    )
    kept = np.flatnonzero(of_desk)
    order = kept[np.argsort(customers[kept], kind="stable")]
    times, who, what = books.log_times[order], customers[order], events[order]
    until = np.append(times[1:], horizon)
    until[np.append(who[1:] != who[:-1], True)] = horizon
    spells = np.stack((times, until), axis=1)
    return spells[what == Event.HANDLED], spells[what == Event.JOINED_FRONT]


def within(spells: Floats, begin: float, end: float) -> float:
    """Return how much of spells [days] lies in some hours of the weekdays [hours]."""
    total = 0.0
    for day in range(5):
        low, high = (day + begin * HOUR, day + end * HOUR)
        lasted = np.minimum(spells[:, 1], high) - np.maximum(spells[:, 0], low)
        total += float(np.maximum(lasted, 0.0).sum())
    return total / HOUR


def hours_gates(battery: Battery, change: Change) -> None:
    """Add gates on how many are served, and how many wait, at hours of the weekdays."""
    solved = list(paths(CALLERS, staffed(), STEP))
    desk = change(world())
    people = desk.people(0)
    seen = np.zeros((REPLICATIONS, len(WINDOWS), 2))
    for replication in range(REPLICATIONS):
        spells = times_of(run_with(desk, people, replication, 60_000), WEEK)
        for i, window in enumerate(WINDOWS.values()):
            seen[replication, i] = [
                within(part, window.begin, window.end) for part in spells
            ]
    for i, (name, window) in enumerate(WINDOWS.items()):
        busy, waiting = expected(solved, window.begin, window.end)
        if window.busy:
            battery.mean(f"busy {name}", seen[:, i, 0], busy, window.busy)
        battery.mean(f"waiting {name}", seen[:, i, 1], waiting, window.waiting)


def test_desk__keeps_hours_as_solved_exactly() -> None:
    """M/M/s(t)+M of a finite source: busy agents and the line, through the week."""
    engine_battery(hours_gates).check()


def ten_minutes_late(desk: World) -> World:
    """Return the world in which every change of staffing comes ten minutes late."""
    roster = desk.policy.front_roster + np.array([10 * MINUTE, 0.0])
    return desk._replace(policy=desk.policy._replace(front_roster=roster))


def test_desk__that_opens_ten_minutes_late_is_caught() -> None:
    """The gates see a roster that is kept with a delay."""
    assert caught(hours_gates, ten_minutes_late)
