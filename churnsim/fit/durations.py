"""How long something takes, where for some it is known only that it takes longer.

Patience is seen of those who give up; of those who are answered it is known only that
it was longer than their wait. Handling times are cut off by the end of the log. Leaving
such cases out, or taking them for ends, makes patience too short. Both laws that
scenarios have for skewed times are fitted by maximum likelihood, and the curve that
supposes no law (Kaplan-Meier) stands beside them.

Source:
    Kalbfleisch & Prentice (2002), The Statistical Analysis of Failure Time Data, 3.
    Vuong (1989), Likelihood Ratio Tests for Model Selection and Non-Nested Hypotheses.
"""

from collections.abc import Callable, Sequence
from math import erfc, exp, expm1, log, sqrt
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import digamma, gammaln, log_ndtr

from churnsim.fit.kaplan_meier import LEVEL, Durations, Survival, checked_durations
from churnsim.fit.likelihood import (
    SCALES,
    SHAPES,
    FitError,
    FloatArray,
    Maximum,
    maximise,
)

ENDS_MIN: Final = 5  # seen; fewer say next to nothing of a shape
_ROOT_TAU: Final = 0.5 * log(2.0 * np.pi)
_SHARES: Final = (0.9, 0.75, 0.5, 0.25, 0.1)
_LARGEST: Final = 300.0  # exp of it leaves room for products; only searches go there
_SURE: Final = 1.959963984540054  # standard errors

LawName = Literal["weibull", "lognormal"]


class DurationFit(NamedTuple):
    """A law fitted by maximum likelihood, as scenarios write it: by mean and cv."""

    law: LawName
    mean: float  # [unit of the data]
    cv: float  # standard deviation over mean [-]
    mean_error: float  # standard error of the mean
    cv_error: float  # of the cv
    params: dict[str, float]  # shape and scale, or median and sigma
    standard_errors: dict[str, float]  # of the parameters
    log_likelihood: float  # [-]
    n: int  # durations [-]
    n_seen: int  # of them seen to their end [-]
    converged: bool  # whether the gradient is zero but for rounding
    beyond: float  # share of the law above the longest duration: extrapolated [-]

    @property
    def aic(self) -> float:
        """Return Akaike's criterion: the law with less of it fits better."""
        return 2.0 * len(self.params) - 2.0 * self.log_likelihood


class CurvePoint(NamedTuple):
    """The share still lasting at one time: seen, and by each law."""

    time: float  # [unit of the data]
    share: float  # Kaplan-Meier [-]
    low: float  # of its 95 % interval [-]
    high: float  # [-]
    by_law: tuple[float, ...]  # in the order of the laws given [-]


class LawChoice(NamedTuple):
    """Which of two laws fits better, and how surely."""

    best: DurationFit
    other: DurationFit
    aic_difference: float  # of the other over the best, at least 0
    weight: float  # Akaike's weight of the best [-], from 0.5
    z: float  # Vuong's statistic for the best over the other, at least 0
    p_value: float  # that a difference as large comes about by luck, two-sided

    @property
    def is_sure(self) -> bool:
        """Return whether both say so at 5 %; of few durations z alone says too much."""
        return self.z > _SURE and self.weight > LEVEL


def curve_points(curve: Survival, fits: Sequence[DurationFit]) -> list[CurvePoint]:
    """Return where a curve falls to 90, 75, 50, 25 and 10 %, as far as it does."""
    points = []
    reached = [
        int(np.argmax(curve.share <= q)) for q in _SHARES if curve.share[-1] <= q
    ]
    for i in dict.fromkeys(reached):
        at = float(curve.time[i])
        points.append(
            CurvePoint(
                time=at,
                share=float(curve.share[i]),
                low=float(curve.low[i]),
                high=float(curve.high[i]),
                by_law=tuple(float(law_survival(fit, at)) for fit in fits),
            )
        )
    return points


def law_survival(fit: DurationFit, t: ArrayLike) -> FloatArray:
    """Return the share of a fitted law that lasts longer than t."""
    first, second = fit.params.values()
    t = np.asarray(t, dtype=np.float64)
    with np.errstate(divide="ignore", over="ignore"):
        if fit.law == "weibull":
            return np.asarray(np.exp(-((t / second) ** first)))
        return np.asarray(np.exp(log_ndtr(-np.log(t / first) / second)))


