"""A comparison as tables, for spreadsheets (CSV) and for programs (Parquet)."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from churnsim.engines.books import Monthly, Weekly
from churnsim.experiment.by_hour import (
    DESKS,
    HOUR_FIGURES,
    NEEDED,
    figures_by_hour,
    policies_with_hours,
    staffed_by_hour,
)
from churnsim.experiment.firm_view import gaps_of
from churnsim.experiment.store.drawn_tables import draws_table, uncertainty_table
from churnsim.experiment.summary import FIGURES, Summary
from churnsim.scenario.week import DAYS

if TYPE_CHECKING:
    from churnsim.experiment.attribution import Attribution
    from churnsim.experiment.comparison import Comparison

# What makes a spreadsheet take a text for a formula, the wide forms too.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

Row = dict[str, Any]

TEXT, WHOLE, REAL = pa.string(), pa.int64(), pa.float64()
RUN = {"policy": TEXT, "replication": WHOLE}
POLICIES = {
    **dict.fromkeys(("policy", "title", "figure", "unit"), TEXT),
    **dict.fromkeys(("mean", "low", "high"), REAL),
    "replications": WHOLE,
}
LOSSES = {
    **dict.fromkeys(("policy", "against", "other", "measure"), TEXT),
    **dict.fromkeys(("total", "total_low", "total_high"), REAL),
    **dict.fromkeys(("yearly_per_1000", "yearly_low", "yearly_high"), REAL),
    "replications": WHOLE,
    **dict.fromkeys(("correlation", "variance_factor"), REAL),
    "main_cause": TEXT,
    **dict.fromkeys(("main_cause_extra", "main_cause_share"), REAL),
}
LEVERS = {
    **dict.fromkeys(("policy", "other", "measure", "lever"), TEXT),
    "micro": WHOLE,
    **dict.fromkeys(("total", "total_low", "total_high"), REAL),
    **dict.fromkeys(("yearly_per_1000", "yearly_low", "yearly_high"), REAL),
    "replications": WHOLE,
    **dict.fromkeys(("fraction", "sampling_error"), REAL),
}
FIRM_VIEW = {
    **dict.fromkeys(("policy", "view", "unit"), TEXT),
    **dict.fromkeys(("seen", "seen_low", "seen_high"), REAL),
    **dict.fromkeys(("true", "true_low", "true_high"), REAL),
    **dict.fromkeys(("gap", "gap_low", "gap_high"), REAL),
    "replications": WHOLE,
}
SMALL = (
    "policies",
    "losses",
    "firm_view",
    "levers",
)  # tables that people read as they are
MONTHS = {
    **dict.fromkeys(("month", *(column.name.lower() for column in Monthly)), WHOLE),
    "survivors": WHOLE,
}
ENDS = ("", "_low", "_high")  # of an estimate's columns
WEEK = dict.fromkeys(("hour", *(column.name.lower() for column in Weekly)), WHOLE)
HOURS = {
    **dict.fromkeys(("policy", "desk"), TEXT),
    "hour": WHOLE,
    **dict.fromkeys(("day", "time"), TEXT),
    "staffed": REAL,
    **{f"{name}{end}": REAL for name in (*HOUR_FIGURES, NEEDED) for end in ENDS},
    "replications": WHOLE,
}
WAITS = {"desk": TEXT, "bin": WHOLE, "people": WHOLE}


def tables_of(comparison: Comparison) -> dict[str, pa.Table]:
    """Return the tables of a comparison by name.

    Levers if it was explained, the hours of the week if a desk has opening hours, the
    draws and what they leave open if settings are drawn.
    """
    tables = {
        "runs": runs_table(comparison),
        "policies": policies_table(comparison),
        "losses": losses_table(comparison),
        "firm_view": firm_view_table(comparison),
        "monthly": monthly_table(comparison),
        "waits": waits_table(comparison),
    }
    if policies_with_hours(comparison):
        tables["hours"] = hours_table(comparison)
        tables["weekly"] = weekly_table(comparison)
    uncertain, ignorance = comparison.uncertain, comparison.ignorance
    if uncertain is not None and ignorance is not None:
        tables["draws"] = draws_table(uncertain, comparison.replications)
        tables["uncertainty"] = uncertainty_table(ignorance)
    if comparison.attribution is not None:
        tables["levers"] = levers_table(comparison.attribution)
    return tables


def runs_table(comparison: Comparison) -> pa.Table:
    """Return one row a run: figures, counts, and money in micro-units."""
    rows = [_run_row(run) for run in comparison.runs]
    types = {
        name: REAL if name in FIGURES else TEXT if isinstance(value, str) else WHOLE
        for name, value in rows[0].items()
    }
    return _table(types, rows)


def policies_table(comparison: Comparison) -> pa.Table:
    """Return one row for each policy and figure: mean and 95 % interval."""
    return _table(
        POLICIES,
        [
            {
                "policy": name,
                "title": policy.title,
                "figure": figure,
                "unit": FIGURES[figure].unit,
                "mean": value.mean,
                "low": value.low,
                "high": value.high,
                "replications": value.n,
            }
            for name, policy in comparison.policies.items()
            for figure, value in policy.figures.items()
        ],
    )


def losses_table(comparison: Comparison) -> pa.Table:
    """Return one row for each policy, measure and what it is compared with."""
    rows: list[Row] = []
    for loss in comparison.losses:
        cause = loss.cause
        rows.append(
            {
                "policy": loss.policy,
                "against": loss.against,
                "other": loss.other,
                "measure": loss.measure,
                "total": loss.total.mean,
                "total_low": loss.total.low,
                "total_high": loss.total.high,
                "yearly_per_1000": loss.yearly.mean,
                "yearly_low": loss.yearly.low,
                "yearly_high": loss.yearly.high,
                "replications": loss.total.n,
                "correlation": loss.correlation,
                "variance_factor": loss.variance_factor,
                "main_cause": cause.cause if cause else None,
                "main_cause_extra": cause.extra if cause else None,
                "main_cause_share": cause.share if cause else None,
            }
        )
    return _table(LOSSES, rows)


def firm_view_table(comparison: Comparison) -> pa.Table:
    """Return one row for each policy and view: the dashboard, the truth, the gap."""
    return _table(
        FIRM_VIEW,
        [
            {
                "policy": gap.policy,
                "view": gap.view,
                "unit": gap.unit,
                "seen": gap.seen.mean,
                "seen_low": gap.seen.low,
                "seen_high": gap.seen.high,
                "true": gap.true.mean,
                "true_low": gap.true.low,
                "true_high": gap.true.high,
                "gap": gap.gap.mean,
                "gap_low": gap.gap.low,
                "gap_high": gap.gap.high,
                "replications": gap.gap.n,
            }
            for gap in gaps_of(comparison)
        ],
    )


def levers_table(attribution: Attribution) -> pa.Table:
    """Return one row for each lever; `micro`, of all replications, adds up exactly."""
    return _table(
        LEVERS,
        [
            {
                "policy": attribution.source,
                "other": attribution.target,
                "measure": attribution.measure,
                "lever": share.lever,
                "micro": share.micro,
                "total": share.total.mean,
                "total_low": share.total.low,
                "total_high": share.total.high,
                "yearly_per_1000": share.yearly.mean,
                "yearly_low": share.yearly.low,
                "yearly_high": share.yearly.high,
                "replications": share.total.n,
                "fraction": share.fraction,
                "sampling_error": share.sampling_error,
            }
            for share in attribution.shares
        ],
    )


def monthly_table(comparison: Comparison) -> pa.Table:
    """Return one row for each run and month; survivors are starting customers."""
    names = [column.name.lower() for column in Monthly]
    return _table(
        RUN | MONTHS,
        [
            {
                "policy": run.policy,
                "replication": run.replication,
                "month": month,
                **dict(zip(names, values, strict=True)),
                "survivors": survivors,
            }
            for run in comparison.runs
            for month, (values, survivors) in enumerate(
                zip(run.monthly.tolist(), run.survivors.tolist(), strict=True), 1
            )
        ],
    )


def weekly_table(comparison: Comparison) -> pa.Table:
    """Return one row for each run and hour of the week: the front desk's tallies.

    Hour 0 begins on Monday at 00:00; `wait` and `work` are in microseconds.
    """
    names = [column.name.lower() for column in Weekly]
    return _table(
        RUN | WEEK,
        [
            {
                "policy": run.policy,
                "replication": run.replication,
                "hour": hour,
                **dict(zip(names, values, strict=True)),
            }
            for run in comparison.runs
            for hour, values in enumerate(run.weekly.tolist())
        ],
    )


def hours_table(comparison: Comparison) -> pa.Table:
    """Return one row for each policy, desk and hour of the week, with intervals.

    Of the back desk staffing alone is known.
    """
    rows: list[Row] = []
    for policy, runs in policies_with_hours(comparison).items():
        figures = figures_by_hour(comparison, policy)
        for desk in DESKS:
            told = figures if desk == "front" else {}
            staffed = staffed_by_hour(comparison, policy, desk)
            rows += [
                {
                    "policy": policy,
                    "desk": desk,
                    "hour": hour,
                    "day": DAYS[hour // 24],
                    "time": f"{hour % 24:02d}:00",
                    "staffed": agents,
                    **{
                        f"{name}{end}": value
                        for name, values in told.items()
                        for end, value in zip(ENDS, values[hour], strict=False)
                    },
                    "replications": len(runs),
                }
                for hour, agents in enumerate(staffed)
            ]
    return _table(HOURS, rows)


def waits_table(comparison: Comparison) -> pa.Table:
    """Return the histograms of waits: one row for each run, desk and bin with people.

    Bin 0 is up to a second; eight bins double the wait.
    """
    return _table(
        RUN | WAITS,
        [
            {
                "policy": run.policy,
                "replication": run.replication,
                "desk": desk,
                "bin": place,
                "people": people,
            }
            for run in comparison.runs
            for desk, waits in (("front", run.front_waits), ("back", run.back_waits))
            for place, people in enumerate(waits.tolist())
            if people
        ],
    )


def csv_text(table: pa.Table) -> str:
    """Return a table as CSV in which no text can act as a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([guarded(name) for name in table.column_names])
    for row in table.to_pylist():
        writer.writerow([guarded(value) for value in row.values()])
    return out.getvalue()


