"""The content life: what comes next, and mistakes up to the front door."""

from churnsim.engines.books import Event, Monthly, Tally
from churnsim.engines.entries import book_event, book_purchase, month_of
from churnsim.engines.kernel.closing import (
    close,
    drop_out,
    feel,
    forget,
    repace,
)
from churnsim.engines.kernel.door import enter_front_door
from churnsim.engines.kernel.world import (
    AT_FRONT,
    ATTEMPT,
    CONTENT,
    DRIFT,
    FORGET_AT,
    GRIEVANCE,
    IS_AT_FAULT,
    IS_CALLED,
    IS_DOUBLE,
    IS_HEARD,
    IS_ORDINARY,
    IS_TOLD,
    KIND,
    MISTAKE_CLOCK,
    N_MISTAKES,
    OPENED_AT,
    REMEMBERS,
    SPEND,
    STAKE,
    TURNING_UP,
    WRITES,
    World,
    bond_of,
    call_up,
    clocks_of,
    goodwill_of,
    kept_clock,
    set_moment,
    traits_of,
    word_of,
)
from churnsim.jit import mechanism
from churnsim.mechanisms.clocks import (
    CONTACT,
    FORGETTING,
    MISTAKE,
    budget,
    next_happening,
    strike_at,
)
from churnsim.mechanisms.clocks import (
    DROPOUT as DROPS_OUT,
)
from churnsim.mechanisms.episode import (
    kind_at,
    kind_index,
    law_in,
    voice_probability,
    writes,
)
from churnsim.mechanisms.goodwill import after_mistake, shifted, sting_of
from churnsim.mechanisms.leaving import FOREVER
from churnsim.mechanisms.profile import turns_up_at
from churnsim.mechanisms.value import (
    PURCHASE,
    pace_of,
)
from churnsim.primitives import round_half_up
from churnsim.records import Cause, KindColumn
from churnsim.streams import Purpose, uniforms
from churnsim.variates import quantile

EPISODE_GAP = Purpose.GAP.value
EPISODE_KIND = Purpose.KIND.value
EPISODE_STAKE = Purpose.STAKE.value
EPISODE_NOTICE = Purpose.NOTICE.value
EPISODE_VOICE = Purpose.VOICE.value
STING_LAW = KindColumn.STING_LAW.value
STAKE_LAW = KindColumn.STAKE_LAW.value
SILENT = Cause.SILENT.value
BACKLOG = Monthly.BACKLOG.value
MONTHLY_MISTAKES = Monthly.MISTAKES.value
MISTAKES = Tally.MISTAKES.value
DOUBLE_DEVIATIONS = Tally.DOUBLE_DEVIATIONS.value
NOTICED = Tally.NOTICED.value
VOICED = Tally.VOICED.value
ORDINARY_CONTACTS = Tally.ORDINARY_CONTACTS.value
SUFFERS = Event.MISTAKE.value
IS_NOTICED = Event.NOTICED.value
SPEAKS_UP = Event.VOICED.value
ASKS = Event.ORDINARY.value


@mechanism
def be_content(world: World, customer: int, now: float) -> None:
    """Let the next thing happen to a customer in no episode."""
    clocks = clocks_of(world, customer)
    what, at = next_happening(clocks, world.life[customer, FORGET_AT], now)
    if at >= world.plan.horizon:
        world.queue.at[customer] = FOREVER
        return
    if what == CONTACT:
        world.codes[customer, IS_ORDINARY] = 1
        world.counts[customer, ATTEMPT] = 0
        choose_channel(world, customer, world.plan.market.message_share)
        world.books.tally[ORDINARY_CONTACTS] += 1
        grievance = world.life[customer, GRIEVANCE]
        book_event(world.books, at, customer, ASKS, 0, grievance)
        enter_front_door(world, customer, at)
        return
    call_up(world, customer)
    if what == MISTAKE:
        suffer(world, customer, at)
    elif what == FORGETTING:
        forget(world, customer, at)
        set_moment(world, customer, CONTENT, now)
    elif what == DROPS_OUT:
        drop_out(world, customer, at)


@mechanism
def choose_channel(world: World, customer: int, message_share: float) -> None:
    """Let a customer choose how to turn up, for the whole episode or contact (7.4)."""
    word = word_of(world, customer)
    is_message = writes(world.key, customer, world.replication, word, message_share)
    world.codes[customer, WRITES] = 1 if is_message else 0


