"""What needs no desk: arrival, the content life, mistakes and the front door."""

from churnsim.engines.books import (
    Event,
    Monthly,
    Tally,
    book_cost,
    book_event,
    book_purchase,
    month_of,
)
from churnsim.engines.kernel.closing import (
    catch_up,
    close,
    depart,
    feel,
    forget,
    repace,
)
from churnsim.engines.kernel.world import (
    AT_FRONT,
    ATTEMPT,
    CONTACT_AT,
    CONTACT_LEFT,
    CONTENT,
    DRIFT,
    DROPOUT,
    FORGET_AT,
    GONE,
    GRIEVANCE,
    HOOP,
    IN_HOOP,
    IS_AT_FAULT,
    IS_CALLED,
    IS_DOUBLE,
    IS_ORDINARY,
    KIND,
    MISTAKE_AT,
    MISTAKE_LEFT,
    N_CONTACTS,
    N_HEARD,
    N_MISTAKES,
    OPENED_AT,
    RATE,
    REMEMBERS,
    RENEWAL,
    SINCE,
    SPEND,
    STAKE,
    STING,
    STRETCH,
    TRUST,
    TURNING_UP,
    VALUE,
    World,
    clocks_of,
    goodwill_of,
    set_clocks,
    set_moment,
    traits_of,
    word_of,
)
from churnsim.jit import mechanism
from churnsim.mechanisms.clocks import (
    CONTACT,
    FORGETTING,
    MISTAKE,
    Budgets,
    budget,
    first_clocks,
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
    may_try_again,
    voice_probability,
)
from churnsim.mechanisms.goodwill import after_mistake, shifted, sting_of
from churnsim.mechanisms.leaving import FOREVER
from churnsim.mechanisms.value import (
    PURCHASE,
    contact_rate,
    pace_of,
    spend_factor,
)
from churnsim.mechanisms.word_of_mouth import (
    news_decay,
    news_period_of,
    reputation_after,
    win_probability,
)
from churnsim.primitives import round_half_up
from churnsim.records import Cause, KindColumn
from churnsim.streams import ORDINARY, Purpose, uniforms
from churnsim.variates import quantile

EPISODE_GAP = Purpose.GAP.value
EPISODE_KIND = Purpose.KIND.value
EPISODE_STAKE = Purpose.STAKE.value
EPISODE_NOTICE = Purpose.NOTICE.value
EPISODE_VOICE = Purpose.VOICE.value
CONTACT_PREVENTION = Purpose.PREVENTION.value
DOOR = Purpose.HOOP.value
ATTEMPT_STEP = 256  # of a block number
STING_LAW = KindColumn.STING_LAW.value
STAKE_LAW = KindColumn.STAKE_LAW.value
HOOP_GIVE_UP = 3  # column of a policy's table of hoops
NATURAL = Cause.NATURAL.value
SILENT = Cause.SILENT.value
GAVE_UP = Cause.GAVE_UP.value
EXHAUSTED = Cause.EXHAUSTED.value
ACTIVE = Monthly.ACTIVE.value
BACKLOG = Monthly.BACKLOG.value
MONTHLY_MISTAKES = Monthly.MISTAKES.value
MISTAKES = Tally.MISTAKES.value
DOUBLE_DEVIATIONS = Tally.DOUBLE_DEVIATIONS.value
NOTICED = Tally.NOTICED.value
VOICED = Tally.VOICED.value
UNANSWERED = Tally.UNANSWERED.value
ATTEMPTS = Tally.ATTEMPTS.value
ORDINARY_CONTACTS = Tally.ORDINARY_CONTACTS.value
ORDINARY_GAVE_UP = Tally.ORDINARY_GAVE_UP.value
PROSPECTS = Tally.PROSPECTS.value
WON = Tally.WON.value
LOST_TO_REPUTATION = Tally.LOST_TO_REPUTATION.value
ARRIVES = Event.ARRIVED.value
IS_NOT_WON = Event.NOT_WON.value
SUFFERS = Event.MISTAKE.value
IS_NOTICED = Event.NOTICED.value
SPEAKS_UP = Event.VOICED.value
TURNS_UP = Event.TURNED_UP.value
ASKS = Event.ORDINARY.value
GETS_NO_ANSWER = Event.UNANSWERED.value


