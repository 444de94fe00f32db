"""Records for tests of mechanisms."""

import pytest

from churnsim.records import Kind, Market, Policy
from tests.mechanisms.neutral import generous_policy, minor_kind, neutral_market


@pytest.fixture
def market() -> Market:
    """Return a market in which nothing pushes anybody."""
    return neutral_market()


@pytest.fixture
def policy() -> Policy:
    """Return a policy that settles everything on the spot."""
    return generous_policy()


@pytest.fixture
def kind() -> Kind:
    """Return the minor kind of the repurchase table."""
    return minor_kind()
