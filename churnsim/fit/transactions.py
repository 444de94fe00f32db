"""Reads a log of purchases and sums up each customer: x, t_x, T and mean spend.

A customer's purchases of one day are one occasion with their amounts added, the first
occasion starts the customer's clock and is not counted in x, and the window ends at
`end`, as in the CDNOW data of Fader & Hardie (2001). What comes after is held out.
"""

import datetime as dt
import re
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from churnsim.fit.dates import DATE_FORMATS, parse_dates
from churnsim.fit.problems import Problems
from churnsim.fit.rows import LAYOUTS, RawRows, detect_layout, read_rows

FILE_BYTES_MAX: Final = 2 * 1024**3
AMOUNT_MAX: Final = 1e12  # [currency]; 9.2 of these fill an int64 of micro-units
MICRO: Final = 1_000_000
DAYS_PER_WEEK: Final = 7.0

_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_NUMBER_LENGTH_MAX: Final = 60
_EASTERNMOST: Final = dt.timedelta(hours=14)  # where a day begins first


class TransactionLog(NamedTuple):
    """What a log says about each customer up to the end of the window.

    Customers are in the order of their labels, so that the order of rows has no effect.
    """

    name: str  # file name without folders
    sha256: str  # of the file, 64 hexadecimal digits
    layout: str  # "csv", "parquet" or "cdnow"
    customers: tuple[str, ...]  # labels, sorted
    x: NDArray[np.int64]  # repeat occasions [-], shape (customers,)
    t_x_days: NDArray[np.float64]  # first to last occasion [days], 0 where x = 0
    age_days: NDArray[np.float64]  # T: first occasion to the end of the window [days]
    first_purchase: NDArray[np.datetime64]  # date of the first occasion
    mean_repeat_spend: NDArray[np.float64]  # [currency] per occasion, 0 without any
    n_spend: NDArray[np.int64]  # occasions behind the mean [-]: x, or 0 if all free
    x_held_out: NDArray[np.int64]  # occasions after the end of the window [-]
    first: dt.date  # earliest date in the log
    last: dt.date  # latest date in the log
    end: dt.date  # last day of the window
    n_rows: int  # rows read [-], duplicates included
    n_duplicates: int  # rows equal to an earlier row in every field [-]
    n_held_out: int  # rows after the end of the window [-]
    n_later_customers: int  # customers whose first purchase is after the window [-]
    warnings: tuple[str, ...]  # what is unusual, in sentences

    @property
    def t_x_weeks(self) -> NDArray[np.float64]:
        """Return t_x in weeks."""
        return self.t_x_days / DAYS_PER_WEEK

    @property
    def age_weeks(self) -> NDArray[np.float64]:
        """Return T in weeks."""
        return self.age_days / DAYS_PER_WEEK


class _Purchases(NamedTuple):
    """Rows that make sense, shape (rows,) each."""

    customer: NDArray[np.int64]  # index into the sorted labels
    day: NDArray[np.int64]  # proleptic ordinal
    micros: NDArray[np.int64]  # amount [micro-units]


def read_transactions(
    path: str | Path,
    *,
    end: dt.date | None = None,
    as_of: dt.date | None = None,
    layout: str = "auto",
    date_format: str = "auto",
    drop_duplicates: bool = False,
) -> TransactionLog:
    """Return what a log of purchases says about each of its customers.

    Rows that are equal in every field are kept with a warning: they may be two equal
    purchases (the CDNOW log has 21) or one exported twice. They fall on one day, so
    they are one occasion either way; only the amount differs.

    Args:
        path: A CSV file with a header, a Parquet file, or a file laid out like the
            CDNOW sample (master number, sample number, date, CDs, amount).
        end: Last day of the window; the last day of the log if None.
        as_of: No date may be later; today, wherever the day is furthest on, if None.
        layout: One of `LAYOUTS`.
        date_format: One of `DATE_FORMATS`.
        drop_duplicates: Whether all but the first of equal rows are left out.

    Raises:
        TransactionError: When the log cannot be used, with every mistake in it.
    """
    path = Path(path)
    problems = Problems(path.name)
    layout = _checked_layout(path, layout, date_format, problems)
    problems.unit = "row" if layout == "parquet" else "line"
    try:
        rows, sha256 = read_rows(path, layout, problems)
    except OSError as error:
        raise _unreadable(error, problems) from None
    if not len(rows.lines) and not problems.count:
        raise problems.refuse(
            "a log must hold purchases; got none", "add one row per purchase"
        )
    as_of = as_of or (dt.datetime.now(dt.UTC) + _EASTERNMOST).date()
    if end and end > as_of:
        problems.add(
            0, f"the window must end by {as_of}; got end {end}", "choose an earlier end"
        )
    days = parse_dates(rows.dates, rows.date, rows.lines, date_format, problems)
    _check_not_after(days, rows, as_of, problems)
    micros = _parse_amounts(rows, layout == "cdnow", problems)
    _check_labels(rows, problems)
    problems.raise_if_any()
    duplicate = _duplicates(rows)
    kept = ~duplicate if drop_duplicates else np.ones(len(days), dtype=np.bool_)
    labels, rank = _sorted_labels(rows.customers)
    purchases = _Purchases(rank[rows.customer[kept]], days[kept], micros[kept])
    last = dt.date.fromordinal(int(days.max()))
    log = _summarise(purchases, labels, end or last, problems)
    return log._replace(
        sha256=sha256,
        layout=layout,
        n_rows=len(days),
        n_duplicates=int(duplicate.sum()),
        warnings=_warnings(log, duplicate, micros[kept], drop_duplicates),
    )


