"""Revenue known better: what is known of a firm without mistakes as control variate.

A flawless firm is part of every replication and meets the same luck. What it is to be
expected to earn is known in closed form, so a policy's revenue can be corrected by how
lucky the replications were. Losses do without it: pairing has taken that luck out of
them already.
"""

from __future__ import annotations

from collections.abc import Sequence
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


class Controlled(NamedTuple):
    """A policy's revenue with the control, or what it loses without it."""

    policy: str
    against: str | None  # "baseline" or "flawless"; None: revenue itself
    value: Estimate  # per run [units of currency]
    variance_factor: float  # variance of the plain estimate / with the control
    is_used: bool  # whether the control is; else the value is the plain one


class Control(NamedTuple):
    """What is known of a firm without mistakes, and what follows for the others."""

    expected: float  # its revenue per run in closed form [units of currency]
    estimates: tuple[Controlled, ...]

    @property
    def used(self) -> tuple[Controlled, ...]:
        """Return the estimates that are made with the control."""
        return tuple(item for item in self.estimates if item.is_used)


def control_of(
    scenario: Scenario, results: Replications, losses: Sequence[Loss]
) -> Control | None:
    """Return revenues with the control, and what it would be worth for losses.

    It is used for revenue and not for losses, whatever comes out: choosing the narrower
    of two intervals afterwards costs coverage. None with fewer replications than make a
    good interval, and where the closed form is not known.
    """
    expected = expected_revenue(scenario)
    revenue = {
        name: [row.totals.revenue for row in results.of(name)]
        for name in results.policies
    }
    flawless = revenue[FLAWLESS]
    if expected is None or len(flawless) < ROUGH_BELOW or not variance(flawless):
        return None
    controls = _units(flawless)

    def made(policy: str, against: str | None, micro: list[int]) -> Controlled:
        plain = estimate(_units(micro))
        found = controlled(_units(micro), controls, expected)
        is_used = against is None
        value = found if is_used else plain
        return Controlled(policy, against, value, _factor(plain, found), is_used)

    estimates = [
        made(name, None, micro) for name, micro in revenue.items() if name != FLAWLESS
    ]
    for loss in losses:
        if loss.measure == "revenue" and loss.policy != FLAWLESS:
            pairs = zip(revenue[loss.other], revenue[loss.policy], strict=True)
            lost = [there - here for there, here in pairs]
            estimates.append(made(loss.policy, loss.against, lost))
    return Control(expected, tuple(estimates))


def _factor(plain: Estimate, found: Estimate) -> float:
    """Return the variance of one estimate over that of another; 1 where none varies."""
    wide, narrow = _width(plain), _width(found)
    return (wide / narrow) ** 2 if narrow else 1.0


def _units(amounts: Sequence[int]) -> list[float]:
    """Return amounts in micro-units as units of currency."""
    return [amount / MICRO for amount in amounts]


def _width(value: Estimate) -> float:
    return 0.0 if value.low is None or value.high is None else value.high - value.low
