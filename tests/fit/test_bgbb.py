"""The BG/BB model against the published donations, and enumeration."""

import itertools
import math

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from scipy.special import beta as beta_function

from churnsim.fit import BgBb, FitError, fit_bgbb
from churnsim.fit.bgbb import log_likelihood, pmf

PUBLISHED = BgBb(1.204, 0.750, 0.657, 2.783)
# Fader, Hardie & Shang (2010), table 1: x, t_x and donors; six appeals after the first.
TABLE = np.array(
    [
        *((6, 6, 1203), (5, 6, 728), (4, 6, 512), (3, 6, 357), (2, 6, 234)),
        *((1, 6, 129), (5, 5, 335), (4, 5, 284), (3, 5, 225), (2, 5, 173)),
        *((1, 5, 119), (4, 4, 240), (3, 4, 181), (2, 4, 155), (1, 4, 78)),
        *((3, 3, 322), (2, 3, 255), (1, 3, 129), (2, 2, 613), (1, 2, 277)),
        *((1, 1, 1091), (0, 0, 3464)),
    ]
).T
DONATIONS = (TABLE[0], TABLE[1], TABLE[2])


def test_pmf__gives_the_published_histogram() -> None:
    """Of 11,104 donors 3455.8 never give again and 1252.4 always do (3454.9, 1253.1).

    The figures in brackets are printed for unrounded parameters.
    """
    figures = [3455.8, 1888.9, 1348.9, 1113.3, 1017.8, 1026.9, 1252.4]
    expected = 11_104 * pmf(PUBLISHED, 6)
    assert expected.round(1).tolist() == figures
    assert np.abs(expected[[0, 6]] - [3454.9, 1253.1]).max() < 2


def test_pmf__adds_up_and_starts_with_all_at_none() -> None:
    """Shares sum to 1 for 0, 1 and 60 occasions."""
    assert pmf(PUBLISHED, 0).tolist() == [1.0]
    assert [pmf(PUBLISHED, n).sum() for n in (1, 60)] == pytest.approx([1, 1])


def test_fit_bgbb__finds_the_published_parameters() -> None:
    """α 1.204, β .750, γ .657, δ 2.783 at LL −33,225.6 from 22 kinds of history."""
    fit = fit_bgbb(*DONATIONS, 6)
    assert [round(value, 3) for value in fit.params] == [1.204, 0.750, 0.657, 2.783]
    assert fit.log_likelihood == pytest.approx(-33225.6, abs=0.05)
    assert (fit.n, fit.converged) == (11_104, True)


def test_log_likelihood__equals_the_sum_over_ways_to_live() -> None:
    """For n 4 each string of occasions has the probability of its last one lived."""
    alpha, beta, gamma, delta = PUBLISHED
    total = 0.0
    for string in itertools.product((0, 1), repeat=4):
        x = sum(string)
        t_x = max((i + 1 for i, taken in enumerate(string) if taken), default=0)
        chance = 0.0
        for lived in range(t_x, 5):
            taken = beta_function(alpha + x, beta + lived - x)
            ends = beta_function(gamma + (lived < 4), delta + lived)
            chance += taken * ends
        chance /= beta_function(alpha, beta) * beta_function(gamma, delta)
        found = log_likelihood(PUBLISHED, x, t_x, 1, 4)
        assert found == pytest.approx(math.log(chance), rel=1e-12)
        total += chance
    assert total == pytest.approx(1, rel=1e-12)


def test_fit_bgbb__stops_where_the_likelihood_is_flat() -> None:
    """At the estimate the log-likelihood has no slope, by differences of its values."""
    fit = fit_bgbb(*DONATIONS, 6)
    slope = approx_fprime(
        np.log(np.array(fit.params)),
        lambda at: log_likelihood(BgBb(*np.exp(at).tolist()), *DONATIONS, 6),
        1e-6,
    )
    assert np.max(np.abs(slope)) < 0.05  # of 33,226; rounding makes some .01


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ((0, 0, 50), "a fit needs occasions taken; got none"),
        ((3, 2, 50), "x ≤ t_x ≤ 6"),
        ((1, 7, 50), "x ≤ t_x ≤ 6"),
        ((0, 2, 50), "t_x 0 where x is"),
        ((1, 2, 0.5), "whole numbers"),
    ],
)
def test_fit_bgbb__refuses_what_cannot_be(
    row: tuple[float, float, float], rule: str
) -> None:
    """The broken rule is named."""
    with pytest.raises(FitError, match=rule):
        fit_bgbb(*row, 6)
