"""Relations between runs that hold exactly: no tolerance anywhere.

Runs are those of the compiled engine; `test_twins` extends them to the others.
"""

import math
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pytest

from churnsim.engines.books import Books, Event, Tally, open_books
from churnsim.engines.kernel.run import run_kernel
from churnsim.records import Cause
from churnsim.variates import constant, exponential
from tests.twins.changing import (
    LEVERS,
    Lever,
    changed,
    run,
    same_books,
    scaled_setup,
)
from tests.twins.comparing import Log, log_of, moments, same_bits, same_log
from tests.twins.sampling import check_many
from tests.twins.strategies import Setup, calm_setups, setups
from tests.twins.usual import usual_setup
from tests.twins.visits import front_visits

IN_TIME = (
    Tally.FRONT_WAIT_SUM,
    Tally.FRONT_BUSY,
    Tally.BACK_WAIT_SUM,
    Tally.BACK_BUSY,
    Tally.RESOLUTION_SUM,
    Tally.WITHIN_TARGET,
)
NOT_IN_TIME = ("lost", "closed", "monthly", "tellings", "accounts", "cause", "is_won")

pytestmark = pytest.mark.compiled


@pytest.mark.parametrize("k", [-4, 1, 7])
def test_time_unit__scales_all_times_exactly(k: int) -> None:
    """In a unit 2^k times as small every moment is 2^k times as large, to the bit."""
    unit = math.ldexp(1.0, k)

    def check(setup: Setup) -> None:
        a, b = run(scaled_setup(setup, 1.0)), run(scaled_setup(setup, unit))
        x, y = log_of(a), log_of(b)
        is_time = x.events == Event.LEAVING
        values = np.where(is_time, x.values * unit, x.values)
        assert same_log(x._replace(times=x.times * unit, values=values), y)
        assert same_bits(a.departure * unit, b.departure)
        counts = np.setdiff1d(np.arange(len(Tally)), IN_TIME)
        assert same_bits(a.tally[counts], b.tally[counts])
        for field in NOT_IN_TIME:
            assert same_bits(getattr(a, field), getattr(b, field)), field

    check_many(setups(), 40, check)


