"""First-order and total Sobol indices from Saltelli's layout, without luck in them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from churnsim.analysis.noise import cross, noise_share
from churnsim.analysis.resampling import (
    Index,
    ends,
    replication_error,
    resampled,
    with_error,
)
from churnsim.records import Floats

BLOCKS_MIN = 2  # base blocks; a variance needs two


class SobolIndices(NamedTuple):
    """How much of a response's variance each factor is behind."""

    first: tuple[Index, ...]  # alone
    total: tuple[Index, ...]  # with all interactions
    variance: float  # of the response between points, without luck
    is_told: bool  # the variance can be told from luck; else indices mean nothing
    noise: float | None  # share of the averages' variance that is luck; None: r = 1


def sobol_indices(y: Floats, seed: int, *, is_common: bool) -> SobolIndices:
    """Return the indices of each factor.

    With A, B two samples and A_i that is A but for factor i, which is B's:
    first   S_i = E[f(B) (f(A_i) − f(A))] / V     (Saltelli 2010)
    total   T_i = E[(f(A) − f(A_i))²] / 2 V       (Jansen 1999)
    Responses are centred first. Products are of different replications, so that luck
    adds to none of them. Intervals are of the bootstrap over base blocks, widened by
    the jackknife over replications where points share their luck.

    Args:
        y: (N, k + 2, r): of each base block A, then A_1 to A_k, then B.
        seed: Of the bootstrap.
        is_common: Whether all points share their luck.

    Source:
        Saltelli, A. et al. (2010): Variance based sensitivity analysis of model output.
        Computer Physics Communications 181, 259-270, table 2, (b) and (f).
    """
    n, k, r = y.shape[0], y.shape[1] - 2, y.shape[2]
    terms = _terms(y)
    means = terms.mean(axis=0)
    samples = np.concatenate([w @ terms / n for w in resampled(n, seed)])
    low, _ = ends(samples[:, 0])
    averages = y.mean(axis=2, keepdims=True)
    noise = None if r == 1 else noise_share(means[0], _terms(averages)[:, 0].mean())
    if low <= 0.0:
        return SobolIndices((), (), float(means[0]), is_told=False, noise=noise)
    values = means[1:] / means[0]
    lows, highs = ends(samples[:, 1:] / samples[:, :1])
    errors = replication_error(y, _ratios) if is_common else None
    found = [
        with_error(
            Index(float(values[i]), float(lows[i]), float(highs[i])),
            None if errors is None else float(errors[i]),
            r,
        )
        for i in range(2 * k)
    ]
    return SobolIndices(
        tuple(found[:k]), tuple(found[k:]), float(means[0]), is_told=True, noise=noise
    )


def _terms(y: Floats) -> Floats:
    """Return what the variance and both indices are means of, (N, 1 + 2 k)."""
    a, b = y[:, :1], y[:, -1:]
    centre = 0.5 * (a.mean(axis=0) + b.mean(axis=0))
    a, b = a - centre, b - centre
    change = y[:, 1:-1] - centre - a
    variance = 0.5 * (cross(a, a) + cross(b, b))
    return np.hstack([variance, cross(b, change), 0.5 * cross(change, change)])


def _ratios(y: Floats) -> Floats:
    means = _terms(y).mean(axis=0)
    found: Floats = means[1:] / means[0]
    return found
