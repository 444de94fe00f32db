"""News from other sites: twins over random setups, and relations that hold exactly."""

import functools
import random

import numpy as np
import pytest

from churnsim.engines.books import open_books
from churnsim.records import Elsewhere
from tests.twins.comparing import ENGINES, Engine, assert_twins, run_engine
from tests.twins.sampling import check_many
from tests.twins.strategies import GRIDS, Setup, setups, tied_setups

N_SETUPS = 120
N_PARTS = 3
TOLD_MAX = 20_000  # at one moment [thousandths]

pytestmark = pytest.mark.compiled


def told_elsewhere(setup: Setup) -> Elsewhere:
    """Return tellings of other sites, good and bad, the same ones for a setup."""
    draw = random.Random(setup.key.k0)
    n_periods = len(open_books(setup.plan, len(setup.people.arrival), 0).tellings)
    tellings = np.zeros(n_periods, np.int64)
    for _ in range(min(n_periods, 200)):
        tellings[draw.randrange(n_periods)] += draw.randint(-TOLD_MAX // 3, TOLD_MAX)
    return Elsewhere(tellings, draw.randrange(3 * len(setup.people.arrival) + 1))


def hearing(setup: Setup) -> dict[str, Engine]:
    """Return the engines, told what the setup's other sites tell."""
    elsewhere = told_elsewhere(setup)
    return {
        # Each engine has this keyword, which their common type does not name.
        name: functools.partial(engine, elsewhere=elsewhere)  # type: ignore[call-arg]
        for name, engine in ENGINES.items()
    }


@pytest.mark.parametrize("part", range(N_PARTS))
def test_engines__agree_on_news_from_elsewhere(part: int) -> None:
    """All books and the whole event log are equal; some choices hang on it."""
    n_moved = 0

    def check(setup: Setup) -> None:
        nonlocal n_moved
        books = assert_twins(setup, hearing(setup))
        alone = run_engine(setup, ENGINES["compiled"])
        n_moved += not np.array_equal(books.tally, alone.tally)

    check_many(setups(), N_SETUPS // N_PARTS, check, start=700 + part)
    assert n_moved > 0


@pytest.mark.parametrize("grid", GRIDS)
def test_engines__agree_on_news_from_elsewhere_on_a_grid(grid: float) -> None:
    """A prospect who comes as a period ends hears of it; in all engines alike."""

    def check(setup: Setup) -> None:
        assert_twins(setup, hearing(setup))

    check_many(tied_setups(grid), N_SETUPS // 6, check, start=int(1024 * grid))


def test_engines__take_nobody_elsewhere_for_nothing() -> None:
    """A firm with one site is one of which nobody tells anything elsewhere."""

    def check(setup: Setup) -> None:
        n_periods = len(open_books(setup.plan, 0, 0).tellings)
        nothing = Elsewhere(np.zeros(n_periods, np.int64), 0)
        engine = ENGINES["compiled"]
        # As in `hearing`.
        told = functools.partial(engine, elsewhere=nothing)  # type: ignore[call-arg]
        assert_twins(setup, {"without": engine, "with": told})

    check_many(setups(), N_SETUPS // 6, check)
