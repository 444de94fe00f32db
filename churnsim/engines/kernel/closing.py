"""Ends: changes of pace, the close of an episode, departures, the horizon."""

from churnsim.engines.books import SATISFACTION_SCALE, Account, Event, Monthly, Tally
from churnsim.engines.entries import book_event, book_purchase, book_stream, month_of
from churnsim.engines.kernel.world import (
    CLOSING,
    CONTENT,
    DRIFT,
    DROPOUT_AT,
    FORGET_AT,
    GONE,
    GRIEVANCE,
    IS_OPEN,
    LEAVING,
    PHASE,
    REMEMBERS,
    SINCE,
    SPEND,
    TRUST,
    World,
    clocks_of,
    goodwill_of,
    set_clocks,
    set_moment,
    traits_of,
)
from churnsim.jit import mechanism
from churnsim.mechanisms.clocks import (
    FORGETTING,
    Change,
    after_occasion,
    next_happening,
    repaced,
)
from churnsim.mechanisms.episode import satisfaction
from churnsim.mechanisms.leaving import (
    FOREVER,
    drift_factor,
    leave_probability,
    n_renewals,
    renewal_moment,
)
from churnsim.mechanisms.value import (
    PURCHASE,
    pace_of,
    residual_value,
    spend_factor,
)
from churnsim.mechanisms.word_of_mouth import news_period_of
from churnsim.primitives import round_half_up
from churnsim.records import Cause, Goodwill, Relationship
from churnsim.streams import ORDINARY, Purpose, uniforms
from churnsim.variates import quantile

GAP = Purpose.GAP.value
TOLERANCE = Purpose.TOLERANCE.value
NATURAL = Cause.NATURAL.value
SUBSCRIPTION = Relationship.SUBSCRIPTION.value
CLOSED = Event.CLOSED.value
LEFT = Event.LEFT.value
FORGOT = Event.FORGOT.value
ON_NOTICE = Event.LEAVING.value
N_CLOSED = Tally.CLOSED.value
CLOSED_SUM = Tally.CLOSED_SUM.value
FORGOTTEN = Tally.FORGOTTEN.value
ACTIVE = Monthly.ACTIVE.value
BACKLOG = Monthly.BACKLOG.value
LOST = Monthly.LOST.value
EPISODES = Account.EPISODES.value
RESIDUAL = Account.RESIDUAL.value


@mechanism
def revenue_pace(world: World, customer: int) -> float:
    """Return the rate at which a customer's revenue comes in now [micro-units/day]."""
    life, codes = world.life, world.codes
    return pace_of(
        world.plan.market,
        world.failing,
        traits_of(world, customer),
        life[customer, SPEND],
        life[customer, DRIFT],
        codes[customer, IS_OPEN] == 1,
    ).revenue


@mechanism
def feel(world: World, customer: int, now: float, goodwill: Goodwill) -> None:
    """Give a customer new goodwill, and the pace that goes with it."""
    is_open = world.codes[customer, IS_OPEN] == 1
    repace(world, customer, now, goodwill, is_open)


@mechanism
def repace(
    world: World, customer: int, now: float, goodwill: Goodwill, is_open: bool
) -> None:
    """Give a customer new goodwill, open or close the episode, and change the pace.

    One whose ordinary dropout came due while the episode is open keeps the pace of
    that moment: the close looks back to it.
    """
    life, codes, plan = world.life, world.codes, world.plan
    market = plan.market
    life[customer, GRIEVANCE] = goodwill.grievance
    life[customer, TRUST] = goodwill.trust
    was_open = codes[customer, IS_OPEN] == 1
    if was_open and life[customer, DROPOUT_AT] <= now:
        return
    spend = spend_factor(market, goodwill.grievance, is_open)
    drift = drift_factor(market, goodwill.grievance)
    is_same = spend == life[customer, SPEND] and drift == life[customer, DRIFT]
    if is_same and was_open == is_open:
        return
    traits = traits_of(world, customer)
    since = life[customer, SINCE]
    old = pace_of(
        market,
        world.failing,
        traits,
        life[customer, SPEND],
        life[customer, DRIFT],
        was_open,
    )
    new = pace_of(market, world.failing, traits, spend, drift, is_open)
    book_stream(world.books, plan, customer, old.revenue, since, now)
    change = Change(old, new, since, now)
    set_clocks(
        world, customer, repaced(market, traits, clocks_of(world, customer), change)
    )
    life[customer, SPEND] = spend
    life[customer, DRIFT] = drift
    life[customer, SINCE] = now
    codes[customer, IS_OPEN] = 1 if is_open else 0


@mechanism
def drop_out(world: World, customer: int, at: float) -> None:
    """Let a customer go with nothing wrong: after a last purchase, or at a renewal."""
    plan = world.plan
    if plan.market.relationship == PURCHASE:
        value = traits_of(world, customer).value
        book_purchase(world.books, plan, customer, value, at)
    depart(world, customer, at, NATURAL)


@mechanism
def depart(world: World, customer: int, at: float, cause: int) -> None:
    """Let a customer go for good."""
    life, books, plan = world.life, world.books, world.plan
    rate = revenue_pace(world, customer)
    book_stream(books, plan, customer, rate, life[customer, SINCE], at)
    books.departure[customer] = at
    books.cause[customer] = cause
    books.lost[cause] += 1
    row = month_of(books.monthly, plan.month, at)
    books.monthly[row, ACTIVE] -= 1
    books.monthly[row, LOST] += 1
    book_event(books, at, customer, LEFT, cause, life[customer, GRIEVANCE])
    set_moment(world, customer, GONE, FOREVER)


