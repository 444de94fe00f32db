"""Shifts: who staffs a desk at which hours of the week.

A roster is a list of texts such as "Mon-Fri 09:00-17:00: 12 agents". Hours without a
shift are closed. Times are kept in minutes, so that no rounding can make two shifts
overlap or part.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from churnsim.scenario.measures import (
    Staff,
    read_staff,
    refuse,
    write_staff,
)

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MINUTES_IN_DAY = 1440
MINUTES_IN_WEEK = 7 * MINUTES_IN_DAY
SHIFTS_MAX = 1000
EXAMPLE = "Mon-Fri 09:00-17:00: 12"

_DAY = r"(?:mon|tue|wed|thu|fri|sat|sun)"
_SHIFT = re.compile(
    rf"\s*(?P<days>daily|{_DAY}(?:\s*-\s*{_DAY})?(?:\s*,\s*{_DAY}(?:\s*-\s*{_DAY})?)*)"
    r"\s+(?P<begin>\d{1,2}:\d{2})\s*-\s*(?P<end>\d{1,2}:\d{2})"
    r"\s*:\s*(?P<staff>\d[^a-z]*(?:per\s+1[,_]?000)?)"
    r"\s*(?:agents?|supervisors?|people|person|seats?)?\s*",
    re.IGNORECASE,
)


class Shift(NamedTuple):
    """The same hours on some days of the week, and who works them."""

    days: tuple[int, ...]  # 0: Monday
    begin: int  # [minutes since midnight]
    end: int  # [minutes since midnight], above begin; 1440: midnight
    staff: Staff

    def __str__(self) -> str:
        """Return the shift as it would be written."""
        days = ",".join(_runs(self.days))
        hours = f"{_clock(self.begin)}-{_clock(self.end)}"
        return f"{days} {hours}: {write_staff(self.staff, '')}"


class Roster(NamedTuple):
    """The shifts of a desk; nobody is there at other hours."""

    shifts: tuple[Shift, ...]


def read_staffing(value: object, currency: str) -> Staff | Roster:
    """Return the people of a desk: a number round the clock, or shifts."""
    if not isinstance(value, list):
        is_text = isinstance(value, str)
        if is_text and ":" in str(value):
            refuse(f'must be a list, where it is by the hour, such as ["{EXAMPLE}"]')
        return read_staff(value, currency)
    if len(value) > SHIFTS_MAX:
        refuse(f"must be at most {SHIFTS_MAX} shifts")
    shifts = tuple(_shift(item, currency) for item in value)
    taken: dict[int, tuple[Shift, int]] = {}  # by minute of the week at which it begins
    for shift in shifts:
        for day in shift.days:
            _take(taken, shift, day)
    if not any(shift.staff.number or shift.staff.per_thousand for shift in shifts):
        refuse("must have an hour at which somebody is there; 0 alone means nobody")
    return Roster(shifts)


def write_staffing(value: Staff | Roster, currency: str) -> object:
    """Return the staffing of a desk as it would be written."""
    if isinstance(value, Staff):
        return write_staff(value, currency)
    return [str(shift) for shift in value.shifts]


def staffing_schema(staff: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON Schema of a desk's staffing, given that of a number."""
    shifts = {
        "type": "array",
        "items": {"type": "string", "examples": [EXAMPLE]},
        "minItems": 1,
        "maxItems": SHIFTS_MAX,
        "examples": [[EXAMPLE, "Sat 10:00-14:00: 4"]],
    }
    return {"anyOf": [*staff["anyOf"], shifts]}


def changes_of(roster: Roster) -> list[tuple[int, Staff]]:
    """Return the changes of staffing in a week: the minute, and who is there then."""
    begins: dict[int, Staff] = {}
    ends = set()
    for shift in roster.shifts:
        for day in shift.days:
            begins[day * MINUTES_IN_DAY + shift.begin] = shift.staff
            ends.add((day * MINUTES_IN_DAY + shift.end) % MINUTES_IN_WEEK)
    nobody = {minute: Staff(0, None) for minute in ends - begins.keys()}
    return sorted((begins | nobody).items())


def _shift(item: object, currency: str) -> Shift:
    """Return one shift.

    Raises:
        PydanticCustomError: It is none, or ends before it begins.
    """
    match = _SHIFT.fullmatch(item) if isinstance(item, str) else None
    if match is None:
        refuse(f'must be shifts such as "{EXAMPLE}", which this is not: "{item}"')
    begin, end = (_minute(match[name], str(item)) for name in ("begin", "end"))
    if begin >= end:
        late = "one to 24:00, and on the next day one from 00:00"
        refuse(
            f'must end after it begins, and "{item}" does not; over midnight: {late}'
        )
    if begin >= MINUTES_IN_DAY:
        refuse(f'must begin before 24:00, and "{item}" does not')
    text = match["staff"].strip()
    number = int(text) if text.isdecimal() else text
    return Shift(_days(match["days"]), begin, end, read_staff(number, currency))


def _take(taken: dict[int, tuple[Shift, int]], shift: Shift, day: int) -> None:
    """Note that a shift takes its minutes of a day, or refuse it.

    Raises:
        PydanticCustomError: Another shift has some of them already.
    """
    begin, end = (day * MINUTES_IN_DAY + at for at in (shift.begin, shift.end))
    for other_begin, (other, other_end) in taken.items():
        if begin < other_end and other_begin < end:
            shown = f'"{other}" and "{shift}" on {DAYS[day]}'
            refuse(f"must be shifts that do not overlap: {shown}")
    taken[begin] = (shift, end)


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
