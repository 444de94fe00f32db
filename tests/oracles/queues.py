"""Closed forms for desks: birth-death chains, Erlang B, C and A, finite sources.

Rates are per unit of time and times are in that unit; any unit will do. A customer
who abandons has waited until then, and counts in every mean over arrivals.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

FloatArray = npt.NDArray[np.float64]

TAIL = 1e-18  # share of time in the last state kept of an endless chain


class Desk(NamedTuple):
    """A pool of identical servers with one FIFO queue and exponential times."""

    n_servers: int  # [-], at least 1
    service_rate: float  # μ [1/time], of one server
    patience_rate: float = 0.0  # θ [1/time]; 0 means endless patience


class Queue(NamedTuple):
    """The stationary figures of a desk."""

    desk: Desk
    throughput: float  # arrivals [1/time], those who abandon included
    wait_probability: float  # an arrival finds all servers busy [-]
    wait_mean: float  # over all arrivals [time]
    queue_mean: float  # Lq, waiting [customers]
    abandon_probability: float  # over all arrivals [-]
    utilisation: float  # busy share of the servers [-]
    seen: FloatArray  # P(an arrival finds k customers inside), k = 0, 1, … [-]


def birth_death(up: FloatArray, down: FloatArray) -> FloatArray:
    """Return the stationary probabilities of a birth-death chain.

    π_k ∝ ∏_{j<k} up_j / down_j, where up_j leads from j to j + 1 and down_j back.

    Args:
        up: Birth rates of states 0 … K − 1, at least 0.
        down: Death rates of states 1 … K, above 0.

    Returns:
        Probabilities of states 0 … K.

    Source:
        Kleinrock 1975, Queueing Systems I, eq. 3.11.
    """
    if len(up) != len(down) or np.any(down <= 0) or np.any(up < 0):
        raise ValueError("up and down must be of one length, up >= 0 and down > 0")
    with np.errstate(divide="ignore"):
        steps = np.log(up) - np.log(down)
    logs = np.concatenate(([0.0], np.cumsum(steps)))
    weights = np.exp(logs - logs.max())
    return np.asarray(weights / weights.sum(), dtype=np.float64)


def state_dependent(arrival_rates: FloatArray, desk: Desk) -> Queue:
    """Return the figures of a desk whose arrival rate depends on who is inside.

    Births as given, deaths min(k, n)·μ + (k − n)⁺·θ. An arrival finds k inside with
    probability π_k·λ_k / Σ π_j·λ_j; E[W] = Lq / Σ π_k·λ_k; P(abandon) = θ·E[W].

    Args:
        arrival_rates: λ_k for k = 0 … K − 1 inside; nobody arrives at K.
        desk: The desk.

    Source:
        Kleinrock 1975, chapter 3; Little's law.
    """
    inside = np.arange(len(arrival_rates) + 1)
    busy = np.minimum(inside, desk.n_servers)
    waiting = inside - busy
    deaths = busy * desk.service_rate + waiting * desk.patience_rate
    probabilities = birth_death(arrival_rates, deaths[1:])
    flow = probabilities[:-1] * arrival_rates
    throughput = float(flow.sum())
    seen = flow / throughput
    queue_mean = float(waiting @ probabilities)
    wait_mean = queue_mean / throughput
    return Queue(
        desk=desk,
        throughput=throughput,
        wait_probability=float(seen[desk.n_servers :].sum()),
        wait_mean=wait_mean,
        queue_mean=queue_mean,
        abandon_probability=desk.patience_rate * wait_mean,
        utilisation=float(busy @ probabilities) / desk.n_servers,
        seen=seen,
    )


def erlang_b(offered_load: float, n_servers: int) -> float:
    """Return the share of arrivals that find all servers busy and are lost.

    B_0 = 1, B_n = a·B_{n−1} / (n + a·B_{n−1}), whatever the law of service times.

    Source:
        Erlang 1917; recursion in Cooper 1981, Introduction to Queueing Theory, 3.3.
    """
    blocked = 1.0
    for n in range(1, n_servers + 1):
        blocked = offered_load * blocked / (n + offered_load * blocked)
    return blocked


def erlang_c(offered_load: float, n_servers: int) -> float:
    """Return the probability that an arrival with endless patience has to wait.

    C = B / (1 − ρ·(1 − B)) with ρ = a/n below 1 and B of Erlang B.

    Source:
        Erlang 1917; Cooper 1981, 3.5.
    """
    rho = offered_load / n_servers
    if rho >= 1:
        raise ValueError(f"utilisation must be below 1; got {rho}")
    blocked = erlang_b(offered_load, n_servers)
    return blocked / (1 - rho * (1 - blocked))


def erlang_c_wait_mean(arrival_rate: float, desk: Desk) -> float:
    """Return the mean wait in M/M/n: E[W] = C / (nμ − λ); Lq = λ·E[W].

    Source:
        Cooper 1981, 3.5.
    """
    spare = desk.n_servers * desk.service_rate - arrival_rate
    return erlang_c(arrival_rate / desk.service_rate, desk.n_servers) / spare


def erlang_c_wait_survival(arrival_rate: float, desk: Desk, time: float) -> float:
    """Return P(W > t) in M/M/n: C·exp(−(nμ − λ)·t), for t at least 0.

    Source:
        Cooper 1981, 3.5.
    """
    spare = desk.n_servers * desk.service_rate - arrival_rate
    waits = erlang_c(arrival_rate / desk.service_rate, desk.n_servers)
    return float(waits * np.exp(-spare * time))


def erlang_c_wait_quantile(arrival_rate: float, desk: Desk, share: float) -> float:
    """Return the wait in M/M/n that the given share of arrivals does not exceed.

    t = max(0, ln(C / (1 − share)) / (nμ − λ)).

    Source:
        Inverse of `erlang_c_wait_survival`.
    """
    spare = desk.n_servers * desk.service_rate - arrival_rate
    waits = erlang_c(arrival_rate / desk.service_rate, desk.n_servers)
    return max(0.0, float(np.log(waits / (1 - share))) / spare)


def erlang_a(arrival_rate: float, desk: Desk) -> Queue:
    """Return the figures of M/M/n+M, or of M/M/n where patience is endless.

    The birth-death chain with births λ and deaths min(k, n)·μ + (k − n)⁺·θ, cut
    where a state's share of time falls below 1e-18.

    Source:
        Palm 1957; Mandelbaum & Zeltyn 2007, "Service engineering in action".
    """
    load = arrival_rate / (desk.n_servers * desk.service_rate)
    if desk.patience_rate == 0 and load >= 1:
        raise ValueError(f"without abandonment utilisation must be below 1; got {load}")
    n_states = 4 * desk.n_servers + 64
    while True:
        arrivals = np.full(n_states, arrival_rate, dtype=np.float64)
        queue = state_dependent(arrivals, desk)
        if queue.seen[-1] < TAIL:
            return queue
        n_states *= 2


def finite_source(n_customers: int, contact_rate: float, desk: Desk) -> Queue:
    """Return the figures of M/M/n+M with customers who call again when done.

    Births (N − k)·λ, deaths min(k, n)·μ + (k − n)⁺·θ: Engset's source with a queue,
    the machine repair model. Time spent on the way (hoops, whatever its law) is part
    of being away: use 1 / (1/λ + hoop time) as the rate.

    Args:
        n_customers: N, all who ever call.
        contact_rate: λ [1/time], of one customer who is away.
        desk: The desk; an impatient one who gives up is away again.

    Source:
        Palm 1947 (machine interference); Cooper 1981, 3.8; BCMP 1975 for insensitivity.
    """
    away = n_customers - np.arange(n_customers, dtype=np.float64)
    return state_dependent(contact_rate * away, desk)


def wait_survival(queue: Queue, time: float) -> float:
    """Return P(W > t) over all arrivals, where W ends by service or by giving up.

    With j waiting ahead a patient arrival waits V, a sum of exponential times with
    rates nμ, nμ + θ, …, nμ + jθ, so exp(−θV) ~ Beta(nμ/θ, j + 1), and
    P(W > t) = exp(−θt)·Σ_j seen_{n+j}·P(exp(−θV) < exp(−θt)); Erlang's law where θ = 0.

    Args:
        queue: Uses `seen` and `desk`.
        time: t, at least 0.

    Source:
        Riordan 1962, Stochastic Service Systems; the Beta form by Rényi's
        representation of order statistics.
    """
    desk = queue.desk
    seen = queue.seen[desk.n_servers :]
    ahead = np.arange(len(seen))
    drain = desk.n_servers * desk.service_rate
    if desk.patience_rate == 0:
        return float(seen @ special.gammaincc(ahead + 1, drain * time))
    patient = np.exp(-desk.patience_rate * time)
    longer = special.betainc(drain / desk.patience_rate, ahead + 1, patient)
    return float(patient * (seen @ longer))


def served_wait_mean(queue: Queue) -> float:
    """Return the mean wait of those who are served.

    With x = nμ/θ and j ahead: P(served) = x / (x + j + 1) and
    E[V; served] = P(served)·(ψ(x + j + 2) − ψ(x + 1)) / θ; (j + 1)/(nμ) where θ = 0.

    Source:
        Moments of the logarithm of the Beta variable of `wait_survival`.
    """
    desk = queue.desk
    seen = queue.seen[desk.n_servers :]
    ahead = np.arange(len(seen))
    drain = desk.n_servers * desk.service_rate
    if desk.patience_rate == 0:
        return float(seen @ ((ahead + 1) / drain))
    x = drain / desk.patience_rate
    logs = special.digamma(x + ahead + 2) - special.digamma(x + 1)
    waits = x / (x + ahead + 1) * logs / desk.patience_rate
    return float(seen @ waits) / (1 - queue.abandon_probability)
