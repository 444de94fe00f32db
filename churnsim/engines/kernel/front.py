"""The front line: waiting, handling, and what staff do at the end of a contact."""

from typing import NamedTuple

from churnsim.engines.books import Event, Tally
from churnsim.engines.channels import (
    CALLS,
    WAITED,
    WRITES,
    book_abandoning,
    book_handling,
    book_join,
    count,
)
from churnsim.engines.entries import book_event
from churnsim.engines.kernel.back import attempt_block, settle, survey
from churnsim.engines.kernel.closing import close, feel
from churnsim.engines.kernel.crew import (
    are_people,
    has_agent_free,
    next_agent_handled,
    next_free_at,
    restaff_crew,
)
from churnsim.engines.kernel.desks import Desk, is_free, occupy, restaff
from churnsim.engines.kernel.door import (
    end_ordinary,
    go_unanswered,
    try_again,
)
from churnsim.engines.kernel.people import keep_agent_busy
from churnsim.engines.kernel.world import (
    AT_AGENT,
    AT_BACK,
    AT_FRONT,
    DROPOUT_AT,
    GRIEVANCE,
    IS_AT_FAULT,
    IS_CALLED,
    IS_DOUBLE,
    IS_HEARD,
    IS_ORDINARY,
    IS_TOLD,
    KIND,
    PROMISED,
    STAKE,
    World,
    bond_of,
    goodwill_of,
    is_by_message,
    set_moment,
    word_of,
)
from churnsim.jit import mechanism
from churnsim.mechanisms.clocks import served_until
from churnsim.mechanisms.episode import LIE, TRUTH, kind_at, statement
from churnsim.mechanisms.goodwill import (
    after_contact,
    after_discovery,
    after_excuse,
    shifted,
)
from churnsim.mechanisms.leaving import FOREVER, leave_probability
from churnsim.mechanisms.profile import turns_up_at
from churnsim.mechanisms.strain import slowness
from churnsim.records import Cause
from churnsim.streams import Purpose, uniforms
from churnsim.variates import at_least, quantile

ATTEMPT_HANDLING = Purpose.HANDLING.value
ATTEMPT_RETRY = Purpose.RETRY.value
ATTEMPT_STATEMENT = Purpose.STATEMENT.value
ATTEMPT_BELIEF = Purpose.BELIEF.value
ATTEMPT_PROMISE = Purpose.PROMISE.value
ATTEMPT_ENDURANCE = Purpose.ENDURANCE.value
EPISODE_NOTICE = Purpose.NOTICE.value
EPISODE_TOLERANCE = Purpose.TOLERANCE.value
ABANDONED = Cause.ABANDONED.value
REFUSED = Cause.REFUSED.value
BETRAYED = Cause.BETRAYED.value
PLACATED = Cause.PLACATED.value
SETTLED = Cause.SETTLED.value
IS_HANDLED = Event.HANDLED.value
LOSES_PATIENCE = Event.PATIENCE_SPENT.value
CONTACT_ENDS = Event.CONTACT_ENDED.value
IS_LIED_TO = Event.LIED_TO.value
FINDS_OUT = Event.FOUND_OUT.value
ORDINARY_HANDLED = Tally.ORDINARY_HANDLED.value
ORDINARY_ABANDONED = Tally.ORDINARY_ABANDONED.value
CONTACTS = Tally.CONTACTS.value
SETTLED_AT_FIRST = Tally.SETTLED_AT_FIRST.value
ON_THE_SPOT = Tally.ON_THE_SPOT.value
TRUTHS = Tally.TRUTHS.value
EXCUSES = Tally.EXCUSES.value
LIES = Tally.LIES.value
LIES_FOUND_OUT = Tally.LIES_FOUND_OUT.value
FOBBED_OFF = Tally.FOBBED_OFF.value


class Joining(NamedTuple):
    """One who joins the front line, and what the contact is to be."""

    customer: int
    at: float  # [days]
    word: int  # of the episode
    by_message: bool
    is_apart: bool  # at the desk of messages
    has_people: bool  # agents are people
    u_time: float  # handle time
    u_patience: float


@mechanism
def joining(world: World, customer: int, now: float) -> Joining:
    """Return who joins the front line `now`: both draws of a contact are one block."""
    word = word_of(world, customer)
    block = attempt_block(world, customer, ATTEMPT_HANDLING)
    u_time, u_patience = uniforms(world.key, customer, world.replication, word, block)
    by_message = is_by_message(world, customer)
    is_apart = by_message and world.plan.policy.message_agents >= 0
    has_people = are_people(world.crew) and not is_apart
    return Joining(
        customer, now, word, by_message, is_apart, has_people, u_time, u_patience
    )


