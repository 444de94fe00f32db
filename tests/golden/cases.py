"""Canonical runs: small, hand-made plans and populations that touch every rule.

Populations come from addressed uniforms and the project's own arithmetic alone, so that
no library's version can move them. Never change a case; add one.
"""

import hashlib
import math
from collections.abc import Callable

import numpy as np

from churnsim.births import first_budgets
from churnsim.engines.books import Books, open_books
from churnsim.engines.outcome import OPTIONAL, SUMMED
from churnsim.primitives import log, normal_quantile
from churnsim.records import (
    FRONT_DESK,
    MICRO,
    N_KIND_COLUMNS,
    Floats,
    KindColumn,
    Market,
    Plan,
    Policy,
    Population,
    Relationship,
    Strain,
    WhenClosed,
)
from churnsim.streams import Key, uniforms
from churnsim.variates import Law, constant, exponential, lognormal, uniform, weibull

Engine = Callable[[Plan, Population, Key, int, Books], int]

KEY = Key(0x243F6A88, 0x85A308D3)
POPULATION_KEY = Key(0x13198A2E, 0x03707344)
REPLICATION = 3
N_CUSTOMERS = 120
N_PROSPECTS = 30
YEAR = 365.25
MINUTE = 1.0 / 1440.0
HOUR = 1.0 / 24.0

MARKET = Market(
    relationship=Relationship.PURCHASE.value,
    period=YEAR / 12.0,
    exit_at_renewal=0,
    mistake_probability=0.2,
    lock_in=1.0,
    stated_to_actual=0.35,
    drift=0.2,
    delight=0.25,
    spend_sensitivity=0.07,
    spend_cap=1.0,
    open_spend=0.0,
    ordinary_rate=0.0,
    ordinary_per_occasion=0.5,
    unanswered_sting=lognormal(0.3, 0.5),
    memory=exponential(86.0),
    double=1.2,
    bonding=YEAR,
    buffer=0.25,
    betrayed_bond=0.5,
    disclosure=0.3,
    voice_delay=exponential(0.5),
    patience=exponential(3.0 * MINUTE),
    endurance=exponential(2.0),
    return_delay=exponential(1.0),
    retry=0.5,
    hoop_sting=0.05,
    wait_sting=0.2,
    contact_sting=0.3,
    apology=0.1,
    apology_repeat=0.1,
    blame_sting=0.5,
    truth_stretch=1.5,
    excuse_believed=0.5,
    excuse_credit=0.4,
    excuse_sting=0.2,
    placated=0.5,
    discovery=0.47,
    lie_sting=0.5,
    betrayal=0.25,
    distributive=0.45,
    follow_up_credit=0.1,
    max_attempts=10,
    told_bad=9000,
    told_good=5000,
    news_period=1.0,
    news_decay=12.0 / YEAR,
    influence=0.0,
    conversion=1.0,
    discount=0.1 / YEAR,
    follow_up_price=4 * MICRO,
    acquisition_cost=60 * MICRO,
)
SUBSCRIPTION = MARKET._replace(
    relationship=Relationship.SUBSCRIPTION.value,
    mistake_probability=0.1,
    open_spend=1.0,
    ordinary_rate=3.0 / YEAR,
    ordinary_per_occasion=0.0,
)
EMPOWERED = Policy(
    hoops=np.array([[*exponential(0.5 * MINUTE), 0.01]]),
    voice_ease=0.5,
    notice=0.0,
    agents=2,
    handle=lognormal(6.0 * MINUTE, 1.3),
    supervisors=1,
    approval=lognormal(30.0 * MINUTE, 1.0),
    repair=lognormal(4.0 * HOUR, 1.0),
    limit=100.0 * MICRO,
    leakage=0.02,
    guidelines=lognormal(1.0, 0.3),
    truth=1.0,
    truth_or_excuse=1.0,
    fob_off=0.0,
    promise=constant(3.0),
    contest=0.0,
    apology=1,
    compensation=1.0,
    follow_up=0.0,
    mistakes=1.0,
    manners=1.0,
)
SLOW = EMPOWERED._replace(
    limit=0.0,
    supervisors=1,
    approval=lognormal(1.5, 1.0),
    repair=lognormal(2.0, 1.0),
    truth=0.4,
    apology=0,
)
DISHONEST = EMPOWERED._replace(
    limit=30.0 * MICRO, truth=0.1, truth_or_excuse=0.2, fob_off=0.3
)
NO_RECOVERY = SLOW._replace(
    hoops=np.array([[*uniform(MINUTE, 9.0 * MINUTE), 0.3]] * 3),
    agents=1,
    voice_ease=2.0,
    handle=lognormal(0.5, 1.5),
)
THOROUGH = EMPOWERED._replace(
    hoops=np.empty((0, 4)),
    notice=0.3,
    handle=weibull(9.0 * MINUTE, 0.7),
    approval=uniform(HOUR, 9.0 * HOUR),
    contest=0.5,
    compensation=1.5,
    follow_up=0.6,
    mistakes=0.9,
    manners=0.8,
)
# Every duration a multiple of an eighth of a day: most moments are ties.
TICKING_MARKET = MARKET._replace(
    memory=constant(64.0),
    voice_delay=constant(0.5),
    patience=constant(0.125),
    endurance=constant(0.75),
    return_delay=constant(0.25),
    delight=0.0,
    drift=0.0,
    spend_sensitivity=0.0,
    discount=0.0,
)
TICKING = EMPOWERED._replace(
    hoops=np.array([[*constant(0.125), 0.1]]),
    agents=1,
    handle=constant(0.25),
    approval=constant(0.25),
    repair=constant(0.5),
    limit=20.0 * MICRO,
    guidelines=constant(1.0),
    truth=0.5,
    truth_or_excuse=0.5,
    promise=constant(1.0),
)


