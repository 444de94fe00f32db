"""The Pareto/NBD model of Schmittlein, Morrison & Colombo (1987): who is still there.

Purchases are Poisson with rate λ ~ Gamma(r, α), as in the BG/NBD model; but a customer
leaves at any moment, at a rate μ ~ Gamma(s, β), and not only after a purchase. All
times are in one unit, weeks as a rule, and α and β are in that unit. x, t_x and `age`
are as in `churnsim.fit.bgnbd`.

The likelihood of having left is an integral over the moment of leaving:
s β^s ∫ (β + y)^(−s − 1)·(α + y)^(−r − x) dy from t_x to T. Its closed form is a
difference of two ₂F₁, which overflows for those who buy most, cancels where T is near
t_x, and has no derivative by r or s in closed form. The integral itself is computed
instead: it has none of these faults.

Source:
    Fader & Hardie (2005), A Note on Deriving the Pareto/NBD Model and Related
    Expressions; (2007) on the discounted number of purchases to come.
"""

import functools
from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import digamma, expit, exprel, gammaln

from churnsim.fit.histories import History, check_enough, checked_history
from churnsim.fit.likelihood import SCALES, SHAPES, FitError, FloatArray, maximise

_NODES: Final = 32  # of Gauss and Legendre: e^(−40 u) on [0, 1] to all its digits
_DISCOUNT_NODES: Final = 96  # where the range may be thirty times as long
_NEGLIGIBLE: Final = 40.0  # e^−40 is below the rounding of what is added up
_LARGEST: Final = 700.0  # exp of it is still a number
_BLOCK: Final = 8192  # histories at once: their nodes take a few MB

_Sums = tuple[float, FloatArray]


class ParetoNbd(NamedTuple):
    """Parameters of the Pareto/NBD model, all above 0."""

    r: float  # shape of the purchase rate's gamma [-]
    alpha: float  # its rate parameter, a time [unit of the data, weeks as a rule]
    s: float  # shape of the dropout rate's gamma [-]
    beta: float  # its rate parameter, a time [unit of the data]


class ParetoNbdFit(NamedTuple):
    """A fit by maximum likelihood."""

    params: ParetoNbd
    standard_errors: ParetoNbd  # of the parameters, in their units
    covariance: FloatArray  # of r, alpha, s, beta, shape (4, 4)
    log_likelihood: float  # [-]
    n: int  # customers [-]
    converged: bool  # whether the gradient is zero but for rounding


class _Left(NamedTuple):
    """The integral over the moment of leaving, and means under its integrand."""

    log_value: FloatArray  # [-], −inf where t_x = T, shape (histories,)
    log_alpha: FloatArray  # of log(α + y)
    log_beta: FloatArray  # of log(β + y)
    per_alpha: FloatArray  # of 1/(α + y)
    per_beta: FloatArray  # of 1/(β + y)


def fit_pareto_nbd(x: ArrayLike, t_x: ArrayLike, age: ArrayLike) -> ParetoNbdFit:
    """Return the parameters under which the histories are likeliest.

    Args:
        x: Repeat purchases.
        t_x: Time of the last purchase since the first, 0 where x = 0.
        age: Time observed since the first purchase, T.

    Raises:
        FitError: When histories make no sense or do not determine the parameters.
    """
    history = checked_history(x, t_x, age)
    check_enough(history)
    n, old = len(history.x), float(history.age.mean())
    rate = float(history.x.sum() / history.age.sum())
    kinds, counts = _distinct(history)
    starts = [
        (r, r / rate / faster, s, beta * old)
        for r, faster, s, beta in (
            (0.5, 1.5, 0.5, 0.3),
            (1.0, 2.0, 1.0, 1.0),
            (4.0, 1.5, 2.0, 3.0),
            (0.5, 1.0, 0.2, 2.0),
        )
    ]
    scales = (SCALES[0] * old, SCALES[1] * old)
    top = maximise(
        lambda values: _gradient(ParetoNbd(*values.tolist()), kinds, counts),
        {"r": SHAPES, "alpha": scales, "s": SHAPES, "beta": scales},
        starts,
        n,
    )
    return ParetoNbdFit(
        params=ParetoNbd(*top.values.tolist()),
        standard_errors=ParetoNbd(*top.standard_errors.tolist()),
        covariance=top.covariance,
        log_likelihood=top.log_likelihood,
        n=n,
        converged=top.converged,
    )


