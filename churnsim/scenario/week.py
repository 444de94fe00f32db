"""Hours of the week as they are written: "Mon-Fri 09:00-17:00: 12".

Times are kept in minutes, so that no rounding can make two stretches of time overlap
or part.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from churnsim.scenario.measures import refuse

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MINUTES_IN_DAY = 1440
MINUTES_IN_WEEK = 7 * MINUTES_IN_DAY
STRETCHES_MAX = 1000

_DAY = r"(?:mon|tue|wed|thu|fri|sat|sun)"
_STRETCH = re.compile(
    rf"\s*(?P<days>daily|{_DAY}(?:\s*-\s*{_DAY})?(?:\s*,\s*{_DAY}(?:\s*-\s*{_DAY})?)*)"
    r"\s+(?P<begin>\d{1,2}:\d{2})\s*-\s*(?P<end>\d{1,2}:\d{2})"
    r"\s*:\s*(?P<rest>.*?)\s*",
    re.IGNORECASE,
)


class Stretch(NamedTuple):
    """The same hours on some days of the week."""

    days: tuple[int, ...]  # 0: Monday
    begin: int  # [minutes since midnight]
    end: int  # [minutes since midnight], above begin; 1440: midnight

    def __str__(self) -> str:
        """Return the hours as they would be written."""
        return f"{','.join(_runs(self.days))} {_clock(self.begin)}-{_clock(self.end)}"


def read_stretch(item: object, thing: str, example: str) -> tuple[Stretch, str]:
    """Return hours of the week, and what is written after them.

    Args:
        item: As it was written.
        thing: What such items are, in the plural.
        example: One of them.

    Raises:
        PydanticCustomError: It is none, or ends before it begins.
    """
    match = _STRETCH.fullmatch(item) if isinstance(item, str) else None
    if match is None:
        refuse(f'must be {thing} such as "{example}", which this is not: "{item}"')
    begin, end = (_minute(match[name], str(item)) for name in ("begin", "end"))
    if begin >= end:
        late = "one to 24:00, and on the next day one from 00:00"
        refuse(
            f'must end after it begins, and "{item}" does not; over midnight: {late}'
        )
    if begin >= MINUTES_IN_DAY:
        refuse(f'must begin before 24:00, and "{item}" does not')
    return Stretch(_days(match["days"]), begin, end), match["rest"]


def check_apart(stretches: Iterable[tuple[Stretch, str]], thing: str) -> None:
    """Refuse stretches of time that overlap.

    Args:
        stretches: With the text that each is shown as.
        thing: What they are, in the plural.

    Raises:
        PydanticCustomError: Two have a minute in common.
    """
    taken: dict[int, tuple[str, int]] = {}  # by minute of the week at which it begins
    for stretch, shown in stretches:
        for day in stretch.days:
            since = day * MINUTES_IN_DAY
            begin, end = since + stretch.begin, since + stretch.end
            for other_begin, (other, other_end) in taken.items():
                if begin < other_end and other_begin < end:
                    both = f'"{other}" and "{shown}" on {DAYS[day]}'
                    refuse(f"must be {thing} that do not overlap: {both}")
            taken[begin] = (shown, end)


def _minute(text: str, item: str) -> int:
    hours, minutes = map(int, text.split(":"))
    if minutes > 59 or 60 * hours + minutes > MINUTES_IN_DAY:
        refuse(f'must have times from 00:00 to 24:00, and "{item}" does not')
    return 60 * hours + minutes


def _days(text: str) -> tuple[int, ...]:
    """Return the days of a text such as "Mon-Wed,Sat", in the order of the week."""
    if text.lower() == "daily":
        return tuple(range(len(DAYS)))
    days = set()
    for part in text.split(","):
        first, _, last = (name.strip().capitalize() for name in part.partition("-"))
        since = DAYS.index(first)
        n_days = (DAYS.index(last or first) - since) % len(DAYS) + 1
        days |= {(since + i) % len(DAYS) for i in range(n_days)}
    return tuple(sorted(days))


def _runs(days: tuple[int, ...]) -> list[str]:
    """Return days as texts, those that follow each other as one."""
    runs: list[list[int]] = []
    for day in days:
        if runs and day == runs[-1][-1] + 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return [
        DAYS[run[0]] if len(run) == 1 else f"{DAYS[run[0]]}-{DAYS[run[-1]]}"
        for run in runs
    ]


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
