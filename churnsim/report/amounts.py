"""Figures as people read them: few digits, one unit along a row."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from churnsim.units import format_duration

NOTHING = "no data"
UNDER = "under 1 s"  # of times; finer than that nobody plans
SECOND = 1.0 / 86_400.0  # [days]
DIGITS = 4  # of the largest amount in a row
WHOLE_FROM = 1000.0  # of smaller amounts, cents are shown
_SCALES = ((1e9, " bn"), (1e6, " M"))

Value = float | None


class Scale(NamedTuple):
    """The unit that the amounts of a row share."""

    unit: float
    suffix: str
    n_decimals: int


def scale_of(amounts: Iterable[Value]) -> Scale:
    """Return the unit for a row: from a million on, four digits of the largest."""
    largest = max((abs(a) for a in amounts if a is not None), default=0.0)
    for unit, suffix in _SCALES:
        if largest >= unit:
            n_before = math.floor(math.log10(largest / unit)) + 1
            return Scale(unit, suffix, max(0, DIGITS - n_before))
    return Scale(1.0, "", 0 if largest >= WHOLE_FROM else 2)


def money_cells(
    amounts: Sequence[Value], currency: str, scale: Scale | None = None
) -> tuple[str, ...]:
    """Return amounts [units of currency] in one unit: "$12.34 M", "$9.87 M"."""
    scale = scale or scale_of(amounts)
    return tuple(
        NOTHING if amount is None else _money(amount, currency, scale)
        for amount in amounts
    )


def count_cells(counts: Sequence[Value]) -> tuple[str, ...]:
    """Return mean counts: whole from 100 on, with a decimal below."""
    largest = max((abs(c) for c in counts if c is not None), default=0.0)
    n_decimals = 0 if largest >= 100 else 1
    return tuple(
        NOTHING if c is None else _unsigned(f"{c:,.{n_decimals}f}") for c in counts
    )


def share_cells(shares: Sequence[Value]) -> tuple[str, ...]:
    """Return shares as percentages with one decimal."""
    return tuple(
        NOTHING if s is None else f"{_unsigned(f'{100.0 * s:.1f}')} %" for s in shares
    )


def point_cells(differences: Sequence[Value]) -> tuple[str, ...]:
    """Return differences of shares as percentage points (pp) with one decimal."""
    return tuple(
        NOTHING if d is None else f"{_unsigned(f'{100.0 * d:.1f}')} pp"
        for d in differences
    )


def duration_cells(durations: Sequence[Value]) -> tuple[str, ...]:
    """Return durations [days], each in its own unit, none finer than a second."""
    return tuple(
        NOTHING if d is None else UNDER if 0.0 < d < SECOND else format_duration(d)
        for d in durations
    )


def _money(amount: float, currency: str, scale: Scale) -> str:
    text = _fixed(amount, scale)
    sign = "-" if text.startswith("-") else ""
    return f"{sign}{currency}{text.removeprefix('-')}{scale.suffix}"


def _fixed(amount: float, scale: Scale) -> str:
    return _unsigned(f"{amount / scale.unit:,.{scale.n_decimals}f}")


def _unsigned(text: str) -> str:
    """Return a number as text, without a sign where it is zero."""
    return text.removeprefix("-") if float(text.replace(",", "")) == 0.0 else text
