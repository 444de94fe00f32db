"""How often 95 % intervals of a loss hold it, where it is known.

Customers as in the table of whole lives, who are followed for three years; each
experiment has a few replications, paired as those of a comparison are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from churnsim.engines.books import Account
from churnsim.experiment.intervals import Estimate, estimate
from churnsim.records import MICRO
from churnsim.validation.checks import Check, Figure, Rule, Seen, share
from churnsim.validation.repurchase import INSTANT, published
from churnsim.validation.worlds import (
    MARKET,
    POLICY,
    SPEC,
    YEAR,
    World,
    certain,
    run_with,
)
from churnsim.variates import constant

GROUP = "intervals"
SOURCE = "thinned Poisson process: a loss of m(1/h₀ − 1/h₁) but for what comes later"
EXPERIMENTS = 120
REPLICATIONS = 30
CUSTOMERS = 100
YEARS = 3.0
LEAVES = 0.525  # of those whom a mistake meets: half silent, half of the rest settled
DROPOUT = 0.0125  # after a purchase, of which there are twelve a year
RATE = 12.0
WRONG = 0.5 / RATE  # of purchases
# So many standard errors of a share over the experiments a share may be off.
REACH = 3.0


def checks() -> tuple[Check, ...]:
    """Return the checks of this group."""
    middle = 0.6729  # |t| below half of its 95 % quantile, 29 degrees of freedom
    figures = tuple(
        Figure(what, held, REACH * _error(held), 3, "", Rule.WITHIN)
        for what, held in (
            ("95 % intervals that hold the loss", 0.95),
            ("their middle halves that hold it", middle),
        )
    )
    return (Check(GROUP, SOURCE, figures, coverage, 6.0),)


def coverage() -> Sequence[Seen]:
    """Return the share of intervals, and of their middle halves, that hold the loss."""
    truth = known_loss()
    sizes = [abs(_off(experiment(number), truth)) for number in range(EXPERIMENTS)]
    return tuple(
        share(sum(size <= limit for size in sizes), EXPERIMENTS) for limit in (1.0, 0.5)
    )


def known_loss() -> float:
    """Return what mistakes cost all customers in the time they are followed [$].

    m(1 − exp(−gT))/g for each hazard g: of dropout alone, and with the mistakes that
    make somebody leave.
    """
    hazards = (RATE * DROPOUT, RATE * (DROPOUT + WRONG * LEAVES * (1.0 - DROPOUT)))
    without, with_them = (-math.expm1(-g * YEARS) / g for g in hazards)
    return CUSTOMERS * 100.0 * RATE * (without - with_them)


def experiment(number: int) -> Estimate:
    """Return what one experiment finds."""
    numbers = range(number * REPLICATIONS, (number + 1) * REPLICATIONS)
    losses = []
    for replication in numbers:
        flawless, slow = _worlds()
        people = flawless.people(replication)
        revenue = [
            int(run_with(world, people, replication).accounts[:, Account.REVENUE].sum())
            for world in (flawless, slow)
        ]
        losses.append((revenue[0] - revenue[1]) / MICRO)
    return estimate(losses)


def _worlds() -> tuple[World, World]:
    """Return the firm that makes no mistakes, and the one that is slow about them."""
    mistake = published("minor")._replace(voice=0.0, at_fault=0.5)
    market = MARKET._replace(mistake_probability=WRONG, stated_to_actual=1.0)
    policy = POLICY._replace(contest=1.0, handle=constant(INSTANT))
    spec = SPEC._replace(
        customers=CUSTOMERS,
        rate=certain(RATE / YEAR),
        dropout=certain(DROPOUT),
        value=certain(100 * MICRO),
        horizon=YEARS * YEAR,
    )
    slow = World(market, policy, mistake, spec)
    return slow._replace(policy=policy._replace(mistakes=0.0)), slow


def _off(found: Estimate, truth: float) -> float:
    """Return how far the interval's middle is off, in halves of its width."""
    if found.low is None or found.high is None:
        return math.inf
    return (0.5 * (found.low + found.high) - truth) / (0.5 * (found.high - found.low))


def _error(held: float) -> float:
    return math.sqrt(held * (1.0 - held) / EXPERIMENTS)
