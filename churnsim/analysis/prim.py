"""Boxes in which cases of interest are dense, by the patient rule induction method.

Thin slices are peeled off the whole until a box is small and dense; then each side is
pasted back as far as density does not fall. Friedman, J. H. & Fisher, N. I. (1999):
Bump hunting in high-dimensional data. Statistics and Computing 9, 123-143. Measures of
a box are those of Bryant, B. P. & Lempert, R. J. (2010): Thinking inside the box.
Technological Forecasting & Social Change 77, 34-49.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from churnsim.records import Floats

PEEL = 0.05  # share of a box's points that one peel takes off
MASS_MIN = 0.05  # share of all points that a box must hold
POINTS_MIN = 5  # in a box
TIES = 1e-12

Flags = NDArray[np.bool_]


class Side(NamedTuple):
    """What a box leaves out along one factor."""

    factor: int
    low: float  # lowest level inside; −inf: not bounded
    high: float  # highest level inside; inf: not bounded
    without: tuple[float, ...]  # levels left out, of a factor without an order

    @property
    def is_open(self) -> bool:
        """Return whether it leaves nothing out."""
        return self.low == -np.inf and self.high == np.inf and not self.without

    def holds(self, x: Floats) -> Flags:
        """Return which levels (n,) are inside."""
        inside: Flags = (x >= self.low) & (x <= self.high)
        return inside & ~np.isin(x, self.without) if self.without else inside


class Peel(NamedTuple):
    """A box on the way from the whole to the smallest."""

    sides: tuple[Side, ...]  # one for each factor
    coverage: float  # share of all cases of interest that are inside
    density: float  # share of those inside that are of interest
    mass: float  # share of all points that are inside
    n: int  # points inside

    @property
    def balance(self) -> float:
        """Return the harmonic mean of coverage and density."""
        both = self.coverage + self.density
        return 2.0 * self.coverage * self.density / both if both else 0.0


def peeled(
    x: Floats, is_case: Flags, is_ordered: tuple[bool, ...], left: Flags
) -> list[Peel]:
    """Return the boxes from the whole to the smallest, each peeled off the one before.

    Of all slices that can come off, that one does which raises density most for each
    point that it costs, so that a factor of few levels, whose slices are thick, is not
    peeled for its thickness.

    Args:
        x: (n, k) levels.
        is_case: (n,) which points are of interest; at least one of those left.
        is_ordered: Of each factor whether its levels have an order.
        left: (n,) which points no earlier box holds.
    """
    sides = tuple(Side(i, -np.inf, np.inf, ()) for i in range(x.shape[1]))
    inside = left.copy()
    found = [measured(sides, inside, is_case)]
    least = max(POINTS_MIN, int(np.ceil(MASS_MIN * len(x))))
    while found[-1].density < 1.0:
        n = int(inside.sum())
        best: tuple[float, int] | None = None
        chosen: tuple[Side, Flags] | None = None
        for side in sides:
            ordered = is_ordered[side.factor]
            for narrower in _slices(side, x[inside, side.factor], is_ordered=ordered):
                kept = inside & narrower.holds(x[:, side.factor])
                m = int(kept.sum())
                if m < least or m == n:
                    continue
                gain = (is_case[kept].mean() - found[-1].density) / (n - m)
                if best is None or (gain, m) > (best[0] + TIES, best[1]):
                    best, chosen = (float(gain), m), (narrower, kept)
        if chosen is None:
            break
        side, inside = chosen
        sides = (*sides[: side.factor], side, *sides[side.factor + 1 :])
        found.append(measured(sides, inside, is_case))
    return found


def pasted(peel: Peel, x: Floats, is_case: Flags, left: Flags) -> Peel:
    """Return a box whose sides are moved out again as far as density does not fall."""
    found = peel
    while True:
        grown = [
            measured(sides, left & holds(sides, x), is_case)
            for sides in _wider(found, x, left)
        ]
        better = [g for g in grown if g.n > found.n and g.density >= found.density]
        if not better:
            return found
        found = max(better, key=lambda g: (g.density, g.n))


def holds(sides: tuple[Side, ...], x: Floats) -> Flags:
    """Return which points (n,) are in a box."""
    inside = np.ones(len(x), dtype=bool)
    for side in sides:
        inside &= side.holds(x[:, side.factor])
    return inside


def measured(sides: tuple[Side, ...], inside: Flags, is_case: Flags) -> Peel:
    """Return a box with its measures."""
    n, n_cases = int(inside.sum()), int(is_case[inside].sum())
    return Peel(
        sides,
        n_cases / max(1, int(is_case.sum())),
        n_cases / n if n else 0.0,
        n / len(is_case),
        n,
    )


def quasi_p(peel: Peel, factor: int, x: Floats, is_case: Flags, left: Flags) -> float:
    """Return how likely chance alone makes the box as dense as one side makes it.

    P(B ≥ h), B binomial of n trials with the density of the box without that side: n
    points are in the box, h of them of interest. "Quasi", since the side was chosen
    among many.
    """
    inside = left & holds(peel.sides, x)
    wide = left & holds(opened(peel.sides, factor), x)
    n, n_cases = int(inside.sum()), int(is_case[inside].sum())
    density = float(is_case[wide].mean())
    if n_cases == 0 or density >= 1.0:
        return 1.0
    return float(special.bdtrc(n_cases - 1, n, density))


def opened(sides: tuple[Side, ...], factor: int) -> tuple[Side, ...]:
    """Return the sides of a box that leaves nothing out along one factor."""
    side = Side(factor, -np.inf, np.inf, ())
    return (*sides[:factor], side, *sides[factor + 1 :])


def _slices(side: Side, x: Floats, *, is_ordered: bool) -> Iterator[Side]:
    """Yield the sides with one slice less.

    Args:
        side: As it is.
        x: Levels of the points inside.
        is_ordered: Slices come off the ends; else one level at a time does.
    """
    if not is_ordered:
        levels = np.unique(x)
        if len(levels) > 1:
            for level in levels:
                without = tuple(sorted((*side.without, float(level))))
                yield side._replace(without=without)
        return
    ordered = np.sort(x)
    n = max(1, int(PEEL * len(ordered)))
    if ordered[0] == ordered[-1]:
        return
    low, high = ordered[n], ordered[-n - 1]
    if low == ordered[0]:  # levels that many points share come off whole
        low = ordered[ordered > ordered[0]][0]
    if high == ordered[-1]:
        high = ordered[ordered < ordered[-1]][-1]
    yield side._replace(low=float(low))
    yield side._replace(high=float(high))


def _wider(peel: Peel, x: Floats, left: Flags) -> Iterator[tuple[Side, ...]]:
    """Yield the sides of the box with one slice more, each way that there is."""
    step = max(1, int(PEEL * peel.n))
    for side in peel.sides:
        i = side.factor
        around = left & holds(opened(peel.sides, i), x)
        levels = x[around, i]
        wider = []
        below = np.sort(levels[levels < side.low])[::-1]
        above = np.sort(levels[levels > side.high])
        if len(below):
            low = below[min(step, len(below)) - 1]
            at_end = low == below[-1]
            wider.append(side._replace(low=-np.inf if at_end else float(low)))
        if len(above):
            high = above[min(step, len(above)) - 1]
            at_end = high == above[-1]
            wider.append(side._replace(high=np.inf if at_end else float(high)))
        for level in side.without:
            rest = tuple(other for other in side.without if other != level)
            wider.append(side._replace(without=rest))
        for each in wider:
            yield (*peel.sides[:i], each, *peel.sides[i + 1 :])
