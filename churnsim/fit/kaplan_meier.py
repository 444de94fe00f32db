"""The share still lasting at each time, no law supposed (Kaplan & Meier 1958).

Durations whose end was not seen count among those at risk until they are lost sight of.
The curve and its intervals are scipy's.
"""

import warnings
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from churnsim.fit.likelihood import FitError, FloatArray

LEVEL: Final = 0.95  # of intervals

BoolArray = NDArray[np.bool_]


class Durations(NamedTuple):
    """Checked durations, shape (n,)."""

    time: FloatArray  # [unit of the data], above 0
    is_seen: BoolArray  # to its end; else it lasted at least `time`


class Survival(NamedTuple):
    """The Kaplan-Meier curve: its steps, one for each time at which something ended."""

    time: FloatArray  # [unit of the data], shape (steps,)
    share: FloatArray  # S(t), still lasting just after t [-]
    low: FloatArray  # of its 95 % interval (log-log, Greenwood) [-]
    high: FloatArray  # [-]


def kaplan_meier(time: ArrayLike, is_seen: ArrayLike) -> Survival:
    """Return the share still lasting at each time, no law supposed.

    Args:
        time: Durations.
        is_seen: Whether each was seen to its end.

    Raises:
        FitError: When durations make no sense or none was seen to its end.
    """
    # Here, since every command imports this package and few fit anything.
    from scipy.stats import CensoredData, ecdf

    durations = checked_durations(time, is_seen)
    sample = CensoredData.right_censored(durations.time, ~durations.is_seen)
    curve = ecdf(sample).sf
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        interval = curve.confidence_interval(LEVEL, method="log-log")
    at = np.isin(curve.quantiles, durations.time[durations.is_seen])
    # Where nothing has ended yet, or nothing lasts longer, there is no interval, and
    # scipy warns; nothing is known of it then.
    low = np.nan_to_num(interval.low.probabilities[at], nan=0.0)
    high = np.nan_to_num(interval.high.probabilities[at], nan=1.0)
    return Survival(
        curve.quantiles[at].astype(np.float64), curve.probabilities[at], low, high
    )


def survival_at(curve: Survival, t: ArrayLike) -> FloatArray:
    """Return the share of a Kaplan-Meier curve still lasting just after t."""
    steps = np.concatenate(([1.0], curve.share))
    return np.asarray(steps[np.searchsorted(curve.time, t, side="right")])


def checked_durations(time: ArrayLike, is_seen: ArrayLike) -> Durations:
    """Return durations as arrays, or raise `FitError` for the first that cannot be."""
    durations = Durations(
        np.atleast_1d(np.asarray(time, dtype=np.float64)),
        np.atleast_1d(np.asarray(is_seen, dtype=np.bool_)),
    )
    if durations.time.shape != durations.is_seen.shape or durations.time.ndim != 1:
        raise FitError("time and is_seen must be of equal length, one entry a duration")
    good = np.isfinite(durations.time) & (durations.time > 0)
    if not good.all():
        i = int(np.argmin(good))
        raise FitError(
            f"a duration must be finite and above 0; got {durations.time[i]:g} "
            f"(entry {i}); record it finer, or leave it out"
        )
    if not durations.is_seen.any():
        raise FitError(
            "some durations must be seen to their end; all of "
            f"{len(durations.time):,} are censored; check which column says so, or "
            "observe for longer"
        )
    return durations
