"""Reads a cross-section: a row for each customer, with whether it left."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from churnsim.data.batches import (
    Batch,
    Tally,
    batches,
    find_columns,
    look_through,
    without_blank,
)
from churnsim.data.cells import answers, numbers
from churnsim.data.mapping import Mapping, problems_of
from churnsim.data.profiles import (
    FAULTY_MAX,
    Groups,
    Rows,
    profile_of,
    refuse_faulty,
)
from churnsim.data.records import (
    OUTCOMES,
    YEAR_DAYS,
    Figure,
    LeftOut,
    Observed,
    Profile,
)
from churnsim.errors import InputError
from churnsim.fit.problems import Problems

NEITHER: Final = "whose {} is neither yes nor no"


class CrossSection(NamedTuple):
    """How many customers left, complained, and both."""

    profile: Profile
    n: int  # customers
    n_churned: int
    n_complained: int | None  # None: no such column
    n_both: int | None
    tenure: tuple[float | None, float | None]  # mean of those who stayed, who churned
    spend: tuple[float | None, float | None]  # in the file's own units


class _Sums:
    """What is counted while batches pass, by whether a customer churned."""

    def __init__(self) -> None:
        self.groups = Groups(Tally(), Tally(), Tally())
        self.n_read = self.n_blank = 0
        self.counts = np.zeros((2, 2), dtype=np.int64)  # churned, complained
        self.totals = {name: np.zeros((2, 2)) for name in ("tenure", "spend")}

    def add(self, batch: Batch) -> None:
        """Count the rows of a batch."""
        self.n_read += len(batch.rows)
        columns, rows = without_blank(batch)
        self.n_blank += len(batch.rows) - len(rows)
        churned = answers(columns["churned"])
        told = columns.get("complained")
        complained = np.zeros(len(rows), np.int64) if told is None else answers(told)
        faulty = self.groups.faulty
        faulty.add(NEITHER.format("churned"), rows[churned < 0])
        left = churned >= 0
        faulty.add(NEITHER.format("complained"), rows[left & (complained < 0)])
        left &= complained >= 0
        churned, complained = churned[left], complained[left]
        np.add.at(self.counts, (churned, complained), 1)
        for name, total in self.totals.items():
            if name in columns:
                self._add_number(name, columns[name], (left, rows), churned, total)

    def _add_number(
        self,
        name: str,
        column: Any,
        kept: tuple[NDArray[np.bool_], NDArray[np.int64]],
        churned: NDArray[np.int64],
        total: NDArray[np.float64],
    ) -> None:
        """Add the numbers of a column, and how many there are, by churned."""
        left, rows = kept
        values, is_bad = numbers(column)
        reason = f"whose {name} is no number (kept without it)"
        self.groups.noted.add(reason, rows[left & is_bad])
        values = values[left]
        is_there = ~np.isnan(values)
        np.add.at(total[0], churned[is_there], values[is_there])
        np.add.at(total[1], churned[is_there], 1.0)


def read_cross_section(
    path: str | Path,
    mapping: Mapping | None = None,
    *,
    faulty_max: float = FAULTY_MAX,
    report: Callable[[int, int], None] | None = None,
) -> CrossSection:
    """Return the counts of a table that has a row for each customer.

    Args:
        path: CSV with a header, in UTF-8, or Parquet: whether each customer churned,
            and, where there is such a column, complained (yes or no, 1 or 0, true or
            false, or a number of complaints), its tenure and its spend.
        mapping: What the columns mean; their own names if None.
        faulty_max: Share of rows [-] that may be left out since they make no sense.
        report: Is told how many rows of how many are read.

    Raises:
        TransactionError: The table cannot be used.
        InputError: The mapping cannot.
    """
    path, mapping = Path(path), mapping or Mapping()
    if wrong := problems_of(mapping):
        raise InputError(*wrong)
    problems = Problems(path.name)
    source = look_through(path, problems)
    at = find_columns(source, mapping, "cross-section", problems)
    sums = _Sums()
    for batch in batches(source, at, sums.groups.faulty, problems):
        sums.add(batch)
        if report:
            report(min(sums.n_read, source.n_lines - 1), source.n_lines - 1)
    rows = Rows(sums.n_read, sums.n_blank, int(sums.counts.sum()))
    profile = profile_of("cross-section", source, at, rows, sums.groups)
    refuse_faulty(profile, faulty_max, problems)
    has_complaints = "complained" in at
    return CrossSection(
        profile=profile,
        n=int(sums.counts.sum()),
        n_churned=int(sums.counts[1].sum()),
        n_complained=int(sums.counts[:, 1].sum()) if has_complaints else None,
        n_both=int(sums.counts[1, 1]) if has_complaints else None,
        tenure=_means(sums.totals["tenure"]),
        spend=_means(sums.totals["spend"]),
    )


def observed_across(table: CrossSection, period: float | None) -> Observed:
    """Return the figures that a cross-section tells, and why it does not tell others.

    The churn rate is that of customers who all leave at one rate, of whom a share p is
    gone after the period P,

        −ln(1 − p)/P,   s.e. √(p/((1 − p) n))/P.

    Args:
        table: The counts.
        period: How long customers were watched for whether they leave [days]; None:
            not known.
    """
    n, churned = table.n, table.n_churned
    told = f"{churned:,} of {n:,} customers churned"
    left = [LeftOut(name, reason) for name, reason in _UNTOLD]
    figures = []
    if not 0 < churned < n:
        reason = f"{told}: from {'none' if not churned else 'all'} no rate can be told"
        left.insert(0, LeftOut("churn", reason))
    elif period is None:
        reason = f"{told}, but not within what time: give --period"
        left.insert(0, LeftOut("churn", reason))
    else:
        share, years = churned / n, period / YEAR_DAYS
        error = math.sqrt(share / ((1.0 - share) * n)) / years
        rate = -math.log1p(-share) / years
        told = f"{told} in {period:g} days"
        figures.append(Figure("churn", None, rate, True, error, None, told))
    name = "churn_after_complaint"
    if table.n_both is None:
        left.insert(0, LeftOut(name, "no column says who complained"))
    elif not churned:
        left.insert(0, LeftOut(name, "no customer churned"))
    elif churned == n:
        left.insert(0, LeftOut(name, "all customers churned: none are left to compare"))
    else:
        told = f"{table.n_both:,} of {churned:,} customers who churned"
        value = table.n_both / churned
        figures.append(Figure(name, None, value, False, None, churned, told))
    return Observed(tuple(figures), tuple(left))


_UNTOLD: Final = (
    ("complaint_rate", "a cross-section tells who complained, not how often"),
    ("first_contact_resolution", "a cross-section does not tell how a case ended"),
    ("repeat_contacts", "a cross-section does not tell how often a case was told"),
    *(
        (f"repurchase {outcome}", "a cross-section does not tell how a case ended")
        for outcome in OUTCOMES
    ),
    ("spend_ratio", "a cross-section tells no spend before and after"),
    ("wait", "a cross-section does not hold it: add it by hand"),
    ("abandonment", "a cross-section does not hold it: add it by hand"),
)


def _means(totals: NDArray[np.float64]) -> tuple[float | None, float | None]:
    """Return the means of those who stayed and who churned; None without a number."""
    stayed, churned = (
        float(total / n) if n else None for total, n in zip(*totals, strict=True)
    )
    return stayed, churned
