"""Closed forms of one server and of networks against chains solved numerically."""

import math

import numpy as np
import numpy.typing as npt
import pytest
from scipy import integrate, stats

from tests.oracles import closed_forms as forms
from tests.oracles.gates import Battery
from tests.oracles.test_queues import stationary

FloatArray = npt.NDArray[np.float64]


def embedded_wait(
    arrival_rate: float, service_mean: float, arrivals: FloatArray
) -> float:
    """Return the mean wait in M/G/1 from the chain of those left behind.

    Args:
        arrival_rate: λ.
        service_mean: E[S].
        arrivals: P(j arrivals during one service), up to a negligible rest.
    """
    n = len(arrivals)
    moves = np.zeros((n, n))
    for left in range(n):
        first = max(left - 1, 0)
        moves[left, first:] = arrivals[: n - first]
    law = stationary(moves - np.diag(np.diag(moves)))
    return float(law @ np.arange(n)) / arrival_rate - service_mean


@pytest.mark.parametrize(("mean", "cv"), [(1.0, 0.0), (1.0, 1.0), (0.5, 1.3)])
def test_pollaczek_khinchine__worked_by_hand(mean: float, cv: float) -> None:
    """λ·E[S²] / (2·(1 − ρ)) from the second moment written out."""
    rate = 0.8 / mean
    second = mean * mean * (1 + cv * cv)
    wait = forms.pollaczek_khinchine(rate, mean, cv)
    assert math.isclose(wait, rate * second / (2 * (1 - 0.8)), rel_tol=1e-14)


def test_pollaczek_khinchine__agrees_with_the_embedded_chain_constant() -> None:
    """Constant service: Poisson arrivals during each."""
    arrivals = stats.poisson.pmf(np.arange(150), 0.7)
    wait = embedded_wait(0.7, 1.0, arrivals)
    assert math.isclose(forms.pollaczek_khinchine(0.7, 1.0, 0.0), wait, rel_tol=1e-9)


def test_pollaczek_khinchine__agrees_with_the_embedded_chain_uniform() -> None:
    """Uniform service between .5 and 1.5: mixed Poisson arrivals during each."""
    nodes, weights = np.polynomial.legendre.leggauss(60)
    times = 1 + nodes / 2
    arrivals = stats.poisson.pmf(np.arange(150)[:, None], 0.7 * times) @ (weights / 2)
    cv = forms.uniform_cv(0.5, 1.5)
    wait = embedded_wait(0.7, 1.0, arrivals)
    assert math.isclose(forms.pollaczek_khinchine(0.7, 1.0, cv), wait, rel_tol=1e-9)


def test_pollaczek_khinchine__agrees_with_the_embedded_chain_lognormal() -> None:
    """Lognormal service with cv .5: Poisson arrivals mixed over a fine grid."""
    grid = np.linspace(-9, 9, 1501)
    weights = stats.norm.pdf(grid)
    sigma = math.sqrt(math.log1p(0.25))
    times = np.exp(sigma * grid - sigma * sigma / 2)
    counts = np.arange(400)[:, None]
    arrivals = stats.poisson.pmf(counts, 0.5 * times) @ (weights / weights.sum())
    wait = embedded_wait(0.5, 1.0, arrivals)
    assert math.isclose(forms.pollaczek_khinchine(0.5, 1.0, 0.5), wait, rel_tol=1e-8)


def test_pollaczek_khinchine__refuses_an_unstable_server() -> None:
    """Utilisation of 1 has no stationary wait."""
    with pytest.raises(ValueError, match="below 1"):
        forms.pollaczek_khinchine(1.0, 1.0, 0.0)


@pytest.mark.parametrize("cv", [0.4, 1.3])
@pytest.mark.parametrize("s", [0.01, 1.0, 30.0])
def test_lognormal_transform__is_its_integral(cv: float, s: float) -> None:
    """The sum over the grid is E[exp(−sX)] by adaptive integration."""
    sigma = math.sqrt(math.log1p(cv * cv))
    law = stats.lognorm(sigma, scale=2.0 * math.exp(-sigma * sigma / 2))
    assert math.isclose(law.mean(), 2.0, rel_tol=1e-12)
    exact, _ = integrate.quad(
        lambda u: math.exp(-s * law.ppf(u)), 0, 1, limit=400, epsabs=1e-12
    )
    found = forms.lognormal_transform(2.0, cv)(np.array([s]))[0]
    assert math.isclose(found, exact, rel_tol=1e-6, abs_tol=1e-10)


