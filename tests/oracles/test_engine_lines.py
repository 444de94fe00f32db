"""Whole laws of the engine's desks, not only their means, and the order of the line.

Means cannot tell first come first served from its opposite; laws of waits can.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
from scipy import special

from churnsim.engines.books import Event
from churnsim.records import Floats
from churnsim.variates import exponential, lognormal
from tests.oracles import closed_forms as forms
from tests.oracles.gates import Battery, ks_gate, mean_gate
from tests.oracles.watching import Visits, front_visits
from tests.oracles.worlds import (
    CROWD,
    FAMILY_ALPHA,
    GATES_MAX,
    NEVER,
    Builder,
    Change,
    World,
    calling,
    caught,
    engine_battery,
    run,
    unchanged,
)

pytestmark = pytest.mark.compiled

Line = Callable[[Visits], Visits]  # who was taken when

N_DRAWS = 170_000  # waits far enough apart to be independent
N_RUNS = 4
WARM_UP = 50.0  # [handle times]


class Few(NamedTuple):
    """A few customers, handle time 1, whose desk forgets soon."""

    customers: int
    rate: float
    agents: int
    patience: float  # mean [handle times]; inf: endless
    stride: int  # calls between two draws

    def world(self) -> World:
        """Return the world."""
        patience = exponential(self.patience)
        return calling(
            self.customers, self.rate, self.agents, exponential(1.0), patience
        )

    def queue(self) -> forms.Queue:
        """Return the exact figures."""
        desk = forms.Desk(self.agents, 1.0, 1.0 / self.patience)
        return forms.finite_source(self.customers, self.rate, desk)


IMPATIENT = Few(12, 0.6, 3, 0.5, 25)
PATIENT = Few(6, 0.4, 2, math.inf, 25)


def slowest_decay(few: Few) -> float:
    """Return the rate at which the number at the desk forgets its past.

    The spectral gap of the birth-death chain: correlations fall at least so fast.
    """
    inside = np.arange(few.customers + 1)
    up = few.rate * (few.customers - inside)
    waiting = np.maximum(inside - few.agents, 0)
    down = np.minimum(inside, few.agents) + waiting / few.patience
    generator = np.diag(up[:-1], 1) + np.diag(down[1:], -1)
    generator -= np.diag(generator.sum(axis=1))
    return float(-np.sort(np.linalg.eigvals(generator).real)[-2])


@pytest.mark.parametrize("few", [IMPATIENT, PATIENT])
def test_draws__are_independent_enough(few: Few) -> None:
    """Between two draws the desk forgets all but a hundred thousandth of its state."""
    time = few.stride / few.queue().throughput
    assert math.exp(-slowest_decay(few) * time) < 1e-5


def visits_of(few: Few, change: Change, n_runs: int = N_RUNS) -> list[Visits]:
    """Return the visits of each run, in order of joining."""
    n_calls = N_DRAWS // N_RUNS * few.stride
    until = WARM_UP + n_calls / few.queue().throughput
    world = few.world()
    world = world._replace(spec=world.spec._replace(horizon=until + WARM_UP))
    capacity = int(4.1 * n_calls)
    return [front_visits(run(change(world), i, capacity), until) for i in range(n_runs)]


def wait_law(queue: forms.Queue) -> Callable[[Floats], Floats]:
    """Return P(W ≤ t) of all who call, with the share who need not wait at 0."""
    grid = np.linspace(0.0, 40.0, 16_001)
    below = np.array([1.0 - forms.wait_survival(queue, float(t)) for t in grid])

    def cdf(times: Floats) -> Floats:
        return np.where(times < 0.0, 0.0, np.interp(times, grid, below))

    return cdf


def draws_of(few: Few, all_visits: list[Visits]) -> Floats:
    """Return waits after the warm-up, far enough apart to be independent."""
    draws = []
    for visits in all_visits:
        waits = visits.ended_at - visits.joined_at
        draws.append(waits[visits.joined_at >= WARM_UP][:: few.stride])
    return np.concatenate(draws)


def impatient_line(battery: Battery, change: Change) -> None:
    """Add the law of waits where some give up."""
    draws = draws_of(IMPATIENT, visits_of(IMPATIENT, change))
    battery.law("waits, M/M/3//12+M", draws, wait_law(IMPATIENT.queue()))


def patient_line(battery: Battery, change: Change) -> None:
    """Add the law of waits where nobody gives up."""
    draws = draws_of(PATIENT, visits_of(PATIENT, change))
    battery.law("waits, M/M/2//6", draws, wait_law(PATIENT.queue()))


def times_alone(battery: Battery, change: Change) -> None:
    """Add the laws of handle times and of times between contacts, where none waits."""
    n_customers, n_gaps, capacity = 50_000, 4, 5_500_000
    world = calling(n_customers, 1.0, CROWD, lognormal(1.0, 1.3))
    world = world._replace(spec=world.spec._replace(horizon=50.0))
    books = run(change(world), 0, capacity)
    size = int(books.log_count[0])
    customer, event = books.log_codes[:size, 0], books.log_codes[:size, 1]

    def moments(kind: Event) -> Floats:
        rows = np.flatnonzero(event == kind)
        rows = rows[np.lexsort((books.log_times[rows], customer[rows]))]
        starts = np.searchsorted(customer[rows], np.arange(n_customers))
        nth = starts[:, None] + np.arange(n_gaps + 1)
        return np.asarray(books.log_times[rows[nth]])

    called, handled = moments(Event.ORDINARY), moments(Event.CONTACT_ENDED)
    gaps = (called[:, 1:] - handled[:, :-1]).ravel()
    times = (handled - called)[:, :-1].ravel()
    battery.law("gaps between contacts", gaps, lambda t: -np.expm1(-np.maximum(t, 0)))
    sigma = math.sqrt(math.log1p(1.3**2))

    def handle_law(times: Floats) -> Floats:
        logs = np.log(np.maximum(times, 1e-300))
        return np.asarray(special.ndtr((logs + sigma * sigma / 2) / sigma), np.float64)

    battery.law("handle times", times, handle_law)


@pytest.mark.parametrize("builder", [impatient_line, patient_line, times_alone])
def test_lines__follow_their_laws(builder: Builder) -> None:
    """Waits, with those of nobody at 0, and times alone have their whole laws."""
    engine_battery(builder).check()


def endless(world: World) -> World:
    """Return the world with customers who never give up waiting."""
    return world._replace(market=world.market._replace(patience=NEVER))


def slower(world: World) -> World:
    """Return the world with handle times longer by three percent."""
    handle = exponential(1.03)
    return world._replace(policy=world.policy._replace(handle=handle))


@pytest.mark.parametrize(
    ("builder", "change"),
    [
        (impatient_line, endless),
        pytest.param(patient_line, slower, marks=pytest.mark.slow),
    ],
)
def test_lines__catch_faults(builder: Builder, change: Change) -> None:
    """A line in which people wait a little differently fails at least one gate."""
    assert caught(builder, change)


def in_order(visits: Visits) -> bool:
    """Return whether those handled were taken in the order of joining."""
    return bool(np.all(np.diff(visits.ended_at[visits.is_handled]) >= 0.0))


def last_come_first_served(visits: Visits) -> Visits:
    """Return the same visits, had each free agent taken the one who joined last.

    Joins and the moments at which agents become free stay; handle times are drawn as
    an agent takes somebody, so that they do not depend on whom.
    """
    waits = visits.ended_at > visits.joined_at
    takings = np.sort(visits.ended_at[waits])
    joins = visits.joined_at[waits]
    ended_at = visits.ended_at.copy()
    places = np.flatnonzero(waits)
    line: list[int] = []
    following = 0
    for taken_at in takings:
        while following < len(joins) and joins[following] < taken_at:
            line.append(following)
            following += 1
        ended_at[places[line.pop()]] = taken_at
    return visits._replace(ended_at=ended_at)


def test_line__is_first_come_first_served() -> None:
    """Among all who are handled, nobody overtakes; served the other way, many do."""
    (impatient,) = visits_of(IMPATIENT, unchanged, 1)
    (patient,) = visits_of(PATIENT, unchanged, 1)
    assert in_order(impatient)
    assert in_order(patient)
    assert not in_order(last_come_first_served(patient))


def test_line__served_last_first_is_seen_in_the_law_alone() -> None:
    """Last come first served leaves the mean wait as it is, and fails the law."""
    visits = [last_come_first_served(v) for v in visits_of(PATIENT, unchanged, 1)]
    draws, queue = draws_of(PATIENT, visits), PATIENT.queue()
    alpha = FAMILY_ALPHA / GATES_MAX
    assert not ks_gate(draws, wait_law(queue), alpha=alpha).passes
    assert mean_gate(draws, queue.wait_mean, alpha=alpha).passes
