"""The gamma-gamma model of spend per purchase: what an occasion is worth.

A purchase of one customer is gamma with shape p and rate ν, and ν ~ Gamma(q, v) over
customers; how often they buy has no say. The mean of one customer is m = p/ν.

Source:
    Fader & Hardie (2013), The Gamma-Gamma Model of Monetary Value.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import digamma, gammaln

from churnsim.fit.likelihood import (
    CUSTOMERS_MIN,
    SCALES,
    SHAPES,
    FitError,
    FloatArray,
    maximise,
)


class GammaGamma(NamedTuple):
    """Parameters of the gamma-gamma model, all above 0."""

    p: float  # shape of one purchase [-]
    q: float  # shape of ν over customers [-]; above 1 the mean over customers exists
    v: float  # its rate parameter [currency]

    @property
    def mean(self) -> float:
        """Return the mean spend of a customer of whom nothing is known [currency]."""
        return self.p * self.v / (self.q - 1) if self.q > 1 else float("inf")


class GammaGammaFit(NamedTuple):
    """A fit by maximum likelihood."""

    params: GammaGamma
    standard_errors: GammaGamma  # of the parameters, in their units
    covariance: FloatArray  # of p, q, v, shape (3, 3)
    log_likelihood: float  # [-]
    n: int  # customers with spend [-]
    converged: bool  # whether the gradient is zero but for rounding
    correlation: float  # of n and mean over customers [-]; the model supposes 0


class ValuePosterior(NamedTuple):
    """ν ~ Gamma(shape, rate) of each customer, arrays of shape (customers,)."""

    shape: FloatArray  # q + p·n [-]
    rate: FloatArray  # v + n·mean [currency]


class _Spend(NamedTuple):
    """Checked means and counts, shape (customers,)."""

    mean: FloatArray
    n: FloatArray


def fit_gamma_gamma(mean_spend: ArrayLike, n: ArrayLike) -> GammaGammaFit:
    """Return the parameters under which the mean spends are likeliest.

    Args:
        mean_spend: Mean per occasion [currency]. Leave out each customer's first one,
            so that n is the x of the BG/NBD model.
        n: Occasions behind the mean; customers with none are left out.

    Raises:
        FitError: When the figures make no sense or do not determine the parameters.
    """
    spend = _checked(mean_spend, n)
    known = spend.n > 0
    spend = _Spend(spend.mean[known], spend.n[known])
    if len(spend.n) < CUSTOMERS_MIN:
        raise FitError(
            f"a fit needs at least {CUSTOMERS_MIN} customers with repeat spend; "
            f"got {len(spend.n)}; take a larger log"
        )
    low, high = SCALES
    typical = float(spend.mean.mean())
    starts = [
        (p, q, typical * (q - 1) / p)
        for p, q in ((1.0, 2.0), (5.0, 4.0), (2.0, 10.0), (20.0, 3.0))
    ]
    top = maximise(
        lambda values: _gradient(GammaGamma(*values.tolist()), spend),
        {"p": SHAPES, "q": SHAPES, "v": (low * typical, high * typical)},
        starts,
        len(spend.n),
    )
    params = GammaGamma(*top.values.tolist())
    if params.q <= 1:
        raise FitError(
            f"q must be above 1 for mean spend to exist; got {params.q:.3g} from "
            f"{len(spend.n):,} customers; look for outliers among the amounts"
        )
    spread = min(np.ptp(spend.mean), np.ptp(spend.n))
    return GammaGammaFit(
        params=params,
        standard_errors=GammaGamma(*top.standard_errors.tolist()),
        covariance=top.covariance,
        log_likelihood=top.log_likelihood,
        n=len(spend.n),
        converged=top.converged,
        correlation=float(np.corrcoef(spend.mean, spend.n)[0, 1])
        if spread > 0
        else 0.0,
    )


def expected_value(params: GammaGamma, mean: ArrayLike, n: ArrayLike) -> FloatArray:
    """Return E[m] of each customer given the mean of n purchases [currency].

    p·(v + n·mean)/(q + p·n − 1): the prior's mean where n = 0, inf where none exists.
    """
    now = value_posterior(params, mean, n)
    with np.errstate(divide="ignore"):
        value = params.p * now.rate / np.maximum(now.shape - 1, 0.0)
    return np.asarray(value)


def value_posterior(
    params: GammaGamma, mean: ArrayLike, n: ArrayLike
) -> ValuePosterior:
    """Return each customer's distribution of ν given the mean of n purchases."""
    spend = _checked(mean, n)
    return ValuePosterior(
        shape=params.q + params.p * spend.n, rate=params.v + spend.n * spend.mean
    )


def _checked(mean: ArrayLike, n: ArrayLike) -> _Spend:
    """Return spends as arrays, or raise `FitError` for the first that cannot be."""
    spend = _Spend(
        *(np.atleast_1d(np.asarray(values, dtype=np.float64)) for values in (mean, n))
    )
    if spend.mean.shape != spend.n.shape or spend.n.ndim != 1:
        raise FitError("mean spend and n must be of equal length, one entry a customer")
    whole = np.isfinite(spend.n) & (spend.n >= 0) & (spend.n == np.floor(spend.n))
    positive = np.isfinite(spend.mean) & ((spend.mean > 0) | (spend.n == 0))
    for rule, kept in (
        ("n must be a whole number of at least 0", whole),
        ("mean spend must be above 0 where n is", positive),
    ):
        if not kept.all():
            i = int(np.argmin(kept))
            raise FitError(
                f"{rule}; got mean {spend.mean[i]:g}, n {spend.n[i]:g} (customer {i}); "
                "correct the figures"
            )
    return spend


def _gradient(params: GammaGamma, spend: _Spend) -> tuple[float, FloatArray]:
    """Return the log-likelihood and its derivatives by p, q, v.

    Γ(pn + q)/(Γ(pn)Γ(q))·v^q·z^(pn − 1)·n^(pn)/(v + nz)^(pn + q), z the mean.
    """
    p, q, v = params
    z, n = spend
    shape, rate = p * n + q, v + n * z
    log_share = np.log(n * z / rate)
    log_rest = np.log(v / rate)
    likelihood = (
        gammaln(shape)
        - gammaln(p * n)
        - gammaln(q)
        + p * n * log_share
        + q * log_rest
        - np.log(z)
    )
    total = digamma(shape)
    slopes = (
        n * (total - digamma(p * n) + log_share),
        total - digamma(q) + log_rest,
        q / v - shape / rate,
    )
    return float(likelihood.sum()), np.array([slope.sum() for slope in slopes])
