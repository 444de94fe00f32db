"""The week as a table: what the books keep of each of its hours."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from churnsim.engines.books import MICROSECONDS, Books, Weekly
from churnsim.mechanisms.hours import (
    HOURS_IN_DAY,
    HOURS_IN_WEEK,
    WEEK,
    front_hours,
    staffed_hours,
)
from churnsim.records import Plan

HOURS_COLUMNS = (
    "hour",  # of the week, 0: Monday 00:00
    "staffed",  # agents
    "busy",  # agents
    "joined",  # customers
    "handled",
    "abandoned",
    "mean_wait",  # [days]
    "turned_away",
)


def times_lived(into_week: float, horizon: float) -> list[float]:
    """Return how often each hour of the week is lived through, parts of it too.

    Args:
        into_week: Of time 0 [days], whole.
        horizon: [days].
    """
    weeks, rest = divmod(horizon, WEEK)
    left = rest * HOURS_IN_DAY
    begins = (
        (h - into_week * HOURS_IN_DAY) % HOURS_IN_WEEK for h in range(HOURS_IN_WEEK)
    )
    return [weeks + min(1.0, max(0.0, left - begin)) for begin in begins]


def hours_table(books: Books, plan: Plan) -> pa.Table:
    """Return one row for each hour of the week; none where no desk has shifts."""
    counts = books.weekly
    if not len(counts):
        return pa.table({name: [] for name in HOURS_COLUMNS})
    lived = np.array(times_lived(plan.into_week, plan.horizon))
    work = counts[:, Weekly.WORK] / MICROSECONDS * HOURS_IN_DAY
    over = counts[:, Weekly.HANDLED] + counts[:, Weekly.ABANDONED]
    waited = counts[:, Weekly.WAIT] / MICROSECONDS
    columns = (
        np.arange(HOURS_IN_WEEK),
        staffed_hours(front_hours(plan)),
        work / np.where(lived > 0.0, lived, 1.0),
        *(counts[:, c] for c in (Weekly.JOINED, Weekly.HANDLED, Weekly.ABANDONED)),
        pa.array(waited / np.maximum(over, 1), mask=over == 0),
        counts[:, Weekly.TURNED_AWAY],
    )
    return pa.table(dict(zip(HOURS_COLUMNS, columns, strict=True)))
