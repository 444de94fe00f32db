"""The state of the kernel: all customers in arrays, one row each.

A row is four cache lines, side by side: what each meeting needs is in the first two,
what only episodes and changes of pace need in the others. It holds floats and integers,
so there are two views of the same rows; their columns do not overlap.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from churnsim.engines.books import Books, check_books
from churnsim.engines.kernel.crew import Crew, make_crew
from churnsim.engines.kernel.desks import Desk, make_desk
from churnsim.engines.kernel.event_queue import Queue, make_queue
from churnsim.engines.news import heard_from
from churnsim.jit import mechanism
from churnsim.mechanisms.clocks import Clocks
from churnsim.mechanisms.goodwill import bond
from churnsim.mechanisms.hours import back_hours, front_hours, message_hours
from churnsim.mechanisms.value import failure_probability
from churnsim.prefetch import prefetch, prefetch_cell
from churnsim.records import Elsewhere, Floats, Goodwill, Plan, Population, Traits
from churnsim.streams import ORDINARY, Key


class Phase(IntEnum):
    """What a customer's pending moment is."""

    GONE = 0
    PROSPECT = 1  # arrives
    CONTENT = 2  # the clocks decide
    TURNING_UP = 3  # at the front door
    AT_CLOSED_DOOR = 4  # the front desk opens
    IN_HOOP = 5  # a hoop ends
    GIVING_UP = 6  # a hoop ends, and with it the patience for more
    AT_FRONT = 7  # joins the front desk
    AT_AGENT = 8  # handling ends
    PROMISED = 9  # a lie's promised time comes
    AT_BACK = 10  # joins the back desk
    AT_SUPERVISOR = 11  # approval ends
    IN_REPAIR = 12  # repair ends
    LEAVING = 13  # the renewal after deciding to leave


class Life(IntEnum):
    """Columns of a customer's floats; from TRUST on, those of the two cold lines."""

    AT = 0  # the pending moment [days]
    MISTAKE_AT = 8  # [days]
    DROPOUT_AT = 9  # [days]
    CONTACT_AT = 10  # [days]
    FORGET_AT = 11  # [days]
    RATE = 12  # λ [per day]
    SPEND = 13  # φ as paced now [-]
    CONTACT_LEFT = 14  # [-]
    GRIEVANCE = 15  # [log-odds]
    TRUST = 16  # [log-odds]
    SINCE = 17  # the last change of pace [days]
    DRIFT = 18  # factor on dropout as paced now [-]
    STRETCH = 19  # of the zone of tolerance [-]
    DROPOUT = 20  # p, or −log(1 − θ)
    VALUE = 21  # m [micro-units]
    RENEWAL = 22  # first renewal [days]
    MISTAKE_LEFT = 23  # [-]
    DROPOUT_LEFT = 24  # [-]
    OPENED_AT = 25  # t0 of the episode [days]
    STING = 26  # s, doubled where it is a double deviation [log-odds]
    STAKE = 27  # c [micro-units]
    WARMTH = 28  # of the agent, where they are people [-]


class Code(IntEnum):
    """Columns of a customer's integers."""

    PHASE = 2
    N_MISTAKES = 3  # episodes opened by mistakes so far
    N_CONTACTS = 4  # ordinary contacts so far
    IS_ORDINARY = 5  # the contact under way is an ordinary one
    HOOP = 6
    ATTEMPT = 7
    N_HEARD = 8  # contacts in this episode so far
    KIND = 9  # row of the table of mistakes
    IS_OPEN = 10  # paced as in an open episode
    IS_DOUBLE = 11
    IS_AT_FAULT = 12
    IS_CALLED = 13  # the firm calls: endless patience
    REMEMBERS = 14  # the last episode is not forgotten
    WRITES = 15  # in this episode or contact: unless the firm calls
    CLOSING = 58  # cause of one who is leaving: in a cold line, behind WARMTH


N_LIFE = 32  # floats in a row
N_CODES = 64  # integers in a row
CACHE_LINE = 64  # bytes
ROWS_MIN = 2  # a column of fewer is of another type to the compiler: a minute more

(
    AT,
    MISTAKE_AT,
    DROPOUT_AT,
    CONTACT_AT,
    FORGET_AT,
    RATE,
    SPEND,
    CONTACT_LEFT,
    GRIEVANCE,
    TRUST,
    SINCE,
    DRIFT,
    STRETCH,
    DROPOUT,
    VALUE,
    RENEWAL,
    MISTAKE_LEFT,
    DROPOUT_LEFT,
    OPENED_AT,
    STING,
    STAKE,
    WARMTH,
) = (column.value for column in Life)
(
    PHASE,
    N_MISTAKES,
    N_CONTACTS,
    IS_ORDINARY,
    HOOP,
    ATTEMPT,
    N_HEARD,
    KIND,
    IS_OPEN,
    IS_DOUBLE,
    IS_AT_FAULT,
    IS_CALLED,
    REMEMBERS,
    WRITES,
    CLOSING,
) = (column.value for column in Code)
(
    GONE,
    PROSPECT,
    CONTENT,
    TURNING_UP,
    AT_CLOSED_DOOR,
    IN_HOOP,
    GIVING_UP,
    AT_FRONT,
    AT_AGENT,
    PROMISED,
    AT_BACK,
    AT_SUPERVISOR,
    IN_REPAIR,
    LEAVING,
) = (phase.value for phase in Phase)


