"""Nonsense given in Python: refused in plain words, never with a stray exception."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from churnsim import (
    breakeven,
    compare,
    counterfactuals,
    explain,
    load_scenario,
    memory,
    simulate,
    staff,
    story,
)
from churnsim.errors import ChurnsimError, InputError, ResourceError
from churnsim.experiment import Asked, Effort, Execution, Method, Search, Until
from churnsim.given import whole_number
from churnsim.scenario import Scenario

Call = Callable[..., Any]
SMALL = ("population.customers=5", "horizon=2 days", "replications=1")
SLOW_BUT_READY = Execution("reference", 1)
KINDS = [None, 3, math.nan, b"telecom", [], ["slow"], {}, object(), True]


@pytest.fixture(scope="module")
def firm() -> Scenario:
    """Return a firm of five customers and two days."""
    return load_scenario("telecom", overrides=SMALL)


def asks(firm: Any, **given: Any) -> dict[str, Call]:
    """Return each question of the Python interface, other things being right."""
    way = given.pop("execution", SLOW_BUT_READY)
    seed = given.pop("seed", None)
    again = {"replications": given.pop("replications", 1)}
    policy = given.pop("policy", "slow")
    return {
        "simulate": lambda: simulate(firm, policy, seed=seed, engine=way.engine),
        "compare": lambda: compare(
            firm, policies=[policy], seed=seed, execution=way, **again
        ),
        "explain": lambda: explain(
            firm, policy, method=Method(seed=seed, execution=way), **again
        ),
        "counterfactuals": lambda: counterfactuals(
            firm, policy, asked=Asked(seed=seed, execution=way), **again
        ),
        "breakeven": lambda: breakeven(
            firm,
            "market.discovery",
            policy,
            search=Search(seed=seed, execution=way, n_grid=2, **again),
        ),
        "staff": lambda: staff(
            firm,
            "80% in 20s",
            policy,
            effort=Effort(seed=seed, execution=way, **again),
        ),
    }


def refuses(call: Call, *words: str) -> str:
    """Return what a call is refused with, which has all of these words."""
    with pytest.raises(InputError) as refusal:
        call()
    told = str(refusal.value)
    assert all(word in told for word in words), told
    return told


QUESTIONS = ("simulate", "compare", "explain", "counterfactuals", "breakeven", "staff")


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("given", KINDS)
def test_scenario__of_another_kind_is_refused(question: str, given: object) -> None:
    """The place and what is wanted are named."""
    refuses(asks(given)[question], "scenario: must be")


def test_scenario__by_its_name_is_not_what_simulate_takes() -> None:
    """The cure is in the refusal."""
    refuses(asks("telecom")["simulate"], 'load_scenario("telecom")', 'got "telecom"')


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("given", ["slwo", "", 3, math.nan, ["slow"], object()])
def test_policy__that_there_is_not_is_refused(
    firm: Scenario, question: str, given: object
) -> None:
    """The known ones are listed, or what kind it must be."""
    told = refuses(asks(firm, policy=given)[question], "polic", "must be")
    assert given != "slwo" or "did you mean 'slow'?" in told


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("given", [-1, 1.5, math.nan, "1", True, 2**64, [1]])
def test_seed__that_is_no_whole_number_in_range_is_refused(
    firm: Scenario, question: str, given: object
) -> None:
    """Text, fractions, NaN, what is negative or too large."""
    refuses(asks(firm, seed=given)[question], "seed: must be", "got")


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("given", ["foo", "Kernel", "", None, 3, ["kernel"]])
def test_engine__that_there_is_not_is_refused(
    firm: Scenario, question: str, given: Any
) -> None:
    """The known ones are listed."""
    way = Execution(given, 1)
    refuses(asks(firm, execution=way)[question], "engine", "kernel, interpreted")


@pytest.mark.parametrize("question", QUESTIONS[1:])
@pytest.mark.parametrize("given", [0, -1, 1.5, math.nan, "3", True, 10**12])
def test_replications__that_there_cannot_be_are_refused(
    firm: Scenario, question: str, given: object
) -> None:
    """Before any is run, and before anything is made for so many."""
    refuses(asks(firm, replications=given)[question], "replications: must be", "got")


@pytest.mark.parametrize("question", ["compare", "explain", "counterfactuals"])
@pytest.mark.parametrize("given", [[], [0, 0], [-1], ["x"], range(10**12)])
def test_replications__by_number_are_different_ones(
    firm: Scenario, question: str, given: object
) -> None:
    """None, one twice, or more than anybody could wait for."""
    if question == "compare":
        way = SLOW_BUT_READY
        refuses(
            lambda: compare(firm, replications=given, execution=way),  # type: ignore[arg-type]
            "replications",
        )
    else:
        refuses(asks(firm, replications=given)[question], "replications")


@pytest.mark.parametrize("given", [-1, 1.5, math.nan, "0", True, 2**32, None])
def test_replication__of_a_single_run_has_a_number(firm: Scenario, given: Any) -> None:
    """As the address of a random number has room for."""
    refuses(
        lambda: simulate(firm, "slow", replication=given, engine="reference"),
        "replication: must be",
    )


@pytest.mark.parametrize("given", [3, "x", [], np.zeros(3)])
def test_population__is_one_that_was_made(firm: Scenario, given: Any) -> None:
    """Nothing else is taken for one."""
    refuses(lambda: simulate(firm, "slow", population=given), "population: must be")


@pytest.mark.parametrize("given", KINDS)
def test_load_scenario__refuses_what_is_no_name_and_no_file(given: Any) -> None:
    """Whatever Python has."""
    refuses(lambda: load_scenario(given), "scenario: must be")


@pytest.mark.parametrize("given", ["", "nope", "a\0b", "x" * 5000 + ".toml", "no.toml"])
def test_load_scenario__refuses_names_that_there_are_not(given: str) -> None:
    """Too long for any disk, or with a character that no path has."""
    refuses(lambda: load_scenario(given), "must be", "got")
    refuses(lambda: load_scenario(Path(given or "/")), "must be a file")


@pytest.mark.parametrize(
    "given",
    [3, None, "market.lock_in=1", [3], [None], ["x"], iter(["market.lock_in=1"])],
)
@pytest.mark.parametrize("scenario", ["telecom", "loaded"])
def test_overrides__that_are_no_texts_are_refused(
    firm: Scenario, scenario: str, given: Any
) -> None:
    """By a ready scenario and by a loaded one alike; none is left out in silence."""
    base = firm if scenario == "loaded" else scenario
    refuses(lambda: load_scenario(base, overrides=given), "must be")


def test_overrides__may_be_values_of_python(firm: Scenario) -> None:
    """True, a number, a list and a law mean what they do in a file."""
    given: Any = {
        "policy.slow.accountability.apology": False,
        "market.lock_in": 1.0,
        "policies": ["empowered", "slow"],
        "market.memory": {"law": "constant", "mean": "3 days"},
    }
    spec = load_scenario(firm, overrides=given).spec
    assert spec.policy["slow"].accountability.apology is False
    assert spec.market.lock_in == 1.0
    assert spec.policies == ("empowered", "slow", "flawless")
    assert spec.market.memory.mean == 3.0  # type: ignore[union-attr]


@pytest.mark.parametrize("given", ["slow", [], 3, math.nan, {"slow": 1}, [["slow"]]])
def test_compare__takes_a_list_of_policies(firm: Scenario, given: Any) -> None:
    """A single name is no list of letters."""
    told = refuses(
        lambda: compare(firm, policies=given, execution=SLOW_BUT_READY), "policies"
    )
    assert given != "slow" or "['slow']" in told


@pytest.mark.parametrize(
    "given",
    [
        None,
        "fast",
        Execution("reference", threads=0),
        Execution("reference", threads=1.5),  # type: ignore[arg-type]
        Execution("reference", threads=10**9),
        Execution("reference", processes=0),
        Execution("reference", progress=3),  # type: ignore[arg-type]
        Execution("reference", stop=True),  # type: ignore[arg-type]
    ],
)
def test_execution__that_there_cannot_be_is_refused(firm: Scenario, given: Any) -> None:
    """Before anything is run."""
    refuses(lambda: compare(firm, replications=1, execution=given), "must be")


@pytest.mark.parametrize(
    "given",
    [
        Until(),
        Until(half_width=math.nan),
        Until(half_width=-0.1),
        Until(half_width="2%"),  # type: ignore[arg-type]
        Until(budget="x"),  # type: ignore[arg-type]
        Until(half_width=0.1, first=1),
    ],
)
def test_until__that_is_never_reached_is_refused(firm: Scenario, given: Until) -> None:
    """Nothing to stop at, or no number above 0."""
    refuses(lambda: compare(firm, replications=given, execution=SLOW_BUT_READY), "must")


@pytest.mark.parametrize(
    "given",
    [
        None,
        3,
        Search("profit"),
        Search(["revenue"]),  # type: ignore[arg-type]
        Search(n_grid=1),
        Search(n_grid=math.nan),  # type: ignore[arg-type]
        Search(tolerance=0.0),
        Search(tolerance=math.nan),
        Search(tolerance="x"),  # type: ignore[arg-type]
        Search(low="x"),
        Search(low=math.nan, high=1),
        Search(low=0.9, high=0.1),
        Search(low=[], high={}),  # type: ignore[arg-type]
        Search(execution=None),  # type: ignore[arg-type]
    ],
)
def test_search__that_there_cannot_be_is_refused(firm: Scenario, given: Any) -> None:
    """A measure, a grid, a tolerance or a range that makes no sense."""
    refuses(lambda: breakeven(firm, "market.discovery", "slow", search=given), "must")


@pytest.mark.parametrize("given", [None, 3, ["x"], "", "market", "market.lokc_in"])
def test_lever__that_is_no_setting_is_refused(firm: Scenario, given: Any) -> None:
    """Of another kind, a group, or misspelt."""
    refuses(lambda: breakeven(firm, given, "slow"))


@pytest.mark.parametrize(
    "given",
    [
        None,
        3,
        Method("profit"),
        Method(["revenue"]),  # type: ignore[arg-type]
        Method(customers=-1),
        Method(customers="x"),  # type: ignore[arg-type]
        Method(exact_max=math.nan),  # type: ignore[arg-type]
        Method(orders=1),
        Method(execution=3),  # type: ignore[arg-type]
    ],
)
def test_method__that_there_cannot_be_is_refused(firm: Scenario, given: Any) -> None:
    """A measure or a number that makes no sense."""
    refuses(lambda: explain(firm, replications=1, method=given), "must be")


@pytest.mark.parametrize("given", [None, 3, Asked(parting="x")])  # type: ignore[arg-type]
def test_asked__that_there_cannot_be_is_refused(firm: Scenario, given: Any) -> None:
    """Of another kind, or no yes or no."""
    refuses(lambda: counterfactuals(firm, replications=1, asked=given), "must be")


@pytest.mark.parametrize("given", [-1, 1.5, math.nan, "0", True, None, 10**12])
def test_story__is_of_somebody(firm: Scenario, given: Any) -> None:
    """Who is not there has no story."""
    refuses(lambda: story(firm, given), "customer: must be", "prospects come after")


@pytest.mark.parametrize(
    "setting",
    [
        "population.customers=-1",
        "population.customers=1.5",
        "population.customers=true",
        "population.customers=nan",
        "horizon=-1 day",
        "horizon=nan",
        "horizon=inf",
        "horizon=0",
        "replications=0",
        "seed=-1",
        "seed=1.5",
        "market.lock_in=nan",
        "market.rate=inf/year",
        "mistakes.billing.probability=1.1",
    ],
)
def test_settings__that_there_cannot_be_are_refused(setting: str) -> None:
    """The setting is named as it was typed."""
    refuses(lambda: load_scenario("telecom", overrides=[setting]), setting, "must be")


def test_customers__more_than_there_is_room_for_are_refused_for_resources(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At once where no machine could, else before anything is drawn."""
    with pytest.raises(ResourceError, match="at most 4,000,000,000"):
        load_scenario("telecom", overrides=["population.customers=1000000000000"])
    monkeypatch.setattr(memory, "memory_left", lambda: 10**10)
    vast = load_scenario("telecom", overrides=["population.customers=50000000"])
    for call in asks(vast).values():
        with pytest.raises(ResourceError, match="take fewer customers"):
            call()


def test_simulate__asks_for_memory_where_it_would_take_much(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of few customers nobody asks."""
    monkeypatch.setattr(memory, "memory_left", lambda: 10**6)
    many = load_scenario("telecom", overrides=["population.customers=200000"])
    with pytest.raises(ResourceError, match="fewer customers"):
        simulate(many, "slow", engine="reference")
    few = load_scenario("telecom", overrides=SMALL)
    assert simulate(few, "slow", engine="reference").n_customers == 5


@pytest.mark.parametrize("given", [3, np.int64(3), np.uint8(3)])
def test_whole_number__takes_those_of_numpy(given: Any) -> None:
    """As Python's own."""
    found = whole_number("n", given, 1, 5)
    assert (found, type(found)) == (3, int)


@pytest.mark.parametrize("given", [np.bool_(True), np.float64(3.0), np.arange(3)])
def test_whole_number__is_no_fraction_no_truth_and_no_array(given: Any) -> None:
    """Even where the value would be whole."""
    with pytest.raises(ChurnsimError, match="n: must be a whole number"):
        whole_number("n", given, 1, 5)
