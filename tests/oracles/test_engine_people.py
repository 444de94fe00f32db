"""Agents who are people: quits against Poisson, handle times against the ramp."""

from __future__ import annotations

import math
import sys

import numpy as np
import pytest

from churnsim.engines.books import Event, People, Tally
from churnsim.engines.kernel.run import run_kernel
from churnsim.mechanisms.strain import quit_probability, slowness
from churnsim.records import NO_STRAIN, Strain
from churnsim.variates import constant
from tests.twins.comparing import log_of, run_engine
from tests.twins.strategies import Setup
from tests.twins.usual import MINUTE, usual_setup

pytestmark = pytest.mark.compiled

HANDLE = 3.0 * MINUTE
BUSY = Strain(
    is_on=1,
    quitting=0.01,
    slope=0.0,
    hiring=constant(0.25),
    hiring_cost=0,
    newcomer=1.0,
    learning=40.0,
    accommodating=0.5,
    warm=1.0,
    curt=1.0,
)


def setup_of(strain: Strain, agents: int = 3, n_customers: int = 2000) -> Setup:
    """Return the usual setup with constant handle times, its agents people."""
    setup = usual_setup(n_customers, 0, 365.25)
    policy = setup.plan.policy._replace(agents=agents, handle=constant(HANDLE))
    return setup._replace(plan=setup.plan._replace(policy=policy, strain=strain))


def test_turnover__is_poisson_at_the_base_rate_times_contacts() -> None:
    """With slope 0 each contact ends an agent's time with the same probability.

    The number of quits given the contacts is binomial; over replications its variance
    is that of the Poisson law, less a hundredth.
    """
    chance = 1.0 - math.exp(-BUSY.quitting)
    scores = []
    for replication in range(40):
        setup = setup_of(BUSY)._replace(replication=replication)
        books = run_engine(setup, run_kernel)
        n_over = int((log_of(books).events == Event.CONTACT_ENDED).sum())
        expected = n_over * chance
        quits = int(books.people[People.QUITS])
        scores.append((quits - expected) / math.sqrt(expected * (1.0 - chance)))
    z = sum(scores) / math.sqrt(len(scores))
    chi = sum(score * score for score in scores)
    spread = (chi - len(scores)) / math.sqrt(2.0 * len(scores))
    sys.stdout.write(f"z of the mean {z:.2f}, of the variance {spread:.2f}\n")
    assert abs(z) < 4.0
    assert abs(spread) < 5.0


def test_wrath__raises_the_hazard_as_the_rule_says() -> None:
    """By hand: base 0.01, slope 2 of which composure takes half, γ = 1.5."""
    policy = setup_of(BUSY).plan.policy._replace(quitting=0.8, composure=0.5)
    strain = BUSY._replace(slope=2.0)
    hazard = 0.01 * 0.8 * math.exp(1.5)
    found = quit_probability(strain, policy, 1.5)
    assert found == pytest.approx(1.0 - math.exp(-hazard), rel=1e-12)
    delighted = quit_probability(strain, policy, -3.0)
    assert delighted == pytest.approx(1.0 - math.exp(-0.008), rel=1e-12)


def test_handle_time__of_newcomers_follows_the_ramp_exactly() -> None:
    """One seat, told from the log: each contact after a hiring takes what it should.

    Contacts that begin as another ends are longer by nothing but the clock's steps.
    """
    log = log_of(run_engine(setup_of(BUSY, agents=1, n_customers=400), run_kernel))
    begun: dict[int, float] = {}
    contacts = []
    quitting = set()
    for at, who, event in zip(log.times, log.customers, log.events, strict=True):
        if event == Event.HANDLED:
            begun[who] = at
        elif event == Event.QUIT:
            quitting.add(begun[who])
        elif event == Event.CONTACT_ENDED:
            contacts.append((begun[who], at))
    handled, n_new = None, 0
    for since, until in sorted(contacts):
        factor = 1.0 if handled is None else slowness(BUSY, handled)
        assert until - since == pytest.approx(HANDLE * factor, rel=1e-9)
        n_new += handled is not None
        if since in quitting:
            handled = 0
        elif handled is not None:
            handled += 1
    assert n_new > 300
    assert slowness(BUSY, 0) == 2.0
    assert slowness(BUSY, 40) == pytest.approx(1.0 + math.exp(-1.0), rel=1e-12)


def test_vacancies__fill_after_the_time_of_hiring() -> None:
    """Where everybody quits at once, one seat handles one contact in each vacancy."""
    strain = BUSY._replace(quitting=1000.0, newcomer=0.0)
    setup = setup_of(strain, agents=1)
    log = log_of(run_engine(setup, run_kernel))
    begun = log.times[log.events == Event.HANDLED]
    assert len(begun) > 900
    assert np.diff(begun).min() >= 0.25 + HANDLE - 1e-9


def test_seats__ten_thousand_of_them_are_as_none_in_the_way() -> None:
    """With more agents than customers nobody waits, and the work is spread over all."""
    setup = setup_of(NO_STRAIN._replace(is_on=1, newcomer=1.0), agents=10_000)
    books = run_engine(setup, run_kernel)
    assert books.tally[Tally.FRONT_WAITED] == 0
    assert books.people[People.CONTACTS] == books.tally[Tally.FRONT_HANDLED] > 10_000
