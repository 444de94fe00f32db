"""The BG/NBD model against published figures, integrals and simulated customers."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import approx_fprime

from churnsim.fit import BgNbd, FitError, fit_bgnbd, posterior
from churnsim.fit.bgnbd import (
    conditional_alive,
    conditional_expected_purchases,
    expected_purchases,
    log_likelihood,
    pmf,
    probability_alive,
)

CDNOW = BgNbd(0.243, 4.414, 0.793, 2.426)
FloatArray = NDArray[np.float64]


def simulate(
    params: BgNbd, age: FloatArray, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray, NDArray[np.bool_]]:
    """Return x, t_x and who is alive at the age, one purchase at a time."""
    rate = rng.gamma(params.r, 1 / params.alpha, len(age))
    dropout = rng.beta(params.a, params.b, len(age))
    x, t_x, t = np.zeros(len(age)), np.zeros(len(age)), np.zeros(len(age))
    buying, gone = np.ones(len(age), dtype=bool), np.zeros(len(age), dtype=bool)
    while buying.any():
        with np.errstate(divide="ignore", over="ignore"):
            t = t + np.where(buying, rng.exponential(size=len(age)) / rate, 0.0)
        buying &= t <= age
        x, t_x = x + buying, np.where(buying, t, t_x)
        gone |= buying & (rng.random(len(age)) < dropout)
        buying &= ~gone
    return x, t_x, ~gone


def expected_by_integral(params: BgNbd, t: float) -> float:
    """Return E[X(t)] as the mean of (1 − (α/(α + pt))^r)/p over p, by quadrature."""
    r, alpha, a, b = (mpmath.mpf(value) for value in params)
    z = mpmath.mpf(t) / alpha

    def weighted(p: mpmath.mpf) -> mpmath.mpf:
        gone = -mpmath.expm1(-r * mpmath.log1p(p * z)) / p
        return gone * p ** (a - 1) * (1 - p) ** (b - 1) / mpmath.beta(a, b)

    with mpmath.workdps(30):
        return float(mpmath.quad(weighted, [0, 0.01, 0.5, 0.99, 1]))


def test_closed_forms__equal_the_figures_for_rounded_cdnow_parameters() -> None:
    """E[X] is .053268 after a week and 1.196723 after 39, P(alive) .794403."""
    expected = expected_purchases(CDNOW, [1, 39])
    assert expected[0] == pytest.approx(0.053268, abs=5e-7)
    assert expected[1] == pytest.approx(1.196723, abs=5e-7)
    assert float(probability_alive(CDNOW, 39)) == pytest.approx(0.794403, abs=5e-7)


def test_pmf__equals_the_figures_for_rounded_cdnow_parameters() -> None:
    """P(X(39) = 0..6) and the rest beyond, five decimals each."""
    figures = [0.57379, 0.19940, 0.08543, 0.04586, 0.02767, 0.01797, 0.01227]
    found = pmf(CDNOW, 39, np.arange(7))
    assert found.round(5).tolist() == figures
    assert 1 - found.sum() == pytest.approx(0.03762, abs=5e-6)


def test_pmf__adds_up_and_has_the_expected_mean() -> None:
    """It sums to 1, with mean E[X(39)]."""
    n = np.arange(3000)
    shares = pmf(CDNOW, 39, n)
    mean = shares @ n
    assert shares.sum() == pytest.approx(1, abs=1e-12)
    assert mean == pytest.approx(float(expected_purchases(CDNOW, 39)), abs=1e-9)


def test_closed_forms__start_at_zero_purchases_and_everyone_alive() -> None:
    """At t = 0 nobody has bought again and nobody is gone."""
    assert float(expected_purchases(CDNOW, 0)) == 0
    assert float(probability_alive(CDNOW, 0)) == 1
    assert pmf(CDNOW, 0, [0, 1, 2]).tolist() == [1, 0, 0]


@pytest.mark.parametrize(
    "params",
    [
        CDNOW,
        BgNbd(0.5, 2.0, 1.0, 3.0),
        BgNbd(0.5, 2.0, 1 + 3e-5, 3.0),
        BgNbd(0.5, 2.0, 0.4, 0.6),
        BgNbd(0.5, 2.0, 0.3, 0.2),
        BgNbd(8.0, 3.0, 2.5, 60.0),
        BgNbd(300.0, 60.0, 0.8, 302.0),
    ],
)
@pytest.mark.parametrize("t", [0.01, 5.0, 400.0])
def test_expected_purchases__equals_its_integral(params: BgNbd, t: float) -> None:
    """The closed form holds for heavy buyers and where it reads 0/0."""
    found = float(expected_purchases(params, t))
    assert found == pytest.approx(expected_by_integral(params, t), rel=2e-7)


@settings(max_examples=60, deadline=None)
@given(
    r=st.floats(0.05, 20),
    alpha=st.floats(0.1, 50),
    a=st.floats(0.05, 20),
    b=st.floats(0.05, 20),
    t=st.floats(0.1, 200),
)
def test_closed_forms__stay_in_bounds_and_move_one_way(
    r: float, alpha: float, a: float, b: float, t: float
) -> None:
    """E[X] grows with t but never beyond rt/α; the share alive falls within [0, 1]."""
    params = BgNbd(r, alpha, a, b)
    bought = expected_purchases(params, [t, 2 * t])
    alive = probability_alive(params, [t, 2 * t])
    assert 0 < bought[0] <= bought[1] * (1 + 1e-6)
    assert bought[0] <= r * t / alpha * (1 + 1e-6)
    assert 1 >= alive[0] >= alive[1] >= 0


def test_conditional_alive__is_certain_before_a_repeat_and_falls_with_silence() -> None:
    """Only a repeat purchase can be the last; the longer ago it was, the likelier."""
    alive = conditional_alive(CDNOW, [0, 5, 5, 5], [0, 39, 20, 5], [39, 39, 39, 39])
    assert alive[0] == 1
    assert 1 > alive[1] > alive[2] > alive[3] > 0
    assert alive[1] == pytest.approx(1 / (1 + 0.793 / (2.426 + 4)), rel=1e-12)


def test_conditional_expected_purchases__averages_to_the_unconditional() -> None:
    """Forecasts after histories of 50,000 customers average to E[X(60)] − E[X(30)]."""
    rng = np.random.default_rng(7)
    age = np.full(50_000, 30.0)
    x, t_x, _ = simulate(CDNOW, age, rng)
    forecasts = conditional_expected_purchases(CDNOW, 30.0, x, t_x, age)
    expected = expected_purchases(CDNOW, [30, 60])
    z = (forecasts.mean() - (expected[1] - expected[0])) / (
        forecasts.std() / math.sqrt(len(age))
    )
    assert abs(z) < 4  # one draw of 50,000 customers


def test_conditional_alive__is_calibrated_on_simulated_customers() -> None:
    """Of 50,000 customers as many are alive as the sum of P(alive) says."""
    rng = np.random.default_rng(8)
    age = rng.uniform(20, 60, 50_000)
    x, t_x, alive = simulate(CDNOW, age, rng)
    chance = conditional_alive(CDNOW, x, t_x, age)
    for low, high in ((0.0, 0.4), (0.4, 0.8), (0.8, 0.999)):
        among = (chance >= low) & (chance < high)
        spread = math.sqrt((chance * (1 - chance))[among].sum())
        z = (alive[among].sum() - chance[among].sum()) / spread
        assert abs(z) < 4  # three bands of one draw of 50,000 customers


def test_posterior__gives_the_future_of_simulated_customers() -> None:
    """Traits drawn from the posterior give the conditional expectation of purchases."""
    rng = np.random.default_rng(9)
    history = (np.full(40_000, 3.0), np.full(40_000, 25.0), np.full(40_000, 39.0))
    now = posterior(CDNOW, *history)
    alive = rng.random(40_000) < now.alive_probability
    rate = rng.gamma(now.rate_shape, 1 / now.rate_scale)
    dropout = rng.beta(now.dropout_a, now.dropout_b)
    # Given λ and p a living customer buys (1 − exp(−λpt))/p times in t.
    bought = np.where(alive, -np.expm1(-rate * dropout * 39) / dropout, 0.0)
    expected = conditional_expected_purchases(CDNOW, 39, 3, 25, 39)[0]
    z = (bought.mean() - expected) / (bought.std() / math.sqrt(40_000))
    assert abs(z) < 4  # 40,000 draws of one customer


def test_posterior__without_history_is_the_prior() -> None:
    """A customer of age 0 has the parameters of the model and is alive."""
    now = posterior(CDNOW, 0, 0, 0)
    assert [float(values[0]) for values in now] == [1, 0.243, 4.414, 0.793, 2.426]


def test_log_likelihood__equals_the_density_by_integral() -> None:
    """For x 2, t_x 3, T 5 it is the double integral over λ and p."""
    r, alpha, a, b = CDNOW

    def over_p(power: float, rest: float) -> mpmath.mpf:
        return mpmath.beta(a + power, b + rest) / mpmath.beta(a, b)

    def over_rate(t: float) -> mpmath.mpf:
        return mpmath.quad(
            lambda rate: (
                (rate ** (2 + r - 1) * mpmath.exp(-rate * (alpha + t)) * alpha**r)
                / mpmath.gamma(r)
            ),
            [0, 0.1, 1, 10],
        )

    density = over_p(0, 2) * over_rate(5) + over_p(1, 1) * over_rate(3)
    found = log_likelihood(CDNOW, 2, 3, 5)
    assert found == pytest.approx(float(mpmath.log(density)), rel=1e-9)


def test_fit_bgnbd__stops_where_the_likelihood_is_flat() -> None:
    """At the estimate the log-likelihood has no slope, by differences of its values."""
    rng = np.random.default_rng(5)
    age = rng.uniform(20, 60, 800)
    x, t_x, _ = simulate(CDNOW, age, rng)
    fit = fit_bgnbd(x, t_x, age)
    logs = np.log(np.array(fit.params))
    slope = approx_fprime(
        logs, lambda at: log_likelihood(BgNbd(*np.exp(at).tolist()), x, t_x, age), 1e-6
    )
    assert np.max(np.abs(slope)) < 1e-2
    assert fit.log_likelihood == pytest.approx(log_likelihood(fit.params, x, t_x, age))


def test_fit_bgnbd__recovers_the_parameters_of_simulated_customers() -> None:
    """Over 15 logs of 800 customers estimates miss by as much as their errors say."""
    rng = np.random.default_rng(11)
    truth = BgNbd(0.6, 5.0, 0.9, 3.0)
    z = []
    for _ in range(15):
        age = rng.uniform(20, 60, 800)
        x, t_x, _ = simulate(truth, age, rng)
        fit = fit_bgnbd(x, t_x, age)
        relative = np.array(fit.standard_errors) / np.array(fit.params)
        z.append(np.log(np.array(fit.params) / np.array(truth)) / relative)
    scores = np.array(z)
    # The mean of 15 standard normal scores has standard deviation .26, their root mean
    # square lies within .43 and 1.67 with probability .9995: z = 4 and 3.5.
    assert np.max(np.abs(scores.mean(axis=0))) < 1.04
    spread = np.sqrt((scores**2).mean(axis=0))
    assert spread.min() > 0.43
    assert spread.max() < 1.67


def test_fit_bgnbd__scales_with_the_unit_of_time() -> None:
    """In days α is seven times what it is in weeks, the shapes are the same."""
    rng = np.random.default_rng(12)
    age = rng.uniform(20, 60, 600)
    x, t_x, _ = simulate(CDNOW, age, rng)
    weeks, days = fit_bgnbd(x, t_x, age), fit_bgnbd(x, t_x * 7, age * 7)
    scaled = weeks.params._replace(alpha=weeks.params.alpha * 7)
    assert np.array(days.params) == pytest.approx(np.array(scaled), rel=1e-6)


def test_fit_bgnbd__refuses_customers_without_repeat_purchases() -> None:
    """Nothing can be learnt where nobody came back."""
    with pytest.raises(FitError, match="a fit needs repeat purchases; got none"):
        fit_bgnbd(np.zeros(50), np.zeros(50), np.full(50, 10.0))


def test_fit_bgnbd__refuses_fewer_than_ten_customers() -> None:
    """Nine are too few, and the message says so."""
    with pytest.raises(FitError, match="at least 10 customers; got 9"):
        fit_bgnbd(np.ones(9), np.ones(9), np.full(9, 10.0))


def test_fit_bgnbd__says_when_nobody_ever_leaves() -> None:
    """Without dropout a runs to 0 and b away, and both are named."""
    rng = np.random.default_rng(13)
    age = rng.uniform(20, 60, 500)
    rate = rng.gamma(1.0, 0.2, 500)
    x = rng.poisson(rate * age).astype(float)
    t_x = age * rng.beta(np.maximum(x, 1), 1) * (x > 0)
    with pytest.raises(FitError, match="customers must settle a, b to within a factor"):
        fit_bgnbd(x, t_x, age)


@pytest.mark.parametrize(
    ("x", "t_x", "age", "rule"),
    [
        (-1, 0, 5, "x must be a whole number of at least 0"),
        (1.5, 1, 5, "x must be a whole number of at least 0"),
        (math.nan, 1, 5, "x must be a whole number of at least 0"),
        (1, 6, 5, "t_x must lie from 0 to age"),
        (1, math.nan, 5, "t_x must lie from 0 to age"),
        (1, 1, math.inf, "x must be a whole number|t_x must lie"),
        (0, 1, 5, "t_x must be 0 where x is 0"),
        (1, 0, 5, "t_x must be 0 where x is 0"),
        ([1, 1], 1, 5, "of equal length"),
    ],
)
def test_posterior__refuses_histories_that_cannot_be(
    x: float, t_x: float, age: float, rule: str
) -> None:
    """The broken rule is named, with the figures and the customer's place."""
    with pytest.raises(FitError, match=rule):
        posterior(CDNOW, x, t_x, age)
