"""The part of a loss that is due to agents who tire, quit and learn."""

import itertools
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from churnsim.experiment import Attribution, Execution, Method, explain, workers
from churnsim.experiment.attribution.shapley import (
    exact_scheme,
    numerators,
    sampled_scheme,
    sampling_errors,
    with_ends,
)
from churnsim.experiment.attribution.wording import PEOPLE_TEXT
from churnsim.report.attributions import attribution_text
from churnsim.report.framing import Commands
from churnsim.scenario import Scenario, load_scenario, mixture
from churnsim.simulation import simulate
from churnsim.streams import Key

PAIR = ("dishonest", "patient")
MIXED = ("speed", "authority", "honesty")
# One agent, who quits after every fifth contact or so, and sooner if wrath strikes.
TIRING = {
    "strain.turnover": "'500 %/year'",
    "strain.contacts_per_year": "25",
    "strain.wrath": "0.8",
    "strain.hiring": "'20 days'",
    "strain.hiring_cost": "'$900'",
    "strain.newcomer": "3",
    "strain.learning": "4",
    "strain.accommodating": "0.5",
    "strain.curt": "0",
    "policy.patient.people.quitting": "0.5",
    "policy.patient.prevention.recovery_training": "0.7",
    "policy.patient.prevention.recovery_training_cost": "'$40/year'",
}
NEUTRAL = {
    "strain.turnover": "'0/year'",
    "strain.newcomer": "0",
    "strain.warm": "1",
    "strain.curt": "1",
    "policy.patient.people.quitting": "0.5",
}


@pytest.fixture(scope="module")
def tiring(shop_file: Path) -> Scenario:
    """Return the shop with an agent who is a person."""
    return load_scenario(shop_file, overrides=TIRING)


@pytest.fixture(scope="module")
def found(tiring: Scenario) -> Attribution:
    """Return what dishonest recovery loses there against patient recovery."""
    return explain(tiring, *PAIR, replications=2, method=Method(customers=1))


def by_orders(game: list[int], start: int, end: int, n: int) -> list[int]:
    """Return n + 1 players' gains, summed over all orders: the definition."""

    def worth(players: frozenset[int]) -> int:
        value = game[sum(1 << player for player in players if player < n)]
        return value + (end - game[-1] if n in players else start - game[0])

    gains = [0] * (n + 1)
    for order in itertools.permutations(range(n + 1)):
        for place, player in enumerate(order):
            before = frozenset(order[:place])
            gains[player] += worth(before | {player}) - worth(before)
    return gains


def test_with_ends__by_hand() -> None:
    """Without strain a lever moves 100 to 110, with it −5 to 30: 10, and 25 more."""
    scheme = with_ends(exact_scheme(1))
    values = np.array([[-5], [100], [110], [30]], dtype=object)
    assert scheme.unit == 1
    assert scheme.n_values == 4
    assert numerators(scheme.weights, values).tolist() == [[10, 25]]


@given(
    st.lists(st.integers(-(2**62), 2**62), min_size=8, max_size=8),
    st.integers(-(2**62), 2**62),
    st.integers(-(2**62), 2**62),
)
def test_with_ends__is_the_mean_over_all_orders(
    game: list[int], start: int, end: int
) -> None:
    """Three levers and people: shares are gains on joining, over all 24 orders."""
    scheme = with_ends(exact_scheme(3))
    values = np.array([start, *game, end], dtype=object).reshape(-1, 1)
    shares = numerators(scheme.weights, values)[0]
    assert [4 * share for share in shares] == by_orders(game, start, end, 3)
    assert sum(shares) == scheme.unit * (end - start)
    pairs = exact_scheme(3).pair_weights
    known = numerators(pairs, np.array(game, dtype=object).reshape(-1, 1))
    assert numerators(scheme.pair_weights, values).tolist() == known.tolist()


def test_with_ends__sampled_orders_leave_people_exact() -> None:
    """People bring the same in every order: the share is exact, its error 0."""
    bare = sampled_scheme(4, 9, Key(1, 2))
    scheme = with_ends(bare)
    game = [(c * 37 + c * c * 11) % 101 for c in bare.coalitions]
    values = [-3, *game, 700]
    shares = numerators(scheme.weights, np.array(values, dtype=object).reshape(-1, 1))
    assert shares[0, -1] == 9 * (703 - game[-1] + game[0])
    assert sum(shares[0]) == 9 * 703
    assert sampling_errors(scheme, values) == (*sampling_errors(bare, game), 0.0)


@pytest.mark.compiled
def test_people__is_what_strain_adds_to_the_gap(
    tiring: Scenario, found: Attribution
) -> None:
    """The gap less the gap of agents who never tire; the sum is the gap, by unit."""
    assert found.levers == (*MIXED, "people")
    for number in range(2):
        gaps = []
        for scenario in (tiring, tiring.untiring):
            runs = [simulate(scenario, name, replication=number) for name in PAIR]
            gaps.append(runs[1].totals.revenue - runs[0].totals.revenue)
        assert found.micro[number, 0].sum() == gaps[0]
        assert found.micro[number, 0, -1] == gaps[0] - gaps[1] != 0
    assert found.loss.micro == sum(share.micro for share in found.shares)
    assert found.interactions
    assert all("people" not in pair.levers for pair in found.interactions)
    text = attribution_text(found, Commands("again", "show"), 1000)
    assert PEOPLE_TEXT in text


