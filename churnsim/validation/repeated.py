"""A failure and another one: what shoppers say, in the e-commerce scenario.

The orders came in the end, so the outcome is forced to "settled, but not quickly";
κ = 1 and nothing is forgotten.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from churnsim.validation.checks import Check, Figure, Rule, Seen
from churnsim.validation.episodes import (
    ALL_VOICE,
    ALONE,
    Episode,
    episodes,
    run,
    share_left,
)

GROUP = "repeated"
SOURCE = "Voxware 2012, 600 US shoppers (the scenario is fitted to these shares)"

FORCED = (
    *ALONE,
    *ALL_VOICE,
    "market.stated_to_actual=1",
    'market.memory={law="constant", mean="inf"}',
    'market.endurance="inf"',
    'market.rate="12/year"',
    "market.dropout=0",
    'policy.slow.speed.repair="60 days"',
    "policy_defaults.reach.hoops=[{time='30 s', give_up=0}]",
)
SHOPPERS = 15_000
SHARES = {"late": (0.83, 0.45), "wrong_or_damaged": (0.71, 0.41)}
WEIGHS = 1.6  # at least so many times as many leave over the second one


def checks() -> tuple[Check, ...]:
    """Return the checks of this group."""
    return tuple(
        Check(
            GROUP,
            SOURCE,
            (
                Figure(f"{_spoken(kind)}: stay", once, 0.03, rule=Rule.WITHIN),
                Figure(f"{_spoken(kind)} again: stay", again, 0.03, rule=Rule.WITHIN),
                Figure(
                    f"{_spoken(kind)}: leave, second to first",
                    WEIGHS,
                    digits=2,
                    rule=Rule.AT_LEAST,
                ),
            ),
            partial(stays, kind),
            2.0,
        )
        for kind, (once, again) in SHARES.items()
    )


def stays(kind: str) -> Sequence[Seen]:
    """Return the share who stay after a first and a second failure, and their ratio."""
    first, second = map(share_left, first_and_second(kind))
    return (
        first._replace(value=1.0 - first.value),
        second._replace(value=1.0 - second.value),
        Seen(second.value / first.value, 0.0, second.n),
    )


def first_and_second(kind: str) -> tuple[list[Episode], list[Episode]]:
    """Return each shopper's first and second failure."""
    told = episodes(run("ecommerce", "slow", with_only(kind), SHOPPERS)).values()
    return [own[0] for own in told if own], [own[1] for own in told if len(own) > 1]


def with_only(kind: str) -> tuple[str, ...]:
    """Return overrides under which half of all orders fail, all in one way."""
    chances = {name: 0.5 if name == kind else 0.0 for name in SHARES}
    probabilities = (f"mistakes.{name}.probability={p}" for name, p in chances.items())
    return (*FORCED, *probabilities)


def _spoken(kind: str) -> str:
    return kind.replace("_", " ")