@mechanism
def arrive(world: World, customer: int, now: float) -> None:
    """Let a customer's life begin with fresh clocks."""
    life, people, market = world.life, world.people, world.plan.market
    life[customer, RATE] = people.rate[customer]
    life[customer, DROPOUT] = people.dropout[customer]
    life[customer, VALUE] = people.value[customer]
    life[customer, RENEWAL] = people.renewal[customer]
    life[customer, TRUST] = people.trust[customer]
    life[customer, SPEND] = spend_factor(market, 0.0, False)
    life[customer, DRIFT] = 1.0
    life[customer, SINCE] = now
    life[customer, FORGET_AT] = FOREVER
    traits = traits_of(world, customer)
    pace = pace_of(market, world.failing, traits, life[customer, SPEND], 1.0, False)
    first_gap, _ = uniforms(world.key, customer, world.replication, 0, EPISODE_GAP)
    first_contact, _ = uniforms(
        world.key, customer, world.replication, ORDINARY, EPISODE_GAP
    )
    budgets = Budgets(budget(first_gap), people.budget[customer], budget(first_contact))
    set_clocks(world, customer, first_clocks(market, traits, pace, now, budgets))
    books = world.books
    books.is_won[customer] = 1
    books.monthly[month_of(books.monthly, world.plan.month, now), ACTIVE] += 1
    book_event(books, now, customer, ARRIVES, 0, 0.0)
    set_moment(world, customer, CONTENT, now)


@mechanism
def reputation_at(world: World, now: float) -> float:
    """Return the bad reputation in the news period of `now` (7.10)."""
    market, news = world.plan.market, world.news
    decay = news_decay(market)
    period = int(news[1])
    while period < news_period_of(market, now):
        told = world.books.tellings[period]
        news[0] = reputation_after(news[0], decay, told, world.people.n_customers)
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


@mechanism
def be_content(world: World, customer: int, now: float) -> None:
    """Let the next thing happen to a customer in no episode."""
    clocks = clocks_of(world, customer)
    what, at = next_happening(clocks, world.life[customer, FORGET_AT], now)
    if at >= world.plan.horizon:
        world.queue.at[customer] = FOREVER
    elif what == CONTACT:
        world.codes[customer, IS_ORDINARY] = 1
        world.codes[customer, ATTEMPT] = 0
        world.books.tally[ORDINARY_CONTACTS] += 1
        grievance = world.life[customer, GRIEVANCE]
        book_event(world.books, at, customer, ASKS, 0, grievance)
        enter_front_door(world, customer, at)
    elif what == MISTAKE:
        suffer(world, customer, at)
    elif what == FORGETTING:
        forget(world, customer, at)
        set_moment(world, customer, CONTENT, now)
    elif what == DROPS_OUT:
        depart(world, customer, at, NATURAL)


@mechanism
def suffer(world: World, customer: int, now: float) -> None:
    """Let a mistake happen, and the customer or the firm react (7.1 to 7.3)."""
    life, codes, books, plan = world.life, world.codes, world.books, world.plan
    word = int(codes[customer, N_MISTAKES])
    open_episode(world, customer, now, word)
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
    if u_voice < voice_probability(plan.policy, kind, life[customer, STING]):
        books.tally[VOICED] += 1
        book_event(books, now, customer, SPEAKS_UP, word, goodwill.grievance)
        delay = quantile(plan.market.voice_delay, u_delay)
        set_moment(world, customer, TURNING_UP, now + delay)
    else:
        close(world, customer, now, SILENT, word)


@mechanism
def open_episode(world: World, customer: int, now: float, word: int) -> None:
    """Open the episode of a mistake: its kind, sting, stake and fault (7.1)."""
    life, codes, books, plan = world.life, world.codes, world.books, world.plan
    market = plan.market
    is_double = codes[customer, REMEMBERS] == 1
    u_kind, u_sting = uniforms(
        world.key, customer, world.replication, word, EPISODE_KIND
    )
    u_stake, u_fault = uniforms(
        world.key, customer, world.replication, word, EPISODE_STAKE
    )
    row = kind_index(plan.kinds, u_kind)
    sting = quantile(law_in(plan.kinds, row, STING_LAW), u_sting)
    stake = quantile(law_in(plan.kinds, row, STAKE_LAW), u_stake)
    codes[customer, N_MISTAKES] = word + 1
    codes[customer, KIND] = row
    codes[customer, ATTEMPT] = 0
    codes[customer, N_HEARD] = 0
    codes[customer, IS_CALLED] = 0
    codes[customer, IS_DOUBLE] = 1 if is_double else 0
    codes[customer, REMEMBERS] = 0
    codes[customer, IS_AT_FAULT] = (
        1 if u_fault < kind_at(plan.kinds, row).at_fault else 0
    )
    life[customer, FORGET_AT] = FOREVER
    life[customer, OPENED_AT] = now
    life[customer, STING] = sting_of(market, sting, is_double)
    life[customer, STAKE] = float(round_half_up(stake))
    life[customer, STRETCH] = 1.0
    start_mistake_clock(world, customer, now, word + 1)
    if market.relationship == PURCHASE:
        book_purchase(books, plan, customer, life[customer, VALUE], now)
    goodwill = after_mistake(
        plan.policy, goodwill_of(world, customer), life[customer, STING]
    )
    repace(world, customer, now, goodwill, True)
    month = month_of(books.monthly, plan.month, now)
    books.monthly[month, BACKLOG] += 1
    books.monthly[month, MONTHLY_MISTAKES] += 1
    books.tally[MISTAKES] += 1
    books.tally[DOUBLE_DEVIATIONS] += 1 if is_double else 0
    book_event(books, now, customer, SUFFERS, word, goodwill.grievance)


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
    life[customer, MISTAKE_LEFT] = left
    life[customer, MISTAKE_AT] = strike_at(now, left, rate)