def log_likelihood(
    params: ParetoNbd, x: ArrayLike, t_x: ArrayLike, age: ArrayLike
) -> float:
    """Return the log-likelihood of all histories together."""
    return _gradient(params, *_distinct(checked_history(x, t_x, age)))[0]


def expected_purchases(params: ParetoNbd, t: ArrayLike) -> FloatArray:
    """Return E[X(t)], repeat purchases of a new customer until t.

    r/α·β/(s − 1)·(1 − (β/(β + t))^(s − 1)), and its limit at s = 1.
    """
    r, alpha, s, beta = params
    return r / alpha * _time_left(s, np.array(beta), t)


def probability_alive(params: ParetoNbd, t: ArrayLike) -> FloatArray:
    """Return S(t), the share of new customers still there at t: (β/(β + t))^s."""
    waited = np.log1p(np.asarray(t, dtype=np.float64) / params.beta)
    return np.asarray(np.exp(-params.s * waited))


def conditional_alive(
    params: ParetoNbd, x: ArrayLike, t_x: ArrayLike, age: ArrayLike
) -> FloatArray:
    """Return P(alive at T) given the history."""
    history = checked_history(x, t_x, age)
    blocks = [expit(_log_odds_alive(params, block)[0]) for block in _blocks(history)]
    return np.concatenate(blocks)


def conditional_expected_purchases(
    params: ParetoNbd, t: ArrayLike, x: ArrayLike, t_x: ArrayLike, age: ArrayLike
) -> FloatArray:
    """Return E[purchases in (T, T + t]] given the history.

    P(alive)·(r + x)/(α + T)·(β + T)/(s − 1)·(1 − ((β + T)/(β + T + t))^(s − 1)).
    """
    history = checked_history(x, t_x, age)
    rate = (params.r + history.x) / (params.alpha + history.age)
    left = _time_left(params.s, params.beta + history.age, t)
    return conditional_alive(params, *history) * rate * left


def discounted_purchases(
    params: ParetoNbd,
    discount: float,
    x: ArrayLike = 0,
    t_x: ArrayLike = 0,
    age: ArrayLike = 0,
) -> FloatArray:
    """Return the discounted number of purchases that each customer still makes (DERT).

    P(alive)·(r + x)/(α + T)·∫ exp(−δt)·((β + T)/(β + T + t))^s dt over t > 0, in the
    closed form of the source a confluent hypergeometric function. Without a history:
    of a new customer, the first purchase not counted.

    Args:
        params: Of the model.
        discount: δ, continuous [per unit of the data]: ln(1.15)/52 a week is 15 % a
            year; above 0.

    Raises:
        FitError: When histories make no sense or the discount is not above 0.
    """
    if not 0 < discount < np.inf:
        raise FitError(f"the discount must be above 0; got {discount:g}")
    history = checked_history(x, t_x, age)
    rate = (params.r + history.x) / (params.alpha + history.age)
    left = _discounted_time(params.s, params.beta + history.age, discount)
    return conditional_alive(params, *history) * rate * left


def _distinct(history: History) -> tuple[History, FloatArray]:
    """Return the histories that there are, and how many customers have each."""
    rows, counts = np.unique(np.column_stack(history), axis=0, return_counts=True)
    return History(*rows.T), counts.astype(np.float64)


def _blocks(history: History) -> Iterator[History]:
    """Yield histories some at a time."""
    for start in range(0, max(len(history.x), 1), _BLOCK):
        yield History(*(values[start : start + _BLOCK] for values in history))


def _time_left(s: float, beta: FloatArray, t: ArrayLike) -> FloatArray:
    """Return the mean time that one of dropout Gamma(s, β) stays within t."""
    grown = np.log1p(np.asarray(t, dtype=np.float64) / beta)
    return np.asarray(beta * grown * exprel((1.0 - s) * grown))


def _discounted_time(s: float, beta: FloatArray, discount: float) -> FloatArray:
    """Return the discounted time that one of dropout Gamma(s, β) still stays.

    With w = log(1 + t/β) it is β·∫ exp(−δβ(e^w − 1) − (s − 1)w) dw, up to where the
    integrand is negligible.
    """
    z = discount * beta[:, np.newaxis]
    steep = min(_NEGLIGIBLE / (s - 1.0), _LARGEST) if s > 1.0 else _LARGEST
    length = np.minimum(np.log1p(_NEGLIGIBLE / z), steep)
    nodes, weights = _gauss(_DISCOUNT_NODES)
    w = length * nodes
    integrand = np.exp(-z * np.expm1(w) - (s - 1.0) * w)
    return np.asarray(beta * length[:, 0] * (integrand @ weights))


