"""The signature of honesty: what is put right is forgotten, a lie found out is not.

After Schweitzer, Hershey & Bradlow 2006: trust comes back after a failure that was put
right, and never wholly after deception. First in the e-commerce scenario, with desks
that keep nobody waiting, all mistakes alike and half of what cannot be settled lied
away; then in a world where staff always lie, for which there is a closed form.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

import numpy as np

from churnsim.engines.books import Account
from churnsim.records import Cause, Floats
from churnsim.validation.checks import (
    Check,
    Figure,
    Rule,
    Seen,
    difference,
    mean,
)
from churnsim.validation.episodes import (
    ALL_VOICE,
    ALONE,
    Episode,
    episodes,
    run,
    share_left,
)
from churnsim.validation.worlds import (
    MARKET,
    POLICY,
    SPEC,
    SURE,
    Mistake,
    World,
    certain,
)
from churnsim.validation.worlds import run as run_world
from churnsim.variates import constant

GROUP = "honesty"
SIGNATURE = "Schweitzer, Hershey & Bradlow 2006, trust after deception"
CLOSED_FORM = "geometric law of lies found out, one tolerance an episode"

CUSTOMERS = 8_000
MORE_CUSTOMERS = 24_000  # where only some were deceived
N = 200_000  # of the world of liars
HALF_LIES = (
    *ALONE,
    'policies=["empowered", "slow", "dishonest"]',
    'market.rate="12/year"',
    "market.dropout=0",
    'horizon="6 years"',
    "mistakes.late.probability=0.08",
    "mistakes.wrong_or_damaged.probability=0",
    "policy.dishonest.honesty.truth=0.5",
    "policy.dishonest.honesty.lie=0.5",
)
ALL_LIES = (
    *HALF_LIES,
    *ALL_VOICE,
    "policy.dishonest.honesty.truth=0",
    "policy.dishonest.honesty.lie=1",
    "market.discovery=0",
)
FOUND_OUT = (*HALF_LIES, "market.discovery=1")
# Of the world of liars, in log-odds: the customer's hold, the mistake, what calms it,
# what an honest settlement takes off, and what each lie found out adds.
LOCK_IN, STING, HEARD, PLACATED, SETTLED = 2.5, 0.5, 0.3, 0.8, 0.5
LIE_STING, BETRAYAL, CONTACT_STING = 0.3, 0.2, 0.1
BREAK_EVEN = 0.1265  # discovery probability at which lies keep as many as the truth


def checks() -> tuple[Check, ...]:
    """Return the checks of this group."""
    alike = "leave again less first"
    return (
        Check(
            GROUP,
            SIGNATURE,
            (Figure(f"put right: {alike}", 0.0),),
            partial(trace_left, "slow", HALF_LIES),
            4.0,
        ),
        Check(
            GROUP,
            SIGNATURE,
            (Figure(f"unnoticed lie: {alike}", 0.0),),
            partial(trace_left, "dishonest", ALL_LIES),
            4.0,
        ),
        Check(
            GROUP,
            SIGNATURE,
            (Figure("leave later: once deceived over others", 0.0, rule=Rule.ABOVE),),
            deceived,
            8.0,
        ),
        Check(
            GROUP,
            SIGNATURE,
            (Figure("leave: slow truth over unnoticed lie", 0.0, rule=Rule.AT_LEAST),),
            truth_over_lie,
            8.0,
        ),
        Check(
            GROUP,
            CLOSED_FORM,
            (
                Figure("stay: lies never found out over truth", 0.0, rule=Rule.ABOVE),
                Figure("stay: truth over lies always found out", 0.0, rule=Rule.ABOVE),
                Figure(f"stay: lies found out {BREAK_EVEN} less truth", 0.0, 0.003),
            ),
            break_even,
            2.0,
        ),
    )


def stories(policy: str, overrides: Sequence[str], n: int) -> list[list[Episode]]:
    """Return the episodes of each customer who suffered one, in order."""
    told = episodes(run("ecommerce", policy, overrides, n)).values()
    return [own for own in told if own]


def trace_left(policy: str, overrides: Sequence[str]) -> Sequence[Seen]:
    """Return how many more leave over a new mistake, the first forgotten, than then."""
    told = stories(policy, overrides, CUSTOMERS)
    first = share_left(own[0] for own in told)
    again = share_left(own[1] for own in told if _is_fresh(own))
    return (difference(again, first),)


def deceived() -> Sequence[Seen]:
    """Return how many more leave over a new mistake of those once deceived.

    Long after, the first episode forgotten; all others were told the truth.
    """
    everybody = stories("dishonest", FOUND_OUT, MORE_CUSTOMERS)
    told = [own for own in everybody if _is_fresh(own)]

    def seconds(was_lied_to: bool) -> Iterable[Episode]:
        return (own[1] for own in told if (own[0].n_found_out > 0) is was_lied_to)

    return (difference(share_left(seconds(True)), share_left(seconds(False))),)


def truth_over_lie() -> Sequence[Seen]:
    """Return how many more leave over a slow truth than over a lie unnoticed."""
    truth = stories("slow", (*HALF_LIES, *ALL_VOICE), CUSTOMERS)
    lies = stories("dishonest", ALL_LIES, CUSTOMERS)
    left = [share_left(own[0] for own in told) for told in (truth, lies)]
    return (difference(*left),)


def break_even() -> Sequence[Seen]:
    """Return how many more stay with lies than with the truth, by discovery.

    Never found out; always, the other way round; and where both keep as many. The
    same customers meet the same draws under both.
    """
    honest = stays(staff(is_honest=True))
    never, always, even = (
        mean(stays(staff(discovery=d)) - honest) for d in (0.0, 1.0, BREAK_EVEN)
    )
    return (never, always._replace(value=-always.value), even)


def staff(*, is_honest: bool = False, discovery: float = 0.0) -> World:
    """Return a world of staff who always lie, or tell a truth that takes a while."""
    market = MARKET._replace(
        mistake_probability=1.0,
        stated_to_actual=1.0,
        lock_in=LOCK_IN,
        discovery=discovery,
        placated=PLACATED,
        lie_sting=LIE_STING,
        betrayal=BETRAYAL,
        contact_sting=CONTACT_STING,
    )
    truth = 1.0 if is_honest else 0.0
    policy = POLICY._replace(limit=-1.0, truth=truth, truth_or_excuse=truth)
    mistake = Mistake(sting=constant(STING), voice=SURE, heard=HEARD, settled=SETTLED)
    spec = SPEC._replace(customers=N, rate=certain(1.0), horizon=1.0)
    return World(market, policy, mistake, spec)


def stays(world: World) -> Floats:
    """Return for each customer 0 if they left after their first episode, else 1."""
    books = run_world(world)
    left = (books.accounts[:, Account.EPISODES] == 1) & (books.cause > Cause.NATURAL)
    return np.asarray(~left, dtype=np.float64)


def _is_fresh(own: Sequence[Episode]) -> bool:
    """Return whether there was a second episode, the first one forgotten, no lie."""
    return len(own) > 1 and not own[1].is_double and own[1].n_found_out == 0
