"""What each policy loses at a point of the assumptions, on draws common to all."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import NamedTuple

from churnsim.errors import ChurnsimError, InterruptedRun
from churnsim.experiment.bound import is_beyond, mistake_share, observed_under
from churnsim.experiment.intervals import Estimate, estimate
from churnsim.records import MICRO
from churnsim.robustness.varied import completed
from churnsim.sweep.factors import AnyLevel
from churnsim.sweep.plan import ALWAYS_KEPT, Point, Sweep
from churnsim.sweep.points import Variations
from churnsim.sweep.rows import Failed
from churnsim.sweep.simulated import Simulated

OBSERVED = "market.observed_churn"
BOUND = "mistakes alone would drive away more customers than are observed to leave"

Losses = dict[str, Estimate]  # of each policy but the baseline


class Refused(NamedTuple):
    """A point that there cannot be."""

    reason: str


Outcome = Losses | Refused | Failed


class Stopped(Exception):  # noqa: N818 - no error: what is finished is kept
    """The user stopped it before the point was begun, or on its long way."""


class Points:
    """Simulates points; threads may share one."""

    def __init__(self, sweep: Sweep, measure: str, years: float) -> None:
        """Keep what all points share.

        Args:
            sweep: Of the scenario, with policies, the baseline first, seed and
                replications.
            measure: What is lost: "revenue" or "contribution".
            years: Thousands of customer-years of a run, over which a loss is told.
        """
        self.sweep = sweep
        self.years = years
        self.stop = threading.Event()  # set it, and no further point is begun
        self.n_done = 0
        self._is_revenue = measure == "revenue"
        self._variations = Variations(sweep.scenario)
        self._simulated = Simulated(sweep)
        self._counting = threading.Lock()

    def at(self, settings: Mapping[str, AnyLevel]) -> Outcome:
        """Return what each policy loses with some settings changed [currency].

        A year and 1,000 customers at the start. Where settings contradict each other,
        or mistakes would explain more churn than is observed, there is no such point.

        Raises:
            Stopped: It was to be begun after `stop` was set, or takes long.
        """
        if self.stop.is_set():
            raise Stopped
        scenario = self.sweep.scenario
        varied = completed(scenario.spec, settings)
        try:
            changed = self._variations.scenario(varied)
            if is_beyond(mistake_share(changed, observed_under(changed))):
                return Refused(BOUND)
        except ChurnsimError as error:
            problem = error.problems[0]
            return Refused(BOUND if problem.field == OBSERVED else problem.rule)
        with self._counting:
            number, self.n_done = self.n_done, self.n_done + 1
        try:
            rows = self._simulated(Point(number, (), self.sweep.policies, varied))
        except InterruptedRun:
            raise Stopped from None
        if isinstance(rows, Failed):
            return rows
        amounts: dict[str, list[float]] = {}
        column = ALWAYS_KEPT.index("contribution")
        for row in rows:
            amount = row.micro_revenue / MICRO
            if not self._is_revenue:
                amount = row.outcomes[column] or 0.0
            amounts.setdefault(row.policy, []).append(amount)
        base = amounts[scenario.baseline]
        return {
            name: estimate(
                [(b - x) / self.years for b, x in zip(base, own, strict=True)]
            )
            for name, own in amounts.items()
            if name != scenario.baseline
        }


def sign_of(loss: Estimate) -> int:
    """Return 1 for a sure loss, -1 for a sure gain, 0 where it cannot be told."""
    if loss.low is None or loss.high is None:
        return 0
    return (loss.low > 0.0) - (loss.high < 0.0)
