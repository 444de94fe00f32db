"""Which settings hold one another, however they are spelt."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from churnsim.errors import Problem
from churnsim.scenario.model import Spec
from churnsim.scenario.nodes import Node, Place

Path = tuple[str, ...]


def is_overlapping(first: Path, second: Path) -> bool:
    """Return whether two paths are one, or one lies inside what the other sets."""
    shorter = min(len(first), len(second))
    return first[:shorter] == second[:shorter]


def overlaps(
    spec: Spec, factors: Sequence[tuple[str, Place]], settings: Mapping[str, Node]
) -> Iterator[Problem]:
    """Yield what is set twice under two names; one name twice is noted elsewhere.

    Args:
        spec: Tells which names are of one setting.
        factors: The fields that are varied, and where each stands.
        settings: What all points share, by dotted key.
    """
    paths = [path_of(spec, field) for field, _ in factors]
    for i, (field, place) in enumerate(factors):
        for j, (other, _) in enumerate(factors[:i]):
            if field != other and is_overlapping(paths[i], paths[j]):
                rule = f"must not be set by two factors; {other} sets it, too"
                yield place.problem(rule, field)
    known = {path: field for path, (field, _) in zip(paths, factors, strict=True)}
    for field, node in settings.items():
        first = known.setdefault(path_of(spec, field), field)
        if first != field:
            rule = f"must be given once; {first} is the same setting"
            yield node.place.problem(rule, field)


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
