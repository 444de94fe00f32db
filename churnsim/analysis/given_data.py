"""First-order indices from points of any design, where total ones cannot be had.

A factor with few levels has groups of points with the same level; one whose levels are
all different has neighbours in the order of its levels.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from churnsim.analysis.noise import cross
from churnsim.analysis.resampling import (
    Index,
    ends,
    replication_error,
    resampled,
    with_error,
)
from churnsim.records import Floats, Integers

GROUP_MIN = 2  # points a level, on average, to be a factor of levels
LEVELS_MAX = 50  # of a factor of levels; neighbours among more are put together
POINTS_MIN = 10
_NORMAL = 1.959963984540054  # that |z| stays below with 95 % probability


def first_order(
    x: Floats, y: Floats, seed: int, *, is_common: bool
) -> tuple[Index, str]:
    """Return the first-order index of one factor, and how: "levels" or "ranks".

    Where points share their luck, the jackknife over replications widens the interval.

    Args:
        x: (n,) its level at each point.
        y: (n, r) responses.
        seed: Of the bootstrap.
        is_common: Whether all points share their luck.
    """
    levels, place = np.unique(x, return_inverse=True)
    by_ranks = len(levels) * GROUP_MIN > len(x)
    if len(levels) > LEVELS_MAX:  # neighbours are put together, as many points to each
        before = np.cumsum(np.bincount(place)) - 1
        place = before[place] * LEVELS_MAX // len(x)

    def value(y: Floats) -> Floats:
        """Return the index from responses."""
        if by_ranks:
            return np.array([_by_ranks(x, y).value])
        return _by_levels(place, y)(np.ones((1, len(y))))

    if by_ranks:
        found = _by_ranks(x, y)
    else:
        ratios = _by_levels(place, y)
        low, high = ends(np.concatenate([ratios(w) for w in resampled(len(y), seed)]))
        found = Index(float(value(y)[0]), float(low), float(high))
    errors = replication_error(y, value) if is_common else None
    error = None if errors is None else float(errors[0])
    return with_error(found, error, y.shape[1]), "ranks" if by_ranks else "levels"


def of_grid(x: Floats, y: Floats) -> tuple[tuple[Index, ...], tuple[Index, ...]]:
    """Return first-order and total indices of each factor of a whole grid.

    All combinations of levels are there, so means over the other factors are exact:
    S_i = Var(E[y | x_i]) / V and T_i = 1 − Var(E[y | all but x_i]) / V, each level as
    likely as the next. Nothing is sampled but luck: the interval is of the jackknife
    over replications, and there is none with fewer than three.

    Args:
        x: (n, k) all combinations, each once.
        y: (n, r) responses.
    """
    groups = [np.unique(column, return_inverse=True)[1] for column in x.T]
    for i in range(x.shape[1]):
        others = np.delete(x, i, axis=1)
        groups.append(np.unique(others, axis=0, return_inverse=True)[1].ravel())
    k = x.shape[1]

    def indices(y: Floats) -> Floats:
        """Return the 2 k indices from responses."""
        shares = [_between(group, y) for group in groups]
        return np.array([*shares[:k], *(1.0 - s for s in shares[k:])])

    r = y.shape[1]
    errors = replication_error(y, indices)
    found = [Index(value, None, None) for value in indices(y).tolist()]
    if errors is not None:
        found = [
            with_error(Index(i.value, i.value, i.value), float(error), r)
            for i, error in zip(found, errors, strict=True)
        ]
    return tuple(found[:k]), tuple(found[k:])


def _by_ranks(x: Floats, y: Floats) -> Index:
    """Return S = E[(y_j − ȳ)(y_j' − ȳ)] / V, j' being next to j in the order of x.

    The interval is that of the sequence of products, in which neighbours depend on each
    other: its variance is c₀ + 2 (c₁ − c₂), of covariances at distances 0, 1 and 2, of
    which c₂ is what the level itself moves. The bootstrap fails here: it makes points
    their own neighbours.

    Source:
        Gamboa, F., Gremaud, P., Klein, T. & Lagnoux, A. (2022): Global sensitivity
        analysis: a novel generation of mighty estimators based on rank statistics.
        Bernoulli 28, 2345-2374. Lin, Z. & Han, F. (2024): On the failure of the
        bootstrap for Chatterjee's rank correlation. Biometrika 111, 1063-1070.
    """
    n = len(x)
    sorted_y = y[np.argsort(x, kind="stable")]
    sorted_y = sorted_y - sorted_y.mean(axis=0)
    products = cross(sorted_y, np.roll(sorted_y, -1, axis=0))
    squares = cross(sorted_y, sorted_y)
    variance = squares.mean()
    value = float(products.mean() / variance)
    moves = products - products.mean() - value * (squares - variance)
    c0, c1, c2 = ((moves * np.roll(moves, -i)).mean() for i in range(3))
    spread = max(c0 + 2.0 * (c1 - c2), 0.0)
    reach = _NORMAL * math.sqrt(spread / n) / float(variance)
    return Index(value, value - reach, value + reach)


def _between(place: Integers, y: Floats) -> float:
    """Return the variance of groups' means over that of all points."""
    y = y - y.mean(axis=0)
    count = np.bincount(place)
    sums = np.stack([np.bincount(place, column) for column in y.T], axis=-1)
    means: Floats = sums / count[:, None]
    return float(count @ cross(means, means) / cross(y, y).sum())


def _by_levels(place: Integers, y: Floats) -> Callable[[Floats], Floats]:
    """Return what makes indices (m,) from how often each point is in samples (m, n).

    The index is the variance of the levels' means over that of all points. A level's
    squared mean is the mean of products of different points, so that few points a level
    do not look like an effect.
    """
    n, n_levels = len(y), int(place.max()) + 1
    y = y - y.mean(axis=0)
    member = np.zeros((n, n_levels))
    member[np.arange(n), place] = 1.0
    squares = cross(y, y)

    def ratios(weights: Floats) -> Floats:
        count = weights @ member
        parts = [(weights * column) @ member for column in y.T]
        sums = np.stack(parts, axis=-1)
        pairs = count**2 - weights**2 @ member
        products = cross(sums, sums) - (weights**2 * squares) @ member
        size = np.where(pairs > 0.0, count, 0.0)
        means = products / np.where(pairs > 0.0, pairs, 1.0)
        centre = (weights @ y) / n
        square = cross(centre, centre)
        between = (size * means).sum(axis=1) / size.sum(axis=1) - square
        found: Floats = between / (weights @ squares / n - square)
        return found

    return ratios