@mechanism
def join_front(world: World, customer: int, now: float) -> None:
    """Let a customer join a line: it is known then how the wait ends (7.5)."""
    books, market = world.books, world.plan.market
    one = joining(world, customer, now)
    book_join(books, world.plan, one.by_message, now)
    grievance = world.life[customer, GRIEVANCE]
    event = WRITES if one.by_message else CALLS
    book_event(books, now, customer, event, one.word, grievance)
    desk = world.messages if one.is_apart else world.front
    if one.has_people:
        restaff_crew(world.crew, world.plan, now)
    else:
        restaff(desk, now)
    if is_anybody_free(world, desk, one, now):
        handle(world, one, now, False)
        return
    count(books, one.by_message, WAITED)
    until = FOREVER
    if not world.codes[customer, IS_CALLED] or world.codes[customer, IS_ORDINARY]:
        patience = market.message_patience if one.by_message else market.patience
        until = now + at_least(patience, one.u_patience)
        if not is_anybody_free(world, desk, one, until):  # the moment itself matters
            until = now + quantile(patience, one.u_patience)
    if is_anybody_free(world, desk, one, until):
        at = next_free_at(world.crew) if one.has_people else desk.free_at[0]
        handle(world, one, at, True)
    else:
        lose_patience(world, customer, now, until)


@mechanism
def is_anybody_free(world: World, desk: Desk, one: Joining, moment: float) -> bool:
    """Return whether an agent is free for a customer who is next, at a moment."""
    if one.has_people:
        return has_agent_free(world.crew, one.customer, moment)
    return is_free(desk, one.customer, moment)


@mechanism
def handle(world: World, one: Joining, now: float, has_waited: bool) -> None:
    """Let an agent handle a customer from `now` on, if that is before the horizon.

    Args:
        world: The run.
        one: Next in line.
        now: When the contact begins [days].
        has_waited: Whether nobody was free as the customer joined.
    """
    books, plan, customer = world.books, world.plan, one.customer
    if now >= plan.horizon:
        set_moment(world, customer, AT_FRONT, FOREVER)
        return
    law = plan.policy.message_handle if one.by_message else plan.policy.handle
    time = quantile(law, one.u_time)
    if one.has_people:
        time *= slowness(plan.strain, next_agent_handled(world.crew))
    until = served_until(now, time, has_waited)
    book_handling(books, plan, one.by_message, one.at, now, until)
    grievance = world.life[customer, GRIEVANCE]
    book_event(books, now, customer, IS_HANDLED, one.word, grievance)
    if one.has_people:
        keep_agent_busy(world, customer, until)
    else:
        if are_people(world.crew):
            world.crew.warmth[customer] = 1.0
        occupy(world.messages if one.is_apart else world.front, customer, until)
    set_moment(world, customer, AT_AGENT, until)


@mechanism
def lose_patience(world: World, customer: int, joined_at: float, now: float) -> None:
    """Let a customer whose patience is spent leave the line (7.5)."""
    books, market = world.books, world.plan.market
    if now >= world.plan.horizon:
        set_moment(world, customer, AT_FRONT, FOREVER)
        return
    book_abandoning(books, world.plan, is_by_message(world, customer), joined_at, now)
    word = word_of(world, customer)
    grievance = world.life[customer, GRIEVANCE]
    book_event(books, now, customer, LOSES_PATIENCE, word, grievance)
    if world.codes[customer, IS_ORDINARY]:
        books.tally[ORDINARY_ABANDONED] += 1
        go_unanswered(world, customer, now, ABANDONED)
        return
    feel(world, customer, now, shifted(goodwill_of(world, customer), market.wait_sting))
    block = attempt_block(world, customer, ATTEMPT_RETRY)
    u_retry, u_delay = uniforms(world.key, customer, world.replication, word, block)
    if u_retry < market.retry:
        delay = quantile(market.return_delay, u_delay)
        at = turns_up_at(market.profile, now, delay)
        try_again(world, customer, at, now)
    else:
        close(world, customer, now, ABANDONED, word)


@mechanism
def end_handling(world: World, customer: int, now: float) -> None:
    """End a contact (7.6)."""
    word = word_of(world, customer)
    grievance = world.life[customer, GRIEVANCE]
    book_event(world.books, now, customer, CONTACT_ENDS, word, grievance)
    if world.codes[customer, IS_ORDINARY]:
        world.books.tally[ORDINARY_HANDLED] += 1
        end_ordinary(world, customer, now)
    else:
        end_contact(world, customer, now, word)


