"""Luck and ignorance told apart: a one-way analysis of variance over the draws.

Replications of one draw differ by luck; means of different draws differ by what is not
known of the firm, and by what luck is left in them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from scipy import special

from churnsim.experiment.intervals import ANYWHERE, CONFIDENCE, Estimate, Range
from churnsim.records import Floats

NODES = 16  # of either chi-squared law: t's quantile is met to 7e-6 of its probability
TINY = 1e-12  # of the largest spread, beside which a smaller one is none
USUAL = (0.0, 2.0)  # logarithm of the half-width over a typical spread
ANY = (-30.0, 30.0)


class Components(NamedTuple):
    """What values of several draws tell of their mean, their luck and their draws.

    y = μ + b_d + e, with b_d of variance σ_b² by draw and e of variance σ_e² by
    replication: n values, of which n_d are of draw d.
    """

    n: int  # values
    n_draws: int  # different ones
    effective: float  # draws of equal weight that tell as much: n²/Σ n_d²
    mean: float  # of all values
    within: float  # mean square within draws, unbiased for σ_e²; 0 without repeats
    between: float  # mean square between draws, unbiased for σ_e² + size σ_b²

    @property
    def size(self) -> float:
        """Return the values a draw has, as they count: n_d where all have as many."""
        return self.n * (1.0 - 1.0 / self.effective) / (self.n_draws - 1)

    @property
    def ignorance(self) -> float:
        """Return σ_b²: how much the draws' expectations vary, unbiased but for 0.

        Where the draws' means vary no more than luck explains it is 0.
        """
        return max(0.0, (self.between - self.within) / self.size)

    @property
    def monte_carlo(self) -> float:
        """Return the variance of the mean: σ_e²/n for luck, σ_b²/n_e for few draws."""
        return self.within / self.n + self.ignorance / self.effective


class Uncertainty(NamedTuple):
    """How far off an answer may be, and why; standard deviations in its unit."""

    total: float  # √(monte_carlo² + ignorance²)
    monte_carlo: float  # of the mean: more replications, of more draws, shrink it
    ignorance: float  # of the expectation over the draws: no replication shrinks it
    ignorance_share: float | None  # of the total's square; None: nothing varies


def components(values: Sequence[float], draws: Sequence[int]) -> Components | None:
    """Return what values tell of luck and draws; None of fewer than two draws.

    Sums are exact before rounding, so the order of the values does not show.

    Args:
        values: One per replication.
        draws: The number of each one's draw.

    Source:
        Searle, S. R., Casella, G. & McCulloch, C. E. (1992): Variance components.
        Wiley; section 3.6, unbalanced data.
    """
    groups: dict[int, list[float]] = {}
    for value, draw in zip(values, draws, strict=True):
        groups.setdefault(draw, []).append(value)
    n, n_draws = len(values), len(groups)
    if n_draws < 2:
        return None
    mean = math.fsum(values) / n
    means = {draw: math.fsum(group) / len(group) for draw, group in groups.items()}
    inside = math.fsum(
        (value - means[draw]) ** 2 for draw, group in groups.items() for value in group
    )
    outside = math.fsum(
        len(group) * (means[draw] - mean) ** 2 for draw, group in groups.items()
    )
    return Components(
        n,
        n_draws,
        n * n / sum(len(group) ** 2 for group in groups.values()),
        mean,
        inside / (n - n_draws) if n > n_draws else 0.0,
        outside / (n_draws - 1),
    )


def uncertainty(found: Components) -> Uncertainty:
    """Return the standard deviations of what is told, by where they come from."""
    monte_carlo, ignorance = found.monte_carlo, found.ignorance
    total = monte_carlo + ignorance
    return Uncertainty(
        math.sqrt(total),
        math.sqrt(monte_carlo),
        math.sqrt(ignorance),
        ignorance / total if total else None,
    )


def drawn_estimate(
    values: Sequence[float | int | None],
    draws: Sequence[int],
    within: Range = ANYWHERE,
) -> Estimate:
    """Return the mean and the 95 % interval for the expectation under one more draw.

    The firm is one draw, and which one is not known: the interval is not for the mean
    over the draws, which enough replications would find exactly, but for what is to be
    expected of this firm. See `reach_of`. As in `estimate` it ends where the figure's
    range does. There is none of a single draw.

    Args:
        values: One per replication; None where a replication has no data.
        draws: The number of each replication's draw.
        within: The range that all values are in by their nature.
    """
    pairs = [(v, d) for v, d in zip(values, draws, strict=True) if v is not None]
    known = [float(value) for value, _ in pairs]
    n = len(known)
    if n == 0:
        return Estimate(None, None, None, 0)
    mean = math.fsum(known) / n
    found = components(known, [draw for _, draw in pairs])
    if found is None:
        return Estimate(mean, None, None, n)
    if len(set(known)) == 1:
        return Estimate(mean, mean, mean, n)
    reach = reach_of(found)
    low, high = max(mean - reach, within.low), min(mean + reach, within.high)
    return Estimate(mean, low, high, n)


def reach_of(found: Components) -> float:
    """Return the half-width of the interval: generalised (fiducial) prediction.

    What is not known of both variances is in it. Given the mean squares, σ_e² is
    distributed as within (n − D)/χ², and σ_e² + size σ_b² as between (n_e − 1)/χ². The
    answer μ + b of one more draw then lies around the mean with variance
    σ_b² (1 + 1/n_e) + σ_e²/n, normal. The half-width holds it with 95 % probability
    over all three. Without luck this is Student's t with n_e − 1 degrees of freedom.

    Source:
        Weerahandi, S. (1993): Generalized confidence intervals. Journal of the American
        Statistical Association 88, 899-905. Lin, T.-Y. & Liao, C.-T. (2008): Prediction
        intervals for general balanced linear random models. Journal of Statistical
        Planning and Inference 138, 3164-3175.
    """
    luck, weight_of_luck = _spread(found.within, found.n - found.n_draws)
    both, weight_of_both = _spread(found.between, found.effective - 1.0)
    of_draws = np.maximum(0.0, both[:, None] - luck[None, :]) / found.size
    variance = of_draws * (1.0 + 1.0 / found.effective) + luck[None, :] / found.n
    scale = np.sqrt(2.0 * variance).ravel()
    weights = (weight_of_both[:, None] * weight_of_luck[None, :]).ravel()
    largest = float(scale.max())
    if not largest:
        return 0.0
    rates = 1.0 / np.maximum(scale, TINY * largest)
    typical = 1.0 / float((weights * rates).sum())
    rates *= typical

    def missing(log_reach: float) -> float:
        held = special.erf(math.exp(log_reach) * rates)
        return float((weights * held).sum()) - CONFIDENCE

    low, high = USUAL
    if not missing(low) < 0.0 < missing(high):
        low, high = ANY
    from scipy import optimize  # now, since it takes long to load

    root: float = optimize.brentq(missing, low, high, xtol=1e-9)
    return math.exp(root) * typical


def _spread(mean_square: float, degrees: float) -> tuple[Floats, Floats]:
    """Return what a variance may be, given its mean square, and the weights of these.

    Without degrees of freedom nothing is known of it, and it is left out: all that
    varies then counts as draws, which errs on the side of the wider interval.
    """
    if degrees <= 0.0 or not mean_square:
        return np.zeros(1), np.ones(1)
    _, weights = _nodes()
    return mean_square * degrees / _chi2(degrees), weights


@cache
def _nodes() -> tuple[Floats, Floats]:
    """Return probabilities and their weights, densest at both ends.

    Gauss and Legendre's x are moved to x² (3 − 2x), whose slope is 0 at 0 and 1, where
    quantiles are steep.
    """
    places, weights = np.polynomial.legendre.leggauss(NODES)
    places = 0.5 * (places + 1.0)
    return places**2 * (3.0 - 2.0 * places), 3.0 * weights * places * (1.0 - places)


@cache
def _chi2(degrees: float) -> Floats:
    """Return the quantiles of a chi-squared law at the nodes."""
    places, _ = _nodes()
    quantiles: Floats = 2.0 * special.gammaincinv(0.5 * degrees, places)
    return quantiles
