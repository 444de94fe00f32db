"""Many customers taken some at a time: Ctrl-C is heard between two parts.

A single call of numpy on ten million rows is deaf for as long as it takes, and its
copies take as much memory as what they are made of.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import hashlib

PART = 1 << 14  # customers at a time
PART_BYTES = 1 << 20


def slices(first: int, last: int) -> Iterator[slice]:
    """Yield parts of the numbers from `first` up to `last`; an empty one if none."""
    for start in range(first, max(last, first + 1), PART):
        yield slice(start, min(start + PART, last))


def add_to(digest: hashlib._Hash, values: NDArray[Any]) -> None:
    """Take the bytes of an array into a digest, row by row, without a copy of all."""
    cells = np.ascontiguousarray(values).reshape(-1).view(np.uint8)
    for start in range(0, len(cells), PART_BYTES):
        digest.update(cells[start : start + PART_BYTES].tobytes())
