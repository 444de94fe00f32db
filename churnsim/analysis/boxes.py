"""The boxes of a discovery: peeled, pasted, cleaned, and put into words."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from churnsim.analysis import prim
from churnsim.analysis.finished import Factor, Sweep
from churnsim.analysis.prim import Flags, Peel, Side
from churnsim.analysis.responses import Responses
from churnsim.analysis.subject import number_text
from churnsim.records import Floats

SIGNIFICANT = 0.05  # quasi-p-value above which a side is taken for chance
CASES_LEFT = 0.05  # share of the cases of interest; fewer are left alone


class Restriction(NamedTuple):
    """What a box says of one factor."""

    factor: Factor
    side: Side
    low: float | None  # the lowest value inside; None: no lower end
    high: float | None
    quasi_p: float
    text: str  # for people


class Box(NamedTuple):
    """A box of assumptions."""

    restrictions: tuple[Restriction, ...]  # the surest first
    coverage: float  # share of all points of interest that are inside
    density: float  # share of those inside that are of interest
    mass: float  # share of all points that are inside
    n: int  # points inside
    n_unsure: int | None  # of them, those without a sure sign; None: one replication

    @property
    def text(self) -> str:
        """Return what holds inside, in words."""
        return " and ".join(restriction.text for restriction in self.restrictions)


def found_boxes(
    sweep: Sweep,
    responses: Responses,
    is_case: Flags,
    is_unsure: Flags | None,
    wanted: tuple[int, float | None],
) -> tuple[list[Box], tuple[Peel, ...], int | None]:
    """Return the boxes, the peels of the first, and which of them it came from.

    Args:
        sweep: Whose factors bound them.
        responses: Of its points.
        is_case: (n,) which points are of interest; some are and some are not.
        is_unsure: (n,) which could as well be on the other side; None: not known.
        wanted: How many boxes at most, and how dense, if that is asked for.
    """
    x = responses.numbers
    is_ordered = tuple(f.is_range or f.lever is not None for f in sweep.factors)
    left = np.ones(len(x), dtype=bool)
    boxes: list[Box] = []
    first: tuple[Peel, ...] = ()
    chosen: int | None = None
    while len(boxes) < wanted[0]:
        if is_case[left].sum() < max(1.0, CASES_LEFT * is_case.sum()):
            break
        peels = prim.peeled(x, is_case, is_ordered, left)
        place = _chosen(peels, wanted[1])
        peel = prim.pasted(peels[place], x, is_case, left)
        peel = _cleaned(peel, x, is_case, left)
        if not boxes:
            first, chosen = tuple(peels), place
        if all(side.is_open for side in peel.sides):
            break
        if boxes and peel.density <= is_case.mean():
            break
        inside = left & prim.holds(peel.sides, x)
        boxes.append(
            Box(
                _restrictions(sweep, peel, x, is_case, left),
                peel.coverage,
                peel.density,
                peel.mass,
                peel.n,
                None if is_unsure is None else int(is_unsure[inside].sum()),
            )
        )
        left &= ~inside
    return boxes, first, chosen if boxes else None


def _chosen(peels: list[Peel], density: float | None) -> int:
    """Return which of the peels is the box."""
    if density is None:
        return max(range(len(peels)), key=lambda i: peels[i].balance)
    dense = [i for i, peel in enumerate(peels) if peel.density >= density]
    if dense:
        return max(dense, key=lambda i: (peels[i].coverage, peels[i].density))
    return max(range(len(peels)), key=lambda i: peels[i].density)


def _cleaned(peel: Peel, x: Floats, is_case: Flags, left: Flags) -> Peel:
    """Return the box without the sides that chance explains, the likeliest first."""
    while True:
        closed = [side.factor for side in peel.sides if not side.is_open]
        if not closed:
            return peel
        chances = [(prim.quasi_p(peel, i, x, is_case, left), i) for i in closed]
        worst, factor = max(chances)
        if worst <= SIGNIFICANT:
            return peel
        sides = prim.opened(peel.sides, factor)
        peel = prim.measured(sides, left & prim.holds(sides, x), is_case)


def _restrictions(
    sweep: Sweep, peel: Peel, x: Floats, is_case: Flags, left: Flags
) -> tuple[Restriction, ...]:
    found = []
    for side in peel.sides:
        if side.is_open:
            continue
        factor = sweep.factors[side.factor]
        levels = np.unique(x[:, side.factor])
        low, high = _edges(factor, side, levels)
        chance = prim.quasi_p(peel, side.factor, x, is_case, left)
        text = _text(factor, side, (low, high), levels)
        found.append(Restriction(factor, side, low, high, chance, text))
    return tuple(sorted(found, key=lambda r: r.quasi_p))


def _edges(
    factor: Factor, side: Side, levels: Floats
) -> tuple[float | None, float | None]:
    """Return the ends of a box: of a range, half-way to the next point outside."""
    ends: list[float | None] = []
    for end, sign in ((side.low, -1), (side.high, 1)):
        beyond = levels[levels * sign > end * sign]
        if np.isinf(end) or not len(beyond):
            ends.append(None)
        elif not factor.is_range:
            ends.append(end)
        else:
            ends.append(0.5 * (end + float(beyond.max() if sign < 0 else beyond.min())))
    return ends[0], ends[1]


def _text(
    factor: Factor,
    side: Side,
    ends: tuple[float | None, float | None],
    levels: Floats,
) -> str:
    low, high = ends
    if side.without:
        inside = [x for x in levels.tolist() if x not in side.without]
        return (
            f"{factor.field} is {' or '.join(number_text(factor, x) for x in inside)}"
        )
    if low is not None and high is not None:
        return (
            f"{factor.field} is {number_text(factor, low)} to"
            f" {number_text(factor, high)}"
        )
    if low is not None:
        return f"{factor.field} is at least {number_text(factor, low)}"
    return f"{factor.field} is at most {number_text(factor, high or 0.0)}"
