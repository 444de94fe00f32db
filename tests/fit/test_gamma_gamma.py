"""The gamma-gamma model against its integral, conjugacy and simulated spend."""

import math

import mpmath
import numpy as np
import pytest
from scipy.optimize import approx_fprime

from churnsim.fit import FitError, GammaGamma, fit_gamma_gamma, value_posterior
from churnsim.fit.gamma_gamma import _gradient, _Spend, expected_value

CDNOW = GammaGamma(6.25, 3.74, 15.44)


def test_mean__is_the_published_one() -> None:
    """pv/(q − 1) is $35.2 for the published CDNOW parameters."""
    assert CDNOW.mean == pytest.approx(35.2, abs=0.05)


def test_mean__is_infinite_where_none_exists() -> None:
    """With q at most 1 neither the population nor the unknown customer has a mean."""
    assert GammaGamma(6.0, 1.0, 15.0).mean == math.inf
    assert expected_value(GammaGamma(6.0, 0.9, 15.0), 0.0, 0).tolist() == [math.inf]


def test_expected_value__weighs_the_prior_against_the_customer() -> None:
    """It is the mean for the unknown and tends to the own mean as n grows."""
    found = expected_value(CDNOW, [0.0, 60.0, 60.0, 60.0], [0, 1, 10, 100_000])
    weight = (3.74 - 1) / (6.25 + 3.74 - 1)
    assert found[0] == pytest.approx(CDNOW.mean, rel=1e-12)
    assert found[1] == pytest.approx(weight * CDNOW.mean + (1 - weight) * 60, rel=1e-12)
    assert found[1] < found[2] < found[3] < 60
    assert found[3] == pytest.approx(60, rel=1e-3)


def test_value_posterior__has_the_expected_value() -> None:
    """p/ν under the posterior has the mean that the closed form gives."""
    now = value_posterior(CDNOW, 42.0, 5)
    shape, rate = float(now.shape[0]), float(now.rate[0])
    with mpmath.workdps(30):
        mean = mpmath.quad(
            lambda nu: (
                (6.25 / nu * mpmath.exp(-rate * nu) * (rate * nu) ** (shape - 1) * rate)
                / mpmath.gamma(shape)
            ),
            [0, 0.05, 0.2, 1, 3],
        )
    expected = expected_value(CDNOW, 42.0, 5)[0]
    assert expected == pytest.approx(float(mean), rel=1e-9)
    assert (shape, rate) == (3.74 + 6.25 * 5, 15.44 + 5 * 42.0)


def test_log_likelihood__equals_the_density_by_integral() -> None:
    """The mean of n gammas, over ν, for n 4 and mean 30."""
    p, q, v = CDNOW

    def weighted(nu: mpmath.mpf) -> mpmath.mpf:
        mean = (4 * nu) ** (4 * p) * 30 ** (4 * p - 1) * mpmath.exp(-4 * nu * 30)
        prior = v**q * nu ** (q - 1) * mpmath.exp(-v * nu)
        return mean / mpmath.gamma(4 * p) * prior / mpmath.gamma(q)

    with mpmath.workdps(40):
        density = mpmath.quad(weighted, [0, 0.1, 0.3, 1, 4])
    found = _gradient(CDNOW, _Spend(np.array([30.0]), np.array([4.0])))[0]
    assert found == pytest.approx(float(mpmath.log(density)), rel=1e-9)


def test_log_likelihood__has_the_slopes_it_claims() -> None:
    """Derivatives by p, q, v agree with differences of the values."""
    spend = _Spend(np.array([30.0, 5.0, 80.0]), np.array([4.0, 1.0, 2.0]))
    at = np.array(CDNOW)
    slopes = _gradient(CDNOW, spend)[1]
    differences = approx_fprime(
        at, lambda values: _gradient(GammaGamma(*values.tolist()), spend)[0], 1e-6
    )
    assert slopes == pytest.approx(differences, rel=1e-4)


def test_fit_gamma_gamma__recovers_the_parameters_of_simulated_customers() -> None:
    """Over 15 logs of 800 customers estimates miss by as much as their errors say."""
    rng = np.random.default_rng(21)
    z = []
    for _ in range(15):
        n = rng.geometric(0.4, 800)
        nu = rng.gamma(CDNOW.q, 1 / CDNOW.v, 800)
        mean = rng.gamma(CDNOW.p * n, 1 / (nu * n))
        fit = fit_gamma_gamma(mean, n)
        relative = np.array(fit.standard_errors) / np.array(fit.params)
        z.append(np.log(np.array(fit.params) / np.array(CDNOW)) / relative)
        assert abs(fit.correlation) < 5 / math.sqrt(800)
    scores = np.array(z)
    # As in test_bgnbd: z = 4 for the mean, 3.5 for the root mean square.
    assert np.max(np.abs(scores.mean(axis=0))) < 1.04
    spread = np.sqrt((scores**2).mean(axis=0))
    assert spread.min() > 0.43
    assert spread.max() < 1.67


def test_fit_gamma_gamma__leaves_out_customers_without_spend() -> None:
    """Customers with n 0 change nothing."""
    rng = np.random.default_rng(22)
    mean, n = rng.gamma(3, 1, 300) / rng.gamma(4, 0.1, 300), rng.integers(1, 5, 300)
    alone = fit_gamma_gamma(mean, n)
    beside = fit_gamma_gamma(np.r_[mean, np.zeros(40)], np.r_[n, np.zeros(40)])
    assert beside.params == alone.params
    assert beside.n == 300


def test_fit_gamma_gamma__says_when_everybody_spends_the_same() -> None:
    """P and q run away together, and are named."""
    with pytest.raises(FitError, match="settle p, q"):
        fit_gamma_gamma(np.full(100, 20.0), np.full(100, 3))


def test_fit_gamma_gamma__refuses_a_law_without_a_mean() -> None:
    """Spend so spread that q is at most 1 is refused, with a hint at outliers."""
    rng = np.random.default_rng(23)
    mean = rng.gamma(18, 1 / 18, 3000) / rng.gamma(0.6, 0.1, 3000)
    with pytest.raises(FitError, match=r"q must be above 1 .* look for outliers"):
        fit_gamma_gamma(mean, np.full(3000, 3))


def test_fit_gamma_gamma__refuses_too_few_customers() -> None:
    """Nine with spend are too few, however many have none."""
    with pytest.raises(FitError, match="10 customers with repeat spend; got 9"):
        fit_gamma_gamma(
            np.r_[np.full(9, 5.0), np.zeros(50)], np.r_[np.ones(9), [0] * 50]
        )


@pytest.mark.parametrize(
    ("mean", "n", "rule"),
    [
        (0.0, 1, "mean spend must be above 0"),
        (-3.0, 1, "mean spend must be above 0"),
        (math.nan, 1, "mean spend must be above 0"),
        (math.inf, 0, "mean spend must be above 0"),
        (5.0, -1, "n must be a whole number"),
        (5.0, 1.5, "n must be a whole number"),
        ([5.0, 5.0], 1, "of equal length"),
    ],
)
def test_value_posterior__refuses_figures_that_cannot_be(
    mean: float, n: float, rule: str
) -> None:
    """The broken rule is named."""
    with pytest.raises(FitError, match=rule):
        value_posterior(CDNOW, mean, n)
