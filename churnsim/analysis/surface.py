"""A response over two factors: the mean of each cell, and whether its sign is sure."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from churnsim.analysis.documents import (
    CellDocument,
    SideDocument,
    SurfaceDocument,
)
from churnsim.analysis.finished import Factor, Finished, Sweep
from churnsim.analysis.noise import cross
from churnsim.analysis.responses import (
    Question,
    Responses,
    factor_index,
    read_responses,
)
from churnsim.analysis.subject import (
    UNEVEN,
    amount_text,
    analysis_document,
    is_uneven,
    number_text,
    per_text,
    usual_warnings,
)
from churnsim.errors import InputError, Problem
from churnsim.experiment.documents import as_dict
from churnsim.experiment.intervals import Estimate, estimate, widened
from churnsim.experiment.plain import plain
from churnsim.records import Floats, Integers

if TYPE_CHECKING:
    import pyarrow as pa

LEVELS_MAX = 20  # of a factor; one of more levels is cut into bins
BINS_USUAL = (2, 8)  # fewest and most where nobody says
CELL_POINTS = 10  # that a cell of bins ought to hold
BINS_MAX = 50
WHOLE = frozenset({"grid", "list"})  # designs whose points are no sample


class Cut(NamedTuple):
    """How one factor is cut into places along a side."""

    factor: Factor
    lows: tuple[float, ...]  # where each place begins, or its level
    highs: tuple[float, ...]
    texts: tuple[str, ...]  # for people, with units
    place: Integers  # (n,) of each point

    @property
    def marks(self) -> tuple[str, ...]:
        """Return what an axis says: each level, or each edge of the bins."""
        if self.lows == self.highs:
            return self.texts
        edges = (*self.lows, self.highs[-1])
        return tuple(number_text(self.factor, edge) for edge in edges)


class Cell(NamedTuple):
    """One place on both sides."""

    x: int  # place along the x side
    y: int
    value: Estimate  # mean over the cell's points; its n counts replications
    n: int  # points

    @property
    def is_sure(self) -> bool:
        """Return whether the sign is certain: the interval is on one side of zero."""
        return self.value.low is not None and not self.value.covers_zero


@dataclass(frozen=True, eq=False)
class Surface:
    """A response over two factors, averaged over all others."""

    sweep: Sweep
    responses: Responses
    x: Cut
    y: Cut
    cells: tuple[Cell, ...]  # those with points: row by row, from the lowest y
    warnings: tuple[str, ...]

    def sentence(self) -> str:
        """Return the answer in a few sentences."""
        first = max(self.cells, key=lambda cell: cell.value.mean or 0.0)
        last = min(self.cells, key=lambda cell: cell.value.mean or 0.0)
        n, n_unsure = len(self.cells), sum(not c.is_sure for c in self.cells)
        what = self.responses.question.text
        told = (
            f"The {what} is largest, {self.amount(first)}{self.per}, at"
            f" {self._place(first)}, and least, {self.amount(last)}, at"
            f" {self._place(last)}."
        )
        if n == 1:
            told = f"The {what} is {self.amount(first)}{self.per} in the one cell."
        if n_unsure == 0:
            return f"{told} Its sign is certain in all {n:,} cells."
        return f"{told} In {n_unsure:,} of {n:,} cells its sign is not certain."

    def amount(self, cell: Cell) -> str:
        """Return a cell's mean for people."""
        return amount_text(cell.value.mean or 0.0, self.responses.unit)

    @property
    def per(self) -> str:
        """Return what amounts are of, after a blank."""
        return per_text(self.responses.unit)

    def to_arrow(self) -> pa.Table:
        """Return one row for each cell that has points."""
        import pyarrow as pa

        columns: dict[str, Any] = {}
        for name, cut in (("x", self.x), ("y", self.y)):
            places = [getattr(cell, name) for cell in self.cells]
            n = len(places)
            columns[name] = pa.array([cut.factor.field] * n, pa.string())
            for part in ("lows", "highs"):
                values = [getattr(cut, part)[i] for i in places]
                columns[f"{name}_{part[:-1]}"] = pa.array(values, pa.float64())
            columns[f"{name}_text"] = pa.array([cut.texts[i] for i in places])
        for part in ("mean", "low", "high"):
            values = [getattr(cell.value, part) for cell in self.cells]
            columns[part] = pa.array(values, pa.float64())
        columns["is_sure"] = pa.array([c.is_sure for c in self.cells], pa.bool_())
        columns["points"] = pa.array([c.n for c in self.cells], pa.int64())
        return pa.table(columns)

    def to_json_dict(self) -> dict[str, Any]:
        """Return the whole answer in numbers, texts and lists."""
        document: SurfaceDocument = {
            **analysis_document(
                self.sweep, self.responses, self.sentence(), self.warnings
            ),
            "x": _side(self.x),
            "y": _side(self.y),
            "cells": [_cell(cell) for cell in self.cells],
        }
        return as_dict(document)

    def _place(self, cell: Cell) -> str:
        return (
            f"{self.x.factor.field} {self.x.texts[cell.x]} and"
            f" {self.y.factor.field} {self.y.texts[cell.y]}"
        )


