"""How news of the firm travels, and whom it keeps away (7.10)."""

import math

from churnsim.jit import mechanism
from churnsim.primitives import exp
from churnsim.records import Market

THOUSAND = 1000.0  # tellings are counted in thousandths


@mechanism
def news_period_of(market: Market, now: float) -> int:
    """Return the number of the news period that holds `now`, from 0."""
    return int(math.floor(now / market.news_period))


@mechanism
def news_decay(market: Market) -> float:
    """Return the share of reputation that lasts a news period [-]."""
    return exp(-market.news_decay * market.news_period)


@mechanism
def reputation_after(
    reputation: float, decay: float, tellings: int, n_customers: int
) -> float:
    """Return the bad reputation a period later [tellings per starting customer].

    R' = R·decay + (bad − good tellings)/starting population.

    Args:
        reputation: R [-].
        decay: Share that lasts a period [-].
        tellings: Bad minus good in the period [thousandths].
        n_customers: Starting population, of all sites; at least one is assumed.
    """
    listeners = n_customers if n_customers > 0 else 1
    return reputation * decay + tellings / (THOUSAND * listeners)


@mechanism
def win_probability(market: Market, reputation: float) -> float:
    """Return the probability that a prospect is won (7.10).

    min(1, conversion·exp(−influence·R)).
    """
    chance = market.conversion * exp(-market.influence * reputation)
    return chance if chance < 1.0 else 1.0
