"""Where the points lie: each told by its number alone, so that memory does not grow.

Sampled designs lie in the unit cube, one axis for each factor. A Sobol sequence is made
block by block, and only the last few blocks are kept.
"""

from __future__ import annotations

import functools
import hashlib
import math
import threading
import warnings
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from churnsim.records import Floats, Integers
from churnsim.sweep.factors import AnyLevel, Factor

BLOCK = 4096  # points of a sequence that are made at once; a power of two
BLOCKS_KEPT = 16
TRAJECTORIES = 256  # that are made at once
SOBOL_BITS = 30  # of a coordinate: as many points has a sequence at most


class Design(Protocol):
    """Where the points lie."""

    @property
    def name(self) -> str:
        """Return its kind, as a file names it."""

    @property
    def n_points(self) -> int:
        """Return how many there are."""

    def levels(self, index: int) -> tuple[AnyLevel, ...]:
        """Return the setting of each factor at a point."""

    def numbers(self, index: int) -> tuple[float, ...]:
        """Return the number of each factor at a point."""

    def columns(self, first: int, last: int) -> list[Floats]:
        """Return each factor's numbers, from the first point to before the last."""

    def unit(self, index: int) -> tuple[float, ...]:
        """Return where a point lies in the unit cube."""


class Grid:
    """Every combination of settings, the last factor fastest."""

    name = "grid"

    def __init__(self, axes: Sequence[Sequence[AnyLevel]]) -> None:
        self.axes = axes
        self.n_points = math.prod(len(axis) for axis in axes)

    def levels(self, index: int) -> tuple[AnyLevel, ...]:
        """Return the setting of each factor at a point."""
        found = []
        for axis in reversed(self.axes):
            index, place = divmod(index, len(axis))
            found.append(axis[place])
        return tuple(reversed(found))

    def numbers(self, index: int) -> tuple[float, ...]:
        """Return the number of each factor at a point."""
        return tuple(level.number for level in self.levels(index))

    def columns(self, first: int, last: int) -> list[Floats]:
        """Return each factor's numbers, from the first point to before the last."""
        places = np.arange(first, last)
        found: list[Floats] = []
        for axis in reversed(self.axes):
            places, place = np.divmod(places, len(axis))
            found.append(np.array([level.number for level in axis])[place])
        return found[::-1]

    def unit(self, index: int) -> tuple[float, ...]:
        """Return where a point lies in the unit cube: the middle of its cell."""
        found = []
        for axis in reversed(self.axes):
            index, place = divmod(index, len(axis))
            found.append((place + 0.5) / len(axis))
        return tuple(reversed(found))


class Listed:
    """Points as they are listed."""

    name = "list"

    def __init__(self, points: Sequence[tuple[AnyLevel, ...]]) -> None:
        self.points = points
        self.n_points = len(points)

    def levels(self, index: int) -> tuple[AnyLevel, ...]:
        """Return the setting of each factor at a point."""
        return self.points[index]

    def numbers(self, index: int) -> tuple[float, ...]:
        """Return the number of each factor at a point."""
        return tuple(level.number for level in self.levels(index))

    def columns(self, first: int, last: int) -> list[Floats]:
        """Return each factor's numbers, from the first point to before the last."""
        rows = [self.numbers(index) for index in range(first, last)]
        return [np.array(column) for column in zip(*rows, strict=True)]

    def unit(self, index: int) -> tuple[float, ...]:
        """Return nothing: listed points lie in no cube."""
        del index
        return ()


class Sampled:
    """Points of the unit cube, each taken to the settings that lie there."""

    def __init__(
        self, name: str, factors: Sequence[Factor], cube: Cube, n_points: int
    ) -> None:
        self.name = name
        self.factors = factors
        self.cube = cube
        self.n_points = n_points

    def levels(self, index: int) -> tuple[AnyLevel, ...]:
        """Return the setting of each factor at a point."""
        places = self.unit(index)
        return tuple(
            factor.level(u) for factor, u in zip(self.factors, places, strict=True)
        )

    def numbers(self, index: int) -> tuple[float, ...]:
        """Return the number of each factor at a point."""
        places = self.unit(index)
        return tuple(
            factor.number(u) for factor, u in zip(self.factors, places, strict=True)
        )

    def columns(self, first: int, last: int) -> list[Floats]:
        """Return each factor's numbers, from the first point to before the last."""
        places = self.cube.places(first, last).T
        return [
            factor.numbers(u) for factor, u in zip(self.factors, places, strict=True)
        ]

    def unit(self, index: int) -> tuple[float, ...]:
        """Return where a point lies in the unit cube."""
        return self.cube.place(index)


