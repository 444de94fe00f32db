"""Maximum likelihood of positive parameters, with standard errors or a refusal."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from churnsim.errors import InputError

FloatArray = NDArray[np.float64]

CUSTOMERS_MIN: Final = 10
SHAPES: Final = (1e-4, 1e4)  # beyond these a shape is 0 or infinite in effect
SCALES: Final = (1e-8, 1e8)  # times what is typical of the data
LOG_ERROR_MAX: Final = 3.0  # a standard error of a factor of 20 says nothing
_PART_MIN: Final = 0.1  # share in a flat direction, or log-distance from a bound
_METHOD: Final = "L-BFGS-B"
_ROUGH: Final = 1e-8  # relative gain of a step at which a start is given up
_FINE: Final = 1e-14  # and the best of them
_STEP: Final = 1e-4  # of a log-parameter, for second derivatives
_NEWTON_STEPS: Final = 20
_GRADIENT_MAX: Final = 1e-9  # of the mean log-likelihood, where Newton stops
_STALLED_MAX: Final = 1e-6  # and what still counts as converged


class FitError(InputError, ValueError):
    """Observations from which the parameters of a model cannot be told."""


class Maximum(NamedTuple):
    """Where a likelihood is highest."""

    values: FloatArray  # parameters, shape (k,)
    covariance: FloatArray  # of the parameters, by the delta method, shape (k, k)
    log_likelihood: float  # [-], of all customers
    converged: bool  # whether its gradient is zero but for rounding

    @property
    def standard_errors(self) -> FloatArray:
        """Return the standard error of each parameter, shape (k,)."""
        return np.sqrt(np.diag(self.covariance))


def maximise(
    gradient: Callable[[FloatArray], tuple[float, FloatArray]],
    bounds: dict[str, tuple[float, float]],
    starts: Sequence[Sequence[float]],
    n: int,
    noun: str = "customers",
) -> Maximum:
    """Return the highest maximum reached from several starts, in log-parameters.

    L-BFGS-B from each start, on from the best, then Newton steps. The covariance is the
    inverse of the observed information, taken from differences of the gradient.

    Args:
        gradient: From parameters, shape (k,), to the log-likelihood of all customers
            and its derivatives by the parameters.
        bounds: Name of each parameter, and between what its maximum must lie.
        starts: Values to start from.
        n: Number of customers, or of what else the likelihood is a sum over.
        noun: What they are.

    Raises:
        FitError: When the maximum lies at the boundary or is all but flat.
    """
    # Here, since every command imports this module and few fit anything.
    from scipy.optimize import minimize

    def negative_mean(logs: FloatArray) -> tuple[float, FloatArray]:
        values = np.exp(logs)
        log_likelihood, by_value = gradient(values)
        return -log_likelihood / n, -by_value * values / n

    box = np.log(np.array(list(bounds.values())))

    def descend(start: FloatArray, tolerance: float) -> tuple[float, FloatArray]:
        options = {"ftol": tolerance, "gtol": 1e-9, "maxiter": 1000}
        found = minimize(
            negative_mean, start, jac=True, bounds=box, options=options, method=_METHOD
        )
        return float(found.fun), found.x

    tried = [descend(np.log(start), _ROUGH) for start in starts]
    _, best = descend(min(tried, key=lambda found: found[0])[1], _FINE)
    logs, slope, curvature = _newton(lambda at: negative_mean(at)[1], best)
    covariance = _invert(curvature, logs, bounds, n, noun)
    values = np.exp(logs)
    return Maximum(
        values=values,
        covariance=covariance / n * np.outer(values, values),
        log_likelihood=-n * negative_mean(logs)[0],
        converged=bool(np.max(np.abs(slope)) < _STALLED_MAX),
    )


def _newton(
    slope_at: Callable[[FloatArray], FloatArray], logs: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return where the slope is zero, the slope and the curvature there."""
    slope, curvature = slope_at(logs), _curvature(slope_at, logs)
    for _ in range(_NEWTON_STEPS):
        flat = np.linalg.eigvalsh(curvature)[0] <= 0
        if flat or np.max(np.abs(slope)) < _GRADIENT_MAX:
            break
        step = np.linalg.solve(curvature, slope)
        if np.max(np.abs(step)) > 1:
            break
        tried = slope_at(logs - step)
        if np.max(np.abs(tried)) >= np.max(np.abs(slope)):
            break
        logs, slope = logs - step, tried
        curvature = _curvature(slope_at, logs)
    return logs, slope, curvature


def _curvature(
    slope_at: Callable[[FloatArray], FloatArray], logs: FloatArray
) -> FloatArray:
    """Return the derivatives of the slope by central differences, made symmetric."""
    steps = np.eye(len(logs)) * _STEP
    rows = [
        (slope_at(logs + step) - slope_at(logs - step)) / 2 / _STEP for step in steps
    ]
    matrix = np.array(rows)
    return (matrix + matrix.T) / 2


def _invert(
    curvature: FloatArray,
    logs: FloatArray,
    bounds: dict[str, tuple[float, float]],
    n: int,
    noun: str,
) -> FloatArray:
    """Return the inverse, or say which parameters are left open by what was seen."""
    roots, vectors = np.linalg.eigh(curvature)
    flat = roots * n <= LOG_ERROR_MAX**-2
    loose = np.max(np.abs(vectors) * flat, axis=1) > _PART_MIN
    low, high = np.log(np.array(list(bounds.values()))).T
    loose |= (logs < low + _PART_MIN) | (logs > high - _PART_MIN)
    if not loose.any():
        return np.asarray(vectors @ np.diag(1 / roots) @ vectors.T)
    ends = dict(zip(bounds, np.exp(logs), strict=True))
    names = [name for name, is_loose in zip(bounds, loose, strict=True) if is_loose]
    reached = ", ".join(f"{name} {ends[name]:.3g}" for name in names)
    raise FitError(
        f"{noun} must settle {', '.join(names)} to within a factor of "
        f"{np.exp(LOG_ERROR_MAX):.0f}; got {n:,} {noun}, which leave them open (the "
        f"search ended at {reached}); take more {noun} or a longer window, or hold "
        f"what hardly differs between {noun} constant"
    )
