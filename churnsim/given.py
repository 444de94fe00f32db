"""What callers give, refused where it cannot be: the rule, the value, the place."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from typing import SupportsIndex, TypeVar

from churnsim.errors import InputError, Problem

T = TypeVar("T")


def refused(field: str, value: object, rule: str, hint: str = "") -> InputError:
    """Return the error about a value that cannot be, `None` as well.

    Args:
        field: What it was given for.
        value: As it was given.
        rule: What must hold.
        hint: The cure.
    """
    told = f"{rule}, not None" if value is None else rule
    return InputError(Problem(told, field=field, value=value, hint=hint))


def whole_number(field: str, value: object, low: int, high: int) -> int:
    """Return a whole number that is within its bounds, numpy's among them.

    Raises:
        InputError: It is not.
    """
    if isinstance(value, bool) or not isinstance(value, SupportsIndex):
        raise refused(field, value, "must be a whole number")
    try:
        number = operator.index(value)
    except TypeError:  # an array of several
        raise refused(field, value, "must be a whole number") from None
    if not low <= number <= high:
        raise refused(field, number, f"must be from {low} to {high}")
    return number


def of_kind(field: str, value: object, kind: type[T], what: str) -> T:
    """Return a value that is of a kind.

    Args:
        field: What it was given for.
        value: As it was given.
        kind: What it must be.
        what: The kind in words, such as "a Search, such as Search(replications=20)".

    Raises:
        InputError: It is of another.
    """
    if not isinstance(value, kind):
        raise refused(field, value, f"must be {what}")
    return value


def chosen(field: str, value: object, known: Iterable[str], hint: str = "") -> str:
    """Return a word that is one of those known.

    Raises:
        InputError: It is none of them.
    """
    words = list(known)
    if not isinstance(value, str) or value not in words:
        raise refused(field, value, f"must be one of {', '.join(words)}", hint)
    return value


def names(field: str, value: object) -> tuple[str, ...]:
    """Return a list of names: at least one.

    Raises:
        InputError: It is none, such as a single name.
    """
    if isinstance(value, str):
        raise refused(field, value, "must be a list of names", f"write [{value!r}]")
    if not isinstance(value, Sequence):
        raise refused(field, value, "must be a list of names")
    if not value:
        raise refused(field, value, "must name at least one; leave it out for all")
    for name in value:
        if not isinstance(name, str):
            raise refused(field, name, "must be a list of names")
    return tuple(value)
