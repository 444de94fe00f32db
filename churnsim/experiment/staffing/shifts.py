"""The shifts of the front desk: what is staffed, and which of them a contact joins in.

A shift is one entry of the roster, such as "Mon-Fri 09:00-17:00: 12"; a desk that is
staffed round the clock has one. Hours that nobody works are no shift.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from churnsim.mechanisms.hours import HOURS_IN_WEEK, MILLISECOND, WEEK
from churnsim.records import Floats, Integers
from churnsim.scenario.compile import staff_number
from churnsim.scenario.measures import Staff
from churnsim.scenario.policy import Policy
from churnsim.scenario.shifts import Roster, Shift
from churnsim.scenario.week import MINUTES_IN_DAY

ALWAYS = "round the clock"
CLOSED = -1  # no shift
MINUTES_IN_HOUR = 60


class Shifts(NamedTuple):
    """The shifts of a desk, and their hours by the minute of the week."""

    names: tuple[str, ...]  # their hours, as they would be written
    present: tuple[int, ...]  # agents
    begins: Floats  # (n_stretches,) [minutes], rising; none: round the clock
    ends: Floats  # (n_stretches,) [minutes]
    shift: Integers  # (n_stretches,) which one it belongs to

    def at(self, times: Floats, into_week: float) -> Integers:
        """Return the shift at each of some moments, or CLOSED.

        The last millisecond of an hour counts to the next, as in the books by hour.

        Args:
            times: [days], shape (n,).
            into_week: Of time 0 [days].
        """
        if not len(self.begins):
            return np.zeros(len(times), np.int64)
        minutes = np.mod(times + (into_week + MILLISECOND), WEEK) * MINUTES_IN_DAY
        place = np.searchsorted(self.begins, minutes, side="right") - 1
        is_on = (place >= 0) & (minutes < self.ends[place])
        return np.where(is_on, self.shift[place], CLOSED)

    def worked(self) -> Floats:
        """Return the share of each hour of the week that a shift works.

        Shape (n_shifts, HOURS_IN_WEEK).
        """
        if not len(self.begins):
            return np.ones((1, HOURS_IN_WEEK))
        edges = np.arange(HOURS_IN_WEEK + 1) * MINUTES_IN_HOUR
        found = np.zeros((len(self.names), HOURS_IN_WEEK))
        stretches = zip(self.begins, self.ends, self.shift, strict=True)
        for begin, end, shift in stretches:
            upto = np.clip(edges, begin, end)
            found[shift] += np.diff(upto) / MINUTES_IN_HOUR
        return found


def shifts_of(policy: Policy, n_customers: int) -> Shifts:
    """Return the shifts of a policy's front desk.

    Args:
        policy: Says who works when.
        n_customers: At the start, which staff "per 1000" is of.
    """
    staffing = policy.speed.agents
    if isinstance(staffing, Staff):
        nothing = np.zeros(0)
        number = staff_number(staffing, n_customers)
        return Shifts((ALWAYS,), (number,), nothing, nothing, np.zeros(0, np.int64))
    worked = [s for s in staffing.shifts if _is_worked(s)]
    stretches = sorted(
        (
            day * MINUTES_IN_DAY + shift.hours.begin,
            day * MINUTES_IN_DAY + shift.hours.end,
            i,
        )
        for i, shift in enumerate(worked)
        for day in shift.hours.days
    )
    begins, ends, places = (np.array(column) for column in zip(*stretches, strict=True))
    return Shifts(
        tuple(str(shift.hours) for shift in worked),
        tuple(staff_number(shift.staff, n_customers) for shift in worked),
        begins.astype(np.float64),
        ends.astype(np.float64),
        places.astype(np.int64),
    )


def with_agents(policy: Policy, agents: Sequence[int]) -> Policy:
    """Return a policy with so many agents in each shift of its front desk.

    Args:
        policy: Whose hours they work.
        agents: By shift, in the order of `shifts_of`.
    """
    staffing = policy.speed.agents
    staffed: Staff | Roster
    if isinstance(staffing, Staff):
        staffed = Staff(agents[0], None)
    else:
        left = iter(agents)
        staffed = Roster(
            tuple(
                shift._replace(staff=Staff(next(left), None))
                if _is_worked(shift)
                else shift
                for shift in staffing.shifts
            )
        )
    speed = policy.speed.model_copy(update={"agents": staffed})
    return policy.model_copy(update={"speed": speed})


def _is_worked(shift: Shift) -> bool:
    return bool(shift.staff.number or shift.staff.per_thousand)
