"""The factors of a sweep's file, from what was written to what can be run."""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic_core import PydanticCustomError

from churnsim.errors import ChurnsimError, InputError, Problem
from churnsim.experiment.inverse.lever import (
    Found,
    Lever,
    lever_for,
    lever_of,
    not_a_number,
    number_of,
    setting_of,
)
from churnsim.scenario import Scenario
from churnsim.scenario.nodes import Node, Place, plain
from churnsim.scenario.writing import toml_value
from churnsim.sweep.factors import POLICIES, Factor, Level
from churnsim.sweep.overlapping import overlaps
from churnsim.sweep.points import Variations
from churnsim.sweep.reading import Reading

FACTOR_KEYS = ("field", "values", "low", "high", "scale", "steps")
SCALES = ("linear", "log")
STEPS_MAX = 100_000
# What the sweep itself says, so that a point's would be read and ignored.
OWN = ("replications", "seed", "title")
CURRENCY = "currency"
# A table with one of these stays whole: its other keys belong to it.
WHOLE = ("law", "file", "extends")
_BARE = re.compile(r"[A-Za-z0-9_-]+")


class Written(NamedTuple):
    """A factor as it was written."""

    field: str  # as `--set` spells it
    place: Place
    values: tuple[Node, ...] = ()  # in turn; of a list, point by point
    ends: tuple[Node, Node] | None = None  # of a range
    is_log: bool = False
    steps: int | None = None  # of a range in a grid
    is_listed: bool = False  # point by point: a setting may come again


def canonical(field: str) -> str:
    """Return a field as `--set` spells it: policies.slow.speed is policy.slow.speed."""
    try:
        table: Any = tomllib.loads(f"{field} = 0")
    except tomllib.TOMLDecodeError:
        return field.strip()
    names: list[str] = []
    while isinstance(table, dict):
        if len(table) > 1:
            return field.strip()
        name, table = next(iter(table.items()))
        names.append(name)
    if names[0] == POLICIES and len(names) > 1:
        names[0] = "policy"
    return ".".join(map(_quoted, names))


def settings_in(table: Node, head: str = "") -> Iterator[tuple[str, Node]]:
    """Yield each setting of a table by its dotted key, as `--set` spells it.

    `market.lock_in = 0.3` and `"market.lock_in" = 0.3` are the same setting.
    """
    for name, node in table.table().items():
        key = f"{head}.{_quoted(name)}" if head else name
        inner = node.table()
        if inner and not any(word in inner for word in WHOLE):
            yield from settings_in(node, key)
        else:
            yield canonical(key), node


def written_factors(reading: Reading) -> list[Written]:
    """Return the factors of a file: its tables, or the keys of its listed points."""
    points = reading.tables("point")
    found = _listed(reading, points)
    for node in reading.tables("factor"):
        reading.known_keys(node, FACTOR_KEYS)
        if points:
            rule = "must be absent where points are listed: each point has its settings"
            reading.found.append(node.place.problem(rule))
        elif (factor := _written(reading, node)) is not None:
            found.append(factor)
    seen: set[str] = set()
    for factor in found:
        if factor.field in seen:
            rule = "must be varied by one factor only"
            reading.found.append(factor.place.problem(rule, factor.field))
        if factor.field in OWN:
            rule = f"must not be varied: the sweep has one {factor.field} for all"
            reading.found.append(factor.place.problem(rule, factor.field))
        if factor.field == CURRENCY:
            rule = "must not be varied: all amounts are in it, and none is converted"
            hint = "vary the amounts"
            reading.found.append(factor.place.problem(rule, factor.field, hint))
        seen.add(factor.field)
    return found


def _listed(reading: Reading, points: Sequence[Node]) -> list[Written]:
    """Return a factor for each setting of the listed points."""
    rows: list[dict[str, Node]] = []
    is_well = True
    for point in points:
        row: dict[str, Node] = {}
        for field, node in settings_in(point):
            if field in row:
                reading.found.append(node.place.problem("must be set once", field))
            row[field] = node
        if not row:
            reading.found.append(point.place.problem("must have a setting"))
        elif rows and rows[0] and row.keys() != rows[0].keys():
            rule = f"must have the settings of the first point: {', '.join(rows[0])}"
            reading.found.append(point.place.problem(rule, ", ".join(row)))
            is_well = False
        rows.append(row)
    if not (rows and is_well):
        return []
    return [
        Written(field, node.place, tuple(row[field] for row in rows), is_listed=True)
        for field, node in rows[0].items()
        if all(rows)
    ]


