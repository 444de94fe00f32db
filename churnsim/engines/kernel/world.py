"""The state of the kernel: all customers in arrays, one row each.

A row is two cache lines, side by side, so that ten million fit into memory. It holds
floats, integers and bytes, so there are three views of the same rows; their columns do
not overlap. What a customer is like is read where it stands, in the population.
"""

from __future__ import annotations

import math
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
from churnsim.mechanisms.leaving import FOREVER
from churnsim.mechanisms.value import failure_probability
from churnsim.prefetch import prefetch_cell
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
    """Columns of a customer's floats; the second line begins with GRIEVANCE."""

    AT = 0  # the pending moment [days]
    MISTAKE = 2  # the clock of mistakes, as `kept_clock` keeps it
    DROPOUT_AT = 3  # [days]
    CONTACT = 4  # the clock of ordinary contacts, kept like that
    FORGET_AT = 5  # [days]
    OPENED_AT = 5  # t0, in an episode: its end says when it is forgotten [days]
    SPEND = 6  # φ as paced now [-]
    RATE = 7  # λ [per day]
    GRIEVANCE = 8  # [log-odds]
    TRUST = 9  # [log-odds]
    SINCE = 10  # the last change of pace [days]
    DRIFT = 11  # factor on dropout as paced now [-]
    DROPOUT_LEFT = 12  # [-]
    STAKE = 13  # c [micro-units]


class Count(IntEnum):
    """Columns of a customer's integers of 32 bits."""

    N_CONTACTS = 2  # ordinary contacts so far
    N_MISTAKES = 28  # episodes opened by mistakes so far
    ATTEMPT = 29


class Code(IntEnum):
    """Columns of a customer's bytes."""

    PHASE = 12
    IS_ORDINARY = 13  # the contact under way is an ordinary one
    WRITES = 14  # in this episode or contact: unless the firm calls
    IS_CALLED = 15  # the firm calls: endless patience
    CLOSING = 120  # cause of one who is leaving
    HOOP = 120  # of one who is not
    KIND = 121  # row of the table of mistakes
    IS_OPEN = 122  # paced as in an open episode
    IS_DOUBLE = 123
    IS_AT_FAULT = 124
    IS_HEARD = 125  # had a contact in this episode
    IS_TOLD = 126  # the truth, in this episode
    REMEMBERS = 127  # the last episode is not forgotten


CACHE_LINE = 64  # bytes
ROW = 2 * CACHE_LINE
N_LIFE = ROW // 8  # floats in a row
ROWS_MIN = 2  # a column of fewer is of another type to the compiler: a minute more

AT = Life.AT.value
MISTAKE_CLOCK = Life.MISTAKE.value
DROPOUT_AT = Life.DROPOUT_AT.value
CONTACT_CLOCK = Life.CONTACT.value
FORGET_AT = Life.FORGET_AT.value
OPENED_AT = Life.OPENED_AT.value
SPEND = Life.SPEND.value
RATE = Life.RATE.value
GRIEVANCE = Life.GRIEVANCE.value
TRUST = Life.TRUST.value
SINCE = Life.SINCE.value
DRIFT = Life.DRIFT.value
DROPOUT_LEFT = Life.DROPOUT_LEFT.value
STAKE = Life.STAKE.value
N_CONTACTS, N_MISTAKES, ATTEMPT = (column.value for column in Count)
PHASE = Code.PHASE.value
IS_ORDINARY = Code.IS_ORDINARY.value
WRITES = Code.WRITES.value
IS_CALLED = Code.IS_CALLED.value
CLOSING = Code.CLOSING.value
HOOP = Code.HOOP.value
KIND = Code.KIND.value
IS_OPEN = Code.IS_OPEN.value
IS_DOUBLE = Code.IS_DOUBLE.value
IS_AT_FAULT = Code.IS_AT_FAULT.value
IS_HEARD = Code.IS_HEARD.value
IS_TOLD = Code.IS_TOLD.value
REMEMBERS = Code.REMEMBERS.value
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
    counts: NDArray[np.int32]  # (n, ROW // 4), the same rows
    codes: NDArray[np.int8]  # (n, ROW), the same rows
    queue: Queue
    front: Desk
    back: Desk
    books: Books
    money: NDArray[np.int64]  # (n,) the first column of the accounts
    news: Floats  # (2,) reputation, and the news period that it is for
    crew: Crew  # the front desk in place of `front`, where agents are people
    messages: Desk  # of those who write, where they have a desk of their own
    elsewhere: Elsewhere  # what the firm's other sites tell


