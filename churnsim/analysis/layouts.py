"""What a design's points make up: base blocks, trajectories, a whole grid."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from churnsim.analysis.finished import Sweep
from churnsim.analysis.responses import Responses
from churnsim.records import Floats, Integers


class Units(NamedTuple):
    """What a design is made of: base blocks, trajectories, or plain points."""

    y: Floats  # (n, m, r) the m points of each
    points: Integers  # (n, m) their indices
    n_broken: int  # left out, since a point of theirs is missing


def units_of(responses: Responses, n_each: int) -> Units:
    """Return the whole units of a design whose points follow each other.

    Args:
        responses: Of the points that have one.
        n_each: Points of a unit.
    """
    unit = responses.points // n_each
    whole, counts = np.unique(unit, return_counts=True)
    is_whole = np.isin(unit, whole[counts == n_each])
    shape = (-1, n_each)
    y = responses.y[is_whole]
    n = int(is_whole.sum()) // n_each
    n_units = responses.n_points // n_each
    return Units(
        y.reshape(*shape, responses.y.shape[1]),
        responses.points[is_whole].reshape(shape),
        n_units - n,
    )


def is_whole_grid(sweep: Sweep, responses: Responses) -> bool:
    """Return whether the points are all combinations of levels, each once."""
    numbers = responses.numbers
    n_all = math.prod(len(np.unique(column)) for column in numbers.T)
    n_distinct = len(np.unique(numbers, axis=0))
    return sweep.design.name == "grid" and len(numbers) == n_all == n_distinct
