"""A small scenario for sweeps, loaded once."""

import pytest

from churnsim.scenario import Scenario, load_scenario


@pytest.fixture(scope="session")
def few() -> Scenario:
    """Return a telecom of fifty customers, whose runs take a moment."""
    return load_scenario("telecom", overrides={"population.customers": "50"})
