"""A validated scenario as the engine's records: laws built, units and shares settled.

Imported only when something is compiled, since the records bring the compiler along.
"""

from __future__ import annotations

import functools
import itertools
import math
from datetime import date
from fractions import Fraction
from typing import Any

import numpy as np
from scipy import special

from churnsim import records, variates
from churnsim.primitives import log
from churnsim.scenario.laws import AnyLaw, Constant, Exponential, Lognormal, Weibull
from churnsim.scenario.market import Mistake, Strain
from churnsim.scenario.measures import (
    Staff,
)
from churnsim.scenario.model import Spec
from churnsim.scenario.policy import LEVERS, Honesty, Policy, Speed
from churnsim.scenario.profile import Profile, weights_of
from churnsim.scenario.shifts import Roster, changes_of
from churnsim.scenario.week import MINUTES_IN_DAY, MINUTES_IN_WEEK
from churnsim.units import year_days
from churnsim.variates import Law, LawKind

MONTHS_IN_YEAR = 12
A_MONDAY = "2024-01-01"
BUSY_STEPS = 2**30  # in a day of busy time: weeks can be added and taken off exactly
LAWS_KEPT = 1024
MANTISSA_BITS = 40  # kept of what scipy computes, so that machines agree


# A sweep compiles the same laws and desks for thousands of points.
_lognormal = functools.lru_cache(LAWS_KEPT)(variates.lognormal)
_weibull = functools.lru_cache(LAWS_KEPT)(variates.weibull)


def to_law(law: AnyLaw) -> Law:
    """Return the law in the form that its quantile is computed from."""
    if isinstance(law, Constant):
        return variates.constant(float(law.mean))
    if isinstance(law, Exponential):
        return variates.exponential(float(law.mean))
    if isinstance(law, Lognormal):
        return _lognormal(float(law.mean), law.cv)
    if isinstance(law, Weibull):
        return _weibull(float(law.mean), law.cv)
    return variates.uniform(float(law.low), float(law.high))


def to_plan(spec: Spec, policy: Policy, n_customers: int) -> records.Plan:
    """Return all that an engine needs besides the population.

    Args:
        n_customers: At the start; staffing "per 1000" grows with it.
    """
    month = year_days() / MONTHS_IN_YEAR
    weekday = date.fromisoformat(spec.start).weekday() if spec.start else 0
    return records.Plan(
        market=to_market(spec, weekday),
        policy=to_policy(policy, spec.mistakes, n_customers),
        kinds=to_kinds(spec.mistakes),
        horizon=spec.horizon,
        month=month,
        n_months=max(1, math.ceil(spec.horizon / month)),
        into_week=float(weekday),
        strain=to_strain(spec.strain),
    )


def to_market(spec: Spec, weekday: int = 0) -> records.Market:
    """Return how customers behave, whatever the policy.

    Args:
        weekday: Of the start, 0 for Monday.
    """
    market, word = spec.market, spec.market.word_of_mouth
    subscribed = market.relationship == "subscription"
    relationship = records.Relationship
    return records.Market(
        relationship=int(
            relationship.SUBSCRIPTION if subscribed else relationship.PURCHASE
        ),
        period=market.period or spec.horizon or 1.0,
        exit_at_renewal=int(market.exit == "at_renewal"),
        mistake_probability=mistake_probability(spec.mistakes),
        lock_in=market.lock_in,
        stated_to_actual=market.stated_to_actual,
        drift=market.drift,
        delight=market.delight,
        spend_sensitivity=market.spend_sensitivity,
        spend_cap=market.spend_cap,
        open_spend=market.open_spend or 0.0,
        ordinary_rate=market.ordinary_contacts.per_day,
        ordinary_per_occasion=market.ordinary_contacts.per_occasion,
        unanswered_sting=to_law(spec.unanswered.sting),
        memory=to_law(market.memory),
        double=market.double,
        bonding=market.bonding,
        buffer=market.buffer,
        betrayed_bond=market.betrayed_bond,
        disclosure=market.disclosure,
        voice_delay=to_law(market.voice_delay),
        patience=to_law(market.patience),
        endurance=to_law(market.endurance),
        return_delay=to_law(market.return_delay),
        retry=market.retry,
        hoop_sting=market.hoop_sting,
        wait_sting=market.wait_sting,
        contact_sting=market.contact_sting,
        apology=market.apology,
        apology_repeat=market.apology_repeat,
        blame_sting=market.blame_sting,
        truth_stretch=market.truth_stretch,
        excuse_believed=market.excuse_believed,
        excuse_credit=market.excuse_credit,
        excuse_sting=market.excuse_sting,
        placated=market.placated,
        discovery=market.discovery,
        lie_sting=market.lie_sting,
        betrayal=market.betrayal,
        distributive=market.distributive,
        follow_up_credit=market.follow_up_credit,
        max_attempts=market.max_attempts,
        told_bad=round(1000 * word.told_bad),
        told_good=round(1000 * word.told_good),
        news_period=word.period,
        news_decay=word.decay,
        influence=word.influence,
        conversion=word.conversion,
        follow_up_price=spec.costs.follow_up,
        acquisition_cost=spec.costs.acquisition,
        discount=log(1.0 + spec.costs.discount) / year_days(),
        when_closed=records.WhenClosed[market.when_closed.upper()].value,
        profile=to_profile(market.profile, weekday),
        message_share=market.message_share,
        message_patience=to_law(market.message_patience),
    )