class World(NamedTuple):
    """Everything that a run of the kernel reads and writes."""

    plan: Plan
    people: Population
    key: Key
    replication: int
    failing: float  # q under the policy [-]
    life: Floats  # (n, N_LIFE)
    codes: NDArray[np.int32]  # (n, N_CODES), the same rows
    queue: Queue
    front: Desk
    back: Desk
    books: Books
    cold: Floats  # (n,) the first of the cold columns of `life`
    money: NDArray[np.int64]  # (n,) the first column of the accounts
    news: Floats  # (2,) reputation, and the news period that it is for
    crew: Crew  # the front desk in place of `front`, where agents are people
    messages: Desk  # of those who write, where they have a desk of their own
    elsewhere: Elsewhere  # what the firm's other sites tell


def make_rows(n: int) -> Floats:
    """Return rows of zeros, shape (n, N_LIFE), each at the start of a cache line."""
    spare = CACHE_LINE // 8
    cells = np.zeros(n * N_LIFE + spare)
    start = -cells.ctypes.data % CACHE_LINE // 8
    return cells[start : start + n * N_LIFE].reshape(n, N_LIFE)


def make_world(
    plan: Plan,
    people: Population,
    key: Key,
    replication: int,
    books: Books,
    elsewhere: Elsewhere | None = None,
) -> World:
    """Return the state before the first moment of a run.

    Raises:
        ValueError: The books, or what is told elsewhere, are not for this plan and
            population.
    """
    check_books(plan, people, books)
    n_customers = len(people.arrival)
    n_rows = max(n_customers, ROWS_MIN)
    life = make_rows(n_rows)
    accounts = books.accounts if n_rows == n_customers else make_rows(n_rows)
    return World(
        plan,
        people,
        key,
        replication,
        float(failure_probability(plan.market, plan.policy)),
        life,
        life.view(np.int32),
        make_queue(life[:, AT], plan.horizon, n_meetings(plan, people)),
        make_desk(front_hours(plan), n_customers),
        make_desk(back_hours(plan), n_customers),
        books,
        life[:, TRUST],
        accounts.view(np.int64)[:, 0],
        np.zeros(2),
        make_crew(plan),
        make_desk(message_hours(plan), n_customers),
        heard_from(elsewhere, books),
    )


def n_meetings(plan: Plan, people: Population) -> float:
    """Return about how many meetings there will be: ordinary contacts, mostly."""
    market, rates = plan.market, float(people.rate.sum())
    of_all = market.ordinary_rate * len(people.rate)
    return (of_all + market.ordinary_per_occasion * rates) * plan.horizon


@mechanism
def traits_of(world: World, customer: int) -> Traits:
    """Return a customer's own constants."""
    life = world.life
    return Traits(
        life[customer, RATE],
        life[customer, DROPOUT],
        life[customer, VALUE],
        life[customer, RENEWAL],
    )


@mechanism
def goodwill_of(world: World, customer: int) -> Goodwill:
    """Return a customer's goodwill."""
    return Goodwill(world.life[customer, GRIEVANCE], world.life[customer, TRUST])


@mechanism
def call_up(world: World, customer: int) -> None:
    """Ask for what an episode or a change of pace will need of a customer."""
    prefetch(world.cold, customer)
    prefetch_cell(world.money, customer)


@mechanism
def bond_of(world: World, customer: int, now: float) -> float:
    """Return the strength of a customer's relationship with the firm [-].

    0 where nothing depends on it: that spares a look far away.
    """
    market = world.plan.market
    if market.buffer == 0.0 and market.betrayed_bond == 0.0:
        return 0.0
    return bond(market, now - world.people.begun[customer])


@mechanism
def clocks_of(world: World, customer: int) -> Clocks:
    """Return a customer's clocks."""
    life = world.life
    return Clocks(
        life[customer, MISTAKE_AT],
        life[customer, MISTAKE_LEFT],
        life[customer, DROPOUT_AT],
        life[customer, DROPOUT_LEFT],
        life[customer, CONTACT_AT],
        life[customer, CONTACT_LEFT],
    )


@mechanism
def set_clocks(world: World, customer: int, clocks: Clocks) -> None:
    """Store a customer's clocks."""
    life = world.life
    life[customer, MISTAKE_AT] = clocks.mistake_at
    life[customer, MISTAKE_LEFT] = clocks.mistake_left
    life[customer, DROPOUT_AT] = clocks.dropout_at
    life[customer, DROPOUT_LEFT] = clocks.dropout_left
    life[customer, CONTACT_AT] = clocks.contact_at
    life[customer, CONTACT_LEFT] = clocks.contact_left


@mechanism
def word_of(world: World, customer: int) -> int:
    """Return the episode word of what the customer is in: the address of its draws."""
    codes = world.codes
    if codes[customer, IS_ORDINARY]:
        return ORDINARY | int(codes[customer, N_CONTACTS])
    return int(codes[customer, N_MISTAKES]) - 1


@mechanism
def is_by_message(world: World, customer: int) -> bool:
    """Return whether a customer's present contact is by message, not by phone."""
    codes = world.codes
    if codes[customer, WRITES] == 0:
        return False
    return bool(codes[customer, IS_ORDINARY] or not codes[customer, IS_CALLED])


@mechanism
def set_moment(world: World, customer: int, phase: int, at: float) -> None:
    """Set what comes next for a customer, and when."""
    world.codes[customer, PHASE] = phase
    world.queue.at[customer] = at