@mechanism
def forget(world: World, customer: int, at: float) -> None:
    """Let a grievance be forgotten at its own time."""
    world.codes[customer, REMEMBERS] = 0
    world.life[customer, FORGET_AT] = FOREVER
    feel(world, customer, at, Goodwill(0.0, world.life[customer, TRUST]))
    world.books.tally[FORGOTTEN] += 1
    book_event(world.books, at, customer, FORGOT, 0, 0.0)


@mechanism
def catch_up(world: World, customer: int, now: float, is_end: bool) -> bool:
    """Let dropout and forgetting that came due take effect; return whether still here.

    Those due at `now` itself count, except at the end of a run.
    """
    life = world.life
    while True:
        what, at = next_happening(
            clocks_of(world, customer), life[customer, FORGET_AT], now
        )
        if at > now or (is_end and at == now) or what > FORGETTING:
            return True
        if what == FORGETTING:
            forget(world, customer, at)
        else:
            drop_out(world, customer, at)
            return False


@mechanism
def close(world: World, customer: int, now: float, cause: int, word: int) -> None:
    """Close the episode `word`: ordinary dropout first, else the decision (7.9)."""
    life, codes, books = world.life, world.codes, world.books
    grievance = life[customer, GRIEVANCE]
    books.closed[cause] += 1
    books.tally[N_CLOSED] += 1
    if word < ORDINARY:  # not that of a contact nobody answered
        content = satisfaction(grievance) * SATISFACTION_SCALE
        books.tally[CLOSED_SUM] += round_half_up(content)
    books.accounts[customer, EPISODES] += 1
    book_event(books, now, customer, CLOSED, cause, grievance)
    if codes[customer, IS_OPEN]:
        row = month_of(books.monthly, world.plan.month, now)
        books.monthly[row, BACKLOG] -= 1
    if life[customer, DROPOUT_AT] <= now:
        drop_out(world, customer, life[customer, DROPOUT_AT])
        return
    tolerance, _ = uniforms(world.key, customer, world.replication, word, TOLERANCE)
    if leave_probability(world.plan.market, goodwill_of(world, customer)) > tolerance:
        leave(world, customer, now, cause)
    else:
        stay(world, customer, now, word)


@mechanism
def leave(world: World, customer: int, now: float, cause: int) -> None:
    """Let a customer who decided so leave: at once, or at the next renewal (5.3)."""
    market, books = world.plan.market, world.books
    books.tellings[news_period_of(market, now)] += market.told_bad
    if market.relationship != SUBSCRIPTION or not market.exit_at_renewal:
        depart(world, customer, now, cause)
        return
    repace(world, customer, now, goodwill_of(world, customer), False)
    first = traits_of(world, customer).renewal
    index = n_renewals(first, market.period, now)
    at = renewal_moment(first, market.period, index)
    world.codes[customer, CLOSING] = cause
    book_event(books, now, customer, ON_NOTICE, cause, at)
    set_moment(world, customer, LEAVING, at)


@mechanism
def stay(world: World, customer: int, now: float, word: int) -> None:
    """Let a customer stay: news of delight, and the memory of what was done.

    The purchase that went wrong may still be the last, as any other (4.2).
    """
    market, life = world.plan.market, world.life
    goodwill = goodwill_of(world, customer)
    if goodwill.grievance < 0.0:
        period = news_period_of(market, now)
        world.books.tellings[period] -= market.told_good
    _, u = uniforms(world.key, customer, world.replication, word, GAP)
    life[customer, FORGET_AT] = now + quantile(market.memory, u)
    world.codes[customer, REMEMBERS] = 1
    repace(world, customer, now, goodwill, False)
    set_moment(world, customer, CONTENT, now)
    if word >= ORDINARY:  # a contact, not an occasion
        return
    traits, drift = traits_of(world, customer), life[customer, DRIFT]
    pace = pace_of(market, world.failing, traits, life[customer, SPEND], drift, False)
    clocks = after_occasion(
        market, traits, clocks_of(world, customer), pace, drift, now
    )
    set_clocks(world, customer, clocks)
    if clocks.dropout_at <= now:
        depart(world, customer, now, NATURAL)


@mechanism
def finish(world: World, customer: int) -> None:
    """Bring a customer's books up to the horizon."""
    life, codes, books, plan = world.life, world.codes, world.books, world.plan
    market, end = plan.market, plan.horizon
    if codes[customer, PHASE] == GONE or not books.is_won[customer]:
        return
    if codes[customer, IS_OPEN]:
        if life[customer, DROPOUT_AT] < end:
            row = month_of(books.monthly, plan.month, life[customer, DROPOUT_AT])
            books.monthly[row, BACKLOG] -= 1
            drop_out(world, customer, life[customer, DROPOUT_AT])
            return
    elif codes[customer, PHASE] != LEAVING and not catch_up(world, customer, end, True):
        return
    rate = revenue_pace(world, customer)
    book_stream(books, plan, customer, rate, life[customer, SINCE], end)
    traits = traits_of(world, customer)
    if codes[customer, PHASE] == LEAVING:
        return
    to_renewal = 0.0
    if market.relationship == SUBSCRIPTION:
        index = n_renewals(traits.renewal, market.period, end)
        to_renewal = renewal_moment(traits.renewal, market.period, index) - end
    books.accounts[customer, RESIDUAL] = residual_value(market, traits, to_renewal)
