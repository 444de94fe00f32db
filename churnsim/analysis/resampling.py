"""How sure an index is: the bootstrap over units of a design, and over replications."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from churnsim.experiment.intervals import CONFIDENCE, Estimate, widened
from churnsim.records import Floats

N_SAMPLES = 1000  # bootstrap samples: an end of the interval is that of 25 of them
CHUNK = 2**22  # weights held at once


class Index(NamedTuple):
    """A measure of sensitivity and its 95 % interval."""

    value: float
    low: float | None  # None: there is no interval
    high: float | None


def resampled(n: int, seed: int) -> Iterator[Floats]:
    """Yield how often each of n units is in a bootstrap sample, chunk by chunk.

    Returns:
        Arrays (m, n) whose rows sum to n; N_SAMPLES rows in all. The same seed gives
        the same samples.
    """
    random = np.random.Philox(seed)
    step = max(1, CHUNK // n)
    for start in range(0, N_SAMPLES, step):
        m = min(step, N_SAMPLES - start)
        # Of numpy's random numbers only these words are promised to stay the same.
        words = random.random_raw(m * n) >> np.uint64(32)
        places = ((words * np.uint64(n)) >> np.uint64(32)).astype(np.int64)
        taken = places + np.repeat(n * np.arange(m), n)
        counts = np.bincount(taken, minlength=m * n)
        yield counts.reshape(m, n).astype(np.float64)


def ends(samples: Floats) -> tuple[Floats, Floats]:
    """Return the 95 % interval of each column of bootstrap samples (m, …)."""
    outside = 0.5 * (1.0 - CONFIDENCE)
    low, high = np.quantile(samples, [outside, 1.0 - outside], axis=0)
    return low, high


def replication_error(y: Floats, indices: Callable[[Floats], Floats]) -> Floats | None:
    """Return the standard error of indices for want of replications: the jackknife.

    Where points share their luck, resampling points does not change that luck, so what
    r replications miss is in no bootstrap sample.

    Args:
        y: (…, r) responses.
        indices: From responses (…, r − 1) to indices (m,).

    Returns:
        (m,), or None with fewer than three replications.
    """
    r = y.shape[-1]
    if r < 3:
        return None
    without = np.stack([indices(np.delete(y, i, axis=-1)) for i in range(r)])
    around = without - without.mean(axis=0)
    error: Floats = np.sqrt((r - 1) / r * (around**2).sum(axis=0))
    return error


def with_error(index: Index, error: float | None, replications: int) -> Index:
    """Return an index whose interval allows for few replications, too."""
    if error is None or not error:
        return index
    found = Estimate(index.value, index.low, index.high, replications)
    _, low, high, _ = widened(found, error, replications - 1)
    return Index(index.value, low, high)
