"""What is kept of a run: by shift, who joined, and who was handled in time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from churnsim.engines.books import (
    MICROSECONDS,
    TARGET_WAIT,
    Books,
    Event,
    Messages,
    Tally,
)
from churnsim.engines.outcome import Outcome
from churnsim.experiment.staffing.shifts import CLOSED, Shifts
from churnsim.experiment.workers import Keep
from churnsim.mechanisms.hours import HOURS_IN_DAY, HOURS_IN_WEEK, MILLISECOND, WEEK
from churnsim.memory import Need, check_memory
from churnsim.records import FRONT_DESK, Floats, Integers, Population
from churnsim.simulation import with_events

BYTES_OF_EVENT = 40  # in the log: two floats, three integers


class Counted(NamedTuple):
    """What is kept of a run."""

    joined: Integers  # (n_shifts + 1,) the line of the front desk; last: in all
    in_time: Integers  # (n_shifts + 1,) of these, handled within the target's time
    revenue: int  # [micro-units]
    contribution: int  # [micro-units]


class Measured(NamedTuple):
    """What one run at the present staffing tells of the load of the front desk."""

    n_customers: int  # at the start
    arrivals: Integers  # (n_shifts, HOURS_IN_WEEK) calls, and messages answered there
    handle: float | None  # mean [days]; None: nobody was handled


class Visits(NamedTuple):
    """All calls that joined the line of the front desk, customer by customer."""

    joined_at: Floats  # [days]
    wait: Floats  # [days] until handled; inf: gave up, or waits at the horizon


def visits_of(books: Books) -> Visits:
    """Return the calls to the front desk that a log tells of.

    A customer's entries stand in the order in which they happened, so what follows a
    joining is its end. Messages have another entry, and no service level.
    """
    events = books.log_codes[:, 1]
    is_joining = events == Event.JOINED_FRONT
    told = is_joining | (events == Event.HANDLED) | (events == Event.PATIENCE_SPENT)
    kept = np.flatnonzero(told)
    order = kept[np.argsort(books.log_codes[kept, 0], kind="stable")]
    joins: NDArray[np.bool_] = is_joining[order]
    customers, times = books.log_codes[order, 0], books.log_times[order]
    is_handled = np.zeros(len(order), np.bool_)
    is_handled[:-1] = (events[order[1:]] == Event.HANDLED) & (
        customers[1:] == customers[:-1]
    )
    wait = np.full(len(order), np.inf)
    wait[:-1][is_handled[:-1]] = np.diff(times)[is_handled[:-1]]
    return Visits(times[joins], wait[joins])


def counting(shifts: Shifts, within: float, _: Population) -> Keep[Counted]:
    """Return what keeps a replication's runs, whoever its customers are.

    Args:
        shifts: Of the front desk.
        within: The target's time [days].
    """

    def keep(_: str, outcome: Outcome) -> Counted:
        joined, in_time = _counts(outcome, shifts, within)
        totals = outcome.totals
        return Counted(joined, in_time, totals.revenue, totals.contribution)

    return keep


def measuring(shifts: Shifts, people: Population) -> Keep[Measured]:
    """Return what measures the load of a run; see `counting`."""

    def keep(_: str, outcome: Outcome) -> Measured:
        books, plan = _logged(outcome), outcome.plan
        counts = books.tally[[Tally.FRONT_HANDLED, Tally.FRONT_BUSY]]
        joins = [Event.JOINED_FRONT]
        if plan.policy.message_agents == FRONT_DESK and len(books.messages):
            counts = counts + books.messages[[Messages.HANDLED, Messages.BUSY]]
            joins.append(Event.WROTE)
        times = books.log_times[np.isin(books.log_codes[:, 1], joins)]
        shift = shifts.at(times, plan.into_week)
        hours = np.mod(times + (plan.into_week + MILLISECOND), WEEK) * HOURS_IN_DAY
        hour = np.minimum(hours.astype(np.int64), HOURS_IN_WEEK - 1)
        is_on = shift != CLOSED
        arrivals = np.zeros((len(shifts.names), HOURS_IN_WEEK), np.int64)
        np.add.at(arrivals, (shift[is_on], hour[is_on]), 1)
        handled, busy = counts.tolist()
        return Measured(
            people.n_customers,
            arrivals,
            busy / MICROSECONDS / handled if handled else None,
        )

    return keep


def _logged(outcome: Outcome) -> Books:
    """Return the books of a run with its log.

    Raises:
        ResourceError: It would need more memory than there is.
    """
    n_bytes = BYTES_OF_EVENT * int(outcome.books.log_count[0])
    check_memory(Need(len(outcome.population.arrival), n_bytes, 1, 0))
    return with_events(outcome).books


def _counts(
    outcome: Outcome, shifts: Shifts, within: float
) -> tuple[Integers, Integers]:
    """Return how many joined and were handled in time, by shift and in all.

    The dashboard's own time, 20 seconds, is counted in the books of every run; without
    shifts no log is needed for it.
    """
    n_shifts = len(shifts.names)
    if within == TARGET_WAIT and n_shifts == 1 and not len(shifts.begins):
        both = (Tally.FRONT_JOINED, Tally.WITHIN_TARGET)
        joined, in_time = (np.full(2, outcome.tally(tally)) for tally in both)
        return joined, in_time
    visits = visits_of(_logged(outcome))
    shift = shifts.at(visits.joined_at, outcome.plan.into_week)
    is_in_time = visits.wait <= within
    return _by_shift(shift, n_shifts), _by_shift(shift[is_in_time], n_shifts)


def _by_shift(shift: Integers, n_shifts: int) -> Integers:
    counts = np.bincount(shift[shift != CLOSED], minlength=n_shifts)
    return np.append(counts, len(shift))
