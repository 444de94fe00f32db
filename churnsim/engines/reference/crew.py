"""The front desk where its agents are people: a SimPy store of those who are idle.

The store hands out the agent who has been idle longest. One who quits leaves the seat
vacant; a process of its own waits for the next agent, as the customer would who was the
last: at that moment, and with that number.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field

import simpy
from simpy.resources.store import StoreGet

from churnsim.engines.reference.clock import NOBODY, Clock
from churnsim.mechanisms.hours import (
    Hours,
    change_moment,
    next_change,
    staffed_from,
)
from churnsim.mechanisms.leaving import FOREVER
from churnsim.mechanisms.strain import EXPERIENCED


@dataclass(order=True)
class Agent:
    """An agent, in the order in which idle ones take the next customer."""

    idle_since: float  # [days]
    served: int  # whose contact ended then, or NOBODY
    seat: int  # from 0; seats come on duty in this order
    handled: int = field(default=EXPERIENCED, compare=False)  # contacts so far
    hiring: int = field(default=0, compare=False)  # how many had the seat before


class Crew:
    """The agents of the front desk, before one FIFO line."""

    def __init__(self, clock: Clock, hours: Hours) -> None:
        """Open the desk with idle agents, all experienced."""
        self.clock, self.hours = clock, hours
        self.n_on_duty = 0
        self.at_home = [Agent(-FOREVER, NOBODY, seat) for seat in range(hours.n_seats)]
        self.idle = simpy.PriorityStore(clock)
        if len(hours.roster):
            clock.process(self.keep_hours())
        else:
            self.staff(hours.n_seats)

    @property
    def is_free(self) -> bool:
        """Return whether whoever comes now need not wait."""
        return len(self.idle.items) > 0

    def join(self) -> StoreGet:
        """Return the request of a customer who joins the line: for an idle agent."""
        return self.idle.get()

    def come_free(self, agent: Agent, customer: int) -> None:
        """Let an agent be idle from now on, or go home if the shift is over."""
        agent.idle_since, agent.served = self.clock.now, customer
        if agent.seat < self.n_on_duty:
            self.idle.put(agent)
        else:
            self.at_home.append(agent)

    def leave_vacant(self, agent: Agent, customer: int, until: float) -> None:
        """Let an agent quit, whose seat is filled with a new one at a moment."""
        new = Agent(until, customer, agent.seat, 0, agent.hiring + 1)
        if until > self.clock.now:
            self.clock.process(self.hire(new, customer, until))
        else:
            self.come_free(new, customer)

    def hire(
        self, agent: Agent, customer: int, at: float
    ) -> Generator[simpy.Event, None, None]:
        """Wait for a new agent: a process of its own."""
        yield self.clock.moment(customer, at)
        self.come_free(agent, customer)

    def keep_hours(self) -> Generator[simpy.Event, None, None]:
        """Change the staffing when the roster says so: a process of its own."""
        _, roster, into_week = self.hours
        number = next_change(roster, into_week, self.clock.now)
        while True:
            self.staff(staffed_from(roster, number - 1))
            yield self.clock.moment(NOBODY, change_moment(roster, into_week, number))
            number += 1

    def staff(self, n_agents: int) -> None:
        """Put as many seats on duty; those in a contact finish it first."""
        self.n_on_duty = n_agents
        idle: list[Agent] = self.idle.items
        self.at_home += [agent for agent in idle if agent.seat >= n_agents]
        idle[:] = sorted(agent for agent in idle if agent.seat < n_agents)
        coming = [agent for agent in self.at_home if agent.seat < n_agents]
        self.at_home = [agent for agent in self.at_home if agent.seat >= n_agents]
        for agent in sorted(coming, key=lambda agent: agent.seat):
            if self.clock.now > 0.0:
                agent.idle_since, agent.served = self.clock.now, NOBODY
            self.idle.put(agent)
