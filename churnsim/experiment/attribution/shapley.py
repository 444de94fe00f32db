"""Shapley values and pairwise interactions of a game, exact in integers.

A game gives every coalition of its players an integer. Coalitions are bit masks: player
i belongs to coalition c where bit i of c is set. Values may have several columns, such
as one for each segment; every column is a game of its own.

Sources:
    Shapley, L. S. (1953): A value for n-person games. Contributions to the Theory of
    Games II, 307-317.
    Grabisch, M. & Roubens, M. (1999): An axiomatic approach to the concept of
    interaction among players in cooperative games. International Journal of Game
    Theory 28, 547-565.
    Castro, J., Gómez, D. & Tejada, J. (2009): Polynomial calculation of the Shapley
    value based on sampling. Computers & Operations Research 36, 1726-1730.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from churnsim.experiment.intervals import variance
from churnsim.records import Integers
from churnsim.streams import Key, Purpose, uniforms

Whole = NDArray[Any]  # integers of any size: dtype object, or int64 where they fit
SAFE = 2**62  # sums of products below it fit into 64 bits


class Scheme(NamedTuple):
    """Which coalitions are valued, and how their values make shares.

    Player j's share is the sum of weights[j] × values, over `unit`. Values are those of
    the coalitions; with ends, one stands before them and one behind.
    """

    n_players: int
    coalitions: tuple[int, ...]  # bit masks, nobody first and everybody last
    weights: Whole  # (players, values), integers
    unit: int  # k!, or the number of orders
    pairs: tuple[tuple[int, int], ...]  # players whose interaction is told
    pair_weights: Whole  # (pairs, values), integers
    pair_unit: int  # (k − 1)!
    orders: tuple[tuple[int, ...], ...]  # sampled ones; () where all coalitions are
    has_ends: bool = False

    @property
    def n_values(self) -> int:
        """Return how many values make the shares."""
        return len(self.coalitions) + 2 * self.has_ends


def exact_scheme(n_players: int) -> Scheme:
    """Return the scheme over all 2^k coalitions of k players.

    Shapley: φ_j = Σ_S |S|! (k−|S|−1)!/k! · (v(S ∪ j) − v(S)), S without j.
    Shapley interaction index (Grabisch & Roubens 1999) of a pair:
    I_ij = Σ_T |T|! (k−|T|−2)!/(k−1)! · (v(T∪ij) − v(T∪i) − v(T∪j) + v(T)), T without
    either.

    Args:
        n_players: k, at least 1.
    """
    everyone = 2**n_players
    pairs = tuple(itertools.combinations(range(n_players), 2))
    weights = _zeros(n_players, everyone)
    pair_weights = _zeros(len(pairs), everyone)
    for coalition in range(everyone):
        size = coalition.bit_count()
        for player in range(n_players):
            if not coalition >> player & 1:
                ways = math.factorial(size) * math.factorial(n_players - size - 1)
                weights[player, coalition | 1 << player] += ways
                weights[player, coalition] -= ways
        for place, (a, b) in enumerate(pairs):
            i, j = 1 << a, 1 << b
            if not coalition & (i | j):
                ways = math.factorial(size) * math.factorial(n_players - size - 2)
                pair_weights[place, coalition | i | j] += ways
                pair_weights[place, coalition | i] -= ways
                pair_weights[place, coalition | j] -= ways
                pair_weights[place, coalition] += ways
    return Scheme(
        n_players,
        tuple(range(everyone)),
        weights,
        math.factorial(n_players),
        pairs,
        pair_weights,
        math.factorial(n_players - 1),
        (),
    )


def sampled_scheme(n_players: int, n_orders: int, key: Key) -> Scheme:
    """Return the scheme over the coalitions met along random orders of the players.

    A player's share is its mean contribution on joining, over the orders; the shares
    still add up to v(everybody) − v(nobody). Interactions are not estimated.

    Args:
        n_players: k, at least 1.
        n_orders: How many, at least 2.
        key: Of the orders' random numbers.

    Source:
        Castro, Gómez & Tejada 2009.
    """
    orders = tuple(_order(n_players, number, key) for number in range(n_orders))
    met = {0, 2**n_players - 1}
    for order in orders:
        met.update(itertools.accumulate(1 << player for player in order))
    coalitions = tuple(sorted(met))
    place = {coalition: i for i, coalition in enumerate(coalitions)}
    weights = _zeros(n_players, len(coalitions))
    for order in orders:
        before = 0
        for player in order:
            after = before | 1 << player
            weights[player, place[after]] += 1
            weights[player, place[before]] -= 1
            before = after
    none = _zeros(0, len(coalitions))
    return Scheme(n_players, coalitions, weights, n_orders, (), none, 1, orders)


def with_ends(scheme: Scheme) -> Scheme:
    """Return the scheme with one more player, who moves the whole game.

    The coalitions' game v stands between two ends, a before it and z behind. Without
    the last player a coalition S is worth v(S) + a − v(nobody), with that player
    v(S) + z − v(everybody). So all are worth z, nobody a; the last player brings
    (z − a) − (v(everybody) − v(nobody)) to every coalition, and this is the share;
    the others have those of v, and no interaction with the last.

    Args:
        scheme: Of the other players, without ends.
    """
    last = _zeros(1, len(scheme.coalitions))
    last[0, 0], last[0, -1] = scheme.unit, -scheme.unit
    last = np.hstack([_constant(-scheme.unit), last, _constant(scheme.unit)])
    return scheme._replace(
        n_players=scheme.n_players + 1,
        weights=np.vstack([_between_ends(scheme.weights), last]),
        pair_weights=_between_ends(scheme.pair_weights),
        has_ends=True,
    )


def numerators(weights: Whole, values: Whole) -> Whole:
    """Return weights × values turned: shape (columns, players or pairs), exact.

    Args:
        weights: Of a scheme, shape (players or pairs, values).
        values: Shape (values, columns); int64, or Python's integers.

    Returns:
        In 64 bits where nothing can overflow, else in Python's integers.
    """
    largest = int(np.abs(weights).sum(axis=1).max(initial=0))
    if values.dtype == np.int64 and values.size:
        extremes = (int(values.min()), int(values.max()))
        if largest * max(map(abs, extremes)) < SAFE:
            narrow: Whole = weights.astype(np.int64) @ values
            return narrow.T
    product: Whole = weights @ values.astype(object)
    return product.T


def apportioned(shares: Whole, unit: int) -> Integers:
    """Return shares as whole numbers that add up exactly, by rows and by columns.

    Largest remainder: shares are rounded down, and what is left of their whole sum goes
    to the largest remainders, ties to the earlier player. With several rows this is
    done to the sums of the rows so far, and a row gets what they grew by. So each row
    adds up to its own total, and the columns to what the sum of all rows alone would
    get. No number is off by 2; where all shares are 0, so are the numbers.

    Args:
        shares: Numerators over `unit`, shape (rows, players); each row's sum is a
            multiple of `unit`.
        unit: Their denominator.

    Returns:
        Shape (rows, players).
    """
    n_rows, n_players = shares.shape
    # Whole parts and remainders are summed apart: numerators may fill 64 bits.
    remainders = np.cumsum(shares % unit, axis=0)
    whole = np.cumsum(shares // unit, axis=0) + remainders // unit
    remainders %= unit
    n_left = remainders.sum(axis=1) // unit
    ranked = np.argsort(-remainders, axis=1, kind="stable")
    given = (np.arange(n_players) < n_left.reshape(n_rows, 1)).astype(np.int64)
    extra = np.zeros((n_rows, n_players), np.int64)
    np.put_along_axis(extra, ranked, given, axis=1)
    rounded = whole.astype(np.int64) + extra
    parts: Integers = rounded.copy()
    parts[1:] -= rounded[:-1]
    return parts


def sampling_errors(scheme: Scheme, values: Sequence[float]) -> tuple[float, ...]:
    """Return each share's standard error for want of more orders, s/√(orders).

    A player who moves the whole game brings the same in every order: exactly 0.

    Args:
        scheme: A sampled one.
        values: As the scheme has them.
    """
    game = values[1:-1] if scheme.has_ends else values
    value = dict(zip(scheme.coalitions, game, strict=True))
    gains: list[list[float]] = [[] for _ in range(scheme.n_players - scheme.has_ends)]
    for order in scheme.orders:
        before = 0
        for player in order:
            after = before | 1 << player
            gains[player].append(value[after] - value[before])
            before = after
    errors = [math.sqrt(variance(of) / len(of)) for of in gains]
    return (*errors, 0.0) if scheme.has_ends else tuple(errors)


def _zeros(n_rows: int, n_columns: int) -> Whole:
    """Return zeros that are Python's integers."""
    return np.zeros((n_rows, n_columns), dtype=object)


def _constant(number: int) -> Whole:
    """Return one number, shape (1, 1), as Python's integer."""
    return np.array([[number]], dtype=object)


def _between_ends(weights: Whole) -> Whole:
    """Return weights of the coalitions' values as those of two ends, too: 0."""
    end = _zeros(len(weights), 1)
    return np.hstack([end, weights, end])


def _order(n_players: int, number: int, key: Key) -> tuple[int, ...]:
    """Return a random order of the players (Fisher-Yates), by its number."""
    order = list(range(n_players))
    for last in range(n_players - 1, 0, -1):
        u, _ = uniforms(key, last, number, 0, Purpose.ORDER)
        other = int(u * (last + 1))
        order[last], order[other] = order[other], order[last]
    return tuple(order)
