"""The shifted beta-geometric model of Fader & Hardie (2007): who renews a contract.

At each renewal a customer leaves with probability θ ~ Beta(α, β), always the same one.
Those who leave easily leave first, so retention rises with age though nobody changes.
Time is counted in renewals: S(0) = 1, and S(1) is who is left after the first.

Source:
    Fader & Hardie (2007), How to Project Customer Retention, Journal of Interactive
    Marketing 21 (1); (2010), Customer-Base Valuation in a Contractual Setting,
    Marketing Science 29 (1).
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from churnsim.fit.likelihood import (
    CUSTOMERS_MIN,
    SHAPES,
    FitError,
    FloatArray,
    maximise,
)

PERIODS_MIN: Final = 2  # one share cannot settle two parameters


class Sbg(NamedTuple):
    """Parameters of the sBG model, both above 0: θ has mean α/(α + β)."""

    alpha: float  # [-]
    beta: float  # [-]


class SbgFit(NamedTuple):
    """A fit by maximum likelihood."""

    params: Sbg
    standard_errors: Sbg  # of the parameters [-]
    covariance: FloatArray  # of alpha, beta, shape (2, 2)
    log_likelihood: float  # [-]
    n: int  # customers at the start [-]
    converged: bool  # whether the gradient is zero but for rounding


def fit_sbg(survivors: ArrayLike) -> SbgFit:
    """Return the parameters under which a cohort's survival is likeliest.

    Given who is left, the losses of a period are binomial with the model's retention,
    so that those who are left at the end count as what they are: censored.

    Args:
        survivors: Customers at the start and after each renewal, shape (periods + 1,).

    Raises:
        FitError: When the counts make no sense or do not determine the parameters.
    """
    counts = _checked(survivors)
    n = int(counts[0])
    top = maximise(
        lambda values: _gradient(Sbg(*values.tolist()), counts),
        {"alpha": SHAPES, "beta": SHAPES},
        [(1.0, 3.0), (0.5, 0.5), (5.0, 50.0), (0.1, 1.0)],
        n,
    )
    return SbgFit(
        params=Sbg(*top.values.tolist()),
        standard_errors=Sbg(*top.standard_errors.tolist()),
        covariance=top.covariance,
        log_likelihood=top.log_likelihood,
        n=n,
        converged=top.converged,
    )


def log_likelihood(params: Sbg, survivors: ArrayLike) -> float:
    """Return the log-likelihood of a cohort's survival."""
    return _gradient(params, _checked(survivors))[0]


def survival(params: Sbg, t: ArrayLike) -> FloatArray:
    """Return S(t), the share left after t renewals: B(α, β + t)/B(α, β).

    As the product of retention so far: the beta functions would cancel where customers
    hardly differ.

    Args:
        params: Of the model.
        t: Whole numbers of renewals, from 0.
    """
    renewals = np.asarray(t, dtype=np.int64)
    kept = params.beta + np.arange(float(renewals.max(initial=0)))
    logs = np.concatenate(([0.0], -np.cumsum(np.log1p(params.alpha / kept))))
    return np.asarray(np.exp(logs[renewals]))


def retention(params: Sbg, t: ArrayLike) -> FloatArray:
    """Return the share of those left after t − 1 renewals who renew at the t-th.

    (β + t − 1)/(α + β + t − 1).
    """
    kept = params.beta + np.asarray(t, dtype=np.float64) - 1.0
    return np.asarray(kept / (params.alpha + kept))


def expected_lifetime(params: Sbg, discount: float) -> FloatArray:
    """Return a new customer's discounted expected lifetime (DEL) [periods].

    Σ S(t)/(1 + d)^t over t ≥ 0 = ₂F₁(1, β; α + β; 1/(1 + d)): the period that begins at
    once is in it.

    Args:
        params: Of the model.
        discount: d, what a period takes off [-], above 0.
    """
    alpha, beta = params
    return _hyp2f1(np.array(beta), np.array(alpha + beta), discount)


