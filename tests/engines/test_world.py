"""The rows of the kernel's state: three views of the same bytes."""

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from churnsim.engines.kernel.world import (
    ROW,
    Code,
    Count,
    Life,
    Phase,
    clocks_of,
    make_rows,
    set_clocks,
)
from churnsim.mechanisms.clocks import Clocks
from churnsim.records import Cause
from churnsim.scenario.model import LIST_MAX
from churnsim.scenario.policy import HOOPS_MAX


def test_columns__of_the_three_views_do_not_overlap() -> None:
    """No byte of a row is a part of two columns, and a row has room for all."""
    taken = [
        n_bytes * column + byte
        for columns, n_bytes in ((Life, 8), (Count, 4), (Code, 1))
        for column in columns
        for byte in range(n_bytes)
    ]
    assert len(taken) == len(set(taken))
    assert max(taken) < ROW == make_rows(1).nbytes


def test_rows__begin_with_a_pair_of_cache_lines() -> None:
    """A row is fetched at once, wherever the memory was found."""
    for n in (1, 2, 1_000):
        assert make_rows(n).ctypes.data % ROW == 0


def test_codes__hold_the_largest_that_a_scenario_may_ask_for() -> None:
    """Rows of tables, phases and causes are bytes with a sign."""
    largest = np.iinfo(np.int8).max
    assert largest >= HOOPS_MAX - 1
    assert largest >= LIST_MAX - 1
    assert max(Phase) <= largest
    assert max(Cause) <= largest


@pytest.mark.parametrize("at", [0.0, 5e-324, 7.25, math.inf])
@pytest.mark.parametrize("left", [0.0, 5e-324, 0.5, math.inf])
def test_clocks__keep_when_they_strike_or_what_is_left(at: float, left: float) -> None:
    """A clock that stands still keeps its rest to the bit, be it nothing at all."""
    world: Any = SimpleNamespace(life=make_rows(2))
    set_clocks(world, 1, Clocks(at, left, 3.0, 0.25, at, left))
    kept = clocks_of(world, 1)
    assert (kept.mistake_at, kept.contact_at) == (at, at)
    assert (kept.dropout_at, kept.dropout_left) == (3.0, 0.25)
    if at == math.inf:
        rests = (kept.mistake_left, kept.contact_left)
        assert [rest.hex() for rest in map(float, rests)] == [left.hex()] * 2
    assert not world.life[0].any()
