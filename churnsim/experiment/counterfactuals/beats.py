"""Two lives beside each other: what happens at one time in each world."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple


class Moment(NamedTuple):
    """An event of the event log, and what it is in words."""

    time: float  # [days]
    event: str  # a name of Event, in lower case
    episode: int  # as logged: the episode's address, or a cause
    grievance: float  # as logged [log-odds]
    text: str


class Beat(NamedTuple):
    """What happens at one time in each world."""

    time: float  # [days]
    texts: tuple[str, str]  # "" where nothing happens
    places: tuple[int, int]  # of the moments in their lives; -1 where nothing happens


def merged(a: Sequence[Moment], b: Sequence[Moment]) -> Iterator[Beat]:
    """Yield the moments of both lives in time, those of one time beside each other."""
    i = j = 0
    while i < len(a) or j < len(b):
        is_a = i < len(a) and (j == len(b) or a[i].time <= b[j].time)
        is_b = j < len(b) and (i == len(a) or b[j].time <= a[i].time)
        texts = (a[i].text if is_a else "", b[j].text if is_b else "")
        places = (i if is_a else -1, j if is_b else -1)
        yield Beat(a[i].time if is_a else b[j].time, texts, places)
        i, j = i + is_a, j + is_b
