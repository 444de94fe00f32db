"""The front desk alone: callers, agents, patience; in churnsim, in Ciw, in salabim.

M/M/10+M, 9.5 calls a minute that take one minute, patience of two minutes on average.
churnsim's callers are customers with something to ask, so many that their calls are a
Poisson stream but for a part in a thousand. All begin with an empty line.
"""

import importlib.util
import math
import random
from collections.abc import Callable, Generator
from time import process_time
from typing import Any, NamedTuple

import numpy as np

from benchmarks.agreement import bound_of, insist_in_law, unpaired
from benchmarks.contestants import KERNEL, Missing
from churnsim.cli.bench_documents import AgreementDocument
from churnsim.engines.books import MICROSECONDS, Tally, open_books
from churnsim.engines.kernel.run import run_kernel
from churnsim.records import Floats
from churnsim.validation.worlds import MINUTE, calling
from churnsim.variates import exponential

CUSTOMERS = 10_000
AGENTS = 10
CALLS = 9.5  # [1/minute]
PATIENCE = 2.0  # mean [minutes]
BUSY = 9.4  # agents and line on average, who call only afterwards
ANSWERS = ("calls", "share who give up", "mean wait")


class Seen(NamedTuple):
    """What one run of a desk gave; times in minutes."""

    seconds: float  # of processor time
    n_calls: int
    n_abandoned: int
    n_ended: int  # visits
    wait_sum: float

    def answers(self) -> tuple[float, ...]:
        """Return what is compared, as in ANSWERS."""
        ended = max(1, self.n_ended)
        return self.n_calls, self.n_abandoned / ended, self.wait_sum / ended


class Desk(NamedTuple):
    """A program that can run the desk."""

    name: str
    title: str
    run: Callable[[float, int], Seen]  # minutes, replication


def desks() -> tuple[list[Desk], list[Missing]]:
    """Return the programs that are there, churnsim first, and those that are not."""
    found, missing = [Desk(KERNEL, "churnsim's kernel", _churnsim)], []
    for name, title, run in (("ciw", "Ciw", _ciw), ("salabim", "salabim", _salabim)):
        if importlib.util.find_spec(name) is None:
            hint = 'type: pip install "churnsim[bench]"'
            missing.append(Missing(name, f"{title} is not installed; {hint}"))
        else:
            found.append(Desk(name, title, run))
    return found, missing


def desk_agreement(
    ours: Desk, theirs: Desk, minutes: float, n: int
) -> AgreementDocument:
    """Return how a program's desk compares in law with the kernel's.

    Args:
        ours: The kernel's.
        theirs: The other one.
        minutes: How long each runs.
        n: Replications, each of its own luck.

    Raises:
        ChurnsimError: They are different desks.
    """
    told = [_rows(desk, minutes, n) for desk in (ours, theirs)]
    distances = unpaired(told[0], told[1])
    bound = bound_of(n - 1)  # fewer than Welch would give: never too strict
    insist_in_law(theirs.title, dict(zip(ANSWERS, distances, strict=True)), bound)
    return {
        "contestant": theirs.name,
        "rule": "law",
        "customers": CUSTOMERS,
        "replications": n,
        "events": None,
        "answers": list(ANSWERS),
        "distances": distances,
        "bound": bound,
    }


def _rows(desk: Desk, minutes: float, n: int) -> Floats:
    return np.array([desk.run(minutes, i).answers() for i in range(n)])


def _churnsim(minutes: float, replication: int) -> Seen:
    rate = CALLS / (CUSTOMERS - BUSY)
    world = calling(
        CUSTOMERS,
        rate / MINUTE,
        AGENTS,
        exponential(MINUTE),
        exponential(PATIENCE * MINUTE),
    )
    world = world._replace(spec=world.spec._replace(horizon=minutes * MINUTE))
    plan, people = world.plan(), world.people(replication)
    books = open_books(plan, len(people.arrival), 0)
    start = process_time()
    run_kernel(plan, people, world.key, replication, books)
    seconds = process_time() - start
    tally = books.tally
    n_abandoned = int(tally[Tally.FRONT_ABANDONED])
    return Seen(
        seconds,
        int(tally[Tally.FRONT_JOINED]),
        n_abandoned,
        int(tally[Tally.FRONT_HANDLED]) + n_abandoned,
        int(tally[Tally.FRONT_WAIT_SUM]) / MICROSECONDS / MINUTE,
    )


def _ciw(minutes: float, replication: int) -> Seen:
    import ciw

    start = process_time()
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(CALLS)],
        service_distributions=[ciw.dists.Exponential(1.0)],
        reneging_time_distributions=[ciw.dists.Exponential(1.0 / PATIENCE)],
        number_of_servers=[AGENTS],
    )
    ciw.seed(replication)
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_time(minutes)
    seconds = process_time() - start
    records = simulation.get_all_records(only=["service", "renege"])
    return Seen(
        seconds,
        int(simulation.nodes[0].number_of_individuals),
        sum(record.record_type == "renege" for record in records),
        len(records),
        math.fsum(float(record.waiting_time) for record in records),
    )


def _salabim(minutes: float, replication: int) -> Seen:
    import salabim

    rng = random.Random(replication)  # noqa: S311 - what such programs use
    counts = {"calls": 0, "abandoned": 0, "ended": 0}
    waits: list[float] = []

    class Caller(salabim.Component):  # type: ignore[misc] # it has no types
        """Waits for an agent as long as patience lasts."""

        def process(self) -> Generator[Any, None, None]:
            """Join the line, and talk or give up."""
            counts["calls"] += 1
            arrived = env.now()
            patience = rng.expovariate(1.0 / PATIENCE)
            yield self.request(agents, fail_delay=patience)
            is_lost = self.failed()
            waited = env.now() - arrived
            if not is_lost:
                yield self.hold(rng.expovariate(1.0))
                self.release()
            counts["abandoned"] += is_lost
            counts["ended"] += 1
            waits.append(waited)

    class Street(salabim.Component):  # type: ignore[misc] # it has no types
        """Sends callers."""

        def process(self) -> Generator[Any, None, None]:
            """Send one after the other."""
            while True:
                yield self.hold(rng.expovariate(CALLS))
                Caller()

    start = process_time()
    env = salabim.Environment(
        random_seed=replication, set_numpy_random_seed=False, yieldless=False
    )
    agents = salabim.Resource("agents", capacity=AGENTS)
    Street()
    env.run(till=minutes)
    seconds = process_time() - start
    return Seen(
        seconds, counts["calls"], counts["abandoned"], counts["ended"], math.fsum(waits)
    )
