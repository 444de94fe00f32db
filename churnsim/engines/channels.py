"""Entries in the books for calls and for messages, each under its own columns."""

from churnsim.engines.books import (
    TARGET_WAIT,
    WITHIN_TARGET,
    Books,
    Event,
    Messages,
    Tally,
    Weekly,
)
from churnsim.engines.entries import book_busy, book_hour, book_wait, microseconds
from churnsim.jit import mechanism
from churnsim.records import Plan

JOINED = Messages.JOINED.value
WAITED = Messages.WAITED.value
HANDLED = Messages.HANDLED.value
ABANDONED = Messages.ABANDONED.value
WAIT_SUM = Messages.WAIT_SUM.value
BUSY = Messages.BUSY.value
FRONT_JOINED = Tally.FRONT_JOINED.value  # the first of six, in the same order
FRONT_WAIT_SUM = Tally.FRONT_WAIT_SUM.value
FRONT_BUSY = Tally.FRONT_BUSY.value
HOUR_JOINED = Weekly.JOINED.value
HOUR_HANDLED = Weekly.HANDLED.value
HOUR_ABANDONED = Weekly.ABANDONED.value
HOUR_WAIT = Weekly.WAIT.value
HOUR_WORK = Weekly.WORK.value
CALLS = Event.JOINED_FRONT.value
WRITES = Event.WROTE.value


@mechanism
def book_join(books: Books, plan: Plan, by_message: bool, now: float) -> None:
    """Enter one who joins a line `now` [days]."""
    count(books, by_message, JOINED)
    if not by_message:
        book_hour(books, plan, now, HOUR_JOINED, 1)


@mechanism
def count(books: Books, by_message: bool, column: int) -> None:
    """Count one under a column of `Messages`, or what that is for calls."""
    if by_message:
        books.messages[column] += 1
    else:
        books.tally[FRONT_JOINED + column] += 1


@mechanism
def book_handling(
    books: Books,
    plan: Plan,
    by_message: bool,
    joined_at: float,
    now: float,
    until: float,
) -> None:
    """Enter a contact from `now` `until` its end, of one who joined before [days].

    The hours of the week tell of the front desk: of the waits of those who call, and of
    the work of those who write as well where that is done there.
    """
    wait = now - joined_at
    count(books, by_message, HANDLED)
    if by_message:
        book_wait(books.message_waits, books.messages, wait, WAIT_SUM)
        book_busy(books.messages, BUSY, now, until, plan.horizon)
        if plan.policy.message_agents < 0:
            book_hour(books, plan, joined_at, HOUR_WORK, microseconds(until - now))
        return
    book_wait(books.front_waits, books.tally, wait, FRONT_WAIT_SUM)
    book_busy(books.tally, FRONT_BUSY, now, until, plan.horizon)
    books.tally[WITHIN_TARGET] += 1 if wait <= TARGET_WAIT else 0
    if books.weekly.shape[0] > 0:
        book_hour(books, plan, joined_at, HOUR_HANDLED, 1)
        book_hour(books, plan, joined_at, HOUR_WAIT, microseconds(wait))
        book_hour(books, plan, joined_at, HOUR_WORK, microseconds(until - now))


@mechanism
def book_abandoning(
    books: Books, plan: Plan, by_message: bool, joined_at: float, now: float
) -> None:
    """Enter one whose patience is spent `now`, of those who joined before [days]."""
    wait = now - joined_at
    count(books, by_message, ABANDONED)
    if by_message:
        book_wait(books.message_waits, books.messages, wait, WAIT_SUM)
        return
    book_wait(books.front_waits, books.tally, wait, FRONT_WAIT_SUM)
    book_hour(books, plan, joined_at, HOUR_ABANDONED, 1)
    book_hour(books, plan, joined_at, HOUR_WAIT, microseconds(wait))
