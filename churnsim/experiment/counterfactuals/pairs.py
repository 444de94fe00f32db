"""One replication under two policies: who is lost in which world, and by what."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from churnsim.engines.books import Account
from churnsim.engines.outcome import Outcome
from churnsim.experiment.counterfactuals.logs import (
    Log,
    events_of,
    log_of,
    other_course,
    parting,
    time_of,
)
from churnsim.experiment.workers import Keep
from churnsim.records import Cause, Floats, Integers, Population

N_CAUSES = len(Cause)
KEPT = Cause.NONE  # the cause of one who is still a customer at the horizon


class Lives(NamedTuple):
    """How a run went for each person; all arrays have shape (n,)."""

    is_won: NDArray[np.bool_]  # is or was a customer
    departure: Floats  # [days]; inf: still a customer, or never one
    cause: Integers  # a Cause; NONE: still a customer, or never one
    revenue: Integers  # [micro-units]
    episodes: Integers  # closed


class Turned(NamedTuple):
    """Customers lost in one world and kept in the other; arrays have shape (n, ...)."""

    customer: Integers  # (n,)
    departure: Floats  # (n, 2) under source and target [days]; inf: kept
    cause: Integers  # (n, 2)
    revenue: Integers  # (n, 2) [micro-units]
    episodes: Integers  # (n, 2)
    # (n, 2) when their lives part, and take another course [days]; nan: not asked for,
    # or not at all.
    parted: Floats


class Pair(NamedTuple):
    """What is kept of a replication."""

    replication: int
    n_customers: int  # at the start
    # (N_CAUSES, N_CAUSES) by cause under source, then target; NONE is kept. Of people
    # who are customers in both worlds.
    cross: Integers
    won_once: tuple[int, int]  # prospects won under source only, and under target only
    turned: Turned


class Wanted(NamedTuple):
    """What is to be kept."""

    is_one: bool  # both policies are the same one, which is run once
    parting: bool  # find out when lives part


def keeping(wanted: Wanted, people: Population) -> Keep[Pair | None]:
    """Return what keeps a replication's pair of runs: nothing of the first one.

    The runs come in the order of source and target.
    """
    worlds: list[tuple[Lives, Log | None]] = []

    def keep(_: str, outcome: Outcome) -> Pair | None:
        log = log_of(outcome) if wanted.parting else None
        worlds.append((lives_of(outcome), log))
        if len(worlds) < 2 and not wanted.is_one:
            return None
        (source, source_log), (target, target_log) = worlds[0], worlds[-1]
        logs = None
        if source_log is not None and target_log is not None:
            logs = source_log, target_log
        is_both = source.is_won & target.is_won
        return Pair(
            outcome.replication,
            people.n_customers,
            crossed(source, target),
            (
                int(np.count_nonzero(source.is_won & ~is_both)),
                int(np.count_nonzero(target.is_won & ~is_both)),
            ),
            turned_of(source, target, logs),
        )

    return keep


def lives_of(outcome: Outcome) -> Lives:
    """Return how a run went for each person."""
    books = outcome.books
    return Lives(
        books.is_won == 1,
        books.departure,
        books.cause.astype(np.int64),
        books.accounts[:, Account.REVENUE].copy(),
        books.accounts[:, Account.EPISODES].copy(),
    )


def crossed(source: Lives, target: Lives) -> Integers:
    """Return how many left by which causes in two worlds, (N_CAUSES, N_CAUSES).

    Row and column 0 are those who are kept. People who are customers in one world only
    are not counted.
    """
    is_both = source.is_won & target.is_won
    places = source.cause[is_both] * N_CAUSES + target.cause[is_both]
    counts = np.bincount(places, minlength=N_CAUSES * N_CAUSES)
    return counts.reshape(N_CAUSES, N_CAUSES).astype(np.int64)


def turned_of(source: Lives, target: Lives, logs: tuple[Log, Log] | None) -> Turned:
    """Return the customers who are lost in one world and kept in the other.

    Args:
        source: How it went for each person under one policy.
        target: The same people under the other.
        logs: Of both worlds, where it is asked when lives part.
    """
    is_both = source.is_won & target.is_won
    is_turned = is_both & ((source.cause == KEPT) != (target.cause == KEPT))
    who = np.flatnonzero(is_turned).astype(np.int64)
    parted = np.full((len(who), 2), np.nan)
    if logs is not None:
        for row, customer in enumerate(who):
            a, b = (events_of(log, int(customer)) for log in logs)
            places = parting(a, b), other_course(a, b)
            parted[row] = [time_of(place, a, b) for place in places]
    both = (source, target)
    return Turned(
        who,
        np.stack([lives.departure[who] for lives in both], axis=1),
        np.stack([lives.cause[who] for lives in both], axis=1),
        np.stack([lives.revenue[who] for lives in both], axis=1),
        np.stack([lives.episodes[who] for lives in both], axis=1),
        parted,
    )