@mechanism
def end_ordinary(world: World, customer: int, now: float) -> None:
    """End an ordinary contact: as content as before, until the next one (4.5)."""
    life, codes, market = world.life, world.codes, world.plan.market
    number = int(codes[customer, N_CONTACTS]) + 1
    codes[customer, N_CONTACTS] = number
    codes[customer, IS_ORDINARY] = 0
    word = ORDINARY | number
    u, _ = uniforms(world.key, customer, world.replication, word, EPISODE_GAP)
    rate = contact_rate(market, life[customer, RATE], life[customer, SPEND])
    left = budget(u)
    life[customer, CONTACT_LEFT] = left
    life[customer, CONTACT_AT] = strike_at(now, left, rate)
    set_moment(world, customer, CONTENT, now)


@mechanism
def go_unanswered(world: World, customer: int, now: float, cause: int) -> None:
    """Make an unanswered ordinary contact an episode that closes at once (4.5)."""
    life, codes, books, plan = world.life, world.codes, world.books, world.plan
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
    sting = sting_of(plan.market, sting, is_double)
    codes[customer, REMEMBERS] = 0
    life[customer, FORGET_AT] = FOREVER
    goodwill = after_mistake(plan.policy, goodwill_of(world, customer), sting)
    feel(world, customer, now, goodwill)
    books.tally[UNANSWERED] += 1
    books.tally[DOUBLE_DEVIATIONS] += 1 if is_double else 0
    book_event(books, now, customer, GETS_NO_ANSWER, word, goodwill.grievance)
    close(world, customer, now, cause, word)


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
    """Start the first hoop, or join the front desk where there is none."""
    world.codes[customer, HOOP] = 0
    if world.plan.policy.hoops.shape[0] == 0:
        set_moment(world, customer, AT_FRONT, now)
    else:
        start_hoop(world, customer, now, 0)


@mechanism
def start_hoop(world: World, customer: int, now: float, hoop: int) -> None:
    """Send a customer into a hoop."""
    word = word_of(world, customer)
    block = DOOR + hoop + ATTEMPT_STEP * world.codes[customer, ATTEMPT]
    u, _ = uniforms(world.key, customer, world.replication, word, block)
    time = quantile(law_in(world.plan.policy.hoops, hoop, 0), u)
    world.codes[customer, HOOP] = hoop
    set_moment(world, customer, IN_HOOP, now + time)


@mechanism
def end_hoop(world: World, customer: int, now: float) -> None:
    """End a hoop: the customer gives up, or goes on to the next one or the desk."""
    codes, plan = world.codes, world.plan
    hoop = codes[customer, HOOP]
    word = word_of(world, customer)
    block = DOOR + hoop + ATTEMPT_STEP * codes[customer, ATTEMPT]
    _, u = uniforms(world.key, customer, world.replication, word, block)
    gives_up = u < plan.policy.hoops[hoop, HOOP_GIVE_UP]
    is_ordinary = codes[customer, IS_ORDINARY] == 1
    if not is_ordinary:
        goodwill = goodwill_of(world, customer)
        feel(world, customer, now, shifted(goodwill, plan.market.hoop_sting))
    if gives_up and is_ordinary:
        world.books.tally[ORDINARY_GAVE_UP] += 1
        go_unanswered(world, customer, now, GAVE_UP)
    elif gives_up:
        close(world, customer, now, GAVE_UP, word)
    elif hoop + 1 < plan.policy.hoops.shape[0]:
        start_hoop(world, customer, now, hoop + 1)
    else:
        set_moment(world, customer, AT_FRONT, now)


@mechanism
def try_again(world: World, customer: int, at: float, now: float) -> None:
    """Let a customer turn up again at a later moment, or close the episode `now`."""
    attempt = world.codes[customer, ATTEMPT]
    if may_try_again(world.plan.market, attempt):
        world.codes[customer, ATTEMPT] = attempt + 1
        world.codes[customer, IS_CALLED] = 0
        set_moment(world, customer, TURNING_UP, at)
    else:
        close(world, customer, now, EXHAUSTED, word_of(world, customer))
