"""Worlds in which one mechanism acts alone, and batteries of gates on them."""

from collections.abc import Callable

import numpy as np

from churnsim.records import Floats
from churnsim.validation.worlds import (
    CROWD,
    ENDLESS,
    KEY,
    MARKET,
    MINUTE,
    NEVER,
    NOW,
    POLICY,
    SECOND,
    SPEC,
    SURE,
    WEEK,
    YEAR,
    Mistake,
    World,
    calling,
    certain,
    run,
    run_with,
)
from tests.oracles.gates import Battery, Cdf

FAMILY_ALPHA = 1e-4  # false alarms of all gates on the engine together
GATES_MAX = 200  # in all test files together

Change = Callable[[World], World]  # a mistake made on purpose
Builder = Callable[[Battery, Change], None]  # adds gates on worlds, each changed

# What most oracles need comes from one place.
__all__ = [
    "CROWD",
    "ENDLESS",
    "KEY",
    "MARKET",
    "MINUTE",
    "Mistake",
    "NEVER",
    "NOW",
    "POLICY",
    "SECOND",
    "SPEC",
    "SURE",
    "WEEK",
    "World",
    "YEAR",
    "calling",
    "certain",
    "run",
    "run_with",
    "Builder",
    "Change",
    "caught",
    "engine_battery",
    "exponential_up_to",
    "unchanged",
]


def exponential_up_to(hazard: float, end: float) -> Cdf:
    """Return P(min(T, end) ≤ t) for an exponential lifetime T, of an array of t."""

    def cdf(times: Floats) -> Floats:
        below = -np.expm1(-hazard * np.maximum(times, 0.0))
        return np.where(times < end, below, 1.0)

    return cdf


def unchanged(world: World) -> World:
    """Return the world as it is; what stands in its place makes a mistake in it."""
    return world


def engine_battery(builder: Builder, change: Change = unchanged) -> Battery:
    """Return a builder's gates, each with its share of the family's false alarms.

    Each gate errs with probability `FAMILY_ALPHA / GATES_MAX`, so that all gates on the
    engine together fail a right one with `FAMILY_ALPHA` at most, whatever the seeds.
    """
    battery = Battery()
    builder(battery, change)
    battery.family_alpha = FAMILY_ALPHA * len(battery.gates) / GATES_MAX
    return battery


def caught(builder: Builder, change: Change) -> list[str]:
    """Return the gates of a builder that fail on worlds with a mistake in them."""
    results = engine_battery(builder, change).results()
    return [name for name, result in results.items() if not result.passes]
