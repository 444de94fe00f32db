"""What is told of a file: how it is read, what was left out and why, what it holds."""

import datetime as dt
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

KINDS: Final = ("purchase", "renewal", "problem", "contact", "resolution", "cancel")
PURCHASE, RENEWAL, PROBLEM, CONTACT, RESOLUTION, CANCEL = range(len(KINDS))
OUTCOMES: Final = ("silent", "unresolved", "resolved", "quick")
NEVER: Final = int(np.iinfo(np.int64).min)  # stands for a moment that there is not
DAY: Final = 86_400  # seconds
YEAR_DAYS: Final = 365.25
LINES_SHOWN: Final = 3  # of the rows that a reason left out


class Windows(NamedTuple):
    """What is counted, and for how long; moments in UTC, times in days."""

    start: dt.datetime | None = None  # customer-years count from here; None: all
    end: dt.datetime | None = None  # later rows are left out; None: the last row
    lost_after: float | None = None  # without a purchase: lost; None: by cancel only
    case_gap: float = 30.0  # a later contact begins a case of its own
    first_contact: float = 1.0 / 24.0  # settled within it: at the first contact
    quick: float = 1.0  # settled within it, from the problem on: quickly
    follow_up: float = 180.0  # within it, a customer buys again or does not


class Dropped(NamedTuple):
    """Rows that one reason left out, or kept in part."""

    reason: str  # as in "without a customer"
    n_rows: int
    rows: tuple[int, ...]  # where the first of them stand


class Profile(NamedTuple):
    """What was read of a file, what was not, and why."""

    name: str  # file name without folders
    sha256: str  # of the file, 64 hexadecimal digits
    layout: str  # "events" or "cross-section"
    unit: str  # what rows are counted in: "line" or "row"
    n_rows: int  # read, without blank ones
    n_kept: int
    dropped: tuple[Dropped, ...]  # left out by choice, such as after the window
    faulty: tuple[Dropped, ...]  # left out since they make no sense
    noted: tuple[Dropped, ...]  # kept, but for what is said
    columns: dict[str, str]  # name in the file by ours
    unused: tuple[str, ...]  # columns of the file that nothing was read from

    @property
    def n_faulty(self) -> int:
        """Return how many rows make no sense."""
        return sum(group.n_rows for group in self.faulty)


class Customers(NamedTuple):
    """What a log says about each customer; moments in seconds since 1970, UTC.

    Shape (customers,) each, in the order of their labels, so that the order of rows has
    no effect.
    """

    entered: NDArray[np.int64]  # acquired, or first purchase or renewal
    lost: NDArray[np.int64]  # NEVER where still a customer at the end
    complained: NDArray[np.int64]  # first contact of the first case, or NEVER
    case_from: NDArray[np.int64]  # the first case opened, or NEVER
    spent_before: NDArray[np.float64]  # [currency] after entry, until the first case
    spent_after: NDArray[np.float64]  # [currency] after it


class Cases(NamedTuple):
    """Mistakes and what became of them, in seconds since 1970; shape (cases,) each."""

    customer: NDArray[np.int64]  # index into customers
    opened: NDArray[np.int64]  # the problem, or the contact that told it
    contacted: NDArray[np.int64]  # first contact, or NEVER: the customer was silent
    second: NDArray[np.int64]  # second contact, or NEVER
    n_contacts: NDArray[np.int64]
    settled: NDArray[np.int64]  # or NEVER
    promised: NDArray[np.int64]  # first promise made in it, or NEVER
    ended: NDArray[np.int64]  # last event of the case
    bought: NDArray[np.int64]  # first purchase or renewal after `ended`, or NEVER


class EventLog(NamedTuple):
    """A log of events, folded to customers and cases."""

    profile: Profile
    customers: Customers
    cases: Cases
    counts: dict[str, int]  # rows kept by kind of event
    first: int  # moment of the first row that makes sense [s since 1970]
    last: int  # and of the last one [s since 1970]
    start: int  # customer-years count from here [s since 1970]
    end: int  # and to here [s since 1970]
    windows: Windows
    n_without_amount: int  # of purchases and renewals
    n_returned: int  # cancels that were followed by a purchase or renewal
    n_opened_by_contact: int  # cases that no problem row opened
    n_promises: int  # cases with a promise for a moment before the last row
    n_promises_kept: int  # of those, settled by then
    n_compensated: int  # rows with a compensation above 0
    compensation: float  # [currency] of all of them
    warnings: tuple[str, ...]  # what to keep in mind


class Figure(NamedTuple):
    """A figure that was observed, as targets files hold it."""

    figure: str  # such as "churn"
    outcome: str | None  # of a repurchase: one of OUTCOMES
    value: float  # per year of a rate, else a share or a number
    is_rate: bool
    error: float | None  # standard error; None: it follows from `of`
    of: int | None  # customers that a share was counted over
    counted: str  # what over what, in words


class LeftOut(NamedTuple):
    """A figure that the data do not tell."""

    figure: str
    reason: str


class Observed(NamedTuple):
    """All that a file tells about a firm."""

    figures: tuple[Figure, ...]
    left_out: tuple[LeftOut, ...]
