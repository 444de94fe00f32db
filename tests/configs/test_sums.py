"""What the comments of the ready scenarios say is what their figures come to."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from churnsim.mechanisms import episode
from churnsim.records import KindColumn
from churnsim.scenario import load_scenario, trait_mean
from churnsim.scenario.aftermath import spread
from churnsim.scenario.laws import Constant
from churnsim.scenario.market import Mistake
from churnsim.units import year_days
from churnsim.variates import quantile

# Problems a year or an occasion; of these, which part is major, is about money, and is
# spoken up about.
SUMS = {
    "telecom": ("year", 0.20, 0.25, 0.5, 0.40),
    "bank": ("year", 0.20, 0.25, 0.7, 0.515),
    "saas": ("year", 0.30, 0.35, None, 0.63),
    "hotel": ("occasion", 0.08, 0.15, 0.3, 0.40),
    "ecommerce": ("occasion", 0.08, None, None, 0.54),
}
MAJOR = 5.31  # sting of what TARP calls a loss over $100
OF_MONEY = {
    "billing",
    "large_billing",
    "charge",
    "disputed_payment",
    "bill",
    "overcharged_stay",
}
# TARP's repurchase table, as printed by Goodman: silent, unresolved, resolved, quickly.
MINOR_ROW, MAJOR_ROW = (0.37, 0.46, 0.70, 0.95), (0.09, 0.19, 0.54, 0.82)
LOCK_IN = 3.0  # at which the stings are the table's


def sting_of(kind: Mistake) -> float:
    """Return the sting of a kind that always hurts alike."""
    assert isinstance(kind.sting, Constant)
    return float(kind.sting.mean)


def share_of(name: str, chosen: Callable[[Mistake], bool]) -> float:
    """Return which part of a scenario's mistakes are chosen."""
    kinds = load_scenario(name).spec.mistakes
    total = sum(kind.probability for kind in kinds)
    return sum(kind.probability for kind in kinds if chosen(kind)) / total


@pytest.mark.parametrize("name", sorted(SUMS))
def test_mistakes__are_as_many_as_the_comments_say(name: str) -> None:
    """Over a year or an occasion, and the major ones and those about money in them."""
    per, often, major, money, _ = SUMS[name]
    scenario = load_scenario(name)
    total = sum(kind.probability for kind in scenario.spec.mistakes)
    if per == "year":
        total *= trait_mean(scenario.population.rate) * year_days()
    assert total == pytest.approx(often, abs=5e-4)
    if major is not None:
        found = share_of(name, lambda kind: sting_of(kind) == MAJOR)
        assert found == pytest.approx(major, abs=1e-3)
    if money is not None:
        found = share_of(name, lambda kind: kind.name in OF_MONEY)
        assert found == pytest.approx(money, abs=1e-3)


@pytest.mark.parametrize("name", sorted(SUMS))
def test_voice__is_the_share_that_the_comments_say(name: str) -> None:
    """Under the baseline, over all kinds of mistakes, to a hundredth."""
    scenario = load_scenario(name)
    plan = scenario.plan(scenario.baseline, 1000)
    before = total = 0.0
    for row in range(len(plan.kinds)):
        share = float(plan.kinds[row, KindColumn.CUMULATIVE]) - before
        before += share
        kind = episode.kind_at(plan.kinds, row)
        stings = spread(episode.law_in(plan.kinds, row, KindColumn.STING_LAW))
        voices = [episode.voice_probability(plan.policy, kind, s) for s in stings]
        total += share * sum(voices) / len(voices)
    assert total == pytest.approx(SUMS[name][-1], abs=0.01)


@pytest.mark.parametrize("name", ["telecom", "bank", "saas", "hotel"])
def test_stings__make_the_published_table_of_repurchase(name: str) -> None:
    """At a lock-in of 3 the eight cells come out, to half a point."""
    for kind in load_scenario(name).spec.mistakes:
        sting = sting_of(kind)
        row = MAJOR_ROW if sting == MAJOR else MINOR_ROW
        left = LOCK_IN - sting
        for stays, credit in zip(
            row, (0.0, kind.heard, kind.settled, kind.quick), strict=True
        ):
            left += credit
            assert 1.0 / (1.0 + math.exp(-left)) == pytest.approx(stays, abs=5e-3)


def test_bank__settles_as_fast_as_its_comment_says() -> None:
    """Under `slow`, 75 % of repairs take at most 15 days and 99 % at most 60."""
    repair = load_scenario("bank").plan("slow").policy.repair
    times = [quantile(repair, (i + 0.5) / 10_000) for i in range(10_000)]
    for days, share in ((15.0, 0.75), (60.0, 0.99)):
        within = sum(time <= days for time in times) / len(times)
        assert within == pytest.approx(share, abs=0.005)
