"""What the targets determine, and which parameters they cannot tell apart.

At the best place each target changes with the parameters by so many of its errors. A
direction in which none of them does is one that the targets know nothing of; the
parameters that it moves cannot be told apart by them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from churnsim.calibration.likelihood import Likelihood
from churnsim.calibration.parameters import number_text, numbers_at
from churnsim.records import Floats
from churnsim.sweep.factors import Factor

STEP = 0.02  # of the cube, to either side, over which a slope is taken
FLAT = 12.0**-0.5  # standard deviation of a uniform on [0, 1]
UNTOLD = 0.5  # of the prior's deviation: what stays above it is not determined
HEARD = 2.0  # errors that a parameter moves targets over its range, to be heard at all
SLICES = 9  # values over a range at which that is looked at
INVOLVED = 0.35  # of what a direction's largest part moves: less is not worth a name
ALIKE = 0.25  # how near to ±1 a ratio of relative changes must be for a plain word


class Direction(NamedTuple):
    """A direction in the cube, and how well the targets know it."""

    parts: tuple[float, ...]  # by parameter; their squares add up to 1
    precision: float  # errors that targets move along the whole cube's side
    left: float  # what of the prior's deviation is left, in [0, 1]
    involved: tuple[
        int, ...
    ]  # parameters that it mixes; of one that is determined: none

    @property
    def is_determined(self) -> bool:
        """Return whether the targets tell where along it the truth lies."""
        return self.left < UNTOLD


class Identifiability(NamedTuple):
    """What the targets tell of each parameter and of them together."""

    slopes: Floats  # (m, k): errors of each target over each parameter's whole range
    directions: tuple[Direction, ...]  # the best determined first
    silent: tuple[int, ...]  # parameters that by themselves move no target enough
    idle: tuple[int, ...]  # of these, those that move nothing at all
    left: tuple[float, ...]  # by parameter: posterior over prior deviation
    correlation: Floats  # (k, k) of the posterior draws
    sentences: tuple[str, ...]

    @property
    def is_determined(self) -> bool:
        """Return whether all parameters are determined."""
        is_told = all(direction.is_determined for direction in self.directions)
        return is_told and max(self.left) <= UNTOLD


def identifiability(
    likelihood: Likelihood,
    best: Floats,
    draws: Floats,
    idle: Sequence[int],
    parameters: Sequence[Factor],
) -> Identifiability:
    """Return what the targets tell of the parameters.

    Args:
        likelihood: Learnt from what was simulated.
        best: The place that fits best, (k,).
        draws: Of the posterior, (n, k).
        idle: Parameters along which not a single run changed.
        parameters: What the axes of the cube are.
    """
    slopes = slopes_at(likelihood, best)
    left = np.minimum(draws.std(axis=0) / FLAT, 1.0)
    silent = [
        axis
        for axis in range(len(parameters))
        if axis in idle or _reach(likelihood, best, axis) < HEARD
    ]
    heard = [axis for axis in range(len(parameters)) if axis not in silent]
    directions = _directions(slopes, heard, left)
    sentences = [_of_silent(parameters[a], a in idle) for a in silent]
    sentences += [
        _of_direction(direction, best, parameters)
        for direction in directions
        if direction.involved
    ]
    told = {axis for direction in directions for axis in direction.involved}
    sentences += [
        f"The targets hardly narrow {parameters[a].field} down within its range."
        for a in heard
        if a not in told and left[a] > UNTOLD
    ]
    if not sentences:
        sentences.append(
            "The targets determine every parameter within its range, and each apart"
            " from the others."
        )
    return Identifiability(
        slopes,
        tuple(directions),
        tuple(silent),
        tuple(idle),
        tuple(float(x) for x in left),
        _correlation(draws),
        tuple(sentences),
    )


def slopes_at(likelihood: Likelihood, place: Floats) -> Floats:
    """Return by how many of its errors each target moves over a range, (m, k).

    Errors are whitened by Cholesky's root, so that squares of slopes add up to what
    all targets together know (Fisher's information).
    """
    observed = likelihood.observed
    root = np.linalg.cholesky(np.diag(observed.errors**2) + likelihood.luck)
    ends = np.repeat(place[None, :], 2 * len(place), axis=0)
    for axis in range(len(place)):
        ends[2 * axis, axis] = max(0.0, place[axis] - STEP)
        ends[2 * axis + 1, axis] = min(1.0, place[axis] + STEP)
    values, _ = likelihood.figures(ends)
    apart = (ends[1::2] - ends[::2]).sum(axis=1)
    found: Floats = np.linalg.solve(
        root, ((values[1::2] - values[::2]) / apart[:, None]).T
    )
    return found


def _reach(likelihood: Likelihood, best: Floats, axis: int) -> float:
    """Return how many errors targets move as one parameter takes all its values."""
    observed = likelihood.observed
    places = np.repeat(best[None, :], SLICES, axis=0)
    places[:, axis] = np.linspace(0.0, 1.0, SLICES)
    values, _ = likelihood.figures(places)
    errors = np.hypot(observed.errors, np.sqrt(np.diagonal(likelihood.luck)))
    return float(((values.max(axis=0) - values.min(axis=0)) / errors).max())


def left_of(size: float) -> float:
    """Return what is left of the prior's deviation where targets move so many errors.

    Both are taken as normal: 1/√(1 + (σ·size)²) with the prior's σ.
    """
    return float(1.0 / np.sqrt(1.0 + (FLAT * size) ** 2))


def _directions(
    slopes: Floats, heard: Sequence[int], posterior: Floats
) -> list[Direction]:
    """Return the directions among the parameters that move targets by themselves."""
    if not heard:
        return []
    _, sizes, rows = np.linalg.svd(slopes[:, heard])
    sizes = np.concatenate([sizes, np.zeros(len(heard) - len(sizes))])
    directions = []
    for size, row in zip(sizes, rows, strict=True):
        parts = np.zeros(slopes.shape[1])
        parts[list(heard)] = row
        parts = parts * np.sign(parts[np.argmax(np.abs(parts))])
        left = left_of(float(size))
        # What one parameter moves along it, the others take back.
        moved = np.abs(parts) * np.sqrt((slopes**2).sum(axis=0))
        is_part = (moved >= INVOLVED * moved.max()) & (posterior > UNTOLD)
        named = np.flatnonzero(is_part) if left >= UNTOLD else ()
        involved = tuple(int(i) for i in named)
        told = tuple(float(x) for x in parts)
        directions.append(Direction(told, float(size), left, involved))
    return directions


def _of_silent(parameter: Factor, is_idle: bool) -> str:
    low, high = (number_text(parameter, x) for x in (parameter.low, parameter.high))
    if is_idle:
        return (
            f"{parameter.field} moves nothing: not a single run changes from {low} to"
            f" {high}, so its interval is its range."
        )
    return (
        f"The targets do not determine {parameter.field}: none moves by more than"
        f" {HEARD:g} of its errors from {low} to {high}."
    )


def _of_direction(
    direction: Direction, best: Floats, parameters: Sequence[Factor]
) -> str:
    """Return which parameters a direction mixes, and what is still determined."""
    named = [parameters[i].field for i in direction.involved]
    if len(named) == 1:
        return f"The targets do not determine {named[0]} beside the others."
    names = f"{', '.join(named[:-1])} and {named[-1]}"
    low, high = _along(direction, best)
    moves = []
    for i in direction.involved:
        start, end = (numbers_at(parameters, place)[i] for place in (low, high))
        verb = "rises" if end > start else "falls"
        told = [number_text(parameters[i], x) for x in (start, end)]
        moves.append(f"{parameters[i].field} {verb} from {told[0]} to {told[1]}")
    return (
        f"The targets cannot tell {names} apart: they hardly move while"
        f" {' and '.join(moves)}.{_determined(direction, best, parameters)}"
    )


def _along(direction: Direction, best: Floats) -> tuple[Floats, Floats]:
    """Return the places to either side along a direction, a tenth of the cube away."""
    parts = np.array(direction.parts)
    ends = [np.clip(best + sign * 0.1 * parts, 0.0, 1.0) for sign in (-1.0, 1.0)]
    return ends[0], ends[1]


def _determined(
    direction: Direction, best: Floats, parameters: Sequence[Factor]
) -> str:
    """Return what is still known of two parameters: their product or their ratio."""
    if len(direction.involved) != 2:
        return ""
    low, high = _along(direction, best)
    logs = []
    for i in direction.involved:
        start, end = (numbers_at(parameters, place)[i] for place in (low, high))
        if start <= 0.0 or end <= 0.0:
            return ""
        logs.append(float(np.log(end / start)))
    ratio = logs[1] / logs[0] if logs[0] else np.inf
    if abs(ratio + 1.0) < ALIKE:
        return " Only about their product is known."
    if abs(ratio - 1.0) < ALIKE:
        return " Only about their ratio is known."
    return ""


def _correlation(draws: Floats) -> Floats:
    spread = np.maximum(draws.std(axis=0), 1e-12)
    around = (draws - draws.mean(axis=0)) / spread
    found: Floats = around.T @ around / len(draws)
    return found