def to_strain(strain: Strain | None) -> records.Strain:
    """Return what contacts do to agents; nothing where they are not people."""
    if strain is None:
        return records.NO_STRAIN
    per_year = strain.turnover * year_days()
    return records.Strain(
        is_on=1,
        quitting=per_year / strain.contacts_per_year,
        slope=strain.wrath,
        hiring=to_law(strain.hiring),
        hiring_cost=strain.hiring_cost,
        newcomer=strain.newcomer,
        learning=strain.learning,
        accommodating=strain.accommodating,
        warm=strain.warm,
        curt=strain.curt,
    )


def to_profile(profile: Profile, weekday: int) -> records.Floats:
    """Return the profile of the week that begins on a weekday, 0 for Monday.

    One in which all hours are alike has no rows, however it was written.
    """
    changes = [
        ((minute - weekday * MINUTES_IN_DAY) % MINUTES_IN_WEEK, weight)
        for minute, weight in weights_of(profile)
    ]
    changes.sort()
    if len({weight for _, weight in changes}) < 2:
        return records.EVENLY
    if changes[0][0] > 0:
        changes.insert(0, (0, changes[-1][1]))
    ends = [minute for minute, _ in changes[1:]] + [MINUTES_IN_WEEK]
    rows = []
    busy = Fraction(0)
    for (minute, weight), end in zip(changes, ends, strict=True):
        days = Fraction(end - minute, MINUTES_IN_DAY)
        since, upto = (round(x * BUSY_STEPS) for x in (busy, busy + weight * days))
        slope = Fraction(upto - since, BUSY_STEPS) / days
        rows.append([minute / MINUTES_IN_DAY, float(slope), since / BUSY_STEPS])
        busy += weight * days
    return np.array(rows, dtype=np.float64)


def to_policy(
    policy: Policy, mistakes: tuple[Mistake, ...], n_customers: int
) -> records.Policy:
    """Return what the firm does about mistakes, as numbers.

    Args:
        mistakes: Their stakes say how much of the leakage an authority brings.
        n_customers: At the start.
    """
    parts = [policy_part(name, policy, mistakes, n_customers) for name in LEVERS]
    settings: dict[str, Any] = {}
    for part in parts:
        settings |= part
    return records.Policy(**settings)


def policy_part(
    lever: str, policy: Policy, mistakes: tuple[Mistake, ...], n_customers: int
) -> dict[str, Any]:
    """Return the fields of a record of a policy that come from one of its levers.

    Args:
        lever: One of LEVERS.
        policy: Whose.
        mistakes: As for `to_policy`.
        n_customers: At the start.
    """
    if lever == "speed":
        return _speed(policy.speed, n_customers)
    if lever == "reach":
        hoops = [(*to_law(hoop.time), hoop.give_up) for hoop in policy.reach.hoops]
        return {
            "hoops": np.array(hoops, dtype=np.float64).reshape(len(hoops), 4),
            "voice_ease": policy.reach.voice_ease,
            "notice": policy.reach.notice,
        }
    if lever == "authority":
        own = policy.authority
        return {
            "limit": float(own.limit),
            "leakage": own.leakage * share_within(mistakes, own.limit),
            "guidelines": variates.lognormal(1.0, own.guidelines),
        }
    if lever == "honesty":
        return _honesty(policy.honesty)
    if lever == "accountability":
        return {
            "contest": policy.accountability.contest,
            "apology": int(policy.accountability.apology),
        }
    if lever == "make_good":
        return {
            "compensation": policy.make_good.compensation,
            "follow_up": policy.make_good.follow_up,
        }
    if lever == "prevention":
        return {
            "mistakes": policy.prevention.mistakes,
            "manners": policy.prevention.manners,
            "personality": policy.prevention.personality,
            "composure": policy.prevention.recovery_training,
        }
    return {"quitting": policy.people.quitting}


def _speed(speed: Speed, n_customers: int) -> dict[str, Any]:
    agents, front_roster = staffing(speed.agents, n_customers)
    supervisors, back_roster = staffing(speed.supervisors, n_customers)
    message_agents, message_roster = records.FRONT_DESK, records.ROUND_THE_CLOCK
    if speed.message_agents is not None:
        message_agents, message_roster = staffing(speed.message_agents, n_customers)
    return {
        "agents": agents,
        "handle": to_law(speed.handle),
        "supervisors": supervisors,
        "approval": to_law(speed.approval),
        "repair": to_law(speed.repair),
        "front_roster": front_roster,
        "back_roster": back_roster,
        "message_agents": message_agents,
        "message_roster": message_roster,
        "message_handle": to_law(speed.message_handle or speed.handle),
    }


