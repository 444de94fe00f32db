"""Which settings hold one another, however they are spelt."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from churnsim.scenario.model import Spec

Path = tuple[str, ...]


def is_overlapping(first: Path, second: Path) -> bool:
    """Return whether two paths are one, or one lies inside what the other sets."""
    shorter = min(len(first), len(second))
    return first[:shorter] == second[:shorter]


def path_of(spec: Spec, key: str) -> Path:
    """Return the steps of a dotted key, the items of arrays by their number.

    `mistakes.billing.sting` and `mistakes.1.sting` are one setting. Where the scenario
    has no such step, it stays as it is spelt.
    """
    try:
        table: Any = tomllib.loads(f"{key} = 0")
    except tomllib.TOMLDecodeError:
        return (key,)
    value: Any = spec
    path: list[str] = []
    while isinstance(table, dict):
        name, table = next(iter(table.items()))
        value, step = _below(value, name)
        path.append(step)
    return tuple(path)


def _below(value: Any, name: str) -> tuple[Any, str]:
    """Return what lies under a name, and the one word for the step."""
    if isinstance(value, BaseModel):
        return getattr(value, name, None), name
    if isinstance(value, Mapping):
        return value.get(name), name
    if isinstance(value, Sequence) and not isinstance(value, str):
        names = [getattr(item, "name", None) for item in value]
        if name in names:
            place = names.index(name)
            return value[place], str(place + 1)
        if name.isdecimal() and len(name) < 6 and 1 <= int(name) <= len(value):
            return value[int(name) - 1], str(int(name))
    return None, name
