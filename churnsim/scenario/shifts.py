"""Shifts: who staffs a desk at which hours of the week.

A roster is a list of texts such as "Mon-Fri 09:00-17:00: 12 agents". Hours without a
shift are closed.
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
from churnsim.scenario.week import (
    MINUTES_IN_DAY,
    MINUTES_IN_WEEK,
    STRETCHES_MAX,
    Stretch,
    check_apart,
    read_stretch,
)

SHIFTS_MAX = STRETCHES_MAX
EXAMPLE = "Mon-Fri 09:00-17:00: 12"

_STAFF = re.compile(
    r"(?P<staff>\d[^a-z]*(?:per\s+1[,_]?000)?)"
    r"\s*(?:agents?|supervisors?|people|person|seats?)?",
    re.IGNORECASE,
)


class Shift(NamedTuple):
    """The same hours on some days of the week, and who works them."""

    hours: Stretch
    staff: Staff

    def __str__(self) -> str:
        """Return the shift as it would be written."""
        return f"{self.hours}: {write_staff(self.staff, '')}"


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
    check_apart(((shift.hours, str(shift)) for shift in shifts), "shifts")
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
        for day in shift.hours.days:
            since = day * MINUTES_IN_DAY
            begins[since + shift.hours.begin] = shift.staff
            ends.add((since + shift.hours.end) % MINUTES_IN_WEEK)
    nobody = {minute: Staff(0, None) for minute in ends - begins.keys()}
    return sorted((begins | nobody).items())


def _shift(item: object, currency: str) -> Shift:
    """Return one shift.

    Raises:
        PydanticCustomError: It is none, or ends before it begins.
    """
    hours, rest = read_stretch(item, "shifts", EXAMPLE)
    match = _STAFF.fullmatch(rest)
    if match is None:
        refuse(f'must be shifts such as "{EXAMPLE}", which this is not: "{item}"')
    text = match["staff"].strip()
    number = int(text) if text.isdecimal() else text
    return Shift(hours, read_staff(number, currency))
