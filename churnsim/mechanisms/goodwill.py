"""How goodwill moves in an episode: one function for each thing done to a customer."""

from churnsim.jit import mechanism
from churnsim.primitives import exp
from churnsim.records import Goodwill, Kind, Market, Policy

FULL_CREDIT = 0.9179150013761012  # 1 − exp(−1/0.4): c(1) of 7.8, to the nearest double
CREDIT_SCALE = 0.4  # of c(x) [multiples of the stake]
CREDIT_CAP = 1.5  # compensation beyond this adds nothing [multiples of the stake]


@mechanism
def acting(market: Market, grievance: float) -> float:
    """Return the grievance that acts on behaviour, γ* [log-odds].

    γ* = γ where γ > 0, else `delight`·γ (4.3).
    """
    return grievance if grievance > 0.0 else market.delight * grievance


@mechanism
def shifted(goodwill: Goodwill, push: float) -> Goodwill:
    """Return goodwill with the grievance moved by `push` [log-odds]."""
    return Goodwill(goodwill.grievance + push, goodwill.trust)


@mechanism
def bond(market: Market, tenure: float) -> float:
    """Return the strength of a relationship that has lasted `tenure` [days], in [0, 1).

    1 − exp(−tenure/bonding) (5.5).
    """
    return 1.0 - exp(-tenure / market.bonding)


@mechanism
def sting_of(market: Market, sting: float, is_double: bool, strength: float) -> float:
    """Return the sting s of a mistake [log-odds].

    A strong relationship buffers it; in a double deviation it is heavier.
    """
    buffered = sting * (1.0 - market.buffer * strength)
    return buffered * market.double if is_double else buffered


@mechanism
def after_mistake(policy: Policy, goodwill: Goodwill, sting: float) -> Goodwill:
    """Return goodwill after a mistake: γ ← max(γ, 0) + s·manners (7.1)."""
    grievance = goodwill.grievance if goodwill.grievance > 0.0 else 0.0
    return Goodwill(grievance + sting * policy.manners, goodwill.trust)


@mechanism
def after_contact(
    market: Market,
    policy: Policy,
    kind: Kind,
    goodwill: Goodwill,
    is_first: bool,
    is_double: bool,
) -> Goodwill:
    """Return goodwill at the end of a contact: being heard, and apologies (7.6).

    The first contact of an episode takes off `heard`, each further one adds
    `contact_sting`. A first apology takes off `apology`; one that is repeated, in the
    same episode or in a double deviation, adds `apology_repeat`.
    """
    push = -kind.heard if is_first else market.contact_sting
    if policy.apology:
        is_fresh = is_first and not is_double
        push += -market.apology if is_fresh else market.apology_repeat
    return Goodwill(goodwill.grievance + push, goodwill.trust)


@mechanism
def after_excuse(market: Market, goodwill: Goodwill, u: float) -> Goodwill:
    """Return goodwill after an excuse, believed where u < `excuse_believed` (7.6)."""
    is_believed = u < market.excuse_believed
    push = -market.excuse_credit if is_believed else market.excuse_sting
    return Goodwill(goodwill.grievance + push, goodwill.trust)


@mechanism
def after_discovery(market: Market, goodwill: Goodwill, strength: float) -> Goodwill:
    """Return goodwill after a lie was found out (7.6).

    The placation is taken back, the lie stings, and trust is lost for good: the more,
    the stronger the relationship was.
    """
    betrayal = market.betrayal * (1.0 + market.betrayed_bond * strength)
    return Goodwill(
        goodwill.grievance + market.placated + market.lie_sting,
        goodwill.trust - betrayal,
    )


@mechanism
def compensation_credit(compensation: float) -> float:
    """Return c(x)/c(1) [-] for compensation x, a multiple of the stake (7.8).

    c(x) = 1 − exp(−x/0.4), level beyond x = 1.5.
    """
    capped = compensation if compensation < CREDIT_CAP else CREDIT_CAP
    return (1.0 - exp(-capped / CREDIT_SCALE)) / FULL_CREDIT


@mechanism
def quickness(kind: Kind, elapsed: float, stretch: float, is_double: bool) -> float:
    """Return g(Δ) [-]: 1 within the zone of tolerance, then falling with `tau` (7.8).

    zone = tolerance·stretch, and 0 after a double deviation.

    Args:
        kind: Uses `tolerance` and `tau` [days].
        elapsed: Δ, from the mistake to its settlement [days].
        stretch: Factor on the zone [-].
        is_double: Whether the episode is a double deviation.
    """
    zone = 0.0 if is_double else kind.tolerance * stretch
    if elapsed <= zone:
        return 1.0
    if kind.tau <= 0.0:
        return 0.0
    return exp(-(elapsed - zone) / kind.tau)


@mechanism
def after_settlement(
    market: Market,
    kind: Kind,
    goodwill: Goodwill,
    compensation: float,
    quick: float,
) -> Goodwill:
    """Return goodwill once settled (7.8).

    γ ← γ − settled·(1 − w + w·c(x)/c(1)) − quick·g(Δ).

    Args:
        market: Uses `distributive` w [-].
        kind: Uses `settled` and `quick` [log-odds].
        goodwill: Before the settlement.
        compensation: x, a multiple of the stake [-].
        quick: g(Δ) [-].
    """
    weight = market.distributive
    fairness = 1.0 - weight + weight * compensation_credit(compensation)
    push = kind.settled * fairness + kind.quick * quick
    return Goodwill(goodwill.grievance - push, goodwill.trust)


@mechanism
def without_delight(goodwill: Goodwill) -> Goodwill:
    """Return goodwill with no delight: after a double deviation γ ≥ 0 (7.8)."""
    grievance = goodwill.grievance if goodwill.grievance > 0.0 else 0.0
    return Goodwill(grievance, goodwill.trust)