def talked_about(market: Market) -> Market:
    """Return a market in which news keeps prospects away."""
    return market._replace(influence=2.0, conversion=0.6, told_good=1000)


def kinds_of(*rows: tuple[float, Law, Law, float, float]) -> Floats:
    """Return a table of mistakes: share, sting, stake, at fault and voice of each."""
    table = np.zeros((len(rows), N_KIND_COLUMNS))
    for row, (share, sting, stake, at_fault, voice) in zip(table, rows, strict=True):
        row[KindColumn.CUMULATIVE] = share
        row[KindColumn.STING_LAW : KindColumn.STING_LAW + 3] = sting
        row[KindColumn.STAKE_LAW : KindColumn.STAKE_LAW + 3] = stake
        row[KindColumn.AT_FAULT : KindColumn.MESSAGE_SHARE] = (
            at_fault,
            voice,
            0.3,
            0.37,
            1.01,
            2.1,
            1.0,
            2.0,
        )
    table[:, KindColumn.CUMULATIVE] = np.cumsum(table[:, KindColumn.CUMULATIVE])
    table[-1, KindColumn.CUMULATIVE] = 1.0
    return table


KINDS = kinds_of(
    (0.6, lognormal(1.53, 0.3), lognormal(20.0 * MICRO, 1.0), 0.1, -0.05),
    (0.3, lognormal(3.31, 0.3), lognormal(80.0 * MICRO, 1.0), 0.3, -0.6),
    (0.1, weibull(2.0, 0.5), exponential(200.0 * MICRO), 0.0, 0.5),
)


def plan_of(market: Market, policy: Policy, years: float = 2.0) -> Plan:
    """Return a plan over some years."""
    month = YEAR / 12.0
    return Plan(market, policy, KINDS, years * YEAR, month, math.ceil(12.0 * years))


def with_a_front_line(plan: Plan, *, is_apart: bool) -> Plan:
    """Return a plan with shifts, a profile, agents who are people, and messages.

    Args:
        plan: From a Wednesday on.
        is_apart: Whether messages have a desk of their own.
    """
    days = [[day + hour / 24.0, n] for day in range(5) for hour, n in ((9, 2), (17, 0))]
    roster = np.array(days)
    kinds = plan.kinds.copy()
    kinds[:, KindColumn.MESSAGE_SHARE] = (0.5, 0.1, 0.3)
    market = plan.market._replace(
        when_closed=WhenClosed.RETURN.value,
        profile=np.array([[0.0, 1.5, 0.0], [3.0, 0.625, 4.5]]),
        message_share=0.25,
        message_patience=lognormal(1.5, 0.7),
    )
    policy = plan.policy._replace(
        front_roster=roster,
        quitting=1.5,
        personality=0.25,
        composure=0.5,
        message_agents=1 if is_apart else FRONT_DESK,
        message_handle=lognormal(0.02, 1.0),
    )
    strain = Strain(
        is_on=1,
        quitting=0.02,
        slope=0.5,
        hiring=lognormal(20.0, 0.5),
        hiring_cost=4000 * MICRO,
        newcomer=1.0,
        learning=30.0,
        accommodating=0.5,
        warm=2.0,
        curt=0.0,
    )
    return plan._replace(
        market=market, policy=policy, kinds=kinds, into_week=2.0, strain=strain
    )