def surface(
    finished: Finished, question: Question, x: str, y: str, bins: int | None = None
) -> Surface:
    """Return a response over two factors.

    A cell's mean is taken in each replication over its points; the interval is that of
    the mean over replications. Where points are a sample of the other factors' levels,
    the error of sampling them is in the interval, too.

    Args:
        finished: The sweep.
        question: The response.
        x: Dotted name of the factor from left to right.
        y: Of the factor from the bottom up.
        bins: Places that a factor of more than LEVELS_MAX levels is cut into; by
            default as many as leave CELL_POINTS points to a cell, 2 to 8.

    Raises:
        InputError: The sweep does not vary both factors, or no point has the response.
    """
    sweep = finished.sweep
    places = [factor_index(sweep, field, at) for field, at in ((x, "x"), (y, "y"))]
    if places[0] == places[1]:
        rule = "must be two factors, one for each side"
        raise InputError(Problem(rule, field="x and y", value=x))
    if bins is not None and not 2 <= bins <= BINS_MAX:
        rule = f"must be from 2 to {BINS_MAX}"
        raise InputError(Problem(rule, field="bins", value=bins))
    responses = read_responses(finished, question)
    if bins is None:
        fewest, most = BINS_USUAL
        n_cells = len(responses.points) / CELL_POINTS
        bins = min(most, max(fewest, math.isqrt(int(n_cells))))
    cuts = [cut(sweep.factors[i], responses.numbers[:, i], bins) for i in places]
    is_sample = sweep.design.name not in WHOLE
    told = usual_warnings(sweep, responses)
    if is_uneven(sweep):
        told.append(UNEVEN.format(sweep.design.name))
    return Surface(
        sweep,
        responses,
        cuts[0],
        cuts[1],
        tuple(_cells(cuts[0], cuts[1], responses.y, is_sample=is_sample)),
        tuple(told),
    )


def cut(factor: Factor, numbers: Floats, bins: int) -> Cut:
    """Return a factor's levels as places along a side, or bins of a range.

    Bins are as wide as each other, of a range whose logarithm is even in logarithms.
    """
    levels, place = np.unique(numbers, return_inverse=True)
    if len(levels) <= LEVELS_MAX or not factor.is_range:
        texts = tuple(number_text(factor, x) for x in levels.tolist())
        known = tuple(levels.tolist())
        return Cut(factor, known, known, texts, place.astype(np.int64))
    if factor.is_log:
        edges = np.geomspace(factor.low, factor.high, bins + 1)
    else:
        edges = np.linspace(factor.low, factor.high, bins + 1)
    place = np.clip(np.searchsorted(edges, numbers, side="right") - 1, 0, bins - 1)
    ends = edges.tolist()
    texts = tuple(
        f"{number_text(factor, low)} to {number_text(factor, high)}"
        for low, high in itertools.pairwise(ends)
    )
    return Cut(factor, tuple(ends[:-1]), tuple(ends[1:]), texts, place.astype(np.int64))


def _cells(x: Cut, y: Cut, response: Floats, *, is_sample: bool) -> list[Cell]:
    """Return the cells that have points."""
    n_x = len(x.texts)
    where = y.place * n_x + x.place
    found = []
    for index in np.unique(where).tolist():
        inside = response[where == index]
        value = estimate(inside.mean(axis=0).tolist())
        if is_sample:
            value = _of_sample(value, inside)
        found.append(Cell(index % n_x, index // n_x, value, len(inside)))
    return found


def _of_sample(value: Estimate, inside: Floats) -> Estimate:
    """Return a cell's mean with the error of sampling the other factors' levels."""
    n = len(inside)
    if n < 2 or value.low is None:
        return value._replace(low=None, high=None)
    around = inside - inside.mean(axis=0)
    variance = max(float(cross(around, around).sum()) / (n - 1), 0.0)
    return widened(value, float(np.sqrt(variance / n)), n - 1)


def _side(cut: Cut) -> SideDocument:
    return {
        "factor": cut.factor.field,
        "low": list(cut.lows),
        "high": list(cut.highs),
        "text": list(cut.texts),
    }


def _cell(cell: Cell) -> CellDocument:
    return {
        "x": cell.x,
        "y": cell.y,
        "value": plain(cell.value),
        "is_sure": cell.is_sure,
        "points": cell.n,
    }
