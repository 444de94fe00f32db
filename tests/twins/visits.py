"""Visits to a desk, put together from the event log: who joined, when, what then."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from churnsim.engines.books import Books, Event
from churnsim.records import Cause, Floats
from tests.twins.comparing import log_of, moments


class Visit(NamedTuple):
    """One visit to a desk; moments that did not come are infinite."""

    customer: int
    joined_at: float  # [days]
    started_at: float = math.inf  # in service [days]
    gave_up_at: float = math.inf  # patience or endurance spent [days]
    ended_at: float = math.inf  # service [days]

    @property
    def waited_until(self) -> float:
        """Return when the wait ended, either way [days]."""
        return min(self.started_at, self.gave_up_at)


def front_visits(books: Books) -> list[Visit]:
    """Return the visits to the front desk in the order of joining."""
    return _visits(
        books,
        {
            Event.JOINED_FRONT: "joined_at",
            Event.HANDLED: "started_at",
            Event.PATIENCE_SPENT: "gave_up_at",
            Event.CONTACT_ENDED: "ended_at",
        },
    )


def back_visits(books: Books) -> list[Visit]:
    """Return the visits to the back desk in the order of joining."""
    return _visits(
        books,
        {
            Event.JOINED_BACK: "joined_at",
            Event.TAKEN_UP: "started_at",
            Event.CLOSED: "gave_up_at",
            Event.APPROVED: "ended_at",
        },
    )


def column(visits: list[Visit], name: str) -> Floats:
    """Return one moment of all visits [days]."""
    return np.array([getattr(visit, name) for visit in visits], dtype=np.float64)


def _visits(books: Books, fields: Mapping[int, str]) -> list[Visit]:
    visits: list[Visit] = []
    latest: dict[int, int] = {}
    for at, customer, event, word, _ in moments(log_of(books)):
        field = fields.get(event)
        if field is None or (event == Event.CLOSED and word != Cause.SLOW):
            continue
        if field == "joined_at":
            latest[customer] = len(visits)
            visits.append(Visit(customer, at))
        else:
            i = latest[customer]
            values: dict[str, Any] = {field: at}
            visits[i] = visits[i]._replace(**values)
    return visits
