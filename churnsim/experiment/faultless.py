"""The revenue expected where nothing goes wrong, without a simulation.

A customer without grievance is a BG/NBD purchaser or an sBG subscriber, whoever else
there is, so that expectations are sums over customers: of those of a log by their own
histories, in closed form. Of others, means over traits are taken by the double
exponential rule through the very quantiles that populations are drawn with. Times are
in days.
"""

from __future__ import annotations

import math

import numpy as np

from churnsim.fit import expected_spend
from churnsim.population import history_of, n_prospects, trait
from churnsim.records import MICRO, Floats
from churnsim.scenario import Scenario, trait_mean
from churnsim.scenario.model import FLAWLESS
from churnsim.scenario.traits import PopulationSpec, TraitKind, TraitLaw

STEP = 1.0 / 16.0  # of the double exponential rule: an error of some 1e-9
STEPS = 51  # on either side: up to 1e-16 of the ends
TIMES = 48  # nodes of Gauss-Legendre over a time


def expected_revenue(scenario: Scenario) -> float | None:
    """Return the revenue expected of a firm without mistakes [units of currency].

    None where it is not known: the scenario's flawless firm makes mistakes, or the log
    of its customers leaves what one of them spends on average without a mean.
    """
    spec = scenario.population
    if scenario.policy(FLAWLESS).prevention.mistakes != 0.0:
        return None
    of = _purchases if spec.relationship == "purchase" else _periods
    start, later = of(spec)
    value = trait_mean(spec.value) / MICRO
    history = history_of(scenario)
    if history is None:
        n_customers = spec.customers or 0
        first = n_customers * start * value
    else:
        n_customers = len(history.label)
        first = float(expected_spend(history, spec.horizon).sum())
    conversion = min(1.0, scenario.spec.market.word_of_mouth.conversion)
    won = n_prospects(spec, n_customers) * conversion
    expected = scenario.sites * (first + won * later * value)
    return expected if math.isfinite(expected) else None


def _purchases(spec: PopulationSpec) -> tuple[float, float]:
    """Return purchases expected of a starting customer, and of a prospect won.

    With N(t) purchases of a new customer by t and A(t) the share alive, one of age s
    makes (N(s + T) − N(s))/A(s); where s is spread over the history, both are means
    over it, since who was won earlier is there less often.
    """
    if not spec.horizon:
        return 0.0, 0.0
    counts = _Counts(spec.rate, spec.dropout)
    end = spec.horizon
    ages, weights = np.zeros(1), np.ones(1)
    if spec.tenure.kind == "stationary":
        ages, weights = _over(spec.history)
    elif spec.tenure.kind != "new":
        ages[0] = spec.tenure.amount
    bought = counts.purchases(ages + end) - counts.purchases(ages)
    start = weights @ bought / (weights @ counts.alive(ages))
    times, parts = _over(end)  # left to a prospect, who comes at any time
    return float(start), float(parts @ counts.purchases(times))


class _Counts:
    """Expectations of new BG/NBD customers over their rate λ and dropout p."""

    def __init__(self, rate: TraitLaw, dropout: TraitLaw) -> None:
        u, weights = _double_exponential()
        self.weights = weights
        self.rate = trait(rate, u)
        # A dropout of 0 has the same limit as one that is as good as 0.
        self.dropout = np.maximum(trait(dropout, u), 1e-12)

    def purchases(self, times: Floats) -> Floats:
        """Return E[(1 − exp(−λpt))/p] at each of the times."""
        each = [-np.expm1(-self._hazard * t) / self.dropout for t in times]
        return np.array([self.weights @ x @ self.weights for x in each])

    def alive(self, times: Floats) -> Floats:
        """Return E[exp(−λpt)] at each of the times."""
        each = [np.exp(-self._hazard * t) for t in times]
        return np.array([self.weights @ x @ self.weights for x in each])

    @property
    def _hazard(self) -> Floats:
        return np.outer(self.rate, self.dropout)


def _periods(spec: PopulationSpec) -> tuple[float, float]:
    """Return periods expected to be paid by a starting customer, and by a prospect won.

    S(k) is the share that survives k renewals. A starting customer's renewals fall at
    a uniform phase, so that the share there is linear between S(k) and S(k + 1); one
    who has survived n is there with S(n + k)/S(n). A prospect, who comes at any time,
    has the first renewal a period later.
    """
    end = spec.horizon / spec.period
    if not end:
        return 0.0, 0.0
    survived, weights = _renewals(spec)
    k = np.arange(math.ceil(end) + 1)
    left = _survival(spec.dropout, int(survived[-1]) + len(k))
    within = np.minimum(end - k[:-1], 1.0)  # of each period, how much is simulated
    later = np.array([left[n + k] / left[n] for n in survived])
    ends = later[:, :-1] + within * (later[:, 1:] - later[:, :-1])
    start = weights @ (0.5 * (later[:, :-1] + ends) @ within)
    # The periods that a prospect pays, over what is left to come in after the k-th.
    rest = np.maximum(end - np.arange(len(k) + 1), 0.0)
    paid = 0.5 * (rest[:-1] ** 2 - rest[1:] ** 2) / end
    return float(start), float(paid @ left[: len(k)])


def _renewals(spec: PopulationSpec) -> tuple[np.ndarray, Floats]:
    """Return renewals that starting subscribers have survived, with their shares."""
    if spec.tenure.kind == "renewals":
        return np.array([int(spec.tenure.amount)]), np.ones(1)
    if spec.tenure.kind != "stationary":
        return np.zeros(1, np.int64), np.ones(1)
    survived = np.arange(math.floor(spec.history / spec.period) + 1)
    shares = _survival(spec.dropout, len(survived))
    return survived, shares / shares.sum()


def _survival(law: TraitLaw, n: int) -> Floats:
    """Return the shares of new subscribers that survive 0 … n − 1 renewals."""
    k = np.arange(n - 1)
    if law.kind == TraitKind.BETA:
        steps = (law.b + k) / (law.a + law.b + k)
    else:
        steps = np.full(len(k), 1.0 - law.a)
    return np.concatenate(([1.0], np.cumprod(steps)))


def _over(time: float) -> tuple[Floats, Floats]:
    """Return nodes and weights of a mean over a time from 0."""
    nodes, weights = np.polynomial.legendre.leggauss(TIMES)
    return 0.5 * time * (nodes + 1.0), 0.5 * weights


def _double_exponential() -> tuple[Floats, Floats]:
    """Return nodes and weights of a mean over uniforms, fine towards both ends.

    Source:
        Takahasi & Mori 1974, Double exponential formulas for numerical integration.
    """
    x = STEP * np.arange(-STEPS, STEPS + 1)
    u = 0.5 * (1.0 + np.tanh(0.5 * math.pi * np.sinh(x)))
    weights = np.cosh(x) / np.cosh(0.5 * math.pi * np.sinh(x)) ** 2
    inside = (u > 0.0) & (u < 1.0)
    return u[inside], weights[inside] / weights[inside].sum()
