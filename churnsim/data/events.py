"""Reads a log of events, batch by batch, and folds it to customers and cases."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import numpy as np

from churnsim.data.batches import batches, find_columns, look_through
from churnsim.data.encoding import Encoder
from churnsim.data.histories import RETURNED, Folded, Rules, fold, joined
from churnsim.data.mapping import Mapping, problems_of
from churnsim.data.profiles import FAULTY_MAX, Rows, profile_of, refuse_faulty
from churnsim.data.records import (
    DAY,
    KINDS,
    NEVER,
    RENEWAL,
    Cases,
    Customers,
    EventLog,
    Profile,
    Windows,
)
from churnsim.data.spool import Spool
from churnsim.errors import InputError
from churnsim.fit.problems import Problems

Report = Callable[[int, int], None]
"""Is told how many rows of how many are read."""


def read_events(
    path: str | Path,
    mapping: Mapping | None = None,
    windows: Windows | None = None,
    *,
    faulty_max: float = FAULTY_MAX,
    report: Report | None = None,
) -> EventLog:
    """Return what a log of events says about customers and cases.

    The log is read in record batches and never held whole; `churnsim.data.spool` says
    how the events of a customer come together. A row names a customer, a moment and an
    event: purchase, renewal, problem, contact, resolution or cancel. It may have an
    amount, a moment promised, a moment resolved, a compensation, and since when its
    customer is one.

    Args:
        path: CSV with a header, in UTF-8, or Parquet.
        mapping: What columns and words mean; their own names if None.
        windows: What is counted, and for how long.
        faulty_max: Share of rows [-] that may be left out since they make no sense.
        report: Is told how many rows of how many are read.

    Raises:
        TransactionError: The log cannot be used, with every reason.
        InputError: The mapping cannot.
    """
    path, mapping, windows = Path(path), mapping or Mapping(), windows or Windows()
    if wrong := problems_of(mapping):
        raise InputError(*wrong)
    problems = Problems(path.name)
    source = look_through(path, problems)
    at = find_columns(source, mapping, "events", problems)
    encoder, counts = Encoder(mapping, windows, problems), _Counts()
    with Spool(source.n_lines) as spool:
        n_total = source.n_lines - 1
        for batch in batches(source, at, encoder.groups.faulty, problems):
            spool.add(encoder.packed(batch))
            if report:
                report(min(encoder.n_read, n_total), n_total)
        encoder.note_unknown()
        encoder.clock.check_zones()
        problems.raise_if_any()
        end = _seconds(windows.end, encoder.last)
        rules = Rules(windows, end, mapping.drop_duplicates)
        folded = [
            counts.added(fold(rows, rules, encoder.groups)) for rows in spool.parts()
        ]
    customers, cases = joined(folded, encoder.places())
    rows = Rows(encoder.n_read, encoder.n_blank, counts.n_rows)
    profile = profile_of("events", source, at, rows, encoder.groups)
    refuse_faulty(profile, faulty_max, problems)
    _refuse_one(len(customers.entered), problems)
    start = _seconds(windows.start, encoder.first)
    if start >= end:
        rule = "the window must end after it starts"
        told = f"{_moment(start)} to {_moment(end)}"
        raise problems.refuse(rule, "choose an earlier start or a later end", 0, told)
    return _log(profile, customers, cases, encoder, counts)._replace(
        start=start, end=end, windows=windows, warnings=_warnings(end, encoder.last)
    )


class _Counts:
    """What is counted over the rows that were kept."""

    def __init__(self) -> None:
        self.by_kind = np.zeros(len(KINDS), dtype=np.int64)
        self.n_rows = self.n_without_amount = 0
        self.n_compensated = 0
        self.compensation = 0.0

    def added(self, folded: Folded) -> Folded:
        """Count what was folded, and return it without its rows."""
        rows = folded.rows
        self.n_rows += len(rows)
        self.by_kind += np.bincount(rows["kind"], minlength=len(KINDS))
        is_bought = rows["kind"] <= RENEWAL
        self.n_without_amount += int(np.isnan(rows["amount"][is_bought]).sum())
        paid = rows["paid"][~np.isnan(rows["paid"])]
        self.n_compensated += int((paid > 0).sum())
        self.compensation += float(paid.sum())
        return folded._replace(rows=rows[:0].copy())


def _log(
    profile: Profile,
    customers: Customers,
    cases: Cases,
    encoder: Encoder,
    counts: _Counts,
) -> EventLog:
    """Return a log that counts from its first row to its last."""
    due = (cases.promised != NEVER) & (cases.promised <= encoder.last)
    in_time = (cases.settled != NEVER) & (cases.settled <= cases.promised)
    return EventLog(
        profile=profile,
        customers=customers,
        cases=cases,
        counts=dict(zip(KINDS, counts.by_kind.tolist(), strict=True)),
        first=encoder.first,
        last=encoder.last,
        start=encoder.first,
        end=encoder.last,
        windows=Windows(),
        n_without_amount=counts.n_without_amount,
        n_returned=encoder.groups.noted.counts.get(RETURNED, 0),
        n_opened_by_contact=int((cases.contacted == cases.opened).sum()),
        n_promises=int(due.sum()),
        n_promises_kept=int((due & in_time).sum()),
        n_compensated=counts.n_compensated,
        compensation=counts.compensation,
        warnings=(),
    )


def _refuse_one(n_customers: int, problems: Problems) -> None:
    """Refuse a log of a single customer, or of none that buys."""
    if n_customers >= 2:
        return
    found = "one customer" if n_customers else "none"
    raise problems.refuse(
        f"a log must hold two customers at least, who buy; got {found}: how much "
        "customers differ, and so the error of any figure, cannot be told then",
        "give the log of all customers; purchases or renewals tell who is one",
    )


def _warnings(end: int, last: int) -> tuple[str, ...]:
    """Return what to keep in mind of a window."""
    days = (end - last) / DAY
    if days <= 1.0:
        return ()
    told = (
        f"the window ends {days:.0f} days after the last row: until then customers "
        "count as staying and silent, whether or not anybody looked"
    )
    return (told,)


def _seconds(moment: dt.datetime | None, otherwise: int) -> int:
    return otherwise if moment is None else int(moment.timestamp())


def _moment(seconds: int) -> str:
    return str(dt.datetime.fromtimestamp(seconds, dt.UTC))
