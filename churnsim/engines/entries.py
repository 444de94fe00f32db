"""How an entry is made in the books of a run."""

from __future__ import annotations

import math

from churnsim.engines.books import (
    BINS_PER_DOUBLING,
    MICROSECONDS,
    N_ACCOUNTS,
    N_BINS,
    Account,
    Books,
    Monthly,
)
from churnsim.jit import mechanism
from churnsim.mechanisms.hours import hour_of_week
from churnsim.mechanisms.value import amount, discounted, discounted_stream
from churnsim.primitives import log, round_half_up
from churnsim.records import Integers, Market, Plan

REVENUE = Account.REVENUE.value
REVENUE_DISCOUNTED = Account.REVENUE_DISCOUNTED.value
MAKE_GOOD = Account.MAKE_GOOD.value
MAKE_GOOD_DISCOUNTED = Account.MAKE_GOOD_DISCOUNTED.value
COST = Account.COST.value
COST_DISCOUNTED = Account.COST_DISCOUNTED.value
MONTHLY_REVENUE = Monthly.REVENUE.value
LOG_2 = 0.6931471805599453
SHORTEST = 86_400.0  # waits are binned from 1 second: its inverse [per day]


@mechanism
def month_of(monthly: Integers, month: float, now: float) -> int:
    """Return the row of the monthly series that holds `now`."""
    index = int(math.floor(now / month))
    last = monthly.shape[0] - 1
    return index if index < last else last


@mechanism
def microseconds(time: float) -> int:
    """Return a time [days] in microseconds, half up."""
    return round_half_up(time * MICROSECONDS)


@mechanism
def bin_of_wait(wait: float) -> int:
    """Return the bin of a wait [days]: 0 up to a second, then eight a doubling."""
    seconds = wait * SHORTEST
    if seconds <= 1.0:
        return 0
    index = 1 + int(math.floor(log(seconds) * (BINS_PER_DOUBLING / LOG_2)))
    return index if index < N_BINS else N_BINS - 1


@mechanism
def book_wait(waits: Integers, tally: Integers, wait: float, wait_sum: int) -> None:
    """Enter a wait [days] that ended, in service or not, under a desk's sum."""
    if wait <= 0.0:
        waits[0] += 1
        return
    waits[bin_of_wait(wait)] += 1
    tally[wait_sum] += microseconds(wait)


@mechanism
def book_hour(books: Books, plan: Plan, at: float, column: int, much: int) -> None:
    """Enter something under the hour of the week of a moment, if hours are kept."""
    if books.weekly.shape[0] > 0:
        books.weekly[hour_of_week(plan.into_week, at), column] += much


@mechanism
def book_busy(
    tally: Integers, busy: int, now: float, until: float, horizon: float
) -> None:
    """Enter a server's busy time from `now` to `until`, cut at the horizon."""
    tally[busy] += microseconds((until if until < horizon else horizon) - now)


@mechanism
def book_stream(
    books: Books, plan: Plan, customer: int, rate: float, since: float, until: float
) -> None:
    """Enter revenue that came in at `rate` [micro-units per day] over a time.

    The amount is rounded once; its months are differences of rounded sums from
    `since`, so that they add up to it exactly.
    """
    if until <= since or rate <= 0.0:
        return
    whole = amount(rate, until - since)
    row = month_of(books.monthly, plan.month, since)
    last = month_of(books.monthly, plan.month, until)
    booked = 0
    while row < last:
        upto = amount(rate, (row + 1) * plan.month - since)
        books.monthly[row, MONTHLY_REVENUE] += upto - booked
        booked = upto
        row += 1
    books.monthly[last, MONTHLY_REVENUE] += whole - booked
    books.accounts[customer, REVENUE] += whole
    worth = discounted_stream(plan.market, rate, since, until)
    books.accounts[customer, REVENUE_DISCOUNTED] += worth


@mechanism
def book_purchase(
    books: Books, plan: Plan, customer: int, value: float, now: float
) -> None:
    """Enter the revenue of one purchase [micro-units] at its moment."""
    money = round_half_up(value)
    row = month_of(books.monthly, plan.month, now)
    books.monthly[row, MONTHLY_REVENUE] += money
    books.accounts[customer, REVENUE] += money
    worth = discounted(plan.market, money, now)
    books.accounts[customer, REVENUE_DISCOUNTED] += worth


@mechanism
def book_make_good(
    books: Books, market: Market, customer: int, money: int, now: float
) -> None:
    """Enter make-good paid to a customer [micro-units]."""
    books.accounts[customer, MAKE_GOOD] += money
    books.accounts[customer, MAKE_GOOD_DISCOUNTED] += discounted(market, money, now)


@mechanism
def book_cost(
    books: Books, market: Market, customer: int, money: int, now: float
) -> None:
    """Enter what a customer cost the firm besides make-good [micro-units]."""
    books.accounts[customer, COST] += money
    books.accounts[customer, COST_DISCOUNTED] += discounted(market, money, now)


@mechanism
def add_up(books: Books, plan: Plan, customer: int, n_customers: int) -> None:
    """Enter one whose books are closed into the sums over customers.

    The first `n_customers` were there at the start. Who left at the very end of a month
    left in it; the last entry is of those who did not leave.
    """
    for column in range(N_ACCOUNTS):
        books.balance[column] += books.accounts[customer, column]
    if customer >= n_customers:
        return
    at, month, row = books.departure[customer], plan.month, plan.n_months
    if at < math.inf:
        row = month_of(books.monthly, month, at)
        while row > 0 and row * month >= at:
            row -= 1
        while row < plan.n_months and (row + 1) * month < at:
            row += 1
    books.left[row] += 1


@mechanism
def book_event(
    books: Books, now: float, customer: int, event: int, episode: int, value: float
) -> None:
    """Enter a customer's moment in the event log, if one is kept, and count it."""
    place = books.log_count[0]
    books.log_count[0] = place + 1
    if place < books.log_times.shape[0]:
        books.log_times[place] = now
        books.log_values[place] = value
        books.log_codes[place, 0] = customer
        books.log_codes[place, 1] = event
        books.log_codes[place, 2] = episode
