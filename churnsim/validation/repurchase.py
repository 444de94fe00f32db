"""TARP's repurchase table and market damage, each cell forced on everybody."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import numpy as np

from churnsim.engines.books import Account, Books
from churnsim.records import Cause
from churnsim.validation.checks import Check, Figure, Seen, share
from churnsim.validation.worlds import (
    MARKET,
    POLICY,
    SPEC,
    SURE,
    Mistake,
    World,
    certain,
    run,
)
from churnsim.variates import constant, exponential

GROUP = "tarp"
SOURCE = "TARP repurchase table, as printed by Goodman; κ = 1"
DAMAGE = "TARP market damage model (Goodman): 20,000 problems at $500"

# Shares who buy again: silent, unresolved, resolved, resolved quickly.
CELLS = ("silent", "unresolved", "resolved", "quick")
TARP = {"minor": (0.37, 0.46, 0.70, 0.95), "major": (0.09, 0.19, 0.54, 0.82)}
INSTANT = 1e-9  # [days], but longer than a zone of tolerance of 0
N = 100_000  # customers who have a mistake, roughly
N_DAMAGE = 200_000
SCALE = 20_000 / N_DAMAGE  # to the problems of the published figures
DAMAGED = {"silent": 6_300, "unresolved": 2_700, "resolved": 875}
LOST, MONEY = 9_875, 4_937_500  # customers; [$]


def checks() -> tuple[Check, ...]:
    """Return the checks of this group."""
    cells = (
        Check(
            GROUP,
            SOURCE,
            (Figure(f"{kind} loss, {cell}: buy again", stays, 0.005),),
            partial(bought_again, kind, cell),
            0.3,
        )
        for kind, row in TARP.items()
        for cell, stays in zip(CELLS, row, strict=True)
    )
    damage = (
        *(
            Figure(f"market damage, {cell}: lost", lost, 0.05 * lost, 0)
            for cell, lost in DAMAGED.items()
        ),
        Figure("market damage: customers lost", LOST, 0.01 * LOST, 0),
        Figure("market damage: money lost", MONEY, 0.01 * MONEY, 0, " $"),
    )
    return (*cells, Check(GROUP, DAMAGE, damage, market_damage, 0.5))


def published(kind: str) -> Mistake:
    """Return the mistake that stings, and is soothed, as TARP's row says.

    Differences of log-odds along the row: silent, unresolved, resolved, quick.
    """
    silent, unresolved, resolved, quick = map(log_odds, TARP[kind])
    return Mistake(
        sting=constant(-silent),
        heard=unresolved - silent,
        settled=resolved - unresolved,
        quick=quick - resolved,
    )


def log_odds(p: float) -> float:
    """Return ln(p/(1 − p))."""
    return math.log(p / (1.0 - p))


def leaving_at_first(books: Books) -> tuple[int, int]:
    """Return how many left after their first episode, and how many had one."""
    n_episodes = books.accounts[:, Account.EPISODES]
    is_driven = books.cause > Cause.NATURAL
    left = int(np.sum((n_episodes == 1) & is_driven))
    return left, int(np.sum(n_episodes >= 1))


def forced(kind: str, cell: str, customers: int) -> World:
    """Return a world in which the first mistake ends in one cell of TARP's table."""
    mistake, policy = published(kind), POLICY
    if cell != "silent":
        mistake = mistake._replace(voice=SURE)
    if cell == "unresolved":
        mistake = mistake._replace(at_fault=1.0)
        policy = policy._replace(contest=1.0)
    if cell == "resolved":
        policy = policy._replace(handle=constant(INSTANT))
    if cell == "quick":
        mistake = mistake._replace(tolerance=1.0)  # a day that nothing here takes
    market = MARKET._replace(mistake_probability=1.0, stated_to_actual=1.0)
    spec = SPEC._replace(customers=customers, rate=certain(1.0), horizon=1.0)
    return World(market, policy, mistake, spec)


def bought_again(kind: str, cell: str) -> Sequence[Seen]:
    """Return the share who stay after a first mistake that ended in one cell."""
    # A first occasion comes within the horizon to 1 − 1/e of them.
    customers = round(N / (1.0 - math.exp(-1.0)))
    number = [*TARP].index(kind) * len(CELLS) + CELLS.index(cell)
    left, n = leaving_at_first(run(forced(kind, cell, customers), number))
    return (share(n - left, n),)


def market_damage() -> Sequence[Seen]:
    """Return customers and money lost by 20,000 problems, half of each kind.

    Half speak up, half of these are settled, half of those within the zone of
    tolerance: handling takes as long as it does with probability one half.
    """
    mistake = published("minor")._replace(voice=0.0, at_fault=0.5, tolerance=INSTANT)
    policy = POLICY._replace(contest=1.0, handle=exponential(INSTANT / math.log(2.0)))
    market = MARKET._replace(mistake_probability=1.0, stated_to_actual=1.0)
    # So many occasions that everybody meets one, and only first ones are counted.
    spec = SPEC._replace(customers=N_DAMAGE, rate=certain(40.0), horizon=1.0)
    books = run(World(market, policy, mistake, spec))
    is_first = books.accounts[:, Account.EPISODES] == 1
    causes = (Cause.SILENT, Cause.REFUSED, Cause.SETTLED)
    lost = [int(np.sum(is_first & (books.cause == cause))) for cause in causes]
    found = [_of_published(n) for n in (*lost, sum(lost))]
    money = found[-1]
    return (*found, Seen(500.0 * money.value, 500.0 * money.error, money.n))


def _of_published(lost: int) -> Seen:
    """Return so many lost as of as many problems as the published figures have."""
    found = share(lost, N_DAMAGE)
    scale = N_DAMAGE * SCALE
    return Seen(scale * found.value, scale * found.error, found.n)
