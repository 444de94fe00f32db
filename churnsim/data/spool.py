"""Rows of a log set aside on disk by customer, in as many parts as memory asks for.

A log need be sorted by nothing, but a case is the order of one customer's events. So
each row is put, as one packed record, into one of several temporary files, chosen by
its customer; a part then holds all rows of its customers and few enough to be sorted at
once. Memory is bounded by the largest part and by what is kept for each customer, not
by the rows, and the disk is written and read once each. State for each customer alone,
without the rows, would not do: a row from before the ones already seen would change
what they meant.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, Self

import numpy as np
from numpy.typing import NDArray

PART_ROWS: Final = 2**18  # that a part should hold
PARTS_MAX: Final = 200  # files that are open at once
ROW: Final = np.dtype(
    [
        ("customer", "<i4"),  # in order of first appearance
        ("kind", "i1"),  # index into KINDS
        ("time", "<i8"),  # [s since 1970]
        ("amount", "<f8"),  # [currency], NaN where there is none
        ("promised", "<i8"),  # [s since 1970] or NEVER
        ("resolved", "<i8"),  # [s since 1970] or NEVER
        ("paid", "<f8"),  # compensation [currency], NaN where there is none
        ("acquired", "<i8"),  # [s since 1970] or NEVER
        ("row", "<i8"),  # where it stands
    ]
)


class Spool:
    """Temporary files of packed rows; gone after the block."""

    def __init__(self, n_rows: int) -> None:
        """Start empty, for about `n_rows` rows."""
        self._n = min(max(1, -(-n_rows // PART_ROWS)), PARTS_MAX)
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._files: list[BinaryIO] = []

    def __enter__(self) -> Self:
        """Open the files."""
        self._folder = tempfile.TemporaryDirectory(prefix="churnsim-")
        folder = Path(self._folder.name)
        self._files = [(folder / str(i)).open("w+b") for i in range(self._n)]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove the files."""
        for file in self._files:
            file.close()
        if self._folder:
            self._folder.cleanup()

    def add(self, rows: NDArray[Any]) -> None:
        """Set rows of dtype `ROW` aside."""
        part = rows["customer"] % self._n
        order = np.argsort(part, kind="stable")
        ends = np.cumsum(np.bincount(part, minlength=self._n))
        start = 0
        for file, end in zip(self._files, ends.tolist(), strict=True):
            if end > start:
                file.write(rows[order[start:end]].tobytes())
            start = end

    def parts(self) -> Iterator[NDArray[Any]]:
        """Yield all rows, part by part; a customer's are in one part."""
        for file in self._files:
            file.flush()
            file.seek(0)
            yield np.fromfile(file, dtype=ROW)
