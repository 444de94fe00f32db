"""Who leaves, and when: the decision, ordinary dropout and renewals."""

import math

from churnsim.jit import mechanism
from churnsim.mechanisms.goodwill import acting
from churnsim.primitives import exp, logistic
from churnsim.records import Goodwill, Market

FOREVER = math.inf


@mechanism
def leave_probability(market: Market, goodwill: Goodwill) -> float:
    """Return the probability of leaving at a moment of decision, in [0, κ].

    p = κ (1 − 1/(1 + exp(−(lock_in + trust − grievance)))).

    Args:
        market: Uses `stated_to_actual` κ [-] and `lock_in` [log-odds].
        goodwill: `trust` and `grievance` [log-odds].

    Source:
        Form and steps: TARP repurchase table (docs/model.md, 5.2).
    """
    staying = market.lock_in + goodwill.trust - goodwill.grievance
    return market.stated_to_actual * logistic(-staying)


@mechanism
def drift_factor(market: Market, grievance: float) -> float:
    """Return the factor of a grievance on ordinary dropout, exp(β·γ*) [-] (4.3)."""
    push = market.drift * acting(market, grievance)
    return 1.0 if push == 0.0 else exp(push)


@mechanism
def renewal_moment(first: float, period: float, index: int) -> float:
    """Return the moment of renewal number `index`, from 0 [days]."""
    return first + index * period


@mechanism
def n_renewals(first: float, period: float, until: float) -> int:
    """Return how many renewals lie at or before `until`.

    The quotient only guesses; the comparison with `renewal_moment` decides, so that a
    renewal counts exactly when its own moment has come.
    """
    if until < first:
        return 0
    count = int(math.floor((until - first) / period)) + 1
    while first + (count - 1) * period > until:
        count -= 1
    while first + count * period <= until:
        count += 1
    return count


@mechanism
def renewals_left(left: float, use: float, n_passed: int) -> float:
    """Return what is left of the dropout budget after `n_passed` renewals [-]."""
    if n_passed == 0 or use <= 0.0:
        return left
    remaining = left - n_passed * use
    return remaining if remaining > 0.0 else 0.0


@mechanism
def cancels_at(
    first: float, period: float, now: float, left: float, use: float
) -> float:
    """Return the renewal after `now` at which the dropout budget runs out [days].

    Each renewal uses `use` = −log(1 − θ)·exp(β·γ*) of it (4.3); infinite where no
    renewal uses anything.
    """
    if use <= 0.0:
        return FOREVER
    needed = left / use
    if needed > 1e15:  # beyond any horizon, and beyond exact counting in a double
        return FOREVER
    count = int(math.ceil(needed))
    if count < 1:
        count = 1
    return renewal_moment(first, period, n_renewals(first, period, now) + count - 1)
