"""A small shop for all analyses."""

import pytest

from churnsim.scenario import Scenario
from tests.analysis.made import shop


@pytest.fixture(scope="session")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    """Return the small shop, which nobody simulates here."""
    return shop(tmp_path_factory.mktemp("shop"))
