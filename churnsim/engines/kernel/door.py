"""The front door: hoops, attempts, and ordinary contacts that go unanswered."""

from churnsim.engines.books import Event, Tally, Weekly
from churnsim.engines.entries import book_event, book_hour
from churnsim.engines.kernel.closing import (
    catch_up,
    close,
    feel,
)
from churnsim.engines.kernel.world import (
    AT_CLOSED_DOOR,
    AT_FRONT,
    ATTEMPT,
    CONTACT_CLOCK,
    CONTENT,
    FORGET_AT,
    GIVING_UP,
    GRIEVANCE,
    HOOP,
    IN_HOOP,
    IS_CALLED,
    IS_ORDINARY,
    N_CONTACTS,
    RATE,
    REMEMBERS,
    SPEND,
    TURNING_UP,
    World,
    bond_of,
    call_up,
    goodwill_of,
    is_by_message,
    kept_clock,
    set_moment,
    word_of,
)
from churnsim.jit import mechanism
from churnsim.mechanisms.clocks import (
    budget,
    contact_strikes_at,
)
from churnsim.mechanisms.episode import (
    law_in,
    may_try_again,
)
from churnsim.mechanisms.goodwill import after_mistake, shifted, sting_of
from churnsim.mechanisms.hours import is_closed, opening
from churnsim.mechanisms.leaving import FOREVER
from churnsim.mechanisms.value import (
    contact_rate,
)
from churnsim.records import Cause, WhenClosed
from churnsim.streams import ORDINARY, Purpose, uniforms
from churnsim.variates import quantile

EPISODE_GAP = Purpose.GAP.value
EPISODE_KIND = Purpose.KIND.value
CONTACT_PREVENTION = Purpose.PREVENTION.value
DOOR = Purpose.HOOP.value
ATTEMPT_STEP = 256  # of a block number
GIVE_UP = 3  # column of a policy's table of hoops
GAVE_UP = Cause.GAVE_UP.value
EXHAUSTED = Cause.EXHAUSTED.value
DOUBLE_DEVIATIONS = Tally.DOUBLE_DEVIATIONS.value
UNANSWERED = Tally.UNANSWERED.value
ATTEMPTS = Tally.ATTEMPTS.value
ORDINARY_GAVE_UP = Tally.ORDINARY_GAVE_UP.value
TURNS_UP = Event.TURNED_UP.value
WAIT = WhenClosed.WAIT.value
RETURN = WhenClosed.RETURN.value
HOUR_TURNED_AWAY = Weekly.TURNED_AWAY.value
IS_TURNED_AWAY = Event.TURNED_AWAY.value
GETS_NO_ANSWER = Event.UNANSWERED.value


@mechanism
def end_ordinary(world: World, customer: int, now: float) -> None:
    """End an ordinary contact: as content as before, until the next one (4.5)."""
    life, market = world.life, world.plan.market
    number = int(world.counts[customer, N_CONTACTS]) + 1
    world.counts[customer, N_CONTACTS] = number
    world.codes[customer, IS_ORDINARY] = 0
    word = ORDINARY | number
    u, _ = uniforms(world.key, customer, world.replication, word, EPISODE_GAP)
    rate = contact_rate(market, life[customer, RATE], life[customer, SPEND])
    left = budget(u)
    at = contact_strikes_at(market.profile, now, left, rate)
    life[customer, CONTACT_CLOCK] = kept_clock(at, left)
    set_moment(world, customer, CONTENT, now)


@mechanism
def go_unanswered(world: World, customer: int, now: float, cause: int) -> None:
    """Make an unanswered ordinary contact an episode that closes at once (4.5)."""
    life, codes, books, plan = world.life, world.codes, world.books, world.plan
    call_up(world, customer)
    if not catch_up(world, customer, now, False):
        return
    word = word_of(world, customer)
    end_ordinary(world, customer, now)
    u, _ = uniforms(world.key, customer, world.replication, word, CONTACT_PREVENTION)
    if u >= plan.policy.mistakes:
        return
    is_double = codes[customer, REMEMBERS] == 1
    _, u_sting = uniforms(world.key, customer, world.replication, word, EPISODE_KIND)
    sting = quantile(plan.market.unanswered_sting, u_sting)
    strength = bond_of(world, customer, now)
    sting = sting_of(plan.market, sting, is_double, strength)
    codes[customer, REMEMBERS] = 0
    life[customer, FORGET_AT] = FOREVER
    goodwill = after_mistake(plan.policy, goodwill_of(world, customer), sting)
    feel(world, customer, now, goodwill)
    books.tally[UNANSWERED] += 1
    books.tally[DOUBLE_DEVIATIONS] += 1 if is_double else 0
    book_event(books, now, customer, GETS_NO_ANSWER, word, goodwill.grievance)
    close(world, customer, now, cause, word)