def fit_weibull(time: ArrayLike, is_seen: ArrayLike) -> DurationFit:
    """Return the Weibull law, S(t) = exp(−(t/scale)^shape), that is likeliest.

    Args:
        time: Durations.
        is_seen: Whether each was seen to its end.

    Raises:
        FitError: When durations make no sense or do not determine the parameters.
    """
    durations = checked_durations(time, is_seen)
    rough = _rough_scale(durations)
    top = _maximum(
        _weibull_terms,
        durations,
        {"shape": SHAPES, "scale": (SCALES[0] * rough, SCALES[1] * rough)},
        [(1.0, rough), (0.5, rough), (3.0, rough)],
    )
    return _fitted("weibull", ("shape", "scale"), top, durations, _weibull_moments)


def fit_lognormal(time: ArrayLike, is_seen: ArrayLike) -> DurationFit:
    """Return the lognormal law, log t normal around log(median), that is likeliest.

    Args:
        time: Durations.
        is_seen: Whether each was seen to its end.

    Raises:
        FitError: When durations make no sense or do not determine the parameters.
    """
    durations = checked_durations(time, is_seen)
    rough = _rough_scale(durations)
    top = _maximum(
        _lognormal_terms,
        durations,
        {"median": (SCALES[0] * rough, SCALES[1] * rough), "sigma": SHAPES},
        [(rough, 1.0), (rough, 0.3), (rough, 3.0)],
    )
    return _fitted("lognormal", ("median", "sigma"), top, durations, _lognormal_moments)


def choose_law(time: ArrayLike, is_seen: ArrayLike) -> LawChoice:
    """Return both fits, the better one first, and how sure that order is.

    Vuong's test: with d the difference of log-likelihoods of each duration,
    √n·mean(d)/sd(d) is normal where both laws are equally far from the truth.

    Raises:
        FitError: When durations make no sense or do not determine the parameters.
    """
    durations = checked_durations(time, is_seen)
    weibull, lognormal = fit_weibull(*durations), fit_lognormal(*durations)
    each = [
        terms(np.array(list(fit.params.values())), durations)[0]
        for terms, fit in ((_weibull_terms, weibull), (_lognormal_terms, lognormal))
    ]
    best, other, d = weibull, lognormal, each[0] - each[1]
    if d.sum() < 0:
        best, other, d = lognormal, weibull, -d
    spread = float(np.std(d))
    z = float(d.mean()) / spread * sqrt(len(d)) if spread > 0 else 0.0
    difference = other.aic - best.aic
    return LawChoice(
        best=best,
        other=other,
        aic_difference=difference,
        weight=1.0 / (1.0 + exp(-difference / 2.0)),
        z=z,
        p_value=erfc(z / sqrt(2.0)),
    )


def _rough_scale(durations: Durations) -> float:
    """Return the mean if no law but the exponential were possible."""
    n_seen = int(durations.is_seen.sum())
    if n_seen < ENDS_MIN:
        raise FitError(
            f"a fit needs at least {ENDS_MIN} durations seen to their end; "
            f"got {n_seen} of {len(durations.time):,}; take a larger log"
        )
    return float(durations.time.sum() / n_seen)


_Terms = Callable[[FloatArray, Durations], tuple[FloatArray, FloatArray]]


def _maximum(
    terms: _Terms,
    durations: Durations,
    bounds: dict[str, tuple[float, float]],
    starts: list[tuple[float, float]],
) -> Maximum:
    """Return where the sum of the terms is highest."""

    def gradient(values: FloatArray) -> tuple[float, FloatArray]:
        likelihood, slopes = terms(values, durations)
        return float(likelihood.sum()), slopes

    return maximise(gradient, bounds, starts, len(durations.time), noun="durations")


