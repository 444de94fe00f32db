"""What firms know about themselves, counted alike in simulated runs.

Of each run four sums are kept for a figure, so that the figure of many replications is
told of their sums, never averaged: (a / b)·(c / d). Complaints, outcomes and spend come
from the event log, which is made by running once more, and only where it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from churnsim import units
from churnsim.engines.books import Account, Event, Tally
from churnsim.engines.outcome import Outcome
from churnsim.mechanisms.value import failure_probability
from churnsim.records import Cause, Floats, Integers, KindColumn, Relationship
from churnsim.streams import ORDINARY
from churnsim.units import year_days

N_SUMS = 4  # of a figure: a, b, c, d
SILENT, UNRESOLVED, RESOLVED, QUICK = OUTCOMES = (
    "silent",
    "unresolved",
    "resolved",
    "quick",
)

Sums = tuple[float, float, float, float]


class Kind(NamedTuple):
    """How values of a figure are read, bounded and told."""

    name: str  # "rate", "share", "time", "count" or "ratio"
    unit: str  # of its numbers
    read: Callable[[str], float]
    text: Callable[[float], str]
    low: float = 0.0
    high: float = np.inf


class Figure(NamedTuple):
    """One thing that a firm knows about itself."""

    about: str  # in words, for the middle of a sentence
    kind: Kind
    of: Callable[[Seen], Sums]
    needs_log: bool = True


class Seen:
    """A run as figures look at it: each part is worked out once."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        books = outcome.books
        n = int(books.log_count[0]) if len(books.log_times) else 0
        self._times: Floats = books.log_times[:n]
        self._customers: Integers = books.log_codes[:n, 0]
        self._events: Integers = books.log_codes[:n, 1]
        self._words: Integers = books.log_codes[:n, 2]
        self._cases: Integers | None = None
        self._closed: Closed | None = None

    @property
    def years(self) -> float:
        """Return the customer-years of the run."""
        return float(self.stays.sum()) / year_days()

    @property
    def stays(self) -> Floats:
        """Return how long each was a customer [days], (n,); 0 for who never was."""
        books, people = self.outcome.books, self.outcome.population
        until = np.minimum(books.departure, self.outcome.plan.horizon)
        known = books.is_won == 1
        since = np.where(known, people.arrival, 0.0)
        found: Floats = np.where(known, np.maximum(until - since, 0.0), 0.0)
        return found

    @property
    def cases(self) -> Integers:
        """Return the customers of all cases that came to a contact, one each."""
        if self._cases is None:
            is_case = self._events == Event.CONTACT_ENDED
            is_case &= self._words < ORDINARY
            pairs = np.stack([self._customers[is_case], self._words[is_case]])
            self._cases = np.unique(pairs, axis=1)[0]
        return self._cases

    def first_problems(self) -> tuple[Integers, Floats]:
        """Return the customers who had a problem, and when they first did [days]."""
        is_one = np.isin(self._events, (Event.MISTAKE, Event.UNANSWERED))
        who, places = np.unique(self._customers[is_one], return_index=True)
        return who, self._times[is_one][places]

    def closed(self) -> Closed:
        """Return the mistakes that closed."""
        if self._closed is None:
            wanted = (Event.MISTAKE, Event.UNANSWERED, Event.SETTLED, Event.CLOSED)
            kept = np.flatnonzero(np.isin(self._events, wanted))
            # Of one customer the log is in order of time.
            kept = kept[np.argsort(self._customers[kept], kind="stable")]
            events, times = self._events[kept], self._times[kept]
            ends = np.flatnonzero(events == Event.CLOSED)
            settled = events[ends - 1] == Event.SETTLED
            starts = ends - 1 - settled
            is_mistake = events[starts] == Event.MISTAKE
            ends, starts = ends[is_mistake], starts[is_mistake]
            self._closed = Closed(
                self._customers[kept][ends],
                self._words[kept][ends],
                times[starts],
                times[ends],
            )
        return self._closed


class Closed(NamedTuple):
    """Episodes of mistakes that closed, (n,) each."""

    customer: Integers
    cause: Integers  # a Cause
    began: Floats  # the mistake [days]
    ended: Floats  # the close [days]


def _rate(text: str) -> float:
    return units.parse_rate(text) * year_days()


def _rate_text(rate: float) -> str:
    return f"{rate:.3g}/year" if rate >= 1.0 else f"{100.0 * rate:.3g} %/year"


def _plain_text(number: float) -> str:
    return f"{number:.3g}"


RATE = Kind("rate", "/year", _rate, _rate_text)
SHARE = Kind("share", "1", units.parse_share, lambda x: f"{100.0 * x:.3g} %", high=1.0)
TIME = Kind("time", "days", units.parse_duration, units.format_duration)
COUNT = Kind("count", "1", units.parse_share, _plain_text, low=1.0)
RATIO = Kind("ratio", "1", units.parse_share, _plain_text)


def _per(part: float, whole: float) -> Sums:
    return part, whole, 1.0, 1.0


