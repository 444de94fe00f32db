"""A mean over replications and its 95 % interval.

Student's t, moved by a term for skewness (Johnson 1978): revenue and losses are skewed,
and with few replications a plain t interval then sits off the mean.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from scipy import special

CONFIDENCE = 0.95
ROUGH_BELOW = 20  # replications; fewer, and the interval covers visibly less than 95 %


class Range(NamedTuple):
    """Where a figure can lie at all."""

    low: float
    high: float


ANYWHERE = Range(-math.inf, math.inf)
FROM_ZERO = Range(0.0, math.inf)
SHARE = Range(0.0, 1.0)


class Estimate(NamedTuple):
    """What a figure is on average over replications, and how sure that is."""

    mean: float | None  # None: no replication has data
    low: float | None  # of the 95 % interval; None with fewer than two values
    high: float | None
    n: int  # replications that have data

    @property
    def is_rough(self) -> bool:
        """Return whether there are too few replications for a good interval."""
        return self.n < ROUGH_BELOW

    @property
    def covers_zero(self) -> bool:
        """Return whether the interval cannot tell the figure from zero."""
        return (
            self.low is not None
            and self.high is not None
            and (self.low <= 0.0 <= self.high)
        )

    def scaled(self, factor: float) -> Estimate:
        """Return the estimate in another unit; `factor` is positive."""
        mean, low, high = (None if x is None else x * factor for x in self[:3])
        return Estimate(mean, low, high, self.n)


def estimate(
    values: Sequence[float | int | None], within: Range = ANYWHERE
) -> Estimate:
    """Return the mean and its 95 % interval, x̄ + m/(6 s² n) ± t s/√n.

    s² is the variance and m the third central moment of the values, both unbiased; t is
    Student's quantile with n − 1 degrees of freedom. Sums are exact before rounding, so
    the order of the replications does not show.

    The interval ends where the figure's range does: with few and skewed values, such as
    the waits at a desk that is seldom needed, t would reach below zero. A mean lies in
    the range of its values, so what is cut off never held it: coverage stays the same.

    Args:
        values: One per replication; None where a replication has no data.
        within: The range that all values are in by their nature.

    Source:
        Johnson, N. J. (1978): Modified t tests and confidence intervals for
        asymmetrical populations. Journal of the American Statistical Association 73,
        536-544.
    """
    known = [value for value in values if value is not None]
    n = len(known)
    if n == 0:
        return Estimate(None, None, None, 0)
    mean = math.fsum(known) / n
    if n == 1:
        return Estimate(mean, None, None, 1)
    deviations = [value - mean for value in known]
    variance = math.fsum(d * d for d in deviations) / (n - 1)
    if variance == 0.0 or len(set(known)) == 1:
        return Estimate(mean, mean, mean, n)
    shift = 0.0
    if n > 2:
        cubes = math.fsum(d * d * d for d in deviations)
        shift = cubes / ((n - 1) * (n - 2)) / (6.0 * variance)
    reach = t_quantile(n - 1) * math.sqrt(variance / n)
    low = max(mean + shift - reach, within.low)
    high = min(mean + shift + reach, within.high)
    return Estimate(mean, low, high, n)


def controlled(
    values: Sequence[float], controls: Sequence[float], expected: float
) -> Estimate:
    """Return the mean and its 95 % interval, given a control whose mean is known.

    ȳ − b (x̄ − μ) ± t s √(1/n + (x̄ − μ)²/Sxx), b = Sxy/Sxx, where s² is the residuals'
    variance with n − 2 degrees of freedom, as t has; moved as in `estimate`. That b is
    estimated is in the last term and in the degrees of freedom.

    Args:
        values: One per replication, at least three.
        controls: Each replication's x, not all the same.
        expected: μ.

    Source:
        Lavenberg, S. S. & Welch, P. D. (1981): A perspective on the use of control
        variables to increase the efficiency of Monte Carlo simulations. Management
        Science 27, 322-335.
    """
    n = len(values)
    mean, middle = math.fsum(values) / n, math.fsum(controls) / n
    around = [x - middle for x in controls]
    spread = math.fsum(d * d for d in around)
    pairs = zip(values, around, strict=True)
    slope = math.fsum((y - mean) * d for y, d in pairs) / spread
    pairs = zip(values, controls, strict=True)
    found = estimate([y - slope * (x - expected) for y, x in pairs])
    if found.mean is None or found.low is None or found.high is None:
        return found
    reach = 0.5 * (found.high - found.low)
    reach *= t_quantile(n - 2) / t_quantile(n - 1) * math.sqrt((n - 1) / (n - 2))
    reach *= math.sqrt(1.0 + n * (middle - expected) ** 2 / spread)
    centre = 0.5 * (found.low + found.high)
    return Estimate(found.mean, centre - reach, centre + reach, n)


def widened(value: Estimate, error: float, degrees: int) -> Estimate:
    """Return the estimate with an interval for two independent errors instead of one.

    h' = √(h² + (t e)²), about the same centre: h is the half-width, which is for want
    of more replications, and e the standard error of something else that was sampled
    too, such as orders of levers. Both have the same scale, 95 %, each by Student's t
    with its own degrees of freedom. Independent errors add in their squares, so the sum
    does; chance that is shared by both, as of one order in one replication, is counted
    in either, which errs on the side of the wider interval. Where there is no interval
    there is none afterwards.

    Args:
        value: With the interval that replications give it.
        error: e, in the estimate's unit.
        degrees: Of freedom of e, at least 1.
    """
    if value.low is None or value.high is None or error == 0.0:
        return value
    reach = math.hypot(0.5 * (value.high - value.low), t_quantile(degrees) * error)
    centre = 0.5 * (value.low + value.high)
    return Estimate(value.mean, centre - reach, centre + reach, value.n)


def t_quantile(degrees: int) -> float:
    """Return the value that |t| stays below with 95 % probability."""
    return float(special.stdtrit(degrees, 0.5 + CONFIDENCE / 2.0))


def variance(values: Sequence[float | int]) -> float:
    """Return the unbiased variance; 0 with fewer than two values."""
    n = len(values)
    if n < 2:
        return 0.0
    mean = math.fsum(values) / n
    return math.fsum((value - mean) ** 2 for value in values) / (n - 1)


def correlation(a: Sequence[float | int], b: Sequence[float | int]) -> float | None:
    """Return the correlation of pairs, or None where one side never varies."""
    spread = math.sqrt(variance(a)) * math.sqrt(variance(b))
    if spread == 0.0:
        return None
    mean_a, mean_b = math.fsum(a) / len(a), math.fsum(b) / len(b)
    pairs = zip(a, b, strict=True)
    together = math.fsum((x - mean_a) * (y - mean_b) for x, y in pairs)
    return together / (len(a) - 1) / spread
