"""A customer of the reference engine: traits, goodwill, clocks, what changes them."""

from __future__ import annotations

from dataclasses import dataclass

import simpy

from churnsim.engines.books import (
    SATISFACTION_SCALE,
    Account,
    Event,
    Monthly,
    Tally,
    Weekly,
)
from churnsim.engines.entries import (
    book_event,
    book_hour,
    book_purchase,
    book_stream,
    month_of,
)
from churnsim.engines.reference.firm import Firm
from churnsim.mechanisms.clocks import (
    FORGETTING,
    Budgets,
    Change,
    Clocks,
    after_occasion,
    budget,
    contact_strikes_at,
    first_clocks,
    next_happening,
    repaced,
    strike_at,
)
from churnsim.mechanisms.episode import satisfaction, writes
from churnsim.mechanisms.goodwill import bond
from churnsim.mechanisms.leaving import (
    FOREVER,
    drift_factor,
    leave_probability,
    n_renewals,
    renewal_moment,
)
from churnsim.mechanisms.profile import turns_up_at
from churnsim.mechanisms.value import (
    Pace,
    contact_rate,
    pace_of,
    residual_value,
    spend_factor,
)
from churnsim.mechanisms.word_of_mouth import news_period_of
from churnsim.primitives import round_half_up
from churnsim.records import Cause, Goodwill, Kind, Relationship, Traits
from churnsim.streams import ORDINARY, Purpose
from churnsim.variates import quantile


@dataclass
class Case:
    """One episode, or one ordinary contact: what it is about and how far it got."""

    word: int  # the address of its draws
    opened_at: float = 0.0
    kind: Kind | None = None  # None: an ordinary contact
    sting: float = 0.0
    stake: float = 0.0
    stretch: float = 1.0
    attempt: int = 0
    n_heard: int = 0
    is_double: bool = False
    is_at_fault: bool = False
    is_called: bool = False  # the firm calls: no front door, endless patience
    writes: bool = False  # to the firm, instead of calling it
    warmth: float = 1.0  # of the agent who handled it last [-]

    @property
    def is_ordinary(self) -> bool:
        """Return whether this is an ordinary contact."""
        return self.kind is None

    @property
    def is_by_message(self) -> bool:
        """Return whether the present contact is by message, not by phone."""
        return self.writes and not self.is_called


