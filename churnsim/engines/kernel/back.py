"""The back desk: supervisors, approvals and repairs (7.7, 7.8)."""

from churnsim.engines.books import SATISFACTION_SCALE, Event, Tally
from churnsim.engines.entries import (
    book_busy,
    book_cost,
    book_event,
    book_make_good,
    book_wait,
    microseconds,
)
from churnsim.engines.kernel.closing import close, feel
from churnsim.engines.kernel.desks import is_free, occupy, restaff
from churnsim.engines.kernel.world import (
    AT_BACK,
    AT_SUPERVISOR,
    ATTEMPT,
    GRIEVANCE,
    IN_REPAIR,
    IS_DOUBLE,
    IS_TOLD,
    KIND,
    OPENED_AT,
    STAKE,
    World,
    goodwill_of,
    set_moment,
    word_of,
)
from churnsim.jit import mechanism
from churnsim.mechanisms.clocks import served_until
from churnsim.mechanisms.episode import kind_at, satisfaction
from churnsim.mechanisms.goodwill import (
    after_settlement,
    quickness,
    shifted,
    without_delight,
)
from churnsim.mechanisms.leaving import FOREVER
from churnsim.mechanisms.value import make_good
from churnsim.primitives import round_half_up
from churnsim.records import Cause
from churnsim.streams import Purpose, uniforms
from churnsim.variates import quantile

ATTEMPT_STEP = 256  # of a block number
ATTEMPT_REPAIR = Purpose.REPAIR.value
ATTEMPT_ENDURANCE = Purpose.ENDURANCE.value
EPISODE_TOLERANCE = Purpose.TOLERANCE.value
SLOW = Cause.SLOW.value
SETTLED = Cause.SETTLED.value
JOINS = Event.JOINED_BACK.value
IS_TAKEN_UP = Event.TAKEN_UP.value
IS_APPROVED = Event.APPROVED.value
IS_SETTLED = Event.SETTLED.value
BACK_JOINED = Tally.BACK_JOINED.value
BACK_WAITED = Tally.BACK_WAITED.value
BACK_HANDLED = Tally.BACK_HANDLED.value
BACK_ABANDONED = Tally.BACK_ABANDONED.value
BACK_WAIT_SUM = Tally.BACK_WAIT_SUM.value
BACK_BUSY = Tally.BACK_BUSY.value
N_SETTLED = Tally.SETTLED.value
FOLLOW_UPS = Tally.FOLLOW_UPS.value
RESOLUTION_SUM = Tally.RESOLUTION_SUM.value
SURVEYED = Tally.SURVEYED.value
SURVEY_SUM = Tally.SURVEY_SUM.value


@mechanism
def attempt_block(world: World, customer: int, purpose: int) -> int:
    """Return the block of a purpose in the customer's present attempt."""
    return purpose + ATTEMPT_STEP * int(world.counts[customer, ATTEMPT])


@mechanism
def survey(world: World, customer: int) -> None:
    """Ask how satisfied a case left the customer, as the firm closes it (9)."""
    tally = world.books.tally
    asked = satisfaction(world.life[customer, GRIEVANCE])
    tally[SURVEYED] += 1
    tally[SURVEY_SUM] += round_half_up(asked * SATISFACTION_SCALE)


@mechanism
def join_back(world: World, customer: int, now: float) -> None:
    """Put a case before the back desk, with the customer's endurance as patience."""
    books = world.books
    books.tally[BACK_JOINED] += 1
    word = word_of(world, customer)
    book_event(books, now, customer, JOINS, word, world.life[customer, GRIEVANCE])
    restaff(world.back, now)
    if is_free(world.back, customer, now):
        take_up(world, customer, now, now, False)
        return
    books.tally[BACK_WAITED] += 1
    block = attempt_block(world, customer, ATTEMPT_ENDURANCE)
    u, _ = uniforms(world.key, customer, world.replication, word, block)
    until = now + quantile(world.plan.market.endurance, u)
    if is_free(world.back, customer, until):
        take_up(world, customer, now, world.back.free_at[0], True)
    else:
        lose_endurance(world, customer, now, until)


