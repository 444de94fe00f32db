"""Thresholds as they are typed: in the unit of the response."""

from __future__ import annotations

import math

from churnsim.analysis.discovery import Target
from churnsim.analysis.finished import Sweep
from churnsim.analysis.responses import Question, unit_of
from churnsim.errors import InputError, Problem
from churnsim.records import MICRO
from churnsim.units import parse_duration, parse_money, parse_share


def target_of(
    sweep: Sweep, question: Question, below: str | None, above: str | None
) -> Target:
    """Return what is looked for; below zero where neither side is given.

    Args:
        sweep: The sweep.
        question: The response.
        below: Such as "$0" or "-$50" of money, "5 %" of shares, "2 h" of times, or a
            number of the response's unit.
        above: As `below`; at most one of both.

    Raises:
        InputError: It cannot be read as an amount of the response.
    """
    kind, currency, _, _ = unit_of(sweep, question.outcome)
    text, field = (above, "above") if above is not None else (below, "below")
    if text is None:
        return Target(0.0, is_below=True)
    return Target(_number(text, kind, currency, field), is_below=field == "below")


def _number(text: str, kind: str, currency: str, field: str) -> float:
    """Return an amount in the response's unit, with a sign before it if need be."""
    bare = text.strip().replace("−", "-")
    sign = -1.0 if bare.startswith("-") else 1.0
    bare = bare.removeprefix("-").strip()
    try:
        number = float(bare)
    except ValueError:
        try:
            number = _measured(bare, kind, currency)
        except InputError as error:
            (problem, *_) = error.problems
            raise InputError(problem._replace(field=field, value=text)) from None
    if not math.isfinite(number):
        raise InputError(Problem("must be finite", field=field, value=text))
    return sign * number


def _measured(text: str, kind: str, currency: str) -> float:
    if kind == "money":
        return parse_money(text, currency) / MICRO
    if kind == "share":
        return parse_share(text)
    if kind == "days":
        return parse_duration(text)
    raise InputError(Problem("must be a number", value=text))
