"""What a customer is worth: pace of purchases and fees, amounts, discounting."""

from typing import NamedTuple

from churnsim.jit import mechanism
from churnsim.mechanisms.goodwill import acting
from churnsim.primitives import exp, round_half_up
from churnsim.records import Market, Policy, Relationship, Traits

PURCHASE = Relationship.PURCHASE.value


class Pace(NamedTuple):
    """How fast a customer's clocks run and money comes in, until something changes."""

    mistakes: float  # rate of mistakes [per day]
    dropout: float  # purchase: hazard [per day]; subscription: use per renewal [-]
    contacts: float  # rate of ordinary contacts [per day]; 0 in an episode
    revenue: float  # [micro-units per day]


@mechanism
def spend_factor(market: Market, grievance: float, is_open: bool) -> float:
    """Return the multiplier of spend: min(cap, exp(−w·γ*)), × `open_spend` (4.4)."""
    push = market.spend_sensitivity * acting(market, grievance)
    factor = 1.0 if push == 0.0 else exp(-push)
    if factor > market.spend_cap:
        factor = market.spend_cap
    return factor * market.open_spend if is_open else factor


@mechanism
def failure_probability(market: Market, policy: Policy) -> float:
    """Return q, the share of occasions that fail under the policy [-], at most 1."""
    probability = market.mistake_probability * policy.mistakes
    return probability if probability < 1.0 else 1.0


@mechanism
def contact_rate(market: Market, rate: float, spend: float) -> float:
    """Return the rate of ordinary contacts of one who is in no episode [per day] (4.5).

    Contacts per occasion follow the occasions, which slow down with spend φ where the
    relationship is one of purchases.
    """
    occasions = rate * spend if market.relationship == PURCHASE else rate
    return market.ordinary_rate + market.ordinary_per_occasion * occasions


@mechanism
def pace_of(
    market: Market,
    failing: float,
    traits: Traits,
    spend: float,
    drift: float,
    is_open: bool,
) -> Pace:
    """Return a customer's pace (4.1 to 4.5).

    Purchases: mistakes λqφ, hazard λ(1−q)pφ·h, revenue λ(1−q)(1−p)φ·m. Subscriptions:
    mistakes λq, use per renewal −log(1−θ)·h, revenue φ·fee/period.

    Args:
        market: Uses the relationship, `period` and the ordinary contacts.
        failing: q [-].
        traits: λ, p (or −log(1−θ)) and m.
        spend: φ, the multiplier of spend [-].
        drift: h = exp(β·γ*) [-].
        is_open: Whether an episode is open: no ordinary contacts then.
    """
    contacts = 0.0 if is_open else contact_rate(market, traits.rate, spend)
    if market.relationship == PURCHASE:
        rate = traits.rate * spend
        fine = rate * (1.0 - failing)
        return Pace(
            rate * failing,
            fine * traits.dropout * drift,
            contacts,
            fine * (1.0 - traits.dropout) * traits.value,
        )
    return Pace(
        traits.rate * failing,
        traits.dropout * drift,
        contacts,
        spend * traits.value / market.period,
    )


@mechanism
def amount(rate: float, time: float) -> int:
    """Return the money of `time` [days] at `rate` [micro-units per day], half up."""
    return round_half_up(rate * time)


@mechanism
def discount_factor(market: Market, now: float) -> float:
    """Return the value at time 0 of one unit at `now` [-]: exp(−δ·now)."""
    if market.discount == 0.0 or now == 0.0:  # exp(0) is 1 exactly: no need to ask
        return 1.0
    return exp(-market.discount * now)


@mechanism
def discounted(market: Market, money: int, now: float) -> int:
    """Return the value at time 0 of `money` paid at `now` [micro-units], half up."""
    return round_half_up(money * discount_factor(market, now))


@mechanism
def discounted_stream(market: Market, rate: float, since: float, until: float) -> int:
    """Return the value at time 0 of a stream at `rate` from `since` to `until`.

    rate·(exp(−δ·since) − exp(−δ·until))/δ [micro-units], half up; the plain amount
    where δ = 0.
    """
    if market.discount == 0.0:
        return round_half_up(rate * (until - since))
    early, late = discount_factor(market, since), discount_factor(market, until)
    return round_half_up(rate * ((early - late) / market.discount))


@mechanism
def make_good(policy: Policy, stake: float, compensation: float) -> int:
    """Return what a settlement costs [micro-units]: x·c·(1 + leakage) (7.8)."""
    return round_half_up(compensation * stake * (1.0 + policy.leakage))


@mechanism
def residual_value(market: Market, traits: Traits, to_renewal: float) -> int:
    """Return what a customer is still worth if nothing goes wrong again [micro-units].

    Purchases: λm/(λp + δ). Subscriptions: the fee up to the next renewal, then a
    geometric series over the renewals survived. Discounted to the moment asked about;
    0 where nothing is discounted, as the sum may then not be finite.

    Args:
        market: Uses the relationship, `period` and `discount` δ.
        traits: λ, p (or −log(1−θ)) and m.
        to_renewal: Time to the next renewal [days]; unused by purchases.

    Source:
        Closed forms of the homogeneous case (docs/model.md, 4.1 and 9).
    """
    delta = market.discount
    if delta <= 0.0:
        return 0
    if market.relationship == PURCHASE:
        worth = traits.rate * traits.value / (traits.rate * traits.dropout + delta)
        return round_half_up(worth)
    survival = exp(-traits.dropout)
    fee = traits.value / market.period
    early = exp(-delta * to_renewal)
    step = exp(-delta * market.period)
    whole = fee * (1.0 - step) / delta
    worth = fee * (1.0 - early) / delta
    worth += whole * early * survival / (1.0 - survival * step)
    return round_half_up(worth)
