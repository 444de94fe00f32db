"""What a staffing is made of, without a simulation: targets, Erlang A, the search."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import integrate

from churnsim.errors import InputError
from churnsim.experiment.staffing.erlang import Load, needed_agents, service_level
from churnsim.experiment.staffing.searching import Agents, Sought, fewest, one_fewer
from churnsim.experiment.staffing.target import Target, read_target
from tests.oracles import queues

SECOND = 1.0 / 86_400.0  # [days]
# The call centre of Mandelbaum and Zeltyn: 48 calls a minute, 50 agents, a minute each.
CENTRE = Load(48.0, 1.0, 2.0)  # [minutes]


@pytest.mark.parametrize(
    ("text", "share", "within"),
    [
        ("80% in 20s", 0.8, 20.0),
        (" 80 %  within 20 s ", 0.8, 20.0),
        ("0.9 in 1 min", 0.9, 60.0),
        ("95.5% in 0 s", 0.955, 0.0),
        ("100 % in 2 h", 1.0, 7200.0),
    ],
)
def test_target__is_a_share_and_a_time(text: str, share: float, within: float) -> None:
    """The share is told as one, the time in days."""
    target = read_target(text)
    assert target.share == share
    assert target.within == pytest.approx(within * SECOND, rel=1e-15)
    assert "of contacts within" in str(target)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("80 in 20", "such as"),
        ("80% in 20", "such as"),
        ("80 in 20s", "not 8000%"),
        ("120% in 20s", "up to 100 %, not 120%"),
        ("0 % in 20s", "above 0 %"),
        ("-5 % in 20s", "above 0 %"),
        ("80% in -3 s", "0 s or more"),
        ("80%", "such as"),
        ("in 20s", "such as"),
        ("", "such as"),
        ("nan in 20s", "such as"),
        ("80% in inf s", "such as"),
        (80, "must be a text"),
        (None, "must be a text"),
        (["80% in 20s"], "must be a text"),
    ],
)
def test_target__nonsense_is_refused(text: object, told: str) -> None:
    """The refusal names the target, what was given and the form that it takes."""
    with pytest.raises(InputError, match="target: ") as refused:
        read_target(text)
    assert told in str(refused.value)
    assert "80%" in str(refused.value) or "0 s or more" in told
    assert len(str(refused.value).splitlines()) == 1


def test_target__levels_have_digits_enough_to_tell() -> None:
    """99.95 % does not round to a target of 99.99 %."""
    assert Target(0.8, 0.0).percent(0.8049) == "80.5 %"
    assert Target(0.999, 0.0).percent(0.99894) == "99.89 %"
    assert Target(0.9999, 0.0).percent(0.99955) == "99.955 %"
    assert Target(1.0, 0.0).percent(0.5) == "50.0 %"


def test_level__is_what_is_published_of_a_call_centre() -> None:
    """Waiting .467774, giving up .030912, and .694456 with 58.1387 s if patient."""
    assert service_level(CENTRE, 50, 0.0) == pytest.approx(1 - 0.467774, abs=5e-7)
    assert service_level(CENTRE, 50, 1e6) == pytest.approx(1 - 0.030912, abs=5e-7)
    patient = CENTRE._replace(patience=math.inf)
    assert service_level(patient, 50, 0.0) == pytest.approx(1 - 0.694456, abs=5e-7)
    assert service_level(patient, 50, 58.1387 / 60) == pytest.approx(0.9, abs=5e-7)


@pytest.mark.parametrize("n_agents", [1, 3, 50, 60])
@pytest.mark.parametrize("patience", [0.2, 2.0, 40.0])
@pytest.mark.parametrize("within", [0.0, 0.1, 1.0, 5.0])
def test_level__is_one_less_those_who_wait_on_or_gave_up(
    n_agents: int, patience: float, within: float
) -> None:
    """With the oracle's tail P(W > t): 1 − P(W > t) − θ∫₀ᵗ P(W > s) ds.

    Of those in line at time s, in all P(W > s) of the arrivals, a share θ ds gives up.
    """
    load = Load(0.96 * n_agents, 1.0, patience)
    desk = queues.Desk(n_agents, 1.0, 1.0 / patience)
    queue = queues.erlang_a(load.arrivals, desk)

    def tail(time: float) -> float:
        return queues.wait_survival(queue, time)

    lost, _ = integrate.quad(tail, 0.0, within, epsabs=1e-12)
    level = 1.0 - tail(within) - lost / patience
    assert service_level(load, n_agents, within) == pytest.approx(level, abs=1e-9)


@pytest.mark.parametrize("n_agents", [5, 6, 12])
@pytest.mark.parametrize("within", [0.0, 0.3, 4.0])
def test_level__of_the_patient_is_erlang_c(n_agents: int, within: float) -> None:
    """The oracle's tail; and the limit of ever more patience."""
    load = Load(4.9, 1.0, math.inf)
    desk = queues.Desk(n_agents, 1.0)
    tail = queues.erlang_c_wait_survival(4.9, desk, within)
    assert service_level(load, n_agents, within) == pytest.approx(1 - tail, abs=1e-12)
    nearly = load._replace(patience=1e7)
    level = service_level(nearly, n_agents, within)
    assert level == pytest.approx(1 - tail, abs=1e-4)


