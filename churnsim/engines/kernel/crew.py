"""The front desk of the kernel where its agents are people: seats, one by one.

As at other desks (`desks`), what each agent will be doing is known up to when the
contacts end of all who joined, so a contact is settled as it is joined. But agents
differ, and the longest idle takes the next customer: seats are kept in a heap by (free
since or from, whose contact ended then, number). A vacancy is a longer occupation of
the seat, by the contact after which its agent quit.

Seats come on duty in the order of their numbers, and go in the reverse order, those
who are in a contact after it. Changes of staffing are rare, so the heap is made again
at each.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from churnsim.engines.kernel.desks import NOBODY
from churnsim.jit import mechanism
from churnsim.mechanisms.hours import (
    change_moment,
    front_hours,
    next_change,
    staffed_from,
)
from churnsim.mechanisms.leaving import FOREVER
from churnsim.mechanisms.strain import EXPERIENCED
from churnsim.records import Floats, Plan

ON_DUTY = 0  # of `meta`: seats in the heap
NEXT_CHANGE = 1  # of `meta`: its number


class Crew(NamedTuple):
    """The agents of the front desk; no seats where they are not people."""

    free_at: Floats  # (s,) of each seat, the end of its last work [days]
    served: NDArray[np.int32]  # (s,) whose contact that was, or NOBODY
    handled: NDArray[np.int64]  # (s,) contacts of the agent who has the seat
    hirings: NDArray[np.int32]  # (s,) how many have had the seat before
    heap: NDArray[np.int32]  # (s,) seats on duty, the longest idle first
    meta: NDArray[np.int64]  # (2,)
    change_at: Floats  # (1,) the next change of staffing [days]; inf: none
    warmth: Floats  # (n,) of each customer's agent, in the contact under way; or (0,)


def make_crew(plan: Plan, n_customers: int) -> Crew:
    """Return idle agents, all experienced; none where they are not people."""
    _, roster, into_week = hours = front_hours(plan)
    n = hours.n_seats if plan.strain.is_on else 0
    on_duty, number, change_at = n, 0, math.inf
    if len(roster) and n:
        number = next_change(roster, into_week, 0.0)
        change_at = change_moment(roster, into_week, number)
        on_duty = staffed_from(roster, number - 1)
    return Crew(
        np.full(n, -math.inf),
        np.full(n, NOBODY, np.int32),
        np.full(n, EXPERIENCED, np.int64),
        np.zeros(n, np.int32),
        np.arange(n, dtype=np.int32),
        np.array([on_duty, number], np.int64),
        np.array([change_at]),
        np.zeros(n_customers if plan.strain.is_on else 0),
    )


@mechanism
def are_people(crew: Crew) -> bool:
    """Return whether the agents of the front desk are people."""
    return bool(crew.free_at.shape[0] > 0)


@mechanism
def next_agent_handled(crew: Crew) -> int:
    """Return how many contacts the agent who is next has handled."""
    return int(crew.handled[crew.heap[0]])


@mechanism
def next_free_at(crew: Crew) -> float:
    """Return from when on an agent is free [days]; inf while nobody is on duty."""
    if crew.meta[ON_DUTY] == 0:
        return FOREVER
    return float(crew.free_at[crew.heap[0]])


@mechanism
def has_agent_free(crew: Crew, customer: int, moment: float) -> bool:
    """Return whether an agent is free for a customer who is next, at a moment."""
    at = next_free_at(crew)
    if at == moment:
        return at < FOREVER and crew.served[crew.heap[0]] <= customer
    return at < moment


@mechanism
def comes_before(crew: Crew, one: int, other: int) -> bool:
    """Return whether a seat takes a customer before another one does."""
    a, b = crew.free_at[one], crew.free_at[other]
    if a != b:
        return bool(a < b)
    first, second = crew.served[one], crew.served[other]
    if first != second:
        return bool(first < second)
    return one < other


@mechanism
def sift_down(crew: Crew, place: int) -> None:
    """Move the seat at a place of the heap down to where it belongs."""
    heap, size = crew.heap, crew.meta[ON_DUTY]
    seat = heap[place]
    while True:
        child = 2 * place + 1
        if child >= size:
            break
        if child + 1 < size and comes_before(crew, heap[child + 1], heap[child]):
            child += 1
        if comes_before(crew, seat, heap[child]):
            break
        heap[place] = heap[child]
        place = child
    heap[place] = seat


@mechanism
def occupy_seat(crew: Crew, customer: int, until: float) -> None:
    """Occupy the seat of the agent who is next, by a customer's contact."""
    seat = crew.heap[0]
    crew.free_at[seat], crew.served[seat] = until, customer
    sift_down(crew, 0)


@mechanism
def restaff_crew(crew: Crew, plan: Plan, now: float) -> None:
    """Make the changes of staffing up to `now`, or up to the first agent free."""
    at = crew.change_at[0]
    while at < plan.horizon and (at <= now or at <= next_free_at(crew)):
        roster = plan.policy.front_roster
        number = crew.meta[NEXT_CHANGE]
        staff_crew(crew, staffed_from(roster, number), at)
        crew.meta[NEXT_CHANGE] = number + 1
        at = change_moment(roster, plan.into_week, number + 1)
        crew.change_at[0] = at


@mechanism
def staff_crew(crew: Crew, n_agents: int, now: float) -> None:
    """Put as many agents on duty; who comes and is not in a contact is idle since."""
    for seat in range(crew.meta[ON_DUTY], n_agents):
        if crew.free_at[seat] < now:
            crew.free_at[seat], crew.served[seat] = now, NOBODY
    crew.meta[ON_DUTY] = n_agents
    for seat in range(n_agents):
        crew.heap[seat] = seat
    for place in range(n_agents // 2 - 1, -1, -1):
        sift_down(crew, place)
