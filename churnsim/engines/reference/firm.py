"""The firm as SimPy sees it: a clock, two desks, and the books."""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import simpy
from simpy.resources.resource import PriorityRequest

from churnsim.engines.books import Books
from churnsim.engines.reference.clock import NOBODY, Clock
from churnsim.engines.reference.crew import Crew
from churnsim.mechanisms.hours import (
    Hours,
    back_hours,
    change_moment,
    front_hours,
    is_closed,
    message_hours,
    next_change,
    staffed_from,
)
from churnsim.mechanisms.value import failure_probability
from churnsim.mechanisms.word_of_mouth import (
    news_decay,
    news_period_of,
    reputation_after,
)
from churnsim.records import Elsewhere, Plan, Population
from churnsim.streams import Key, uniforms

FIRST = -1  # priority of a seat that is taken out, before all customers in line
ATTEMPT_STEP = 256  # of a block number


class Desk:
    """Identical servers before one FIFO line, as many as the hour of the week tells.

    The seats of those who are off duty are taken: by requests that go before all
    customers, so that a server in a contact finishes it first.
    """

    def __init__(self, clock: Clock, hours: Hours) -> None:
        """Open a desk; one without servers has a single one who is always away."""
        self.clock, self.hours = clock, hours
        self.off_duty: list[PriorityRequest] = []
        self.resource = simpy.PriorityResource(clock, max(1, hours.n_seats))
        if hours.n_seats == 0:
            self.resource.request()
        if len(hours.roster):
            clock.process(self.keep_hours())

    @property
    def is_free(self) -> bool:
        """Return whether whoever comes now need not wait."""
        return self.resource.count < self.resource.capacity

    def join(self) -> PriorityRequest:
        """Return the request of a customer who joins the line."""
        return self.resource.request()

    def keep_hours(self) -> Generator[simpy.Event, None, None]:
        """Change the staffing when the roster says so: a process of its own."""
        _, roster, into_week = self.hours
        number = next_change(roster, into_week, self.clock.now)
        while True:
            self.staff(staffed_from(roster, number - 1))
            at = change_moment(roster, into_week, number)
            yield self.clock.moment(NOBODY, at)
            number += 1

    def staff(self, n_servers: int) -> None:
        """Put as many servers on duty; one who has to go finishes a contact first."""
        n_off = self.resource.capacity - n_servers
        while len(self.off_duty) < n_off:
            self.off_duty.append(self.resource.request(priority=FIRST))
        while len(self.off_duty) > n_off:
            seat = self.off_duty.pop()
            if seat.triggered:
                self.resource.release(seat)
            else:
                seat.cancel()


@dataclass
class Firm:
    """One run: the plan, the people, the clock, the desks, the books and the news."""

    plan: Plan
    people: Population
    key: Key
    replication: int
    books: Books
    elsewhere: Elsewhere
    clock: Clock = field(default_factory=Clock)
    reputation: float = 0.0
    news_period: int = 0

    def __post_init__(self) -> None:
        """Open the desks."""
        hours = front_hours(self.plan)
        has_people = self.plan.strain.is_on and hours.n_seats > 0
        self.front = (Crew if has_people else Desk)(self.clock, hours)
        self.back = Desk(self.clock, back_hours(self.plan))
        is_apart = self.plan.policy.message_agents >= 0
        hours = message_hours(self.plan)
        self.messages = Desk(self.clock, hours) if is_apart else self.front
        self.failing = failure_probability(self.plan.market, self.plan.policy)

    @property
    def now(self) -> float:
        """Return the present time [days]."""
        return float(self.clock.now)

    def is_closed(self) -> bool:
        """Return whether nobody is at the front desk now."""
        return is_closed(self.plan.policy.front_roster, self.plan.into_week, self.now)

    def draw(
        self, customer: int, word: int, purpose: int, attempt: int = 0
    ) -> tuple[float, float]:
        """Return the two uniforms for a purpose in an attempt of an episode."""
        block = purpose + ATTEMPT_STEP * attempt
        return uniforms(self.key, customer, self.replication, word, block)

    def news(self) -> float:
        """Return the firm's bad reputation in the present news period (7.10)."""
        market = self.plan.market
        decay = news_decay(market)
        while self.news_period < news_period_of(market, self.now):
            told = int(self.books.tellings[self.news_period])
            told += int(self.elsewhere.tellings[self.news_period])
            listeners = self.people.n_customers + self.elsewhere.n_customers
            self.reputation = reputation_after(self.reputation, decay, told, listeners)
            self.news_period += 1
        return self.reputation

    def wait_for(
        self, desk: Desk | Crew, customer: int, patience_ends_at: float
    ) -> Any:
        """Wait in line; return the granted request, or None if patience ended first.

        This is a process step: use it with `yield from`.
        """
        request = desk.join()
        if math.isinf(patience_ends_at):
            yield request
        else:
            yield request | self.clock.moment(customer, patience_ends_at)
        if request.triggered:
            return request
        request.cancel()
        return None
