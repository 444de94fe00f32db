"""How a desk is watched: counts over a window, less what luck in the load explains."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from churnsim.records import Floats
from churnsim.validation.worlds import World, run_with


class Watch(NamedTuple):
    """How a stationary world is watched: after a warm-up, over a window."""

    replications: int
    warm_up: float  # [days]
    window: float  # [days]


def ratio_values(
    sums: Floats, counts: Floats, ratio: float, count_mean: float
) -> Floats:
    """Return one value a replication, whose mean is `ratio` if E[sum] = ratio·E[count].

    ratio + (sum − ratio·count)/E[count]: without the bias of a ratio of means.
    """
    return ratio + (sums - ratio * counts) / count_mean


def controlled(values: Floats, controls: Floats) -> Floats:
    """Return values with the same mean, less what controls of mean 0 explain.

    Each half is corrected by the regression on the other one, so that no value
    depends on its own coefficients and the mean stays what it is.

    Args:
        values: One a replication, shape (n,).
        controls: Of mean 0, shape (n, n_controls).

    Source:
        Lavenberg & Welch 1981 (control variates); Avramidis & Wilson 1993 (splitting).
    """
    corrected = values.copy()
    half = len(values) // 2
    early, late = slice(half), slice(half, None)
    for one, other in ((early, late), (late, early)):
        design = controls[other] - controls[other].mean(axis=0)
        slopes = np.linalg.lstsq(design, values[other], rcond=None)[0]
        corrected[one] -= controls[one] @ slopes
    return corrected


def tallies(world: World, watch: Watch) -> Floats:
    """Return what was counted in the window, shape (replications, N_TALLIES).

    The difference of two runs, one that ends as the window opens and one that ends as
    it closes: every draw has an address, so up to there they are one run.
    """
    spec = world.spec._replace(horizon=watch.warm_up)
    before = world._replace(spec=spec)
    whole = world._replace(spec=spec._replace(horizon=watch.warm_up + watch.window))
    people = whole.people(0)
    rows = [
        run_with(whole, people, i).tally - run_with(before, people, i).tally
        for i in range(watch.replications)
    ]
    return np.array(rows, dtype=np.float64)