def _checked_layout(
    path: Path, layout: str, date_format: str, problems: Problems
) -> str:
    """Return the layout to read, after the checks that need no reading."""
    for name, value, allowed in (
        ("layout", layout, LAYOUTS),
        ("date format", date_format, DATE_FORMATS),
    ):
        if value not in allowed:
            raise problems.refuse(
                f"{name} must be one of {', '.join(allowed)}",
                "choose one of these",
                value=value,
            )
    try:
        if not path.is_file():
            found = "a folder or device" if path.exists() else "no such file"
            raise problems.refuse(
                f"a log must be a file; got {found}", "check the path"
            )
        size = path.stat().st_size
        if size > FILE_BYTES_MAX:
            raise problems.refuse(
                f"a log must be at most 2 GiB; got {size / 1024**3:.1f} GiB",
                "keep customer, date and amount only, or take a sample of customers",
            )
        if size == 0:
            raise problems.refuse(
                "a log must hold purchases; got an empty file",
                "name the columns customer, date, amount and add a row per purchase",
            )
        return detect_layout(path) if layout == "auto" else layout
    except OSError as error:
        raise _unreadable(error, problems) from None


def _warnings(
    log: TransactionLog,
    duplicate: NDArray[np.bool_],
    micros: NDArray[np.int64],
    dropped: bool,
) -> tuple[str, ...]:
    """Return what is unusual about a log that can be used."""
    free, equal = int((micros == 0).sum()), int(duplicate.sum())
    later = log.n_later_customers
    done = "left out" if dropped else "kept: their amounts are added"
    found = (
        (equal, "row equals", "rows equal", f"an earlier one in every field ({done})"),
        (free, "purchase costs", "purchases cost", "nothing (kept at 0)"),
        (later, "customer", "customers", f"first bought after {log.end} (left out)"),
    )
    return tuple(
        f"{count:,} {one if count == 1 else many} {rest}"
        for count, one, many, rest in found
        if count
    )


def _unreadable(error: OSError, problems: Problems) -> Exception:
    reason = error.strerror or str(error)
    return problems.refuse(f"a log must be readable ({reason})", "check the file")


def _check_not_after(
    days: NDArray[np.int64], rows: RawRows, as_of: dt.date, problems: Problems
) -> None:
    """Note the rows whose date lies in the future."""
    late = np.flatnonzero(days > as_of.toordinal())
    problems.add_each(
        rows.lines[late],
        lambda i: (f"date must not be after {as_of}", rows.dates[rows.date[late[i]]]),
        "correct it or leave the row out",
    )


def _parse_amounts(
    rows: RawRows, free_allowed: bool, problems: Problems
) -> NDArray[np.int64]:
    """Return each row's amount in micro-units, rounded half up; 0 after a mistake."""
    read = [_micros(text) for text in rows.amounts]
    by_row = np.array([*read, 0], dtype=np.int64)[rows.amount]
    bad = np.flatnonzero(by_row < 0 if free_allowed else by_row <= 0)
    problems.add_each(
        rows.lines[bad],
        lambda i: _amount_rule(rows.amounts[rows.amount[bad[i]]]),
        "leave out refunds and free orders, and write it like 29.33",
    )
    by_row[bad] = 0
    totals = np.bincount(rows.customer, weights=by_row / MICRO)
    for i in np.flatnonzero(totals > 9 * AMOUNT_MAX)[:1]:
        problems.add(
            0,
            f"a customer's amounts must add up to at most {9 * AMOUNT_MAX:.0e}; "
            f"got {totals[i]:.3g}",
            "give amounts in a larger unit",
            rows.customers[i],
        )
    return by_row


