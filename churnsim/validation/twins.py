"""Both engines on every ready scenario: each number and each event, bit for bit."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from churnsim.engines.books import Books
from churnsim.scenario import load_scenario
from churnsim.simulation import simulate, with_events
from churnsim.validation.checks import Check, Figure, Rule, Seen

GROUP = "twins"
SOURCE = "SimPy reference engine, which shares formulas and draws only"
SCENARIOS = (
    *("bank", "ecommerce", "hotel", "saas"),
    *("sold_out_hotel", "spiral", "telecom"),
)
SMALL = ("population.customers=150", 'horizon="1 year"')
LOG = ("log_times", "log_values", "log_codes")


def checks() -> tuple[Check, ...]:
    """Return the checks of this group."""
    figure = "{}: entries that differ"
    return tuple(
        Check(
            GROUP,
            SOURCE,
            (Figure(figure.format(name), 0.0, 0.0, 0, "", Rule.WITHIN),),
            partial(differing, name),
            2.0,
        )
        for name in SCENARIOS
    )


def differing(scenario: str) -> Sequence[Seen]:
    """Return how many entries of all books differ between the engines, events too."""
    small = load_scenario(scenario, overrides=SMALL)
    n_differing = n_events = 0
    for policy in small.policy_names:
        outcomes = [
            with_events(simulate(small, policy, engine=engine))
            for engine in ("kernel", "reference")
        ]
        first, second = (_sorted(outcome.books) for outcome in outcomes)
        for name in Books._fields:
            n_differing += _differences(getattr(first, name), getattr(second, name))
        n_events += int(outcomes[0].books.log_count[0])
    return (Seen(float(n_differing), 0.0, n_events),)


def _sorted(books: Books) -> Books:
    """Return books whose log is in order of time and customer."""
    n = int(books.log_count[0])
    order = np.lexsort((books.log_codes[:n, 0], books.log_times[:n]))
    ordered = {name: getattr(books, name)[:n][order] for name in LOG}
    return books._replace(**ordered)


def _differences(a: NDArray[np.generic], b: NDArray[np.generic]) -> int:
    """Return how many entries differ in any bit; all where the shapes do."""
    if a.shape != b.shape or a.dtype != b.dtype:
        return max(a.size, b.size)
    size = a.dtype.itemsize
    x, y = (np.ascontiguousarray(z).view(np.uint8).reshape(-1, size) for z in (a, b))
    return int(np.count_nonzero((x != y).any(axis=1)))
