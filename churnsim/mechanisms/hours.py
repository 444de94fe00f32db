"""The hours of a desk: when its staffing changes, when it is open, and the week.

A roster repeats every week. Its changes are numbered through time: number i is row
i mod n of week i div n, counted from the week in which time 0 lies.
"""

import itertools
import math
from typing import NamedTuple

from churnsim.jit import mechanism
from churnsim.mechanisms.leaving import FOREVER
from churnsim.records import ROUND_THE_CLOCK, Floats, Plan, RosterColumn

WEEK = 7.0  # [days]
HOURS_IN_WEEK = 168
HOURS_IN_DAY = 24.0
SINCE = RosterColumn.SINCE.value
STAFFED = RosterColumn.STAFFED.value
MILLISECOND = 1.0 / 86_400_000.0  # [days]


class Hours(NamedTuple):
    """How a desk is staffed: by a number, or by a roster if it has any change."""

    n_servers: int
    roster: Floats = ROUND_THE_CLOCK
    into_week: float = 0.0  # of time 0 [days]

    @property
    def n_seats(self) -> int:
        """Return the most servers there ever are."""
        has_roster = len(self.roster) > 0
        return int(self.roster[:, STAFFED].max()) if has_roster else self.n_servers


def front_hours(plan: Plan) -> Hours:
    """Return how the front desk is staffed."""
    return Hours(plan.policy.agents, plan.policy.front_roster, plan.into_week)


def back_hours(plan: Plan) -> Hours:
    """Return how the back desk is staffed."""
    return Hours(plan.policy.supervisors, plan.policy.back_roster, plan.into_week)


def message_hours(plan: Plan) -> Hours:
    """Return how the message desk is staffed: by nobody, where there is none."""
    policy = plan.policy
    return Hours(max(0, policy.message_agents), policy.message_roster, plan.into_week)


@mechanism
def change_moment(roster: Floats, into_week: float, number: int) -> float:
    """Return when a change takes place [days]; before 0, if it has already."""
    week = number // roster.shape[0]
    row = number - week * roster.shape[0]
    return float(week * WEEK + roster[row, SINCE] - into_week)


@mechanism
def staffed_from(roster: Floats, number: int) -> int:
    """Return the servers from a change on, up to the next; −1 is last week's last."""
    return int(roster[number % roster.shape[0], STAFFED])


@mechanism
def next_change(roster: Floats, into_week: float, now: float) -> int:
    """Return the number of the first change after `now`."""
    weeks = int(math.floor((now + into_week) / WEEK)) - 1  # a rounding may be lost
    number = weeks * roster.shape[0] if weeks > 0 else 0
    while change_moment(roster, into_week, number) <= now:
        number += 1
    return number


@mechanism
def is_closed(roster: Floats, into_week: float, now: float) -> bool:
    """Return whether nobody is at a desk; one without a roster is never closed."""
    if roster.shape[0] == 0:
        return False
    return staffed_from(roster, next_change(roster, into_week, now) - 1) == 0


@mechanism
def opening(roster: Floats, into_week: float, now: float) -> float:
    """Return when a desk that is closed `now` opens [days]."""
    number = next_change(roster, into_week, now)
    for later in range(number, number + roster.shape[0]):
        if staffed_from(roster, later) > 0:
            return change_moment(roster, into_week, later)
    return FOREVER


@mechanism
def hour_of_week(into_week: float, now: float) -> int:
    """Return the hour of the week in which `now` lies, from 0 (Monday 00:00).

    The last millisecond of an hour counts to the next, in which a moment lies that is
    meant to be full and was rounded down.
    """
    days = now + into_week + MILLISECOND
    hours = (days - WEEK * math.floor(days / WEEK)) * HOURS_IN_DAY
    hour = int(math.floor(hours))
    return hour if hour < HOURS_IN_WEEK else HOURS_IN_WEEK - 1


def staffed_time(hours: Hours, until: float) -> float:
    """Return the servers' time on duty from time 0 `until` a moment [server-days]."""
    n_servers, roster, into_week = hours
    if not len(roster):
        return n_servers * until
    number, since, total = next_change(roster, into_week, 0.0), 0.0, 0.0
    while since < until:
        at = min(change_moment(roster, into_week, number), until)
        total += staffed_from(roster, number - 1) * (at - since)
        number, since = number + 1, at
    return total


def staffed_hours(hours: Hours) -> list[float]:
    """Return the mean number of servers on duty in each hour of the week, to 1e-6."""
    monday = hours._replace(into_week=0.0)
    edges = [hour / HOURS_IN_DAY for hour in range(HOURS_IN_WEEK + 1)]
    upto = [staffed_time(monday, edge) for edge in edges]
    return [
        round((after - before) * HOURS_IN_DAY, 6)
        for before, after in itertools.pairwise(upto)
    ]