def _written(reading: Reading, node: Node) -> Written | None:
    """Return a factor's table as a record; None where it cannot be one."""
    field = reading.text(node, "field")
    values, low, high = node.get("values"), node.get("low"), node.get("high")
    if not field:
        rule = 'needs a field, such as field = "market.lock_in"'
        reading.found.append(node.place.problem(rule))
        return None
    place = node.table()["field"].place
    scale = node.get("scale")
    is_log = scale is not None and reading.one_of(scale, SCALES, "linear") == "log"
    if values is not None and (low or high or node.get("steps") or scale):
        rule = "must be absent where low and high tell a range"
        reading.found.append(values.place.problem(rule))
        return None
    if values is not None:
        if not values.array():
            reading.refuse(values, "must be an array of at least one setting")
            return None
        return Written(canonical(field), place, tuple(values.array()))
    if low is None or high is None:
        rule = "needs values, or low and high"
        reading.found.append(node.place.problem(rule))
        return None
    steps = reading.whole(node, "steps", (2, STEPS_MAX))
    return Written(canonical(field), place, (), (low, high), is_log, steps)


def factors_of(
    reading: Reading,
    written: Sequence[Written],
    base: Scenario,
    settings: Mapping[str, Node],
) -> tuple[Factor, ...]:
    """Return the factors that can be; what cannot is noted.

    Args:
        reading: Takes notes.
        written: The factors.
        base: The scenario with the settings that all points share.
        settings: Those, as they were written.
    """
    variations = Variations(base)
    found = []
    fields = [(one.field, one.place) for one in written]
    reading.found += overlaps(base.spec, fields, settings)
    for one in written:
        factor = _factor(reading, variations, one)
        if factor is not None:
            found.append(factor)
    return tuple(found)


def _factor(
    reading: Reading, variations: Variations, written: Written
) -> Factor | None:
    if written.field == POLICIES:
        return _of_policies(reading, written)
    nodes = written.ends or written.values
    settings = [toml_value(plain(node)) for node in nodes]
    known: dict[str, Found | None] = {}
    is_well = True
    for node, setting in zip(nodes, settings, strict=True):
        if setting not in known:
            known[setting], problems = _tried(variations, written, node, setting)
            reading.found += problems
            is_well = is_well and not problems
    if not is_well:
        return None
    if written.ends is None:
        values = [value for value in known.values() if value is not None]
        lever = _lever(written, values, variations.base, n_asked=len(known))
        return _in_turn(reading, written, settings, known, lever)
    ends = [known[setting] for setting in settings]
    found = [end for end in ends if end is not None]
    return _of_range(reading, written, written.ends, found, variations.base.currency)


def _of_range(
    reading: Reading,
    written: Written,
    nodes: tuple[Node, Node],
    found: Sequence[Found],
    currency: str,
) -> Factor | None:
    """Return the factor that takes any number between two ends."""
    try:
        if len(found) < len(nodes):
            raise not_a_number(written.field)
        lever, low, high = lever_of(written.field, written.field, found, currency)
    except InputError as error:
        for problem in error.problems:
            value, node = problem.value, nodes[0]
            if value == "inf":
                node = nodes[1]
            elif value == written.field:
                value = plain(node)
            place = node.place._replace(field=written.field)
            rule = problem.rule.removesuffix(", to be searched")
            hint = 'list its settings: values = ["…"]' if problem.hint else ""
            reading.found.append(place.problem(rule, value, hint))
        return None
    if written.is_log and low <= 0.0:
        rule = 'must be above 0 where scale = "log"'
        place = nodes[0].place._replace(field=written.field)
        reading.found.append(place.problem(rule, lever.text(low)))
        return None
    return Factor(written.field, (), low, high, written.is_log, lever)


