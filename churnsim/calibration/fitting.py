"""Where to simulate, and which place fits best.

First the cube is filled; then places are drawn where the likelihood so far is high,
ever more narrowly, and last the best place is searched on the emulator and simulated.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.optimize import least_squares

from churnsim.calibration.emulator import n_quadratic
from churnsim.calibration.likelihood import Likelihood, Observed
from churnsim.calibration.moments import Moments, World, moments_of
from churnsim.calibration.sampling import sample
from churnsim.errors import InputError, InterruptedRun, Problem
from churnsim.records import Floats
from churnsim.sweep.designs import LatinHypercube

TEMPERS = (0.1, 0.3, 1.0)  # powers of the likelihood, round by round
FILLING = 0.4  # of the places that fill the cube
POLISHES = 3  # places searched on the emulator and simulated
STARTS = 6  # places from which the best one is searched
CLOUD = 250  # draws from which a round's places are chosen
AS_GOOD = 0.5  # of χ², by which places that fit alike may differ
INSIDE = 1e-6  # from the cube's walls


class Effort(NamedTuple):
    """How much is simulated, and with which seed places are chosen."""

    n_places: int
    seed: int


class Fit(NamedTuple):
    """What was simulated, and the place that fits best."""

    likelihood: Likelihood
    best: int  # of its places
    idle: tuple[int, ...]  # axes along which no figure moves
    n_empty: int  # places without data for some figure
    is_stopped: bool  # before all places were simulated


def fit(
    world: World, observed: Observed, n_axes: int, effort: Effort, empty: NoData
) -> Fit:
    """Return the places simulated and the best of them.

    Args:
        world: Simulates places of the unit cube.
        observed: What was seen.
        n_axes: Of the cube.
        effort: How many places.
        empty: Makes the error where figures have no data anywhere.

    Raises:
        InputError: Too few places, or a figure without data.
        InterruptedRun: Stopped before the cube was filled.
    """
    n_filling = _n_filling(n_axes, effort.n_places)
    star, filling = _star(n_axes), _filling(n_axes, n_filling, effort.seed)
    first = np.concatenate([star, filling])
    sums = world(first)
    idle = _idle(sums[: len(star)])
    moments = moments_of(first, sums)
    likelihood = _learnt(moments, observed, empty)
    is_stopped = False
    try:
        for round_, power in enumerate(TEMPERS):
            n = _share_of(effort.n_places - len(moments.places) - POLISHES, round_)
            if n < 1:
                continue
            seed = effort.seed + 1 + round_
            places = _promising(likelihood, power, n, seed)
            moments = moments.with_more(moments_of(places, world(places)))
            likelihood = _learnt(moments, observed, empty)
        middle = None
        for _ in range(POLISHES):
            place = _polished(likelihood, middle)[None, :]
            moments = moments.with_more(moments_of(place, world(place)))
            likelihood = _learnt(moments, observed, empty)
            if middle is None:
                middle, _ = _cloud(likelihood, effort.seed)
    except InterruptedRun:
        is_stopped = True
    best = _best(likelihood, *_cloud(likelihood, effort.seed))
    n_empty = len(moments.places) - len(likelihood.moments.places)
    return Fit(likelihood, best, idle, n_empty, is_stopped)


NoData = Callable[[list[int]], InputError]


def places_min(n_axes: int) -> int:
    """Return how many places are needed at least."""
    return 2 * n_axes + 1 + n_quadratic(n_axes) + POLISHES + len(TEMPERS)


def _n_filling(n_axes: int, n_places: int) -> int:
    least = places_min(n_axes)
    if n_places < least:
        rule = f"must be enough for {least} parameter values"
        hint = "ask for more --simulations, or fewer --replications"
        raise InputError(
            Problem(rule, field="simulations", value=f"{n_places} values", hint=hint)
        )
    return max(n_quadratic(n_axes), int(FILLING * n_places) - 2 * n_axes - 1)


def _learnt(moments: Moments, observed: Observed, empty: NoData) -> Likelihood:
    """Return the likelihood of what was simulated.

    Raises:
        InputError: Too few places have data for all figures.
    """
    n, n_axes = moments.places.shape
    is_known = np.isfinite(moments.values)
    is_known &= np.isfinite(moments.around).all(axis=1)
    if is_known.all(axis=1).sum() < min(n, n_quadratic(n_axes)):
        worst = is_known.sum(axis=0)
        raise empty([int(j) for j in np.flatnonzero(worst == worst.min())])
    return Likelihood(moments, observed)


def _star(n_axes: int) -> Floats:
    """Return the middle of the cube, and the middles of its walls."""
    middle = np.full((1, n_axes), 0.5)
    ends = np.repeat(middle, 2 * n_axes, axis=0)
    for axis in range(n_axes):
        ends[2 * axis, axis], ends[2 * axis + 1, axis] = 0.0, 1.0
    return np.concatenate([middle, ends])


def _filling(n_axes: int, n: int, seed: int) -> Floats:
    cube = LatinHypercube(n_axes, n, seed)
    return np.array([cube.place(i) for i in range(n)])


def _idle(sums: Floats) -> tuple[int, ...]:
    """Return the axes along which not a single number of any run changes."""
    n_axes = (len(sums) - 1) // 2
    return tuple(
        axis
        for axis in range(n_axes)
        if np.array_equal(sums[0], sums[1 + 2 * axis])
        and np.array_equal(sums[0], sums[2 + 2 * axis])
    )


def _share_of(left: int, round_: int) -> int:
    """Return how many of the places left a round takes."""
    return left // (len(TEMPERS) - round_)


def _promising(likelihood: Likelihood, power: float, n: int, seed: int) -> Floats:
    """Return places where the likelihood is high, far from each other and those known.

    Args:
        likelihood: Learnt so far.
        power: That it is raised to; below 1 it is wider.
        n: How many places.
        seed: Of the draws that they are chosen from.
    """
    places = likelihood.moments.places
    cloud = sample(
        lambda u: power * likelihood.log(u), places.shape[1], max(CLOUD, 2 * n), seed
    )
    spread = np.maximum(cloud.std(axis=0), 1e-9)
    known = places / spread
    cloud_known = cloud / spread
    gap = np.full(len(cloud), np.inf)
    for place in known:
        gap = np.minimum(gap, ((cloud_known - place) ** 2).sum(axis=1))
    chosen = []
    for _ in range(n):
        furthest = int(np.argmax(gap))
        chosen.append(furthest)
        more = ((cloud_known - cloud_known[furthest]) ** 2).sum(axis=1)
        gap = np.minimum(gap, more)
    return cloud[chosen]


def _cloud(likelihood: Likelihood, seed: int) -> tuple[Floats, Floats]:
    """Return the middle of the posterior so far, and its spread along each axis."""
    n_axes = likelihood.moments.places.shape[1]
    cloud = sample(likelihood.log, n_axes, CLOUD, seed)
    return cloud.mean(axis=0), np.maximum(cloud.std(axis=0), 1e-9)


def _best(likelihood: Likelihood, middle: Floats, spread: Floats) -> int:
    """Return the simulated place that fits best.

    Of those that fit as well as any, the one nearest to the middle of the posterior:
    where targets leave a ridge, its far end would be no fair summary.
    """
    distances = likelihood.distances()
    as_good = np.flatnonzero(distances <= distances.min() + AS_GOOD)
    away = (likelihood.moments.places[as_good] - middle) / spread
    return int(as_good[np.argmin((away**2).sum(axis=1))])


def _polished(likelihood: Likelihood, middle: Floats | None) -> Floats:
    """Return the place whose figures on the emulator are nearest to those observed.

    Args:
        likelihood: Learnt so far.
        middle: Where it is searched from; the nearest places simulated where absent.
    """
    observed = likelihood.observed
    whole = np.diag(observed.errors**2) + likelihood.luck
    root = np.linalg.cholesky(whole)

    def residuals(place: Floats) -> Floats:
        values, _ = likelihood.figures(place[None, :])
        found: Floats = np.linalg.solve(root, values[0] - observed.values)
        return found

    order = np.argsort(likelihood.distances(), kind="stable")[:STARTS]
    starts = likelihood.moments.places[order] if middle is None else [middle]
    found = [
        least_squares(
            residuals,
            np.clip(start, INSIDE, 1.0 - INSIDE),
            bounds=(0.0, 1.0),
        )
        for start in starts
    ]
    best: Floats = min(found, key=lambda answer: float(answer.cost)).x
    return best