def residual_lifetime(params: Sbg, renewals: ArrayLike, discount: float) -> FloatArray:
    """Return the discounted expected residual lifetime (DERL) just before a renewal.

    Of a customer in the n-th period, who has renewed n − 1 times: retention at the n-th
    renewal times what one who has renewed n times still brings [periods].

    Args:
        params: Of the model.
        renewals: n, the number of the renewal that comes next, from 1.
        discount: d, what a period takes off [-], above 0.
    """
    alpha, beta = params
    n = np.asarray(renewals, dtype=np.float64)
    later = _hyp2f1(beta + n, alpha + beta + n, discount)
    return np.asarray(retention(params, n) * later)


def _hyp2f1(b: FloatArray, c: FloatArray, discount: float) -> FloatArray:
    """Return ₂F₁(1, b; c; 1/(1 + d)) by the continued fraction of Gauss.

    scipy's is not a number where b and c are large, which is where customers hardly
    differ. The fraction's error falls by a factor of at least exp(−4√(1 − z)) with each
    pair of terms (DLMF 15.7.5).

    Raises:
        FitError: When the discount is not above 0.
    """
    if not 0 < discount < np.inf:
        raise FitError(f"the discount must be above 0; got {discount:g}")
    z = 1.0 / (1.0 + discount)
    pairs = int(10.0 / np.sqrt(1.0 - z)) + 10
    value = np.ones(np.shape(b))
    for k in range(pairs, -1, -1):
        if k < pairs:
            value = (
                1.0
                - z * (k + 1) * (c - b + k) / ((c + 2 * k) * (c + 2 * k + 1)) / value
            )
        odd = (b + k) * (c + k - 1) / ((c + 2 * k - 1) * (c + 2 * k)) if k else b / c
        value = 1.0 - z * odd / value
    return np.asarray(1.0 / value)


def _checked(survivors: ArrayLike) -> FloatArray:
    """Return survivors as an array, or raise `FitError` for what cannot be."""
    counts = np.asarray(survivors, dtype=np.float64)
    if counts.ndim != 1 or len(counts) <= PERIODS_MIN:
        raise FitError(
            f"a survival table must hold the start and at least {PERIODS_MIN} periods; "
            f"got {max(counts.size - 1, 0)}; wait for more periods"
        )
    whole = np.isfinite(counts) & (counts >= 0) & (counts == np.floor(counts))
    if not whole.all():
        i = int(np.argmin(whole))
        raise FitError(
            f"survivors must be whole numbers of at least 0; got {counts[i]:g} in "
            f"period {i}; multiply shares by the number of customers at the start"
        )
    rises = np.diff(counts) > 0
    if rises.any():
        i = int(np.argmax(rises))
        raise FitError(
            f"survivors must never rise; got {counts[i]:g} and then {counts[i + 1]:g} "
            f"in period {i + 1}; count one cohort only, and nobody who came back"
        )
    if counts[0] < CUSTOMERS_MIN:
        raise FitError(
            f"a fit needs at least {CUSTOMERS_MIN} customers at the start; "
            f"got {counts[0]:g}; take a larger cohort"
        )
    if counts[-1] == counts[0]:
        raise FitError(
            f"a fit needs losses; got none of {counts[0]:g} customers; "
            "wait for more periods"
        )
    return counts


def _gradient(params: Sbg, counts: FloatArray) -> tuple[float, FloatArray]:
    """Return the log-likelihood and its derivatives by α and β."""
    alpha, beta = params
    kept = beta + np.arange(len(counts) - 1.0)
    before, after = counts[:-1], counts[1:]
    lost = before - after
    both = np.log(alpha + kept)
    likelihood = after @ (np.log(kept) - both) + lost @ (np.log(alpha) - both)
    common = before / (alpha + kept)
    slopes = np.array([(lost / alpha - common).sum(), (after / kept - common).sum()])
    return float(likelihood), slopes
