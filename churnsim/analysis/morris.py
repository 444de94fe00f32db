"""Elementary effects of each factor from Morris's trajectories."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from churnsim.analysis.noise import cross
from churnsim.analysis.resampling import Index, ends, resampled
from churnsim.records import Floats

TRAJECTORIES_MIN = 2


class MorrisEffects(NamedTuple):
    """What moving one factor through its whole range would do, from place to place."""

    mu: Index  # mean effect [the response's unit]
    mu_star: Index  # mean size of the effect
    sigma: Index  # how much it depends on where: curvature and interactions
    noise: float | None  # mu_star that luck alone would make; None: one replication


def morris_effects(y: Floats, units: Floats, seed: int) -> list[MorrisEffects]:
    """Return the effects of each factor.

    An effect is (f(x + Δ e_i) − f(x)) / Δ with x in the unit cube. μ is its mean over
    trajectories, μ* that of its size, σ its standard deviation. μ* is of averages over
    replications, in which luck counts as size: what luck alone would make of it is told
    beside it. σ is without luck. Intervals are of the bootstrap over trajectories.

    Args:
        y: (n, k + 1, r) responses along each trajectory.
        units: (n, k + 1, k) its points; each step moves one factor.
        seed: Of the bootstrap.

    Source:
        Campolongo, F., Cariboni, J. & Saltelli, A. (2007): An effective screening
        design for sensitivity analysis of large models. Environmental Modelling &
        Software 22, 1509-1518.
    """
    n, k, r = y.shape[0], units.shape[2], y.shape[2]
    steps = np.diff(units, axis=1)
    which = np.abs(steps).argmax(axis=2)
    sizes = np.take_along_axis(steps, which[:, :, None], axis=2)
    moved = np.diff(y, axis=1) / sizes
    effects = np.empty((n, k, r))
    np.put_along_axis(effects, which[:, :, None], moved, axis=1)
    means = effects.mean(axis=2)
    around = effects - effects.mean(axis=0)
    terms = np.hstack([means, np.abs(means), cross(around, around)])
    samples = np.concatenate([w @ terms / n for w in resampled(n, seed)])
    values = _finished(terms.mean(axis=0)[None], k, n)[0]
    lows, highs = ends(_finished(samples, k, n))
    found = [
        Index(float(a), float(low), float(high))
        for a, low, high in zip(values, lows, highs, strict=True)
    ]
    noise: list[float | None] = [None] * k
    if r > 1:
        errors = effects.std(axis=2, ddof=1) / math.sqrt(r)
        noise = (math.sqrt(2.0 / math.pi) * errors.mean(axis=0)).tolist()
    return [
        MorrisEffects(found[i], found[k + i], found[2 * k + i], noise[i])
        for i in range(k)
    ]


def _finished(means: Floats, k: int, n: int) -> Floats:
    """Return means of terms (m, 3 k) with the last k as standard deviations."""
    squares = np.maximum(means[:, 2 * k :], 0.0) * n / (n - 1)
    return np.hstack([means[:, : 2 * k], np.sqrt(squares)])