def test_uniform_transform__is_its_integral() -> None:
    """E[exp(−sX)] over [.5, 2] by adaptive integration."""
    exact, _ = integrate.quad(lambda x: math.exp(-0.9 * x) / 1.5, 0.5, 2.0)
    found = forms.uniform_transform(0.5, 2.0)(np.array([0.9]))[0]
    assert math.isclose(found, exact, rel_tol=1e-12)


@pytest.mark.parametrize("n_customers", [1, 2, 7, 60])
def test_one_server_finite_source__agrees_with_machine_repair(n_customers: int) -> None:
    """With exponential service it is the birth-death chain."""
    queue = forms.finite_source(n_customers, 0.11, forms.Desk(1, 1.6))
    service = forms.exponential_transform(1 / 1.6)
    found = forms.one_server_finite_source(n_customers, 0.11, 1 / 1.6, service)
    assert math.isclose(found.throughput, queue.throughput, rel_tol=1e-11)
    assert math.isclose(found.wait_mean, queue.wait_mean, rel_tol=1e-9, abs_tol=1e-12)
    assert math.isclose(found.utilisation, queue.utilisation, rel_tol=1e-11)


def test_one_server_finite_source__agrees_with_two_phases() -> None:
    """With Erlang-2 service it is the chain of (customers inside, phase)."""
    n, rate, mean = 6, 0.3, 0.8
    phase_rate = 2 / mean
    states = [(0, 0), *((k, phase) for k in range(1, n + 1) for phase in (0, 1))]
    index = {state: i for i, state in enumerate(states)}
    generator = np.zeros((len(states), len(states)))
    for (k, phase), i in index.items():
        if k < n:
            generator[i, index[(k + 1, phase)]] += rate * (n - k)
        if k > 0:
            target = (k, 1) if phase == 0 else (k - 1, 0)
            generator[i, index[target]] += phase_rate
    law = stationary(generator)
    inside = np.array([k for k, _ in states])
    flow = law @ (rate * (n - inside))
    found = forms.one_server_finite_source(
        n, rate, mean, lambda s: (1 + s * mean / 2) ** -2.0
    )
    assert math.isclose(found.throughput, flow, rel_tol=1e-10)
    waiting = law @ np.maximum(inside - 1, 0)
    assert math.isclose(found.wait_mean, waiting / flow, rel_tol=1e-9)


@pytest.mark.parametrize("law", ["constant", "lognormal", "uniform"])
def test_one_server_finite_source__agrees_with_a_direct_simulation(law: str) -> None:
    """Eight customers simulated contact by contact wait as long, within 1 %."""
    n, rate, n_runs = 8, 0.15, 10_000
    warm_up, n_contacts = 80, 400
    generator = np.random.default_rng(20)
    shape = (warm_up + n_contacts, n_runs)
    if law == "constant":
        services, transform = np.ones(shape), forms.constant_transform(1.0)
    elif law == "uniform":
        services = generator.uniform(0.5, 1.5, shape)
        transform = forms.uniform_transform(0.5, 1.5)
    else:
        sigma = math.sqrt(math.log(2))
        services = generator.lognormal(-sigma * sigma / 2, sigma, shape)
        transform = forms.lognormal_transform(1.0, 1.0)
    arrives = generator.exponential(1 / rate, (n_runs, n))
    free_at, waits = np.zeros(n_runs), np.zeros(n_runs)
    runs = np.arange(n_runs)
    for contact, service in enumerate(services):
        who = arrives.argmin(axis=1)
        at = arrives[runs, who]
        starts = np.maximum(at, free_at)
        free_at = starts + service
        arrives[runs, who] = free_at + generator.exponential(1 / rate, n_runs)
        if contact >= warm_up:
            waits += starts - at
    battery = Battery()
    expected = forms.one_server_finite_source(n, rate, 1.0, transform).wait_mean
    battery.mean(f"finite source, {law}", waits / n_contacts, expected)
    battery.check()


def test_one_server_finite_source__tends_to_pollaczek_khinchine() -> None:
    """Many rare callers at one lognormal server wait as in M/G/1, nearly."""
    service = forms.lognormal_transform(1.0, 1.3)
    found = forms.one_server_finite_source(4000, 0.5 / 4000, 1.0, service)
    endless = forms.pollaczek_khinchine(0.5, 1.0, 1.3)
    assert math.isclose(found.wait_mean, endless, rel_tol=3e-3)


