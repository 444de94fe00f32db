"""Durations and amounts as inverse distribution functions: one uniform, one value.

Each quantile rises with its uniform, so policies that share a uniform are coupled as
tightly as they can be. Parameters are kept as the hot loop needs them; the builders
turn means and coefficients of variation into them with this project's own maths, so
that they too are the same on every machine.
"""

import functools
import math
from enum import IntEnum
from typing import NamedTuple

from churnsim.jit import mechanism
from churnsim.primitives import exp, log, normal_quantile

CV_MIN = 1e-4
CV_MAX = 100.0
STIRLING_FROM = 16.0
MARGIN = 1.0 - 2.0**-30
HALF_LOG_TWO_PI = 0.9189385332046727418


class LawKind(IntEnum):
    """Families of distributions. Append only: stored in configurations' digests."""

    CONSTANT = 0
    EXPONENTIAL = 1
    LOGNORMAL = 2
    WEIBULL = 3
    UNIFORM = 4


class Law(NamedTuple):
    """One distribution, in the form its quantile is computed from. Unit: the caller's.

    | kind        | a        | b        | quantile at u         |
    |-------------|----------|----------|-----------------------|
    | CONSTANT    | value    | 0        | a                     |
    | EXPONENTIAL | mean     | 0        | −a log(1 − u)         |
    | LOGNORMAL   | μ        | σ        | exp(a + b z(u))       |
    | WEIBULL     | scale    | 1/shape  | a (−log(1 − u))^b     |
    | UNIFORM     | lowest   | width    | a + b u               |
    """

    kind: int  # a LawKind
    a: float
    b: float


@mechanism
def quantile(law: Law, u: float) -> float:
    """Return the value that the law stays below with probability u.

    Args:
        law: From one of the builders below.
        u: In the open (0, 1). 1 − u is exact for the uniforms of `streams`, which are
            odd multiples of 2^-53.
    """
    if law.kind == LawKind.CONSTANT:
        return law.a
    if law.kind == LawKind.EXPONENTIAL:
        return -law.a * log(1.0 - u)
    if law.kind == LawKind.LOGNORMAL:
        return exp(law.a + law.b * normal_quantile(u))
    if law.kind == LawKind.WEIBULL:
        return law.a * exp(law.b * log(-log(1.0 - u)))
    return law.a + law.b * u


@mechanism
def at_least(law: Law, u: float) -> float:
    """Return what `quantile(law, u)` is never below, for a multiplication; else 0.

    −log(1 − u) > u, and x^b ≥ x for x and b up to 1; the margin outweighs all rounding.
    Most who wait are served long before their patience ends, which this tells at once.

    Args:
        law: Of durations.
        u: As in `quantile`.
    """
    if law.kind == LawKind.CONSTANT:
        return law.a
    if law.kind == LawKind.UNIFORM:
        return law.a + law.b * u
    is_steep = law.kind == LawKind.WEIBULL and law.b <= 1.0
    if law.kind == LawKind.EXPONENTIAL or is_steep:
        return law.a * u * MARGIN
    return 0.0


def constant(value: float) -> Law:
    """Return the law that always gives the value, which may be infinite."""
    if math.isnan(value):
        raise ValueError(f"value must be a number; got {value}")
    return Law(int(LawKind.CONSTANT), float(value), 0.0)


def exponential(mean: float) -> Law:
    """Return the exponential law; a mean of 0 or inf gives 0 or inf always.

    Raises:
        ValueError: If the mean is negative or nan.
    """
    _check_mean(mean)
    if mean in (0.0, math.inf):
        return constant(mean)
    return Law(int(LawKind.EXPONENTIAL), float(mean), 0.0)


def lognormal(mean: float, cv: float) -> Law:
    """Return the lognormal law: σ² = log(1 + cv²), μ = log(mean) − σ²/2.

    Args:
        mean: 0 or inf gives 0 or inf always.
        cv: Standard deviation over mean [-]; 0, or from `CV_MIN` to `CV_MAX`.

    Raises:
        ValueError: If an argument is out of range.
    """
    _check_mean(mean)
    _check_cv(cv)
    if cv == 0.0 or mean in (0.0, math.inf):
        return constant(mean)
    variance = log(1.0 + cv * cv)
    return Law(int(LawKind.LOGNORMAL), log(mean) - 0.5 * variance, math.sqrt(variance))


def weibull(mean: float, cv: float) -> Law:
    """Return the Weibull law: Γ(1 + 2b)/Γ(1 + b)² = 1 + cv², scale = mean/Γ(1 + b).

    Args:
        mean: 0 or inf gives 0 or inf always.
        cv: Standard deviation over mean [-]; 0, or from `CV_MIN` to `CV_MAX`.

    Raises:
        ValueError: If an argument is out of range.
    """
    _check_mean(mean)
    _check_cv(cv)
    if cv == 0.0 or mean in (0.0, math.inf):
        return constant(mean)
    inverse_shape = _inverse_weibull_shape(cv)
    scale = mean / exp(_log_gamma(1.0 + inverse_shape))
    return Law(int(LawKind.WEIBULL), scale, inverse_shape)


def uniform(low: float, high: float) -> Law:
    """Return the uniform law between two finite values.

    Raises:
        ValueError: If a bound is not finite, or if they are out of order.
    """
    if not -math.inf < low <= high < math.inf:
        raise ValueError(f"bounds must be finite and in order; got {low} and {high}")
    return Law(int(LawKind.UNIFORM), float(low), float(high) - float(low))


def _check_mean(mean: float) -> None:
    if not mean >= 0.0:
        raise ValueError(f"mean must be at least 0; got {mean}")


def _check_cv(cv: float) -> None:
    if cv != 0.0 and not CV_MIN <= cv <= CV_MAX:
        raise ValueError(f"cv must be 0 or from {CV_MIN:g} to {CV_MAX:g}; got {cv}")


@functools.lru_cache(256)
def _inverse_weibull_shape(cv: float) -> float:
    """Return b with log Γ(1 + 2b) − 2 log Γ(1 + b) = log(1 + cv²), by bisection."""
    target = log(1.0 + cv * cv)
    low, high = 0.0, 16.0
    while True:
        middle = 0.5 * (low + high)
        if middle in (low, high):
            return middle
        if _log_gamma(1.0 + 2.0 * middle) - 2.0 * _log_gamma(1.0 + middle) < target:
            low = middle
        else:
            high = middle


def _log_gamma(x: float) -> float:
    """Return log Γ(x) for x ≥ 1, by Stirling's series above `STIRLING_FROM`."""
    product = 1.0
    while x < STIRLING_FROM:
        product = product * x
        x = x + 1.0
    y = 1.0 / (x * x)
    series = (1.0 / 12.0 - y * (1.0 / 360.0 - y * (1.0 / 1260.0 - y / 1680.0))) / x
    return (x - 0.5) * log(x) - x + HALF_LOG_TWO_PI + series - log(product)
