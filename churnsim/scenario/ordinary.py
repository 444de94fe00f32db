"""Ordinary dropout, derived from the churn that a firm sees under its present policy.

A firm knows how many of its customers leave, not how many would leave with nothing
wrong. What mistakes drive away under the policy that it works by is known from the
settings (`aftermath.py`); the rest is ordinary. Who leaves easily leaves early, so the
mean over those who are there is below that over newcomers, and the law is searched
whose customers, as old as the scenario's, leave as often as observed.

Sums and products of floats and the project's own exponential alone are used, so that
every machine finds the same law, to the last bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from churnsim.errors import InputError, Problem
from churnsim.primitives import exp
from churnsim.scenario.aftermath import hazard_of_mistakes
from churnsim.scenario.compile import to_plan
from churnsim.scenario.laws import Beta, Constant, Observed
from churnsim.scenario.measures import FACTOR, prospects_per_day
from churnsim.scenario.model import HISTORY, Spec
from churnsim.scenario.traits import to_trait, trait_mean
from churnsim.units import year_days

SLICES = 8  # of a period, over which time is summed
B_MIN, B_MAX = 1e-6, FACTOR
HALVINGS = 200  # at most; the root is exact to the last bit long before
DIGITS = 12  # of what is found: more would be those of the sums
CUSTOMERS = 1000  # for staffing, which leaving over a mistake does not hang on
FIELD = "market.observed_churn"

Survival = list[float]  # share of new customers that survive 0, 1, … renewals


class _Time(NamedTuple):
    """The customers whose time is counted, in periods."""

    oldest: int  # renewals that starting customers have survived at most
    youngest: int  # and at least
    n: int  # periods until the horizon, the last one whole or not
    end: float  # periods until the horizon
    won: float  # prospects won until then, for each customer at the start
    kept: tuple[float, ...]  # share that mistakes leave, in the middle of each slice
    kept_at_end: float


def ordinary_dropout(spec: Spec) -> Constant[float] | Beta:
    """Return the law of ordinary dropout with which churn is as observed.

    Args:
        spec: A subscription whose dropout has the law "observed"; it names the churn
            and the policy under which it was seen.

    Raises:
        InputError: Mistakes alone drive away more, or nothing could drive away as many.
    """
    law, market = spec.market.dropout, spec.market
    if not isinstance(law, Observed) or market.observed_churn is None:
        raise ValueError("only what observed churn leaves can be derived from it")
    rate = trait_mean(to_trait(market.rate))
    policy = spec.policy[market.observed_under or spec.baseline]
    per_day = hazard_of_mistakes(to_plan(spec, policy, CUSTOMERS), rate)
    time = _time(spec, per_day)
    period = market.period or 1.0
    observed = market.observed_churn * period

    def churn(left: Survival) -> float:
        return _churn(time, left)

    n = time.oldest + time.n + 1
    if churn([1.0] * (n + 1)) >= observed:
        raise _refused(spec, f"{100.0 * per_day * year_days():.3g} %/year")
    if law.a is None:
        found = _root(lambda p: churn(_constant(p, n)), observed, (0.0, 1.0), _mean)
        return Constant[float].model_construct(law="constant", mean=_told(spec, found))
    a = law.a
    # Rarer the larger b is, so it is searched from above.
    b = _root(lambda x: churn(_beta(a, x, n)), observed, (B_MAX, B_MIN), _geometric)
    return Beta.model_construct(law="beta", a=a, b=_told(spec, b))


def _churn(time: _Time, left: Survival) -> float:
    """Return customers lost over customers' time, in one period.

    Starting customers' renewals fall at a uniform phase, so the share there is linear
    between renewals; a prospect, who comes at any time, renews a period later.
    """
    at_start = 0.0
    survived = [0.0] * (time.n + 1)
    for k in range(time.youngest, time.oldest + 1):
        at_start += left[k]
    # Those who have survived k to k + oldest renewals, all of whom there were.
    total = at_start
    for j in range(time.n + 1):
        survived[j] = total / at_start
        total += left[time.oldest + j + 1] - left[time.youngest + j]
    lived = lived_later = lost_later = 0.0
    for i, kept in enumerate(time.kept):
        k, part = divmod(i, SLICES)
        low, high = k + part / SLICES, k + (part + 1) / SLICES
        width = min(high, time.end) - low
        if width <= 0.0:
            break
        middle = low + 0.5 * width
        here = survived[k] + (middle - k) * (survived[k + 1] - survived[k])
        lived += width * here * kept
        # Of those who come until the horizon, who have been there for so long.
        came = (time.end - middle) / time.end
        lived_later += width * came * left[k] * kept
        lost_later += width / time.end * (1.0 - left[k] * kept)
    k = time.n - 1
    end = survived[k] + (time.end - k) * (survived[k + 1] - survived[k])
    lost = 1.0 - end * time.kept_at_end
    whole = lived + time.won * lived_later
    return (lost + time.won * lost_later) / whole if whole else 0.0


def _time(spec: Spec, per_day: float) -> _Time:
    """Return whose time is counted, and what mistakes leave of them."""
    market, population = spec.market, spec.population
    period = market.period or 1.0
    end = spec.horizon / period
    n = max(1, math.ceil(end))
    tenure = population.tenure
    oldest = youngest = 0
    if tenure.kind == "stationary":
        oldest = int(math.floor((population.history or HISTORY) / period))
    elif tenure.kind == "renewals":
        oldest = youngest = int(tenure.amount)
    # Whoever goes at the renewal has decided half a period before, on average.
    delay = 0.5 if market.exit == "at_renewal" else 0.0

    def kept(at: float) -> float:
        return float(exp(-per_day * period * max(0.0, at - delay)))

    customers = population.customers or 0
    coming = prospects_per_day(population.prospects, customers) * spec.horizon
    conversion = min(1.0, market.word_of_mouth.conversion)
    return _Time(
        oldest=oldest,
        youngest=youngest,
        n=n,
        end=end,
        won=conversion * coming / customers if customers else 1.0,
        kept=tuple(kept((i + 0.5) / SLICES) for i in range(n * SLICES)),
        kept_at_end=kept(end),
    )


def _constant(p: float, n: int) -> Survival:
    left = [1.0]
    for _ in range(n):
        left.append(left[-1] * (1.0 - p))
    return left


def _beta(a: float, b: float, n: int) -> Survival:
    left = [1.0]
    for k in range(n):
        left.append(left[-1] * ((b + k) / (a + b + k)))
    return left


def _mean(low: float, high: float) -> float:
    return 0.5 * (low + high)


def _geometric(low: float, high: float) -> float:
    return math.sqrt(low * high)


def _root(
    churn: Callable[[float], float],
    observed: float,
    ends: tuple[float, float],
    middle: Callable[[float, float], float],
) -> float | None:
    """Return where churn is as observed; None where it is not even at the far end.

    Args:
        churn: Rises from the first end to the second.
        observed: Above the churn at the first end.
        ends: Of the search.
        middle: Halves the way between two values.
    """
    less, more = ends
    if churn(more) < observed:
        return None
    for _ in range(HALVINGS):
        between = middle(less, more)
        if between in (less, more):
            break
        if churn(between) < observed:
            less = between
        else:
            more = between
    return more


def _told(spec: Spec, found: float | None) -> float:
    """Return what was found with the digits that it is known to.

    Raises:
        InputError: Nothing was.
    """
    if found is not None:
        return float(f"{found:.{DIGITS}g}")
    rule = "must be a churn that renewals allow: nobody leaves more often than these"
    value = f"{100.0 * _observed(spec):.4g} %/year"
    raise InputError(Problem(rule, field=FIELD, value=value, hint="shorten the period"))


def _refused(spec: Spec, driven: str) -> InputError:
    """Return the error that mistakes alone would explain more than is observed."""
    name = spec.market.observed_under or spec.baseline
    return InputError(
        Problem(
            f"must leave room for mistakes, which under {name} drive away about"
            f" {driven} of customers by themselves",
            field=FIELD,
            value=f"{100.0 * _observed(spec):.4g} %/year",
            hint="lower mistakes.probability, sting or market.stated_to_actual",
        )
    )


def _observed(spec: Spec) -> float:
    return (spec.market.observed_churn or 0.0) * year_days()
