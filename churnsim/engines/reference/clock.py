"""The clock of the reference engine: SimPy's, with moments of customers on it.

SimPy orders events by (time, priority, sequence). A customer's moments take the
customer's number as priority, so events at one instant go to the lower number, after
changes of staffing. SimPy's own events (a request granted, a condition met) keep their
priorities 0 and 1, below all others, and are done with before the next customer's
moment at that instant.
"""

from __future__ import annotations

import heapq

import simpy

NOBODY = -1  # whose moments the changes of staffing are
AFTER_SIMPY = 3  # priority of customer 0; NOBODY comes before, SimPy's own are 0 and 1


class Clock(simpy.Environment):
    """A SimPy environment in which an event can be set for a moment, not a delay.

    A delay would be added to the present time and could miss the moment by a rounding.
    """

    def moment(self, customer: int, at: float) -> simpy.Event:
        """Return an event that happens to a customer at a given time."""
        event = simpy.Event(self)
        event._ok, event._value = True, None  # noqa: SLF001 - as SimPy's Timeout does
        entry = (at, AFTER_SIMPY + customer, next(self._eid), event)
        heapq.heappush(self._queue, entry)  # type: ignore[misc]  # any int is fine
        return event
