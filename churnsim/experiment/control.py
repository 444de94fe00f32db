"""Revenue known better: what is known of a firm without mistakes as control variate.

A flawless firm is part of every replication and meets the same luck. What it is to be
expected to earn is known in closed form, so a policy's revenue can be corrected by how
lucky the replications were. Losses mostly gain nothing by it: pairing has taken that
luck out of them already.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from churnsim.experiment.faultless import expected_revenue
from churnsim.experiment.intervals import (
    ROUGH_BELOW,
    Estimate,
    controlled,
    estimate,
    variance,
)
from churnsim.experiment.losses import Loss
from churnsim.experiment.replications import Replications
from churnsim.records import MICRO
from churnsim.scenario import Scenario
from churnsim.scenario.model import FLAWLESS

HELPS_FROM = 1.1  # variance factor


class Controlled(NamedTuple):
    """A policy's revenue, or what it loses, by the better of two estimates."""

    policy: str
    against: str | None  # "baseline" or "flawless"; None: revenue itself
    value: Estimate  # per run [units of currency]
    variance_factor: float  # variance of the plain estimate / with the control
    is_used: bool  # whether the control is; else the value is the plain one


class Control(NamedTuple):
    """What is known of a firm without mistakes, and what follows for the others."""

    expected: float  # its revenue per run in closed form [units of currency]
    estimates: tuple[Controlled, ...]

    def used_for(self, against: str | None) -> tuple[Controlled, ...]:
        """Return the estimates that it makes better; None: those of revenue itself."""
        return tuple(
            item for item in self.estimates if item.is_used and item.against == against
        )


def control_of(
    scenario: Scenario, results: Replications, losses: Sequence[Loss]
) -> Control | None:
    """Return the revenues and losses of revenue with the control where it helps.

    It is used for revenue, for losses against the baseline and for those against
    flawless where the variance of each is a tenth larger without it. None with fewer
    replications than make a good interval, and where the closed form is not known.
    """
    expected = expected_revenue(scenario)
    revenue = {
        name: [row.totals.revenue for row in results.of(name)]
        for name in results.policies
    }
    flawless = revenue[FLAWLESS]
    if expected is None or len(flawless) < ROUGH_BELOW or not variance(flawless):
        return None
    groups: dict[str | None, dict[str, list[int]]] = {
        None: {name: revenue[name] for name in results.policies if name != FLAWLESS}
    }
    for loss in losses:
        if loss.measure == "revenue" and loss.policy != FLAWLESS:
            pairs = zip(revenue[loss.other], revenue[loss.policy], strict=True)
            lost = [there - here for there, here in pairs]
            groups.setdefault(loss.against, {})[loss.policy] = lost
    return Control(
        expected,
        tuple(
            item
            for against, group in groups.items()
            for item in _better(against, group, _units(flawless), expected)
        ),
    )


def _better(
    against: str | None,
    group: Mapping[str, list[int]],
    flawless: list[float],
    expected: float,
) -> list[Controlled]:
    """Return the estimates of a group: all with the control, or none."""
    plain = {name: estimate(_units(micro)) for name, micro in group.items()}
    found = {
        name: controlled(_units(micro), flawless, expected)
        for name, micro in group.items()
    }
    factors = {name: _factor(plain[name], found[name]) for name in group}
    is_used = all(factor >= HELPS_FROM for factor in factors.values())
    chosen = found if is_used else plain
    return [
        Controlled(name, against, chosen[name], factors[name], is_used)
        for name in group
    ]


def _factor(plain: Estimate, found: Estimate) -> float:
    """Return the variance of one estimate over that of another; 1 where none varies."""
    wide, narrow = _width(plain), _width(found)
    return (wide / narrow) ** 2 if narrow else 1.0


def _units(amounts: Sequence[int]) -> list[float]:
    """Return amounts in micro-units as units of currency."""
    return [amount / MICRO for amount in amounts]


def _width(value: Estimate) -> float:
    return 0.0 if value.low is None or value.high is None else value.high - value.low
