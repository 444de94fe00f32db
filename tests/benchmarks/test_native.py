"""The plain C++ program: it is the model, so it fills the kernel's books bit for bit.

It need not be compiled to be read; without a compiler the runs are skipped, and say so.
"""

import ctypes
import shutil
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from benchmarks import native_loop, native_model
from churnsim.engines.books import Books, open_books
from churnsim.engines.kernel.run import run_kernel
from churnsim.engines.kernel.world import World
from churnsim.records import Plan, Population
from churnsim.scenario import Scenario, load_scenario
from churnsim.simulation import make_population
from churnsim.streams import key_from_seed

SEED = 2026
N_CUSTOMERS = 1_000
FOLDER = Path(native_loop.__file__).parent
FIRMS = {"telecom": "telecom", "e-commerce": str(FOLDER / "ecommerce.toml")}
POLICIES = ("empowered", "slow", "dishonest", "slow_and_dishonest")

compiled = pytest.mark.skipif(
    native_loop.available() is not None, reason=str(native_loop.available())
)


class Pair(NamedTuple):
    """The same run by both programs."""

    plan: Plan
    people: Population
    native: native_loop.Run
    kernel: Books


def firm(name: str, *overrides: str) -> Scenario:
    """Return a scenario of a few customers over a year."""
    size = (f"population.customers={N_CUSTOMERS}", 'horizon="1 years"')
    return load_scenario(FIRMS.get(name, name), overrides=(*size, *overrides))


def both(scenario: Scenario, policy: str, replication: int = 0) -> Pair:
    """Return one run by the C++ program and by the kernel."""
    people = make_population(scenario, seed=SEED, replication=replication)
    plan, key = scenario.plan(policy, people.n_customers), key_from_seed(SEED)
    native = native_loop.run(plan, people, key, replication)
    books = open_books(plan, len(people.arrival), 0)
    run_kernel(plan, people, key, replication, books)
    return Pair(plan, people, native, books)


def differing(one: Books, other: Books) -> list[str]:
    """Return the names of the books that differ in any bit."""
    pairs = zip(Books._fields, one, other, strict=True)
    return [
        n for n, a, b in pairs if np.asarray(a).tobytes() != np.asarray(b).tobytes()
    ]


@compiled
@pytest.mark.parametrize("name", FIRMS)
@pytest.mark.parametrize("policy", POLICIES)
def test_run__fills_the_kernels_books(name: str, policy: str) -> None:
    """All books are equal in every bit, and so is the count of events."""
    pair = both(firm(name), policy, replication=3)
    assert differing(pair.native.books, pair.kernel) == []
    assert pair.native.n_events == int(pair.kernel.log_count[0]) > N_CUSTOMERS


@compiled
@pytest.mark.parametrize("name", ["bank", "hotel", "saas", "sold_out_hotel", "spiral"])
def test_run__fills_those_of_other_ready_firms(name: str) -> None:
    """Rosters, messages and agents who are people are in the program too."""
    scenario = firm(name)
    pair = both(scenario, scenario.baseline)
    assert differing(pair.native.books, pair.kernel) == []


@compiled
def test_run__differs_in_another_replication() -> None:
    """What is compared can differ: the draws come from the address."""
    scenario = firm("telecom")
    one, other = both(scenario, "slow"), both(scenario, "slow", replication=1)
    assert "departure" in differing(one.native.books, other.native.books)


@compiled
def test_run__leaves_the_population_as_it_is() -> None:
    """The program shares the population with Python, and only reads it."""
    pair = both(firm("telecom"), "slow")
    again = make_population(firm("telecom"), seed=SEED)
    for mine, fresh in zip(pair.people[1:], again[1:], strict=True):
        np.testing.assert_array_equal(mine, fresh)


def test_available__says_why_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason is told before anything is run."""
    monkeypatch.setattr(shutil, "which", lambda _: None)
    native_loop.library.cache_clear()
    assert "no C++ compiler" in str(native_loop.available())
    with pytest.raises(RuntimeError, match=r"no C\+\+ compiler"):
        native_loop.library()


@compiled
def test_library__tells_what_the_compiler_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What the compiler says reaches whoever runs the benchmark."""
    monkeypatch.setattr(native_model, "model_source", lambda: "no C++;")
    native_loop.library.cache_clear()
    with pytest.raises(RuntimeError, match="refuses the program"):
        native_loop.library()
    native_loop.library.cache_clear()


def test_model_source__holds_every_rule_once() -> None:
    """A rule that is called from several places has one body."""
    source = native_model.model_source()
    for name in ("quantile", "leave_probability", "settle", "philox4x32"):
        bodies = [
            x for x in source.splitlines() if f" fn_{name}(" in x and x[-1] == "{"
        ]
        heads = [line for line in bodies if line.startswith("static inline")]
        assert len(heads) == 1


def test_put_over__refuses_what_has_no_like() -> None:
    """Python that has no like in C++ is never left out silently."""
    unit = native_model.Unit({}, {}, {}, {})
    with pytest.raises(ValueError, match="no C\\+\\+ for"):
        native_model.put_over(unit, _unrestricted)


def _unrestricted(x: float) -> float:
    return sum(x for _ in range(3))


def test_layout__leaves_the_kernels_queue_out() -> None:
    """Its customers and its heap are its own."""
    names = [name for name, *_ in native_loop.layout(World)._fields_]
    assert names[-1] == "customers"
    assert not set(names) & {"life", "codes", "queue"}
    assert issubclass(native_loop.layout(World), ctypes.Structure)
