"""The rows of a sweep: one for each point, replication and policy, as Parquet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import pyarrow as pa

    from churnsim.sweep.plan import Point, Sweep

POINT, POLICY, REPLICATION = "point", "policy", "replication"
REVENUE = "micro_revenue"
ERROR, COMMAND = "error", "command"
NONE = -1  # replication of a point that failed


class Row(NamedTuple):
    """One policy in one replication, at a point."""

    policy: str
    replication: int
    outcomes: tuple[float | None, ...]  # in the order of the sweep's; None: no data
    micro_revenue: int


class Failed(NamedTuple):
    """Why a point has no rows."""

    error: str
    command: str  # that repeats it


def schema_of(sweep: Sweep) -> pa.Schema:
    """Return the columns of a sweep's rows.

    A factor that is one number is a column of numbers, in the unit of its setting:
    days, rates a day, micro-units of money, shares. Any other is a column of texts.
    """
    import pyarrow as pa  # here, so that a question about a store is answered at once

    factors = [
        (factor.field, pa.float64() if factor.lever else pa.string())
        for factor in sweep.factors
    ]
    return pa.schema(
        [
            (POINT, pa.int64()),
            *factors,
            (POLICY, pa.string()),
            (REPLICATION, pa.int64()),
            *((name, pa.float64()) for name in sweep.outcomes),
            (REVENUE, pa.int64()),
            (ERROR, pa.string()),
            (COMMAND, pa.string()),
        ]
    )


class Rows:
    """The rows of some points, column by column."""

    def __init__(self, sweep: Sweep) -> None:
        self._schema = schema_of(sweep)
        self._is_number = [factor.lever is not None for factor in sweep.factors]
        self._n_outcomes = len(sweep.outcomes)
        self._columns: list[list[object]] = [[] for _ in self._schema]
        self.n_failed = 0

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._columns[0])

    def add(self, point: Point, found: Sequence[Row] | Failed) -> None:
        """Add what a point came to."""
        levels = tuple(
            level.number if is_number else level.text
            for level, is_number in zip(point.levels, self._is_number, strict=True)
        )
        head = (point.number, *levels)
        if isinstance(found, Failed):
            self.n_failed += 1
            nothing = (None,) * self._n_outcomes
            self._append((*head, "", NONE, *nothing, None, *found))
            return
        for row in found:
            policy, replication, outcomes, revenue = row
            self._append((*head, policy, replication, *outcomes, revenue, None, None))

    def to_bytes(self) -> bytes:
        """Return the rows as a Parquet file with a checksum on each page."""
        import pyarrow as pa

        from churnsim.experiment.store.tables import parquet_bytes

        return parquet_bytes(pa.table(self._columns, schema=self._schema))

    def _append(self, values: tuple[object, ...]) -> None:
        for column, value in zip(self._columns, values, strict=True):
            column.append(value)
