"""The design of a sweep's file: where the points lie, and which are left out."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from pydantic_core import PydanticCustomError

from churnsim.experiment.inverse.lever import number_of
from churnsim.records import Integers
from churnsim.scenario.files import close_to
from churnsim.scenario.measures import PerThousand, Staff
from churnsim.scenario.nodes import Node, plain
from churnsim.scenario.writing import toml_value
from churnsim.streams import SEED_LIMIT
from churnsim.sweep.designs import (
    SOBOL_BITS,
    Cube,
    Design,
    Filtered,
    Grid,
    LatinHypercube,
    Listed,
    Saltelli,
    Sampled,
    SobolSequence,
    Trajectories,
)
from churnsim.sweep.factors import POLICIES, AnyLevel, Factor
from churnsim.sweep.filters import Filter, Parts, parts_of
from churnsim.sweep.reading import Reading
from churnsim.sweep.varied import Written, canonical

KINDS = {
    "grid": (),
    "list": (),
    "latin_hypercube": ("points", "seed"),
    "sobol": ("points", "seed"),
    "saltelli": ("points", "seed"),
    "morris": ("trajectories", "levels", "seed"),
}
LAID_OUT = ("saltelli", "morris")  # whose points belong together
STEPS = 5  # of a range in a grid
LEVELS = 4  # of Morris's grid: an even number
POINTS_MAX = 2**SOBOL_BITS
HELD_MAX = 10_000_000  # points, or coordinates, that are held before any is run
AT_ONCE = 65_536  # points that filters look at together
SEED = 1


class _Asked(NamedTuple):
    """A design as it was asked for."""

    kind: str
    n: int = 0  # points or trajectories
    seed: int = SEED
    levels: int = LEVELS  # of Morris's grid


class Laid(NamedTuple):
    """Where the points lie."""

    design: Design
    meaning: str  # in canonical words


def laid(
    reading: Reading, written: Sequence[Written], factors: Sequence[Factor]
) -> Laid | None:
    """Return the design of a file; None where what is wrong with it has been noted."""
    asked = _asked(reading, written)
    rules = _parts(reading, [factor.field for factor in written])
    root = reading.root
    if not written and root.get("factor") is None and root.get("point") is None:
        rule = "must vary something: a [[factor]] with its field, or a [[point]]"
        reading.found.append(root.place.under("factor").problem(rule))
    if asked is None or len(factors) < len(written) or reading.found:
        return None
    if asked.kind == "list":
        lay = Laid(_listed(written, factors), "list")
    elif asked.kind == "grid":
        lay = _grid(written, factors)
    else:
        lay = _sampled(asked, factors)
    return _filtered(reading, rules, factors, lay)


def _asked(reading: Reading, written: Sequence[Written]) -> _Asked | None:
    """Return the design that was asked for; None where it cannot be."""
    node = reading.root.get("design")
    listed = bool(reading.root.get("point"))
    kind = "list" if listed else "grid"
    if node is not None:
        named = node.get("kind")
        if named is None:
            rule = 'needs a kind, such as kind = "grid" under [design]'
            reading.found.append(node.place.problem(rule))
            return None
        kind = reading.one_of(named, KINDS, kind)
        if kind != named.value:
            return None  # which keys go with it cannot be known
        reading.known_keys(node, ("kind", *KINDS[kind]))
    if listed != (kind == "list"):
        rule = "must list its points, each under [[point]]"
        if listed:
            rule = 'must be "list" where points are listed'
        place = node.table()["kind"].place if node else reading.root.place
        reading.found.append(place.problem(rule, kind))
        return None
    if kind in {"grid", "list"} or node is None:
        return _Asked(kind)
    for factor in written:
        if factor.steps is not None:
            rule = f"must be absent with {kind}: a grid alone cuts a range into steps"
            place = factor.place._replace(field=factor.field)
            reading.found.append(place.problem(rule, factor.steps))
    return _counted(reading, node, kind, len(written))


def _counted(reading: Reading, node: Node, kind: str, n_axes: int) -> _Asked | None:
    """Return a sampled design with its numbers."""
    seed = reading.whole(node, "seed", (0, SEED_LIMIT - 1))
    levels = reading.whole(node, "levels", (2, 1_000)) if kind == "morris" else None
    if levels is not None and levels % 2:
        reading.refuse(node.table()["levels"], "must be even, so that steps are alike")
    count = "trajectories" if kind == "morris" else "points"
    n = reading.whole(node, count, (1, POINTS_MAX))
    if n is None:
        if node.get(count) is None:
            rule = f"needs {count}, such as {count} = 256"
            reading.found.append(node.place.problem(rule))
        return None
    place = node.table()[count].place
    if kind == "latin_hypercube" and n * n_axes > HELD_MAX:
        rule = f"must be at most {HELD_MAX // n_axes:,} with {n_axes} factors"
        reading.found.append(place.problem(rule, n))
        return None
    if kind == "morris" and importlib.util.find_spec("SALib") is None:
        rule = "needs SALib, which is not installed"
        hint = "pip install 'churnsim[analysis]'"
        reading.found.append(node.place.problem(rule, hint=hint))
        return None
    return _Asked(kind, n, SEED if seed is None else seed, levels or LEVELS)


def _listed(written: Sequence[Written], factors: Sequence[Factor]) -> Listed:
    columns: list[list[AnyLevel]] = []
    for one, factor in zip(written, factors, strict=True):
        known = dict(zip(factor.values, factor.levels, strict=True))
        is_policies = factor.field == POLICIES
        columns.append(
            [
                known[
                    json.dumps(plain(node)) if is_policies else toml_value(plain(node))
                ]
                for node in one.values
            ]
        )
    return Listed(tuple(zip(*columns, strict=True)))


def _grid(written: Sequence[Written], factors: Sequence[Factor]) -> Laid:
    axes = [
        factor.steps(one.steps or STEPS) if factor.is_range else factor.levels
        for one, factor in zip(written, factors, strict=True)
    ]
    return Laid(Grid(axes), f"grid {[len(axis) for axis in axes]}")


def _sampled(asked: _Asked, factors: Sequence[Factor]) -> Laid:
    """Return a design on the unit cube."""
    kind, n, seed, levels = asked
    n_axes = len(factors)
    cube: Cube
    n_points = n
    meaning = f"{kind} {n} seed {seed}"
    if kind == "latin_hypercube":
        cube = LatinHypercube(n_axes, n, seed)
    elif kind == "sobol":
        cube = SobolSequence(n_axes, seed)
    elif kind == "saltelli":
        cube, n_points = Saltelli(n_axes, seed), n * (n_axes + 2)
    else:
        cube, n_points = Trajectories(n_axes, n, levels, seed), n * (n_axes + 1)
        meaning += f" levels {levels}"
    return Laid(Sampled(kind, factors, cube, n_points), meaning)


def _parts(reading: Reading, fields: Sequence[str]) -> list[Parts]:
    """Return the filters taken apart; what is no filter is noted."""
    found = []
    for node in reading.texts(reading.root.get("filters")):
        parts = parts_of(str(node.value))
        if parts is None:
            rule = (
                "must compare two factors, or one with a value, such as"
                ' "market.discovery < 0.5"'
            )
            reading.refuse(node, rule)
            continue
        left, sign, right = parts
        if not {canonical(left), canonical(right)} & {*fields}:
            rule = "must name a factor of the sweep"
            hint = close_to(canonical(left), fields) or f"it has {', '.join(fields)}"
            reading.refuse(node, rule, hint)
            continue
        found.append(Parts(node, left, sign, right))
    return found


def _filtered(
    reading: Reading, parts: Sequence[Parts], factors: Sequence[Factor], lay: Laid
) -> Laid | None:
    """Return the design without the points for which a filter does not hold."""
    node = reading.root.get("filters")
    if node is None or not parts:
        return lay
    if lay.design.name in LAID_OUT:
        rule = (
            f"must be absent: the points of a {lay.design.name} design belong together"
        )
        reading.found.append(node.place.problem(rule))
        return None
    if lay.design.n_points > HELD_MAX:
        rule = f"must be absent above {HELD_MAX:,} points"
        reading.found.append(node.place.problem(rule, lay.design.n_points))
        return None
    filters = [_filter(reading, one, factors) for one in parts]
    rules = [found for found in filters if found is not None]
    if len(rules) < len(parts):
        return None
    kept = _kept(lay.design, rules)
    if not len(kept):
        rule = "must leave a point to run; they drop all"
        reading.found.append(node.place.problem(rule, lay.design.n_points))
        return None
    design = Filtered(lay.design, kept)
    told = [f"{rule.left} {rule.sign} {rule.right}" for rule in rules]
    return Laid(design, f"{lay.meaning} where {told}")


def _kept(design: Design, rules: Sequence[Filter]) -> Integers:
    """Return the numbers of the points at which all rules hold."""
    found = []
    for first in range(0, design.n_points, AT_ONCE):
        last = min(first + AT_ONCE, design.n_points)
        columns = design.columns(first, last)
        holds = [rule.holds(columns) for rule in rules]
        found.append(first + np.flatnonzero(np.logical_and.reduce(holds)))
    return np.concatenate(found).astype(np.int64)


def _filter(reading: Reading, parts: Parts, factors: Sequence[Factor]) -> Filter | None:
    """Return a filter; None where what is wrong with it has been noted."""
    node, left, sign, right = parts
    fields = [factor.field for factor in factors]
    named = [canonical(text) for text in (left, right) if canonical(text) in fields]
    own = factors[fields.index(named[0])]
    if own.lever is None and sign not in {"==", "!="}:
        rule = f"must use == or !=: the settings of {own.field} are no numbers"
        reading.refuse(node, rule)
        return None
    sides: list[int | float] = []
    for text in (left, right):
        if canonical(text) in fields:
            sides.append(fields.index(canonical(text)))
        elif (number := _number(text, own)) is not None:
            sides.append(number)
        else:
            rule = f"must compare {own.field} with one of its settings; {text} is none"
            hint = close_to(canonical(text), fields)
            if not hint:
                low = own.lever.text(own.low) if own.lever and own.is_range else ""
                hint = f"such as {low or own.levels[0].text}"
            reading.refuse(node, rule, hint)
            return None
    others = [factors[side] for side in sides if isinstance(side, int)]
    if len({_kind(factor) for factor in others}) > 1 or (
        own.lever is None and len(others) > 1
    ):
        rule = f"must compare like with like; {' and '.join(named)} differ in kind"
        reading.refuse(node, rule)
        return None
    return Filter(str(node.value), sides[0], sign, sides[1])


def _kind(factor: Factor) -> object:
    """Return what two factors must have in common to be compared."""
    lever = factor.lever
    return lever and (lever.measure.read, lever.is_per_thousand)


def _number(text: str, factor: Factor) -> float | None:
    """Return the number of a setting as a file has it, quotes left out or not."""
    bare = text.strip("'\"")
    lever = factor.lever
    if lever is None:
        texts = {level.text: level.number for level in factor.levels}
        return texts.get(bare)
    value: object = bare
    with contextlib.suppress(ValueError):
        value = json.loads(bare)
    try:
        found = lever.measure.read(value, lever.currency)
    except (PydanticCustomError, ValueError, TypeError):
        return None
    number = number_of(found)
    grows = isinstance(found, PerThousand) or (
        isinstance(found, Staff) and found.per_thousand is not None
    )
    if number is None or math.isnan(number) or grows != lever.is_per_thousand:
        return None
    return float(number)
