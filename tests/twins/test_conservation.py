"""What must hold within any run: nothing is lost, nobody waits for an idle desk.

The event log tells every moment, so each sum in the books is made again from it.
"""

import math
from collections import Counter

import numpy as np
import pytest

from churnsim.engines.books import (
    MICROSECONDS,
    Account,
    Books,
    Event,
    Monthly,
    Tally,
)
from churnsim.records import Cause, Floats
from tests.twins.changing import run
from tests.twins.comparing import log_of, moments
from tests.twins.sampling import check_many
from tests.twins.strategies import Setup, setups
from tests.twins.visits import Visit, back_visits, column, front_visits

pytestmark = pytest.mark.compiled

# Tallies that count the events of one kind.
COUNTED = {
    Tally.MISTAKES: Event.MISTAKE,
    Tally.NOTICED: Event.NOTICED,
    Tally.VOICED: Event.VOICED,
    Tally.UNANSWERED: Event.UNANSWERED,
    Tally.SETTLED: Event.SETTLED,
    Tally.LIES: Event.LIED_TO,
    Tally.LIES_FOUND_OUT: Event.FOUND_OUT,
    Tally.ATTEMPTS: Event.TURNED_UP,
    Tally.ORDINARY_CONTACTS: Event.ORDINARY,
    Tally.FRONT_JOINED: Event.JOINED_FRONT,
    Tally.FRONT_HANDLED: Event.HANDLED,
    Tally.FRONT_ABANDONED: Event.PATIENCE_SPENT,
    Tally.BACK_JOINED: Event.JOINED_BACK,
    Tally.BACK_HANDLED: Event.TAKEN_UP,
    Tally.CLOSED: Event.CLOSED,
    Tally.FORGOTTEN: Event.FORGOT,
}


def microseconds(times: Floats) -> int:
    """Return the sum of times [days], each in whole microseconds, half up."""
    return int(np.floor(times * MICROSECONDS + 0.5).astype(np.int64).sum())


def check_desk(visits: list[Visit], n_servers: int) -> None:
    """Check that a desk serves in order, and that nobody waits for an idle server."""
    joined, started = column(visits, "joined_at"), column(visits, "started_at")
    gave_up, ended = column(visits, "gave_up_at"), column(visits, "ended_at")
    assert np.all(np.minimum(started, gave_up) >= joined)
    assert not np.any(np.isfinite(started) & np.isfinite(gave_up))
    steps = [(at, 1, 0) for at in joined.tolist()]
    steps += [(at, -1, 1) for at in started[np.isfinite(started)].tolist()]
    steps += [(at, -1, 0) for at in gave_up[np.isfinite(gave_up)].tolist()]
    steps += [(at, 0, -1) for at in ended[np.isfinite(ended)].tolist()]
    moves = np.array(sorted(steps), dtype=np.float64).reshape(len(steps), 3)
    is_last = np.append(np.diff(moves[:, 0]) > 0.0, True)[: len(steps)]
    waiting = np.cumsum(moves[:, 1])[is_last]
    serving = np.cumsum(moves[:, 2])[is_last]
    assert np.all((serving >= 0) & (serving <= n_servers) & (waiting >= 0))
    assert np.all(serving[waiting > 0] == n_servers)
    # Whoever joined earlier no longer waits when a later one is served.
    until = np.minimum(started, gave_up)
    latest = np.maximum.accumulate(until) if len(until) else until
    first = np.searchsorted(joined, joined, side="left")
    is_behind = first > 0
    assert np.all(latest[first[is_behind] - 1] <= started[is_behind])


