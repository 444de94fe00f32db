"""Folds the events of each customer, in order, to when it came and left, and to cases.

At one moment, a purchase comes before a renewal, then a problem, a contact, a
resolution, and a cancel last: so are logs read whose times are days.
"""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from churnsim.data.profiles import Groups
from churnsim.data.records import (
    CANCEL,
    CONTACT,
    DAY,
    NEVER,
    PROBLEM,
    RENEWAL,
    RESOLUTION,
    Cases,
    Customers,
    Windows,
)

EARLY: Final = "before the customer's first purchase or renewal"
ACQUIRED: Final = "before the customer was acquired"
NO_PURCHASE: Final = "of customers without a purchase, renewal or acquired_at"
LATE: Final = "after the customer left"
UNOPENED: Final = "a resolution before any problem or contact of its customer"
AGAIN: Final = "a resolution of a case already settled (kept, without effect)"
EQUAL: Final = "equal to an earlier one in all that is read"
RETURNED: Final = "a cancel that a purchase or renewal followed (kept: no loss)"

_FAR: Final = int(np.iinfo(np.int64).max)


class Rules(NamedTuple):
    """How histories are folded."""

    windows: Windows
    end: int  # [s since 1970]
    drop_duplicates: bool


class Folded(NamedTuple):
    """What some customers' rows come to."""

    codes: NDArray[np.int64]  # which customers, shape (customers,)
    customers: Customers
    cases: Cases  # customers by index into `codes`
    rows: NDArray[Any]  # that were kept


def fold(rows: NDArray[Any], rules: Rules, groups: Groups) -> Folded:
    """Return what the rows of some customers come to; all their rows are there.

    A customer enters when acquired, or else at its first purchase or renewal. It is
    lost at the first cancel after its last purchase or renewal; with `lost_after` also
    where that long has passed since, before the end.
    """
    rows = rows[
        np.lexsort(
            tuple(
                rows[name]
                for name in ("row", "acquired", "paid", "resolved", "promised")
            )
            + tuple(rows[name] for name in ("amount", "kind", "time", "customer"))
        )
    ]
    rows = _without_equal(rows, rules.drop_duplicates, groups)
    codes, first = np.unique(rows["customer"], return_index=True)
    if not len(codes):
        return Folded(codes.astype(np.int64), *_nothing(), rows)
    entered, is_acquired = _entries(rows, first)
    at = np.repeat(np.arange(len(codes)), np.diff(np.r_[first, len(rows)]))
    never, early = entered[at] == NEVER, rows["time"] < entered[at]
    groups.faulty.add(NO_PURCHASE, rows["row"][never])
    groups.faulty.add(ACQUIRED, rows["row"][early & is_acquired[at]])
    groups.faulty.add(EARLY, rows["row"][early & ~is_acquired[at]])
    keep = ~(never | early)
    rows, at = rows[keep], at[keep]
    is_known = entered != NEVER
    at = (np.cumsum(is_known) - 1)[at]
    codes, entered = codes[is_known], entered[is_known]
    lost = _losses(rows, at, entered, rules, groups)
    late = (lost[at] != NEVER) & (rows["time"] > lost[at])
    groups.dropped.add(LATE, rows["row"][late])
    rows, at = rows[~late], at[~late]
    cases, ignored = _cases(rows, at, rules.windows, groups)
    rows, at = rows[~ignored], at[~ignored]
    cases = cases._replace(bought=_bought(cases, rows, at))
    customers = _customers(entered, lost, cases, rows, at)
    return Folded(codes.astype(np.int64), customers, cases, rows)


def joined(
    parts: Iterable[Folded], place: NDArray[np.int64]
) -> tuple[Customers, Cases]:
    """Return all customers in order, and all cases in theirs.

    Args:
        parts: Of all customers.
        place: Of each code in the order, shape (codes,).
    """
    folded = list(parts)
    order = np.argsort(place[np.concatenate([part.codes for part in folded])])
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    starts = np.cumsum([0, *(len(part.codes) for part in folded)])
    customers = Customers(
        *(
            np.concatenate(columns)[order]
            for columns in zip(*(part.customers for part in folded), strict=True)
        )
    )
    whole = Cases(
        *(
            np.concatenate(columns)
            for columns in zip(*(part.cases for part in folded), strict=True)
        )
    )
    of = np.concatenate(
        [
            part.cases.customer + start
            for part, start in zip(folded, starts.tolist(), strict=False)
        ]
    )
    whole = whole._replace(customer=rank[of])
    by_customer = np.lexsort((whole.opened, whole.customer))
    return customers, Cases(*(column[by_customer] for column in whole))


