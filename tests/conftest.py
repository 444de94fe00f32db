"""What every test shares: examples that repeat, and one kernel for all."""

import sys
from collections.abc import Iterator

import pytest
from hypothesis import settings

# The same examples in every run: a change cannot fail by luck, nor pass by it.
settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.load_profile("repeatable")


@pytest.fixture(scope="session", autouse=True)
def compiled_once() -> Iterator[None]:
    """See to it that no test has the simulation compiled for types of its own.

    A column of whole numbers where a scenario has fractions would do it, and take a
    minute.
    """
    yield
    kernel = sys.modules.get("churnsim.engines.kernel.run")
    assert kernel is None or len(kernel.run_world.signatures) <= 1
