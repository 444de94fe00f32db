"""The engine's desks against queueing theory: exact figures, printed figures, faults.

Ordinary contacts of a population that calls again are a finite source, whose figures
are known exactly; with many customers they are Erlang's within a small part of the
printed tolerance.
"""

from typing import NamedTuple

import numpy as np
import pytest

from churnsim.records import Floats
from churnsim.variates import Law, constant, exponential, lognormal
from tests.oracles import closed_forms as forms
from tests.oracles.gates import Battery
from tests.oracles.worlds import (
    MARKET,
    MINUTE,
    NEVER,
    POLICY,
    SECOND,
    SPEC,
    SURE,
    Builder,
    Change,
    Mistake,
    Watch,
    World,
    calling,
    caught,
    certain,
    controlled,
    desk_counts,
    engine_battery,
    front_visits,
    ratio_values,
    run_with,
    tallies,
)

pytestmark = pytest.mark.compiled


class Figures(NamedTuple):
    """What a desk must show; rates per day, times in days."""

    throughput: float
    wait_probability: float  # 0 where no closed form is at hand
    wait_mean: float
    abandon_probability: float
    utilisation: float


class Limits(NamedTuple):
    """The largest errors that may go unseen [-]."""

    throughput: float = 0.01
    wait_probability: float = 0.01
    wait_mean: float = 0.01
    abandon_probability: float = 0.01
    utilisation: float = 0.01
    queue: float = 0.0  # 0: not looked at, since it is the wait by Little's law


ONE_PERCENT = Limits()


class Seen(NamedTuple):
    """Which desk was watched."""

    desk: str  # "FRONT" or "BACK"
    n_servers: int
    window: float  # [days]


def figures_of(queue: forms.Queue) -> Figures:
    """Return the figures of a desk with exponential times."""
    return Figures(
        queue.throughput,
        queue.wait_probability,
        queue.wait_mean,
        queue.abandon_probability,
        queue.utilisation,
    )


def desk_gates(
    battery: Battery,
    name: str,
    counts: Floats,
    seen: Seen,
    figures: Figures,
    limits: Limits = ONE_PERCENT,
) -> None:
    """Add the gates of one desk, given the counts of `tallies`.

    Waits are noisy because the load is: what they owe to calls and to busy time, whose
    means are known, is taken off.
    """
    desk = desk_counts(counts, seen.desk)
    expected = figures.throughput * seen.window
    capacity = seen.n_servers * seen.window
    over = desk.handled + desk.abandoned
    load = np.stack(
        [desk.joined - expected, desk.busy - figures.utilisation * capacity], axis=1
    )
    battery.mean(f"{name} joined", desk.joined, expected, limits.throughput)
    battery.mean(
        f"{name} utilisation",
        desk.busy / capacity,
        figures.utilisation,
        limits.utilisation,
    )
    for what, sums, trials, ratio, limit in (
        ("wait", desk.wait_sum, over, figures.wait_mean, limits.wait_mean),
        (
            "P(wait)",
            desk.waited,
            desk.joined,
            figures.wait_probability,
            limits.wait_probability,
        ),
        (
            "P(abandon)",
            desk.abandoned,
            over,
            figures.abandon_probability,
            limits.abandon_probability,
        ),
    ):
        if ratio:
            values = ratio_values(sums, trials, ratio, expected)
            battery.mean(f"{name} {what}", controlled(values, load), ratio, limit)
    if limits.queue:
        queue = figures.throughput * figures.wait_mean
        values = controlled(desk.wait_sum / seen.window, load)
        battery.mean(f"{name} queue", values, queue, limits.queue)


# Few customers: what happened is soon forgotten, so that 1 % is seen in seconds.


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


# Many customers: the printed figures, to the tolerances printed beside them.


class Printed(NamedTuple):
    """A desk of published figures; rates per minute, times in minutes."""

    name: str
    n_customers: int
    calls: float  # [1/minute]
    desk: forms.Desk
    figures: Figures
    limits: Limits
    watch: Watch  # [minutes]
    tail: tuple[float, float, float] = (0.0, 0.0, 0.0)  # t [s], P(W > t), limit

    def world(self) -> World:
        """Return customers away for so long that the desk is called at that rate."""
        theta = self.desk.patience_rate
        busy = self.figures.utilisation * self.desk.n_servers
        at_desk = self.figures.wait_mean * self.calls + busy
        rate = self.calls / (self.n_customers - at_desk)
        return calling(
            self.n_customers,
            rate / MINUTE,
            self.desk.n_servers,
            exponential(MINUTE / self.desk.service_rate),
            exponential(MINUTE / theta) if theta else NEVER,
        )

    def days(self) -> Watch:
        """Return how long to watch, in days."""
        watch = self.watch
        return Watch(watch.replications, watch.warm_up * MINUTE, watch.window * MINUTE)