def make_rows(n: int) -> Floats:
    """Return rows of zeros, shape (n, N_LIFE), each at the start of two cache lines.

    Processors fetch lines in such pairs.
    """
    cells = np.zeros(n * N_LIFE + N_LIFE)
    start = -cells.ctypes.data % ROW // 8
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
    accounts = books.accounts if n_rows == n_customers else np.zeros((n_rows, 2))
    return World(
        plan,
        people,
        key,
        replication,
        float(failure_probability(plan.market, plan.policy)),
        life,
        life.view(np.int32),
        life.view(np.int8),
        make_queue(life[:, AT], plan.horizon, n_meetings(plan, people)),
        make_desk(front_hours(plan), n_customers),
        make_desk(back_hours(plan), n_customers),
        books,
        accounts.view(np.int64)[:, 0],
        np.zeros(2),
        make_crew(plan, n_customers),
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
    people = world.people
    return Traits(
        world.life[customer, RATE],
        people.dropout[customer],
        people.value[customer],
        people.renewal[customer],
    )


@mechanism
def goodwill_of(world: World, customer: int) -> Goodwill:
    """Return a customer's goodwill."""
    return Goodwill(world.life[customer, GRIEVANCE], world.life[customer, TRUST])


@mechanism
def call_up(world: World, customer: int) -> None:
    """Ask for what an episode or a change of pace will need of a customer."""
    people = world.people
    prefetch_cell(people.dropout, customer)
    prefetch_cell(people.value, customer)
    prefetch_cell(people.renewal, customer)
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
def kept_clock(at: float, left: float) -> float:
    """Return when a clock strikes [days]; of one that never does, minus what is left.

    No more is needed of a clock: how much is left counts while it stands still.
    """
    return at if at < FOREVER else -left


@mechanism
def strikes_at(kept: float) -> float:
    """Return when a clock strikes that is kept so [days]: −0, too, stands still."""
    return FOREVER if math.copysign(1.0, kept) < 0.0 else kept


@mechanism
def clocks_of(world: World, customer: int) -> Clocks:
    """Return a customer's clocks."""
    life = world.life
    mistake, contact = life[customer, MISTAKE_CLOCK], life[customer, CONTACT_CLOCK]
    return Clocks(
        strikes_at(mistake),
        -mistake,
        life[customer, DROPOUT_AT],
        life[customer, DROPOUT_LEFT],
        strikes_at(contact),
        -contact,
    )


@mechanism
def set_clocks(world: World, customer: int, clocks: Clocks) -> None:
    """Store a customer's clocks."""
    life = world.life
    life[customer, MISTAKE_CLOCK] = kept_clock(clocks.mistake_at, clocks.mistake_left)
    life[customer, DROPOUT_AT] = clocks.dropout_at
    life[customer, DROPOUT_LEFT] = clocks.dropout_left
    life[customer, CONTACT_CLOCK] = kept_clock(clocks.contact_at, clocks.contact_left)


@mechanism
def word_of(world: World, customer: int) -> int:
    """Return the episode word of what the customer is in: the address of its draws."""
    if world.codes[customer, IS_ORDINARY]:
        return ORDINARY | int(world.counts[customer, N_CONTACTS])
    return int(world.counts[customer, N_MISTAKES]) - 1


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
