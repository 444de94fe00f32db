"""What came out of one run: the books, closed and read."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from churnsim.engines.books import (
    BINS_PER_DOUBLING,
    MICROSECONDS,
    SATISFACTION_SCALE,
    Account,
    Books,
    Event,
    Messages,
    Monthly,
    People,
    Tally,
)
from churnsim.engines.people import PeopleFigures, people_figures, unpaid
from churnsim.engines.week import hours_table
from churnsim.mechanisms.hours import (
    Hours,
    back_hours,
    front_hours,
    message_hours,
    staffed_time,
)
from churnsim.records import FRONT_DESK, MICRO, Cause, Integers, Plan, Population

PPM = 1_000_000
SECONDS = 86_400.0  # in a day


class Totals(NamedTuple):
    """Money of one run in micro-units; the discounted ones are worth at time 0.

    contribution = margin·revenue − make_good − cost − wages − training − prevention.
    """

    revenue: int
    make_good: int
    cost: int  # acquisition, follow-up calls and hiring
    wages: int
    training: int
    prevention: int
    contribution: int
    revenue_discounted: int
    make_good_discounted: int
    cost_discounted: int
    wages_discounted: int
    training_discounted: int
    prevention_discounted: int
    contribution_discounted: int
    residual: int  # worth at the horizon of those who are still customers


class Rates(NamedTuple):
    """What a firm pays per day, and the margin it keeps."""

    margin: int  # [parts per million of revenue]
    wages: int  # [micro-units per day]
    training: int  # [micro-units per day]
    prevention: int  # [micro-units per day]
    seat: int = 0  # an agent's seat, not paid while it is vacant [micro-units per day]


class DeskFigures(NamedTuple):
    """How a desk did; None where nobody came."""

    joined: int
    waited: int  # found no server free
    handled: int
    abandoned: int
    mean_wait: float | None  # of those handled or lost [days]
    median_wait: float | None  # [days]
    wait_90: float | None  # 90 % wait at most this long [days]
    utilisation: float | None  # share of the servers' time [-]


class FirmView(NamedTuple):
    """What the firm's own dashboard shows, beside what is so (9)."""

    complaints_received: int
    mistakes_made: int
    resolution_recorded: float | None  # contacts recorded as settled: lies count
    resolution_true: float | None  # mistakes settled, of all
    satisfaction_surveyed: float | None  # of cases, as the firm's books close them
    satisfaction_true: float | None  # of all mistakes, as their episodes close
    service_level: float | None  # contacts handled within 20 seconds, of all joined
    lost_after_complaint: int
    lost_in_silence: int


def totals_of(books: Books, plan: Plan, rates: Rates) -> Totals:
    """Return the money of a run, exact in integers."""
    money = books.accounts.sum(axis=0)
    revenue, revenue_now = column(money, Account.REVENUE)
    good, good_now = column(money, Account.MAKE_GOOD)
    cost, cost_now = column(money, Account.COST)
    weight = annuity(plan.market.discount, plan.horizon)
    paid = rates[1:4]
    wages, training, prevention = (daily(rate, plan.horizon) for rate in paid)
    wages_now, training_now, prevention_now = (daily(rate, weight) for rate in paid)
    if len(books.people):
        wages -= unpaid(books.people[People.VACANT], rates.seat)
        wages_now -= unpaid(books.people[People.VACANT_DISCOUNTED], rates.seat)
        cost += int(books.people[People.COST])
        cost_now += int(books.people[People.COST_DISCOUNTED])
    spent = good + cost + wages + training + prevention
    spent_now = good_now + cost_now + wages_now + training_now + prevention_now
    return Totals(
        revenue=revenue,
        make_good=good,
        cost=cost,
        wages=wages,
        training=training,
        prevention=prevention,
        contribution=revenue * rates.margin // PPM - spent,
        revenue_discounted=revenue_now,
        make_good_discounted=good_now,
        cost_discounted=cost_now,
        wages_discounted=wages_now,
        training_discounted=training_now,
        prevention_discounted=prevention_now,
        contribution_discounted=revenue_now * rates.margin // PPM - spent_now,
        residual=int(money[Account.RESIDUAL]),
    )


def column(money: Integers, account: Account) -> tuple[int, int]:
    """Return an account's sum and its discounted sum, which stands beside it."""
    return int(money[account]), int(money[account + 1])


def daily(rate: int, days: float) -> int:
    """Return what is paid at a rate per day over a time, half up."""
    return math.floor(rate * days + 0.5)