def _churn(seen: Seen) -> Sums:
    """Customers lost, over customer-years."""
    return _per(sum(seen.outcome.sums.lost.values()), seen.years)


def _after_complaint(seen: Seen) -> Sums:
    """Of the customers lost, those who had a case that came to a contact."""
    lost = seen.outcome.books.cause != Cause.NONE
    return _per(float(lost[np.unique(seen.cases)].sum()), float(lost.sum()))


def _complaints(seen: Seen) -> Sums:
    """Cases that came to a contact, over customer-years."""
    return _per(len(seen.cases), seen.years)


def _at_first(seen: Seen) -> Sums:
    """Cases settled by their first contact, of all that came to one."""
    return _per(seen.outcome.sums.tally(Tally.SETTLED_AT_FIRST), len(seen.cases))


def _wait(seen: Seen) -> Sums:
    """The mean wait at the front desk, of those handled or lost [days]."""
    front = seen.outcome.sums.front
    over = front.handled + front.abandoned
    return _per((front.mean_wait or 0.0) * over, over)


def _abandonment(seen: Seen) -> Sums:
    """Of those who joined the front line, who left it."""
    front = seen.outcome.sums.front
    return _per(front.abandoned, front.joined)


def _repeats(seen: Seen) -> Sums:
    """Contacts in cases, over cases that came to one."""
    return _per(seen.outcome.sums.tally(Tally.CONTACTS), len(seen.cases))


def _spend(seen: Seen) -> Sums:
    """Spend per customer-year after the first problem, over that before.

    Until then a customer's revenue comes in at one pace, so what came before is known
    without a log of payments. The purchase that went wrong belongs to before.
    """
    outcome = seen.outcome
    people, plan = outcome.population, outcome.plan
    who, at = seen.first_problems()
    value, rate = people.value[who], people.rate[who]
    if plan.market.relationship == Relationship.PURCHASE:
        fine = rate * (1.0 - failure_probability(plan.market, plan.policy))
        pace = fine * (1.0 - people.dropout[who]) * value
        gone_wrong = value
    else:
        pace, gone_wrong = value / plan.market.period, 0.0 * value
    time = at - people.arrival[who]
    before = pace * time + gone_wrong
    after = outcome.books.accounts[who, Account.REVENUE] - before
    left = seen.stays[who] - time
    return float(after.sum()), float(left.sum()), float(time.sum()), float(before.sum())


def _repurchase(outcome: str) -> Callable[[Seen], Sums]:
    """Return the figure of mistakes that ended in one way: of them, who bought again.

    A subscriber's is the next renewal; one that lies beyond the horizon is left out.
    Who buys stays unless the mistake's purchase was the last.
    """

    def of(seen: Seen) -> Sums:
        plan, closed = seen.outcome.plan, seen.closed()
        customer, cause, began, ended = closed
        departure = seen.outcome.books.departure[customer]
        if plan.market.relationship == Relationship.PURCHASE:
            again = ended
        else:
            first, period = (
                seen.outcome.population.renewal[customer],
                plan.market.period,
            )
            passed = np.maximum(np.floor((ended - first) / period) + 1.0, 0.0)
            again = first + passed * period
        is_settled = cause == Cause.SETTLED
        is_quick = is_settled & (ended - began <= plan.kinds[0, KindColumn.TOLERANCE])
        is_meant = {
            SILENT: cause == Cause.SILENT,
            UNRESOLVED: (cause != Cause.SILENT) & ~is_settled,
            RESOLVED: is_settled & ~is_quick,
            QUICK: is_quick,
        }[outcome]
        is_meant &= again < plan.horizon
        return _per(float((departure > again)[is_meant].sum()), float(is_meant.sum()))

    return of


REPURCHASE = "repurchase"
FIGURES: dict[str, Figure] = {
    "churn": Figure("customers lost", RATE, _churn, needs_log=False),
    "churn_after_complaint": Figure(
        "customers lost who had complained", SHARE, _after_complaint
    ),
    "complaint_rate": Figure("complaints", RATE, _complaints),
    "first_contact_resolution": Figure("settled at first contact", SHARE, _at_first),
    "wait": Figure("mean wait at the front desk", TIME, _wait, needs_log=False),
    "abandonment": Figure("left the front line", SHARE, _abandonment, needs_log=False),
    "repeat_contacts": Figure("contacts per case", COUNT, _repeats),
    "spend_ratio": Figure("spend after a problem over before", RATIO, _spend),
    **{
        f"{REPURCHASE}.{outcome}": Figure(
            f"bought again after a problem that ended {outcome}",
            SHARE,
            _repurchase(outcome),
        )
        for outcome in OUTCOMES
    },
}
NAMES = tuple(dict.fromkeys(name.partition(".")[0] for name in FIGURES))


def value_of(sums: Floats) -> Floats:
    """Return figures of their sums (…, 4): nan where there is nothing to divide by."""
    a, b, c, d = np.moveaxis(sums, -1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Floats = np.where((b == 0.0) | (d == 0.0), np.nan, (a / b) * (c / d))
    return found
