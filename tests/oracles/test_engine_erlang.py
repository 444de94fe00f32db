"""The engine's front desk against the published figures of Erlang's formulas.

Ordinary contacts of many customers who call again differ from Poisson calls by a small
part of the tolerances that are printed beside the figures.
"""

from typing import NamedTuple

import numpy as np
import pytest

from churnsim.engines.books import MICROSECONDS, Tally
from churnsim.variates import exponential, lognormal
from tests.oracles import closed_forms as forms
from tests.oracles.gates import Battery
from tests.oracles.watching import (
    Figures,
    Limits,
    Seen,
    Watch,
    controlled,
    desk_gates,
    front_visits,
    ratio_values,
    tallies,
)
from tests.oracles.worlds import (
    MINUTE,
    NEVER,
    SECOND,
    Builder,
    Change,
    World,
    calling,
    caught,
    engine_battery,
    run_with,
)

pytestmark = pytest.mark.compiled


N_LONG = 140  # replications for tails
N_SHARP = 900  # replications for mean waits to 1 %


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
    Watch(100, 30.0, 1_700.0),
    (12.5, 0.09918, 0.008 / 0.09918),
)
ERLANG_C = Printed(
    "M/M/50",
    100_000,
    48.0,
    forms.Desk(50, 1.0),
    Figures(48.0, 0.694456, 20.83367 / 60, 0.0, 0.96),
    Limits(wait_mean=1.5 / 20.83367, queue=1.5 / 20.83367),
    Watch(100, 500.0, 6_700.0),
    (58.1387, 0.1, 0.13),  # .13 of this share is 7.2 % of the percentile
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
        (10, 20_000, 0.204590, Watch(100, 150.0, 18_000.0)),
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


def one_lognormal(
    battery: Battery, change: Change, replications: int, limits: Limits
) -> None:
    """Add one agent, busy half of the time, lognormal times: Pollaczek, Khinchine."""
    n, load, cv = 10_000, 0.5, 1.3
    wait = forms.pollaczek_khinchine(load, 1.0, cv)
    world = calling(n, load / (n - load * wait - load), 1, lognormal(1.0, cv))
    watch = Watch(replications, 300.0, 100_000.0)
    counts = tallies(change(world), watch)
    figures = Figures(load, load, wait, 0.0, load)
    seen = Seen("FRONT", 1, watch.window)
    desk_gates(battery, "M/LN/1", counts, seen, figures, limits)


def long_waits(battery: Battery, change: Change) -> None:
    """Add the share who wait longer than the published 90th percentile."""
    for row in (ERLANG_A, ERLANG_C):
        watch, (time, share, limit) = row.days(), row.tail
        until, end = watch.warm_up + watch.window, 30 * MINUTE
        world = change(row.world())
        world = world._replace(spec=world.spec._replace(horizon=until + end))
        before = world._replace(spec=world.spec._replace(horizon=watch.warm_up))
        people = world.people(0)
        capacity = int(5 * row.calls * (until + end) / MINUTE)
        counts = []
        for i in range(N_LONG):
            books = run_with(world, people, i, capacity)
            visits = front_visits(books, until)
            after = visits.joined_at >= watch.warm_up
            waits = (visits.ended_at - visits.joined_at)[after]
            tally = books.tally - run_with(before, people, i).tally
            busy = tally[Tally.FRONT_BUSY] / MICROSECONDS
            counts.append((np.sum(waits > time * SECOND), len(waits), busy))
        longer, joined, busy_time = np.array(counts, np.float64).T
        expected = row.calls / MINUTE * watch.window
        values = ratio_values(longer, joined, share, expected)
        busy_agents = row.figures.utilisation * row.desk.n_servers
        spare = busy_time - busy_agents * (watch.window + end)
        load = np.stack([joined - expected, spare], axis=1)
        name = f"{row.name} P(W > {time} s)"
        battery.mean(name, controlled(values, load), share, limit)


def published_erlang_a(battery: Battery, change: Change) -> None:
    """Add 48 calls a minute on 50 agents, patience of two minutes."""
    printed_gates(battery, change, ERLANG_A)


def published_erlang_c(battery: Battery, change: Change) -> None:
    """Add 48 calls a minute on 50 agents, endless patience."""
    printed_gates(battery, change, ERLANG_C)


def small_erlang_c(battery: Battery, change: Change) -> None:
    """Add 1, 2 and 10 agents who are busy 80 % of the time, mean waits to 3 %."""
    for row in SMALL:
        printed_gates(battery, change, row)


def small_erlang_c_sharper(battery: Battery, change: Change) -> None:
    """Add 1, 2 and 10 agents who are busy 80 % of the time, mean waits to 1 %."""
    for row in SMALL:
        watch = row.watch._replace(replications=N_SHARP)
        printed_gates(battery, change, row._replace(limits=Limits(), watch=watch))


def lognormal_handling(battery: Battery, change: Change) -> None:
    """Add lognormal times, the mean wait to 3 %, as the other mean waits."""
    one_lognormal(battery, change, 100, Limits(wait_mean=0.03))


def lognormal_handling_sharper(battery: Battery, change: Change) -> None:
    """Add lognormal times, the mean wait to 1 %."""
    one_lognormal(battery, change, N_SHARP, Limits())


@pytest.mark.parametrize(
    "builder",
    [
        published_erlang_a,
        small_erlang_c,
        lognormal_handling,
        pytest.param(small_erlang_c_sharper, marks=pytest.mark.slow),
        pytest.param(lognormal_handling_sharper, marks=pytest.mark.slow),
        pytest.param(published_erlang_c, marks=pytest.mark.slow),
        pytest.param(long_waits, marks=pytest.mark.slow),
    ],
)
def test_printed__comes_out_of_the_engine(builder: Builder) -> None:
    """Waits, abandonment and use of desks are as published, to printed tolerances."""
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


def one_agent_less(world: World) -> World:
    """Return the world with one agent who never works."""
    return world._replace(policy=world.policy._replace(agents=world.policy.agents - 1))


@pytest.mark.slow
def test_printed__catches_an_idle_agent() -> None:
    """With one agent of fifty who never works at least one gate fails."""
    assert caught(published_erlang_a, one_agent_less)
