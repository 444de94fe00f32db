"""How well places fit what was observed: a synthetic likelihood.

Figures are taken as normal about what is observed, with three independent errors: that
of the observation, that of the replications (all places share their draws, so it does
not average out), and that of the emulator.

Source:
    Wood 2010, Statistical inference for noisy nonlinear ecological dynamic systems.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from churnsim.calibration.emulator import Emulator
from churnsim.calibration.moments import Moments
from churnsim.records import Floats

NEAR = 10.0  # errors within which figures are told finely
NEAREST = 20  # places whose Monte Carlo errors are taken for those of the fit
FURTHEST = 30.0  # of a compressed figure: beyond lies nothing that a float can hold


class Observed(NamedTuple):
    """What was seen of each figure, (m,)."""

    values: Floats
    errors: Floats


class Likelihood:
    """A synthetic likelihood learnt from places simulated."""

    def __init__(self, moments: Moments, observed: Observed) -> None:
        self.observed = observed
        is_known = np.isfinite(moments.values).all(axis=1)
        is_known &= np.isfinite(moments.around).all(axis=(1, 2))
        self.moments = moments.at(np.flatnonzero(is_known))
        typical = np.median(self.moments.errors, axis=0)
        self._scale = NEAR * np.hypot(observed.errors, typical)
        compressed = np.arcsinh((self.moments.values - observed.values) / self._scale)
        self.emulator = Emulator(self.moments.places, compressed)
        self._luck = self._luck_of(compressed)

    @property
    def luck(self) -> Floats:
        """Return the covariance of figures by luck of replications, near the fit."""
        slope = self._scale
        found: Floats = self._luck * np.outer(slope, slope)
        return found

    def figures(self, places: Floats) -> tuple[Floats, Floats]:
        """Return figures and the emulator's standard deviations at places, (n, m)."""
        mean, deviation = self.emulator.predict(places)
        mean = np.clip(mean, -FURTHEST, FURTHEST)
        values = self.observed.values + self._scale * np.sinh(mean)
        return values, self._scale * np.cosh(mean) * deviation

    def log(self, places: Floats) -> Floats:
        """Return the log-likelihood at places, (n,), but for a constant."""
        mean, deviation = self.emulator.predict(places)
        mean = np.clip(mean, -FURTHEST, FURTHEST)
        # Both the gap and its errors in units of the compressed figure's slope.
        gap = np.tanh(mean)
        own = (self.observed.errors / (self._scale * np.cosh(mean))) ** 2
        whole = np.repeat(self._luck[None], len(places), axis=0)
        i = np.arange(gap.shape[1])
        whole[:, i, i] += own + deviation**2
        root = np.linalg.cholesky(whole)
        size = np.linalg.solve(root, gap[:, :, None])[:, :, 0]
        logs = np.log(np.diagonal(root, axis1=1, axis2=2) * np.cosh(mean)).sum(axis=1)
        found: Floats = -0.5 * (size**2).sum(axis=1) - logs
        return found

    def distances(self) -> Floats:
        """Return how far each simulated place is from what was observed: χ², (n,)."""
        whole = np.diag(self.observed.errors**2) + self.luck
        gap = self.moments.values - self.observed.values
        found: Floats = (gap * np.linalg.solve(whole, gap.T).T).sum(axis=1)
        return found

    def _luck_of(self, compressed: Floats) -> Floats:
        """Return the covariance of compressed figures by luck, of the nearest places.

        A variance of r replications is not known exactly; the factor (r − 1)/(r − 3) is
        that of Student's distribution.
        """
        near = np.argsort((compressed**2).sum(axis=1), kind="stable")[:NEAREST]
        slope = self._scale * np.cosh(compressed[near])
        around = self.moments.around[near] / slope[:, None, :]
        r = around.shape[1]
        square = np.einsum("nra,nrb->ab", around, around) / len(near)
        found: Floats = square / (r * (r - 3))
        return found