@functools.cache
def _gauss(n: int) -> tuple[FloatArray, FloatArray]:
    """Return nodes and weights of Gauss and Legendre on [0, 1]."""
    nodes, weights = np.polynomial.legendre.leggauss(n)
    return (nodes + 1.0) / 2.0, weights / 2.0


def _left(params: ParetoNbd, history: History) -> _Left:
    """Return the integral over the moment of leaving.

    With v = log(m + y), m the smaller of α and β, the integrand falls smoothly: one
    factor is exponential in v, and the other's nearest singularity is π away from the
    range. Where it falls fast the range ends where e^−40 of it is left.
    """
    r, alpha, s, beta = params
    x, t_x, age = history
    within = np.minimum(
        (beta + t_x) * np.expm1(min(_NEGLIGIBLE / (s + 1.0), _LARGEST)),
        (alpha + t_x) * np.expm1(np.minimum(_NEGLIGIBLE / (r + x), _LARGEST)),
    )
    start = min(alpha, beta) + t_x
    length = np.log1p(np.minimum(age - t_x, within) / start)
    nodes, weights = _gauss(_NODES)
    beyond = start[:, np.newaxis] * np.expm1(length[:, np.newaxis] * nodes)
    y = t_x[:, np.newaxis] + beyond
    log_alpha, log_beta = np.log(alpha + y), np.log(beta + y)
    density = (log_alpha if alpha < beta else log_beta) + np.log(s)
    density -= (s + 1.0) * log_beta + (r + x)[:, np.newaxis] * log_alpha
    top = density.max(axis=1)
    parts = np.exp(density - top[:, np.newaxis]) * weights
    total = parts.sum(axis=1)
    with np.errstate(divide="ignore"):
        log_value = top + np.log(total) + np.log(length)
    means = (log_alpha, log_beta, 1.0 / (alpha + y), 1.0 / (beta + y))
    return _Left(log_value, *((parts * values).sum(axis=1) / total for values in means))


def _log_odds_alive(
    params: ParetoNbd, history: History
) -> tuple[FloatArray, FloatArray, _Left]:
    """Return the log-odds of being alive, the log of its likelihood, and the rest."""
    r, alpha, s, beta = params
    left = _left(params, history)
    stayed = -(r + history.x) * np.log(alpha + history.age)
    stayed -= s * np.log(beta + history.age)
    return stayed - left.log_value, stayed, left


def _gradient(params: ParetoNbd, kinds: History, counts: FloatArray) -> _Sums:
    """Return the log-likelihood and its derivatives by r, α, s, β.

    Args:
        params: Of the model.
        kinds: Distinct histories.
        counts: How many customers have each.
    """
    total, slopes, start = 0.0, np.zeros(4), 0
    for block in _blocks(kinds):
        n = counts[start : start + _BLOCK]
        value, slope = _block_gradient(params, block, n)
        total, slopes, start = total + value, slopes + slope, start + _BLOCK
    return total, slopes


def _block_gradient(params: ParetoNbd, history: History, n: FloatArray) -> _Sums:
    """Return the part of some histories in the log-likelihood and its derivatives."""
    r, alpha, s, beta = params
    x, _, age = history
    log_odds, stayed, left = _log_odds_alive(params, history)
    gone = expit(-log_odds)
    alive = 1.0 - gone
    likelihood = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + s * np.log(beta)
    # -log(P(alive)) makes the likelihood of being alive that of both cases.
    likelihood += stayed + np.logaddexp(0.0, -log_odds)
    log_alpha = alive * np.log(alpha + age) + gone * left.log_alpha
    log_beta = alive * np.log(beta + age) + gone * left.log_beta
    by_alpha = (r + x) * (alive / (alpha + age) + gone * left.per_alpha)
    by_beta = s * alive / (beta + age) + (s + 1.0) * gone * left.per_beta
    slopes = (
        digamma(r + x) - digamma(r) + np.log(alpha) - log_alpha,
        r / alpha - by_alpha,
        np.log(beta) + gone / s - log_beta,
        s / beta - by_beta,
    )
    return float(n @ likelihood), np.array([float(n @ slope) for slope in slopes])
