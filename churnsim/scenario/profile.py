"""The profile of the week: when customers turn up, against the mean of all hours."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from churnsim.scenario.measures import SchemaDict, read_number, refuse
from churnsim.scenario.week import (
    MINUTES_IN_DAY,
    MINUTES_IN_WEEK,
    STRETCHES_MAX,
    Stretch,
    check_apart,
    read_stretch,
)

WEIGHT_MAX = 1e6
EXAMPLE = "Mon-Fri 08:00-12:00: 3"


class Weighted(NamedTuple):
    """The same hours on some days of the week, and how many turn up then."""

    hours: Stretch
    weight: float  # against the other hours [-]

    def __str__(self) -> str:
        """Return it as it would be written."""
        return f"{self.hours}: {self.weight!r}"


class Profile(NamedTuple):
    """Hours and their weights; at other hours nobody turns up. None: all are alike."""

    parts: tuple[Weighted, ...] = ()


PROFILE_SCHEMA: SchemaDict = {
    "type": "array",
    "items": {"type": "string", "examples": [EXAMPLE]},
    "maxItems": STRETCHES_MAX,
    "examples": [[EXAMPLE, "Mon-Fri 12:00-20:00: 2", "Sat 10:00-14:00: 1"]],
}


def read_profile(value: object, currency: str) -> Profile:
    """Return when customers turn up.

    Raises:
        PydanticCustomError: It is no list of weighted hours; they overlap; or nobody
            ever turns up.
    """
    if not isinstance(value, list):
        refuse(f'must be a list of hours with their weights, such as ["{EXAMPLE}"]')
    if len(value) > STRETCHES_MAX:
        refuse(f"must be at most {STRETCHES_MAX} hours with their weights")
    parts = tuple(_weighted(item, currency) for item in value)
    check_apart(((part.hours, str(part)) for part in parts), "hours")
    if parts and not any(part.weight for part in parts):
        refuse("must have an hour at which customers turn up, with a weight above 0")
    return Profile(parts)


def write_profile(value: Profile, _: str) -> object:
    """Return a profile as it would be written."""
    return [str(part) for part in value.parts]


def weights_of(profile: Profile) -> list[tuple[int, Fraction]]:
    """Return the changes of a week: the minute, and the weight from then on.

    Weights are scaled to a mean of 1 over the week, exactly.
    """
    begins: dict[int, Fraction] = {}
    ends = set()
    total = Fraction(0)
    for hours, weight in profile.parts:
        exact = Fraction(repr(weight))
        for day in hours.days:
            since = day * MINUTES_IN_DAY
            begins[since + hours.begin] = exact
            ends.add((since + hours.end) % MINUTES_IN_WEEK)
            total += exact * (hours.end - hours.begin)
    nobody = {minute: Fraction(0) for minute in ends - begins.keys()}
    scale = Fraction(MINUTES_IN_WEEK) / total if total else Fraction(1)
    return sorted((minute, w * scale) for minute, w in (begins | nobody).items())


def _weighted(item: object, currency: str) -> Weighted:
    """Return hours with their weight.

    Raises:
        PydanticCustomError: It is none.
    """
    hours, rest = read_stretch(item, "hours with their weights", EXAMPLE)
    try:
        number = float(rest)
    except ValueError:
        refuse(f'must end in a number, such as "{EXAMPLE}", and "{item}" does not')
    weight = read_number(number, currency)
    if not 0 <= weight <= WEIGHT_MAX:
        refuse(f'must have weights in [0, {WEIGHT_MAX:,.0f}], and "{item}" does not')
    return Weighted(hours, weight + 0.0)
