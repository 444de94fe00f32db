"""The factors of a sweep's file, from what was written to what can be run."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from typing import NamedTuple

from churnsim.errors import ChurnsimError, InputError, Problem
from churnsim.experiment.inverse.lever import (
    Found,
    Lever,
    lever_for,
    lever_of,
    number_of,
    setting_of,
)
from churnsim.scenario import Scenario
from churnsim.scenario.nodes import Node, Place, plain
from churnsim.scenario.writing import toml_value
from churnsim.sweep.factors import POLICIES, Factor, Level
from churnsim.sweep.overlapping import is_overlapping, path_of
from churnsim.sweep.points import Variations
from churnsim.sweep.reading import Reading

FACTOR_KEYS = ("field", "values", "low", "high", "scale", "steps")
SCALES = ("linear", "log")
STEPS_MAX = 100_000
# What the sweep itself says, so that a point's would be read and ignored.
OWN = ("replications", "seed", "title")


class Written(NamedTuple):
    """A factor as it was written."""

    field: str  # as `--set` spells it
    place: Place
    values: tuple[Node, ...] = ()  # in turn; of a list, point by point
    ends: tuple[Node, Node] | None = None  # of a range
    is_log: bool = False
    steps: int | None = None  # of a range in a grid


def canonical(field: str) -> str:
    """Return a field as `--set` spells it: policies.slow.speed is policy.slow.speed."""
    head, dot, rest = field.strip().partition(".")
    return f"policy.{rest}" if head == POLICIES and dot else field.strip()


def written_factors(reading: Reading) -> list[Written]:
    """Return the factors of a file: its tables, or the keys of its listed points."""
    points = reading.tables("point")
    found = _listed(reading, points) if points else []
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
        seen.add(factor.field)
    return found


def _listed(reading: Reading, points: Sequence[Node]) -> list[Written]:
    """Return a factor for each setting of the listed points."""
    keys = list(points[0].table())
    for point in points:
        if set(point.table()) != set(keys):
            rule = f"must have the settings of the first point: {', '.join(keys)}"
            reading.found.append(point.place.problem(rule))
            return []
    return [
        Written(
            canonical(key),
            points[0].table()[key].place,
            tuple(point.table()[key] for point in points),
        )
        for key in keys
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
    steps = reading.whole(node, "steps", (1, STEPS_MAX))
    return Written(canonical(field), place, (), (low, high), is_log, steps)


def factors_of(
    reading: Reading, written: Sequence[Written], base: Scenario
) -> tuple[Factor, ...]:
    """Return the factors that can be; what cannot is noted."""
    variations = Variations(base)
    found = []
    _apart(reading, written, base)
    for one in written:
        factor = _factor(reading, variations, one)
        if factor is not None:
            found.append(factor)
    return tuple(found)


def _apart(reading: Reading, written: Sequence[Written], base: Scenario) -> None:
    """Note factors of which one sets what another varies."""
    paths = [path_of(base.spec, one.field) for one in written]
    for i, one in enumerate(written):
        for j, other in enumerate(written[:i]):
            # One field twice has been noted before.
            if one.field != other.field and is_overlapping(paths[i], paths[j]):
                rule = f"must not be set by two factors; {other.field} sets it, too"
                reading.found.append(one.place.problem(rule, one.field))


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
    values = [value for value in known.values() if value is not None]
    if written.ends is None:
        lever = _lever(written, values, variations.base, n_asked=len(known))
        return _in_turn(written, settings, known, lever)
    try:
        lever, low, high = lever_of(
            written.field, written.field, values, variations.base.currency
        )
    except InputError as error:
        _, second = written.ends
        rules = "; ".join(problem.rule for problem in error.problems)
        reading.found.append(second.place._replace(field=written.field).problem(rules))
        return None
    if written.is_log and low <= 0.0:
        rule = 'must be above 0 where scale = "log"'
        reading.found.append(written.ends[0].place.problem(rule, lever.text(low)))
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
        return None, problems
    return setting_of(spec, written.field), []


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
    written: Written,
    settings: Sequence[str],
    known: dict[str, Found | None],
    lever: Lever | None,
) -> Factor:
    """Return a factor that takes its settings in turn."""
    order = list(dict.fromkeys(settings))
    levels = []
    for place, setting in enumerate(order):
        value = known[setting]
        number = number_of(value.value) if lever is not None and value else None
        if lever is None or number is None:
            levels.append(Level(setting, float(place), _plainly(setting)))
        else:
            levels.append(Level(setting, float(number), lever.text(float(number))))
    return Factor(written.field, tuple(order), lever=lever, levels=tuple(levels))


def _of_policies(reading: Reading, written: Written) -> Factor | None:
    """Return the factor that varies which policies are compared."""
    if written.ends is not None or not written.values:
        rule = 'must be in values, such as [["slow", "empowered"], ["slow"]]'
        reading.found.append(written.place.problem(rule))
        return None
    settings: list[str] = []
    for node in written.values:
        names = [str(item.value) for item in reading.texts(node)]
        if not names or len(set(names)) < len(names):
            reading.refuse(node, "must be an array of different names of policies")
            return None
        settings.append(json.dumps(names))
    order = list(dict.fromkeys(settings))
    levels = tuple(
        Level(setting, float(place), " + ".join(json.loads(setting)))
        for place, setting in enumerate(order)
    )
    return Factor(POLICIES, tuple(order), levels=levels)


def _plainly(setting: str) -> str:
    """Return a setting for people: a text without its quotes."""
    value = tomllib.loads(f"value = {setting}")["value"]
    return value if isinstance(value, str) else setting