ERLANG_A = Printed(
    "M/M/50+M",
    50_000,
    48.0,
    forms.Desk(50, 1.0, 0.5),
    Figures(48.0, 0.467774, 3.70947 / 60, 0.030912, 0.930324),
    Limits(
        wait_probability=0.016 / 0.467774,
        wait_mean=0.2 / 3.70947,
        abandon_probability=0.0016 / 0.030912,
        utilisation=0.003 / 0.930324,
        queue=0.15 / 2.96758,
    ),
    Watch(100, 30.0, 1_500.0),
    (12.5, 0.09918, 0.008 / 0.09918),
)
ERLANG_C = Printed(
    "M/M/50",
    100_000,
    48.0,
    forms.Desk(50, 1.0),
    Figures(48.0, 0.694456, 20.83367 / 60, 0.0, 0.96),
    Limits(wait_mean=1.5 / 20.83367, queue=1.5 / 20.83367),
    Watch(100, 500.0, 6_000.0),
    (58.1387, 0.1, 1.5 / 20.83367),
)
SMALL = [
    Printed(
        f"M/M/{n_servers}",
        n_customers,
        0.8 * n_servers,
        forms.Desk(n_servers, 1.0),
        Figures(0.8 * n_servers, 0.0, wait, 0.0, 0.8),
        Limits(wait_mean=0.03),
        watch,
    )
    for n_servers, n_customers, wait, watch in (
        (1, 10_000, 4.0, Watch(100, 600.0, 64_000.0)),
        (2, 10_000, 1.77778, Watch(100, 400.0, 37_000.0)),
        (10, 20_000, 0.204590, Watch(100, 150.0, 16_500.0)),
    )
]


def printed_gates(battery: Battery, change: Change, row: Printed) -> None:
    """Add the published figures of a desk that many customers call at."""
    watch = row.days()
    counts = tallies(change(row.world()), watch)
    figures = row.figures._replace(
        throughput=row.figures.throughput / MINUTE,
        wait_mean=row.figures.wait_mean * MINUTE,
    )
    seen = Seen("FRONT", row.desk.n_servers, watch.window)
    desk_gates(battery, row.name, counts, seen, figures, row.limits)


def long_waits(battery: Battery, change: Change) -> None:
    """Add the share who wait longer than the published 90th percentile."""
    for row in (ERLANG_A, ERLANG_C):
        watch, (time, share, limit) = row.days(), row.tail
        until = watch.warm_up + watch.window
        world = change(row.world())
        spec = world.spec._replace(horizon=until + 30 * MINUTE)
        world = world._replace(spec=spec)
        people = world.people(0)
        capacity = int(5 * row.calls * spec.horizon / MINUTE)
        counts = []
        for i in range(watch.replications):
            visits = front_visits(run_with(world, people, i, capacity), until)
            after = visits.joined_at >= watch.warm_up
            waits = (visits.ended_at - visits.joined_at)[after]
            counts.append((np.sum(waits > time * SECOND), len(waits)))
        longer, joined = np.array(counts, np.float64).T
        expected = row.calls / MINUTE * watch.window
        values = ratio_values(longer, joined, share, expected)
        load = (joined - expected)[:, None]
        name = f"{row.name} P(W > {time} s)"
        battery.mean(name, controlled(values, load), share, limit)


def published_erlang_a(battery: Battery, change: Change) -> None:
    """Add 48 calls a minute on 50 agents, patience of two minutes."""
    printed_gates(battery, change, ERLANG_A)


def published_erlang_c(battery: Battery, change: Change) -> None:
    """Add 48 calls a minute on 50 agents, endless patience."""
    printed_gates(battery, change, ERLANG_C)


def small_erlang_c(battery: Battery, change: Change) -> None:
    """Add 1, 2 and 10 agents who are busy 80 % of the time."""
    for row in SMALL:
        printed_gates(battery, change, row)


@pytest.mark.parametrize(
    "builder",
    [
        impatient_few,
        single_few,
        long_way_in,
        rounds,
        published_erlang_a,
        small_erlang_c,
        pytest.param(published_erlang_c, marks=pytest.mark.slow),
        pytest.param(long_waits, marks=pytest.mark.slow),
    ],
)
def test_desks__match_queueing_theory(builder: Builder) -> None:
    """Waits, abandonment and use of desks are those of the closed forms."""
    engine_battery(builder).check()


@pytest.mark.parametrize("row", [ERLANG_A, ERLANG_C, *SMALL], ids=lambda row: row.name)
def test_printed__are_the_closed_forms_of_so_many_customers(row: Printed) -> None:
    """With so many customers the finite source is well within the printed tolerance."""
    figures = row.figures
    queue = forms.erlang_a(row.calls, row.desk)
    assert queue.wait_mean == pytest.approx(figures.wait_mean, rel=2e-6)
    if figures.wait_probability:
        share = pytest.approx(figures.wait_probability, abs=1e-6)
        assert queue.wait_probability == share
    assert queue.abandon_probability == pytest.approx(
        figures.abandon_probability, abs=5e-7
    )
    inside = queue.queue_mean + queue.utilisation * row.desk.n_servers
    rate = row.calls / (row.n_customers - inside)
    finite = forms.finite_source(row.n_customers, rate, row.desk)
    near = row.limits.wait_mean / 8
    assert finite.wait_mean == pytest.approx(queue.wait_mean, rel=near)


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
        pytest.param(published_erlang_a, one_agent_less, marks=pytest.mark.slow),
    ],
)
def test_desks__catch_faults(builder: Builder, change: Change) -> None:
    """A desk that is wrong by a little in one thing fails at least one gate."""
    assert caught(builder, change)
