"""Arrivals: customers present from the start, prospects, and what news does."""

from churnsim.engines.books import Event, Monthly, Tally
from churnsim.engines.entries import book_cost, book_event, month_of
from churnsim.engines.kernel.world import (
    CONTENT,
    DRIFT,
    FORGET_AT,
    GONE,
    RATE,
    SINCE,
    SPEND,
    TRUST,
    World,
    set_clocks,
    set_moment,
    traits_of,
)
from churnsim.jit import mechanism
from churnsim.mechanisms.clocks import (
    Budgets,
    first_clocks,
)
from churnsim.mechanisms.leaving import FOREVER
from churnsim.mechanisms.value import (
    pace_of,
    spend_factor,
)
from churnsim.mechanisms.word_of_mouth import (
    news_decay,
    news_period_of,
    reputation_after,
    win_probability,
)

ACTIVE = Monthly.ACTIVE.value
PROSPECTS = Tally.PROSPECTS.value
WON = Tally.WON.value
LOST_TO_REPUTATION = Tally.LOST_TO_REPUTATION.value
ARRIVES = Event.ARRIVED.value
IS_NOT_WON = Event.NOT_WON.value


@mechanism
def arrive(world: World, customer: int, now: float) -> None:
    """Let a customer's life begin with fresh clocks."""
    life, people, market = world.life, world.people, world.plan.market
    life[customer, RATE] = people.rate[customer]
    life[customer, TRUST] = people.trust[customer]
    life[customer, SPEND] = spend_factor(market, 0.0, False)
    life[customer, DRIFT] = 1.0
    life[customer, SINCE] = now
    life[customer, FORGET_AT] = FOREVER
    traits = traits_of(world, customer)
    pace = pace_of(market, world.failing, traits, life[customer, SPEND], 1.0, False)
    budgets = Budgets(
        people.mistake[customer], people.budget[customer], people.contact[customer]
    )
    set_clocks(world, customer, first_clocks(market, traits, pace, now, budgets))
    books = world.books
    books.is_won[customer] = 1
    books.monthly[month_of(books.monthly, world.plan.month, now), ACTIVE] += 1
    book_event(books, now, customer, ARRIVES, 0, 0.0)
    set_moment(world, customer, CONTENT, now)


@mechanism
def reputation_at(world: World, now: float) -> float:
    """Return the bad reputation in the news period of `now` (7.10)."""
    market, news, elsewhere = world.plan.market, world.news, world.elsewhere
    decay = news_decay(market)
    listeners = world.people.n_customers + elsewhere.n_customers
    period = int(news[1])
    while period < news_period_of(market, now):
        told = world.books.tellings[period] + elsewhere.tellings[period]
        news[0] = reputation_after(news[0], decay, told, listeners)
        period += 1
    news[1] = period
    return float(news[0])


@mechanism
def consider(world: World, customer: int, now: float) -> None:
    """Let a prospect choose: won, or kept away, perhaps by what others told."""
    market, books = world.plan.market, world.books
    u = world.people.choice[customer]
    books.tally[PROSPECTS] += 1
    if u < win_probability(market, reputation_at(world, now)):
        books.tally[WON] += 1
        book_cost(books, market, customer, market.acquisition_cost, now)
        arrive(world, customer, now)
        return
    if u < win_probability(market, 0.0):
        books.tally[LOST_TO_REPUTATION] += 1
    book_event(books, now, customer, IS_NOT_WON, 0, 0.0)
    set_moment(world, customer, GONE, FOREVER)