def test_event_log__changes_nothing() -> None:
    """With no room, with some and with more than enough, the books are the same.

    What there is room for are the first events, and all are counted.
    """

    def check(setup: Setup) -> None:
        whole = run(setup)
        n = int(whole.log_count[0])
        for capacity in (0, 1, n // 2, n, n + 9):
            books = open_books(setup.plan, len(setup.people.arrival), capacity)
            assert run_kernel(*setup, books) == n
            kept = min(n, capacity)
            for field in Books._fields:
                a, b = getattr(whole, field), getattr(books, field)
                is_row = field in {"log_times", "log_values", "log_codes"}
                assert same_bits(a[:kept], b[:kept]) if is_row else same_bits(a, b)

    check_many(setups(), 40, check)


def test_mistakes__prevented_by_the_policy_or_unknown_to_the_market() -> None:
    """Without mistakes or with half of them, it does not matter whose doing it is.

    Every ordinary contact is answered: the policy can prevent unanswered ones too.
    """
    n_mistakes = 0

    def check(setup: Setup) -> None:
        nonlocal n_mistakes
        hoops = setup.plan.policy.hoops.copy()
        hoops[:, 3] = 0.0
        answered = {"policy.hoops": hoops, "market.patience": constant(math.inf)}
        setup = changed(setup, answered)
        for share in (0.0, 0.5):
            few = {"market.mistake_probability": share, "policy.mistakes": 1.0}
            prevented = {"market.mistake_probability": 1.0, "policy.mistakes": share}
            a, b = run(changed(setup, few)), run(changed(setup, prevented))
            assert same_books(a, b)
            assert (a.tally[Tally.MISTAKES] > 0) <= (share > 0.0)
            n_mistakes += int(a.tally[Tally.MISTAKES])

    check_many(calm_setups(), 40, check)
    assert n_mistakes > 0


@pytest.mark.parametrize("lever", LEVERS, ids=[lever.name for lever in LEVERS])
def test_lever__out_of_play_changes_nothing(lever: Lever) -> None:
    """A setting that does nothing moves no bit, however set; elsewhere it does."""
    n_moved = 0

    def check(setup: Setup) -> None:
        nonlocal n_moved
        shut = changed(setup, lever.shut)
        assert same_books(run(shut), run(changed(shut, lever.moved)))
        n_moved += not same_books(run(setup), run(changed(setup, lever.moved)))

    check(changed(usual_setup(2000, 20, 60.0), {"policy.agents": 1}))
    assert n_moved == 1
    check_many(calm_setups(), 20, check)


def test_horizon__cuts_and_changes_nothing_before_it() -> None:
    """A shorter run tells the first part of the longer one's story, to the bit.

    But for one figure: a departure that took effect when its episode closed carries the
    grievance of the close, and that may lie beyond the shorter horizon.
    """
    n_cut = 0

    def check(setup: Setup) -> None:
        nonlocal n_cut
        whole = log_of(run(setup))
        for part in (0.05, 0.3, 0.5, 0.77, 0.999):
            horizon = setup.plan.horizon * part
            plan = setup.plan._replace(horizon=horizon)
            cut = log_of(run(setup._replace(plan=plan)))
            is_before = whole.times < horizon
            # Those who are customers at the start are so even in a run of no time.
            is_first = whole.customers < setup.people.n_customers
            is_before |= is_first & (whole.events == Event.ARRIVED)
            first = Log._make(column[is_before] for column in whole)
            for log in (cut, first):
                log.values[log.events == Event.LEFT] = 0.0
            assert same_log(cut, first), f"horizon {horizon!r}"
            n_cut += len(cut.times)

    check_many(setups(), 60, check)
    assert n_cut > 0


# Monotone coupling (3.3).

INSTANT = {
    "market.ordinary_rate": 0.0,
    "market.drift": 0.0,
    "market.spend_sensitivity": 0.0,
    "market.voice_delay": constant(0.0),
    "market.return_delay": constant(0.01),
    "market.memory": constant(math.inf),
    "market.exit_at_renewal": 0,
    "market.stated_to_actual": 1.0,
    "policy.agents": 1_000_000,
    "policy.supervisors": 1_000_000,
    "policy.handle": constant(0.0),
    "policy.approval": constant(0.0),
    "policy.repair": constant(0.0),
    "policy.promise": constant(0.01),
    "kinds.VOICE": 2.0,
    "kinds.VOICE_SLOPE": 0.0,
}
KINDER: dict[str, dict[str, Any]] = {
    "manners": {"policy.manners": 0.5},
    "compensation": {"policy.compensation": 1.5},
    "hoop sting": {"market.hoop_sting": 0.0},
    "disclosure": {"market.disclosure": 1.5},
    "apology": {"market.apology": 2.0},
    "heard": {"kinds.HEARD": 2.0},
    "settled": {"kinds.SETTLED": 3.0},
    "blame": {"market.blame_sting": 0.0},
    "excuse": {"market.excuse_sting": 0.0},
    "lie": {"market.lie_sting": 0.0, "market.betrayal": 0.0},
    "lock-in": {"market.lock_in": 2.0},
}


class Decision(NamedTuple):
    """The first decision of a customer's first episode."""

    event: int  # CLOSED or FOUND_OUT
    at: float  # [days]
    grievance: float  # [log-odds]


def first_decisions(books: Books) -> tuple[dict[int, Decision], set[int]]:
    """Return the first decisions by customer, and who left at once after them."""
    found: dict[int, Decision] = {}
    leavers: set[int] = set()
    for at, customer, event, word, value in moments(log_of(books)):
        if event in {Event.CLOSED, Event.FOUND_OUT} and customer not in found:
            found[customer] = Decision(event, at, value)
        is_decided = event == Event.LEFT and word != Cause.NATURAL
        if is_decided and at == found[customer].at:
            leavers.add(customer)
    return found, leavers


@pytest.mark.parametrize("name", KINDER)
def test_coupling__the_kinder_world_loses_nobody_more(name: str) -> None:
    """At the same decision with no more grievance, whoever stays still stays."""
    harsh = changed(usual_setup(3000, 0, 60.0), INSTANT)
    kind = changed(harsh, KINDER[name])
    before, left_before = first_decisions(run(harsh))
    after, left_after = first_decisions(run(kind))
    assert before.keys() == after.keys()
    for customer, decision in before.items():
        assert after[customer][:2] == decision[:2]
        assert after[customer].grievance <= decision.grievance
    assert left_after < left_before


# Queues without feedback: each customer calls once and is gone.

ONE_CALL = {
    **INSTANT,
    "market.patience": constant(math.inf),
    "market.lock_in": -800.0,
    "kinds.VOICE": 800.0,
    "kinds.AT_FAULT": 0.0,
    "policy.hoops": np.empty((0, 4)),
    "policy.notice": 0.0,
    "policy.limit": math.inf,
    "policy.fob_off": 0.0,
    "policy.handle": exponential(0.02),
}


def handled_at(n_agents: int, handle_mean: float) -> dict[int, float]:
    """Return when each of 1,000 customers is handled [days], who call once."""
    values = {"policy.agents": n_agents, "policy.handle": exponential(handle_mean)}
    setup = changed(usual_setup(1000, 0, 60.0), {**ONE_CALL, **values})
    visits = front_visits(run(setup))
    assert len({visit.customer for visit in visits}) == len(visits)
    return {visit.customer: visit.started_at for visit in visits}


def test_desk__one_more_agent_lengthens_no_wait() -> None:
    """With 1 to 6 agents nobody is handled later for one agent more."""
    runs = [handled_at(n_agents, 0.25) for n_agents in range(1, 7)]
    for fewer, more in pairwise(runs):
        assert fewer.keys() == more.keys()
        assert all(more[customer] <= at for customer, at in fewer.items())
        assert any(more[customer] < at for customer, at in fewer.items())


def test_desk__slower_handling_shortens_no_wait() -> None:
    """The slower the handling, the later anybody is handled, or at the same moment."""
    runs = [handled_at(2, mean) for mean in (0.01, 0.05, 0.051, 0.1, 0.4)]
    for quicker, slower in pairwise(runs):
        assert quicker.keys() == slower.keys()
        assert all(slower[customer] >= at for customer, at in quicker.items())
        assert any(slower[customer] > at for customer, at in quicker.items())
