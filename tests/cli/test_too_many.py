"""More customers than memory holds: every command refuses them, at once and alike."""

import json
import re
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from churnsim import memory
from churnsim.errors import ExitCode, ResourceError
from churnsim.experiment import (
    Execution,
    compare,
    counterfactuals,
    explain,
    run_replications,
)
from churnsim.scenario import Scenario, load_scenario
from churnsim.simulation import make_population, simulate
from tests.cli.conftest import Command

MB = 10**6
BILLION = "population.customers=1000000000"
SIZE = ("--set", BILLION, "--horizon", "1 hour")
SIZE_SET = ("--set", BILLION, "--set", "horizon=1 hour")
PARAMETER = ("--parameter", "market.lock_in=2..5")
REFUSED = {
    "run": ("run", "telecom", *SIZE),
    "run_reference": ("run", "telecom", "--engine", "reference", *SIZE),
    "run_precise": (
        *("run", "telecom", "--half-width", "$1", "--set", "market.value=$1"),
        *SIZE,
    ),
    "explain": ("explain", "telecom", *SIZE),
    "counterfactuals": ("counterfactuals", "telecom", *SIZE),
    "story": ("story", "telecom", "--customer", "1", *SIZE),
    "breakeven": (
        *("breakeven", "telecom", "--lever", "market.discovery"),
        *("--policy", "slow_and_dishonest", *SIZE),
    ),
    "staff": ("staff", "telecom", "--target", "80% in 20s", *SIZE),
    "robust": ("robust", "telecom", *SIZE_SET),
    "robust_customers": (
        *("robust", "telecom", "--customers", "1000000000"),
        *("--set", "horizon=1 hour"),
    ),
    "calibrate": (
        *("calibrate", "telecom", "--targets", "targets.toml", *PARAMETER),
        *("--simulations", "500", *SIZE),
    ),
    "sweep": ("sweep", "sweep.toml", "--out", "swept"),
    "sweep_estimate": ("sweep", "sweep.toml", "--dry-run"),
}
TARGETS = """
policy = "slow"

[[targets]]
figure = "wait"
value = "2 min"
error = "1 min"
"""
SWEEP = """
scenario = "telecom"
policies = ["slow"]
replications = 1

[set]
"population.customers" = 1000000000
horizon = "1 hour"

[[factor]]
field = "market.lock_in"
values = [3.0, 4.0]
"""


@pytest.mark.parametrize("name", REFUSED)
def test_commands__refuse_a_billion_customers(
    churnsim: Command, tmp_path: Path, name: str
) -> None:
    """One line with what there is, what is needed and the cure; nothing is drawn."""
    (tmp_path / "targets.toml").write_text(TARGETS)
    (tmp_path / "sweep.toml").write_text(SWEEP)
    tracemalloc.start()
    try:
        answer = churnsim(*REFUSED[name])
        assert tracemalloc.get_traced_memory()[1] < 200 * MB
    finally:
        tracemalloc.stop()
    assert answer.code == ExitCode.RESOURCES, answer.err
    assert answer.out == ""
    told = answer.err.splitlines()[-1]
    assert re.search(r"must need at most 80% of the .* of memory that are left", told)
    assert re.search(r"1,000,\d{3},\d{3} people in \d+ replications? at once", told)
    assert "(population.customers)" in told
    assert not (tmp_path / "swept").exists()


def test_bench__refuses_more_than_memory_holds(
    churnsim: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The benchmarks ask before they draw anybody."""
    monkeypatch.setattr(memory, "memory_left", lambda: 1000 * MB)
    answer = churnsim("bench", "--quick", "--customers", "100000000")
    assert answer.code == ExitCode.RESOURCES
    assert "of memory that are left" in answer.err


def test_sweep__refuses_the_point_that_is_too_large(
    churnsim: Command, tmp_path: Path
) -> None:
    """Of two points the one that memory holds is run; the other one says why not."""
    text = SWEEP.replace('"population.customers" = 1000000000\n', "")
    text = text.replace("market.lock_in", "population.customers")
    text = text.replace("[3.0, 4.0]", "[200, 1000000000]")
    (tmp_path / "sweep.toml").write_text(text)
    answer = churnsim("sweep", "sweep.toml", "--out", "swept", "--yes", "--json")
    assert answer.code == ExitCode.PARTIAL, answer.err
    status = json.loads(answer.out)["status"]
    assert "of memory that are left" in json.dumps(status)


@pytest.mark.compiled
def test_kept_results__are_not_made_again_without_memory(
    churnsim: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What one machine kept, another one that is too small refuses to make again."""
    few = ("--replications", "2", "--set", "population.customers=150000")
    done = churnsim("run", "telecom", *few, "--horizon", "1 day", "--out", "kept")
    assert done.code == 0
    monkeypatch.setattr(memory, "memory_left", lambda: 100 * MB)
    for words in (("verify", "kept"), ("extend", "kept", "--replications", "3")):
        answer = churnsim(*words)
        assert answer.code == ExitCode.RESOURCES, answer.err
        assert "of memory that are left" in answer.err.splitlines()[-1]


ASKED: dict[str, Callable[[Scenario], object]] = {
    "make_population": make_population,
    "simulate": lambda scenario: simulate(scenario, "slow"),
    "compare": lambda scenario: compare(scenario, execution=Execution(threads=1)),
    "run_replications": lambda scenario: run_replications(scenario, ["slow"]),
    "explain": explain,
    "counterfactuals": counterfactuals,
}


@pytest.mark.parametrize("name", ASKED)
def test_python__refuses_a_billion_customers(name: str) -> None:
    """The library refuses as the commands do, before a row is allocated."""
    scenario = load_scenario("telecom", overrides=[BILLION, "horizon=1 hour"])
    tracemalloc.start()
    try:
        with pytest.raises(ResourceError, match="of memory"):
            ASKED[name](scenario)
        assert tracemalloc.get_traced_memory()[1] < 200 * MB
    finally:
        tracemalloc.stop()
