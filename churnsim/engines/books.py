"""The books of a run: arrays that both engines fill (`entries` says how).

Everything global is an integer, so that the order in which entries are made, which
differs between the engines, cannot show. Waits and busy time are kept in microseconds.
"""

from __future__ import annotations

import math
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from churnsim.mechanisms.hours import HOURS_IN_WEEK
from churnsim.records import (
    N_KIND_COLUMNS,
    Cause,
    Floats,
    Integers,
    KindColumn,
    Plan,
    Population,
)

MICROSECONDS = 86_400_000_000.0  # in a day
N_BINS = 256  # of the histogram of waits
BINS_PER_DOUBLING = 8
SATISFACTION_SCALE = 1_000_000.0  # satisfaction is summed in millionths


class Tally(IntEnum):
    """What is counted in a run. Never renumbered; new ones go to the end."""

    MISTAKES = 0
    DOUBLE_DEVIATIONS = 1
    NOTICED = 2
    VOICED = 3
    UNANSWERED = 4  # episodes opened by an ordinary contact nobody answered
    CONTACTS = 5  # contacts in episodes that ended
    SETTLED = 6
    SETTLED_AT_FIRST = 7  # by the first contact, on the spot
    ON_THE_SPOT = 8
    TRUTHS = 9
    EXCUSES = 10
    LIES = 11
    LIES_FOUND_OUT = 12
    FOBBED_OFF = 13  # lies told within authority
    ATTEMPTS = 14  # turnings up at the front door in episodes
    FOLLOW_UPS = 15
    ORDINARY_CONTACTS = 16
    ORDINARY_HANDLED = 17
    ORDINARY_GAVE_UP = 18  # at the front door
    ORDINARY_ABANDONED = 19  # in the queue
    FRONT_JOINED = 20
    FRONT_WAITED = 21  # joined and found no agent free
    FRONT_HANDLED = 22  # handlings begun
    FRONT_ABANDONED = 23
    FRONT_WAIT_SUM = 24  # of those handled and those who left [microseconds]
    FRONT_BUSY = 25  # busy agent time within the horizon [microseconds]
    BACK_JOINED = 26
    BACK_WAITED = 27
    BACK_HANDLED = 28
    BACK_ABANDONED = 29
    BACK_WAIT_SUM = 30
    BACK_BUSY = 31
    PROSPECTS = 32  # that came
    WON = 33
    LOST_TO_REPUTATION = 34
    RESOLUTION_SUM = 35  # mistake to settled [microseconds]
    SURVEYED = 36  # cases that the firm's books close, asked then
    SURVEY_SUM = 37  # their satisfaction [millionths]
    CLOSED = 38  # episodes closed
    CLOSED_SUM = 39  # satisfaction after a mistake, at its close [millionths]
    WITHIN_TARGET = 40  # front-desk waits of at most 20 seconds
    FORGOTTEN = 41  # grievances forgotten


class Monthly(IntEnum):
    """Columns of the monthly series; the first two are kept as changes."""

    ACTIVE = 0
    BACKLOG = 1  # open episodes
    REVENUE = 2  # [micro-units]
    LOST = 3
    MISTAKES = 4


class Weekly(IntEnum):
    """Columns of the hours of the week: of customers who joined the front desk then."""

    JOINED = 0
    HANDLED = 1
    ABANDONED = 2
    WAIT = 3  # of those handled and those who left [microseconds]
    WORK = 4  # handle time of those handled [microseconds]
    TURNED_AWAY = 5  # found the front desk closed, and did not wait


class People(IntEnum):
    """What is counted of the agents of the front desk, where they are people."""

    CONTACTS = 0  # handlings begun
    NEWCOMERS = 1  # of these, by agents who are still learning
    WRATH = 2  # taken in contacts [millionths of a log-odd]
    QUITS = 3
    VACANT = 4  # time on duty of vacant seats within the horizon [microseconds]
    VACANT_DISCOUNTED = 5  # what of it is worth at time 0
    COST = 6  # of hiring [micro-units]
    COST_DISCOUNTED = 7


class Messages(IntEnum):
    """What is counted of messages: as `Tally` does of calls, in the same order."""

    JOINED = 0
    WAITED = 1
    HANDLED = 2
    ABANDONED = 3
    WAIT_SUM = 4  # [microseconds]
    BUSY = 5  # busy agent time within the horizon [microseconds]


class Account(IntEnum):
    """Columns of a customer's own account."""

    REVENUE = 0  # [micro-units]
    REVENUE_DISCOUNTED = 1
    MAKE_GOOD = 2  # paid to the customer [micro-units]
    MAKE_GOOD_DISCOUNTED = 3
    COST = 4  # acquisition and follow-up calls [micro-units]
    COST_DISCOUNTED = 5
    EPISODES = 6
    RESIDUAL = 7  # worth at the horizon [micro-units]


class Event(IntEnum):
    """What the event log tells of a customer's moment."""

    ARRIVED = 0
    NOT_WON = 1
    MISTAKE = 2
    NOTICED = 3
    VOICED = 4
    TURNED_UP = 5
    JOINED_FRONT = 6
    HANDLED = 7
    PATIENCE_SPENT = 8
    CONTACT_ENDED = 9
    LIED_TO = 10
    FOUND_OUT = 11
    JOINED_BACK = 12
    TAKEN_UP = 13
    APPROVED = 14
    SETTLED = 15
    CLOSED = 16
    LEFT = 17
    FORGOT = 18
    ORDINARY = 19
    UNANSWERED = 20
    LEAVING = 21
    TURNED_AWAY = 22  # found the front desk closed, and did not wait
    QUIT = 23  # the agent, after this customer's contact
    WROTE = 24  # a message, which waits for its answer


