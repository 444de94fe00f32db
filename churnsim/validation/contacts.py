"""Contacts until a case is settled: geometric where each settles it with one chance."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from churnsim.engines.books import Tally
from churnsim.validation.checks import Check, Figure, Rule, Seen, mean
from churnsim.validation.worlds import (
    MARKET,
    POLICY,
    SPEC,
    SURE,
    Mistake,
    World,
    certain,
    run_with,
)

GROUP = "contacts"
GEOMETRIC = "geometric law: 1/FCR contacts a case"
PRINTED = "SQM Group, contacts a case as printed"

FIRST_CONTACT = (0.48, 0.67, 0.70, 0.80)  # settled by the first contact [-]
IN_PRINT = {0.67: 1.5, 0.80: 1.2}
REPLICATIONS = 20
CASES = 20_000  # in each, roughly


def checks() -> tuple[Check, ...]:
    """Return the checks of this group."""
    geometric = (
        Check(
            GROUP,
            GEOMETRIC,
            (
                Figure(f"contacts a case, FCR {fcr:.2f}", 1.0 / fcr, 0.02 / fcr),
                Figure(f"settled at first, FCR {fcr:.2f}", fcr, 0.01),
            ),
            partial(settled_cases, fcr),
            0.6,
        )
        for fcr in FIRST_CONTACT
    )
    printed = (
        Check(
            GROUP,
            PRINTED,
            (
                Figure(
                    f"contacts a case, FCR {fcr:.2f}", figure, 0.06, 2, "", Rule.WITHIN
                ),
            ),
            partial(contacts_alone, fcr),
            0.6,
        )
        for fcr, figure in IN_PRINT.items()
    )
    return (*geometric, *printed)


def settled_cases(first_contact: float) -> Sequence[Seen]:
    """Return contacts a case, and the share settled at the first of them.

    Staff put off the others with a lie that is always found out; nobody leaves.
    """
    market = MARKET._replace(mistake_probability=1.0, discovery=1.0)
    policy = POLICY._replace(fob_off=1.0 - first_contact)
    spec = SPEC._replace(customers=CASES, rate=certain(1.0), horizon=1.0)
    world = World(market, policy, Mistake(voice=SURE), spec)
    people = world.people(0)
    tallies = [run_with(world, people, i).tally for i in range(REPLICATIONS)]
    counted = np.array(tallies, dtype=np.float64)
    settled = counted[:, Tally.SETTLED]
    return (
        mean(counted[:, Tally.CONTACTS] / settled),
        mean(counted[:, Tally.SETTLED_AT_FIRST] / settled),
    )


def contacts_alone(first_contact: float) -> Sequence[Seen]:
    """Return contacts a case."""
    return settled_cases(first_contact)[:1]