def _honesty(honesty: Honesty) -> dict[str, Any]:
    return {
        "truth": honesty.truth,
        "truth_or_excuse": min(1.0, honesty.truth + honesty.excuse),
        "fob_off": honesty.fob_off,
        "promise": to_law(honesty.promise),
    }


def to_kinds(mistakes: tuple[Mistake, ...]) -> records.Floats:
    """Return the table of mistakes, shape (n_kinds, N_KIND_COLUMNS)."""
    table = np.zeros((len(mistakes), records.N_KIND_COLUMNS), dtype=np.float64)
    total = mistake_probability(mistakes)
    column = records.KindColumn
    so_far = 0.0
    for row, mistake in zip(table, mistakes, strict=True):
        so_far += mistake.probability
        row[column.CUMULATIVE] = min(1.0, so_far / total) if total else 1.0
        row[column.STING_LAW : column.STING_LAW + 3] = to_law(mistake.sting)
        row[column.STAKE_LAW : column.STAKE_LAW + 3] = to_law(mistake.stake)
        row[column.AT_FAULT] = mistake.at_fault
        row[column.VOICE] = mistake.voice
        row[column.VOICE_SLOPE] = mistake.voice_slope
        row[column.HEARD] = mistake.heard
        row[column.SETTLED] = mistake.settled
        row[column.QUICK] = mistake.quick
        row[column.TOLERANCE] = mistake.tolerance
        row[column.TAU] = mistake.tau
        row[column.MESSAGE_SHARE] = mistake.message_share
    table[-1:, column.CUMULATIVE] = 1.0
    return table


def mistake_probability(mistakes: tuple[Mistake, ...]) -> float:
    """Return q, the share of occasions that fail."""
    total = 0.0
    for mistake in mistakes:
        total += mistake.probability
    return min(1.0, total)


def staffing(staff: Staff | Roster, n_customers: int) -> tuple[int, records.Floats]:
    """Return the most people a desk ever has, and its roster.

    One whose number never changes has none, however it was written.
    """
    if isinstance(staff, Staff):
        return staff_number(staff, n_customers), records.ROUND_THE_CLOCK
    changes = [
        (minute / MINUTES_IN_DAY, staff_number(people, n_customers))
        for minute, people in changes_of(staff)
    ]
    numbers = [number for _, number in changes]
    is_change = [number != numbers[i - 1] for i, number in enumerate(numbers)]
    if not any(is_change):
        return numbers[0], records.ROUND_THE_CLOCK
    kept = list(itertools.compress(changes, is_change))
    return max(numbers), np.array(kept, dtype=np.float64)


@functools.lru_cache(LAWS_KEPT)
def staff_number(staff: Staff, n_customers: int) -> int:
    """Return the people of a desk: per 1000 rounded up, at least 1 but for 0."""
    if staff.per_thousand is None:
        return staff.number
    if staff.per_thousand == 0.0:
        return 0
    # Exact in the decimals that were written: 0.55 per 1000 of 20,000 is 11, not 12.
    needed = Fraction(repr(staff.per_thousand)) * n_customers / 1000
    return max(1, math.ceil(needed))


def share_within(mistakes: tuple[Mistake, ...], limit: float) -> float:
    """Return the share of mistakes whose stake an agent may settle alone.

    Σ probability × P(stake ≤ limit) / Σ probability, rounded to 40 bits.
    """
    total = mistake_probability(mistakes)
    if total == 0.0:
        return 0.0
    within = 0.0
    for mistake in mistakes:
        within += mistake.probability * _cdf(to_law(mistake.stake), limit)
    return _to_40_bits(min(1.0, within / total))


def _cdf(law: Law, x: float) -> float:
    """Return P(X ≤ x) for x at least 0."""
    if law.kind == LawKind.CONSTANT or x == math.inf:
        return float(law.a <= x)
    if law.kind == LawKind.EXPONENTIAL:
        return float(-special.expm1(-x / law.a))
    if law.kind == LawKind.LOGNORMAL:
        return float(special.ndtr((log(x) - law.a) / law.b))
    if law.kind == LawKind.WEIBULL:
        return float(-special.expm1(-((x / law.a) ** (1.0 / law.b))))
    return min(1.0, max(0.0, (x - law.a) / law.b)) if law.b else float(law.a <= x)


def _to_40_bits(x: float) -> float:
    mantissa, exponent = math.frexp(x)
    return math.ldexp(round(mantissa * 2**MANTISSA_BITS), exponent - MANTISSA_BITS)
