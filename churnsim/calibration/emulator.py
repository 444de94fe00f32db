"""Figures as smooth functions of the parameters, learnt from places simulated.

Quadratic functions with a wide prior plus a Gaussian process of Matérn's covariance,
chosen by maximum likelihood. Far from what was observed a figure is compressed, f = y +
s·sinh(w): what lies near is told finely, what lies far only as far.

Source:
    Rasmussen & Williams 2006, Gaussian Processes for Machine Learning, 2.7 and 5.4.
"""

from __future__ import annotations

import numpy as np

from churnsim.records import Floats

LENGTHS = (0.15, 0.3, 0.6, 1.2)  # of the process, in the unit cube
NUGGETS = np.geomspace(1e-7, 1.0, 15)  # what is not smooth, in the process's variance
WIDE = 100.0  # prior standard deviation of quadratic terms, in the process's own
LEAST = 1e-18  # of the process's variance: a figure that never varies
SQRT_5 = 5.0**0.5


class Emulator:
    """Several functions learnt at the same places."""

    def __init__(self, places: Floats, values: Floats) -> None:
        """Learn from values (n, m) at places (n, k) of the unit cube."""
        self._places = places
        self._terms = quadratic(places)
        n = len(places)
        best = -np.inf
        for length in LENGTHS:
            spread, basis = np.linalg.eigh(self._covariance(places, length))
            spread = np.maximum(spread, 0.0)
            along = basis.T @ values  # (n, m)
            whole = spread[:, None] + NUGGETS  # (n, nuggets)
            size = np.einsum("nm,ng->mg", along**2, 1.0 / whole) / n
            size = np.maximum(size, LEAST)
            likelihood = -0.5 * (n * np.log(size) + np.log(whole).sum(axis=0))
            chosen = likelihood.argmax(axis=1)
            total = likelihood.max(axis=1).sum()
            if total > best:
                best = total
                self._length, self._basis = length, basis
                self._whole = whole[:, chosen]  # (n, m)
                self._size = np.take_along_axis(size, chosen[:, None], 1)[:, 0]
                self._weights = along / self._whole

    def predict(self, places: Floats) -> tuple[Floats, Floats]:
        """Return means and standard deviations (n, m) at places (n, k)."""
        across = self._covariance(places, self._length) @ self._basis
        mean: Floats = across @ self._weights
        own = WIDE**2 * (quadratic(places) ** 2).sum(axis=1) + 1.0
        left = own[:, None] - (across**2) @ (1.0 / self._whole)
        return mean, np.sqrt(np.maximum(left, 0.0) * self._size)

    def _covariance(self, places: Floats, length: float) -> Floats:
        """Return the prior covariance with the places known, (n, n known)."""
        known = self._places
        square = (places**2).sum(axis=1)[:, None] + (known**2).sum(axis=1)
        square = np.maximum(square - 2.0 * places @ known.T, 0.0)
        far = SQRT_5 * np.sqrt(square) / length
        smooth = (1.0 + far + far**2 / 3.0) * np.exp(-far)
        trend = quadratic(places) @ self._terms.T
        found: Floats = WIDE**2 * trend + smooth
        return found


def quadratic(places: Floats) -> Floats:
    """Return the quadratic terms of places (n, k), one with the others."""
    x = 2.0 * places - 1.0
    rows, columns = np.triu_indices(x.shape[1])
    return np.concatenate([np.ones((len(x), 1)), x, x[:, rows] * x[:, columns]], axis=1)


def n_quadratic(n_axes: int) -> int:
    """Return how many quadratic terms there are."""
    return 1 + n_axes + n_axes * (n_axes + 1) // 2
