"""A setting as a number: between texts that `--set` takes and what is searched."""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, get_args

from pydantic import BaseModel

from churnsim import units
from churnsim.errors import InputError, Problem
from churnsim.scenario import LEVERS
from churnsim.scenario.files import close_to
from churnsim.scenario.laws import Constant, Exponential
from churnsim.scenario.measures import (
    Contacts,
    Measure,
    PerThousand,
    Staff,
    read_annual,
    read_contacts,
    read_duration,
    read_money,
    read_pay,
    read_prospects,
    read_rate,
    read_share,
)
from churnsim.scenario.model import Spec
from churnsim.scenario.policy import Policy

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SECTIONS = ("market", "mistakes", "unanswered", "strain", "costs", "population")


class Found(NamedTuple):
    """One setting of a scenario."""

    value: Any
    measure: Measure | None  # None: it is no single value
    about: str  # its description


class Lever(NamedTuple):
    """A setting of which one number is searched."""

    field: str  # as it was asked for
    key: str  # as `--set` spells it
    about: str  # its description
    measure: Measure
    is_per_thousand: bool  # it grows with the customers, or contacts with occasions
    is_integer: bool  # kept as one: people, or micro-units of money
    is_whole: bool  # only whole numbers are told: people
    currency: str

    def setting(self, value: float) -> str:
        """Return the text that sets the lever to a value."""
        return json.dumps(self.measure.write(self.exact(value), self.currency))

    def exact(self, value: float) -> Any:
        """Return a value as a scenario holds it."""
        exact: Any = round(value) if self.is_integer else value
        if self.measure.read is read_contacts:
            return (
                Contacts(0.0, value) if self.is_per_thousand else Contacts(value, 0.0)
            )
        if self.is_per_thousand:
            is_rate = self.measure.read is read_prospects
            exact = PerThousand(value) if is_rate else Staff(0, value)
        elif self.is_whole and self.measure.schema.get("type") != "integer":
            exact = Staff(exact, None)
        return exact

    def text(self, value: float) -> str:
        """Return a value for people, with its unit: three digits."""
        if self.is_whole:
            return f"{value:,.0f}"
        year = units.year_days()
        read = self.measure.read
        if read is read_contacts and self.is_per_thousand:
            return f"{value:.3g}/occasion"
        if read is read_prospects:
            grows = " per 1000" if self.is_per_thousand else ""
            return f"{value * year:.3g}/year{grows}"
        if self.is_per_thousand:
            return f"{value:.3g} per 1000"
        if read is read_share:
            return f"{100.0 * value:.3g} %"
        if read is read_annual:
            return f"{100.0 * value:.3g} %/year"
        if read is read_duration:
            return units.format_duration(value) if value else "0 s"
        if read in (read_rate, read_contacts):
            return f"{value * year:.3g}/year"
        if read is read_money:
            return units.format_money(round(value), self.currency)
        if read is read_pay:
            return f"{units.format_money(round(value * year), self.currency)}/year"
        return f"{value:.3g}"


def key_of(field: str, policy: str) -> str:
    """Return how `--set` spells a field of the market or of a policy.

    Raises:
        InputError: There is no such group of settings.
    """
    head = field.partition(".")[0].strip()
    if head in LEVERS:
        name = policy if _BARE.fullmatch(policy) else json.dumps(policy)
        return f"policy.{name}.{field}"
    if head not in (*_SECTIONS, "policy"):
        rule = f"must begin with one of {', '.join((*_SECTIONS, *LEVERS))}"
        hint = _meant(field)
        raise InputError(Problem(rule, field="lever", value=field, hint=hint))
    return field


def setting_of(spec: Spec, key: str) -> Found | None:
    """Return the setting of a dotted key; None where there is none."""
    try:
        table: Any = tomllib.loads(f"{key} = 0")
    except tomllib.TOMLDecodeError:
        return None
    path: list[str] = []
    while isinstance(table, dict):
        name, table = next(iter(table.items()))
        path.append(name)
    return _walk(Found(spec, None, ""), path)


def lever_of(
    field: str, key: str, ends: Sequence[Found], currency: str
) -> tuple[Lever, float, float]:
    """Return a lever with the ends of its range as numbers.

    Args:
        field: As it was asked for.
        key: As `--set` spells it.
        ends: The setting at both ends of the range.
        currency: That amounts are shown with.

    Raises:
        InputError: It is no single number, or the ends are in no order.
    """
    lever = lever_for(field, key, ends, currency)
    low, high = (float(number_of(end.value) or 0.0) for end in ends)
    if not (math.isfinite(low) and math.isfinite(high)):
        rule = "must be finite, to be searched"
        infinite = low if math.isinf(low) else high
        raise InputError(Problem(rule, field="low and high", value=str(infinite)))
    if low >= high:
        rule = f"must be below high, {lever.text(high)}"
        raise InputError(Problem(rule, field="low", value=lever.text(low)))
    return lever, low, high