@pytest.mark.compiled
def test_people__leaves_the_others_what_they_are_without(
    tiring: Scenario, found: Attribution
) -> None:
    """Levers, pairs, segments and customers but for people: those without [strain]."""
    bare = explain(tiring.untiring, *PAIR, replications=2, method=Method(customers=1))
    assert bare.levers == MIXED
    assert np.abs(found.micro[:, :, :-1] - bare.micro).max() <= 1
    assert [share.total.mean for share in found.shares[:-1]] == pytest.approx(
        [share.total.mean for share in bare.shares], abs=2e-6
    )
    assert found.interactions == bare.interactions
    mine, others = found.customers().to_pydict(), bare.customers().to_pydict()
    for lever in MIXED:
        known = np.array(others[f"micro_{lever}"])
        assert np.abs(np.array(mine[f"micro_{lever}"]) - known).max() <= 1


@pytest.mark.compiled
def test_people__is_exact_where_orders_are_sampled(
    tiring: Scenario, found: Attribution
) -> None:
    """The part of people is that of all mixtures, without an error; the sum, too."""
    method = Method(exact_max=2, orders=4)
    some = explain(tiring, *PAIR, replications=2, method=method)
    assert some.n_orders == 4
    assert some.loss.micro == found.loss.micro == sum(s.micro for s in some.shares)
    mine, known = some.share("people"), found.share("people")
    assert mine.sampling_error == 0.0
    assert mine._replace(sampling_error=None) == known
    assert any(share.sampling_error for share in some.shares)


@pytest.mark.compiled
def test_people__segments_and_customers_add_up(found: Attribution) -> None:
    """Each kind of segment to people's part; each customer to that one's loss."""
    table = found.to_arrow().to_pylist()
    for by in ("origin", "spend", "dropout"):
        rows = [r for r in table if r["lever"] == "people" and r["replication"] == 1]
        parts = [r["micro_lost"] for r in rows if r["by"] in {by, "firm"}]
        assert sum(parts) == found.micro[1, 0, -1]
    customers = found.customers().to_pydict()
    assert sum(customers["micro_people"]) == found.micro[1, 0, -1]
    columns = [customers[f"micro_{lever}"] for lever in found.levers]
    assert [sum(row) for row in zip(*columns, strict=True)] == customers["micro_lost"]


@pytest.mark.compiled
def test_people__the_other_way_round_turns_the_sign(
    tiring: Scenario, found: Attribution
) -> None:
    """What one policy loses by its agents' strain, the other gains by it."""
    back = explain(tiring, *reversed(PAIR), replications=2)
    assert np.abs(found.micro + back.micro).max() <= 1
    assert found.micro[:, 0, -1].tolist() == (-back.micro[:, 0, -1]).tolist()


@pytest.mark.compiled
def test_people__of_agents_whom_nothing_touches_is_nothing(shop_file: Path) -> None:
    """A table of strain that changes nothing: exactly 0, for everybody."""
    neutral = load_scenario(shop_file, overrides=NEUTRAL)
    idle = explain(neutral, *PAIR, replications=2)
    assert idle.levers == (*MIXED, "people")
    assert idle.share("people").micro == 0
    assert not idle.micro[:, :, -1].any()
    assert idle.sentence().endswith("people changes nothing.")


@pytest.mark.compiled
def test_people__has_what_is_done_for_agents(shop_file: Path) -> None:
    """Prevention that acts on agents alone is theirs, with what it costs."""
    overrides = {key: TIRING[key] for key in TIRING if key.startswith("strain.")}
    cost = "policy.patient.prevention.recovery_training_cost"
    scenario = load_scenario(shop_file, overrides=overrides | {cost: "'$40/year'"})
    source, target = (scenario.policy(name) for name in PAIR)
    policies = {**scenario.spec.policy, "patient": mixture(source, target, ["people"])}
    spec = scenario.spec.model_copy(update={"policy": policies})
    told = explain(
        replace(scenario, spec=spec),
        *PAIR,
        replications=1,
        method=Method("contribution"),
    )
    assert told.levers == ("people",)
    assert told.n_runs == 2
    paid = scenario.policy_costs("patient").prevention * scenario.horizon
    assert told.loss.micro == told.share("people").micro == -math.floor(paid + 0.5)


@pytest.mark.compiled
def test_people__nothing_is_run_twice(
    tiring: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three levers that are mixed: eight runs and two, on one population."""
    met: list[tuple[bool, Any]] = []

    def counted(scenario: Scenario, policy: Any, **keywords: Any) -> Any:
        met.append((scenario.has_people, policy.model_dump_json()))
        return simulate(scenario, policy, **keywords)

    monkeypatch.setattr(workers, "simulate", counted)
    execution = Execution(threads=1)
    told = explain(tiring, *PAIR, replications=1, method=Method(execution=execution))
    assert told.n_runs == 10
    assert len(met) == len(set(met)) == 10
    assert [has_people for has_people, _ in met] == [True, *[False] * 8, True]


@pytest.mark.compiled
def test_people__same_bits_in_other_processes(
    tiring: Scenario, found: Attribution
) -> None:
    """What is run with agents who never tire is so in a process of its own, too."""
    how = Execution(processes=1)
    other = explain(tiring, *PAIR, replications=2, method=Method(execution=how))
    assert other.micro.tolist() == found.micro.tolist()
