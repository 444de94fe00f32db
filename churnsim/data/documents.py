"""What is told of a file as one JSON document."""

from __future__ import annotations

import datetime as dt
from typing import Literal, TypedDict

from churnsim.data.cross_section import CrossSection
from churnsim.data.records import Dropped, EventLog, Observed


class DroppedDocument(TypedDict):
    """Rows that one reason left out, or kept in part."""

    reason: str  # in words
    rows: int  # how many
    first: list[int]  # where the first of them stand


class LogDocument(TypedDict):
    """What a log of events holds."""

    customers: int  # who bought or renewed, or whose acquisition is told
    events: dict[str, int]  # rows kept, by kind
    first: str  # moment of the first row, UTC
    last: str  # moment of the last row, UTC
    start: str  # customer-years count from here, UTC
    end: str  # and to here, UTC
    cases: int  # mistakes that were told, seen or both
    cases_opened_by_contact: int  # without a row for the problem
    without_amount: int  # purchases and renewals
    returned: int  # cancels that a purchase or renewal followed
    promises: int  # cases with a promise that fell due
    promises_kept: int  # of those, settled by then
    compensated: int  # rows with a compensation above 0
    compensation: float  # sum of them [currency]


class TableDocument(TypedDict):
    """What a cross-section holds; null: there is no such column."""

    customers: int  # rows kept
    churned: int  # customers who left
    complained: int | None  # customers who did
    complained_and_churned: int | None  # customers who did both
    tenure_stayed: float | None  # mean, in the file's own unit
    tenure_churned: float | None  # mean, in the file's own unit
    spend_stayed: float | None  # mean, in the file's own unit
    spend_churned: float | None  # mean, in the file's own unit


class FigureDocument(TypedDict):
    """A figure that was observed."""

    figure: str  # as targets files name it
    outcome: str | None  # of a repurchase: how the problem ended
    value: float  # in its unit
    unit: Literal["1/year", "1"]  # "1" of shares and numbers
    error: float | None  # standard error; null: it follows from `of`
    of: int | None  # customers that a share was counted over
    counted: str  # what over what, in words


class LeftOutDocument(TypedDict):
    """A figure that the data do not tell."""

    figure: str  # with its outcome, of a repurchase
    reason: str  # why not


class TargetsDocument(TypedDict):
    """What `churnsim targets --json` prints."""

    file: str  # as it was given
    sha256: str  # of the file
    layout: Literal["events", "cross-section"]
    unit: Literal["line", "row"]  # what places are numbers of, the header included
    rows: int  # read, without blank ones
    kept: int  # of those
    columns: dict[str, str]  # names in the file by ours
    unused: list[str]  # columns that nothing was read from
    dropped: list[DroppedDocument]  # rows left out by choice
    faulty: list[DroppedDocument]  # rows left out since they make no sense
    noted: list[DroppedDocument]  # rows kept, but for what is said
    log: LogDocument | None  # null of a cross-section
    table: TableDocument | None  # null of a log of events
    figures: list[FigureDocument]  # that the data tell
    left_out: list[LeftOutDocument]  # and those that they do not
    warnings: list[str]  # what to keep in mind
    written: list[str]  # files


def targets_document(
    file: str, data: EventLog | CrossSection, found: Observed, written: list[str]
) -> TargetsDocument:
    """Return what is told of a file."""
    profile = data.profile
    is_log = isinstance(data, EventLog)
    return {
        "file": file,
        "sha256": profile.sha256,
        "layout": "events" if is_log else "cross-section",
        "unit": "line" if profile.unit == "line" else "row",
        "rows": profile.n_rows,
        "kept": profile.n_kept,
        "columns": dict(profile.columns),
        "unused": list(profile.unused),
        "dropped": _groups(profile.dropped),
        "faulty": _groups(profile.faulty),
        "noted": _groups(profile.noted),
        "log": _log(data) if isinstance(data, EventLog) else None,
        "table": _table(data) if isinstance(data, CrossSection) else None,
        "figures": _figures(found),
        "left_out": [
            {"figure": item.figure, "reason": item.reason} for item in found.left_out
        ],
        "warnings": list(data.warnings) if isinstance(data, EventLog) else [],
        "written": written,
    }


def moment(seconds: int) -> str:
    """Return a moment as text, UTC."""
    return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat(" ").partition("+")[0]


def _groups(groups: tuple[Dropped, ...]) -> list[DroppedDocument]:
    return [
        {"reason": group.reason, "rows": group.n_rows, "first": list(group.rows)}
        for group in groups
    ]


def _log(log: EventLog) -> LogDocument:
    return {
        "customers": len(log.customers.entered),
        "events": dict(log.counts),
        "first": moment(log.first),
        "last": moment(log.last),
        "start": moment(log.start),
        "end": moment(log.end),
        "cases": len(log.cases.opened),
        "cases_opened_by_contact": log.n_opened_by_contact,
        "without_amount": log.n_without_amount,
        "returned": log.n_returned,
        "promises": log.n_promises,
        "promises_kept": log.n_promises_kept,
        "compensated": log.n_compensated,
        "compensation": log.compensation,
    }


def _table(table: CrossSection) -> TableDocument:
    return {
        "customers": table.n,
        "churned": table.n_churned,
        "complained": table.n_complained,
        "complained_and_churned": table.n_both,
        "tenure_stayed": table.tenure[0],
        "tenure_churned": table.tenure[1],
        "spend_stayed": table.spend[0],
        "spend_churned": table.spend[1],
    }


def _figures(found: Observed) -> list[FigureDocument]:
    return [
        {
            "figure": figure.figure,
            "outcome": figure.outcome,
            "value": figure.value,
            "unit": "1/year" if figure.is_rate else "1",
            "error": figure.error,
            "of": figure.of,
            "counted": figure.counted,
        }
        for figure in found.figures
    ]
