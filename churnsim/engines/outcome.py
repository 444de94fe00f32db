"""What came out of one run: the books, closed and read."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from churnsim.engines.books import Account, Books, Event, Monthly, People, Tally
from churnsim.engines.people import PeopleFigures, unpaid
from churnsim.engines.sums import DeskFigures, FirmView, Sums, Totals, sums_of
from churnsim.engines.week import hours_table
from churnsim.parts import add_to
from churnsim.records import MICRO, Cause, Elsewhere, Integers, Plan, Population

PPM = 1_000_000


class Rates(NamedTuple):
    """What a firm pays per day, and the margin it keeps."""

    margin: int  # [parts per million of revenue]
    wages: int  # [micro-units per day]
    training: int  # [micro-units per day]
    prevention: int  # [micro-units per day]
    seat: int = 0  # an agent's seat, not paid while it is vacant [micro-units per day]


def totals_of(books: Books, plan: Plan, rates: Rates) -> Totals:
    """Return the money of a run, exact in integers."""
    money = books.balance
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


# Of the books: empty where they are not kept.
OPTIONAL = ("weekly", "people", "messages", "message_waits")
SUMMED = ("balance", "left")  # of the books: they follow from the rest


@dataclass(frozen=True, eq=False)
class Outcome:
    """One policy, one replication, one site: all that came out."""

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
    site: int = 0
    elsewhere: Elsewhere | None = None  # what the other sites told

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

    @cached_property
    def sums(self) -> Sums:
        """Return what is counted of it, without the customers."""
        return sums_of(self.books, self.plan, self.population, self.totals)

    def tally(self, name: str | Tally) -> int:
        """Return what was counted under a name of `Tally`, in either case."""
        return self.sums.tally(name)

    @property
    def lost(self) -> dict[str, int]:
        """Return the customers lost, by cause."""
        return self.sums.lost

    @property
    def closed(self) -> dict[str, int]:
        """Return the episodes closed, by how."""
        return self.sums.closed

    @property
    def n_won(self) -> int:
        """Return how many prospects became customers."""
        return self.sums.n_won

    @property
    def kept(self) -> int:
        """Return the customers left at the horizon."""
        return self.sums.kept

    @property
    def share_voiced(self) -> float | None:
        """Return the share of mistakes that customers spoke up about."""
        return self.sums.share_voiced

    @property
    def first_contact_resolution(self) -> float | None:
        """Return the share of contacts that settle a case, being its first."""
        return self.sums.first_contact_resolution

    @property
    def n_mistakes_closed(self) -> int:
        """Return how many episodes of mistakes closed."""
        return self.sums.n_mistakes_closed

    @property
    def front(self) -> DeskFigures:
        """Return how the front desk did: the waits of those who call."""
        return self.sums.front

    @property
    def back(self) -> DeskFigures:
        """Return how the back desk did."""
        return self.sums.back

    @property
    def messages(self) -> DeskFigures | None:
        """Return how those fared who write; None where nobody does."""
        return self.sums.messages

    def people(self) -> PeopleFigures | None:
        """Return how the agents fared; None where they are not people."""
        return self.sums.people()

    def firm_view(self) -> FirmView:
        """Return the firm's dashboard beside the truth."""
        return self.sums.firm_view()

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
        """Return the SHA-256 of the books but for the log, and sums over customers."""
        digest = hashlib.sha256()
        for name, values in self.books._asdict().items():
            is_kept = name not in OPTIONAL or values.size > 0
            if is_kept and name not in SUMMED and not name.startswith("log_"):
                digest.update(f"{name}{values.shape}".encode())
                add_to(digest, values)
        digest.update(repr(tuple(self.totals)).encode())
        return digest.hexdigest()
