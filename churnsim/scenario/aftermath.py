"""What one mistake does to a customer, worked out from the settings without a run.

One mistake of a new customer at a time: waits at the desks, double deviations, contacts
that nobody answers and what others tell are left out.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator

from churnsim.mechanisms import episode, goodwill
from churnsim.mechanisms.leaving import leave_probability
from churnsim.mechanisms.value import failure_probability
from churnsim.records import Goodwill, Kind, KindColumn, Plan
from churnsim.records import Policy as Levers
from churnsim.variates import Law, quantile

STEPS = 16  # quantiles of a sting, a stake or a duration that stand for its law

Chance = tuple[float, float]  # probability of a way through the episode; of leaving


def hazard_of_mistakes(plan: Plan, rate: float) -> float:
    """Return the hazard of leaving over a mistake: rate·q·P(leave | mistake).

    Args:
        plan: The market and a policy, compiled.
        rate: Mean rate of occasions; the hazard is in its unit.
    """
    failing = float(failure_probability(plan.market, plan.policy))
    return rate * failing * leave_after_mistake(plan) if failing else 0.0


def leave_after_mistake(plan: Plan) -> float:
    """Return the probability that one mistake, met with usual goodwill, loses one."""
    before, total = 0.0, 0.0
    for row in range(len(plan.kinds)):
        share = float(plan.kinds[row, KindColumn.CUMULATIVE]) - before
        before += share
        stings = spread(episode.law_in(plan.kinds, row, KindColumn.STING_LAW))
        for sting in stings:
            chances = list(_ways(plan, row, sting))
            total += share / STEPS * sum(way * leaves for way, leaves in chances)
    return float(total)


@functools.lru_cache(maxsize=256)
def spread(law: Law) -> tuple[float, ...]:
    """Return equally likely values that stand for a law: the middles of its slices."""
    return tuple(quantile(law, (i + 0.5) / STEPS) for i in range(STEPS))


def mean_of(law: Law) -> float:
    """Return about the mean of a law."""
    return sum(spread(law)) / STEPS


def _ways(plan: Plan, row: int, sting: float) -> Iterator[Chance]:
    """Yield each way an episode may go: its probability, and that of leaving then."""
    market, policy, kind = plan.market, plan.policy, episode.kind_at(plan.kinds, row)
    hurt = goodwill.after_mistake(policy, Goodwill(0.0, 0.0), sting)
    owned = goodwill.shifted(hurt, -market.disclosure)
    yield from _weighted(policy.notice, _heard(plan, row, owned))
    left = 1.0 - policy.notice
    voiced = left * episode.voice_probability(policy, kind, sting)
    yield left - voiced, leave_probability(market, hurt)
    for hoop in policy.hoops:
        hurt = goodwill.shifted(hurt, market.hoop_sting)
        yield voiced * hoop[3], leave_probability(market, hurt)
        voiced *= 1.0 - hoop[3]
    yield from _weighted(voiced, _heard(plan, row, hurt))


def _heard(plan: Plan, row: int, hurt: Goodwill) -> Iterator[Chance]:
    """Yield how it goes on with one who reaches an agent."""
    market, policy, kind = plan.market, plan.policy, episode.kind_at(plan.kinds, row)
    heard = goodwill.after_contact(market, policy, kind, hurt, True, False)
    contested = kind.at_fault * policy.contest
    blamed = goodwill.shifted(heard, market.blame_sting)
    yield contested, leave_probability(market, blamed)
    stakes = spread(episode.law_in(plan.kinds, row, KindColumn.STAKE_LAW))
    within = sum(stake <= policy.limit for stake in stakes) / STEPS
    on_the_spot = (1.0 - contested) * within * (1.0 - policy.fob_off)
    fobbed_off = (1.0 - contested) * within * policy.fob_off
    referred = (1.0 - contested) * (1.0 - within)
    yield on_the_spot, _settled(plan, kind, heard, 1.0, False)
    yield from _weighted(referred * policy.truth, [(1.0, _honest(plan, kind, heard))])
    excused = referred * (policy.truth_or_excuse - policy.truth)
    for chance, push in (
        (market.excuse_believed, -market.excuse_credit),
        (1.0 - market.excuse_believed, market.excuse_sting),
    ):
        told = goodwill.shifted(heard, push)
        yield excused * chance, _settled(plan, kind, told, 1.0, True)
    lied = fobbed_off + referred * (1.0 - policy.truth_or_excuse)
    yield lied, _lied_to(plan, kind, heard)


def _honest(plan: Plan, kind: Kind, heard: Goodwill) -> float:
    return _settled(plan, kind, heard, plan.market.truth_stretch, True)


def _settled(
    plan: Plan, kind: Kind, heard: Goodwill, stretch: float, is_referred: bool
) -> float:
    """Return the probability of leaving a settlement, nobody having waited in line."""
    market, policy = plan.market, plan.policy
    elapsed = mean_of(market.voice_delay) + _handling(policy)
    if is_referred:
        elapsed += mean_of(policy.approval) + mean_of(policy.repair)
    quick = goodwill.quickness(kind, elapsed, stretch, False)
    paid = policy.compensation
    content = goodwill.after_settlement(market, kind, heard, paid, quick)
    return leave_probability(market, content)


def _lied_to(plan: Plan, kind: Kind, heard: Goodwill) -> float:
    """Return the probability of leaving after a lie.

    One who finds out, and stays, turns up again and is settled honestly, in the end.
    """
    market = plan.market
    calmed = goodwill.shifted(heard, -market.placated)
    betrayed = goodwill.after_discovery(market, calmed, 0.0)
    at_once = leave_probability(market, betrayed)
    later = max(at_once, _settled(plan, kind, betrayed, 1.0, True))
    unnoticed = leave_probability(market, calmed)
    return market.discovery * later + (1.0 - market.discovery) * unnoticed


def _handling(policy: Levers) -> float:
    hoops = sum(mean_of(Law(int(h[0]), float(h[1]), float(h[2]))) for h in policy.hoops)
    return hoops + mean_of(policy.handle)


def _weighted(weight: float, ways: Iterator[Chance] | list[Chance]) -> Iterator[Chance]:
    return ((weight * chance, leaves) for chance, leaves in ways)
