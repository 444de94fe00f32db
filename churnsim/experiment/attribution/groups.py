"""Whose money it was: segments of customers, and what is kept of a run for each.

Segments are made from what customers are born with, so that a customer is in the same
segment whatever the policy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from churnsim.engines.books import Account
from churnsim.engines.outcome import PPM, Outcome
from churnsim.experiment.workers import Keep
from churnsim.records import Floats, Integers, Population

QUARTERS = ("lowest quarter", "second quarter", "third quarter", "highest quarter")


class Group(NamedTuple):
    """A segment, and by what it was made."""

    by: str  # "origin", "spend" or "dropout"
    name: str


ORIGINS = (Group("origin", "starting customers"), Group("origin", "prospects"))
GROUPS = (
    *ORIGINS,
    *(Group(by, name) for by in ("spend", "dropout") for name in QUARTERS),
)


class Kept(NamedTuple):
    """What is kept of a run."""

    replication: int
    n_customers: int  # at the start
    total: int  # of the measure [micro-units]
    sums: tuple[
        int, ...
    ]  # of each group's people, in the order of GROUPS [micro-units]
    people: tuple[int, ...]  # how many are in each group
    customers: Customers | None  # of the replication that was chosen


class Customers(NamedTuple):
    """One run, customer by customer."""

    amounts: Integers  # of the measure (n,) [micro-units]
    groups: Integers  # places in GROUPS by origin, spend and dropout (3, n)


class Wanted(NamedTuple):
    """What is to be kept."""

    measure: str  # one of MEASURES
    margin: int  # [parts per million]
    is_subscription: bool
    chosen: int | None  # the replication whose customers are kept


def keeping(wanted: Wanted, people: Population) -> Keep[Kept]:
    """Return what keeps a replication's runs: sums by group."""
    places = groups_of(people, wanted.is_subscription)
    is_there = np.isfinite(people.arrival)
    masks = [(places == place).any(axis=0) for place in range(len(GROUPS))]
    counts = tuple(int(np.count_nonzero(mask & is_there)) for mask in masks)

    def keep(_: str, outcome: Outcome) -> Kept:
        amounts = amounts_of(outcome, wanted.measure, wanted.margin)
        is_chosen = outcome.replication == wanted.chosen
        return Kept(
            outcome.replication,
            outcome.n_customers,
            getattr(outcome.totals, wanted.measure),
            tuple(int(amounts[mask].sum()) for mask in masks),
            counts,
            Customers(amounts, places) if is_chosen else None,
        )

    return keep


def added(rows: Sequence[Kept]) -> Kept:
    """Return what is kept of all sites of a firm.

    Quarters are those of each site's own people: who is in which is settled there.
    """
    return Kept(
        rows[0].replication,
        sum(row.n_customers for row in rows),
        sum(row.total for row in rows),
        tuple(map(sum, zip(*(row.sums for row in rows), strict=True))),
        tuple(map(sum, zip(*(row.people for row in rows), strict=True))),
        None,
    )


def amounts_of(outcome: Outcome, measure: str, margin: int) -> Integers:
    """Return what each customer brought, shape (n,) [micro-units].

    Revenue; or contribution without what no single customer causes: the margin on the
    customer's revenue, rounded down, less make-good and what winning and calling cost.

    Args:
        outcome: The run.
        measure: One of MEASURES.
        margin: Share of revenue kept [parts per million].
    """
    later = measure.endswith("_discounted")  # stands beside each account
    accounts = outcome.books.accounts
    revenue = accounts[:, Account.REVENUE + later].copy()
    if measure.startswith("revenue"):
        return revenue
    # Split, since the product of revenue and margin need not fit into 64 bits.
    kept = revenue // PPM * margin + revenue % PPM * margin // PPM
    good = accounts[:, Account.MAKE_GOOD + later]
    return kept - good - accounts[:, Account.COST + later]


def groups_of(people: Population, is_subscription: bool) -> Integers:
    """Return each person's places in GROUPS: by origin, spend and dropout, (3, n).

    Spend is what a person would pay in a day at birth's rate: the fee, or rate × value.
    Dropout is the trait. Quarters are cut at the values of the people who come; equal
    people are never parted, so quarters may differ in size, and where all are alike
    they are all in the highest.
    """
    n = len(people.arrival)
    is_there = np.isfinite(people.arrival)
    spend = people.value if is_subscription else people.rate * people.value
    is_prospect = (np.arange(n) >= people.n_customers).astype(np.int64)
    return np.stack(
        [
            is_prospect,
            len(ORIGINS) + _quarters(spend, is_there),
            len(ORIGINS) + len(QUARTERS) + _quarters(people.dropout, is_there),
        ]
    )


def _quarters(trait: Floats, is_there: NDArray[np.bool_]) -> Integers:
    """Return the quarter of each person's trait: 0 to 3."""
    known = np.sort(trait[is_there])
    if not len(known):
        return np.zeros(len(trait), np.int64)
    cuts = known[[len(known) * i // 4 for i in (1, 2, 3)]]
    return np.searchsorted(cuts, trait, side="right").astype(np.int64)
