"""Kept results as the comparison that they were, to the last bit.

The Parquet tables hold every figure as the float it was and every count as an integer,
so that rows read back are the rows that were written.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from churnsim.engines.books import N_BINS, N_WEEKLY, Monthly, Weekly
from churnsim.engines.sums import Totals
from churnsim.errors import Problem, StorageError
from churnsim.experiment.bound import mistake_shares
from churnsim.experiment.comparing import Grounds
from churnsim.experiment.preparing import standing_warnings
from churnsim.experiment.replications import Replications
from churnsim.experiment.store.manifest import Manifest, read_manifest
from churnsim.experiment.store.reading import (
    AGAIN,
    RESTORE,
    damages,
    kept_bytes,
    kept_scenario,
    kept_uncertain,
    read_results,
)
from churnsim.experiment.summary import FIGURES, TALLIES, News, Summary
from churnsim.mechanisms.hours import HOURS_IN_WEEK
from churnsim.records import Cause, Integers
from churnsim.scenario.assumptions import Foundation

Run = tuple[str, int]  # policy and replication


class Kept(NamedTuple):
    """A folder of results, read back."""

    manifest: Manifest
    grounds: Grounds
    replications: Replications  # those finished; failures and stops are left out
    command: str  # what made the numbers; "" where nobody said
    is_explained: bool  # whether the headline's loss is told lever by lever


def read_kept(folder: str | Path) -> Kept:
    """Return what a folder of results holds.

    Raises:
        InputError: There is no such folder, or it holds no results.
        StorageError: They are damaged, of another version, or cannot be simulated here.
    """
    known = read_manifest(folder)
    if damaged := tuple(damages(known)):
        place = str(known.folder)
        raise StorageError(*(Problem(text, place, hint=RESTORE) for text in damaged))
    document = read_results(folder)
    scenario = kept_scenario(known)
    uncertain = kept_uncertain(known, scenario)
    shares = mistake_shares(scenario)
    # They come first, and speak of the file that the scenario was read from.
    n_standing = len(standing_warnings(scenario, shares, known.policies))
    grounds = Grounds(
        scenario,
        known.seed,
        known.engine,
        shares,
        tuple(Foundation(**item) for item in document["foundations"]),
        tuple(document["warnings"][:n_standing]),
        uncertain,
    )
    replications = Replications(
        policies=tuple(known.policies),
        runs=rows_of(known),
        asked=tuple(known.replications_asked),
        failures=(),
        is_stopped=False,
        lots=uncertain.lots if uncertain else None,
    )
    is_explained = document["attribution"] is not None
    return Kept(known, grounds, replications, document["command"], is_explained)


def rows_of(known: Manifest) -> tuple[Summary, ...]:
    """Return the rows of all finished replications, in order.

    Raises:
        StorageError: The tables are not those that this version writes.
    """
    try:
        rows = tuple(_rows(known))
    except (KeyError, ValueError, OSError, pa.ArrowException):
        rule = "must hold the tables that this version writes"
        raise StorageError(Problem(rule, str(known.folder), hint=AGAIN)) from None
    expected = [(p, n) for n in known.replications for p in known.policies]
    if [(row.policy, row.replication) for row in rows] != expected or any(
        row.digest != known.results.get(row.policy, {}).get(str(row.replication))
        or row.population != known.populations.get(str(row.replication))
        for row in rows
    ):
        rule = "must hold the replications that its manifest names"
        raise StorageError(Problem(rule, str(known.folder), hint=AGAIN))
    return rows


def _rows(known: Manifest) -> Iterator[Summary]:
    runs = _table(known, "runs").to_pylist()
    places = {(run["policy"], run["replication"]): i for i, run in enumerate(runs)}
    waits = _waits(_table(known, "waits"), places)
    table = _table(known, "monthly")
    shape = (len(runs), len(table) // max(1, len(runs)))
    columns = [table[column.name.lower()].to_numpy() for column in Monthly]
    monthly = np.stack(columns, axis=-1).reshape(*shape, len(columns))
    survivors = table["survivors"].to_numpy().reshape(shape)
    weeks = _weeks(known)
    no_hours = np.zeros((0, N_WEEKLY), np.int64)
    for i, run in enumerate(runs):
        front, back = waits[i]
        yield _row(run)._replace(
            front_waits=front,
            back_waits=back,
            monthly=monthly[i].copy(),
            survivors=survivors[i].copy(),
            weekly=weeks.get((run["policy"], run["replication"]), no_hours),
        )


def _row(run: dict[str, Any]) -> Summary:
    """Return a row without its series."""
    nothing = np.zeros(0, np.int64)
    causes = {cause: cause.name.lower() for cause in Cause if cause}
    return Summary(
        policy=run["policy"],
        replication=run["replication"],
        n_customers=run["customers"],
        n_people=run["people"],
        population=run["population"],
        digest=run["digest"],
        totals=Totals(*(run[f"micro_{name}"] for name in Totals._fields)),
        tally={name: run[f"n_{name}"] for name in TALLIES},
        # A count, so the figure of it is whole.
        lost={name: int(run[f"lost_{name}"]) for name in causes.values()},
        closed={name: run[f"closed_{name}"] for c, name in causes.items() if c > 1},
        figures={name: run[name] for name in FIGURES},
        news=News(run["passes"], run["site_runs"]) if "passes" in run else None,
        front_waits=nothing,
        back_waits=nothing,
        monthly=nothing,
        survivors=nothing,
        weekly=nothing,
    )


def _waits(table: pa.Table, places: dict[Run, int]) -> Integers:
    """Return the histograms of each run at both desks, (n_runs, 2, N_BINS)."""
    histograms = np.zeros((len(places), 2, N_BINS), np.int64)
    runs = zip(
        table["policy"].to_pylist(), table["replication"].to_pylist(), strict=True
    )
    where = np.fromiter((places[run] for run in runs), np.int64, len(table))
    desks = np.array([desk == "back" for desk in table["desk"].to_pylist()], np.int64)
    histograms[where, desks, table["bin"].to_numpy()] = table["people"].to_numpy()
    return histograms


def _weeks(known: Manifest) -> dict[Run, Integers]:
    """Return the hours of the week of each run that has them, in their order."""
    if "weekly.parquet" not in known.files:
        return {}
    table = _table(known, "weekly")
    columns = [table[column.name.lower()].to_numpy() for column in Weekly]
    weeks = np.stack(columns, axis=-1).reshape(-1, HOURS_IN_WEEK, N_WEEKLY)
    firsts = table.select(("policy", "replication")).to_pylist()[::HOURS_IN_WEEK]
    runs = ((first["policy"], first["replication"]) for first in firsts)
    return {run: week.copy() for run, week in zip(runs, weeks, strict=True)}


def _table(known: Manifest, name: str) -> pa.Table:
    """Return a table, its checksums compared."""
    import pyarrow.parquet as pq  # now, since it takes long to load

    source = pa.BufferReader(kept_bytes(known, f"{name}.parquet"))
    return pq.read_table(source, page_checksum_verification=True)