def check_waits(
    books: Books, visits: list[Visit], horizon: float, tallies: tuple[Tally, ...]
) -> None:
    """Check a desk's counts and sums against its visits."""
    joined, handled, gave_up, waited, busy = (int(books.tally[t]) for t in tallies)
    started, ended = column(visits, "started_at"), column(visits, "ended_at")
    until = np.minimum(started, column(visits, "gave_up_at"))
    is_over = np.isfinite(until)
    is_served = np.isfinite(started)
    assert joined == handled + gave_up + int(np.count_nonzero(~is_over))
    assert handled == int(np.count_nonzero(is_served))
    assert waited == microseconds((until - column(visits, "joined_at"))[is_over])
    assert busy == microseconds((np.minimum(ended, horizon) - started)[is_served])


def desks_serve_in_order_and_are_never_idle_in_vain(setup: Setup, books: Books) -> None:
    """First come, first served; a free server takes up whoever waits, at once."""
    policy = setup.plan.policy
    check_desk(front_visits(books), policy.agents)
    check_desk(back_visits(books), policy.supervisors)


def desks_joined_is_handled_left_or_waiting(setup: Setup, books: Books) -> None:
    """All who joined are accounted for; waits and busy time add up."""
    horizon = setup.plan.horizon
    front = (
        *(Tally.FRONT_JOINED, Tally.FRONT_HANDLED, Tally.FRONT_ABANDONED),
        *(Tally.FRONT_WAIT_SUM, Tally.FRONT_BUSY),
    )
    back = (
        *(Tally.BACK_JOINED, Tally.BACK_HANDLED, Tally.BACK_ABANDONED),
        *(Tally.BACK_WAIT_SUM, Tally.BACK_BUSY),
    )
    check_waits(books, front_visits(books), horizon, front)
    check_waits(books, back_visits(books), horizon, back)
    tally = books.tally
    n_front = tally[Tally.FRONT_HANDLED] + tally[Tally.FRONT_ABANDONED]
    n_back = tally[Tally.BACK_HANDLED] + tally[Tally.BACK_ABANDONED]
    assert books.front_waits.sum() == n_front
    assert books.back_waits.sum() == n_back


def tallies_count_what_the_log_tells(_setup: Setup, books: Books) -> None:
    """Each tally of events is their number, and episodes end in one way each."""
    log, tally = log_of(books), books.tally
    seen = Counter(log.events.tolist())
    assert {t: int(tally[t]) for t in COUNTED} == {
        t: seen[e] for t, e in COUNTED.items()
    }
    assert tally[Tally.PROSPECTS] == tally[Tally.WON] + seen[Event.NOT_WON]
    n_ended = tally[Tally.CONTACTS] + tally[Tally.ORDINARY_HANDLED]
    assert n_ended == seen[Event.CONTACT_ENDED]
    n_booked_closed = tally[Tally.SETTLED] + tally[Tally.LIES]
    n_booked_closed += books.closed[Cause.REFUSED]
    assert tally[Tally.SURVEYED] == n_booked_closed
    n_outcomes = tally[Tally.ON_THE_SPOT] + tally[Tally.TRUTHS] + tally[Tally.EXCUSES]
    n_outcomes += tally[Tally.LIES] + books.closed[Cause.REFUSED]
    assert n_outcomes == tally[Tally.CONTACTS]
    assert tally[Tally.BACK_JOINED] == tally[Tally.TRUTHS] + tally[Tally.EXCUSES]
    closes = log.words[log.events == Event.CLOSED]
    assert np.array_equal(books.closed, np.bincount(closes, minlength=len(Cause)))
    leaves = log.words[log.events == Event.LEFT]
    assert np.array_equal(books.lost, np.bincount(leaves, minlength=len(Cause)))


def resolution_is_from_the_mistake_to_its_settlement(
    _setup: Setup, books: Books
) -> None:
    """The sum over settled episodes, to the microsecond."""
    opened: dict[tuple[int, int], float] = {}
    times = []
    for at, customer, event, word, _ in moments(log_of(books)):
        if event == Event.MISTAKE:
            opened[customer, word] = at
        elif event == Event.SETTLED:
            times.append(at - opened[customer, word])
    assert books.tally[Tally.RESOLUTION_SUM] == microseconds(np.array(times))