def test_open_network__agrees_with_a_chain_of_two_desks() -> None:
    """Feedback between two desks: the joint chain, cut at 40, gives the same means."""
    arrivals, routing = np.array([0.3, 0.1]), np.array([[0.0, 0.5], [0.2, 0.0]])
    desks = (forms.Desk(1, 1.0), forms.Desk(2, 0.5))
    size = 40
    generator = np.zeros((size * size, size * size))
    for i in range(size * size):
        inside = divmod(i, size)
        for desk, step in ((0, size), (1, 1)):
            other, other_step = 1 - desk, 1 if desk == 0 else size
            if inside[desk] + 1 < size:
                generator[i, i + step] += arrivals[desk]
            busy = min(inside[desk], desks[desk].n_servers)
            rate = busy * desks[desk].service_rate
            if inside[desk] > 0:
                generator[i, i - step] += rate * (1 - routing[desk, other])
                if inside[other] + 1 < size:
                    generator[i, i - step + other_step] += rate * routing[desk, other]
    balance = (generator - np.diag(generator.sum(axis=1))).T
    balance[0] = 1.0
    law = np.linalg.solve(balance, np.eye(size * size)[0]).reshape(size, size)
    queues = forms.open_network(arrivals, routing, desks)
    for queue, marginal in zip(queues, (law.sum(axis=1), law.sum(axis=0)), strict=True):
        waiting = np.maximum(np.arange(size) - queue.desk.n_servers, 0) @ marginal
        assert math.isclose(queue.queue_mean, waiting, rel_tol=1e-6)


def test_tandem__is_a_network_without_feedback() -> None:
    """A front desk that forwards .4 to the back is Jackson's network of two."""
    front, back = forms.Desk(3, 1.0), forms.Desk(1, 1.2)
    routing = np.array([[0.0, 0.4], [0.0, 0.0]])
    network = forms.open_network(np.array([2.0, 0.0]), routing, (front, back))
    for one, two in zip(network, forms.tandem(2.0, front, back, 0.4), strict=True):
        assert math.isclose(one.wait_mean, two.wait_mean, rel_tol=1e-12)
        assert math.isclose(one.throughput, two.throughput, rel_tol=1e-12)


def test_closed_network__agrees_with_machine_repair() -> None:
    """One desk and being away: the finite source, P(wait) included."""
    queue = forms.finite_source(40, 0.1, forms.Desk(3, 1.1))
    stations = [forms.Station(1, 10.0, 0), forms.Station(1, 1 / 1.1, 3)]
    network = forms.closed_network(40, stations)
    desk = network.stations[1]
    assert math.isclose(network.throughput, queue.throughput, rel_tol=1e-10)
    assert math.isclose(desk.wait_mean, queue.wait_mean, rel_tol=1e-9)
    assert math.isclose(desk.wait_probability, queue.wait_probability, rel_tol=1e-9)


def test_closed_network__agrees_with_the_joint_chain() -> None:
    """Five customers, two agents, one supervisor for half the contacts."""
    n, away, front, back, forwarded = 5, 0.4, 1.0, 0.6, 0.5
    states = [(i, j) for i in range(n + 1) for j in range(n + 1 - i)]
    index = {state: k for k, state in enumerate(states)}
    generator = np.zeros((len(states), len(states)))
    for (i, j), k in index.items():
        if i + j < n:
            generator[k, index[(i + 1, j)]] += away * (n - i - j)
        if i > 0:
            generator[k, index[(i - 1, j + 1)]] += min(i, 2) * front * forwarded
            generator[k, index[(i - 1, j)]] += min(i, 2) * front * (1 - forwarded)
        if j > 0:
            generator[k, index[(i, j - 1)]] += back
    law = stationary(generator)
    inside = np.array(states)
    flow = law @ (away * (n - inside.sum(axis=1)))
    network = forms.closed_network(
        n,
        [
            forms.Station(1, 1 / away, 0),
            forms.Station(1, 1 / front, 2),
            forms.Station(forwarded, 1 / back, 1),
        ],
    )
    assert math.isclose(network.throughput, flow, rel_tol=1e-10)
    means = law @ inside
    for station, mean in zip(network.stations[1:], means, strict=True):
        assert math.isclose(station.number_mean, mean, rel_tol=1e-10)
    wait = means[1] / (flow * forwarded) - 1 / back
    assert math.isclose(network.stations[2].wait_mean, wait, rel_tol=1e-9)
    calls = away * (n - inside.sum(axis=1))
    finds_busy = law @ (calls * (inside[:, 0] >= 2)) / flow
    seen = network.stations[1].wait_probability
    assert math.isclose(seen, finds_busy, rel_tol=1e-10)
    assert network.stations[0].wait_probability == 0.0


def test_closed_network__stands_a_saturated_desk() -> None:
    """Three thousand customers at a desk for ten: it works without pause."""
    stations = [forms.Station(1, 5.0, 0), forms.Station(1, 1.0, 10)]
    network = forms.closed_network(3000, stations)
    assert math.isclose(network.throughput, 10.0, rel_tol=1e-12)
    assert math.isclose(network.stations[1].number_mean, 2950.0, rel_tol=1e-9)
