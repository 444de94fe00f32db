"""The BG/NBD model of Fader, Hardie & Lee (2005): how often, and for how long.

Purchases are Poisson with rate λ ~ Gamma(r, α); after each repeat purchase the customer
is gone with probability p ~ Beta(a, b). All times are in one unit, weeks as a rule, and
α is in that unit. x counts purchases after the first, t_x is the time of the last, and
`age` (T in the paper) the time observed, both since the first purchase.

Source:
    Fader, Hardie & Lee (2005), "Counting Your Customers" the Easy Way, Marketing
    Science 24 (2): equation numbers below are theirs.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betainc, betaln, digamma, expit, gammaln, hyp2f1, xlogy

from churnsim.fit.histories import History, check_enough, checked_history
from churnsim.fit.likelihood import SCALES, SHAPES, FloatArray, maximise

_NEAR: Final = 1e-4  # distance from a = 1 and a + b = 1, where 0/0 arises


class BgNbd(NamedTuple):
    """Parameters of the BG/NBD model, all above 0."""

    r: float  # shape of the rate's gamma [-]
    alpha: float  # its rate parameter, a time [unit of the data, weeks as a rule]
    a: float  # dropout's beta [-]: mean a/(a + b)
    b: float  # [-]


class BgNbdFit(NamedTuple):
    """A fit by maximum likelihood."""

    params: BgNbd
    standard_errors: BgNbd  # of the parameters, in their units
    covariance: FloatArray  # of r, alpha, a, b, shape (4, 4)
    log_likelihood: float  # [-]
    n: int  # customers [-]
    converged: bool  # whether the gradient is zero but for rounding


class Posterior(NamedTuple):
    """What one customer's history says of that customer, arrays of shape (customers,).

    With `alive_probability` the customer is alive; then λ ~ Gamma(rate_shape,
    1/rate_scale) and p ~ Beta(dropout_a, dropout_b), independent of each other. Else
    the customer is gone.
    """

    alive_probability: FloatArray  # [-], in (0, 1]
    rate_shape: FloatArray  # r + x [-]
    rate_scale: FloatArray  # α + T [unit of the data]: mean rate = shape/scale
    dropout_a: FloatArray  # a [-]
    dropout_b: FloatArray  # b + x [-]


class _Counts(NamedTuple):
    """The values that x takes and how many customers have each: few, always."""

    x: FloatArray
    n: FloatArray


def fit_bgnbd(x: ArrayLike, t_x: ArrayLike, age: ArrayLike) -> BgNbdFit:
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
    n = len(history.x)
    counts = _counted(history)
    rate = float(history.x.sum() / history.age.sum())
    starts = [
        (r, r / rate / slower, a, b)
        for r, slower, a, b in (
            (0.3, 1.0, 0.5, 2.0),
            (1.0, 2.0, 1.0, 5.0),
            (4.0, 1.5, 2.0, 4.0),
            (0.5, 1.0, 0.2, 4.0),
        )
    ]
    (low, high), old = SCALES, float(history.age.mean())
    top = maximise(
        lambda values: _gradient(BgNbd(*values.tolist()), history, counts),
        {"r": SHAPES, "alpha": (low * old, high * old), "a": SHAPES, "b": SHAPES},
        starts,
        n,
    )
    return BgNbdFit(
        params=BgNbd(*top.values.tolist()),
        standard_errors=BgNbd(*top.standard_errors.tolist()),
        covariance=top.covariance,
        log_likelihood=top.log_likelihood,
        n=n,
        converged=top.converged,
    )


def log_likelihood(
    params: BgNbd, x: ArrayLike, t_x: ArrayLike, age: ArrayLike
) -> float:
    """Return the log-likelihood of all histories together (equation 6)."""
    history = checked_history(x, t_x, age)
    return _gradient(params, history, _counted(history))[0]


def expected_purchases(params: BgNbd, t: ArrayLike) -> FloatArray:
    """Return E[X(t)], repeat purchases of a new customer until t (equation 9).

    (a + b − 1)/(a − 1)·(1 − (α/(α + t))^r·₂F₁(r, b; a + b − 1; t/(α + t))), evaluated
    after Euler's transformation of ₂F₁, which stays in range for any r.
    """
    r, alpha, a, b = (np.asarray(value, dtype=np.float64) for value in params)
    return _expected(r, alpha, a, b, np.asarray(t, dtype=np.float64))


def probability_alive(params: BgNbd, t: ArrayLike) -> FloatArray:
    """Return the share of new customers still alive at t.

    E[(α/(α + p·t))^r] over p ~ Beta(a, b) = ₂F₁(r, a; a + b; −t/α), evaluated after
    Pfaff's transformation, whose terms are all positive.
    """
    r, alpha, a, b = params
    kept = alpha / (alpha + np.asarray(t, dtype=np.float64))
    return np.asarray(kept**r * hyp2f1(r, b, a + b, 1.0 - kept))


def pmf(params: BgNbd, t: ArrayLike, n: ArrayLike) -> FloatArray:
    """Return P(X(t) = n) for a new customer (equation 8).

    The sum over j < n is a negative binomial's distribution function, an incomplete
    beta integral.
    """
    r, alpha, a, b = params
    t = np.asarray(t, dtype=np.float64)
    n = np.asarray(n, dtype=np.float64)
    share = t / (alpha + t)
    here = betaln(a, b + n) - betaln(a, b)
    counted = gammaln(r + n) - gammaln(r) - gammaln(n + 1)
    counted += r * np.log1p(-share) + xlogy(n, share)
    at_least = np.maximum(n, 1)
    left = betaln(a + 1, b + at_least - 1) - betaln(a, b)
    reached = np.exp(left) * betainc(at_least, r, share)
    return np.asarray(np.exp(here + counted) + np.where(n > 0, reached, 0.0))


def conditional_alive(
    params: BgNbd, x: ArrayLike, t_x: ArrayLike, age: ArrayLike
) -> FloatArray:
    """Return P(alive at T) given the history.

    1/(1 + δ(x > 0)·a/(b + x − 1)·((α + T)/(α + t_x))^(r + x)).

    Source:
        Fader, Hardie & Lee (2008), Computing P(alive) Using the BG/NBD Model.
    """
    return _alive(params, checked_history(x, t_x, age))


def conditional_expected_purchases(
    params: BgNbd, t: ArrayLike, x: ArrayLike, t_x: ArrayLike, age: ArrayLike
) -> FloatArray:
    """Return E[purchases in (T, T + t]] given the history (equation 10)."""
    return coming_purchases(posterior(params, x, t_x, age), t)


def coming_purchases(now: Posterior, t: ArrayLike) -> FloatArray:
    """Return E[purchases in (T, T + t]] of each customer as of T (equation 10).

    P(alive at T) times the expectation of a new customer with the parameters of the
    posterior: r + x, α + T, a, b + x.

    Args:
        now: What the history says.
        t: How long from T on [unit of the posterior's rate_scale].
    """
    coming = _expected(
        now.rate_shape,
        now.rate_scale,
        now.dropout_a,
        now.dropout_b,
        np.asarray(t, dtype=np.float64),
    )
    return now.alive_probability * coming


def posterior(params: BgNbd, x: ArrayLike, t_x: ArrayLike, age: ArrayLike) -> Posterior:
    """Return each customer's distribution of traits at T given the history.

    While alive the likelihood is λ^x·exp(−λT)·(1 − p)^x, a product, so both priors
    stay what they are and stay independent.
    """
    history = checked_history(x, t_x, age)
    return Posterior(
        alive_probability=_alive(params, history),
        rate_shape=params.r + history.x,
        rate_scale=params.alpha + history.age,
        dropout_a=np.full(len(history.x), params.a),
        dropout_b=params.b + history.x,
    )


def _expected(
    r: FloatArray, alpha: FloatArray, a: FloatArray, b: FloatArray, t: FloatArray
) -> FloatArray:
    """Return E[X(t)]; beside its removable gaps in a, from both sides of them."""
    gap = np.where(np.abs(a - 1) < _NEAR, 1.0, 1 - b)
    near = np.abs(a - gap) < _NEAR
    low = np.where(near, gap - _NEAR, a)
    high = np.where(near, gap + _NEAR, a)
    part = np.where(near, (a - low) / (2 * _NEAR), 0.0)
    below = _expected_beside(r, alpha, low, b, t)
    return below + part * (_expected_beside(r, alpha, high, b, t) - below)


def _expected_beside(
    r: FloatArray, alpha: FloatArray, a: FloatArray, b: FloatArray, t: FloatArray
) -> FloatArray:
    """Return E[X(t)] where a and a + b are not 1."""
    share = t / (alpha + t)
    stayed = np.exp((a - 1) * np.log1p(-share))
    series = hyp2f1(a - 1, a + b - 1 - r, a + b - 1, share)
    return np.asarray((a + b - 1) / (a - 1) * (1 - stayed * series))


def _alive(params: BgNbd, history: History) -> FloatArray:
    return np.asarray(expit(_log_odds_alive(params, history)))


def _log_odds_alive(params: BgNbd, history: History) -> FloatArray:
    """Return the log-odds of being alive, inf where nothing was bought again."""
    r, alpha, a, b = params
    x = np.maximum(history.x, 1)
    grown = np.log((alpha + history.age) / (alpha + history.t_x))
    odds = np.log(b + x - 1) - np.log(a) - (r + x) * grown
    return np.where(history.x > 0, odds, np.inf)


def _counted(history: History) -> _Counts:
    x, n = np.unique(history.x, return_counts=True)
    return _Counts(x, n.astype(np.float64))


def _gradient(
    params: BgNbd, history: History, counts: _Counts
) -> tuple[float, FloatArray]:
    """Return the log-likelihood and its derivatives by r, α, a, b.

    What depends on x alone, and needs the gamma function, is summed over `counts`.
    """
    r, alpha, a, b = params
    x, t_x, age = history
    kind, n = counts
    log_odds = _log_odds_alive(params, history)
    gone = expit(-log_odds)
    alive = 1 - gone
    log_age, log_t_x = np.log(alpha + age), np.log(alpha + t_x)
    by_kind = gammaln(r + kind) - gammaln(r) + betaln(a, b + kind) - betaln(a, b)
    by_kind += r * np.log(alpha)
    # -log(P(alive)) makes the likelihood of being alive that of both cases.
    likelihood = np.logaddexp(0.0, -log_odds) - (r + x) * log_age
    total = digamma(a + b + kind) - digamma(a + b)
    rate = digamma(r + kind) - digamma(r) + np.log(alpha)
    kept = digamma(b + kind) - digamma(b) - total
    lost = gone / (b + np.maximum(x, 1) - 1)
    slopes = (
        n @ rate - (alive * log_age + gone * log_t_x).sum(),
        (r / alpha - (r + x) * (alive / (alpha + age) + gone / (alpha + t_x))).sum(),
        gone.sum() / a - n @ total,
        n @ kept - lost.sum(),
    )
    return float(n @ by_kind + likelihood.sum()), np.array(slopes)