def accounts_add_up(setup: Setup, books: Books) -> None:
    """Months add up to customers, customers to the whole; no money is negative."""
    market = setup.plan.market
    accounts, monthly, tally = books.accounts, books.monthly, books.tally
    assert np.all(accounts >= 0)
    assert monthly[:, Monthly.REVENUE].sum() == accounts[:, Account.REVENUE].sum()
    assert accounts[:, Account.EPISODES].sum() == tally[Tally.CLOSED]
    spent = tally[Tally.FOLLOW_UPS] * market.follow_up_price
    spent += tally[Tally.WON] * market.acquisition_cost
    assert accounts[:, Account.COST].sum() == spent
    for whole, worth in (
        (Account.REVENUE, Account.REVENUE_DISCOUNTED),
        (Account.MAKE_GOOD, Account.MAKE_GOOD_DISCOUNTED),
        (Account.COST, Account.COST_DISCOUNTED),
    ):
        if market.discount == 0.0:
            assert np.array_equal(accounts[:, whole], accounts[:, worth])
        else:
            # Each entry is rounded on its own: by half a micro-unit, up or down.
            assert np.all(
                accounts[:, worth] <= accounts[:, whole] + len(books.log_times)
            )
    never = books.is_won == 0
    assert not np.any(accounts[never])
    assert np.array_equal(books.balance, accounts.sum(axis=0))


def customers_leave_once_for_one_cause(setup: Setup, books: Books) -> None:
    """Departures, causes and monthly changes tell of the same customers."""
    horizon = setup.plan.horizon
    has_left = np.isfinite(books.departure)
    assert np.array_equal(has_left, books.cause != Cause.NONE)
    assert np.all(books.departure[has_left] < horizon)
    assert np.all(books.departure >= setup.people.arrival)
    assert np.all(books.is_won[has_left] == 1)
    counts = np.bincount(books.cause[has_left], minlength=len(Cause))
    assert np.array_equal(books.lost, counts)
    monthly = books.monthly.sum(axis=0)
    n_active = int(np.count_nonzero((books.is_won == 1) & ~has_left))
    assert monthly[Monthly.ACTIVE] == n_active
    assert monthly[Monthly.LOST] == has_left.sum()
    ends = np.arange(1, setup.plan.n_months + 1) * setup.plan.month
    first = books.departure[: setup.people.n_customers]
    left = np.searchsorted(ends, first, side="left")
    assert np.array_equal(books.left, np.bincount(left, minlength=len(ends) + 1))
    assert monthly[Monthly.MISTAKES] == books.tally[Tally.MISTAKES]
    log = log_of(books)
    is_here = ~has_left[log.customers]
    n_open = np.isin(log.events[is_here], (Event.MISTAKE, Event.UNANSWERED)).sum()
    n_open -= (log.events[is_here] == Event.CLOSED).sum()
    assert monthly[Monthly.BACKLOG] == n_open
    is_left = log.events == Event.LEFT
    assert np.array_equal(books.departure[log.customers[is_left]], log.times[is_left])
    assert is_left.sum() == has_left.sum()
    assert math.isfinite(float(np.abs(log.values).max(initial=0.0)))


CHECKS = (
    desks_serve_in_order_and_are_never_idle_in_vain,
    desks_joined_is_handled_left_or_waiting,
    tallies_count_what_the_log_tells,
    resolution_is_from_the_mistake_to_its_settlement,
    accounts_add_up,
    customers_leave_once_for_one_cause,
)


def test_runs__lose_nothing_and_let_nobody_wait_in_vain() -> None:
    """All of this holds in each of 100 random setups, of which each is run once."""
    tried = 0

    def check(setup: Setup) -> None:
        nonlocal tried
        tried += 1
        books = run(setup)
        for holds in CHECKS:
            holds(setup, books)

    check_many(setups(), 100, check)
    assert tried >= 100
