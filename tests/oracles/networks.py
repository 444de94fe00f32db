"""Closed forms for one server with any service law, and for networks of desks."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy import special

from tests.oracles.queues import Desk, FloatArray, Queue, erlang_a

Transform = Callable[[FloatArray], FloatArray]


class SingleServer(NamedTuple):
    """The stationary figures of one server."""

    throughput: float  # [1/time]
    wait_mean: float  # over all arrivals [time]
    utilisation: float  # [-]


class Station(NamedTuple):
    """A stop on the round of a fixed number of customers."""

    visits: float  # mean visits per round [-]
    service_mean: float  # per visit [time]
    n_servers: int  # 0 stands for a delay without a queue, whatever its law


class StationFigures(NamedTuple):
    """The stationary figures of one stop."""

    number_mean: float  # waiting and in service [customers]
    wait_probability: float  # an arrival finds all servers busy [-]
    wait_mean: float  # per visit [time]


class ClosedNetwork(NamedTuple):
    """The stationary figures of a closed network."""

    throughput: float  # rounds [1/time]
    stations: tuple[StationFigures, ...]


def pollaczek_khinchine(arrival_rate: float, mean: float, cv: float) -> float:
    """Return the mean wait in M/G/1: ρ·E[S]·(1 + cv²) / (2·(1 − ρ)).

    Args:
        arrival_rate: λ [1/time].
        mean: E[S] [time].
        cv: Coefficient of variation of S: 0 constant, 1 exponential, given for a
            lognormal, (high − low)/(high + low)/√3 for a uniform.

    Source:
        Pollaczek 1930, Khinchine 1932; Kleinrock 1975, eq. 5.63.
    """
    rho = arrival_rate * mean
    if rho >= 1:
        raise ValueError(f"utilisation must be below 1; got {rho}")
    return rho * mean * (1 + cv * cv) / (2 * (1 - rho))


def uniform_cv(low: float, high: float) -> float:
    """Return the coefficient of variation of a uniform law: (h − l)/(h + l)/√3.

    Source:
        Its variance (h − l)²/12 over its mean squared.
    """
    return float((high - low) / (high + low) / np.sqrt(3))


def constant_transform(mean: float) -> Transform:
    """Return the Laplace transform of a constant: exp(−s·m).

    Source:
        Feller 1971, An Introduction to Probability Theory II, XIII.
    """
    return lambda s: np.exp(-s * mean)


def exponential_transform(mean: float) -> Transform:
    """Return the Laplace transform of an exponential law: 1/(1 + s·m).

    Source:
        Feller 1971, An Introduction to Probability Theory II, XIII.
    """
    return lambda s: 1 / (1 + s * mean)


def uniform_transform(low: float, high: float) -> Transform:
    """Return the Laplace transform of a uniform law: (e^{−sl} − e^{−sh})/(s(h − l)).

    Source:
        Feller 1971, An Introduction to Probability Theory II, XIII.
    """
    return lambda s: (
        np.exp(-s * low) * -np.expm1(-s * (high - low)) / (s * (high - low))
    )


def lognormal_transform(mean: float, cv: float) -> Transform:
    """Return the Laplace transform of a lognormal law, summed over a fine grid.

    E[exp(−s·exp(μ + σZ))] by the trapezoidal rule on Z in [−12, 12], which converges
    faster than any power; σ² = ln(1 + cv²), μ = ln(mean) − σ²/2.

    Source:
        Asmussen, Jensen & Rojas-Nandayapa 2016 on the lognormal transform.
    """
    grid = np.linspace(-12, 12, 1201)
    weights = np.exp(-grid * grid / 2)
    weights /= weights.sum()
    sigma = np.sqrt(np.log1p(cv * cv))
    values = mean * np.exp(sigma * grid - sigma * sigma / 2)
    return lambda s: np.exp(-np.multiply.outer(s, values)) @ weights


def one_server_finite_source(
    n_customers: int, contact_rate: float, mean: float, transform: Transform
) -> SingleServer:
    """Return the figures of one server with any service law and N customers.

    A = N·Z / (1 + N·λ·E[S]·Z) customers are away on average, with
    Z = Σ_{r<N} C(N−1, r)·∏_{i≤r} (1 − b(iλ))/b(iλ) and b the transform of service;
    throughput λA, E[W] = N/(λA) − 1/λ − E[S].

    Args:
        n_customers: N, all who ever call.
        contact_rate: λ [1/time], of one customer who is away.
        mean: E[S] [time].
        transform: b(s) of the service law.

    Source:
        Ashcroft 1950; Takács 1962, Introduction to the Theory of Queues, chapter 5.
    """
    r = np.arange(n_customers, dtype=np.float64)
    b = transform(contact_rate * r[1:])
    ratios = np.concatenate(([0.0], np.cumsum(np.log1p(-b) - np.log(b))))
    binomials = (
        special.gammaln(n_customers)
        - special.gammaln(r + 1)
        - special.gammaln(n_customers - r)
    )
    log_z = float(special.logsumexp(binomials + ratios))
    away = n_customers / (np.exp(-log_z) + n_customers * contact_rate * mean)
    throughput = float(contact_rate * away)
    wait_mean = n_customers / throughput - 1 / contact_rate - mean
    return SingleServer(throughput, wait_mean, throughput * mean)


def open_network(
    arrival_rates: FloatArray, routing: FloatArray, desks: Sequence[Desk]
) -> tuple[Queue, ...]:
    """Return the figures of each desk of an open network of M/M/n desks.

    Flows solve f = arrivals + f·routing; each desk is then M/M/n by itself (Jackson).

    Args:
        arrival_rates: From outside to each desk [1/time].
        routing: Entry (i, j) is the share of departures from desk i to desk j.
        desks: With endless patience.

    Source:
        Jackson 1957, 1963.
    """
    flows = np.linalg.solve(np.eye(len(desks)) - routing.T, arrival_rates)
    return tuple(
        erlang_a(float(flow), desk) for flow, desk in zip(flows, desks, strict=True)
    )


def tandem(
    arrival_rate: float, front: Desk, back: Desk, forwarded: float = 1.0
) -> tuple[Queue, Queue]:
    """Return the figures of a front desk and of the back desk that it feeds.

    Departures of a stationary M/M/n are Poisson (Burke), thinned by `forwarded` they
    still are, and what waits at one desk is independent of what waits at the other.

    Source:
        Burke 1956; Jackson 1957.
    """
    return erlang_a(arrival_rate, front), erlang_a(arrival_rate * forwarded, back)


def closed_network(n_customers: int, stations: Sequence[Station]) -> ClosedNetwork:
    """Return the figures of N customers who make their rounds between stations.

    P(k_1, …, k_M) ∝ ∏ D_i^{k_i} / ∏_{j≤k_i} min(j, n_i), D_i = visits·service mean;
    throughput G(N−1)/G(N); an arrival sees the network with one customer less.

    Args:
        n_customers: N.
        stations: Being away is a station with `n_servers` 0; desks are FIFO and
            exponential.

    Source:
        Gordon & Newell 1967; Buzen 1973 (convolution); Lavenberg & Reiser 1980
        (arrival theorem); BCMP 1975 (delays of any law).
    """
    scale = _throughput_guess(n_customers, stations)
    weights = [_station_weights(n_customers, station, scale) for station in stations]
    whole = _convolve(weights, n_customers)
    throughput = float(scale * whole[-2] / whole[-1])
    figures = []
    for i, station in enumerate(stations):
        others = _convolve(weights[:i] + weights[i + 1 :], n_customers)
        inside = weights[i] * others[::-1] / whole[-1]
        seen = weights[i][:-1] * others[-2::-1] / whole[-2]
        number_mean = float(np.arange(n_customers + 1) @ inside)
        queued = station.n_servers > 0
        figures.append(
            StationFigures(
                number_mean=number_mean,
                wait_probability=float(seen[station.n_servers :].sum()) * queued,
                wait_mean=number_mean / (throughput * station.visits)
                - station.service_mean,
            )
        )
    return ClosedNetwork(throughput=throughput, stations=tuple(figures))


def _throughput_guess(n_customers: int, stations: Sequence[Station]) -> float:
    """Return an upper bound of the throughput; it keeps weights within floats."""
    demands = [station.visits * station.service_mean for station in stations]
    limits = [
        station.n_servers / demand
        for station, demand in zip(stations, demands, strict=True)
        if station.n_servers > 0
    ]
    return min([n_customers / sum(demands), *limits])


def _station_weights(n_customers: int, station: Station, scale: float) -> FloatArray:
    """Return (scale·D)^k / ∏_{j≤k} min(j, n) for k = 0 … N, the largest being 1."""
    counts = np.arange(1, n_customers + 1)
    servers = (
        counts if station.n_servers == 0 else np.minimum(counts, station.n_servers)
    )
    demand = scale * station.visits * station.service_mean
    steps = np.log(demand) - np.log(servers)
    logs = np.concatenate(([0.0], np.cumsum(steps)))
    return np.asarray(np.exp(logs - logs.max()), dtype=np.float64)


def _convolve(weights: Sequence[FloatArray], n_customers: int) -> FloatArray:
    """Return the normalising constants G(0) … G(N) of the given stations."""
    total = np.zeros(n_customers + 1)
    total[0] = 1.0
    for row in weights:
        total = np.convolve(total, row)[: n_customers + 1]
    return total