N_TALLIES = len(Tally)
N_MONTHLY = len(Monthly)
N_ACCOUNTS = len(Account)
N_WEEKLY = len(Weekly)
N_PEOPLE = len(People)
N_MESSAGES = len(Messages)
N_CAUSES = len(Cause)

WITHIN_TARGET = Tally.WITHIN_TARGET.value
TARGET_WAIT = 20.0 / 86_400.0  # of the service level [days]


class Books(NamedTuple):
    """All that a run writes down."""

    tally: Integers  # (N_TALLIES,)
    lost: Integers  # (N_CAUSES,) customers lost by cause
    closed: Integers  # (N_CAUSES,) episodes closed by cause
    front_waits: Integers  # (N_BINS,)
    back_waits: Integers  # (N_BINS,)
    monthly: Integers  # (n_months, N_MONTHLY)
    tellings: Integers  # (n_periods,) bad minus good news [thousandths]
    accounts: Integers  # (n, N_ACCOUNTS)
    departure: Floats  # (n,) [days]; inf: still a customer, or never won
    cause: NDArray[np.uint8]  # (n,) a Cause
    is_won: NDArray[np.uint8]  # (n,) 1: is or was a customer
    weekly: Integers  # (HOURS_IN_WEEK, N_WEEKLY); (0, N_WEEKLY) without a roster
    people: Integers  # (N_PEOPLE,); (0,) where the agents are not people
    messages: Integers  # (N_MESSAGES,); (0,) where nobody writes
    message_waits: Integers  # (N_BINS,); (0,) where nobody writes
    balance: Integers  # (N_ACCOUNTS,) sums of the accounts, once the run is over
    left: Integers  # (n_months + 1,) starting customers, by the month they left in
    log_times: Floats  # (capacity,) the event log; capacity 0 keeps none
    log_values: Floats  # (capacity,) grievance at that moment
    log_codes: Integers  # (capacity, 3) customer, event, episode word
    log_count: Integers  # (1,) events seen, kept or not


def has_hours(plan: Plan) -> bool:
    """Return whether a desk has a roster, so that the hours of the week differ."""
    return bool(len(plan.policy.front_roster) or len(plan.policy.back_roster))


def has_messages(plan: Plan) -> bool:
    """Return whether some customers write instead of calling."""
    of_kinds = plan.kinds[:, KindColumn.MESSAGE_SHARE]
    return bool(plan.market.message_share > 0.0 or (of_kinds > 0.0).any())


def n_periods(plan: Plan) -> int:
    """Return how many news periods the books have room for."""
    return int(math.floor(plan.horizon / plan.market.news_period)) + 2


def open_books(plan: Plan, n: int, log_capacity: int) -> Books:
    """Return empty books for `n` customers and prospects under a plan."""
    writes = has_messages(plan)
    return Books(
        np.zeros(N_TALLIES, np.int64),
        np.zeros(N_CAUSES, np.int64),
        np.zeros(N_CAUSES, np.int64),
        np.zeros(N_BINS, np.int64),
        np.zeros(N_BINS, np.int64),
        np.zeros((plan.n_months, N_MONTHLY), np.int64),
        np.zeros(n_periods(plan), np.int64),
        np.zeros((n, N_ACCOUNTS), np.int64),
        np.full(n, np.inf),
        np.zeros(n, np.uint8),
        np.zeros(n, np.uint8),
        np.zeros((HOURS_IN_WEEK if has_hours(plan) else 0, N_WEEKLY), np.int64),
        np.zeros(N_PEOPLE if plan.strain.is_on else 0, np.int64),
        np.zeros(N_MESSAGES if writes else 0, np.int64),
        np.zeros(N_BINS if writes else 0, np.int64),
        np.zeros(N_ACCOUNTS, np.int64),
        np.zeros(plan.n_months + 1, np.int64),
        np.zeros(log_capacity),
        np.zeros(log_capacity),
        np.zeros((log_capacity, 3), np.int64),
        np.zeros(1, np.int64),
    )


def check_books(plan: Plan, people: Population, books: Books) -> None:
    """Refuse books of another size: compiled code does not check bounds.

    Raises:
        ValueError: They were not opened for this plan and population.
    """
    n = len(people.arrival)
    if {len(column) for column in people[1:]} != {n} or len(books.departure) != n:
        raise ValueError(f"books and all traits must be of {n} customers")
    if plan.kinds.shape[1] != N_KIND_COLUMNS:
        raise ValueError(f"the table of mistakes must have {N_KIND_COLUMNS} columns")
    if len(books.monthly) != plan.n_months:
        raise ValueError(f"books must have {plan.n_months} months")
    if bool(len(books.weekly)) != has_hours(plan):
        raise ValueError("books must have the hours of the week if a desk has a roster")
    if bool(len(books.people)) != bool(plan.strain.is_on):
        raise ValueError("books must have people if strain is on")
    if bool(len(books.messages)) != has_messages(plan):
        raise ValueError("books must have messages if some customers write")
