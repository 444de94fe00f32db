"""Word of mouth and discounting in the engine, told again from the event log."""

import math

import numpy as np
import pytest

from churnsim.engines.books import Account, Books, Event, Tally
from churnsim.records import MICRO, Floats, Integers
from churnsim.variates import constant
from tests.oracles import closed_forms as forms
from tests.oracles.gates import Battery
from tests.oracles.worlds import (
    MARKET,
    POLICY,
    SPEC,
    SURE,
    YEAR,
    Builder,
    Change,
    Mistake,
    World,
    caught,
    certain,
    engine_battery,
    run,
)

pytestmark = pytest.mark.compiled

N_PERIODS = 16
TOLD_BAD, TOLD_GOOD = 9_000, 5_000  # [thousandths]
CONVERSION, INFLUENCE, DECAY = 0.6, 0.5, 0.2
N_CUSTOMERS = 60_000
TEN_PERCENT = math.log(1.1) / YEAR  # continuous [per day]


def talkative() -> World:
    """Return customers of whom some leave, some are delighted, and all talk.

    Half speak up and are put right at once; prospects come at a constant rate.
    """
    market = MARKET._replace(
        mistake_probability=1.0,
        stated_to_actual=0.5,
        told_bad=TOLD_BAD,
        told_good=TOLD_GOOD,
        news_period=1.0,
        news_decay=DECAY,
        influence=INFLUENCE,
        conversion=CONVERSION,
    )
    mistake = Mistake(sting=constant(0.4), voice=0.0, heard=0.3, settled=0.9)
    spec = SPEC._replace(
        customers=N_CUSTOMERS,
        prospects=22_000.0,
        rate=certain(0.2),
        horizon=float(N_PERIODS),
    )
    return World(market, POLICY, mistake, spec)


def told(books: Books) -> tuple[Integers, Integers]:
    """Return bad and good tellings a period [thousandths], from the event log.

    One who leaves is logged right after the close; one who stays, delighted or not, by
    the grievance at the close.
    """
    size = int(books.log_count[0])
    event = books.log_codes[:size, 1]
    closed = np.flatnonzero(event == Event.CLOSED)
    leaves = event[np.minimum(closed + 1, size - 1)] == Event.LEFT
    delighted = ~leaves & (books.log_values[closed] < 0.0)
    period = np.floor(books.log_times[closed]).astype(np.int64)
    bad, good = (
        each * np.bincount(period[who], minlength=N_PERIODS)
        for each, who in ((TOLD_BAD, leaves), (TOLD_GOOD, delighted))
    )
    return bad, good


def chances(bad: Integers, good: Integers) -> Floats:
    """Return the chance of winning a prospect in each period, in closed form."""
    news = forms.News(DECAY, 1.0, N_CUSTOMERS)
    levels = forms.reputation(bad.tolist(), good.tolist(), news)
    return np.array(
        [forms.win_probability(CONVERSION, INFLUENCE, level) for level in levels]
    )


def test_news__travels_as_the_recurrence_says() -> None:
    """Tellings are those of the log, and each prospect decides by R of the period."""
    world = talkative()
    people = world.people(0)
    books = run(world, 0, 3_500_000)
    bad, good = told(books)
    assert min(bad.sum(), good.sum()) > 0
    assert np.array_equal(books.tellings[:N_PERIODS], bad - good)
    new = slice(N_CUSTOMERS, None)
    period = np.floor(people.arrival[new]).astype(np.int64)
    chance = chances(bad, good)[period]
    certain_enough = np.abs(people.choice[new] - chance) > 1e-12
    won = people.choice[new] < chance
    assert np.array_equal(books.is_won[new][certain_enough], won[certain_enough])
    kept_away = (people.choice[new] < CONVERSION) & ~won
    lost = int(books.tally[Tally.LOST_TO_REPUTATION])
    assert abs(lost - int(kept_away.sum())) <= int(np.sum(~certain_enough))


def news(battery: Battery, change: Change) -> None:
    """Add prospects won, against the chances that the news leaves them."""
    books = run(change(talkative()), 0, 3_500_000)
    people = talkative().people(0)
    chance = chances(*told(books))
    new = slice(N_CUSTOMERS, None)
    period = np.floor(people.arrival[new]).astype(np.int64)
    # Given the news so far, each prospect is won with the chance of the period.
    values = books.is_won[new] / chance[period]
    battery.mean("prospects won, over their chance", values, 1.0)


def discounted_costs(battery: Battery, change: Change) -> None:
    """Add make-good, follow-up calls and acquisition, discounted to time 0.

    A payment c at rate φ up to T is worth c·φ·(1 − exp(−δT))/δ.
    """
    years, rate = 8.0, 1.5  # mistakes a year
    annuity = -math.expm1(-math.log(1.1) * years) / math.log(1.1)
    market = MARKET._replace(
        mistake_probability=0.25,
        discount=TEN_PERCENT,
        follow_up_price=20 * MICRO,
        acquisition_cost=350 * MICRO,
    )
    policy = POLICY._replace(compensation=0.8, leakage=0.1, follow_up=0.4)
    n = 120_000
    spec = SPEC._replace(
        customers=n, rate=certain(4 * rate / YEAR), horizon=years * YEAR
    )
    mistake = Mistake(stake=50.0, voice=SURE)
    accounts = run(change(World(market, policy, mistake, spec))).accounts / MICRO
    paid = rate * 0.8 * 50.0 * 1.1
    make_good = accounts[:, Account.MAKE_GOOD]
    battery.mean("make-good", make_good, paid * years)
    make_good = accounts[:, Account.MAKE_GOOD_DISCOUNTED]
    battery.mean("make-good, discounted", make_good, paid * annuity)
    calls = accounts[:, Account.COST_DISCOUNTED]
    battery.mean("follow-up calls, discounted", calls, rate * 0.4 * 20.0 * annuity)
    coming = spec._replace(
        customers=0, prospects=420_000 / spec.horizon, rate=certain(0.0)
    )
    market = market._replace(conversion=0.6)
    accounts = run(change(World(market, policy, mistake, coming)), 1).accounts / MICRO
    expected = 0.6 * 350.0 * annuity / years
    cost = accounts[:, Account.COST_DISCOUNTED]
    battery.mean("acquisition, discounted", cost, expected)


@pytest.mark.parametrize("builder", [news, discounted_costs])
def test_news_and_money__match_closed_forms(builder: Builder) -> None:
    """Prospects are won by the news, and payments are worth what annuities say."""
    engine_battery(builder).check()


def half_deaf(world: World) -> World:
    """Return the world in which news weighs a fifth less."""
    influence = 0.8 * world.market.influence
    return world._replace(market=world.market._replace(influence=influence))


def untimely(world: World) -> World:
    """Return the world with a discount larger by three percent."""
    discount = 1.03 * world.market.discount
    return world._replace(market=world.market._replace(discount=discount))


def leaky(world: World) -> World:
    """Return the world with a little more leakage."""
    return world._replace(policy=world.policy._replace(leakage=0.115))


@pytest.mark.parametrize(
    ("builder", "change"),
    [
        (news, half_deaf),
        (discounted_costs, untimely),
        pytest.param(discounted_costs, leaky, marks=pytest.mark.slow),
    ],
)
def test_news_and_money__catch_faults(builder: Builder, change: Change) -> None:
    """A world that is wrong by a little in one thing fails at least one gate."""
    assert caught(builder, change)
