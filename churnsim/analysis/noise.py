"""Products of averages without the luck that is in both factors.

An average over r replications is what is meant plus luck, and its square is too large
by the variance of that luck. Products of different replications have no luck in common:
their mean is what was meant, whether points share their luck or not.
"""

from __future__ import annotations

import numpy as np

from churnsim.records import Floats


def cross(a: Floats, b: Floats) -> Floats:
    """Return the mean of a_i b_j over all pairs of different replications, (…,).

    (Σ a_i Σ b_j − Σ a_i b_i) / (r (r − 1)); a b where there is one replication alone.

    Args:
        a: (…, r), by replication.
        b: As `a`, in shapes that fit each other.
    """
    r = a.shape[-1]
    if r == 1:
        only: Floats = (a * b)[..., 0]
        return only
    together = a.sum(axis=-1) * b.sum(axis=-1) - (a * b).sum(axis=-1)
    found: Floats = together / (r * (r - 1))
    return found


def noise_share(variance: float, with_noise: float) -> float:
    """Return the share of the variance between points that is luck, in [0, 1].

    Args:
        variance: Of the response, without luck.
        with_noise: Of the averages over replications, as they are.
    """
    if with_noise <= 0.0:
        return 0.0
    return float(np.clip(1.0 - variance / with_noise, 0.0, 1.0))
