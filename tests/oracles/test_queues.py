"""Closed forms of desks against linear systems and matrix exponentials."""

import itertools
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, linalg

from tests.oracles import closed_forms as forms

FloatArray = npt.NDArray[np.float64]
RATES = st.floats(0.05, 20.0)


def stationary(generator: FloatArray) -> FloatArray:
    """Return the stationary law of a chain by solving its balance equations."""
    balance = generator - np.diag(generator.sum(axis=1))
    equations = np.vstack((balance.T, np.ones(len(balance))))
    target = np.append(np.zeros(len(balance)), 1.0)
    return np.asarray(np.linalg.lstsq(equations, target)[0], dtype=np.float64)


def tagged_survival(ahead: int, desk: forms.Desk, time: float) -> float:
    """Return P(W > t) with `ahead` waiting in front, by a matrix exponential."""
    drain = desk.n_servers * desk.service_rate
    chain = np.zeros((ahead + 1, ahead + 1))
    for j in range(ahead + 1):
        chain[j, j] = -(drain + (j + 1) * desk.patience_rate)
        if j > 0:
            chain[j, j - 1] = drain + j * desk.patience_rate
    return float(linalg.expm(chain * time)[ahead].sum())


@given(st.lists(st.tuples(RATES, RATES), min_size=1, max_size=12))
def test_birth_death__solves_the_balance_equations(
    rates: Sequence[tuple[float, float]],
) -> None:
    """The product form solves the chain's linear system."""
    up, down = np.array(rates).T
    found = forms.birth_death(up, down)
    generator = np.diag(up, 1) + np.diag(down, -1)
    assert np.allclose(found, stationary(generator), rtol=1e-8, atol=1e-10)


def test_birth_death__stops_where_nobody_is_born() -> None:
    """States beyond a birth rate of 0 are never reached."""
    found = forms.birth_death(np.array([2.0, 0.0, 5.0]), np.array([1.0, 1.0, 1.0]))
    assert np.allclose(found, [1 / 3, 2 / 3, 0, 0], rtol=1e-15)


def test_birth_death__stands_long_chains() -> None:
    """A chain whose weights leave the range of floats still gives a Poisson law."""
    k = np.arange(1, 4001, dtype=np.float64)
    found = forms.birth_death(np.full(4000, 1500.0), k)
    assert math.isclose(found @ np.arange(4001), 1500, rel_tol=1e-12)


@pytest.mark.parametrize(("up", "down"), [([1.0], [0.0]), ([-1.0], [1.0]), ([1.0], [])])
def test_birth_death__refuses_what_is_no_chain(
    up: list[float], down: list[float]
) -> None:
    """Rates below 0, deaths of 0 and lists of two lengths are refused."""
    with pytest.raises(ValueError, match="one length"):
        forms.birth_death(np.array(up), np.array(down))


@pytest.mark.parametrize(("load", "n"), [(0.3, 1), (5.0, 7), (48.0, 50), (60.0, 40)])
def test_erlang_b__is_the_full_state_of_its_chain(load: float, n: int) -> None:
    """The share lost is the time share of n busy servers in M/M/n/n."""
    deaths = np.arange(1, n + 1, dtype=np.float64)
    full = forms.birth_death(np.full(n, load), deaths)[-1]
    assert math.isclose(forms.erlang_b(load, n), full, rel_tol=1e-12)


def test_erlang_b__worked_by_hand() -> None:
    """Two servers at load 1 lose (1/2)/(1 + 1 + 1/2) = 1/5 of the arrivals."""
    assert math.isclose(forms.erlang_b(1.0, 2), 0.2, rel_tol=1e-15)


@pytest.mark.parametrize(("rate", "n"), [(0.95, 1), (1.6, 2), (8.0, 10), (48.0, 50)])
def test_erlang_c__agrees_with_its_chain(rate: float, n: int) -> None:
    """P(wait), mean wait and tail are those of the endless birth-death chain."""
    desk = forms.Desk(n, 1.0)
    queue = forms.erlang_a(rate, desk)
    wait = forms.erlang_c_wait_mean(rate, desk)
    assert math.isclose(forms.erlang_c(rate, n), queue.wait_probability, rel_tol=1e-9)
    assert math.isclose(wait, queue.wait_mean, rel_tol=1e-9)
    assert math.isclose(wait, forms.served_wait_mean(queue), rel_tol=1e-9)
    assert math.isclose(rate * wait, queue.queue_mean, rel_tol=1e-9)
    for time in (0.0, 0.4, 3.0):
        tail = forms.erlang_c_wait_survival(rate, desk, time)
        assert math.isclose(tail, forms.wait_survival(queue, time), rel_tol=1e-9)


def test_erlang_c__quantile_inverts_the_tail() -> None:
    """Beyond the share who wait at all, tail and quantile undo each other."""
    desk = forms.Desk(3, 2.0)
    for share in (0.6, 0.9, 0.999):
        time = forms.erlang_c_wait_quantile(5.0, desk, share)
        tail = forms.erlang_c_wait_survival(5.0, desk, time)
        assert math.isclose(tail, 1 - share, rel_tol=1e-12)
    assert forms.erlang_c_wait_quantile(5.0, desk, 0.01) == 0.0


