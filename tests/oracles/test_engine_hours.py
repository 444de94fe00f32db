"""The engine's front desk over a week of closed nights, against its exact solution."""

import itertools
from typing import NamedTuple

import numpy as np
import pytest
from scipy import integrate

from churnsim.engines.books import Books, Event
from churnsim.records import EVENLY, Floats
from churnsim.variates import exponential
from tests.oracles.birth_death import Callers, Path, Stage, paths
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
# From an hour on: agents, and how busy it is against the mean of the week. Opens at 8
# with too few, is well staffed at noon, and lets most go at 18.
DAY = (
    *((0.0, 0, 0.5), (8.0, 3, 1.25), (12.0, 6, 1.0)),
    *((18.0, 2, 1.0), (20.0, 0, 0.75)),
)
SATURDAY = ((0.0, 0, 0.5), (9.0, 4, 1.25), (13.0, 0, 0.5))
SUNDAY = ((0.0, 0, 0.5),)
DAYS = (DAY,) * 5 + (SATURDAY, SUNDAY)
CHANGES = [
    (24.0 * i + at, n, busy) for i, day in enumerate(DAYS) for at, n, busy in day
]


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


def stages(is_even: bool) -> list[Stage]:
    """Return the times of the week without a change.

    Args:
        is_even: Whether all hours are alike to those who call.
    """
    ends = [change[0] for change in CHANGES[1:]] + [168.0]
    return [
        Stage(at, end, n, 1.0 if is_even else busy)
        for (at, n, busy), end in zip(CHANGES, ends, strict=True)
    ]


def mean_weight() -> float:
    """Return the mean over the week of how busy it is, before it is scaled to 1."""
    return sum((s.end - s.begin) * s.weight for s in stages(False)) / 168.0


def profile() -> Floats:
    """Return the profile in which the mean hour is as busy as CALLERS say.

    Written by hand, not compiled from a scenario: since, weight and busy time before.
    """
    rows = [(at * HOUR, busy) for at, _, busy in CHANGES]
    table = np.array([[at, busy, 0.0] for at, busy in rows])
    width = np.diff(np.append(table[:, 0], WEEK))
    table[:, 1] *= WEEK / (table[:, 1] @ width)
    table[1:, 2] = np.cumsum(table[:, 1] * width)[:-1]
    return table


def world(is_even: bool) -> World:
    """Return the customers and the desk of the exact solution, for one week."""
    calls = calling(
        CALLERS.n_customers,
        CALLERS.call_rate / HOUR,
        0,
        exponential(HOUR / CALLERS.service_rate),
        exponential(HOUR / CALLERS.patience_rate),
    )
    changes = [(at * HOUR, n) for at, n, _ in CHANGES]
    kept = [
        change
        for before, change in itertools.pairwise([changes[-1], *changes])
        if change[1] != before[1]
    ]
    policy = calls.policy._replace(front_roster=np.array(kept, dtype=np.float64))
    market = calls.market
    if not is_even:
        rate = market.ordinary_rate * mean_weight()
        market = market._replace(ordinary_rate=rate, profile=profile())
    spec = calls.spec._replace(horizon=WEEK)
    return calls._replace(market=market, policy=policy, spec=spec)


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


def hours_gates(battery: Battery, change: Change, is_even: bool = True) -> None:
    """Add gates on how many are served, and how many wait, at hours of the weekdays."""
    solved = list(paths(CALLERS, stages(is_even), STEP))
    desk = change(world(is_even))
    people = desk.people(0)
    n = REPLICATIONS if is_even else 3 * REPLICATIONS // 2  # fewer are seen at night
    seen = np.zeros((n, len(WINDOWS), 2))
    for replication in range(n):
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


def profile_gates(battery: Battery, change: Change) -> None:
    """Add the same gates where more call in some hours than in others."""
    hours_gates(battery, change, False)


def test_desk__is_as_busy_as_the_hours_are() -> None:
    """M(t)/M/s(t)+M of a finite source: a profile of calls besides the staffing."""
    engine_battery(profile_gates).check()


def without_profile(desk: World) -> World:
    """Return the world in which as many call at night as by day."""
    return desk._replace(market=desk.market._replace(profile=EVENLY))


@pytest.mark.slow
def test_desk__whose_hours_are_all_alike_is_caught() -> None:
    """The gates see a profile that is ignored."""
    assert caught(profile_gates, without_profile)


def ten_minutes_late(desk: World) -> World:
    """Return the world in which every change of staffing comes ten minutes late."""
    roster = desk.policy.front_roster + np.array([10 * MINUTE, 0.0])
    return desk._replace(policy=desk.policy._replace(front_roster=roster))


def test_desk__that_opens_ten_minutes_late_is_caught() -> None:
    """The gates see a roster that is kept with a delay."""
    assert caught(hours_gates, ten_minutes_late)
