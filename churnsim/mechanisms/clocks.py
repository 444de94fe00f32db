"""The clocks of a customer: what strikes next, and what a change of pace does to them.

A clock is a budget that is used up at a rate: an exponential amount with mean one, so
that what remains is carried over whenever the rate changes. It strikes when the budget
is gone; at rate 0 it stands still and keeps what is left.
"""

from enum import IntEnum
from typing import NamedTuple

from churnsim.jit import mechanism
from churnsim.mechanisms.leaving import (
    FOREVER,
    cancels_at,
    n_renewals,
    renewals_left,
)
from churnsim.mechanisms.profile import busy_time, turns_up_at
from churnsim.mechanisms.value import PURCHASE, Pace
from churnsim.primitives import log
from churnsim.records import Floats, Market, Traits


class Happening(IntEnum):
    """What may come next to a customer in no episode; of equals, the first wins."""

    DROPOUT = 0
    FORGETTING = 1
    MISTAKE = 2
    CONTACT = 3


NEXT = 2.0**-52  # from a number to the next one, as a share of it

DROPOUT = Happening.DROPOUT.value
FORGETTING = Happening.FORGETTING.value
MISTAKE = Happening.MISTAKE.value
CONTACT = Happening.CONTACT.value


class Clocks(NamedTuple):
    """When a customer's clocks strike [days], and the budgets behind them [-]."""

    mistake_at: float
    mistake_left: float  # valid while the rate is 0
    dropout_at: float
    dropout_left: float  # purchase: as mistake_left; subscription: at the last change
    contact_at: float
    contact_left: float  # valid while the rate is 0


class Budgets(NamedTuple):
    """Fresh budgets, exponential with mean one [-]."""

    mistake: float
    dropout: float
    contact: float


class Change(NamedTuple):
    """A change of pace: from what, to what, and the time that the old one lasted."""

    old: Pace
    new: Pace
    since: float  # [days]
    now: float  # [days]


@mechanism
def budget(u: float) -> float:
    """Return an exponential amount with mean one for the uniform `u`."""
    return -log(1.0 - u)


@mechanism
def strike_at(now: float, left: float, rate: float) -> float:
    """Return when a clock with `left` to run strikes at `rate` [per day], in days."""
    return now + left / rate if rate > 0.0 else FOREVER


@mechanism
def left_at(now: float, strikes_at: float, left: float, rate: float) -> float:
    """Return what is left of a clock that has run at `rate` up to `now` [-], >= 0.

    A clock at rate 0 keeps the `left` it was stopped with.
    """
    if rate <= 0.0:
        return left
    remaining = (strikes_at - now) * rate
    return remaining if remaining > 0.0 else 0.0


@mechanism
def contact_strikes_at(profile: Floats, now: float, left: float, rate: float) -> float:
    """Return when the clock of ordinary contacts strikes: it runs in busy time [days].

    Args:
        profile: Of the market.
        now: The present [days].
        left: Of its budget [-].
        rate: Over the week [per day].
    """
    if profile.shape[0] == 0 or rate <= 0.0:
        return strike_at(now, left, rate)
    return turns_up_at(profile, now, left / rate)


@mechanism
def contact_left_at(
    profile: Floats, now: float, strikes_at: float, left: float, rate: float
) -> float:
    """Return what is left of the clock of ordinary contacts that ran up to `now` [-].

    Args:
        profile: Of the market.
        now: The present [days].
        strikes_at: When it would have struck [days].
        left: What was left when it was last set [-].
        rate: At which it ran since, over the week [per day].
    """
    if profile.shape[0] == 0 or rate <= 0.0 or strikes_at == FOREVER:
        return left_at(now, strikes_at, left, rate)
    remaining = (busy_time(profile, strikes_at) - busy_time(profile, now)) * rate
    return remaining if remaining > 0.0 else 0.0


@mechanism
def served_until(now: float, time: float, has_waited: bool) -> float:
    """Return when what begins `now` ends [days]: later, if it takes or cost time.

    A time too short for the clock to show ends with the next number. So does one of
    nothing that begins as something else ends, or as staff come: what a server's coming
    free leads to never lies at the same instant.
    """
    at = now + time
    if at == now and (time > 0.0 or has_waited):
        return now + now * NEXT
    return at