def lever_for(field: str, key: str, values: Sequence[Found], currency: str) -> Lever:
    """Return a lever from some of the values that it takes.

    Args:
        field: As it was asked for.
        key: As `--set` spells it.
        values: The setting, at least once.
        currency: That amounts are shown with.

    Raises:
        InputError: It is no single number, or numbers of two kinds.
    """
    about, measure = values[0].about, values[0].measure
    numbers = [number_of(value.value) for value in values]
    if measure is None or None in numbers:
        raise not_a_number(field)
    grows = {_grows(value.value) for value in values}
    if len(grows) > 1:
        rule = 'must both be whole or plain numbers, or both such as "2 per 1000"'
        raise InputError(Problem(rule, field="low and high"))
    is_staff = all(isinstance(value.value, Staff) for value in values)
    is_number = measure.schema.get("type") == "integer"
    is_whole = (is_staff and grows == {False}) or is_number
    is_integer = all(isinstance(x, int) for x in numbers)
    return Lever(
        field, key, about, measure, grows == {True}, is_integer, is_whole, currency
    )


def not_a_number(field: str) -> InputError:
    """Return the error about a setting that is no single number."""
    rule = "must be one number: a share, time, rate, amount, or a law's mean"
    hint = "name one part of it, such as speed.approval.mean"
    return InputError(Problem(rule, field="lever", value=field, hint=hint))


def usual_range(found: Found | None) -> tuple[str, str] | None:
    """Return the ends of a share's range; None for any other setting."""
    if found is None or found.measure is None:
        return None
    measure = found.measure
    is_share = measure.read is read_share and (measure.low, measure.high) == (0, 1)
    return ("0", "1") if is_share else None


def number_of(value: object) -> float | int | None:
    """Return the one number of a setting; None where it has none."""
    if isinstance(value, Staff):
        return value.number if value.per_thousand is None else value.per_thousand
    if isinstance(value, PerThousand):
        return value.per_day
    if isinstance(value, Contacts):
        return max(value)  # the other one is 0
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number and isinstance(value, int | float) else None


def _grows(value: object) -> bool:
    """Return whether a setting is one for each 1000 customers, or each occasion."""
    if isinstance(value, Staff):
        return value.per_thousand is not None
    if isinstance(value, Contacts):
        return value.per_occasion > 0.0
    return isinstance(value, PerThousand)


def _meant(field: str) -> str:
    """Return a hint at the settings that end as the field does, or at a near word."""
    head, *rest = field.split(".")
    last = {
        f"{group}.{name}": name
        for owner in (Policy, Spec)
        for group, info in owner.model_fields.items()
        for name in getattr(info.annotation, "model_fields", ())
        if group in (*_SECTIONS, *LEVERS)
    }
    meant = [".".join([key, *rest]) for key, name in last.items() if name == head]
    if meant:
        return f"did you mean {' or '.join(map(repr, meant))}?"
    near = close_to(head, (*_SECTIONS, *LEVERS, *last.values()))
    keys = [key for key, name in last.items() if repr(name) in near]
    return f"did you mean {' or '.join(map(repr, keys))}?" if keys else near


def _walk(found: Found, path: Sequence[str]) -> Found | None:
    """Return what lies at a path; a law that is all in its mean is that mean."""
    value = found.value
    if not path:
        is_mean = isinstance(value, Constant | Exponential)
        return _walk(found, ["mean"]) if is_mean else found
    head, *rest = path
    if isinstance(value, dict):
        return _walk(Found(value[head], None, ""), rest) if head in value else None
    if isinstance(value, tuple):
        names = [getattr(item, "name", "") for item in value]
        index = names.index(head) if head in names else _number(head, len(value))
        return None if index is None else _walk(Found(value[index], None, ""), rest)
    if not isinstance(value, BaseModel) or head not in type(value).model_fields:
        return None
    info = type(value).model_fields[head]
    notes = (*info.metadata, *_notes_in(info.annotation))
    measure = next((note for note in notes if isinstance(note, Measure)), None)
    told = (info.description or "").partition(";")[0].rstrip(".")
    # "Mean." of a law says less than what the law is of.
    about = found.about if hasattr(value, "law") and found.about else told
    return _walk(Found(getattr(value, head), measure, about), rest)


def _notes_in(annotation: object) -> Iterator[object]:
    """Yield what an annotation notes: of what may be absent, within its union.

    In a law of some quantity, older pydantic keeps the measure there, too.
    """
    for part in get_args(annotation):
        yield part
        yield from _notes_in(part)


def _number(text: str, n: int) -> int | None:
    is_item = text.isdecimal() and len(text) < 6 and 1 <= int(text) <= n
    return int(text) - 1 if is_item else None
