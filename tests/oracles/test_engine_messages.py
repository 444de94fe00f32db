"""Calls and messages at desks of their own: a closed network with an exact solution."""

import numpy as np
import pytest

from churnsim.engines.books import Tally
from churnsim.records import Floats
from churnsim.variates import exponential
from tests.oracles import closed_forms as forms
from tests.oracles.gates import Battery
from tests.oracles.watching import Figures, Seen, Watch, desk_gates
from tests.oracles.worlds import (
    NEVER,
    Change,
    World,
    calling,
    caught,
    engine_battery,
    run_with,
)

pytestmark = pytest.mark.compiled

SHARE = 0.5  # who write
WATCH = Watch(100, 100.0, 70_000.0)
OF_MESSAGES = slice(Tally.BACK_JOINED, Tally.BACK_BUSY + 1)


def counted(world: World) -> Floats:
    """Return what was counted in the window, messages in place of the back desk's."""

    def upto(end: float, replication: int) -> Floats:
        spec = world.spec._replace(horizon=end)
        whole = world._replace(spec=spec)
        books = run_with(whole, whole.people(0), replication)
        counts = books.tally.astype(np.float64)
        counts[OF_MESSAGES] = books.messages
        return counts

    ends = (WATCH.warm_up, WATCH.warm_up + WATCH.window)
    rows = [upto(ends[1], i) - upto(ends[0], i) for i in range(WATCH.replications)]
    return np.array(rows)


def two_desks(battery: Battery, change: Change) -> None:
    """Add six customers who call one agent, or write to two: Gordon and Newell."""
    world = calling(6, 0.5, 1, exponential(0.8))
    world = world._replace(
        market=world.market._replace(message_share=SHARE, message_patience=NEVER),
        policy=world.policy._replace(message_agents=2, message_handle=exponential(3.0)),
    )
    counts = counted(change(world))
    stations = [
        forms.Station(1.0, 2.0, 0),
        forms.Station(1.0 - SHARE, 0.8, 1),
        forms.Station(SHARE, 3.0, 2),
    ]
    network = forms.closed_network(6, stations)
    for place, which in ((1, "FRONT"), (2, "BACK")):
        station, figures = stations[place], network.stations[place]
        visits = network.throughput * station.visits
        busy = visits * station.service_mean / station.n_servers
        expected = Figures(
            visits, figures.wait_probability, figures.wait_mean, 0.0, busy
        )
        seen = Seen(which, station.n_servers, WATCH.window)
        desk_gates(battery, f"calls and messages, {place}", counts, seen, expected)


def test_desks__of_calls_and_messages_match_queueing_theory() -> None:
    """Both desks are as busy, and keep as many waiting as long, as they must."""
    engine_battery(two_desks).check()


def write_more(world: World) -> World:
    """Return the world in which a hundredth more of all contacts are written."""
    share = world.market.message_share + 0.01
    return world._replace(market=world.market._replace(message_share=share))


def test_desks__catch_a_hundredth_who_should_call() -> None:
    """A share of messages that is wrong by .01 is seen."""
    assert caught(two_desks, write_more)