@mechanism
def next_happening(clocks: Clocks, forget_at: float, now: float) -> tuple[int, float]:
    """Return what comes next to a customer in no episode, and when [days].

    Dropout and forgetting take effect at their own time, even if that passed during
    an ordinary contact; a mistake or contact that came due meanwhile happens `now`.

    Args:
        clocks: The customer's.
        forget_at: When the last grievance is forgotten [days].
        now: Up to when the customer was busy [days].
    """
    mistake_at = clocks.mistake_at if clocks.mistake_at > now else now
    contact_at = clocks.contact_at if clocks.contact_at > now else now
    what, at = DROPOUT, clocks.dropout_at
    if forget_at < at:
        what, at = FORGETTING, forget_at
    if mistake_at < at:
        what, at = MISTAKE, mistake_at
    if contact_at < at:
        what, at = CONTACT, contact_at
    return what, at


@mechanism
def repaced(market: Market, traits: Traits, clocks: Clocks, change: Change) -> Clocks:
    """Return the clocks after a change of pace; one whose rate is the same stays."""
    old, new, now = change.old, change.new, change.now
    mistake_at, mistake_left = clocks.mistake_at, clocks.mistake_left
    if new.mistakes != old.mistakes:
        mistake_left = left_at(now, mistake_at, mistake_left, old.mistakes)
        mistake_at = strike_at(now, mistake_left, new.mistakes)
    contact_at, contact_left = clocks.contact_at, clocks.contact_left
    if new.contacts != old.contacts:
        contact_left = contact_left_at(
            market.profile, now, contact_at, contact_left, old.contacts
        )
        contact_at = contact_strikes_at(market.profile, now, contact_left, new.contacts)
    dropout_at, dropout_left = dropout_repaced(market, traits, clocks, change)
    return Clocks(
        mistake_at, mistake_left, dropout_at, dropout_left, contact_at, contact_left
    )


@mechanism
def dropout_repaced(
    market: Market, traits: Traits, clocks: Clocks, change: Change
) -> tuple[float, float]:
    """Return the dropout clock after a change of pace: when it strikes, what is left.

    A purchaser's budget is used up continuously, a subscriber's at each renewal.
    """
    old, new, now = change.old, change.new, change.now
    at, left = clocks.dropout_at, clocks.dropout_left
    if market.relationship == PURCHASE:
        if new.dropout != old.dropout:
            left = left_at(now, at, left, old.dropout)
            at = strike_at(now, left, new.dropout)
        return at, left
    n_passed = n_renewals(traits.renewal, market.period, now)
    n_passed -= n_renewals(traits.renewal, market.period, change.since)
    left = renewals_left(left, old.dropout, n_passed)
    if new.dropout != old.dropout:
        at = cancels_at(traits.renewal, market.period, now, left, new.dropout)
    return at, left


@mechanism
def after_occasion(
    market: Market, traits: Traits, clocks: Clocks, pace: Pace, drift: float, now: float
) -> Clocks:
    """Return the clocks after a purchase that went wrong is done with (4.2).

    It uses as much of the dropout budget as any purchase, −log(1 − p)·exp(β·γ*); where
    that is the rest, dropout strikes `now`. Subscribers drop out at renewals alone.

    Args:
        market: Uses the relationship.
        traits: Uses p.
        clocks: The customer's.
        pace: That which holds now.
        drift: exp(β·γ*), as paced now [-].
        now: When the matter of the purchase is closed [days].
    """
    if market.relationship != PURCHASE or traits.dropout <= 0.0:
        return clocks
    left = left_at(now, clocks.dropout_at, clocks.dropout_left, pace.dropout)
    left = left + log(1.0 - traits.dropout) * drift
    at = now
    if left > 0.0:
        at = strike_at(now, left, pace.dropout)
    return Clocks(
        clocks.mistake_at,
        clocks.mistake_left,
        at,
        left,
        clocks.contact_at,
        clocks.contact_left,
    )


@mechanism
def first_clocks(
    market: Market, traits: Traits, pace: Pace, now: float, budgets: Budgets
) -> Clocks:
    """Return the clocks of a customer who arrives `now` with fresh budgets."""
    if market.relationship == PURCHASE:
        dropout_at = strike_at(now, budgets.dropout, pace.dropout)
    else:
        dropout_at = cancels_at(
            traits.renewal, market.period, now, budgets.dropout, pace.dropout
        )
    return Clocks(
        strike_at(now, budgets.mistake, pace.mistakes),
        budgets.mistake,
        dropout_at,
        budgets.dropout,
        contact_strikes_at(market.profile, now, budgets.contact, pace.contacts),
        budgets.contact,
    )