def _weibull_terms(
    values: FloatArray, durations: Durations
) -> tuple[FloatArray, FloatArray]:
    """Return each log-likelihood, and the sum's derivatives by shape and scale.

    log f = log(k/t) + k·log(t/c) − (t/c)^k where the end was seen, else log S.
    """
    shape, scale = values.tolist()
    time, seen = durations
    log_time = np.log(time / scale)
    spent = np.exp(np.minimum(shape * log_time, _LARGEST))
    likelihood = np.where(seen, log(shape) - np.log(time) + shape * log_time, 0.0)
    likelihood -= spent
    by_shape = np.where(seen, 1.0 / shape + log_time, 0.0) - spent * log_time
    by_scale = shape / scale * (spent - seen)
    return likelihood, np.array([by_shape.sum(), by_scale.sum()])


def _lognormal_terms(
    values: FloatArray, durations: Durations
) -> tuple[FloatArray, FloatArray]:
    """Return each log-likelihood, and the sum's derivatives by median and sigma.

    With z = log(t/median)/σ: log f = −z²/2 − log(t σ √(2π)) where the end was seen,
    else log Φ(−z).
    """
    median, sigma = values.tolist()
    time, seen = durations
    z = np.log(time / median) / sigma
    log_left = log_ndtr(-z)
    density = -0.5 * z * z - _ROOT_TAU
    likelihood = np.where(seen, density - np.log(time) - log(sigma), log_left)
    pull = np.where(seen, z, np.exp(density - log_left))  # minus the slope by z
    by_median = pull.sum() / (sigma * median)
    by_sigma = (pull @ z - seen.sum()) / sigma
    return likelihood, np.array([by_median, by_sigma])


class _Moments(NamedTuple):
    """Mean and cv of a law, and the slopes of their logs by the parameters."""

    mean: float
    cv: float
    mean_slope: FloatArray  # of log(mean), shape (2,)
    cv_slope: FloatArray  # of log(cv), shape (2,)


def _weibull_moments(shape: float, scale: float) -> _Moments:
    """Return mean c·Γ(1 + b), and Γ(1 + 2b)/Γ(1 + b)² = 1 + cv², with b = 1/k."""
    b = 1.0 / shape
    log_square = float(gammaln(1.0 + 2.0 * b) - 2.0 * gammaln(1.0 + b))
    first, second = float(digamma(1.0 + b)), float(digamma(1.0 + 2.0 * b))
    with np.errstate(over="ignore"):
        squared = float(np.expm1(log_square))
        mean = scale * float(np.exp(gammaln(1.0 + b)))
    share = (squared + 1.0) / squared if squared < np.inf else 1.0
    by_b = share * (second - first)
    return _Moments(
        mean=mean,
        cv=sqrt(squared),
        mean_slope=np.array([-first * b * b, 1.0 / scale]),
        cv_slope=np.array([-by_b * b * b, 0.0]),
    )


def _lognormal_moments(median: float, sigma: float) -> _Moments:
    """Return mean median·exp(σ²/2) and cv √(exp(σ²) − 1)."""
    with np.errstate(over="ignore"):
        squared = float(np.expm1(sigma * sigma))
        mean = median * float(np.exp(0.5 * sigma * sigma))
    share = -1.0 / expm1(-sigma * sigma)
    return _Moments(
        mean=mean,
        cv=sqrt(squared),
        mean_slope=np.array([1.0 / median, sigma]),
        cv_slope=np.array([0.0, share * sigma]),
    )


def _fitted(
    law: LawName,
    names: tuple[str, str],
    top: Maximum,
    durations: Durations,
    moments: Callable[[float, float], _Moments],
) -> DurationFit:
    """Return a maximum by mean and cv, their errors by the delta method."""
    found = moments(*top.values.tolist())
    mean_error, cv_error = (
        sqrt(float(slope @ top.covariance @ slope))
        for slope in (found.mean_slope, found.cv_slope)
    )
    fit = DurationFit(
        law=law,
        mean=found.mean,
        cv=found.cv,
        mean_error=found.mean * mean_error,
        cv_error=found.cv * cv_error,
        params=dict(zip(names, top.values.tolist(), strict=True)),
        standard_errors=dict(zip(names, top.standard_errors.tolist(), strict=True)),
        log_likelihood=top.log_likelihood,
        n=len(durations.time),
        n_seen=int(durations.is_seen.sum()),
        converged=top.converged,
        beyond=0.0,
    )
    return fit._replace(beyond=float(law_survival(fit, durations.time.max())))
