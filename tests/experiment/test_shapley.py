"""Shares of a gap, pure: games solved by hand, laws, and what is said of them."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from churnsim.experiment.attribution.groups import (
    GROUPS,
    Customers,
    groups_of,
)
from churnsim.experiment.attribution.record import Chosen, customers_table
from churnsim.experiment.attribution.shapley import (
    Scheme,
    apportioned,
    exact_scheme,
    numerators,
    sampled_scheme,
    sampling_errors,
)
from churnsim.experiment.attribution.wording import Finding, sentence_of_finding
from churnsim.experiment.intervals import Estimate
from churnsim.experiment.sentences import Extent
from churnsim.records import MICRO, Population
from churnsim.streams import Key

KEY = Key(1, 2)
BIG = 2**61


def game(*values: int) -> Any:
    """Return the values of a game by coalition, as one column."""
    return np.array(values, dtype=object).reshape(-1, 1)


def shapley(scheme: Scheme, values: Any) -> list[int]:
    """Return the numerators of the players' shares."""
    return [int(n) for n in numerators(scheme.weights, values)[0]]


def test_shapley__two_levers_by_hand() -> None:
    """Alone 10 and 4, together 20: shares (10 + 16)/2 and (4 + 10)/2, over 2!."""
    scheme = exact_scheme(2)
    values = game(0, 10, 4, 20)
    assert scheme.unit == 2
    assert shapley(scheme, values) == [26, 14]
    # 20 − 10 − 4 + 0, over (2 − 1)!.
    assert numerators(scheme.pair_weights, values).tolist() == [[6]]
    assert scheme.pair_unit == 1


def test_shapley__glove_game_by_hand() -> None:
    """One left glove, two right ones: 4/6, 1/6, 1/6; the rights replace each other.

    I(left, right) averages v(T∪ij) − v(T∪i) − v(T∪j) + v(T) over T: 1 without the other
    right glove and 0 with it, so 1/2; I(right, right) is 0 without the left one and
    1 − 1 − 1 + 0 with it, so −1/2.
    """
    scheme = exact_scheme(3)
    values = game(0, 0, 0, 1, 0, 1, 0, 1)
    assert shapley(scheme, values) == [4, 1, 1]
    assert scheme.unit == 6
    assert scheme.pairs == ((0, 1), (0, 2), (1, 2))
    assert numerators(scheme.pair_weights, values).tolist() == [[1, 1, -1]]
    assert scheme.pair_unit == 2


def test_shapley__one_lever_has_it_all() -> None:
    """With one player there is one share and no pair."""
    scheme = exact_scheme(1)
    assert shapley(scheme, game(3, 10)) == [7]
    assert scheme.pairs == ()
    assert numerators(scheme.pair_weights, game(3, 10)).shape == (1, 0)


games = st.integers(1, 4).flatmap(
    lambda n: st.lists(st.integers(-(2**62), 2**62), min_size=2**n, max_size=2**n).map(
        lambda values: (n, values)
    )
)


@given(games)
def test_shapley__adds_up_to_the_gap(drawn: tuple[int, list[int]]) -> None:
    """Numerators add up to k! times the gap, however large; rounded ones to the gap."""
    n, values = drawn
    scheme = exact_scheme(n)
    shares = numerators(scheme.weights, game(*values))
    assert sum(shares[0]) == scheme.unit * (values[-1] - values[0])
    small = [value % 10**9 for value in values]
    shares = numerators(scheme.weights, game(*small))
    assert apportioned(shares, scheme.unit).sum() == small[-1] - small[0]


@given(st.lists(st.integers(-(10**9), 10**9), min_size=8, max_size=8))
def test_shapley__a_dummy_gets_nothing(values: list[int]) -> None:
    """A player who changes no coalition's value gets exactly 0, and no interaction."""
    scheme = exact_scheme(4)
    # Player 1 is left out of the coalition: its bit does not matter.
    with_dummy = [values[(c & 1) | (c >> 2) << 1] for c in range(16)]
    shares = numerators(scheme.weights, game(*with_dummy))
    assert shares[0, 1] == 0
    assert apportioned(shares, scheme.unit)[0, 1] == 0
    pairs = numerators(scheme.pair_weights, game(*with_dummy))[0]
    told = dict(zip(scheme.pairs, pairs, strict=True))
    assert [told[0, 1], told[1, 2], told[1, 3]] == [0, 0, 0]


@given(st.lists(st.integers(-(10**9), 10**9), min_size=8, max_size=8))
def test_shapley__exchanged_players_exchange_shares(values: list[int]) -> None:
    """Two players who change names change shares, and all else is as it was."""
    scheme = exact_scheme(3)
    swapped = [values[(c >> 1 & 1) | (c & 1) << 1 | (c & 4)] for c in range(8)]
    a, b, c = shapley(scheme, game(*values))
    assert shapley(scheme, game(*swapped)) == [b, a, c]