@mechanism
def end_contact(world: World, customer: int, now: float, word: int) -> None:
    """Contest the claim, settle it on the spot, or say something (7.6)."""
    codes, plan, tally = world.codes, world.plan, world.books.tally
    market, policy = plan.market, plan.policy
    is_first = codes[customer, IS_HEARD] == 0
    codes[customer, IS_HEARD] = 1
    tally[CONTACTS] += 1
    goodwill = after_contact(
        market,
        policy,
        kind_at(plan.kinds, codes[customer, KIND]),
        goodwill_of(world, customer),
        is_first,
        codes[customer, IS_DOUBLE] == 1,
    )
    if is_contested(world, customer, word):
        feel(world, customer, now, shifted(goodwill, market.blame_sting))
        survey(world, customer)
        close(world, customer, now, REFUSED, word)
        return
    feel(world, customer, now, goodwill)
    block = attempt_block(world, customer, ATTEMPT_STATEMENT)
    u_fob, u_say = uniforms(world.key, customer, world.replication, word, block)
    if world.life[customer, STAKE] > policy.limit:
        say(world, customer, now, statement(policy, u_say))
    elif u_fob < policy.fob_off:
        tally[FOBBED_OFF] += 1
        say(world, customer, now, LIE)
    else:
        tally[ON_THE_SPOT] += 1
        tally[SETTLED_AT_FIRST] += 1 if is_first else 0
        block = attempt_block(world, customer, ATTEMPT_ENDURANCE)
        _, u_pay = uniforms(world.key, customer, world.replication, word, block)
        paid = policy.compensation * quantile(policy.guidelines, u_pay)
        warmth = world.crew.warmth[customer] if are_people(world.crew) else 1.0
        settle(world, customer, now, paid, warmth)
        close(world, customer, now, SETTLED, word)


@mechanism
def is_contested(world: World, customer: int, word: int) -> bool:
    """Return whether staff contest a claim: only where the customer is at fault."""
    if not world.codes[customer, IS_AT_FAULT]:
        return False
    _, u = uniforms(world.key, customer, world.replication, word, EPISODE_NOTICE)
    return u < world.plan.policy.contest


@mechanism
def say(world: World, customer: int, now: float, said: int) -> None:
    """Tell the truth, an excuse or a lie to a customer who is not settled now (7.6)."""
    market, tally = world.plan.market, world.books.tally
    word = word_of(world, customer)
    goodwill = goodwill_of(world, customer)
    if said == LIE:
        tally[LIES] += 1
        feel(world, customer, now, shifted(goodwill, -market.placated))
        block = attempt_block(world, customer, ATTEMPT_PROMISE)
        u, _ = uniforms(world.key, customer, world.replication, word, block)
        promised_at = now + quantile(world.plan.policy.promise, u)
        grievance = world.life[customer, GRIEVANCE]
        book_event(world.books, now, customer, IS_LIED_TO, word, grievance)
        set_moment(world, customer, PROMISED, promised_at)
        survey(world, customer)
        return
    if said == TRUTH:
        tally[TRUTHS] += 1
        world.codes[customer, IS_TOLD] = 1
    else:
        tally[EXCUSES] += 1
        block = attempt_block(world, customer, ATTEMPT_BELIEF)
        u, _ = uniforms(world.key, customer, world.replication, word, block)
        feel(world, customer, now, after_excuse(market, goodwill, u))
    set_moment(world, customer, AT_BACK, now)


@mechanism
def meet_promise(world: World, customer: int, now: float) -> None:
    """Let the promised time of a lie come: found out, or not (7.6)."""
    market, tally = world.plan.market, world.books.tally
    word = word_of(world, customer)
    block = attempt_block(world, customer, ATTEMPT_BELIEF)
    _, u_discovery = uniforms(world.key, customer, world.replication, word, block)
    if u_discovery >= market.discovery:
        close(world, customer, now, PLACATED, word)
        return
    tally[LIES_FOUND_OUT] += 1
    strength = bond_of(world, customer, now)
    goodwill = after_discovery(market, goodwill_of(world, customer), strength)
    feel(world, customer, now, goodwill)
    book_event(world.books, now, customer, FINDS_OUT, word, goodwill.grievance)
    tolerance, _ = uniforms(
        world.key, customer, world.replication, word, EPISODE_TOLERANCE
    )
    is_gone = world.life[customer, DROPOUT_AT] <= now
    if is_gone or leave_probability(market, goodwill) > tolerance:
        close(world, customer, now, BETRAYED, word)
        return
    block = attempt_block(world, customer, ATTEMPT_PROMISE)
    _, u_delay = uniforms(world.key, customer, world.replication, word, block)
    at = turns_up_at(market.profile, now, quantile(market.return_delay, u_delay))
    try_again(world, customer, at, now)
