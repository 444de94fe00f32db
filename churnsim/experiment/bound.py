"""How much of a market's churn mistakes would explain: a bound that figures must keep.

Published tables of what people say they would do explain more churn than there is. So
before a run the hazard of leaving after a mistake is worked out from the settings and
put in relation to the churn of the market. Above 60 % it deserves a warning, above
100 % the settings contradict each other.

The estimate knows one mistake of a new customer at a time. It leaves out waits at the
desks, double deviations, contacts that nobody answers and what others tell; the
simulated share, which knows them, is in the figures as `mistake_share_of_lost`.
"""

from __future__ import annotations

from typing import NamedTuple

from churnsim.errors import InputError, Problem
from churnsim.mechanisms.value import failure_probability
from churnsim.records import Relationship
from churnsim.scenario import Scenario, trait_mean
from churnsim.scenario.aftermath import leave_after_mistake
from churnsim.units import year_days

WARN_ABOVE = 0.6
REFUSE_ABOVE = 1.0


class MistakeShare(NamedTuple):
    """What mistakes do to churn under a policy, estimated before any run."""

    policy: str
    leave_probability: float | None  # after a mistake; None: there are no mistakes
    from_mistakes: float  # hazard of leaving [per year]
    natural: float  # hazard of ordinary dropout [per year]
    observed: float | None  # churn that the scenario states [per year]
    share: float | None  # of churn; None: nobody leaves


def mistake_shares(scenario: Scenario) -> tuple[MistakeShare, ...]:
    """Return the mistake-driven share of churn under each policy.

    Raises:
        InputError: Mistakes alone drive away more customers than the scenario says are
            lost, under the policy of which it says so.
    """
    shares = tuple(mistake_share(scenario, name) for name in scenario.policy_names)
    for share in shares:
        if share.policy == observed_under(scenario):
            _check(share)
    return shares


def mistake_share(scenario: Scenario, policy: str) -> MistakeShare:
    """Return the estimated mistake-driven share of churn under a policy.

    share = rate·q·P(leave | mistake) / churn, where churn is the scenario's own
    `market.observed_churn`, or else mistakes and ordinary dropout together.
    """
    n_customers = scenario.population.customers
    plan = scenario.plan(policy, 1000 if n_customers is None else n_customers)
    rate = trait_mean(scenario.population.rate) * year_days()
    failing = float(failure_probability(plan.market, plan.policy))
    leaving = leave_after_mistake(plan) if failing else None
    from_mistakes = rate * failing * (leaving or 0.0)
    dropout = trait_mean(scenario.population.dropout)
    if plan.market.relationship == Relationship.PURCHASE:
        natural = rate * (1.0 - failing * (leaving or 0.0)) * dropout
    else:
        natural = dropout / plan.market.period * year_days()
    stated = scenario.spec.market.observed_churn
    observed = None if stated is None else stated * year_days()
    churn = observed if observed is not None else from_mistakes + natural
    share = from_mistakes / churn if churn else None
    return MistakeShare(policy, leaving, from_mistakes, natural, observed, share)


def observed_under(scenario: Scenario) -> str:
    """Return the policy under which churn was observed; the baseline if none is."""
    return scenario.spec.market.observed_under or scenario.baseline


def share_warning(share: MistakeShare) -> str | None:
    """Return a warning where mistakes explain more churn than is plausible."""
    if share.share is None or share.share <= WARN_ABOVE:
        return None
    return (
        f"under {share.policy}, mistakes explain {share.share:.0%} of churn, estimated "
        f"before the run; above {WARN_ABOVE:.0%} their rate, their sting or "
        "stated_to_actual may be too high"
    )


def is_beyond(share: MistakeShare) -> bool:
    """Return whether mistakes would explain more churn than is observed."""
    return (
        share.observed is not None
        and share.share is not None
        and share.share > REFUSE_ABOVE
    )


def _check(share: MistakeShare) -> None:
    if not is_beyond(share):
        return
    raise InputError(
        Problem(
            f"must leave room for mistakes, which under {share.policy} drive away "
            f"{share.from_mistakes:.2%} of customers a year by themselves",
            field="market.observed_churn",
            value=f"{100.0 * (share.observed or 0.0):.4g} %/year",
            hint="lower mistakes.probability, sting or market.stated_to_actual",
        )
    )
