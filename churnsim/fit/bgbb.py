"""The BG/BB model of Fader, Hardie & Shang (2010): who takes the chances to buy.

There are n occasions, such as a year's appeal for donations. A living customer takes
each with probability p ~ Beta(α, β); before each the customer is gone with probability
θ ~ Beta(γ, δ). x counts the occasions taken, t_x is the number of the last, 0 if none.

Source:
    Fader, Hardie & Shang (2010), Customer-Base Analysis in a Discrete-Time
    Noncontractual Setting, Marketing Science 29 (6).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaln, digamma, gammaln, logsumexp

from churnsim.fit.likelihood import SHAPES, FitError, FloatArray, maximise


class BgBb(NamedTuple):
    """Parameters of the BG/BB model, all above 0 [-]."""

    alpha: float  # of taking a chance: mean α/(α + β)
    beta: float
    gamma: float  # of leaving before one: mean γ/(γ + δ)
    delta: float


class BgBbFit(NamedTuple):
    """A fit by maximum likelihood."""

    params: BgBb
    standard_errors: BgBb  # of the parameters [-]
    covariance: FloatArray  # of alpha, beta, gamma, delta, shape (4, 4)
    log_likelihood: float  # [-]
    n: int  # customers [-]
    converged: bool  # whether the gradient is zero but for rounding


class _Table(NamedTuple):
    """Histories and how many customers have each, shape (histories,)."""

    x: FloatArray
    t_x: FloatArray
    customers: FloatArray
    n: int  # occasions


def fit_bgbb(x: ArrayLike, t_x: ArrayLike, customers: ArrayLike, n: int) -> BgBbFit:
    """Return the parameters under which a table of histories is likeliest.

    Args:
        x: Occasions taken.
        t_x: Number of the last one taken, 0 where x = 0.
        customers: How many have this history.
        n: Occasions that there were.

    Raises:
        FitError: When histories make no sense or do not determine the parameters.
    """
    table = _checked(x, t_x, customers, n)
    if not (table.customers @ table.x):
        raise FitError("a fit needs occasions taken; got none; take a longer window")
    top = maximise(
        lambda values: _gradient(BgBb(*values.tolist()), table),
        dict.fromkeys(BgBb._fields, SHAPES),
        [(1.0, 1.0, 1.0, 3.0), (0.5, 2.0, 0.5, 5.0), (3.0, 1.0, 0.5, 1.0)],
        int(table.customers.sum()),
    )
    return BgBbFit(
        params=BgBb(*top.values.tolist()),
        standard_errors=BgBb(*top.standard_errors.tolist()),
        covariance=top.covariance,
        log_likelihood=top.log_likelihood,
        n=int(table.customers.sum()),
        converged=top.converged,
    )


def log_likelihood(
    params: BgBb, x: ArrayLike, t_x: ArrayLike, customers: ArrayLike, n: int
) -> float:
    """Return the log-likelihood of a table of histories (equation 5)."""
    return _gradient(params, _checked(x, t_x, customers, n))[0]


def pmf(params: BgBb, n: int) -> FloatArray:
    """Return P(X(n) = x) of a new customer for x = 0..n (equation 7).

    Among those gone before the i-th of n occasions, x of i − 1 chances were taken.
    """
    x = np.arange(n + 1.0)
    lived = np.arange(n + 1.0)[:, np.newaxis]
    left = betaln(params.gamma + 1.0, params.delta + lived)
    stayed = betaln(params.gamma, params.delta + n)
    ending = np.where(lived < n, left, stayed) - betaln(params.gamma, params.delta)
    missed = np.maximum(lived - x, 0.0)
    chosen = gammaln(lived + 1.0) - gammaln(x + 1.0) - gammaln(missed + 1.0)
    taken = betaln(params.alpha + x, params.beta + missed)
    taken -= betaln(params.alpha, params.beta)
    terms = np.where(x <= lived, chosen + taken + ending, -np.inf)
    return np.asarray(np.exp(logsumexp(terms, axis=0)))


def _checked(x: ArrayLike, t_x: ArrayLike, customers: ArrayLike, n: int) -> _Table:
    """Return a table as arrays, or raise `FitError` for the first that cannot be."""
    columns = [np.atleast_1d(np.asarray(v, np.float64)) for v in (x, t_x, customers)]
    if len({column.shape for column in columns}) != 1 or columns[0].ndim != 1:
        raise FitError("x, t_x and customers must be of equal length, one a history")
    table = _Table(columns[0], columns[1], columns[2], n)
    whole = [np.isfinite(v) & (v >= 0) & (v == np.floor(v)) for v in columns]
    ordered = (table.x <= table.t_x) & (table.t_x <= n)
    matched = (table.x == 0) == (table.t_x == 0)
    good = np.logical_and.reduce([*whole, ordered, matched])
    if not good.all():
        i = int(np.argmin(good))
        raise FitError(
            f"x ≤ t_x ≤ {n} and customers must be whole numbers of at least 0, t_x 0 "
            f"where x is; got x {table.x[i]:g}, t_x {table.t_x[i]:g}, customers "
            f"{table.customers[i]:g} (history {i}); correct the history"
        )
    return table


def _gradient(params: BgBb, table: _Table) -> tuple[float, FloatArray]:
    """Return the log-likelihood and its derivatives by α, β, γ, δ.

    A history is a sum over the last occasion lived, from t_x to n.
    """
    alpha, beta, gamma, delta = params
    x, t_x = table.x[:, np.newaxis], table.t_x[:, np.newaxis]
    lived = np.arange(table.n + 1.0)
    is_last = lived == table.n
    missed = np.maximum(lived - x, 0.0)
    gone = gamma + np.where(is_last, 0.0, 1.0)
    stayed = delta + lived
    terms = betaln(alpha + x, beta + missed) - betaln(alpha, beta)
    terms += betaln(gone, stayed) - betaln(gamma, delta)
    terms = np.where(lived >= t_x, terms, -np.inf)
    likelihood = logsumexp(terms, axis=1)
    parts = np.exp(terms - likelihood[:, np.newaxis])
    taking = digamma(alpha + beta) - digamma(alpha + beta + x + missed)
    leaving = digamma(gamma + delta) - digamma(gone + stayed)
    slopes = (
        digamma(alpha + x) - digamma(alpha) + taking,
        digamma(beta + missed) - digamma(beta) + taking,
        digamma(gone) - digamma(gamma) + leaving,
        digamma(stayed) - digamma(delta) + leaving,
    )
    each = np.array([(parts * slope).sum(axis=1) for slope in slopes])
    return float(table.customers @ likelihood), each @ table.customers