def test_erlang_c__refuses_an_unstable_desk() -> None:
    """Utilisation of 1 has no stationary wait."""
    with pytest.raises(ValueError, match="below 1"):
        forms.erlang_c(3.0, 3)
    with pytest.raises(ValueError, match="below 1"):
        forms.erlang_a(3.0, forms.Desk(3, 1.0))


@pytest.mark.parametrize("rate", [0.5, 8.0, 14.0])
@pytest.mark.parametrize("patience", [0.2, 1.0, 7.0])
def test_erlang_a__keeps_its_identities(rate: float, patience: float) -> None:
    """Flow balances, P(ab) = θ·E[W], and the tail of waits integrates to the mean."""
    desk = forms.Desk(10, 1.0, patience)
    queue = forms.erlang_a(rate, desk)
    served = queue.utilisation * desk.n_servers * desk.service_rate
    assert math.isclose(served, rate * (1 - queue.abandon_probability), rel_tol=1e-9)
    mean, _ = integrate.quad(lambda t: forms.wait_survival(queue, t), 0, np.inf)
    assert math.isclose(mean, queue.wait_mean, rel_tol=1e-7)
    at_once = forms.wait_survival(queue, 0.0)
    assert math.isclose(at_once, queue.wait_probability, rel_tol=1e-9)


def test_erlang_a__with_patience_like_service_is_a_poisson_count() -> None:
    """Where θ = μ the number inside is Poisson with the offered load."""
    queue = forms.erlang_a(6.0, forms.Desk(4, 1.0, 1.0))
    k = np.arange(12)
    poisson = np.exp(-6.0) * 6.0**k / [math.factorial(i) for i in k]
    assert np.allclose(queue.seen[:12], poisson, rtol=1e-12)


@pytest.mark.parametrize("desk", [forms.Desk(2, 1.5, 0.7), forms.Desk(3, 1.0)])
def test_wait_survival__is_that_of_the_tagged_chain(desk: forms.Desk) -> None:
    """The Beta form equals the matrix exponential of the tagged customer's place."""
    queue = forms.finite_source(9, 0.9, desk)
    for time in (0.0, 0.3, 1.7):
        tail = sum(
            share * tagged_survival(k, desk, time)
            for k, share in enumerate(queue.seen[desk.n_servers :])
        )
        assert math.isclose(forms.wait_survival(queue, time), tail, rel_tol=1e-10)


def test_served_wait_mean__is_the_integral_over_the_served() -> None:
    """E[V; V < patience] by integration of the virtual wait's tail."""
    desk = forms.Desk(2, 1.5, 0.7)
    queue = forms.finite_source(9, 0.9, desk)

    def virtual(time: float) -> float:
        patient = math.exp(-desk.patience_rate * time)
        return forms.wait_survival(queue, time) / patient

    # Integrating v·exp(−θv) against the law of V by parts leaves its tail alone.
    total, _ = integrate.quad(
        lambda v: math.exp(-0.7 * v) * (1 - 0.7 * v) * virtual(v), 0, 60
    )
    found = forms.served_wait_mean(queue) * (1 - queue.abandon_probability)
    assert math.isclose(found, total, rel_tol=1e-8)


@pytest.mark.parametrize("desk", [forms.Desk(1, 2.0), forms.Desk(2, 1.0, 0.5)])
def test_finite_source__agrees_with_every_customer_kept_apart(desk: forms.Desk) -> None:
    """Four customers with states of their own, FIFO, give the same figures.

    A state lists who is inside, in order of arrival; nothing is lumped.
    """
    names, rate = range(4), 0.6
    states = [s for k in range(5) for s in itertools.permutations(names, k)]
    index = {state: i for i, state in enumerate(states)}
    generator = np.zeros((len(states), len(states)))
    for state, i in index.items():
        for name in set(names) - set(state):
            generator[i, index[(*state, name)]] += rate
        for place, name in enumerate(state):
            rest = tuple(other for other in state if other != name)
            served = place < desk.n_servers
            leaves = desk.service_rate if served else desk.patience_rate
            generator[i, index[rest]] += leaves
    law = stationary(generator)
    inside = np.array([len(state) for state in states])
    flow = law @ (rate * (4 - inside))
    waiting = law @ np.maximum(inside - desk.n_servers, 0)
    queue = forms.finite_source(4, rate, desk)
    assert math.isclose(queue.throughput, flow, rel_tol=1e-10)
    assert math.isclose(queue.wait_mean, waiting / flow, rel_tol=1e-10)
    gives_up = desk.patience_rate * waiting / flow
    assert math.isclose(queue.abandon_probability, gives_up, abs_tol=1e-12)
    finds_busy = law @ (rate * (4 - inside) * (inside >= desk.n_servers)) / flow
    assert math.isclose(queue.wait_probability, finds_busy, rel_tol=1e-10)


def test_finite_source__tends_to_the_endless_one() -> None:
    """A hundred thousand rare callers are a Poisson stream, nearly."""
    desk = forms.Desk(10, 1.0, 0.3)
    endless = forms.erlang_a(9.0, desk)
    many = forms.finite_source(100_000, 9.0 / 100_000, desk)
    assert math.isclose(many.wait_mean, endless.wait_mean, rel_tol=1e-3)
    assert math.isclose(
        many.abandon_probability, endless.abandon_probability, rel_tol=1e-3
    )