CASES: dict[str, Plan] = {
    "purchase, empowered": plan_of(MARKET, EMPOWERED),
    "purchase, slow": plan_of(MARKET, SLOW),
    "purchase, dishonest, word of mouth": plan_of(talked_about(MARKET), DISHONEST),
    "purchase, no recovery": plan_of(MARKET, NO_RECOVERY),
    "purchase, thorough, spends while it waits": plan_of(
        talked_about(MARKET._replace(delight=1.0, spend_cap=1.2, open_spend=0.5)),
        THOROUGH,
    ),
    "purchase, ticking": plan_of(TICKING_MARKET, TICKING),
    "purchase, flawless": plan_of(MARKET, EMPOWERED._replace(mistakes=0.0)),
    "subscription, empowered": plan_of(SUBSCRIPTION, EMPOWERED),
    "subscription, slow, leaves at renewal": plan_of(
        SUBSCRIPTION._replace(exit_at_renewal=1, stated_to_actual=1.0), SLOW
    ),
    "subscription, dishonest, word of mouth": plan_of(
        talked_about(
            SUBSCRIPTION._replace(
                mistake_probability=0.3,
                stated_to_actual=1.0,
                max_attempts=2,
                discovery=0.9,
            )
        ),
        DISHONEST,
    ),
    "subscription, no recovery, crowded, exhausting": plan_of(
        SUBSCRIPTION._replace(
            mistake_probability=0.5,
            stated_to_actual=1.0,
            ordinary_rate=40.0 / YEAR,
            retry=0.9,
            max_attempts=2,
        ),
        NO_RECOVERY,
        years=1.0,
    ),
    "subscription, ticking, forgets nothing": plan_of(
        TICKING_MARKET._replace(
            relationship=SUBSCRIPTION.relationship,
            period=32.0,
            open_spend=1.0,
            exit_at_renewal=1,
            memory=constant(math.inf),
            ordinary_rate=0.02,
        ),
        TICKING,
    ),
    "purchase, a front line of people, calls and messages in one line": (
        with_a_front_line(plan_of(MARKET, EMPOWERED), is_apart=False)
    ),
    "subscription, a front line of people, messages apart": with_a_front_line(
        plan_of(SUBSCRIPTION, SLOW), is_apart=True
    ),
}


def people_for(plan: Plan) -> Population:
    """Return customers and prospects for a plan: exponential and uniform traits."""
    n = N_CUSTOMERS + N_PROSPECTS
    born = np.array(
        [
            [
                *uniforms(POPULATION_KEY, i, 0, 0, b),
                *uniforms(POPULATION_KEY, i, 0, 1, b),
            ]
            for i in range(n)
            for b in range(2)
        ]
    ).reshape(n, 8)
    is_prospect = np.arange(n) >= N_CUSTOMERS
    is_purchase = plan.market.relationship == Relationship.PURCHASE
    arrival = np.where(is_prospect, born[:, 0] * plan.horizon, 0.0)
    occasions = np.array([-log(u) for u in born[:, 1]]) * 8.0 / YEAR
    leaving = born[:, 2] * 0.2
    hazard = np.array([-log(1.0 - p) for p in leaving])
    first = born[:, 3] * plan.market.period
    return Population(
        N_CUSTOMERS,
        np.where(is_prospect, arrival, -3.0 * YEAR * born[:, 4]),
        arrival,
        occasions,
        leaving if is_purchase else hazard,
        (20.0 + 60.0 * born[:, 4]) * MICRO,
        np.full(n, np.inf) if is_purchase else arrival + first,
        np.array([-log(u) for u in born[:, 5]]),
        np.array([0.5 * normal_quantile(u) for u in born[:, 6]]),
        np.where(is_prospect, born[:, 7], 0.0),
        *first_budgets(KEY, REPLICATION, n),
    )


def books_of(plan: Plan, engine: Engine) -> Books:
    """Return the books of a case, the event log included."""
    people = people_for(plan)
    n = len(people.arrival)
    books = open_books(plan, n, 0)
    n_events = engine(plan, people, KEY, REPLICATION, books)
    books = open_books(plan, n, n_events)
    engine(plan, people, KEY, REPLICATION, books)
    return books


def digest_of(books: Books) -> str:
    """Return the SHA-256 of every number in the books but sums over customers.

    The event log is put in order of (time, customer): engines may enter moments of
    different customers in a different order, but never those of one.
    """
    order = np.lexsort((books.log_codes[:, 0], books.log_times))
    books = books._replace(
        log_times=books.log_times[order],
        log_values=books.log_values[order],
        log_codes=books.log_codes[order],
    )
    digest = hashlib.sha256()
    for name, values in books._asdict().items():
        if name in SUMMED or (name in OPTIONAL and not values.size):
            continue  # as in books from before there was any such
        digest.update(f"{name} {values.dtype.name} {values.shape}\n".encode())
        little = values.astype(values.dtype.newbyteorder("<"))
        digest.update(np.ascontiguousarray(little).tobytes())
    return digest.hexdigest()