def test_level__at_the_ends() -> None:
    """Nobody there, nobody calls, more work than agents, and nobody waits at all."""
    assert service_level(CENTRE, 0, 1.0) == 0.0
    assert service_level(CENTRE._replace(arrivals=0.0), 1, 0.0) == 1.0
    assert service_level(CENTRE._replace(handle=0.0), 1, 0.0) == 1.0
    assert service_level(CENTRE._replace(patience=math.inf), 48, 9.0) == 0.0
    lost = service_level(CENTRE._replace(patience=0.0), 50, 9.0)
    assert lost == pytest.approx(1.0 - queues.erlang_b(48.0, 50), rel=1e-12)
    # Ten times too much work: a tenth of it is done.
    crowd = service_level(Load(500.0, 1.0, 1.0), 50, 1e6)
    assert crowd == pytest.approx(0.1, abs=1e-6)


def test_needed__is_the_first_number_that_is_enough() -> None:
    """By going up one by one, of single loads and of a busy and a quiet hour."""
    for share in (0.2, 0.8, 0.99):
        for load in (Load(0.3, 1.0, 1.0), CENTRE, CENTRE._replace(patience=math.inf)):
            n = needed_agents([load], share, 1.0 / 3.0)
            levels = [service_level(load, i, 1.0 / 3.0) for i in (n - 1, n)]
            assert levels[0] < share <= levels[1]
    hours = [Load(48.0, 1.0, 2.0, 48.0), Load(12.0, 1.0, 2.0, 12.0)]
    n = needed_agents(hours, 0.8, 0.0)
    assert needed_agents(hours[1:], 0.8, 0.0) < n < needed_agents(hours[:1], 0.8, 0.0)
    mean = [
        0.8 * service_level(hours[0], i, 0.0) + 0.2 * service_level(hours[1], i, 0.0)
        for i in (n - 1, n)
    ]
    assert mean[0] < 0.8 <= mean[1]
    assert needed_agents([], 0.8, 0.0) == 1


def counted(meets: Callable[[Agents], tuple[bool, ...]]) -> tuple[list[Agents], object]:
    """Return what was tried so far, and what notes it."""
    tried: list[Agents] = []

    def noted(agents: Agents) -> tuple[bool, ...]:
        if agents not in tried:
            tried.append(agents)
        return meets(agents)

    return tried, noted


@pytest.mark.parametrize("start", [1, 2, 17, 18, 19, 300, 1000])
@pytest.mark.parametrize("need", [1, 2, 18, 999, 1000])
def test_fewest__of_one_shift_from_anywhere(start: int, need: int) -> None:
    """Found with the failure next to it, in steps that grow with the distance only."""
    tried, noted = counted(lambda agents: (agents[0] >= need,))
    assert fewest(noted, (start,), 1000) == Sought((need,))  # type: ignore[arg-type]
    assert need == 1 or (need - 1,) in tried
    assert len(tried) <= 3 + 2.0 * math.log2(1.0 + abs(start - need))


def test_fewest__shifts_side_by_side() -> None:
    """Seven shifts that do not touch each other take hardly more than one."""
    needs = (3, 9, 1, 30, 4, 5, 12)

    def meets(agents: Agents) -> tuple[bool, ...]:
        return tuple(n >= need for n, need in zip(agents, needs, strict=True))

    tried, noted = counted(meets)
    assert fewest(noted, (4,) * 7, 100) == Sought(needs)  # type: ignore[arg-type]
    assert all(one_fewer(needs, i) in tried for i in range(7) if needs[i] > 1)
    assert len(tried) < 20


def test_fewest__a_line_left_behind_is_the_next_shifts() -> None:
    """The second shift needs what the first leaves; none can spare one at the end."""
    rng = np.random.default_rng(5)
    for _ in range(200):
        a, b, spill = rng.integers(1, 12, 3)

        def meets(
            agents: Agents, a: int = a, b: int = b, spill: int = spill
        ) -> tuple[bool, ...]:
            first, second = agents
            left = max(0, a + spill - first)
            return first >= a, second >= b + left

        start = tuple(int(n) for n in rng.integers(1, 30, 2))
        agents = fewest(meets, start, 1000).agents
        assert agents is not None
        assert all(meets(agents))
        for i in range(2):
            less = one_fewer(agents, i)
            assert less[i] == 0 or not all(meets(less))


def test_fewest__names_the_shifts_that_cannot_be_met() -> None:
    """At the top one shift still fails: an answer, after few trials."""
    tried, noted = counted(lambda agents: (agents[0] >= 3, False))
    found = fewest(noted, (3, 3), 50_000)  # type: ignore[arg-type]
    assert found == Sought(None, frozenset({1}))
    assert max(agents[1] for agents in tried) == 50_000
    assert len(tried) < 20