@mechanism
def take_up(
    world: World, customer: int, joined_at: float, now: float, has_waited: bool
) -> None:
    """Let a supervisor take a case up `now`, if that is before the horizon.

    Args:
        world: The run.
        customer: Next in line.
        joined_at: When the customer joined [days].
        now: When the approval begins [days].
        has_waited: Whether nobody was free as the customer joined.
    """
    books, plan = world.books, world.plan
    if now >= plan.horizon:
        set_moment(world, customer, AT_BACK, FOREVER)
        return
    book_wait(books.back_waits, books.tally, now - joined_at, BACK_WAIT_SUM)
    books.tally[BACK_HANDLED] += 1
    word = word_of(world, customer)
    block = attempt_block(world, customer, ATTEMPT_REPAIR)
    u, _ = uniforms(world.key, customer, world.replication, word, block)
    until = served_until(now, quantile(plan.policy.approval, u), has_waited)
    occupy(world.back, customer, until)
    book_busy(books.tally, BACK_BUSY, now, until, plan.horizon)
    book_event(books, now, customer, IS_TAKEN_UP, word, world.life[customer, GRIEVANCE])
    set_moment(world, customer, AT_SUPERVISOR, until)


@mechanism
def end_approval(world: World, customer: int, now: float) -> None:
    """Send a case that was approved to repair."""
    word = word_of(world, customer)
    block = attempt_block(world, customer, ATTEMPT_REPAIR)
    _, u = uniforms(world.key, customer, world.replication, word, block)
    grievance = world.life[customer, GRIEVANCE]
    book_event(world.books, now, customer, IS_APPROVED, word, grievance)
    repaired_at = now + quantile(world.plan.policy.repair, u)
    set_moment(world, customer, IN_REPAIR, repaired_at)


@mechanism
def lose_endurance(world: World, customer: int, joined_at: float, now: float) -> None:
    """Let a customer who would not wait longer leave the back desk's line."""
    books = world.books
    if now >= world.plan.horizon:
        set_moment(world, customer, AT_BACK, FOREVER)
        return
    books.tally[BACK_ABANDONED] += 1
    book_wait(books.back_waits, books.tally, now - joined_at, BACK_WAIT_SUM)
    close(world, customer, now, SLOW, word_of(world, customer))


@mechanism
def end_repair(world: World, customer: int, now: float) -> None:
    """Settle a case that was approved and repaired."""
    settle(world, customer, now, world.plan.policy.compensation, 1.0)
    close(world, customer, now, SETTLED, word_of(world, customer))


@mechanism
def settle(
    world: World, customer: int, now: float, compensation: float, warmth: float
) -> None:
    """Put a mistake right: goodwill, make-good and perhaps a follow-up (7.8).

    Args:
        world: The run.
        customer: Whose case it is.
        now: The present [days].
        compensation: A multiple of the stake [-].
        warmth: Factor on the quick credit, from the agent's style [-].
    """
    life, books, plan = world.life, world.books, world.plan
    market, policy = plan.market, plan.policy
    word = word_of(world, customer)
    is_double = world.codes[customer, IS_DOUBLE] == 1
    kind = kind_at(plan.kinds, world.codes[customer, KIND])
    elapsed = now - life[customer, OPENED_AT]
    stretch = market.truth_stretch if world.codes[customer, IS_TOLD] else 1.0
    quick = warmth * quickness(kind, elapsed, stretch, is_double)
    goodwill = after_settlement(
        market, kind, goodwill_of(world, customer), compensation, quick
    )
    _, u = uniforms(world.key, customer, world.replication, word, EPISODE_TOLERANCE)
    if u < policy.follow_up:
        goodwill = shifted(goodwill, -market.follow_up_credit)
        books.tally[FOLLOW_UPS] += 1
        book_cost(books, market, customer, market.follow_up_price, now)
    if is_double:
        goodwill = without_delight(goodwill)
    feel(world, customer, now, goodwill)
    money = make_good(policy, life[customer, STAKE], compensation)
    book_make_good(books, market, customer, money, now)
    books.tally[N_SETTLED] += 1
    books.tally[RESOLUTION_SUM] += microseconds(elapsed)
    book_event(books, now, customer, IS_SETTLED, word, goodwill.grievance)
    survey(world, customer)
