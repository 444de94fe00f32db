"""Ordinary dropout derived from observed churn: closed forms, places, no surprises."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest

from churnsim.errors import InputError
from churnsim.report.settings import derived_of, scenario_text
from churnsim.scenario import Scenario, load_scenario
from churnsim.scenario.laws import Beta, Constant
from churnsim.scenario.ordinary import ordinary_dropout
from churnsim.simulation import simulate
from churnsim.units import year_days

ROOT = Path(__file__).resolve().parents[2]

FIRM = """\
title = "A firm that knows its churn"
horizon = "2 years"
seed = 11
policies = ["slow", "empowered"]

[population]
customers = 4000
prospects = "800/year"
starting_tenure = "stationary"
history = "6 years"

[market]
relationship = "subscription"
rate = "12/year"
dropout = { law = "observed", a = 1.5 }
observed_churn = "20 %/year"
observed_under = "slow"
value = "$30"
period = "1 month"
lock_in = 1.5
drift = 0.0
double = 1.0
stated_to_actual = 0.5

[market.word_of_mouth]
conversion = 0.5

[[mistakes]]
name = "fault"
probability = 0.02
sting = 2.5
stake = "$20"
voice = 0.5
heard = 0.3
settled = 1.0
quick = 1.5
tolerance = "1 day"
tau = "2 days"

[costs]
margin = "50 %"
agent_pay = "$20/hour"
supervisor_pay = "$30/hour"

[policy_defaults.speed]
agents = 9
supervisors = 9
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return the file of a firm whose desks nobody waits at."""
    path = tmp_path / "firm.toml"
    path.write_text(FIRM, encoding="utf-8")
    return path


def churn(scenario: Scenario, policy: str, replication: int) -> float:
    """Return customers lost over customer-years of one replication."""
    outcome = simulate(scenario, policy, seed=5, replication=replication)
    table = outcome.customers().to_pydict()
    lost, days = 0, 0.0
    columns = ("arrival", "departure", "is_prospect", "is_won")
    for arrival, departure, is_prospect, is_won in zip(
        *(table[name] for name in columns), strict=True
    ):
        if is_prospect and not is_won:
            continue
        lost += departure is not None
        end = scenario.horizon if departure is None else departure
        days += end - max(0.0, arrival)
    return lost / days * year_days()


@pytest.mark.parametrize("a", ["", ", a = 1.5", ", a = 0.4"])
def test_dropout__without_mistakes_has_the_closed_form(a: str, file: Path) -> None:
    """Whom nothing goes wrong for is lost at renewals alone.

    Alike and stationary, of those there at a renewal p leave, and on average 1 − p/2
    are there until the next: churn in a period is p/(1 − p/2). Of a beta law the
    survival of n renewals is B(a, b + n)/B(a, b), summed here over ages.
    """
    law = f'market.dropout={{ law = "observed"{a} }}'
    none = (law, "mistakes=[]", "population.prospects=0/year")
    scenario = load_scenario(file, overrides=none)
    found = ordinary_dropout(scenario.spec)
    observed = 0.2 / 12.0
    if isinstance(found, Constant):
        assert found.mean == pytest.approx(observed / (1.0 + 0.5 * observed), rel=1e-9)
        return
    assert isinstance(found, Beta)

    def beta(x: float, y: float) -> float:
        return math.exp(math.lgamma(x) + math.lgamma(y) - math.lgamma(x + y))

    left = np.array(
        [beta(found.a, found.b + n) / beta(found.a, found.b) for n in range(72 + 26)]
    )
    there = np.array([left[j : j + 73].sum() for j in range(25)])
    lost = there[0] - there[24]
    lived = (0.5 * (there[:-1] + there[1:])).sum()
    assert lost / lived == pytest.approx(observed, rel=1e-9)


@pytest.mark.compiled
@pytest.mark.parametrize("exit_at", ["at_once", "at_renewal"])
def test_churn__is_as_observed_under_that_policy(exit_at: str, file: Path) -> None:
    """Simulated, as many leave under `slow` as were seen to, z = 3, 8 replications.

    Nobody waits, forgets before the next mistake or drifts, which is what the estimate
    of what mistakes do leaves out.
    """
    changes = [f"market.exit={exit_at}", "market.memory=1 day"]
    scenario = load_scenario(file, overrides=changes)
    values = [churn(scenario, "slow", i) for i in range(8)]
    error = np.std(values, ddof=1) / math.sqrt(len(values))
    assert abs(np.mean(values) - 0.20) < 3.0 * error
    assert error < 0.005
    better = [churn(scenario, "empowered", i) for i in range(8)]
    assert np.mean(better) < np.mean(values) - 3.0 * error


@pytest.mark.compiled
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "a"), [("telecom", 1.2), ("bank", 1.2), ("saas", 0.9)]
)
def test_churn__of_ready_scenarios_is_as_far_off_as_told(name: str, a: float) -> None:
    """docs/evidence.md says by how much the estimate misses, z = 3, 6 replications."""
    page = (ROOT / "docs" / "evidence.md").read_text(encoding="utf-8")
    told = re.search(rf"(?m)^\| {name} \| ([\d.]+) % \| ([\d.]+) % \|", page)
    assert told is not None
    law = [f'market.dropout={{ law = "observed", a = {a} }}']
    scenario = load_scenario(name, overrides=[*law, "market.observed_under=slow"])
    assert (scenario.spec.market.observed_churn or 0.0) * year_days() == pytest.approx(
        float(told[1]) / 100.0
    )
    values = [churn(scenario, "slow", i) for i in range(6)]
    error = np.std(values, ddof=1) / math.sqrt(len(values))
    rounding = 0.0005
    assert abs(np.mean(values) - float(told[2]) / 100.0) < 3.0 * error + rounding


def test_dropout__follows_from_the_settings(file: Path) -> None:
    """More mistakes leave less that is ordinary; nothing changes the law by itself."""
    usual = load_scenario(file).population.dropout
    again = load_scenario(file).population.dropout
    assert usual == again
    more = load_scenario(file, overrides=["mistakes.fault.probability=0.03"])
    assert more.population.dropout.b > usual.b
    assert more.population.dropout.a == usual.a == 1.5


def test_dropout__of_the_telecom_is_the_same_on_every_machine() -> None:
    """Twelve digits, which are those of sums and of the project's own exponential."""
    law = ['market.dropout={ law = "observed", a = 1.2 }']
    scenario = load_scenario("telecom", overrides=[*law, "market.observed_under=slow"])
    assert scenario.population.dropout.b == 142.225431591


