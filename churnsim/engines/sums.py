"""What is counted of a run, or of a firm of many sites: sums, and what they tell.

Everything is an integer, so that the sums of sites add up to those of their firm
exactly, in any order. Shares, means and waits are told of the sums, never averaged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from churnsim.engines.books import (
    BINS_PER_DOUBLING,
    MICROSECONDS,
    SATISFACTION_SCALE,
    Books,
    Messages,
    Monthly,
    Tally,
    Weekly,
)
from churnsim.engines.people import PeopleFigures, people_figures
from churnsim.errors import Problem, ResourceError
from churnsim.mechanisms.hours import (
    Hours,
    back_hours,
    front_hours,
    message_hours,
    staffed_time,
)
from churnsim.records import FRONT_DESK, Cause, Integers, Plan, Population, WhenClosed

SECONDS = 86_400.0  # in a day
SUM_MAX = 2.0**62
CAUSES = tuple(cause.name.lower() for cause in Cause if cause)
# Of the books: what is kept of each customer, and the log.
OF_CUSTOMERS = (
    *("accounts", "departure", "cause", "is_won"),
    *("log_times", "log_values", "log_codes"),
)


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


@dataclass(frozen=True, eq=False)
class Sums:
    """What one run comes to, or the runs of all sites of a firm together."""

    plan: Plan  # of each site
    n_sites: int
    n_customers: int  # at the start
    n_people: int  # customers and prospects
    totals: Totals
    books: Books  # without what is kept of each customer, and without a log

    @property
    def kept(self) -> int:
        """Return the customers left at the horizon."""
        return int(self.books.monthly[:, Monthly.ACTIVE].sum())

    @property
    def survivors(self) -> Integers:
        """Return the starting customers still there at each month's end."""
        return self.n_customers - np.cumsum(self.books.left[:-1])

    def tally(self, name: str | Tally) -> int:
        """Return what was counted under a name of `Tally`, in either case."""
        place = Tally[name.upper()] if isinstance(name, str) else name
        return int(self.books.tally[place])

    @property
    def lost(self) -> dict[str, int]:
        """Return the customers lost, by cause."""
        return dict(zip(CAUSES, self.books.lost.tolist()[1:], strict=True))

    @property
    def closed(self) -> dict[str, int]:
        """Return the episodes closed, by how."""
        return {c.name.lower(): int(self.books.closed[c]) for c in Cause if c > 1}

    @property
    def n_won(self) -> int:
        """Return how many prospects became customers."""
        return self.tally(Tally.WON)

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
    def n_at_the_door(self) -> int:
        """Return how often anybody came to the front door, or was called by the firm.

        Whoever finds it closed and comes again as it opens has come twice; whoever
        writes does not come to it (7.4).
        """
        came = (Tally.ATTEMPTS, Tally.ORDINARY_CONTACTS, Tally.NOTICED)
        n = sum(self.tally(tally) for tally in came)
        if self.messages:
            n -= self.messages.joined
        if self.plan.market.when_closed == WhenClosed.RETURN:
            n += int(self.books.weekly[:, Weekly.TURNED_AWAY].sum())
        return n

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
        capacity = self.n_sites * staffed_time(hours, self.plan.horizon)
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
        return people_figures(self.books, self.plan, self.n_sites)

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


def sums_of(books: Books, plan: Plan, people: Population, totals: Totals) -> Sums:
    """Return the sums of one run."""
    none = {name: getattr(books, name)[:0] for name in OF_CUSTOMERS}
    return Sums(
        plan=plan,
        n_sites=1,
        n_customers=people.n_customers,
        n_people=len(people.arrival),
        totals=totals,
        books=books._replace(**none),
    )


def sum_of(parts: Sequence[Sums]) -> Sums:
    """Return the sums of runs under one plan, added.

    Args:
        parts: At least one.

    Raises:
        ResourceError: A sum has more than 62 bits.
    """
    if len(parts) == 1:
        return parts[0]
    totals = zip(*(part.totals for part in parts), strict=True)
    books: dict[str, Any] = {
        name: _added([getattr(part.books, name) for part in parts])
        for name in Books._fields
        if name not in OF_CUSTOMERS
    }
    return Sums(
        plan=parts[0].plan,
        n_sites=sum(part.n_sites for part in parts),
        n_customers=sum(part.n_customers for part in parts),
        n_people=sum(part.n_people for part in parts),
        totals=Totals(*map(sum, totals)),
        books=parts[0].books._replace(**books),
    )


def _added(arrays: Sequence[Integers]) -> Integers:
    """Return the sum of arrays of one shape, never wrapped around."""
    total, roughly = arrays[0].copy(), arrays[0].astype(np.float64)
    for array in arrays[1:]:
        total += array
        roughly += array
    if (np.abs(roughly) > SUM_MAX).any():
        rule = "must be few enough for what is counted to fit into 62 bits"
        raise ResourceError(Problem(rule, field="sites", hint="take fewer sites"))
    return total
