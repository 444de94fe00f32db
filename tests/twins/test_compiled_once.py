"""The kernel is compiled once, whatever it simulates."""

import pytest

from churnsim.engines.books import open_books
from churnsim.engines.kernel.world import make_world
from churnsim.jit import numba
from churnsim.scenario import list_scenarios, load_scenario
from churnsim.simulation import make_population
from churnsim.streams import key_from_seed


def type_of_world(name: str, policy: str, n_customers: int) -> object:
    """Return the compiler's type of the world that a run begins with."""
    settings = [f"population.customers={n_customers}", "horizon=9 days"]
    scenario = load_scenario(name, overrides=settings)
    people = make_population(scenario, seed=1)
    plan = scenario.plan(policy, n_customers)
    books = open_books(plan, len(people.arrival), 0)
    return numba.typeof(make_world(plan, people, key_from_seed(1), 0, books))


@pytest.fixture(scope="module")
def usual() -> object:
    """Return the type of a firm's world as it is run by default."""
    return type_of_world("telecom", "empowered", 50)


@pytest.mark.parametrize("n_customers", [0, 1, 2, 3])
def test_world__of_hardly_anybody_is_of_the_same_type(
    usual: object, n_customers: int
) -> None:
    """Nobody, or one customer, needs no machine code of their own."""
    assert type_of_world("telecom", "empowered", n_customers) == usual


def test_world__of_any_scenario_and_policy_is_of_the_same_type(usual: object) -> None:
    """Rosters, hoops, profiles, people and logs change numbers, never types."""
    for name in list_scenarios():
        for policy in load_scenario(name).policy_names:
            assert type_of_world(name, policy, 20) == usual, (name, policy)
