"""Draws from a density on the unit cube: sequential Monte Carlo, tempered.

A cloud that fills the cube is drawn towards the density step by step; each step weighs
it so that half of it still counts, resamples, and moves it by Metropolis's rule.

Source:
    Del Moral, Doucet & Jasra 2006, Sequential Monte Carlo samplers, 3.2 and 3.3.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import ndtri

from churnsim.records import Floats

LogDensity = Callable[[Floats], Floats]  # from places (n, k) to (n,)

KEPT = 0.5  # of the cloud that still counts after a step
MOVES = 4  # of each particle in a step
MOVES_LAST = 15  # once the density is reached: neighbours forget their common parent
STEPS_MAX = 200
SCALE = 2.38  # of steps by the cloud's own spread, over √k (Roberts & Rosenthal 2001)


class Random:
    """Random numbers from words that numpy promises to stay the same."""

    def __init__(self, seed: int) -> None:
        self._words = np.random.Philox(seed)

    def uniform(self, *shape: int) -> Floats:
        """Return uniforms within (0, 1)."""
        words = self._words.random_raw(int(np.prod(shape))) >> np.uint64(11)
        found: Floats = (np.ldexp(words.astype(np.float64) + 0.5, -53)).reshape(shape)
        return found

    def normal(self, *shape: int) -> Floats:
        """Return standard normals."""
        found: Floats = ndtri(self.uniform(*shape))
        return found


def sample(log_density: LogDensity, n_axes: int, n: int, seed: int) -> Floats:
    """Return n draws (n, k) with equal weights; the same seed gives the same ones.

    Args:
        log_density: On the unit cube; what it counts from does not matter.
        n_axes: k, the cube's.
        n: How many draws.
        seed: Of all randomness.
    """
    random = Random(seed)
    # Each axis is cut into n cells, one draw in each.
    cells = np.argsort(random.uniform(n, n_axes), axis=0)
    places = (cells + random.uniform(n, n_axes)) / n
    height = log_density(places)
    power = 0.0
    step = SCALE / np.sqrt(n_axes)
    for _ in range(STEPS_MAX):
        gain = _gain(height, 1.0 - power)
        power = min(1.0, power + gain)
        chosen = _resampled(_weights(gain * height), random)
        places, height = places[chosen], height[chosen]
        is_last = power >= 1.0
        for _ in range(MOVES_LAST if is_last else MOVES):
            root = _root(np.cov(places.T).reshape(n_axes, n_axes))
            tried = _reflected(places + step * random.normal(n, n_axes) @ root.T)
            other = log_density(tried)
            is_taken = np.log(random.uniform(n)) < power * (other - height)
            places = np.where(is_taken[:, None], tried, places)
            height = np.where(is_taken, other, height)
            step *= 1.2 if is_taken.mean() > 0.3 else 0.8
        if is_last:
            break
    return places


def _gain(height: Floats, most: float) -> float:
    """Return by how much the power may rise, so that KEPT of the cloud counts."""
    if _counting(most * height) >= KEPT:
        return most
    low, high = 0.0, most
    for _ in range(60):
        middle = 0.5 * (low + high)
        if _counting(middle * height) >= KEPT:
            low = middle
        else:
            high = middle
    return max(low, 1e-12)


def _weights(logs: Floats) -> Floats:
    weights = np.exp(logs - logs.max())
    found: Floats = weights / weights.sum()
    return found


def _counting(logs: Floats) -> float:
    """Return the effective share of a weighted cloud (Kish)."""
    weights = _weights(logs)
    return float(1.0 / ((weights**2).sum() * len(weights)))


def _resampled(weights: Floats, random: Random) -> np.ndarray:
    """Return places drawn by their weights, systematically: with one number."""
    n = len(weights)
    marks = (np.arange(n) + random.uniform(1)[0]) / n
    found: np.ndarray = np.searchsorted(np.cumsum(weights), marks).clip(0, n - 1)
    return found


def _root(covariance: Floats) -> Floats:
    """Return a matrix whose square is the covariance, however flat that is."""
    spread, basis = np.linalg.eigh(covariance)
    found: Floats = basis * np.sqrt(np.maximum(spread, 1e-16))
    return found


def _reflected(places: Floats) -> Floats:
    """Return places folded back into the unit cube, as if its walls were mirrors."""
    folded = np.abs(places) % 2.0
    found: Floats = np.where(folded > 1.0, 2.0 - folded, folded)
    return found