class Cube(Protocol):
    """Points of the unit cube."""

    def place(self, index: int) -> tuple[float, ...]:
        """Return where a point lies."""

    def places(self, first: int, last: int) -> Floats:
        """Return where points lie, from the first to before the last, one a row."""


class SobolSequence:
    """A Sobol sequence, shifted digit by digit by what the seed draws.

    Points are in the middle of their cells, so that none lies on an edge.
    """

    def __init__(self, n_axes: int, seed: int) -> None:
        self.n_axes = n_axes
        self._shift = _words(seed, n_axes) >> np.uint64(64 - SOBOL_BITS)
        self._block = functools.lru_cache(BLOCKS_KEPT)(self._made)
        self._walking = threading.Lock()
        self._sequence: Any = None
        self._cells = np.zeros((0, n_axes), np.uint64)  # of the first block
        # For the last binary digit of a place inside a block, and for those of blocks.
        self._directions: list[NDArray[np.uint64]] = []

    def place(self, index: int) -> tuple[float, ...]:
        """Return where a point lies."""
        block, row = divmod(index, BLOCK)
        return tuple(self._block(block)[row].tolist())

    def places(self, first: int, last: int) -> Floats:
        """Return where points lie, from the first to before the last, one a row."""
        blocks = range(first // BLOCK, -(-last // BLOCK))
        found: Floats = np.concatenate([self._block(block) for block in blocks])
        start = first - blocks[0] * BLOCK
        return found[start : start + last - first]

    def _made(self, block: int) -> Floats:
        """Return a block: the first one, shifted to where its own first point lies.

        A point is the exclusive or of a direction for each binary digit of its place
        in Gray's code. That code of a sum of a block's first place and a place inside
        is the exclusive or of their codes. So a block far away is as near as the next.
        """
        with self._walking:
            self._walk(block.bit_length())
        start = np.zeros(self.n_axes, np.uint64)
        code = block << 1 ^ block  # of its first place, from the last digit inside on
        for digit in range(code.bit_length()):
            if code >> digit & 1:
                start ^= self._directions[digit]
        cells = self._cells ^ start ^ self._shift
        shifted: Floats = np.ldexp(cells + 0.5, -SOBOL_BITS)
        return shifted

    def _walk(self, n_digits: int) -> None:
        """Learn the directions that blocks take whose places have so many digits.

        Gray's code of a power of two has its digit and the one below.
        """
        from scipy.stats import qmc

        if self._sequence is None:
            self._sequence = qmc.Sobol(self.n_axes, scramble=False, bits=SOBOL_BITS)
            self._cells = self._drawn(BLOCK)
            powers = [1 << digit for digit in range(BLOCK.bit_length() - 1)]
            self._directions.append(np.bitwise_xor.reduce(self._cells[powers]))
        while len(self._directions) <= n_digits:
            there = BLOCK << (len(self._directions) - 1)
            self._sequence.fast_forward(there - self._sequence.num_generated)
            self._directions.append(self._drawn(1)[0] ^ self._directions[-1])

    def _drawn(self, n: int) -> NDArray[np.uint64]:
        """Return the next cells."""
        with warnings.catch_warnings():
            # A block is balanced; scipy warns of the first of several all the same.
            warnings.simplefilter("ignore", UserWarning)
            found: Floats = np.ldexp(self._sequence.random(n), SOBOL_BITS)
        return found.astype(np.uint64)


class LatinHypercube:
    """A Latin hypercube: each axis is cut into as many cells as there are points."""

    def __init__(self, n_axes: int, n_points: int, seed: int) -> None:
        self.n_points = n_points
        words = _words(seed, 2 * n_axes * n_points).reshape(2, n_axes, n_points)
        self._cells = np.argsort(words[0], axis=1, kind="stable").astype(np.uint32)
        self._within = np.ldexp(words[1] >> np.uint64(40), -24).astype(np.float32)

    def place(self, index: int) -> tuple[float, ...]:
        """Return where a point lies."""
        inside = self._cells[:, index] + self._within[:, index].astype(np.float64)
        return tuple((inside / self.n_points).tolist())

    def places(self, first: int, last: int) -> Floats:
        """Return where points lie, from the first to before the last, one a row."""
        within = self._within[:, first:last].astype(np.float64)
        found: Floats = (self._cells[:, first:last] + within).T / self.n_points
        return found


class Saltelli:
    """Blocks of k + 2 points: A, A with one coordinate of B for each factor, and B.

    A and B are halves of the points of a Sobol sequence of twice as many axes.

    Source:
        Saltelli, A. et al. (2010): Variance based sensitivity analysis of model output.
        Computer Physics Communications 181, 259-270.
    """

    def __init__(self, n_axes: int, seed: int) -> None:
        self.n_axes = n_axes
        self.sequence = SobolSequence(2 * n_axes, seed)

    def place(self, index: int) -> tuple[float, ...]:
        """Return where a point lies."""
        block, step = divmod(index, self.n_axes + 2)
        both = self.sequence.place(block)
        a, b = both[: self.n_axes], both[self.n_axes :]
        if step == 0:
            return a
        if step == self.n_axes + 1:
            return b
        return (*a[: step - 1], b[step - 1], *a[step:])

    def places(self, first: int, last: int) -> Floats:
        """Return where points lie, from the first to before the last, one a row."""
        return np.array([self.place(index) for index in range(first, last)])


class Trajectories:
    """Morris's trajectories: k + 1 points, each a step of one factor from the last.

    They are made block by block, as SALib takes half a second for a thousand.
    """

    def __init__(
        self, n_axes: int, n_trajectories: int, n_levels: int, seed: int
    ) -> None:
        self.n_axes = n_axes
        self.n_trajectories = n_trajectories
        self.n_levels = n_levels
        self.seed = seed
        self._making = threading.Lock()  # older SALib draws from a state all share
        self._block = functools.lru_cache(BLOCKS_KEPT)(self._made)

    def place(self, index: int) -> tuple[float, ...]:
        """Return where a point lies."""
        block, row = divmod(index, TRAJECTORIES * (self.n_axes + 1))
        return tuple(self._block(block)[row].tolist())

    def places(self, first: int, last: int) -> Floats:
        """Return where points lie, from the first to before the last, one a row."""
        return np.array([self.place(index) for index in range(first, last)])

    def _made(self, block: int) -> Floats:
        from SALib.sample import morris

        problem = {
            "num_vars": self.n_axes,
            "names": [str(axis) for axis in range(self.n_axes)],
            "bounds": [[0.0, 1.0]] * self.n_axes,
        }
        n = min(TRAJECTORIES, self.n_trajectories - block * TRAJECTORIES)
        seed = self.seed % 2**32
        if block:
            digest = hashlib.sha256(f"{self.seed}:{block}".encode()).digest()
            seed = int.from_bytes(digest[:4])
        with self._making:
            found: Floats = morris.sample(
                problem, n, num_levels=self.n_levels, seed=seed
            )
        return found


class Filtered:
    """A design without the points that its filters drop."""

    def __init__(self, design: Design, kept: Integers) -> None:
        self.name = design.name
        self.design = design
        self.kept = kept
        self.n_points = len(kept)

    def levels(self, index: int) -> tuple[AnyLevel, ...]:
        """Return the setting of each factor at a point."""
        return self.design.levels(int(self.kept[index]))

    def numbers(self, index: int) -> tuple[float, ...]:
        """Return the number of each factor at a point."""
        return self.design.numbers(int(self.kept[index]))

    def columns(self, first: int, last: int) -> list[Floats]:
        """Return each factor's numbers, from the first point to before the last."""
        rows = [self.numbers(index) for index in range(first, last)]
        return [np.array(column) for column in zip(*rows, strict=True)]

    def unit(self, index: int) -> tuple[float, ...]:
        """Return where a point lies in the unit cube."""
        return self.design.unit(int(self.kept[index]))


def _words(seed: int, n: int) -> NDArray[np.uint64]:
    """Return random words: numpy promises these, and no distribution made of them."""
    return np.random.Philox(seed).random_raw(n).astype(np.uint64)