def _micros(text: str) -> int:
    """Return an amount in micro-units, -1 if it is no number that can be used."""
    if len(text) > _NUMBER_LENGTH_MAX or not _NUMBER.fullmatch(text):
        return -1
    value = float(text)
    if value == 0:
        return 0
    if not 1 / MICRO <= value <= AMOUNT_MAX:
        return -1
    return int((Decimal(text) * MICRO).to_integral_value(ROUND_HALF_UP))


def _amount_rule(text: str) -> tuple[str, str]:
    """Return which rule an amount breaks, and the amount."""
    if len(text) > _NUMBER_LENGTH_MAX or not _NUMBER.fullmatch(text):
        return "amount must be a plain number", text
    if float(text) <= 0:
        return "amount must be above 0", text
    return f"amount must be from 0.000001 to {AMOUNT_MAX:.0e}", text


def _check_labels(rows: RawRows, problems: Problems) -> None:
    """Note the rows that name no customer."""
    if "" in rows.customers:
        nameless = rows.lines[rows.customer == rows.customers.index("")]
        problems.add_each(
            nameless,
            lambda _: ("customer must not be empty", None),
            "name the customer or leave the row out",
        )


def _duplicates(rows: RawRows) -> NDArray[np.bool_]:
    """Return which rows are equal to an earlier one in every field."""
    keys = (rows.row_hash, rows.amount, rows.date, rows.customer)
    order = np.lexsort(keys)
    same = np.ones(max(len(order) - 1, 0), dtype=np.bool_)
    for key in keys:
        same &= key[order[1:]] == key[order[:-1]]
    duplicate = np.zeros(len(order), dtype=np.bool_)
    duplicate[order[1:][same]] = True
    return duplicate


def _sorted_labels(
    labels: tuple[str, ...],
) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Return labels in order, and for each of the given ones its place there."""
    order = sorted(range(len(labels)), key=labels.__getitem__)
    rank = np.empty(len(labels), dtype=np.int64)
    rank[order] = np.arange(len(labels))
    return tuple(labels[i] for i in order), rank


def _summarise(
    purchases: _Purchases,
    labels: tuple[str, ...],
    end: dt.date,
    problems: Problems,
) -> TransactionLog:
    """Return the log's figures per customer; fields of the file are left empty."""
    customer, day, micros = purchases
    order = np.lexsort((day, customer))
    customer, day, micros = customer[order], day[order], micros[order]
    starts = np.flatnonzero(
        np.r_[True, (customer[1:] != customer[:-1]) | (day[1:] != day[:-1])]
    )
    spend = np.add.reduceat(micros, starts)
    buyer, on = customer[starts], day[starts]
    first_at = np.flatnonzero(np.r_[True, buyer[1:] != buyer[:-1]])
    inside = on <= end.toordinal()
    n_inside = np.bincount(buyer[inside], minlength=len(labels))
    known = np.flatnonzero(n_inside > 0)
    if not len(known):
        raise problems.refuse(
            f"the window must end on or after the first purchase; got end {end} and "
            f"first purchase {dt.date.fromordinal(int(day.min()))}",
            "choose a later end",
        )
    first_on = on[first_at[known]]
    x = n_inside[known] - 1
    t_x = on[first_at[known] + x] - first_on
    spent = np.r_[0, np.cumsum(spend)]
    repeat = spent[first_at[known] + 1 + x] - spent[first_at[known] + 1]
    return TransactionLog(
        name=problems.name,
        sha256="",
        layout="",
        customers=tuple(labels[i] for i in known),
        x=x,
        t_x_days=t_x.astype(np.float64),
        age_days=(end.toordinal() - first_on).astype(np.float64),
        first_purchase=_as_dates(first_on),
        mean_repeat_spend=repeat / np.maximum(x, 1) / MICRO,
        n_spend=np.where(repeat > 0, x, 0),
        x_held_out=np.bincount(buyer[~inside], minlength=len(labels))[known],
        first=dt.date.fromordinal(int(day.min())),
        last=dt.date.fromordinal(int(day.max())),
        end=end,
        n_rows=0,
        n_duplicates=0,
        n_held_out=int((day > end.toordinal()).sum()),
        n_later_customers=len(labels) - len(known),
        warnings=(),
    )


def _as_dates(ordinals: NDArray[np.int64]) -> NDArray[np.datetime64]:
    """Return proleptic ordinals as dates."""
    epoch = dt.date(1970, 1, 1).toordinal()
    return (ordinals - epoch).astype("datetime64[D]")