def guarded(value: object) -> object:
    """Return a cell that a spreadsheet only shows; numbers stay as they are."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str) and value.lstrip(" ").startswith(FORMULA_STARTS):
        return f"'{value}"
    return "" if value is None else value


def parquet_bytes(table: pa.Table) -> bytes:
    """Return a table as a Parquet file with a checksum on each page."""
    import pyarrow.parquet as pq  # now, since most runs keep nothing

    out = io.BytesIO()
    pq.write_table(table, out, compression="zstd", write_page_checksum=True)
    return out.getvalue()


def _table(types: dict[str, pa.DataType], rows: list[Row]) -> pa.Table:
    """Return rows as a table whose columns keep their types when all is empty."""
    return pa.Table.from_pylist(rows, schema=pa.schema(types.items()))


def _run_row(run: Summary) -> Row:
    return {
        "policy": run.policy,
        "replication": run.replication,
        "customers": run.n_customers,
        "people": run.n_people,
        **(run.news._asdict() if run.news else {}),
        **run.figures,
        **{f"n_{name}": count for name, count in run.tally.items()},
        **{f"closed_{name}": count for name, count in run.closed.items()},
        **{f"micro_{name}": money for name, money in run.totals._asdict().items()},
        "population": run.population,
        "digest": run.digest,
    }
