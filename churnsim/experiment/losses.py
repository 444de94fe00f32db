"""What one policy loses against another, replication by replication.

Both policies met the same customers and the same luck, so their difference varies far
less than either of them. Differences are taken in integers and rounded once: policies
that never differ lose exactly nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from churnsim.experiment.intervals import Estimate, correlation, estimate, variance
from churnsim.experiment.summary import Summary, Value
from churnsim.records import MICRO
from churnsim.units import year_days

MEASURES = (
    "revenue",
    "contribution",
    "revenue_discounted",
    "contribution_discounted",
)


class Lost(NamedTuple):
    """What is lost in each replication; below zero it is earned more."""

    micro: list[int]  # [micro-units]
    total: list[float]  # [units of currency]
    yearly: list[float | None]  # a year and 1,000 starting customers; None: nobody


Estimating = Callable[[Sequence[Value]], Estimate]


class MainCause(NamedTuple):
    """The cause by which a policy loses most customers that the other keeps."""

    cause: str  # a Cause, in lower case
    extra: float  # customers per run, beyond the other policy's
    share: float | None  # of all customers lost beyond; None: no more are lost


class Loss(NamedTuple):
    """What a policy earns less than another; below zero it earns more."""

    policy: str
    against: str  # "baseline" or "flawless"
    other: str  # name of the policy compared with
    measure: str  # one of MEASURES
    total: Estimate  # per run [units of currency]
    yearly: Estimate  # a year and 1,000 starting customers [units of currency]
    correlation: float | None  # of the two policies' pairs; None: settings are drawn
    variance_factor: float | None  # variance if not paired / as paired; as above
    cause: MainCause | None  # None: no customer more is lost by any cause

    @property
    def is_zero(self) -> bool:
        """Return whether both earned exactly the same in every replication."""
        return self.total[:3] in ((0.0, 0.0, 0.0), (0.0, None, None))


def loss_of(
    rows: Sequence[Summary],
    others: Sequence[Summary],
    against: str,
    measure: str,
    horizon: float,
    estimated: Estimating = estimate,
) -> Loss:
    """Return what a policy loses against another in the same replications.

    Args:
        rows: The policy's, by replication; at least one.
        others: The other policy's, by replication.
        against: What the other policy stands for: "baseline" or "flawless".
        measure: One of MEASURES.
        horizon: How long was simulated [days].
        estimated: Makes an estimate of a value for each replication.
    """
    here = [getattr(row.totals, measure) for row in rows]
    there = [getattr(row.totals, measure) for row in others]
    lost = amounts_lost(rows, others, measure, horizon)
    paired = variance(lost.micro)
    apart = variance(here) + variance(there)
    return Loss(
        policy=rows[0].policy,
        against=against,
        other=others[0].policy,
        measure=measure,
        total=estimated(lost.total),
        yearly=estimated(lost.yearly),
        correlation=correlation(here, there),
        variance_factor=apart / paired if paired else None,
        cause=main_cause(rows, others),
    )


def amounts_lost(
    rows: Sequence[Summary], others: Sequence[Summary], measure: str, horizon: float
) -> Lost:
    """Return what a policy loses against another in each of the same replications.

    Args:
        rows: The policy's, by replication.
        others: The other policy's, by replication.
        measure: One of MEASURES.
        horizon: How long was simulated [days].
    """
    lost = [
        getattr(there.totals, measure) - getattr(here.totals, measure)
        for here, there in zip(rows, others, strict=True)
    ]
    # 1,000 customer-years of a run, as far as all stayed.
    weights = [row.n_customers * horizon / year_days() / 1000.0 for row in rows]
    yearly = [
        amount / MICRO / weight if weight else None
        for amount, weight in zip(lost, weights, strict=True)
    ]
    return Lost(lost, [amount / MICRO for amount in lost], yearly)


def main_cause(rows: Sequence[Summary], others: Sequence[Summary]) -> MainCause | None:
    """Return the cause of the largest increase in customers lost, if any rose."""
    extra = {
        cause: sum(row.lost[cause] for row in rows)
        - sum(row.lost[cause] for row in others)
        for cause in rows[0].lost
    }
    cause = max(extra, key=lambda name: extra[name])
    if extra[cause] <= 0:
        return None
    total = sum(extra.values())
    share = extra[cause] / total if total > 0 else None
    return MainCause(cause, extra[cause] / len(rows), share)