def _nothing() -> tuple[Customers, Cases]:
    none = np.zeros(0, dtype=np.int64)
    amounts = np.zeros(0)
    return (
        Customers(none, none, none, none, amounts, amounts),
        Cases(*[none] * 9),
    )


def _without_equal(
    rows: NDArray[Any], drop_duplicates: bool, groups: Groups
) -> NDArray[Any]:
    """Return rows without those equal to the one before, where that is asked for."""
    same = np.zeros(len(rows), dtype=np.bool_)
    same[1:] = True
    for name in rows.dtype.names or ():
        if name != "row":
            # Bits are compared, so that two missing amounts are equal.
            column = np.ascontiguousarray(rows[name])
            bits = column.view(f"V{column.itemsize}")
            same[1:] &= bits[1:] == bits[:-1]
    if drop_duplicates:
        groups.dropped.add(EQUAL, rows["row"][same])
        return rows[~same]
    groups.noted.add(f"{EQUAL} (kept)", rows["row"][same])
    return rows


def _is_bought(rows: NDArray[Any]) -> NDArray[np.bool_]:
    return np.asarray(rows["kind"] <= RENEWAL)


def _entries(
    rows: NDArray[Any], first: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return when each customer entered, or `NEVER`, and whether a column said so."""
    bought = np.where(_is_bought(rows), rows["time"], _FAR)
    acquired = np.where(rows["acquired"] == NEVER, _FAR, rows["acquired"])
    bought = np.minimum.reduceat(bought, first)
    acquired = np.minimum.reduceat(acquired, first)
    is_acquired = acquired < _FAR
    entered = np.where(is_acquired, acquired, bought)
    return np.where(entered == _FAR, NEVER, entered), is_acquired


def _losses(
    rows: NDArray[Any],
    at: NDArray[np.int64],
    entered: NDArray[np.int64],
    rules: Rules,
    groups: Groups,
) -> NDArray[np.int64]:
    """Return when each customer was lost, or `NEVER`."""
    last = entered.copy()
    is_bought = _is_bought(rows)
    np.maximum.at(last, at[is_bought], rows["time"][is_bought])
    is_cancel = rows["kind"] == CANCEL
    is_final = is_cancel & (rows["time"] >= last[at])
    groups.noted.add(RETURNED, rows["row"][is_cancel & ~is_final])
    lost = np.full(len(entered), _FAR)
    np.minimum.at(lost, at[is_final], rows["time"][is_final])
    if rules.windows.lost_after is not None:
        silent = last + int(rules.windows.lost_after * DAY)
        lost = np.minimum(lost, np.where(silent <= rules.end, silent, _FAR))
    return np.where(lost == _FAR, NEVER, lost)


class _Case:
    """A case while its customer's events pass."""

    __slots__ = ("contacts", "customer", "ended", "opened", "promised", "settled")

    def __init__(self, customer: int, opened: int) -> None:
        self.customer = customer
        self.opened = self.ended = opened
        self.settled = self.promised = NEVER
        self.contacts: list[int] = []

    def is_settled_before(self, time: int) -> bool:
        """Return whether it was settled by then, though not at that moment."""
        return self.settled != NEVER and self.settled < time

    def settle(self, time: int) -> None:
        """Settle it at a moment, unless it was settled before."""
        if self.settled == NEVER or time < self.settled:
            self.settled = time
        self.ended = max(self.ended, self.settled)


def _cases(
    rows: NDArray[Any], at: NDArray[np.int64], windows: Windows, groups: Groups
) -> tuple[Cases, NDArray[np.bool_]]:
    """Return the cases, and which rows are resolutions of none.

    A problem opens a case. A contact belongs to its customer's last case, unless that
    was settled before or had no event for `case_gap`: then it opens one. A resolution
    settles the last case, however old; so does `resolved_at` of a problem or contact,
    at that moment.
    """
    is_event = (rows["kind"] >= PROBLEM) & (rows["kind"] <= RESOLUTION)
    places = np.flatnonzero(is_event)
    gap = int(windows.case_gap * DAY)
    unopened, again, cases = [], [], []
    case = _Case(-1, 0)
    columns = [rows[name][places] for name in ("time", "kind", "promised", "resolved")]
    for place, customer, time, kind, promised, resolved in zip(
        *(column.tolist() for column in (places, at[places], *columns)), strict=True
    ):
        is_first = case.customer != customer
        if kind == RESOLUTION:
            if is_first:
                unopened.append(place)
            elif case.settled != NEVER and case.settled <= time:
                again.append(place)
            else:
                case.settle(time)
            continue
        is_over = case.is_settled_before(time) or time - case.ended > gap
        if kind == PROBLEM or is_first or is_over:
            case = _Case(customer, time)
            cases.append(case)
        if kind == CONTACT:
            case.contacts.append(time)
        case.ended = max(case.ended, time)
        if case.promised == NEVER:
            case.promised = promised
        if resolved != NEVER:
            case.settle(resolved)
    ignored = np.zeros(len(rows), dtype=np.bool_)
    ignored[unopened] = True
    groups.faulty.add(UNOPENED, rows["row"][unopened])
    groups.noted.add(AGAIN, rows["row"][again])
    return _as_arrays(cases), ignored


def _as_arrays(cases: list[_Case]) -> Cases:
    """Return cases as columns, without what was bought after them."""
    firsts = [[*case.contacts[:2], NEVER, NEVER][:2] for case in cases]
    columns = (
        [case.customer for case in cases],
        [case.opened for case in cases],
        [first for first, _ in firsts],
        [second for _, second in firsts],
        [len(case.contacts) for case in cases],
        [case.settled for case in cases],
        [case.promised for case in cases],
        [case.ended for case in cases],
        [NEVER] * len(cases),
    )
    return Cases(*(np.array(column, dtype=np.int64) for column in columns))


def _bought(
    cases: Cases, rows: NDArray[Any], at: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the first purchase or renewal after each case's end, or `NEVER`."""
    is_bought = _is_bought(rows)
    times, buyer = rows["time"][is_bought], at[is_bought]
    if not len(times):
        return np.full(len(cases.customer), NEVER)
    # One number orders by customer, then moment: both lie within 2^31 of each other
    # but for dates that no log has.
    low = min(int(times.min()), int(cases.ended.min(initial=_FAR)))
    span = max(int(times.max()), int(cases.ended.max(initial=low))) - low + 2
    keys = buyer * span + (times - low)
    next_at = np.searchsorted(
        keys, cases.customer * span + (cases.ended - low), side="right"
    )
    is_there = next_at < len(keys)
    next_at = np.where(is_there, next_at, 0)
    is_there &= buyer[next_at] == cases.customer
    return np.where(is_there, times[next_at], NEVER)


def _customers(
    entered: NDArray[np.int64],
    lost: NDArray[np.int64],
    cases: Cases,
    rows: NDArray[Any],
    at: NDArray[np.int64],
) -> Customers:
    """Return what customers come to, their spend before and after the first case."""
    n = len(entered)
    of, first = np.unique(cases.customer, return_index=True)
    case_from = np.full(n, NEVER)
    case_from[of] = cases.opened[first]
    told = np.flatnonzero(cases.contacted != NEVER)
    who, earliest = np.unique(cases.customer[told], return_index=True)
    complained = np.full(n, NEVER)
    complained[who] = cases.contacted[told[earliest]]
    is_spend = _is_bought(rows) & ~np.isnan(rows["amount"])
    times, buyer, amounts = (
        column[is_spend] for column in (rows["time"], at, rows["amount"])
    )
    has_case = case_from[buyer] != NEVER
    before = has_case & (times > entered[buyer]) & (times <= case_from[buyer])
    after = has_case & (times > case_from[buyer])
    return Customers(
        entered=entered,
        lost=lost,
        complained=complained,
        case_from=case_from,
        spent_before=_sums(buyer[before], amounts[before], n),
        spent_after=_sums(buyer[after], amounts[after], n),
    )


def _sums(
    of: NDArray[np.int64], amounts: NDArray[np.float64], n: int
) -> NDArray[np.float64]:
    return np.bincount(of, amounts, minlength=n).astype(np.float64)