@mechanism
def be_at_door(world: World, customer: int, phase: int, now: float) -> None:
    """Let a customer's moment at the front door come, whichever it is."""
    if phase == TURNING_UP:
        turn_up(world, customer, now)
    elif phase == IN_HOOP:
        end_hoop(world, customer, now)
    elif phase == GIVING_UP:
        give_up(world, customer, now)
    else:
        enter_front_door(world, customer, now)


@mechanism
def turn_up(world: World, customer: int, now: float) -> None:
    """Let a customer with a case turn up at the front door (7.4)."""
    world.books.tally[ATTEMPTS] += 1
    grievance = world.life[customer, GRIEVANCE]
    word = word_of(world, customer)
    book_event(world.books, now, customer, TURNS_UP, word, grievance)
    enter_front_door(world, customer, now)


@mechanism
def enter_front_door(world: World, customer: int, now: float) -> None:
    """Start the first hoop, or join the front desk where there is none.

    One who finds the desk closed may give up, or turn up again as it opens. Messages
    meet no door.
    """
    plan = world.plan
    if is_by_message(world, customer):
        set_moment(world, customer, AT_FRONT, now)
        return
    if plan.market.when_closed != WAIT and is_closed(
        plan.policy.front_roster, plan.into_week, now
    ):
        turn_away(world, customer, now)
        return
    world.codes[customer, HOOP] = 0
    if world.plan.policy.hoops.shape[0] == 0:
        set_moment(world, customer, AT_FRONT, now)
    else:
        start_hoop(world, customer, now, 0)


@mechanism
def turn_away(world: World, customer: int, now: float) -> None:
    """Let a customer find the front desk closed (7.4)."""
    books, plan = world.books, world.plan
    word = word_of(world, customer)
    grievance = world.life[customer, GRIEVANCE]
    book_event(books, now, customer, IS_TURNED_AWAY, word, grievance)
    book_hour(books, plan, now, HOUR_TURNED_AWAY, 1)
    if plan.market.when_closed == RETURN:
        at = opening(plan.policy.front_roster, plan.into_week, now)
        set_moment(world, customer, AT_CLOSED_DOOR, at)
    else:
        end_in_vain(world, customer, now)


@mechanism
def start_hoop(world: World, customer: int, now: float, hoop: int) -> None:
    """Send a customer into a hoop."""
    word = word_of(world, customer)
    block = DOOR + hoop + ATTEMPT_STEP * world.counts[customer, ATTEMPT]
    u_time, u_give_up = uniforms(world.key, customer, world.replication, word, block)
    hoops = world.plan.policy.hoops
    time = quantile(law_in(hoops, hoop, 0), u_time)
    world.codes[customer, HOOP] = hoop
    phase = GIVING_UP if u_give_up < hoops[hoop, GIVE_UP] else IN_HOOP
    set_moment(world, customer, phase, now + time)


@mechanism
def end_hoop(world: World, customer: int, now: float) -> None:
    """End a hoop: the customer goes on to the next one, or to the desk."""
    suffer_hoop(world, customer, now)
    hoop = int(world.codes[customer, HOOP]) + 1
    if hoop < world.plan.policy.hoops.shape[0]:
        start_hoop(world, customer, now, hoop)
    else:
        set_moment(world, customer, AT_FRONT, now)


@mechanism
def give_up(world: World, customer: int, now: float) -> None:
    """Let a customer give up as a hoop ends."""
    suffer_hoop(world, customer, now)
    end_in_vain(world, customer, now)


@mechanism
def end_in_vain(world: World, customer: int, now: float) -> None:
    """Let a customer go away from the front door, having reached nobody."""
    if world.codes[customer, IS_ORDINARY]:
        world.books.tally[ORDINARY_GAVE_UP] += 1
        go_unanswered(world, customer, now, GAVE_UP)
    else:
        close(world, customer, now, GAVE_UP, word_of(world, customer))


@mechanism
def suffer_hoop(world: World, customer: int, now: float) -> None:
    """Let a hoop sting one who has a case."""
    if not world.codes[customer, IS_ORDINARY]:
        goodwill = goodwill_of(world, customer)
        feel(world, customer, now, shifted(goodwill, world.plan.market.hoop_sting))


@mechanism
def try_again(world: World, customer: int, at: float, now: float) -> None:
    """Let a customer turn up again at a later moment, or close the episode `now`."""
    attempt = world.counts[customer, ATTEMPT]
    if may_try_again(world.plan.market, attempt):
        world.counts[customer, ATTEMPT] = attempt + 1
        world.codes[customer, IS_CALLED] = 0
        set_moment(world, customer, TURNING_UP, at)
    else:
        close(world, customer, now, EXHAUSTED, word_of(world, customer))
