"""What a comparison tells beyond single figures: months, waits, and its origin.

Each series is an `estimate` at each of its places: lists of means and of bounds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from churnsim.engines.books import Monthly
from churnsim.engines.sums import bin_edge, ratio
from churnsim.experiment.intervals import FROM_ZERO, SHARE, Range
from churnsim.records import MICRO, Integers
from churnsim.streams import STREAM_VERSION

if TYPE_CHECKING:
    from churnsim.experiment.comparison import Comparison
    from churnsim.experiment.documents import Months, Origin, Series, Waits
    from churnsim.experiment.replications import Replications

WAIT_STEP = 2  # bins of the histogram of waits between two places told


def months_of(comparison: Comparison) -> Months:
    """Return the monthly series of each policy.

    `ends` are the ends of the months [days], the last one cut at the horizon. Of each
    policy: customers (`active`) and open episodes (`backlog`) at a month's end, its
    `revenue` [units of currency], customers `lost` and `mistakes` in it, and the share
    of the starting customers who are still there at its end (`survival`).
    """
    horizon = comparison.scenario.horizon
    n_months = len(comparison.runs[0].monthly)
    month = comparison.scenario.plan(comparison.scenario.baseline, 0).month
    return {
        "ends": [min(horizon, month * (i + 1)) for i in range(n_months)],
        "policies": {
            name: _policy_months(comparison.replications, name)
            for name in comparison.replications.policies
        },
    }


def waits_of(comparison: Comparison) -> dict[str, Waits]:
    """Return for each desk the share that waited longer than each of some times.

    `longer_than` are the times [days], each a fifth longer than the one before, up to
    the first that nobody waited longer than. Who left the line counts with the time
    waited until then.
    """
    return {
        desk: _desk_waits(comparison, f"{desk}_waits") for desk in ("front", "back")
    }


def origin_of(comparison: Comparison) -> Origin:
    """Return what the numbers were made with, and one digest of all runs."""
    from churnsim.storage import versions

    digest = hashlib.sha256()
    for run in comparison.runs:
        digest.update(run.digest.encode())
    return {
        "results_digest": digest.hexdigest(),
        "stream_version": STREAM_VERSION,
        "versions": versions(),
    }


def _policy_months(results: Replications, policy: str) -> dict[str, Series]:
    rows = results.of(policy)
    told = {
        column.name.lower(): _series(
            results,
            (
                (row.monthly[:, column] / MICRO).tolist()
                if column == Monthly.REVENUE
                else row.monthly[:, column].tolist()
                for row in rows
            ),
            FROM_ZERO,
        )
        for column in Monthly
    }
    told["survival"] = _series(
        results,
        ([ratio(n, row.n_customers) for n in row.survivors.tolist()] for row in rows),
        SHARE,
    )
    return told


def _desk_waits(comparison: Comparison, field: str) -> Waits:
    histograms: dict[str, list[Integers]] = {
        name: [getattr(row, field) for row in comparison.replications.of(name)]
        for name in comparison.replications.policies
    }
    everyone = np.sum([np.sum(rows, axis=0) for rows in histograms.values()], axis=0)
    filled = np.flatnonzero(everyone)
    last = int(filled[-1]) + WAIT_STEP if len(filled) else 0
    bins = range(0, last, WAIT_STEP)
    return {
        "longer_than": [bin_edge(place) for place in bins],
        "policies": {
            name: _series(
                comparison.replications,
                (_longer(waits, bins) for waits in rows),
                SHARE,
            )
            for name, rows in histograms.items()
        },
    }


def _longer(waits: Integers, bins: range) -> list[float | None]:
    """Return the share of people beyond the upper edge of each of the bins."""
    total = int(waits.sum())
    upto = np.cumsum(waits).tolist()
    return [ratio(total - upto[min(place, len(upto) - 1)], total) for place in bins]


def _series(
    results: Replications, rows: Iterable[Sequence[float | None]], within: Range
) -> Series:
    """Return the estimate at each place; each row is one replication's."""
    found = [results.estimate(values, within) for values in zip(*rows, strict=True)]
    mean, low, high = ([value[i] for value in found] for i in range(3))
    return {"mean": mean, "low": low, "high": high}