def test_shapley__weights_are_those_of_the_formula() -> None:
    """With seven players each player's gains have weights that add up to 7!."""
    scheme = exact_scheme(7)
    assert len(scheme.coalitions) == 128
    assert scheme.unit == math.factorial(7)
    for row in scheme.weights:
        assert sum(weight for weight in row if weight > 0) == scheme.unit
        assert sum(row) == 0
    assert scheme.pair_unit == math.factorial(6)
    for row in scheme.pair_weights:
        assert sum(weight for weight in row if weight > 0) == 2 * scheme.pair_unit


def test_numerators__are_the_same_in_64_bits_and_beyond() -> None:
    """Where 64 bits do not hold the products, Python's integers do."""
    scheme = exact_scheme(3)
    small = np.arange(24, dtype=np.int64).reshape(8, 3)
    narrow = numerators(scheme.weights, small)
    assert narrow.dtype == np.int64
    assert narrow.tolist() == numerators(scheme.weights, small.astype(object)).tolist()
    large = small * (BIG // 24)
    wide = numerators(scheme.weights, large)
    assert wide.dtype == object
    assert wide.tolist() == (narrow.astype(object) * (BIG // 24)).tolist()


def test_apportioned__largest_remainder_by_hand() -> None:
    """10/6, 10/6 and 4/6 are 1, 1, 0 and 2 left: the largest remainders, 4/6 each.

    All three have the remainder 4/6, so the first two get one each.
    """
    assert apportioned(np.array([[10, 10, 4]]), 6).tolist() == [[2, 2, 0]]
    assert apportioned(np.array([[-10, 10, 0]]), 6).tolist() == [[-2, 2, 0]]
    assert apportioned(np.array([[1, 1, 4]]), 6).tolist() == [[0, 0, 1]]


@given(
    st.lists(
        st.tuples(*[st.integers(-(10**7), 10**7)] * 2, st.integers(-(10**4), 10**4)),
        max_size=30,
    )
)
def test_apportioned__rows_and_columns_add_up(rows: list[tuple[int, int, int]]) -> None:
    """Each row adds up to its total, each column to what one row of sums would get."""
    shares = np.array([(a, b, 6 * g - a - b) for a, b, g in rows]).reshape(-1, 3)
    found = apportioned(shares, 6)
    assert found.sum(axis=1).tolist() == [g for _, _, g in rows]
    total = shares.sum(axis=0, keepdims=True)
    assert found.sum(axis=0).tolist() == apportioned(total, 6)[0].tolist()
    assert np.all(np.abs(found - shares / 6) < 2)
    assert found.tolist() == apportioned(shares.astype(object), 6).tolist()


def test_sampling__comes_close_to_the_exact_shares() -> None:
    """400 orders of five players: within four standard errors, and adding up."""
    values = game(*((c * 37 + c * c * 11) % 101 * MICRO for c in range(32)))
    exact, sampled = exact_scheme(5), sampled_scheme(5, 400, KEY)
    chosen = values[list(sampled.coalitions)]
    gains = shapley(sampled, chosen)
    assert sum(gains) == 400 * (values[-1, 0] - values[0, 0])
    errors = sampling_errors(sampled, [int(v) for v in chosen[:, 0]])
    expected = [n / exact.unit for n in shapley(exact, values)]
    scores = [
        (gain / 400 - mean) / error
        for gain, mean, error in zip(gains, expected, errors, strict=True)
    ]
    assert max(map(abs, scores)) < 4.0
    assert min(errors) > 0.0


def test_sampling__of_what_adds_up_is_exact() -> None:
    """Where every lever brings the same in any order, so does any sample."""
    scheme = sampled_scheme(4, 2, KEY)
    worth = (3, 5, 7, 11)
    values = [
        sum(w for i, w in enumerate(worth) if c >> i & 1) for c in scheme.coalitions
    ]
    assert shapley(scheme, game(*values)) == [2 * w for w in worth]
    assert sampling_errors(scheme, values) == (0.0,) * 4
    assert len(scheme.coalitions) <= 2 + 2 * 3


def test_sampling__orders_are_permutations_of_their_own() -> None:
    """Every order has every player once; other seeds have others."""
    scheme = sampled_scheme(6, 50, KEY)
    assert all(sorted(order) == list(range(6)) for order in scheme.orders)
    assert len(set(scheme.orders)) > 40
    assert scheme.orders == sampled_scheme(6, 50, KEY).orders
    assert scheme.orders != sampled_scheme(6, 50, Key(1, 3)).orders


def people(n_customers: int, *values: float) -> Population:
    """Return people who spend so much a period; one who never comes for inf."""
    n = len(values)
    known = np.array(values)
    columns = {name: np.zeros(n) for name in Population._fields[1:]}
    columns["arrival"] = np.where(np.isinf(known), np.inf, 0.0)
    columns["value"] = known
    return Population(n_customers, **columns)


def test_groups__quarters_by_hand() -> None:
    """Eight people, two in each quarter; those who never come do not move the cuts."""
    spend = [8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0, math.inf]
    places = groups_of(people(7, *spend), is_subscription=True)
    names = [GROUPS[place].name.split()[0] for place in places[1, :8]]
    assert names == [w for w in ("highest", "third", "second", "lowest") for _ in "ab"]
    assert [GROUPS[place].name for place in places[0]] == [
        *["starting customers"] * 7,
        *["prospects"] * 2,
    ]


def test_groups__equal_people_are_not_parted() -> None:
    """Where all are alike they are all in one quarter; nobody is in none."""
    places = groups_of(people(2, 5.0, 5.0, 5.0), is_subscription=True)
    assert len(set(places[1])) == 1
    assert groups_of(people(0), is_subscription=True).shape == (3, 0)


def test_customers__two_levers_by_hand() -> None:
    """Two customers and the firm: each adds up, and so does each lever.

    Sums of numerators so far, over 2: (1, 1), (4, 0), (5, 3); rounded 1 0, 2 0, 3 1.
    """
    amounts = [[0, 0], [1, 1], [0, 1], [1, 3]]
    groups = np.array([[0, 1], [2, 5], [6, 9]])
    chosen = Chosen(
        0, (0, 1, 1, 1), tuple(Customers(np.array(a), groups) for a in amounts)
    )
    table = customers_table(chosen, exact_scheme(2), ("speed", "honesty"))
    assert table.to_pydict() == {
        "customer": [None, 0, 1],
        "is_prospect": [None, False, True],
        "spend": [None, "lowest quarter", "highest quarter"],
        "dropout": [None, "lowest quarter", "highest quarter"],
        "micro_from": [0, 0, 0],
        "micro_to": [1, 1, 3],
        "micro_lost": [1, 1, 3],
        "micro_speed": [1, 1, 1],
        "micro_honesty": [0, 0, 2],
    }


FULL = Extent(30, 30, 0, "$")


def thirty(mean: float, low: float, high: float) -> Estimate:
    """Return an estimate from thirty replications."""
    return Estimate(mean, low, high, 30)


def finding(total: tuple[float, float, float], *shares: tuple[str, Any]) -> Finding:
    """Return a finding from means and bounds."""
    named = tuple((lever, thirty(*value)) for lever, value in shares)
    return Finding("slow", "empowered", "revenue", 365.25, thirty(*total), named)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            finding(
                (1000.0, 900.0, 1100.0),
                ("speed", (400.0, 300.0, 500.0)),
                ("make_good", (700.0, 600.0, 800.0)),
                ("reach", (-100.0, -150.0, -50.0)),
                ("honesty", (0.5, -1.0, 2.0)),
                ("prevention", (0.0, 0.0, 0.0)),
            ),
            (
                "Of the $1,000 of revenue that slow recovery loses in 1 year against "
                "empowered recovery (95 % CI $900 to $1,100), $700 (95 % CI $600 to "
                "$800) is make-good and $400 (95 % CI $300 to $500) is speed; $100 (95 "
                "% CI $50 to $150) is made up for by reach; the part of honesty cannot "
                "be told from zero; prevention changes nothing."
            ),
        ),
        (
            finding((-1000.0, -1100.0, -900.0), ("speed", (-1000.0, -1100.0, -900.0))),
            (
                "Of the $1,000 of revenue that slow recovery gains in 1 year against "
                "empowered recovery (95 % CI $900 to $1,100), $1,000 (95 % CI $900 to "
                "$1,100) is speed."
            ),
        ),
        (
            finding((5.0, -1.0, 11.0), ("speed", (5.0, -1.0, 11.0))),
            (
                "What slow recovery loses of revenue in 1 year against empowered "
                "recovery cannot be told from zero with 30 replications: $5 (95 % CI "
                "-$1 to $11)."
            ),
        ),
        (
            finding((0.0, 0.0, 0.0), ("speed", (0.0, 0.0, 0.0))),
            (
                "Slow recovery makes no difference to this firm's revenue against "
                "empowered recovery: it was the same in each of 30 replications."
            ),
        ),
        (
            finding((0.0, 0.0, 0.0)),
            (
                "Slow recovery and empowered recovery do not differ in any lever: "
                "there is nothing to explain."
            ),
        ),
    ],
)
def test_sentence__claims_no_more_than_is_so(given: Finding, said: str) -> None:
    """Levers by size, those that make up for some, those that cannot be told."""
    assert sentence_of_finding(given, FULL) == said