class Customer:
    """One customer's state, and the steps that change it at one instant."""

    def __init__(self, firm: Firm, number: int) -> None:
        """Take a customer's traits from the population."""
        people = firm.people
        self.firm = firm
        self.number = number
        self.traits = Traits(
            float(people.rate[number]),
            float(people.dropout[number]),
            float(people.value[number]),
            float(people.renewal[number]),
        )
        self.goodwill = Goodwill(0.0, float(people.trust[number]))
        self.spend = spend_factor(firm.plan.market, 0.0, False)
        self.drift = 1.0
        self.since = 0.0
        self.is_open = False
        self.is_here = False
        self.forget_at = FOREVER
        self.remembers = False
        self.n_mistakes = 0
        self.n_contacts = 0
        self.leaving: tuple[float, Cause] | None = None  # when and why, once decided
        self.clocks: Clocks

    def moment(self, at: float) -> simpy.Event:
        """Return an event for this customer at a given time."""
        return self.firm.clock.moment(self.number, at)

    def turns_up(self, delay: float) -> simpy.Event:
        """Return the event of turning up after a delay, as the hours go (7.4)."""
        profile, now = self.firm.plan.market.profile, self.firm.now
        return self.moment(turns_up_at(profile, now, delay))

    def draw(self, case: Case, purpose: Purpose) -> tuple[float, float]:
        """Return the two uniforms for a purpose that is drawn once an episode."""
        return self.firm.draw(self.number, case.word, purpose)

    def draw_again(self, case: Case, purpose: int) -> tuple[float, float]:
        """Return the two uniforms for a purpose that is drawn in each attempt."""
        return self.firm.draw(self.number, case.word, purpose, case.attempt)

    def chooses_to_write(self, case: Case, message_share: float) -> bool:
        """Return whether the customer writes, in this episode or contact (7.4)."""
        firm = self.firm
        return writes(firm.key, self.number, firm.replication, case.word, message_share)

    def note(self, event: Event, word: int = 0, at: float | None = None) -> None:
        """Enter a moment in the event log."""
        when = self.firm.now if at is None else at
        grievance = self.goodwill.grievance
        book_event(self.firm.books, when, self.number, event, word, grievance)

    def count(self, *tallies: Tally) -> None:
        """Count something once."""
        for tally in tallies:
            self.firm.books.tally[tally] += 1

    def count_hour(self, column: Weekly, at: float, much: int = 1) -> None:
        """Count something under the hour of the week of a moment."""
        book_hour(self.firm.books, self.firm.plan, at, column, much)

    def month(self, at: float) -> int:
        """Return the row of the monthly series for a time."""
        return month_of(self.firm.books.monthly, self.firm.plan.month, at)

    def bond(self) -> float:
        """Return the strength of the relationship with the firm now [-]."""
        begun = float(self.firm.people.begun[self.number])
        return bond(self.firm.plan.market, self.firm.now - begun)

    def pace(self, spend: float, drift: float, is_open: bool) -> Pace:
        """Return how fast the clocks run and the money comes in."""
        market = self.firm.plan.market
        return pace_of(market, self.firm.failing, self.traits, spend, drift, is_open)

    def current_pace(self) -> Pace:
        """Return the pace that holds now."""
        return self.pace(self.spend, self.drift, self.is_open)

    def arrive(self) -> None:
        """Begin the life of a customer with fresh clocks."""
        firm, now = self.firm, self.firm.now
        self.is_here = True
        self.since = now
        people, number = firm.people, self.number
        budgets = Budgets(
            float(people.mistake[number]),
            float(people.budget[number]),
            float(people.contact[number]),
        )
        pace = self.current_pace()
        self.clocks = first_clocks(firm.plan.market, self.traits, pace, now, budgets)
        firm.books.is_won[self.number] = 1
        firm.books.monthly[self.month(now), Monthly.ACTIVE] += 1
        self.note(Event.ARRIVED)

    def feel(self, goodwill: Goodwill, at: float | None = None) -> None:
        """Take on new goodwill, and the pace that goes with it."""
        self.change(goodwill, self.is_open, self.firm.now if at is None else at)

    def change(self, goodwill: Goodwill, is_open: bool, now: float) -> None:
        """Take on new goodwill, open or close the episode, and change the pace.

        One whose ordinary dropout came due while the episode is open keeps the pace of
        that moment: the close looks back to it.
        """
        self.goodwill = goodwill
        if self.is_open and self.clocks.dropout_at <= now:
            return
        market = self.firm.plan.market
        spend = spend_factor(market, goodwill.grievance, is_open)
        drift = drift_factor(market, goodwill.grievance)
        if (spend, drift, is_open) == (self.spend, self.drift, self.is_open):
            return
        old, new = self.current_pace(), self.pace(spend, drift, is_open)
        self.earn(old.revenue, now)
        change = Change(old, new, self.since, now)
        self.clocks = repaced(market, self.traits, self.clocks, change)
        self.spend, self.drift, self.is_open = spend, drift, is_open
        self.since = now

    def earn(self, rate: float, until: float) -> None:
        """Enter the revenue since the last change of pace."""
        firm = self.firm
        book_stream(firm.books, firm.plan, self.number, rate, self.since, until)

    def buy(self, at: float) -> None:
        """Enter one purchase, where customers purchase."""
        firm = self.firm
        if firm.plan.market.relationship == Relationship.PURCHASE:
            value = self.traits.value
            book_purchase(firm.books, firm.plan, self.number, value, at)

    def drop_out(self, at: float) -> None:
        """Go with nothing wrong: after a last purchase, or at a renewal."""
        self.buy(at)
        self.depart(at, Cause.NATURAL)

    def depart(self, at: float, cause: Cause) -> None:
        """Go for good."""
        books = self.firm.books
        self.earn(self.current_pace().revenue, at)
        books.departure[self.number] = at
        books.cause[self.number] = cause
        books.lost[cause] += 1
        books.monthly[self.month(at), Monthly.ACTIVE] -= 1
        books.monthly[self.month(at), Monthly.LOST] += 1
        self.note(Event.LEFT, cause, at)
        self.is_here = False

    def forget(self, at: float) -> None:
        """Forget the last grievance, at its own time."""
        self.remembers = False
        self.forget_at = FOREVER
        self.feel(Goodwill(0.0, self.goodwill.trust), at)
        self.count(Tally.FORGOTTEN)
        self.note(Event.FORGOT, at=at)

    def next_happening(self) -> tuple[int, float]:
        """Return what comes next to a customer in no episode, and when."""
        return next_happening(self.clocks, self.forget_at, self.firm.now)

    def catch_up(self, until: float, including: bool) -> None:
        """Let dropout and forgetting that came due meanwhile take effect."""
        while self.is_here:
            what, at = next_happening(self.clocks, self.forget_at, until)
            is_due = at <= until if including else at < until
            if not is_due or what > FORGETTING:
                return
            if what == FORGETTING:
                self.forget(at)
            else:
                self.drop_out(at)

    def close(self, case: Case, cause: Cause) -> None:
        """Close the episode: ordinary dropout first, else the decision (7.9, 5.2)."""
        books, now = self.firm.books, self.firm.now
        books.closed[cause] += 1
        self.count(Tally.CLOSED)
        if not case.is_ordinary:
            content = satisfaction(self.goodwill.grievance) * SATISFACTION_SCALE
            books.tally[Tally.CLOSED_SUM] += round_half_up(content)
        books.accounts[self.number, Account.EPISODES] += 1
        self.note(Event.CLOSED, cause)
        if self.is_open:
            books.monthly[self.month(now), Monthly.BACKLOG] -= 1
        if self.clocks.dropout_at <= now:
            self.drop_out(self.clocks.dropout_at)
        elif self.would_leave(case):
            self.leave(cause)
        else:
            self.stay(case)

    def would_leave(self, case: Case) -> bool:
        """Return the decision: does the probability exceed the tolerance? (5.2)."""
        tolerance, _ = self.draw(case, Purpose.TOLERANCE)
        return leave_probability(self.firm.plan.market, self.goodwill) > tolerance

    def leave(self, cause: Cause) -> None:
        """Leave by decision: at once, or at the next renewal (5.3)."""
        market, books, now = self.firm.plan.market, self.firm.books, self.firm.now
        books.tellings[news_period_of(market, now)] += market.told_bad
        is_bound = market.relationship == Relationship.SUBSCRIPTION
        if not (is_bound and market.exit_at_renewal):
            self.depart(now, cause)
            return
        self.change(self.goodwill, False, now)
        first, period = self.traits.renewal, market.period
        at = renewal_moment(first, period, n_renewals(first, period, now))
        book_event(books, now, self.number, Event.LEAVING, cause, at)
        self.leaving = (at, cause)

    def stay(self, case: Case) -> None:
        """Stay: tell of delight, and remember until it is forgotten.

        The purchase that went wrong may still be the last, as any other (4.2).
        """
        market, books, now = self.firm.plan.market, self.firm.books, self.firm.now
        if self.goodwill.grievance < 0.0:
            books.tellings[news_period_of(market, now)] -= market.told_good
        _, u = self.draw(case, Purpose.GAP)
        self.forget_at = now + quantile(market.memory, u)
        self.remembers = True
        self.change(self.goodwill, False, now)
        if case.is_ordinary:
            return
        self.clocks = after_occasion(
            market, self.traits, self.clocks, self.current_pace(), self.drift, now
        )
        if self.clocks.dropout_at <= now:
            self.depart(now, Cause.NATURAL)

    def new_mistake_clock(self) -> None:
        """Give the clock of mistakes the budget of the next episode."""
        left = budget(self.firm.draw(self.number, self.n_mistakes, Purpose.GAP)[0])
        rate = self.pace(self.spend, self.drift, False).mistakes
        self.clocks = self.clocks._replace(
            mistake_at=strike_at(self.firm.now, left, rate), mistake_left=left
        )

    def new_contact_clock(self) -> None:
        """Give the clock of ordinary contacts the budget of the next one."""
        self.n_contacts += 1
        word = ORDINARY | self.n_contacts
        left = budget(self.firm.draw(self.number, word, Purpose.GAP)[0])
        market, now = self.firm.plan.market, self.firm.now
        rate = contact_rate(market, self.traits.rate, self.spend)
        at = contact_strikes_at(market.profile, now, left, rate)
        self.clocks = self.clocks._replace(contact_at=at, contact_left=left)

    def finish(self) -> None:
        """Bring the books up to the horizon."""
        end = self.firm.plan.horizon
        if self.is_here and self.leaving is None:
            self.drop_out_before(end)
        if self.is_here:
            self.earn(self.current_pace().revenue, end)
        if self.is_here and self.leaving is None:
            self.value_the_rest(end)

    def drop_out_before(self, end: float) -> None:
        """Let ordinary dropout take effect that came due but was not seen yet."""
        books, at = self.firm.books, self.clocks.dropout_at
        if not self.is_open:
            self.catch_up(end, including=False)
        elif at < end:
            books.monthly[self.month(at), Monthly.BACKLOG] -= 1
            self.drop_out(at)

    def value_the_rest(self, end: float) -> None:
        """Enter what the customer is still worth at the horizon."""
        market = self.firm.plan.market
        to_renewal = 0.0
        if market.relationship == Relationship.SUBSCRIPTION:
            first, period = self.traits.renewal, market.period
            index = n_renewals(first, period, end)
            to_renewal = renewal_moment(first, period, index) - end
        worth = residual_value(market, self.traits, to_renewal)
        self.firm.books.accounts[self.number, Account.RESIDUAL] = worth
