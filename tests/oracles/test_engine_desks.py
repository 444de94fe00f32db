"""The engine's desks against exact queueing theory, to one percent, and with faults.

Ordinary contacts of a population that calls again are a finite source. With few
customers what happened is soon forgotten, so that 1 % is seen in seconds.
"""

import numpy as np
import pytest

from churnsim.variates import Law, constant, exponential, lognormal
from tests.oracles import closed_forms as forms
from tests.oracles.gates import Battery
from tests.oracles.watching import (
    Figures,
    Seen,
    Watch,
    desk_gates,
    figures_of,
    tallies,
)
from tests.oracles.worlds import (
    MARKET,
    NEVER,
    POLICY,
    SPEC,
    SURE,
    Builder,
    Change,
    Mistake,
    World,
    calling,
    caught,
    certain,
    engine_battery,
)

pytestmark = pytest.mark.compiled


def impatient_few(battery: Battery, change: Change) -> None:
    """Add 12 customers, 3 agents, patience of half a handle time: M/M/3+M, finite."""
    world = calling(12, 0.6, 3, exponential(1.0), exponential(0.5))
    queue = forms.finite_source(12, 0.6, forms.Desk(3, 1.0, 2.0))
    watch = Watch(100, 40.0, 6_000.0)
    counts = tallies(change(world), watch)
    seen = Seen("FRONT", 3, watch.window)
    desk_gates(battery, "M/M/3//12+M", counts, seen, figures_of(queue))


def single_few(battery: Battery, change: Change) -> None:
    """Add one agent and 6 customers, handle times of three laws: Takács."""
    laws = {
        "M": (exponential(1.0), forms.exponential_transform(1.0), 10_000.0),
        "D": (constant(1.0), forms.constant_transform(1.0), 12_000.0),
        "LN": (lognormal(1.0, 1.3), forms.lognormal_transform(1.0, 1.3), 14_000.0),
    }
    for name, (law, transform, window) in laws.items():
        world = calling(6, 0.2, 1, law)
        server = forms.one_server_finite_source(6, 0.2, 1.0, transform)
        figures = Figures(
            server.throughput, 0.0, server.wait_mean, 0.0, server.utilisation
        )
        counts = tallies(change(world), Watch(200, 100.0, window))
        seen = Seen("FRONT", 1, window)
        desk_gates(battery, f"M/{name}/1//6", counts, seen, figures)


def long_way_in(battery: Battery, change: Change) -> None:
    """Add hoops of any law, some given up in: time on the way is time away (BCMP)."""
    hoops = np.array([[*lognormal(0.5, 2.0), 0.2], [*constant(0.25), 0.1]])
    world = calling(12, 1.0, 3, exponential(1.0), exponential(0.5))
    world = world._replace(policy=world.policy._replace(hoops=hoops))
    away = (1.0 + 0.5 + 0.8 * 0.25) / (0.8 * 0.9)
    queue = forms.finite_source(12, 1 / away, forms.Desk(3, 1.0, 2.0))
    watch = Watch(100, 60.0, 9_000.0)
    counts = tallies(change(world), watch)
    seen = Seen("FRONT", 3, watch.window)
    desk_gates(battery, "hoops, M/M/3//12+M", counts, seen, figures_of(queue))


def rounds(battery: Battery, change: Change) -> None:
    """Add cases that go from front to back desk and repair: Gordon and Newell."""
    policy = POLICY._replace(
        agents=1,
        handle=exponential(0.5),
        supervisors=2,
        approval=exponential(1.5),
        repair=lognormal(2.0, 1.5),
        limit=-1.0,
    )
    market = MARKET._replace(mistake_probability=1.0)
    spec = SPEC._replace(customers=10, rate=certain(0.5))
    world = World(market, policy, Mistake(voice=SURE), spec)
    stations = [
        forms.Station(1.0, 2.0, 0),
        forms.Station(1.0, 0.5, 1),
        forms.Station(1.0, 1.5, 2),
        forms.Station(1.0, 2.0, 0),
    ]
    network = forms.closed_network(10, stations)
    watch = Watch(200, 100.0, 16_000.0)
    counts = tallies(change(world), watch)
    for place, which in ((1, "FRONT"), (2, "BACK")):
        station, figures = stations[place], network.stations[place]
        busy = network.throughput * station.service_mean / station.n_servers
        expected = Figures(
            network.throughput, figures.wait_probability, figures.wait_mean, 0.0, busy
        )
        seen = Seen(which, station.n_servers, watch.window)
        desk_gates(battery, f"rounds, {which.lower()}", counts, seen, expected)


@pytest.mark.parametrize(
    "builder",
    [
        impatient_few,
        single_few,
        long_way_in,
        rounds,
    ],
)
def test_desks__match_queueing_theory(builder: Builder) -> None:
    """Waits, abandonment and use of desks are those of the closed forms."""
    engine_battery(builder).check()


def slower(world: World) -> World:
    """Return the world with handle times longer by half a percent."""
    law = world.policy.handle
    shift = np.log(1.005)
    longer = Law(law.kind, law.a + shift if law.b else 1.005 * law.a, law.b)
    return world._replace(policy=world.policy._replace(handle=longer))


def endless(world: World) -> World:
    """Return the world with customers who never give up waiting."""
    return world._replace(market=world.market._replace(patience=NEVER))


def one_agent_less(world: World) -> World:
    """Return the world with one agent who never works."""
    return world._replace(policy=world.policy._replace(agents=world.policy.agents - 1))


def steadier(world: World) -> World:
    """Return the world with the same mean handle time, less spread if lognormal."""
    law = world.policy.handle
    steady = lognormal(1.0, 1.25) if law.b else law
    return world._replace(policy=world.policy._replace(handle=steady))


def easier_door(world: World) -> World:
    """Return the world in which one in a hundred fewer gives up in the first hoop."""
    hoops = world.policy.hoops.copy()
    hoops[0, 3] -= 0.01
    return world._replace(policy=world.policy._replace(hoops=hoops))


def quicker_approval(world: World) -> World:
    """Return the world with approvals quicker by one percent."""
    approval = exponential(0.99 * world.policy.approval.a)
    return world._replace(policy=world.policy._replace(approval=approval))


def more_calls(world: World) -> World:
    """Return the world with one percent more calls."""
    rate = 1.01 * world.market.ordinary_rate
    return world._replace(market=world.market._replace(ordinary_rate=rate))


@pytest.mark.parametrize(
    ("builder", "change"),
    [
        (impatient_few, slower),
        (impatient_few, endless),
        (impatient_few, one_agent_less),
        (impatient_few, more_calls),
        pytest.param(rounds, quicker_approval, marks=pytest.mark.slow),
        pytest.param(single_few, steadier, marks=pytest.mark.slow),
        pytest.param(single_few, slower, marks=pytest.mark.slow),
        pytest.param(long_way_in, easier_door, marks=pytest.mark.slow),
    ],
)
def test_desks__catch_faults(builder: Builder, change: Change) -> None:
    """A desk that is wrong by a little in one thing fails at least one gate."""
    assert caught(builder, change)
