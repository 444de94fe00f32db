"""From what was kept of each run to shares with intervals, exact in integers."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from churnsim.experiment.attribution.groups import GROUPS, ORIGINS, Group, Kept
from churnsim.experiment.attribution.record import (
    FIRM,
    WHOLE,
    Interaction,
    Segment,
    Share,
)
from churnsim.experiment.attribution.shapley import (
    Scheme,
    Whole,
    apportioned,
    numerators,
    sampling_errors,
)
from churnsim.experiment.intervals import Estimate, estimate, widened
from churnsim.experiment.replications import Batch
from churnsim.records import MICRO, Integers
from churnsim.units import year_days

# Segments of a replication: everybody and the firm, the firm, the groups.
SEGMENTS = (Group(WHOLE, WHOLE), Group(FIRM, FIRM), *GROUPS)
N_BEFORE = len(SEGMENTS) - len(GROUPS)


class Findings(NamedTuple):
    """What came out."""

    micro: Integers  # lost, (replications, SEGMENTS, levers) [micro-units]
    loss: Segment
    segments: tuple[Segment, ...]
    interactions: tuple[Interaction, ...]


class Errors(NamedTuple):
    """How far a lever's share may be off for want of more orders: standard errors."""

    total: float  # per run [units of currency]
    yearly: float  # a year and 1,000 starting customers [units of currency]
    degrees: int  # of freedom


class Worth(NamedTuple):
    """What every run of the scheme was worth in every replication."""

    values: Whole  # (replications, values, SEGMENTS) [micro-units]
    years: tuple[float, ...]  # 1,000 customer-years of a run, had all stayed
    people: tuple[float, ...]  # mean number, by segment


def findings_of(
    horizon: float, levers: Sequence[str], scheme: Scheme | None, batch: Batch[Kept]
) -> Findings:
    """Return the shares, interactions and segments of a batch.

    Args:
        horizon: How long was simulated [days].
        levers: The players of the scheme.
        scheme: None where no lever differs: then nothing is lost.
        batch: What was kept, by replication and value of the scheme.
    """
    if scheme is None:
        nothing = Estimate(0.0, 0.0, 0.0, 0)
        loss = Segment(WHOLE, WHOLE, 0.0, 0, nothing, nothing, ())
        return Findings(np.zeros((0, len(SEGMENTS), 0), np.int64), loss, (), ())
    worth = _worth(list(batch.rows.values()), horizon)
    micro = np.stack([micro_of(scheme, values) for values in worth.values])
    loss, *segments = (
        _segment(place, levers, micro, worth, _errors(scheme, worth, place))
        for place in range(len(SEGMENTS))
    )
    told = tuple(segment for segment in segments if _is_told(segment, segments))
    return Findings(micro, loss, told, _interactions(levers, scheme, worth))


def micro_of(scheme: Scheme, values: Whole) -> Integers:
    """Return the levers' shares of one replication in whole micro-units.

    Largest remainder, ties by the order of LEVERS, over the firm first and then the
    groups of each kind: see `apportioned`. So the firm and the groups of each kind add
    up to the same shares of the whole, to the last micro-unit.

    Args:
        scheme: How values make shares.
        values: Shape (values, SEGMENTS).

    Returns:
        Shape (SEGMENTS, levers).
    """
    shares = numerators(scheme.weights, values)
    micro = np.zeros(shares.shape, np.int64)
    for by in dict.fromkeys(group.by for group in GROUPS):
        places = [1, *(i for i, segment in enumerate(SEGMENTS) if segment.by == by)]
        micro[places] = apportioned(shares[places], scheme.unit)
        micro[0] = micro[places].sum(axis=0)
    return micro


def _worth(replications: Sequence[Sequence[Kept]], horizon: float) -> Worth:
    """Return the games of all replications, and what they are divided by."""
    values = [
        [
            (row.total, row.total - sum(row.sums[: len(ORIGINS)]), *row.sums)
            for row in rows
        ]
        for rows in replications
    ]
    first = [rows[0] for rows in replications]
    people = np.mean([(sum(r.people[:2]), 0, *r.people) for r in first], axis=0)
    years = tuple(r.n_customers * horizon / year_days() / 1000.0 for r in first)
    return Worth(np.array(values, dtype=object), years, tuple(people.tolist()))


def _segment(
    place: int,
    levers: Sequence[str],
    micro: Integers,
    worth: Worth,
    errors: Sequence[Errors],
) -> Segment:
    """Return what is lost in a segment, and by which levers.

    What is lost is known whatever the orders, so only the levers' intervals have their
    error in them, too.
    """
    lost = micro[:, place, :].sum(axis=1).tolist()
    total, yearly = _estimates([amount / MICRO for amount in lost], worth.years)
    sum_lost = sum(lost)
    is_told = sum_lost != 0 and total.low is not None and not total.covers_zero
    shares = []
    for i, lever in enumerate(levers):
        part = micro[:, place, i].tolist()
        error = errors[i] if errors else None
        own, own_yearly = _estimates([amount / MICRO for amount in part], worth.years)
        if error is not None:
            own = widened(own, error.total, error.degrees)
            own_yearly = widened(own_yearly, error.yearly, error.degrees)
        shares.append(
            Share(
                lever,
                sum(part),
                own,
                own_yearly,
                sum(part) / sum_lost if is_told else None,
                None if error is None else error.total,
            )
        )
    name = SEGMENTS[place]
    people = worth.people[place]
    return Segment(*name, people, sum_lost, total, yearly, tuple(shares))


def _errors(scheme: Scheme, worth: Worth, place: int) -> tuple[Errors, ...]:
    """Return how far each lever's share may be off; nothing where shares are exact."""
    if not scheme.orders:
        return ()
    games = worth.values[:, :, place]
    n = len(games)
    means = [int(v) / (n * MICRO) for v in games.sum(axis=0)]
    by_year = [1.0 / (n * MICRO * years) if years else 0.0 for years in worth.years]
    yearly = [math.fsum(map(operator.mul, of, by_year)) for of in games.T]
    pairs = zip(
        sampling_errors(scheme, means), sampling_errors(scheme, yearly), strict=True
    )
    return tuple(Errors(*pair, len(scheme.orders) - 1) for pair in pairs)


def _interactions(
    levers: Sequence[str], scheme: Scheme, worth: Worth
) -> tuple[Interaction, ...]:
    """Return the interaction of each pair of levers, the largest first."""
    if not scheme.pairs:
        return ()
    unit = scheme.pair_unit * MICRO
    by_pair = [
        [int(number) / unit for number in numerators(scheme.pair_weights, game)[0]]
        for game in worth.values[:, :, :1]
    ]
    found = [
        Interaction(
            (levers[a], levers[b]),
            *_estimates([row[i] for row in by_pair], worth.years),
        )
        for i, (a, b) in enumerate(scheme.pairs)
    ]
    return tuple(sorted(found, key=lambda pair: -abs(pair.total.mean or 0.0)))


def _is_told(segment: Segment, segments: Sequence[Segment]) -> bool:
    """Return whether a segment says anything: the firm's money, or one of several."""
    if segment.by == FIRM:
        return any(share.micro for share in segment.shares)
    peers = [other for other in segments if other.by == segment.by and other.people]
    return segment.people > 0 and len(peers) > 1


def _estimates(
    amounts: Sequence[float], years: Sequence[float]
) -> tuple[Estimate, Estimate]:
    """Return the mean per run, and a year and 1,000 customers."""
    yearly = [
        amount / weight if weight else None
        for amount, weight in zip(amounts, years, strict=True)
    ]
    return estimate(amounts), estimate(yearly)
