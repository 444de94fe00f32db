"""The sBG model against the published cohorts, sums and simulated customers."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.optimize import approx_fprime

from churnsim.fit import FitError, Sbg, fit_sbg
from churnsim.fit.sbg import (
    expected_lifetime,
    log_likelihood,
    residual_lifetime,
    retention,
    survival,
)

# Fader & Hardie (2007), table 1, of 1,000 customers each: the seven years to fit.
HIGH_END = (1000, 869, 743, 653, 593, 551, 517, 491)
REGULAR = (1000, 631, 468, 382, 326, 289, 262, 241)
HIGH = Sbg(0.668, 3.806)


@pytest.mark.parametrize(
    ("survivors", "published", "likelihood"),
    [(HIGH_END, (0.668, 3.806), -1611.2), (REGULAR, (0.704, 1.182), -1680.3)],
)
def test_fit_sbg__finds_the_published_parameters(
    survivors: tuple[int, ...], published: tuple[float, float], likelihood: float
) -> None:
    """High end α .668 and β 3.806, regular .704 and 1.182.

    The preprint's text prints an α of .688 for the high end; its appendix has .668,
    which is where the likelihood is highest.
    """
    fit = fit_sbg(survivors)
    assert tuple(round(value, 3) for value in fit.params) == published
    assert fit.log_likelihood == pytest.approx(likelihood, abs=0.05)
    assert (fit.n, fit.converged) == (1000, True)


def test_fit_sbg__prefers_the_appendix_to_the_misprint() -> None:
    """With α .688 the high end is less likely, by .197."""
    misprint = log_likelihood(HIGH._replace(alpha=0.688), HIGH_END)
    ahead = log_likelihood(HIGH, HIGH_END) - misprint
    assert ahead == pytest.approx(0.197, abs=5e-4)


def test_survival__equals_the_figures_for_the_high_end() -> None:
    """85.069 % after a year to 37.804 % after twelve, three decimals each."""
    figures = [85.069, 74.688, 66.982, 60.995, 56.187, 52.225]
    figures += [48.894, 46.048, 43.582, 41.421, 39.510, 37.804]
    assert (100 * survival(HIGH, np.arange(1, 13))).round(3).tolist() == figures


def test_survival__misses_the_published_cohort_by_at_most_two_points() -> None:
    """Fitted to seven years, it stays within 1.84 points over twelve."""
    actual = [86.9, 74.3, 65.3, 59.3, 55.1, 51.7, 49.1, 46.8, 44.5, 42.7, 40.9, 39.4]
    gap = np.abs(100 * survival(HIGH, np.arange(1, 13)) - actual)
    assert gap.max() == pytest.approx(1.83, abs=0.005)


def test_lifetimes__equal_the_published_ones() -> None:
    """At 10 % DEL is 5.92260 and DERL 5.41486 to 7.52995 before the first 8 renewals.

    Fader & Hardie (2010) print 7.530 for the last.
    """
    assert float(expected_lifetime(HIGH, 0.1)) == pytest.approx(5.92260, abs=5e-6)
    figures = [5.41486, 5.90175, 6.29426, 6.62028, 6.89706, 7.13600, 7.34505, 7.52995]
    assert residual_lifetime(HIGH, np.arange(1, 9), 0.1).round(5).tolist() == figures


def test_lifetimes__are_the_sums_that_they_stand_for() -> None:
    """Over 4,000 renewals the terms add up to the closed forms."""
    t = np.arange(4000.0)
    left = survival(HIGH, t) / 1.1**t
    assert float(expected_lifetime(HIGH, 0.1)) == pytest.approx(left.sum(), rel=1e-10)
    after = survival(HIGH, t + 3) / survival(HIGH, 2) / 1.1**t
    assert float(residual_lifetime(HIGH, 3, 0.1)) == pytest.approx(
        after.sum(), rel=1e-10
    )


@pytest.mark.parametrize("params", [HIGH, Sbg(1e-3, 5e3), Sbg(9e3, 2.0), Sbg(8e3, 9e3)])
@pytest.mark.parametrize("discount", [1e-6, 0.01, 0.1, 3.0])
def test_lifetimes__equal_their_hypergeometric_form(
    params: Sbg, discount: float
) -> None:
    """Whatever the shapes and the discount, as mpmath has it."""
    alpha, beta = params
    with mpmath.workdps(40):
        z = 1 / (1 + mpmath.mpf(discount))
        expected = float(mpmath.hyp2f1(1, beta, mpmath.mpf(alpha) + beta, z))
    assert float(expected_lifetime(params, discount)) == pytest.approx(
        expected, rel=1e-9
    )


@pytest.mark.parametrize("discount", [0.0, -0.1, math.nan])
def test_lifetimes__refuse_a_discount_that_is_none(discount: float) -> None:
    """At 0 the sum may have no end."""
    with pytest.raises(FitError, match="the discount must be above 0"):
        expected_lifetime(HIGH, discount)


def test_lifetimes__of_equal_customers_are_the_annuity() -> None:
    """If all leave with probability .15, S is .85^t and the sum 1/(1 − .85/1.1)."""
    alike = Sbg(0.15e9, 0.85e9)
    assert survival(alike, [1, 5]) == pytest.approx([0.85, 0.85**5], rel=1e-6)
    whole = 1 / (1 - 0.85 / 1.1)
    assert float(expected_lifetime(alike, 0.1)) == pytest.approx(whole, rel=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.floats(0.05, 50), st.floats(0.05, 50))
def test_retention__rises_with_age_and_multiplies_to_survival(
    alpha: float, beta: float
) -> None:
    """Those who leave easily leave first; S is the product of retention so far."""
    params, t = Sbg(alpha, beta), np.arange(1.0, 30.0)
    kept = retention(params, t)
    assert np.all(np.diff(kept) > 0)
    assert np.cumprod(kept) == pytest.approx(survival(params, t), rel=1e-9)


def test_log_likelihood__is_the_published_sum() -> None:
    """Losses times log P(T = t), and those left at the end times log S."""
    found = log_likelihood(HIGH, HIGH_END)
    left = survival(HIGH, np.arange(8))
    lost = -np.diff(HIGH_END)
    expected = lost @ np.log(-np.diff(left)) + HIGH_END[-1] * np.log(left[-1])
    assert found == pytest.approx(expected, rel=1e-12)


def test_fit_sbg__stops_where_the_likelihood_is_flat() -> None:
    """At the estimate the log-likelihood has no slope, by differences of its values."""
    fit = fit_sbg(REGULAR)
    slope = approx_fprime(
        np.log(np.array(fit.params)),
        lambda at: log_likelihood(Sbg(*np.exp(at).tolist()), REGULAR),
        1e-6,
    )
    assert np.max(np.abs(slope)) < 1e-2


def test_fit_sbg__recovers_the_parameters_of_simulated_cohorts() -> None:
    """Over 30 cohorts of 3,000 estimates miss by as much as their errors say."""
    rng = np.random.default_rng(4)
    truth, z = np.array([0.9, 3.0]), []
    for _ in range(30):
        leaving = rng.beta(truth[0], truth[1], 3000)
        life = rng.geometric(leaving)  # renewals until the one that fails
        fit = fit_sbg([int((life > t).sum()) for t in range(9)])
        relative = np.array(fit.standard_errors) / np.array(fit.params)
        z.append(np.log(np.array(fit.params) / truth) / relative)
    scores = np.array(z)
    # z = 4 for the mean of 30; the sum of squares is chi-square with 30 degrees.
    assert np.max(np.abs(scores.mean(axis=0))) < 4 / np.sqrt(30)
    low, high = stats.chi2(30).ppf([2e-4, 1 - 2e-4])
    squares = (scores**2).sum(axis=0)
    assert low < squares.min()
    assert squares.max() < high


@pytest.mark.parametrize(
    ("survivors", "rule"),
    [
        ((1000, 900), "the start and at least 2 periods; got 1"),
        ((), "at least 2 periods; got 0"),
        (
            (1000, 800, 810),
            "survivors must never rise; got 800 and then 810 in period 2",
        ),
        ((1.0, 0.9, 0.8), "whole numbers of at least 0; got 0.9 in period 1; multiply"),
        ((1000, -1, -2), "whole numbers of at least 0; got -1"),
        ((9, 8, 7), "at least 10 customers at the start; got 9"),
        ((1000, 1000, 1000), "a fit needs losses; got none of 1000"),
        ((1000, 900, 810, 729), "customers must settle alpha, beta"),
        ((1000, 900, 700, 300), "customers must settle alpha, beta"),
        ((1000, 0, 0), "customers must settle"),
    ],
)
def test_fit_sbg__refuses_tables_that_say_nothing(
    survivors: tuple[float, ...], rule: str
) -> None:
    """Retention that does not rise with age leaves both open: all may be alike."""
    with pytest.raises(FitError, match=rule):
        fit_sbg(survivors)
