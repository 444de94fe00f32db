"""Event logs by customer, and the moment at which two of them part."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from churnsim.engines.outcome import Outcome
from churnsim.memory import Need, check_memory
from churnsim.records import Floats, Integers
from churnsim.simulation import with_events

# An event as it is logged (5 numbers of 8 bytes), sorted, and while it is being sorted.
BYTES_OF_EVENT = 3 * 5 * 8


class Log(NamedTuple):
    """Events in order; of one customer, or of all, customer by customer.

    All arrays have shape (n_events,).
    """

    customers: Integers
    times: Floats  # [days]
    events: Integers  # an Event
    words: Integers  # the episode's address, or the cause where the event has one
    values: Floats  # grievance [log-odds]; of LEAVING, when [days]


def log_of(outcome: Outcome) -> Log:
    """Return the events of a run, which is made again to log them.

    One customer's events are in the order of `Outcome.events`.

    Raises:
        ResourceError: The log would need more memory than there is.
    """
    n_events = int(outcome.books.log_count[0])
    n_people = len(outcome.books.departure)
    check_memory(Need(n_people, BYTES_OF_EVENT * n_events, 1, 0))
    books = with_events(outcome).books
    order = np.lexsort((books.log_times, books.log_codes[:, 0]))
    codes = books.log_codes[order]
    return Log(
        codes[:, 0], books.log_times[order], codes[:, 1], codes[:, 2],
        books.log_values[order],
    )  # fmt: skip


def events_of(log: Log, customer: int) -> Log:
    """Return one customer's events."""
    start, end = np.searchsorted(log.customers, [customer, customer + 1])
    return Log._make(column[start:end] for column in log)


def parting(a: Log, b: Log) -> int | None:
    """Return the place of the first event at which two lives differ; None: nowhere.

    Events differ in time, kind, episode or grievance, to the last bit. Where one life
    is the beginning of the other, they part at the other's next event.
    """
    return _first(a, b, Log._fields)


def other_course(a: Log, b: Log) -> int | None:
    """Return the place of the first event of another kind or episode; None: nowhere.

    Before it the same things happen in both lives, though perhaps at other times.
    """
    return _first(a, b, ("events", "words"))


def time_of(place: int | None, a: Log, b: Log) -> float:
    """Return when the earlier event at a place of two lives is [days]; nan: nowhere."""
    if place is None:
        return math.nan
    return min(float(log.times[place]) for log in (a, b) if place < len(log.times))


def _first(a: Log, b: Log, columns: Sequence[str]) -> int | None:
    """Return the first place at which one of the columns differs."""
    n = min(len(a.times), len(b.times))
    differs = np.zeros(n, np.bool_)
    for name in columns:
        differs |= getattr(a, name)[:n] != getattr(b, name)[:n]
    if differs.any():
        return int(np.argmax(differs))
    return None if len(a.times) == len(b.times) else n
