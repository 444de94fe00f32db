"""Where a gap that is known with an interval changes its sign, and how surely.

On common random numbers the gap at a value is the same number however often it is asked
for, so its mean is searched like any function. The interval of the root inverts the
test: it holds the values at which the gap cannot be told from zero.

Source:
    Fieller, E. C. (1954): Some problems in interval estimation. Journal of the Royal
    Statistical Society B 16, 175-185 (confidence sets by inverting a t test);
    Brent, R. P. (1973): Algorithms for Minimization without Derivatives, chapter 4
    (the search, as scipy.optimize.brentq).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from churnsim.experiment.intervals import Estimate

TINY = 1e-9  # stands for 0, on the side where nothing is lost; below one micro-unit

Gap = Callable[[float], Estimate]  # what is lost at a value
Sureness = Callable[[float], float]


class Span(NamedTuple):
    """Where to search, and how closely."""

    low: float
    high: float
    n_grid: int  # values tried first, both ends among them
    tolerance: float  # of what is found, as a share of the span
    is_whole: bool = False  # only whole numbers are values

    @property
    def grid(self) -> tuple[float, ...]:
        """Return the values that are tried first, in order."""
        step = (self.high - self.low) / (self.n_grid - 1)
        values = [self.low + step * i for i in range(self.n_grid - 1)]
        values.append(self.high)
        if self.is_whole:
            values = [float(round(value)) for value in values]
        return tuple(sorted(set(values)))


class Crossing(NamedTuple):
    """Where the gap changes its sign first."""

    value: float  # of whole numbers the first one after the change
    low: float | None  # of the 95 % interval; None: as far down as was searched
    high: float | None  # None: as far up as was searched
    starts: bool  # whether the loss begins there, rather than ends
    others: tuple[tuple[float, float], ...]  # between which it changes again


def first_crossing(gap: Gap, span: Span) -> Crossing | None:
    """Return where a gap changes its sign first; None where it never does on the grid.

    Args:
        gap: What is lost at a value: above zero is a loss. Asked again for the same
            value, it answers the same; each value is asked for only once.
        span: Where to search.
    """
    known: dict[float, Estimate] = {}

    def at(value: float) -> Estimate:
        if value not in known:
            known[value] = gap(value)
        return known[value]

    def loss(value: float) -> float:
        return at(value).mean or 0.0

    def sure_loss(value: float) -> float:
        low = at(value).low
        return -1.0 if low is None else low

    def sure_gain(value: float) -> float:
        high = at(value).high
        return -1.0 if high is None else -high

    changes = [
        (a, b)
        for a, b in itertools.pairwise(span.grid)
        if (loss(a) > 0.0) != (loss(b) > 0.0)
    ]
    if not changes:
        return None
    first, *others = changes
    starts = loss(first[0]) <= 0.0
    value = turning_point(loss, first, span)
    before, after = (sure_gain, sure_loss) if starts else (sure_loss, sure_gain)
    low = _bound(before, _outward(known, value, down=True), span)
    high = _bound(after, _outward(known, value, down=False), span)
    return Crossing(
        value,
        None if low is None else min(low, value),
        None if high is None else max(high, value),
        starts,
        tuple(others),
    )


def turning_point(
    function: Sureness, bracket: tuple[float, float], span: Span
) -> float:
    """Return where a function turns from above zero to not above it, or back.

    Args:
        function: Above zero at one end of the bracket, not above zero at the other.
        bracket: The lower and the higher end.
        span: Says how closely, and whether only whole numbers are values; of these
            the first one after the turn is returned.
    """
    low, high = bracket
    if not span.is_whole:
        # Here, since every command imports this module and few search anything.
        from scipy.optimize import brentq

        reach = (span.high - span.low) * span.tolerance
        return float(brentq(lambda x: function(x) or -TINY, low, high, xtol=reach))
    is_above = function(low) > 0.0
    while high - low > 1.0:
        middle = float((low + high) // 2)
        if (function(middle) > 0.0) == is_above:
            low = middle
        else:
            high = middle
    return high


def _outward(known: Iterable[float], value: float, *, down: bool) -> list[float]:
    """Return the values tried, from the one next to the root on its other side."""
    values = sorted(known, reverse=down)
    return values[max(0, values.index(value) - 1) :]


def _bound(sure: Sureness, outward: Sequence[float], span: Span) -> float | None:
    """Return where one can be sure, going outward; None where one never can."""
    for inner, outer in itertools.pairwise(outward):
        if sure(outer) > 0.0:
            if sure(inner) > 0.0:
                return inner  # a jump: sure on both sides of the root
            bracket = (min(inner, outer), max(inner, outer))
            return turning_point(sure, bracket, span)
    return None