def annuity(discount: float, days: float) -> float:
    """Return the days that a discounted stream over `days` is worth at time 0."""
    return days if discount == 0.0 else -math.expm1(-discount * days) / discount


def bin_edge(index: int) -> float:
    """Return the upper edge of a bin of the histogram of waits [days]."""
    return float(2.0 ** (index / BINS_PER_DOUBLING)) / SECONDS


def wait_quantile(waits: Integers, share: float) -> float | None:
    """Return the wait that `share` of people do not exceed [days]: a bin's upper edge.

    0 where that many did not wait at all, or less than a second.
    """
    total = int(waits.sum())
    if not total:
        return None
    index = int(np.searchsorted(np.cumsum(waits), share * total))
    return bin_edge(index) if index else 0.0


def ratio(part: int, whole: int) -> float | None:
    """Return part/whole, or None where there is nothing to divide by."""
    return part / whole if whole else None


_FRONT = slice(Tally.FRONT_JOINED, Tally.FRONT_BUSY + 1)  # as Messages are
_BACK = slice(Tally.BACK_JOINED, Tally.BACK_BUSY + 1)
# Of the books: empty where they are not kept.
OPTIONAL = ("weekly", "people", "messages", "message_waits")


@dataclass(frozen=True, eq=False)
class Outcome:
    """One policy, one replication: all that came out."""

    scenario: str
    scenario_digest: str
    policy: str
    seed: int
    replication: int
    engine: str
    stream_version: int
    currency: str
    plan: Plan
    population: Population
    books: Books
    totals: Totals

    def __repr__(self) -> str:
        """Return what it is of, and the revenue, on one line."""
        revenue = f"{self.currency}{self.totals.revenue / MICRO:,.2f}"
        return (
            f"<Outcome of {self.scenario}, {self.policy}, replication "
            f"{self.replication}: {self.kept:,} customers kept, revenue {revenue}>"
        )

    @property
    def n_customers(self) -> int:
        """Return how many customers there were at the start."""
        return self.population.n_customers

    @property
    def horizon(self) -> float:
        """Return how long was simulated [days]."""
        return self.plan.horizon

    def tally(self, name: str | Tally) -> int:
        """Return what was counted under a name of `Tally`, in either case."""
        place = Tally[name.upper()] if isinstance(name, str) else name
        return int(self.books.tally[place])

    @property
    def lost(self) -> dict[str, int]:
        """Return the customers lost, by cause."""
        return {c.name.lower(): int(self.books.lost[c]) for c in Cause if c}

    @property
    def closed(self) -> dict[str, int]:
        """Return the episodes closed, by how."""
        return {c.name.lower(): int(self.books.closed[c]) for c in Cause if c > 1}

    @property
    def n_won(self) -> int:
        """Return how many prospects became customers."""
        return self.tally(Tally.WON)

    @property
    def kept(self) -> int:
        """Return the customers left at the horizon."""
        is_here = np.isinf(self.books.departure) & (self.books.is_won == 1)
        return int(np.count_nonzero(is_here))

    @property
    def share_voiced(self) -> float | None:
        """Return the share of mistakes that customers spoke up about."""
        return ratio(self.tally(Tally.VOICED), self.tally(Tally.MISTAKES))

    @property
    def first_contact_resolution(self) -> float | None:
        """Return the share of contacts that settle a case, being its first."""
        heard = self.tally(Tally.CONTACTS)
        return ratio(self.tally(Tally.SETTLED_AT_FIRST), heard) if heard else None

    @property
    def n_mistakes_closed(self) -> int:
        """Return how many episodes of mistakes closed."""
        return self.tally(Tally.CLOSED) - self.tally(Tally.UNANSWERED)

    @property
    def front(self) -> DeskFigures:
        """Return how the front desk did: the waits of those who call."""
        counts = self.books.tally[_FRONT].copy()
        if self.plan.policy.message_agents == FRONT_DESK and len(self.books.messages):
            counts[Messages.BUSY] += self.books.messages[Messages.BUSY]
        return self._desk(counts, self.books.front_waits, front_hours(self.plan))

    @property
    def back(self) -> DeskFigures:
        """Return how the back desk did."""
        counts = self.books.tally[_BACK]
        return self._desk(counts, self.books.back_waits, back_hours(self.plan))

    @property
    def messages(self) -> DeskFigures | None:
        """Return how those fared who write; None where nobody does.

        How busy a desk is with them is told where they have one of their own.
        """
        counts = self.books.messages
        if not len(counts):
            return None
        hours = message_hours(self.plan)
        return self._desk(counts, self.books.message_waits, hours)

    def _desk(self, counts: Integers, waits: Integers, hours: Hours) -> DeskFigures:
        joined, waited, handled, abandoned, wait_sum, busy = counts.tolist()
        over = handled + abandoned
        capacity = staffed_time(hours, self.horizon)
        return DeskFigures(
            joined,
            waited,
            handled,
            abandoned,
            wait_sum / MICROSECONDS / over if over else None,
            wait_quantile(waits, 0.5),
            wait_quantile(waits, 0.9),
            busy / MICROSECONDS / capacity if capacity else None,
        )

    def people(self) -> PeopleFigures | None:
        """Return how the agents fared; None where they are not people."""
        return people_figures(self.books, self.plan)

    def firm_view(self) -> FirmView:
        """Return the firm's dashboard beside the truth."""
        episodes = self.n_mistakes_closed
        recorded = self.tally(Tally.SETTLED) + self.tally(Tally.LIES)
        surveyed = self.tally(Tally.SURVEYED)
        asked = self.tally(Tally.SURVEY_SUM) / SATISFACTION_SCALE
        true = self.tally(Tally.CLOSED_SUM) / SATISFACTION_SCALE
        lost = self.lost
        in_silence = lost["silent"] + lost["gave_up"] + lost["abandoned"]
        return FirmView(
            self.tally(Tally.VOICED),
            self.tally(Tally.MISTAKES) + self.tally(Tally.UNANSWERED),
            ratio(recorded, self.tally(Tally.CONTACTS)),
            ratio(self.tally(Tally.SETTLED), episodes),
            asked / surveyed if surveyed else None,
            true / episodes if episodes else None,
            ratio(self.tally(Tally.WITHIN_TARGET), self.tally(Tally.FRONT_JOINED)),
            sum(lost.values()) - in_silence - lost["natural"],
            in_silence,
        )

    def customers(self) -> pa.Table:
        """Return one row a customer: when and why they left, and their account."""
        books = self.books
        n = len(books.departure)
        columns = {
            "customer": np.arange(n),
            "arrival": self.population.arrival,
            "is_prospect": np.arange(n) >= self.n_customers,
            "is_won": books.is_won == 1,
            "departure": pa.array(books.departure, mask=np.isinf(books.departure)),
            "cause": pa.array([Cause(c).name.lower() for c in books.cause]),
        }
        accounts = {a.name.lower(): books.accounts[:, a] for a in Account}
        return pa.table({**columns, **accounts})

    def monthly(self) -> pa.Table:
        """Return one row a month: customers at its end, backlog, revenue, lost."""
        series = self.books.monthly.copy()
        for level in (Monthly.ACTIVE, Monthly.BACKLOG):
            series[:, level] = np.cumsum(series[:, level])
        columns = {m.name.lower(): series[:, m] for m in Monthly}
        return pa.table({"month": np.arange(1, len(series) + 1), **columns})

    def hours(self) -> pa.Table:
        """Return one row for each hour of the week; none where no desk has shifts.

        `staffed` is the mean number of agents on duty; all else is of the customers
        who turned up, or joined the line, in that hour, over all weeks. `busy` is the
        mean number of agents that their handling takes.
        """
        return hours_table(self.books, self.plan)

    def events(self) -> pa.Table:
        """Return the event log in order of (time, customer); empty if none was kept."""
        books = self.books
        order = np.lexsort((books.log_codes[:, 0], books.log_times))
        codes = books.log_codes[order]
        return pa.table(
            {
                "time": books.log_times[order],
                "customer": codes[:, 0],
                "event": pa.array([Event(e).name.lower() for e in codes[:, 1]]),
                "episode": codes[:, 2],
                "grievance": books.log_values[order],
            }
        )

    def to_arrow(self) -> pa.Table:
        """Return one row a customer, as `customers` does."""
        return self.customers()

    def digest(self) -> str:
        """Return the SHA-256 of every number in the books but the event log's."""
        digest = hashlib.sha256()
        for name, values in self.books._asdict().items():
            is_kept = name not in OPTIONAL or values.size > 0
            if is_kept and not name.startswith("log_"):
                digest.update(f"{name}{values.shape}".encode())
                digest.update(np.ascontiguousarray(values).tobytes())
        digest.update(repr(tuple(self.totals)).encode())
        return digest.hexdigest()
