"""What the books keep of agents who are people, and what it tells (7.11)."""

from __future__ import annotations

from typing import NamedTuple

from churnsim.engines.books import MICROSECONDS, Books, People
from churnsim.jit import mechanism
from churnsim.mechanisms.hours import front_hours, staffed_time
from churnsim.mechanisms.strain import duty_time, is_newcomer, wrath_of
from churnsim.mechanisms.value import discounted, discounted_stream
from churnsim.primitives import round_half_up
from churnsim.records import Plan, Strain
from churnsim.units import year_days

PEOPLE_CONTACTS = People.CONTACTS.value
NEWCOMERS = People.NEWCOMERS.value
WRATH = People.WRATH.value
QUITS = People.QUITS.value
VACANT = People.VACANT.value
VACANT_DISCOUNTED = People.VACANT_DISCOUNTED.value
HIRING_COST = People.COST.value
HIRING_COST_DISCOUNTED = People.COST_DISCOUNTED.value
WRATH_SCALE = 1_000_000.0  # wrath is summed in millionths


class PeopleFigures(NamedTuple):
    """How the agents of the front desk fared; None where there is nothing to tell."""

    quits: int
    turnover: float | None  # quits per seat and year
    vacant: float | None  # share of the seats' time on duty [-]
    newcomers: float | None  # share of contacts, by agents who are still learning [-]
    wrath: float | None  # taken by one seat in a year [log-odds]
    hiring_cost: int  # [micro-units]


@mechanism
def book_contact(books: Books, strain: Strain, handled: int, grievance: float) -> None:
    """Enter a contact that an agent begins after so many, and the wrath taken in it."""
    people = books.people
    people[PEOPLE_CONTACTS] += 1
    people[NEWCOMERS] += 1 if is_newcomer(strain, handled) else 0
    people[WRATH] += round_half_up(wrath_of(grievance) * WRATH_SCALE)


@mechanism
def book_vacancy(
    books: Books, plan: Plan, seat: int, now: float, hired_at: float
) -> None:
    """Enter that an agent quits `now`, and the vacancy that it leaves."""
    until = hired_at if hired_at < plan.horizon else plan.horizon
    roster, into_week = plan.policy.front_roster, plan.into_week
    vacant = duty_time(roster, into_week, seat, now, until) * MICROSECONDS
    rate = vacant / (until - now) if until > now else 0.0
    cost = plan.strain.hiring_cost
    people = books.people
    people[QUITS] += 1
    people[VACANT] += round_half_up(vacant)
    people[VACANT_DISCOUNTED] += discounted_stream(plan.market, rate, now, until)
    people[HIRING_COST] += cost
    people[HIRING_COST_DISCOUNTED] += discounted(plan.market, cost, now)


def unpaid(vacant: int, seat: int) -> int:
    """Return the wages saved by vacant time, half up [micro-units].

    Args:
        vacant: Time of vacant seats [microseconds].
        seat: Pay [micro-units per day].
    """
    day = int(MICROSECONDS)
    return (2 * int(vacant) * seat + day) // (2 * day)


def people_figures(books: Books, plan: Plan, n_sites: int) -> PeopleFigures | None:
    """Return how the agents of all sites fared; None where they are not people."""
    counts = books.people
    if not len(counts):
        return None
    hours = front_hours(plan)
    seat_years = n_sites * hours.n_seats * plan.horizon / year_days()
    on_duty = n_sites * staffed_time(hours, plan.horizon) * MICROSECONDS
    contacts = int(counts[People.CONTACTS])
    quits = int(counts[People.QUITS])
    wrath = int(counts[People.WRATH]) / WRATH_SCALE
    return PeopleFigures(
        quits=quits,
        turnover=quits / seat_years if seat_years else None,
        vacant=int(counts[People.VACANT]) / on_duty if on_duty else None,
        newcomers=int(counts[People.NEWCOMERS]) / contacts if contacts else None,
        wrath=wrath / seat_years if seat_years else None,
        hiring_cost=int(counts[People.COST]),
    )
