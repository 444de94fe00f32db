"""One usual scenario, written out: what fixed tests start from and change."""

import math

import numpy as np

from churnsim.births import first_budgets
from churnsim.mechanisms.clocks import budget
from churnsim.records import Floats, Market, Plan, Policy, Population, Relationship
from churnsim.streams import Key
from churnsim.variates import constant, exponential, lognormal, uniform, weibull
from tests.twins.strategies import Setup

MINUTE = 1.0 / 1440.0
YEAR = 365.25
MONTH = YEAR / 12.0
KEY = Key(0x243F6A88, 0x85A308D3)
REPLICATION = 3

MARKET = Market(
    relationship=int(Relationship.SUBSCRIPTION),
    period=MONTH,
    exit_at_renewal=1,
    mistake_probability=0.1,
    lock_in=1.0,
    stated_to_actual=0.35,
    drift=0.2,
    delight=0.1,
    spend_sensitivity=0.07,
    spend_cap=1.0,
    open_spend=0.9,
    ordinary_rate=20.0 / YEAR,
    ordinary_per_occasion=0.0,
    unanswered_sting=constant(0.3),
    memory=exponential(86.0),
    double=1.2,
    bonding=YEAR,
    buffer=0.3,
    betrayed_bond=0.5,
    disclosure=0.3,
    voice_delay=exponential(0.5),
    patience=exponential(10.0 * MINUTE),
    endurance=exponential(10.0),
    return_delay=weibull(1.0, 0.7),
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
    max_attempts=4,
    told_bad=16_500,
    told_good=9000,
    news_period=1.0,
    news_decay=12.0 / YEAR,
    influence=0.5,
    conversion=0.9,
    discount=0.1 / YEAR,
    follow_up_price=3_000_000,
    acquisition_cost=40_000_000,
)
POLICY = Policy(
    hoops=np.array([[*uniform(0.0, 4.0 * MINUTE), 0.1], [*constant(MINUTE), 0.02]]),
    voice_ease=0.0,
    notice=0.1,
    agents=4,
    handle=lognormal(8.0 * MINUTE, 0.8),
    supervisors=2,
    approval=exponential(0.05),
    repair=lognormal(1.0, 0.5),
    limit=2e7,
    leakage=0.1,
    guidelines=lognormal(1.0, 0.3),
    truth=0.4,
    truth_or_excuse=0.7,
    fob_off=0.1,
    promise=uniform(0.5, 3.0),
    contest=0.5,
    apology=1,
    compensation=1.0,
    follow_up=0.3,
    mistakes=1.0,
    manners=1.0,
)
# Late and mild, or broken and dear; see KindColumn.
LATE = (0.7, *exponential(0.4), *lognormal(1.5e7, 1.0), 0.2)
BROKEN = (1.0, *constant(1.2), *exponential(6e7), 0.0)
KINDS: Floats = np.array(
    [
        [*LATE, 0.5, 0.5, 0.2, 0.8, 0.4, 1.0, 3.0, 0.0],
        [*BROKEN, 1.5, 0.2, 0.3, 1.2, 0.5, 0.5, math.inf, 0.0],
    ]
)


def usual_plan(horizon: float) -> Plan:
    """Return the usual market under the usual policy over a horizon [days]."""
    n_months = max(1, math.ceil(horizon / MONTH))
    return Plan(MARKET, POLICY, KINDS, horizon, MONTH, n_months)


def usual_people(n_customers: int, n_prospects: int, horizon: float) -> Population:
    """Return customers with their own traits, and prospects over a horizon [days]."""
    n = n_customers + n_prospects
    u: Floats = np.random.default_rng(1).random((8, n)) + 2.0**-54
    is_prospect = np.arange(n) >= n_customers
    arrival = np.where(is_prospect, horizon * u[0], 0.0)
    mistake, contact = first_budgets(KEY, REPLICATION, n)
    return Population(
        n_customers=n_customers,
        begun=np.where(is_prospect, arrival, -2.0 * YEAR * u[0]),
        arrival=arrival,
        rate=(1.0 + 8.0 * u[1]) / MONTH,
        dropout=0.06 * u[2],
        value=1e7 * (1.0 + 4.0 * u[4]),
        renewal=arrival + MONTH * u[3],
        budget=np.array([budget(x) for x in u[5].tolist()], dtype=np.float64),
        trust=2.0 * (u[6] - 0.5),
        choice=np.where(is_prospect, u[7], 0.0),
        mistake=mistake,
        contact=contact,
    )


def usual_setup(n_customers: int, n_prospects: int, horizon: float) -> Setup:
    """Return the usual scenario with so many people over a horizon [days]."""
    people = usual_people(n_customers, n_prospects, horizon)
    return Setup(usual_plan(horizon), people, KEY, REPLICATION)