def test_show__tells_the_derived_law(file: Path) -> None:
    """Text and document have the law that follows; a given one is not derived."""
    scenario = load_scenario(file)
    law = scenario.population.dropout
    derived = {"market.dropout": {"law": "beta", "a": 1.5, "b": law.b}}
    assert derived_of(scenario) == derived
    text = " ".join(scenario_text(scenario, {}, 100).split())
    assert f"derived: market.dropout is beta: a 1.5, b {law.b!r}, so that" in text
    assert derived_of(load_scenario("telecom")) == {}


def test_dropout__written_and_read_again_means_the_same(
    file: Path, tmp_path: Path
) -> None:
    """The resolved scenario keeps the law, so that it follows when others change."""
    scenario = load_scenario(file)
    path = tmp_path / "again.toml"
    path.write_text(scenario.to_toml(), encoding="utf-8")
    again = load_scenario(path)
    assert again.digest == scenario.digest
    assert again.population.dropout == scenario.population.dropout
    other = load_scenario(file, overrides=["market.observed_under=empowered"])
    assert other.digest != scenario.digest


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            "market.observed_churn=1 %/year",
            "must leave room for mistakes, which under slow drive away about",
        ),
        (
            "market.observed_churn=5000 %/year",
            "must be a churn that renewals allow",
        ),
        ("market.relationship=purchase", 'must not be "observed" for purchases'),
        ("market.observed_under=slwo", "did you mean 'slow'?"),
        ("market.dropout.a=0", "market.dropout.a"),
    ],
)
def test_observed__is_refused_with_rule_and_cure(
    change: str, told: str, file: Path
) -> None:
    """What cannot be derived is told before anything runs."""
    with pytest.raises(InputError) as refused:
        load_scenario(file, overrides=[change])
    assert told in str(refused.value)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('observed_churn = "20 %/year"\n', "observed_churn: is required to derive"),
        ('observed_under = "slow"\n', "observed_under: is required to derive"),
    ],
)
def test_observed__needs_churn_and_policy(line: str, told: str, file: Path) -> None:
    """Without either there is nothing to derive dropout from."""
    file.write_text(FIRM.replace(line, ""), encoding="utf-8")
    with pytest.raises(InputError) as refused:
        load_scenario(file)
    assert told in str(refused.value)


def test_observed__is_refused_at_its_line(file: Path) -> None:
    """The churn that leaves no room is found by file and line."""
    file.write_text(FIRM.replace("20 %/year", "2 %/year"), encoding="utf-8")
    with pytest.raises(InputError) as refused:
        load_scenario(file)
    (problem,) = refused.value.problems
    line = FIRM.splitlines().index('observed_churn = "20 %/year"') + 1
    assert (problem.file, problem.line) == (str(file), line)
    assert problem.value == "2 %/year"
    assert "lower mistakes.probability" in problem.hint


def test_observed_under__without_churn_is_refused() -> None:
    """A policy of nothing observed says nothing."""
    with pytest.raises(InputError) as refused:
        load_scenario("hotel", overrides=["market.observed_under=slow"])
    assert "must be absent without observed_churn" in str(refused.value)
