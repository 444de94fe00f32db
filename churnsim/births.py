"""What customers are born with: uniforms by address, and quantiles of many at once."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from churnsim.jit import kernel
from churnsim.mechanisms.clocks import budget
from churnsim.parts import slices
from churnsim.primitives import exp, log, normal_quantile
from churnsim.records import Floats
from churnsim.streams import ORDINARY, Key, Purpose, uniforms

KEPT_BITS = 40  # of scipy's quantiles
ATTEMPT_STEP = 256  # of a block number
GAP = Purpose.GAP.value
Places = NDArray[np.int64]


class Births(NamedTuple):
    """The uniforms that a set of customers is born with, each of shape (n,)."""

    rate: Floats
    value: Floats
    dropout: Floats
    budget: Floats
    phase: Floats
    tenure: Floats
    trust: Floats
    choice: Floats


@kernel
def draw_births(
    key: Key, replication: int, who: Places, attempt: int, drawn: Floats
) -> int:
    """Fill `drawn` (n, 8) with the uniforms of the customers `who`; return n."""
    step = ATTEMPT_STEP * attempt
    for place in range(who.shape[0]):
        customer = who[place]
        for block in range(4):
            u, v = uniforms(key, customer, replication, 0, block + step)
            drawn[place, 2 * block] = u
            drawn[place, 2 * block + 1] = v
    return len(who)


@kernel
def draw_firsts(
    key: Key, replication: int, first: int, mistakes: Floats, contacts: Floats
) -> int:
    """Fill both with the budgets of customers from `first` on; return how many."""
    for place in range(mistakes.shape[0]):
        u, _ = uniforms(key, first + place, replication, 0, GAP)
        v, _ = uniforms(key, first + place, replication, ORDINARY, GAP)
        mistakes[place], contacts[place] = budget(u), budget(v)
    return len(mistakes)


def first_budgets(key: Key, replication: int, n: int) -> tuple[Floats, Floats]:
    """Return everybody's budgets of a first mistake and ordinary contact [-]."""
    mistakes, contacts = np.empty(n), np.empty(n)
    for part in slices(0, n):
        draw_firsts(key, replication, part.start, mistakes[part], contacts[part])
    return mistakes, contacts


@kernel
def all_logs(values: Floats) -> int:
    """Replace each value by −log(1 − value), in the project's own arithmetic."""
    for place in range(values.shape[0]):
        values[place] = -log(1.0 - values[place])
    return len(values)


@kernel
def all_exps(values: Floats) -> int:
    """Replace each value by its exponential, in the project's own arithmetic."""
    for place in range(values.shape[0]):
        values[place] = exp(values[place])
    return len(values)


@kernel
def all_normals(values: Floats) -> int:
    """Replace each uniform by its normal quantile."""
    for place in range(values.shape[0]):
        values[place] = normal_quantile(values[place])
    return len(values)


def births(key: Key, replication: int, who: Places, attempt: int = 0) -> Births:
    """Return the uniforms at birth of the customers numbered `who`."""
    drawn = np.empty((len(who), 8))
    draw_births(key, replication, who, attempt, drawn)
    columns = np.ascontiguousarray(drawn.T)
    return Births(*columns)


def rounded(values: Floats) -> Floats:
    """Return values with 40 significant bits."""
    mantissa, power = np.frexp(values)
    scale = 2.0**KEPT_BITS
    return np.asarray(np.ldexp(np.rint(mantissa * scale) / scale, power))


def quantiles(inverse: np.ufunc, *arguments: NDArray[Any] | float) -> Floats:
    """Return scipy's quantiles with 40 significant bits.

    Args:
        inverse: One of scipy's functions.
        arguments: Its own, of shape (n,) or alone.
    """
    return rounded(inverse(*arguments))
