"""Closed forms of mistakes, lies and news against enumeration and hand-worked rows."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.oracles import closed_forms as forms
from tests.oracles.gates import Battery

SHARES = st.floats(0.0, 1.0)
EFFECTS = forms.LieEffects(
    sting=0.5,
    heard=0.3,
    placated=0.8,
    lie_sting=0.6,
    betrayal=0.4,
    contact_sting=0.2,
)


def tell_story(
    tolerance: float,
    found: list[bool],
    decisions: tuple[list[float], list[float], float],
) -> tuple[int, int, str]:
    """Return contacts, lies found out and the end of one episode, told step by step."""
    found_out, closed, exhausted = decisions
    for lie, discovered in enumerate(found):
        if not discovered:
            end = "placated" if closed[lie] > tolerance else "stays"
            return lie + 1, lie, end
        if found_out[lie] > tolerance:
            return lie + 1, lie + 1, "betrayed"
    end = "exhausted" if exhausted > tolerance else "stays"
    return len(found) + 1, len(found), end


@given(
    SHARES,
    st.lists(st.tuples(SHARES, SHARES), min_size=1, max_size=4),
    SHARES,
)
def test_lies_only__is_the_sum_over_all_stories(
    discovery: float, decisions: list[tuple[float, float]], exhausted: float
) -> None:
    """Every story of discoveries, over all intervals of tolerance, adds up to it."""
    found_out = [row[0] for row in decisions]
    closed = [row[1] for row in decisions]
    lies = forms.lies_only(discovery, found_out, closed, exhausted)
    n = len(decisions)
    cuts = sorted({0.0, 1.0, exhausted, *found_out, *closed})
    ends = dict.fromkeys(("betrayed", "placated", "exhausted", "stays"), 0.0)
    contacts = np.zeros(n + 1)
    found_mean = 0.0
    for low, high in itertools.pairwise(cuts):
        for first_miss in range(n + 1):
            story = [True] * first_miss + [False] * (n - first_miss)
            weight = (high - low) * discovery**first_miss
            weight *= 1 - discovery if first_miss < n else 1
            outcome = tell_story(
                (low + high) / 2, story, (found_out, closed, exhausted)
            )
            contacts[outcome[0] - 1] += weight
            found_mean += weight * outcome[1]
            ends[outcome[2]] += weight
    assert np.allclose(lies.contacts, contacts, atol=1e-12)
    assert math.isclose(lies.found_out_mean, found_mean, abs_tol=1e-12)
    assert math.isclose(lies.betrayed.sum(), ends["betrayed"], abs_tol=1e-12)
    assert math.isclose(lies.placated.sum(), ends["placated"], abs_tol=1e-12)
    assert math.isclose(lies.exhausted, ends["exhausted"], abs_tol=1e-12)
    assert math.isclose(lies.stays, ends["stays"], abs_tol=1e-12)


def test_lies_only__agrees_with_a_direct_simulation() -> None:
    """200,000 episodes of lies, grievance kept step by step: every share fits."""
    generator = np.random.default_rng(7)
    n, discovery, n_lies = 200_000, 0.6, 4
    found_out = forms.betrayal_probabilities(EFFECTS, n_lies)
    closed = forms.placated_probabilities(EFFECTS, n_lies)
    lies = forms.lies_only(discovery, found_out, closed)
    tolerance = generator.random(n)
    grievance = np.full(n, EFFECTS.sting)
    trust, open_ = np.zeros(n), np.ones(n, dtype=bool)
    battery = Battery(visible_max=0.5)
    for lie in range(n_lies):
        step = -EFFECTS.heard if lie == 0 else EFFECTS.contact_sting
        grievance += step - EFFECTS.placated
        discovered = open_ & (generator.random(n) < discovery)
        believed = open_ & ~discovered
        grievance[discovered] += EFFECTS.placated + EFFECTS.lie_sting
        trust[discovered] -= EFFECTS.betrayal
        leaves = tolerance < 1 - 1 / (1 + np.exp(-(trust - grievance)))
        betrayed = int((discovered & leaves).sum())
        battery.share(f"betrayed {lie + 1}", (betrayed, n), lies.betrayed[lie])
        contacts = int((believed | (discovered & leaves)).sum())
        battery.share(f"contacts {lie + 1}", (contacts, n), lies.contacts[lie])
        if lie == 0:
            placated = int((believed & leaves).sum())
            battery.share("placated 1", (placated, n), lies.placated[0])
        open_ = discovered & ~leaves
    battery.check()


def test_lies_only__without_discovery_ends_at_the_first_close() -> None:
    """A lie never found out costs one contact and the decision at its close."""
    lies = forms.lies_only(0.0, [0.5, 0.6], [0.2, 0.3])
    assert lies.contacts.tolist() == [1.0, 0.0, 0.0]
    assert lies.placated.tolist() == [0.2, 0.0]
    assert lies.found_out_mean == 0.0
    assert math.isclose(lies.stays, 0.8)


def test_lies_only__always_found_out_leaves_by_the_last_decision() -> None:
    """Where every lie is found out, left after n lies is the n-th probability."""
    decisions = [0.2, 0.35, 0.7]
    lies = forms.lies_only(1.0, decisions, [0.1, 0.1, 0.1])
    assert np.allclose(np.cumsum(lies.betrayed), decisions, rtol=1e-14)
    assert lies.placated.sum() == 0.0


def test_lies_only__contacts_are_geometric_where_nobody_leaves() -> None:
    """With κ = 0 contacts follow the geometric law with the discovery probability."""
    lies = forms.lies_only(0.3, [0.0] * 30, [0.0] * 30)
    assert np.allclose(lies.contacts, forms.contact_probabilities(0.3, 31), rtol=1e-12)
    assert math.isclose(lies.found_out_mean, 0.3 / 0.7, rel_tol=1e-12)


def test_lies_only__refuses_lists_of_two_lengths() -> None:
    """Each lie needs its chance of leaving when found out and when believed."""
    with pytest.raises(ValueError, match="one length"):
        forms.lies_only(0.5, [0.1], [0.1, 0.2])


def test_betrayal_probabilities__worked_by_hand() -> None:
    """γ₂ = .5 − .3 + 2·.6 + .2 = 1.6, τ₂ = −.8: p₂ = κ/(1 + exp(lock_in − 2.4))."""
    one, two = forms.betrayal_probabilities(EFFECTS, 2, kappa=0.35, lock_in=1.0)
    assert math.isclose(one, 0.35 / (1 + math.exp(1.0 - 0.4 - 0.8)), rel_tol=1e-14)
    assert math.isclose(two, 0.35 / (1 + math.exp(1.0 - 2.4)), rel_tol=1e-14)


def test_placated_probabilities__worked_by_hand() -> None:
    """Believed at once γ = .5 − .3 − .8 = −.6; after one found out .2 and τ = −.4."""
    none, one = forms.placated_probabilities(EFFECTS, 2)
    assert math.isclose(none, 1 / (1 + math.exp(0.6)), rel_tol=1e-14)
    assert math.isclose(one, 1 / (1 + math.exp(-0.6)), rel_tol=1e-14)


@given(st.floats(-30, 30), SHARES, st.floats(-3, 3), st.floats(-3, 3))
def test_leave_probability__is_the_formula_as_written(
    grievance: float, kappa: float, lock_in: float, trust: float
) -> None:
    """κ·(1 − 1/(1 + exp(−x))) with x = lock_in + τ − γ, bounded by κ."""
    found = forms.leave_probability(
        grievance, kappa=kappa, lock_in=lock_in, trust=trust
    )
    x = lock_in + trust - grievance
    assert math.isclose(found, kappa * (1 - 1 / (1 + math.exp(-x))), abs_tol=1e-14)
    assert 0 <= found <= kappa


def test_leave_per_mistake__picks_out_each_cell() -> None:
    """Shares of 0 and 1 lead to one cell of the table."""
    row = forms.TARP["major"]
    cells = [
        (forms.Recovery(0, 1, 1), row.silent),
        (forms.Recovery(1, 0, 1), row.unresolved),
        (forms.Recovery(1, 1, 0), row.resolved),
        (forms.Recovery(1, 1, 1), row.quick),
    ]
    for recovery, stay in cells:
        assert math.isclose(forms.leave_per_mistake(row, recovery), 1 - stay)


def test_market_damage__refuses_parts_of_customers() -> None:
    """A cell that is no whole number is refused, not rounded."""
    with pytest.raises(ValueError, match="whole customers"):
        forms.market_damage(7, forms.TARP["minor"], forms.Recovery(0.5, 0.5, 0.5), 1)


def test_contact_probabilities__add_up_and_have_the_mean() -> None:
    """They sum to 1 with attempts limited, and have mean 1/FCR without."""
    assert math.isclose(forms.contact_probabilities(0.4, 3).sum(), 1.0)
    assert np.allclose(forms.contact_probabilities(0.4, 3), [0.6, 0.24, 0.16])
    many = forms.contact_probabilities(0.3, 200)
    mean = many @ np.arange(1, 201)
    assert math.isclose(mean, forms.contact_mean(0.7), rel_tol=1e-12)


def test_reputation__worked_by_hand() -> None:
    """9 bad tellings, then 5 good ones, then none, among 1,000 customers."""
    news = forms.News(decay=math.log(2), period=1.0, population=1000)
    levels = forms.reputation([9000, 0, 0], [0, 5000, 0], news)
    assert np.allclose(levels, [0.0, 0.009, -0.0005, -0.00025], rtol=1e-12)


def test_reputation__settles_where_tellings_are_steady() -> None:
    """A steady stream tends to stream / (1 − exp(−decay·period)) as geometric sums."""
    news = forms.News(decay=0.1, period=2.0, population=500)
    levels = forms.reputation([1500] * 200, [500] * 200, news)
    keep = math.exp(-0.2)
    steady = 1.0 / 500 / (1 - keep)
    assert np.allclose(levels, steady * (1 - keep ** np.arange(201)), rtol=1e-12)


def test_win_probability__is_bounded_and_falls_with_bad_news() -> None:
    """A bad name loses prospects, a good one wins more of them, never over 1."""
    assert forms.win_probability(0.4, 2.0, 0.0) == 0.4
    assert math.isclose(forms.win_probability(0.4, 2.0, 0.5), 0.4 / math.e)
    assert forms.win_probability(0.4, 2.0, -5.0) == 1.0
