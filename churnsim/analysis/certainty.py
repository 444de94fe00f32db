"""How sure the response is at each point: intervals over replications, all at once."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from churnsim.experiment.intervals import t_quantile
from churnsim.records import Floats


class Bounds(NamedTuple):
    """Means and their 95 % intervals."""

    mean: Floats  # (n,)
    low: Floats | None  # (n,); None: one replication
    high: Floats | None

    def is_unsure(self, threshold: float) -> NDArray[np.bool_] | None:
        """Return where the interval holds a threshold; None: one replication.

        An interval that is the threshold and nothing else is sure.
        """
        if self.low is None or self.high is None:
            return None
        inside = (self.low <= threshold) & (threshold <= self.high)
        unsure: NDArray[np.bool_] = inside & (self.low < self.high)
        return unsure


def bounds_of(y: Floats) -> Bounds:
    """Return what `experiment.intervals.estimate` says of each row of y (n, r)."""
    r = y.shape[1]
    mean: Floats = y.mean(axis=1)
    if r == 1:
        return Bounds(mean, None, None)
    around = y - mean[:, None]
    variance = (around**2).sum(axis=1) / (r - 1)
    is_flat = (y == y[:, :1]).all(axis=1) | (variance == 0.0)
    shift = np.zeros(len(y))
    if r > 2:
        cubes = (around**3).sum(axis=1)
        shift = cubes / ((r - 1) * (r - 2)) / (6.0 * np.where(is_flat, 1.0, variance))
    reach = t_quantile(r - 1) * np.sqrt(variance) / math.sqrt(r)
    low = np.where(is_flat, mean, mean + shift - reach)
    high = np.where(is_flat, mean, mean + shift + reach)
    return Bounds(mean, low, high)
