"""The signature of honesty: what is put right is forgotten, a lie found out is not.

After Schweitzer, Hershey & Bradlow 2006: trust comes back after a failure that was put
right, and never wholly after deception. In the e-commerce scenario, with desks that
keep nobody waiting, all mistakes alike and half of what cannot be settled lied away.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import pytest

from tests.configs.episodes import (
    ALL_VOICE,
    ALONE,
    Episode,
    episodes,
    run,
    share_left,
    z_of,
)

pytestmark = pytest.mark.compiled

Z = 3.0
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
CUSTOMERS = 8_000


@cache
def stories(policy: str, *overrides: str) -> tuple[tuple[Episode, ...], ...]:
    """Return the episodes of each customer who suffered one, in order."""
    told = episodes(run("ecommerce", policy, overrides, CUSTOMERS)).values()
    return tuple(tuple(own) for own in told if own)


def fresh(own: Sequence[Episode]) -> bool:
    """Return whether there was a second episode, the first one forgotten, no lie."""
    return len(own) > 1 and not own[1].is_double and own[1].n_found_out == 0


@pytest.mark.parametrize(
    ("policy", "overrides"), [("slow", HALF_LIES), ("dishonest", ALL_LIES)]
)
def test_recovery__leaves_no_trace_once_it_is_forgotten(
    policy: str, overrides: tuple[str, ...]
) -> None:
    """Put right, or lied away unnoticed: a new mistake loses as many as the first."""
    told = stories(policy, *overrides)
    first = share_left(own[0] for own in told)
    again = share_left(own[1] for own in told if fresh(own))
    assert abs(z_of(again, first)) < Z


@pytest.mark.slow
def test_lie_found_out__is_never_forgotten() -> None:
    """Long after, those once deceived leave over a new mistake more often."""
    more = (*HALF_LIES, "market.discovery=1")
    told = episodes(run("ecommerce", "dishonest", more, 3 * CUSTOMERS)).values()
    deceived = [own[1] for own in told if fresh(own) and own[0].n_found_out > 0]
    others = [own[1] for own in told if fresh(own) and own[0].n_found_out == 0]
    assert z_of(share_left(deceived), share_left(others)) > Z


def test_lie__loses_no_more_than_the_slow_truth_until_it_is_found_out() -> None:
    """Never found out, lies lose fewer customers than the truth and a long wait."""
    placated = share_left(own[0] for own in stories("dishonest", *ALL_LIES))
    truth = stories("slow", *HALF_LIES, *ALL_VOICE)
    assert z_of(share_left(own[0] for own in truth), placated) > 0.0