@mechanism
def suffer(world: World, customer: int, now: float) -> None:
    """Let a mistake happen, and the customer or the firm react (7.1 to 7.3)."""
    life, codes, books, plan = world.life, world.codes, world.books, world.plan
    word = int(world.counts[customer, N_MISTAKES])
    sting = open_episode(world, customer, now, word)
    u_notice, _ = uniforms(world.key, customer, world.replication, word, EPISODE_NOTICE)
    goodwill = goodwill_of(world, customer)
    if u_notice < plan.policy.notice:
        codes[customer, IS_CALLED] = 1
        feel(world, customer, now, shifted(goodwill, -plan.market.disclosure))
        books.tally[NOTICED] += 1
        grievance = life[customer, GRIEVANCE]
        book_event(books, now, customer, IS_NOTICED, word, grievance)
        set_moment(world, customer, AT_FRONT, now)
        return
    u_voice, u_delay = uniforms(
        world.key, customer, world.replication, word, EPISODE_VOICE
    )
    kind = kind_at(plan.kinds, codes[customer, KIND])
    if u_voice < voice_probability(plan.policy, kind, sting):
        books.tally[VOICED] += 1
        book_event(books, now, customer, SPEAKS_UP, word, goodwill.grievance)
        delay = quantile(plan.market.voice_delay, u_delay)
        at = turns_up_at(plan.market.profile, now, delay)
        set_moment(world, customer, TURNING_UP, at)
    else:
        close(world, customer, now, SILENT, word)


@mechanism
def open_episode(world: World, customer: int, now: float, word: int) -> float:
    """Open the episode of a mistake: its kind, sting, stake and fault (7.1).

    Returns:
        The sting, doubled where it is a double deviation [log-odds].
    """
    life, counts, codes = world.life, world.counts, world.codes
    books, plan = world.books, world.plan
    market = plan.market
    is_double = codes[customer, REMEMBERS] == 1
    u_kind, u_sting = uniforms(
        world.key, customer, world.replication, word, EPISODE_KIND
    )
    u_stake, u_fault = uniforms(
        world.key, customer, world.replication, word, EPISODE_STAKE
    )
    row = kind_index(plan.kinds, u_kind)
    plain = quantile(law_in(plan.kinds, row, STING_LAW), u_sting)
    sting = sting_of(market, plain, is_double, bond_of(world, customer, now))
    stake = quantile(law_in(plan.kinds, row, STAKE_LAW), u_stake)
    counts[customer, N_MISTAKES] = word + 1
    counts[customer, ATTEMPT] = 0
    codes[customer, KIND] = row
    codes[customer, IS_HEARD] = 0
    codes[customer, IS_TOLD] = 0
    codes[customer, IS_CALLED] = 0
    codes[customer, IS_DOUBLE] = 1 if is_double else 0
    codes[customer, REMEMBERS] = 0
    kind = kind_at(plan.kinds, row)
    codes[customer, IS_AT_FAULT] = 1 if u_fault < kind.at_fault else 0
    choose_channel(world, customer, kind.message_share)
    life[customer, OPENED_AT] = now
    life[customer, STAKE] = float(round_half_up(stake))
    start_mistake_clock(world, customer, now, word + 1)
    if market.relationship == PURCHASE:
        value = traits_of(world, customer).value
        book_purchase(books, plan, customer, value, now)
    goodwill = after_mistake(plan.policy, goodwill_of(world, customer), sting)
    repace(world, customer, now, goodwill, True)
    month = month_of(books.monthly, plan.month, now)
    books.monthly[month, BACKLOG] += 1
    books.monthly[month, MONTHLY_MISTAKES] += 1
    books.tally[MISTAKES] += 1
    books.tally[DOUBLE_DEVIATIONS] += 1 if is_double else 0
    book_event(books, now, customer, SUFFERS, word, goodwill.grievance)
    return sting


@mechanism
def start_mistake_clock(world: World, customer: int, now: float, word: int) -> None:
    """Give the clock of mistakes the budget of the next episode."""
    life = world.life
    u, _ = uniforms(world.key, customer, world.replication, word, EPISODE_GAP)
    rate = pace_of(
        world.plan.market,
        world.failing,
        traits_of(world, customer),
        life[customer, SPEND],
        life[customer, DRIFT],
        False,
    ).mistakes
    left = budget(u)
    at = strike_at(now, left, rate)
    life[customer, MISTAKE_CLOCK] = kept_clock(at, left)
