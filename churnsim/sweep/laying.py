"""The design of a sweep's file: where the points lie, and which are left out."""

from __future__ import annotations

import importlib.util
import json
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from churnsim.scenario.files import close_to
from churnsim.scenario.nodes import Node
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
from churnsim.sweep.factors import AnyLevel, Factor
from churnsim.sweep.filters import Filter, parts_of
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
HELD_MAX = 10_000_000  # points that are told apart before any is run
SEED = 1


class Laid(NamedTuple):
    """Where the points lie."""

    design: Design
    meaning: str  # in canonical words


def laid(
    reading: Reading, written: Sequence[Written], factors: Sequence[Factor]
) -> Laid | None:
    """Return the design of a file; None where what is wrong with it has been noted."""
    node = reading.root.get("design")
    listed = bool(reading.root.get("point"))
    kind = "list" if listed else "grid"
    if node is not None:
        named = node.get("kind")
        if named is None:
            reading.found.append(node.place.problem('needs a kind, such as "grid"'))
            return None
        kind = reading.one_of(named, KINDS, kind)
        reading.known_keys(node, ("kind", *KINDS[kind]))
    if listed != (kind == "list"):
        rule = "must list its points, each under [[point]]"
        if listed:
            rule = 'must be "list" where points are listed'
        place = node.place if node else reading.root.place.under("design")
        reading.found.append(place.problem(rule, kind))
        return None
    if not written:
        rule = "must vary something: a [[factor]] with its field, or a [[point]]"
        reading.found.append(reading.root.place.under("factor").problem(rule))
        return None
    if len(factors) < len(written) or reading.found:
        return None
    if kind == "list":
        return _filtered(reading, factors, Laid(_listed(written, factors), "list"))
    if kind == "grid":
        return _filtered(reading, factors, _grid(written, factors))
    sampled = _sampled(reading, node, kind, factors)
    return None if sampled is None else _filtered(reading, factors, sampled)


def _listed(written: Sequence[Written], factors: Sequence[Factor]) -> Listed:
    from churnsim.scenario.nodes import plain
    from churnsim.scenario.writing import toml_value

    columns: list[list[AnyLevel]] = []
    for one, factor in zip(written, factors, strict=True):
        known = dict(zip(factor.values, factor.levels, strict=True))
        spelt = [
            json.dumps(plain(node))
            if factor.lever is None and isinstance(plain(node), list)
            else toml_value(plain(node))
            for node in one.values
        ]
        columns.append([known[setting] for setting in spelt])
    return Listed(tuple(zip(*columns, strict=True)))


def _grid(written: Sequence[Written], factors: Sequence[Factor]) -> Laid:
    axes = [
        factor.steps(one.steps or STEPS) if factor.is_range else factor.levels
        for one, factor in zip(written, factors, strict=True)
    ]
    return Laid(Grid(axes), f"grid {[len(axis) for axis in axes]}")


def _sampled(
    reading: Reading, node: Node | None, kind: str, factors: Sequence[Factor]
) -> Laid | None:
    """Return a design on the unit cube."""
    seed = reading.whole(node, "seed", (0, SEED_LIMIT - 1))
    seed = SEED if seed is None else seed
    n_axes = len(factors)
    count = "trajectories" if kind == "morris" else "points"
    n = reading.whole(node, count, (1, POINTS_MAX))
    if n is None:
        if node is not None and node.get(count) is None:
            rule = f"needs {count}, such as {count} = 256"
            reading.found.append(node.place.problem(rule))
        return None
    held = n * n_axes if kind in {"latin_hypercube", "morris"} else 0
    if held > HELD_MAX * 10:
        rule = f"must be at most {HELD_MAX * 10 // n_axes:,} with {n_axes} factors"
        place = node.place if node else reading.root.place
        reading.found.append(place.under(count).problem(rule, n))
        return None
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
        levels = reading.whole(node, "levels", (2, 1_000)) or LEVELS
        if importlib.util.find_spec("SALib") is None:
            rule = "needs SALib, which is not installed"
            hint = "pip install 'churnsim[analysis]'"
            place = node.place if node else reading.root.place
            reading.found.append(place.problem(rule, hint=hint))
            return None
        cube, n_points = Trajectories(n_axes, n, levels, seed), n * (n_axes + 1)
        meaning += f" levels {levels}"
    return Laid(Sampled(kind, factors, cube, n_points), meaning)


def _filtered(reading: Reading, factors: Sequence[Factor], lay: Laid) -> Laid | None:
    """Return the design without the points for which a filter does not hold."""
    node = reading.root.get("filters")
    texts = reading.texts(node)
    if node is None or not texts:
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
    filters = [_filter(reading, text, factors) for text in texts]
    rules = [found for found in filters if found is not None]
    if len(rules) < len(texts):
        return None
    kept = [
        index
        for index in range(lay.design.n_points)
        if _holds(rules, lay.design.numbers(index))
    ]
    if not kept:
        rule = "must leave a point to run; they drop all"
        reading.found.append(node.place.problem(rule, lay.design.n_points))
        return None
    design = Filtered(lay.design, np.array(kept, dtype=np.int64))
    told = [f"{rule.left} {rule.sign} {rule.right}" for rule in rules]
    return Laid(design, f"{lay.meaning} where {told}")


def _holds(rules: Sequence[Filter], numbers: tuple[float, ...]) -> bool:
    return all(rule.holds(numbers) for rule in rules)


def _filter(reading: Reading, node: Node, factors: Sequence[Factor]) -> Filter | None:
    """Return a filter; None where what is wrong with it has been noted."""
    parts = parts_of(str(node.value))
    if parts is None:
        rule = (
            'must compare two factors, or one with a number, such as "market.a < 0.5"'
        )
        reading.refuse(node, rule)
        return None
    left, sign, right = parts
    fields = [factor.field for factor in factors]
    sides: list[int | float] = []
    own = next(
        (f for f in factors if f.field in {canonical(left), canonical(right)}), None
    )
    for text in (left, right):
        field = canonical(text)
        if field in fields:
            sides.append(fields.index(field))
            continue
        number = _number(text, own)
        if number is None:
            rule = f"must name factors of the sweep or numbers; {text} is neither"
            reading.refuse(node, rule, close_to(field, fields))
            return None
        sides.append(number)
    return Filter(str(node.value), sides[0], sign, sides[1])


def _number(text: str, factor: Factor | None) -> float | None:
    """Return what a text means beside a factor: its unit may be written."""
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not math.isnan(found):
        return found
    lever = factor.lever if factor else None
    if lever is None:
        return None
    try:
        return float(lever.measure.read(text.strip("'\""), lever.currency))
    except (ValueError, TypeError):
        return None
