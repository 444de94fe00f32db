"""Erlang A and C: how many agents a stationary desk needs for a service level.

Poisson arrivals, exponential times of handling and patience. Only a start for the
engine, which knows every law, the week, and what waiting does to customers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import special

from churnsim.records import Floats

TAIL = 1e-15  # share of time of states that are left out
STATES_MAX = 2**22  # more than that nobody waits in
AGENTS_MAX = 100_000  # a start need not be above it


class Load(NamedTuple):
    """What a desk has to do at a time: any unit of time, the same in all."""

    arrivals: float  # λ [1/time]
    handle: float  # 1/μ, mean time of one contact [time]
    patience: float = math.inf  # 1/θ, mean [time]
    weight: float = 1.0  # of these arrivals among all [-]


def service_level(load: Load, n_agents: int, within: float) -> float:
    """Return the share of arrivals handled within a time of joining the line.

    P(W ≤ t, handled) = Σ_{k<n} π_k + Σ_{j≥0} π_{n+j}·P(V_j ≤ t, V_j < R). With j
    waiting ahead a patient arrival waits V_j, a sum of exponential times with rates
    nμ, nμ + θ, …, nμ + jθ, so B = exp(−θV_j) ~ Beta(c, j + 1), c = nμ/θ. Patience R
    outlasts it with probability B, hence E[B; B ≥ x] = c/(c + j + 1)·(1 − I_x(c + 1,
    j + 1)), where x = exp(−θt). Of endless patience the level is Erlang C's, 0 where
    there is more work than agents.

    Args:
        load: Uses all but `weight`.
        n_agents: n, at least 0.
        within: t, in the unit of time of the load.

    Source:
        Palm 1957 and Riordan 1962 (M/M/n+M); Erlang 1917 (M/M/n).
    """
    if n_agents == 0:
        return 0.0
    if load.arrivals == 0.0 or load.handle == 0.0:
        return 1.0
    offered = load.arrivals * load.handle
    if load.patience == 0.0:
        return 1.0 - _blocked(offered, n_agents)
    if math.isinf(load.patience):
        return _of_the_patient(load, n_agents, within)
    seen = _seen(load, n_agents)
    waiting = seen[n_agents:]
    ahead = np.flatnonzero(waiting > TAIL)  # the others add nothing that shows
    c = n_agents * load.patience / load.handle
    x = math.exp(-within / load.patience)
    handled = c / (c + ahead + 1.0) * special.betaincc(c + 1.0, ahead + 1.0, x)
    return float(seen[:n_agents].sum() + waiting[ahead] @ handled)


def needed_agents(loads: Sequence[Load], share: float, within: float) -> int:
    """Return the fewest agents that handle a share of all arrivals within a time.

    Each load is taken as if it lasted (the stationary approximation, hour by hour), and
    the levels are averaged by `weight`. At least 1.

    Args:
        loads: Of the hours that the agents work.
        share: Below 1.
        within: In the unit of time of the loads.

    Source:
        Green, L., Kolesar, P. & Soares, J. (2001): Improving the SIPP approach for
        staffing service systems that have cyclic demands. Operations Research 49,
        549-564.
    """
    weights = sum(load.weight for load in loads)
    if not weights:
        return 1

    def is_enough(n_agents: int) -> bool:
        levels = (x.weight * service_level(x, n_agents, within) for x in loads)
        return math.fsum(levels) >= share * weights

    mean = math.fsum(x.weight * x.arrivals * x.handle for x in loads) / weights
    high = max(1, min(AGENTS_MAX, math.ceil(mean)))
    low, step = 0, 1
    while high < AGENTS_MAX and not is_enough(high):
        low, high, step = high, min(AGENTS_MAX, high + step), 2 * step
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return high


def _blocked(offered: float, n_agents: int) -> float:
    """Return the share that finds all busy and is lost at once: Erlang B."""
    k = np.arange(n_agents + 1)
    logs = k * math.log(offered) - special.gammaln(k + 1.0)
    weights = np.exp(logs - logs.max())
    return float(weights[-1] / weights.sum())


def _of_the_patient(load: Load, n_agents: int, within: float) -> float:
    """Return the level where nobody gives up: 1 − C·exp(−(nμ − λ)·t), Erlang C."""
    offered = load.arrivals * load.handle
    if offered >= n_agents:
        return 0.0
    blocked = _blocked(offered, n_agents)
    rho = offered / n_agents
    waits = blocked / (1.0 - rho * (1.0 - blocked))
    return 1.0 - waits * math.exp(-(n_agents - offered) * within / load.handle)


def _seen(load: Load, n_agents: int) -> Floats:
    """Return π_k, the probability that k are at the desk, for k from 0."""
    n_states = 2 * n_agents + 64
    while True:
        k = np.arange(1, n_states)
        busy = np.minimum(k, n_agents)
        deaths = busy / load.handle + (k - busy) / load.patience
        logs = np.concatenate(
            ([0.0], np.cumsum(math.log(load.arrivals) - np.log(deaths)))
        )
        weights = np.exp(logs - logs.max())
        seen: Floats = weights / weights.sum()
        if seen[-1] < TAIL or n_states >= STATES_MAX:
            return seen
        n_states *= 2
