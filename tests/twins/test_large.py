"""Reference = interpreted = compiled on many customers, and where ties are the rule."""

import numpy as np
import pytest

from churnsim.records import Cause, Plan, Population
from churnsim.streams import ORDINARY
from churnsim.variates import constant, exponential
from tests.twins.comparing import assert_twins, log_of
from tests.twins.strategies import AT_ONCE, GRIDS, Setup, n_tied
from tests.twins.usual import KEY, MONTH, YEAR, usual_people, usual_plan, usual_setup

pytestmark = pytest.mark.compiled

N_STEPS = 12  # of the grid, in a run on one


def gridded_plan(grid: float, n: int) -> Plan:
    """Return the usual plan for n people, all durations multiples of a grid [days]."""
    plan = usual_plan(N_STEPS * grid)
    market = plan.market._replace(
        period=4.0 * grid,
        ordinary_rate=0.1 / grid,
        memory=constant(5.0 * grid),
        voice_delay=constant(grid),
        patience=constant(2.0 * grid),
        endurance=constant(3.0 * grid),
        return_delay=constant(grid),
        news_period=2.0 * grid,
    )
    hoops = plan.policy.hoops.copy()
    hoops[:, :3] = constant(grid)
    policy = plan.policy._replace(
        hoops=hoops[:1],
        agents=7 * n // 40,
        handle=constant(grid),
        supervisors=3 * n // 100,
        approval=constant(grid),
        repair=constant(0.0),
        promise=constant(2.0 * grid),
    )
    kinds = plan.kinds.copy()
    kinds[:, 8] = 40.0  # all speak up: a silent mistake would be followed at once
    kinds[:, 9] = 0.0
    return plan._replace(market=market, policy=policy, kinds=kinds)


def gridded_people(grid: float, n: int) -> Population:
    """Return n people who arrive and renew on a grid, most of them rushed."""
    n_prospects = 3 * n // 20
    people = usual_people(n - n_prospects, n_prospects, N_STEPS * grid)
    arrival = np.floor(people.arrival / grid) * grid
    phase = np.ceil((people.renewal - people.arrival) / MONTH * 4.0) * grid
    is_rushed = np.arange(len(arrival)) % 5 > 0
    rate = np.where(is_rushed, AT_ONCE, people.rate * MONTH / grid)
    return people._replace(arrival=arrival, rate=rate, renewal=arrival + phase)


def crowded_setup(n_customers: int) -> Setup:
    """Return thousands of customers over 12 days, too many for the staff they have."""
    setup = usual_setup(n_customers, n_customers // 40, 12.0)
    market = setup.plan.market._replace(
        lock_in=-1.0,
        ordinary_rate=6.0 / YEAR,
        voice_delay=exponential(0.2),
        return_delay=exponential(0.2),
        endurance=exponential(3.0),
        max_attempts=2,
        told_good=2500,
        influence=40.0,
    )
    n_agents, n_supervisors = n_customers // 5000, max(1, n_customers // 10_000)
    policy = setup.plan.policy._replace(
        agents=n_agents, supervisors=n_supervisors, truth=0.2
    )
    return setup._replace(plan=setup.plan._replace(market=market, policy=policy))


@pytest.mark.parametrize(
    "n_customers", [5_000, pytest.param(20_000, marks=pytest.mark.slow)]
)
def test_engines__agree_on_thousands_of_customers(n_customers: int) -> None:
    """At crowded desks: the same bits, and every close there is."""
    books = assert_twins(crowded_setup(n_customers))
    assert np.all(books.tally > 0)
    assert np.all(books.closed[Cause.SILENT :] > 0)
    assert np.count_nonzero(books.lost) >= 8


@pytest.mark.parametrize("n", [600, pytest.param(2_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("grid", GRIDS)
def test_engines__agree_where_ties_are_the_rule(grid: float, n: int) -> None:
    """Many people on a time grid: the same bits, and half of all events are ties."""
    books = assert_twins(Setup(gridded_plan(grid, n), gridded_people(grid, n), KEY, 3))
    log = log_of(books)
    assert n_tied(log.times, log.customers) > 0.5 * len(log.times)
    assert np.count_nonzero(log.words >= ORDINARY) > 0
