"""Errors of ratios over customers: by hand, and as often right as they say."""

import numpy as np
import pytest

from churnsim.data.figures import ratio


def test_ratio__is_the_binomial_error_where_each_counts_once() -> None:
    """30 of 100: √(.3 × .7/99), the binomial error with n − 1."""
    value, error = ratio(np.repeat([1.0, 0.0], [30, 70]), np.ones(100))
    assert value == 0.3
    assert error == pytest.approx((0.3 * 0.7 / 99) ** 0.5)


def test_ratio__of_one_customer_has_no_error() -> None:
    """Customers who add nothing, above or below, are none."""
    above, below = np.array([2.0, 0.0, 0.0]), np.array([4.0, 0.0, 0.0])
    assert ratio(above, below) == (0.5, None)
    value, error = ratio(np.array([2.0, 0.0]), np.array([4.0, 4.0]))
    assert value == 0.25
    assert error is not None


def test_ratio__intervals_hold_what_they_promise() -> None:
    """Of 1,000 firms of 300 customers whose rates differ, 95 % are within 1.96 s.e.

    Complaints of a customer follow a gamma rate of mean .5 and shape .5 over an
    exposure of 0 to 4 years, so that Poisson errors would be too small: they hold fewer
    than 80 %.
    """
    rng = np.random.default_rng(7)
    held = poisson = 0
    for _ in range(1000):
        years = rng.uniform(0.0, 4.0, 300)
        counts = rng.poisson(rng.gamma(0.5, 1.0, 300) * years).astype(float)
        value, error = ratio(counts, years)
        assert error is not None
        held += abs(value - 0.5) < 1.96 * error
        poisson += abs(value - 0.5) < 1.96 * counts.sum() ** 0.5 / years.sum()
    # Three errors of the binomial count of 1,000: ±.0207.
    assert 0.929 < held / 1000 < 0.971
    assert poisson / 1000 < 0.8