def _tried(
    variations: Variations, written: Written, node: Node, setting: str
) -> tuple[Found | None, list[Problem]]:
    """Return the setting as the scenario has it then, or what is wrong with it.

    What only its combination with other settings rules out is not: another factor may
    change those, and a point that cannot be is a row that says so.
    """
    try:
        spec = variations.scenario({written.field: setting}).spec
    except ChurnsimError as error:
        field = written.field
        own = [
            p
            for p in error.problems
            if p.file.startswith("--set ") or (not p.file and p.field == field)
        ]
        problems = [
            Problem(
                p.rule,
                node.place.file,
                node.place.line,
                p.field or field,
                p.value,
                p.hint,
            )
            for p in own
        ]
        return None if problems else _alone(variations.base, written, node), problems
    return setting_of(spec, written.field), []


def _alone(base: Scenario, written: Written, node: Node) -> Found | None:
    """Return a setting that the base cannot have without others, read by itself."""
    found = setting_of(base.spec, written.field)
    if found is None or found.measure is None:
        return None
    try:
        value = found.measure.read(plain(node), base.currency)
    except PydanticCustomError:
        return None
    return found._replace(value=value)


def _lever(
    written: Written, values: Sequence[Found], base: Scenario, n_asked: int
) -> Lever | None:
    """Return what tells the numbers of settings; None where they are texts."""
    if not values or len(values) < n_asked:
        return None
    try:
        return lever_for(written.field, written.field, values, base.currency)
    except InputError:
        return None


def _in_turn(
    reading: Reading,
    written: Written,
    settings: Sequence[str],
    known: dict[str, Found | None],
    lever: Lever | None,
) -> Factor | None:
    """Return a factor that takes its settings in turn."""
    order = list(dict.fromkeys(settings))
    levels: list[Level] = []
    for place, setting in enumerate(order):
        value = known[setting]
        number = number_of(value.value) if lever is not None and value else None
        if lever is None or number is None:
            levels.append(Level(setting, float(place), _plainly(setting)))
        else:
            text = _plainly(setting)
            if math.isfinite(number):
                text = lever.text(float(number))
            levels.append(Level(setting, float(number), text))
    if not written.is_listed and _repeated(reading, written, settings, levels):
        return None
    return Factor(written.field, tuple(order), lever=lever, levels=tuple(levels))


def _repeated(
    reading: Reading,
    written: Written,
    settings: Sequence[str],
    levels: Sequence[Level],
) -> bool:
    """Return whether a setting comes twice, however it is spelt; each is noted."""
    numbers = {level.setting: level.number for level in levels}
    seen: dict[float, str] = {}
    n_before = len(reading.found)
    for node, setting in zip(written.values, settings, strict=True):
        if (first := seen.get(numbers[setting])) is not None:
            rule = f"must differ from the others; {first} is the same"
            place = node.place._replace(field=written.field)
            reading.found.append(place.problem(rule, _plainly(setting)))
        seen[numbers[setting]] = setting
    return len(reading.found) > n_before


def _of_policies(reading: Reading, written: Written) -> Factor | None:
    """Return the factor that varies which policies are compared."""
    if written.ends is not None or not written.values:
        rule = 'must be in values, such as [["slow", "empowered"], ["slow"]]'
        reading.found.append(written.place.problem(rule))
        return None
    settings: list[str] = []
    is_well = True
    for node in written.values:
        names = [str(item.value) for item in node.array()]
        if not names or len(set(names)) < len(names):
            reading.refuse(node, "must be an array of different names of policies")
            is_well = False
        elif not written.is_listed and json.dumps(names) in settings:
            reading.refuse(node, "must differ from the others")
            is_well = False
        settings.append(json.dumps(names))
    if not is_well:
        return None
    order = list(dict.fromkeys(settings))
    levels = tuple(
        Level(setting, float(place), " + ".join(json.loads(setting)))
        for place, setting in enumerate(order)
    )
    return Factor(POLICIES, tuple(order), levels=levels)


def _quoted(name: str) -> str:
    """Return a part of a key as TOML takes it."""
    return name if _BARE.fullmatch(name) else json.dumps(name, ensure_ascii=False)


def _plainly(setting: str) -> str:
    """Return a setting for people: a text without its quotes."""
    value = tomllib.loads(f"value = {setting}")["value"]
    return value if isinstance(value, str) else setting
