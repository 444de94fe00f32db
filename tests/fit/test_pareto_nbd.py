"""The Pareto/NBD model against published figures, 2F1, and simulated customers."""

import math
from math import log

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import approx_fprime, minimize

from churnsim.fit import FitError, ParetoNbd, fit_pareto_nbd
from churnsim.fit.pareto_nbd import (
    conditional_alive,
    conditional_expected_purchases,
    discounted_purchases,
    expected_purchases,
    log_likelihood,
    probability_alive,
)

FloatArray = NDArray[np.float64]
# As the BTYD package's documentation prints them, in weeks.
CDNOW = ParetoNbd(0.5533971, 10.5801985, 0.6060625, 11.6562237)
WEEK = log(1.15) / 52  # the discount of 15 % a year
SHAPES = st.floats(0.05, 20)


def simulate(
    params: ParetoNbd, age: FloatArray, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray, NDArray[np.bool_]]:
    """Return x, t_x and who is alive at the age."""
    rate = rng.gamma(params.r, 1 / params.alpha, len(age))
    with np.errstate(divide="ignore"):
        life = rng.exponential(size=len(age)) / rng.gamma(
            params.s, 1 / params.beta, len(age)
        )
    stayed = np.minimum(life, age)
    x = rng.poisson(rate * stayed).astype(float)
    # The last of x moments that are uniform over the time stayed.
    t_x = np.where(x > 0, stayed * rng.beta(np.maximum(x, 1), 1), 0.0)
    return x, t_x, life > age


def likelihood_by_2f1(params: ParetoNbd, x: float, t_x: float, age: float) -> float:
    """Return a customer's log-likelihood from the published two branches of ₂F₁."""
    r, alpha, s, beta = (mpmath.mpf(value) for value in params)
    low, high = min(alpha, beta), max(alpha, beta)
    second = s + 1 if alpha >= beta else r + x

    def branch(y: float) -> mpmath.mpf:
        power, z = r + s + x, (high - low) / (high + y)
        return mpmath.hyp2f1(power, second, power + 1, z) / (high + y) ** power

    with mpmath.workdps(60):
        gone = s / (r + s + x) * (branch(t_x) - branch(age))
        stayed = (alpha + age) ** -(r + x) * (beta + age) ** -s
        common = mpmath.gamma(r + x) / mpmath.gamma(r) * alpha**r * beta**s
        return float(mpmath.log(common * (stayed + gone)))


def discounted_by_tricomi(params: ParetoNbd, discount: float) -> float:
    """Return a new customer's discounted purchases from the published form."""
    r, alpha, s, beta = (mpmath.mpf(value) for value in params)
    z = discount * beta
    with mpmath.workdps(40):
        return float(r / alpha * beta * z ** (s - 1) * mpmath.hyperu(s, s, z))


def test_closed_forms__equal_the_published_cdnow_figures() -> None:
    """E[X] is 1.213149 after 39 weeks and 1.473113 after 52, S .410475 and .357405."""
    expected, alive = expected_purchases(CDNOW, [39, 52]), probability_alive(CDNOW, 39)
    assert expected.round(6).tolist() == [1.213149, 1.473113]
    assert float(alive) == pytest.approx(0.410475, abs=5e-7)
    assert float(probability_alive(CDNOW, 52)) == pytest.approx(0.357405, abs=5e-7)


def test_conditional_forms__equal_the_published_cdnow_figures() -> None:
    """Customer 1516 is alive with .9979 and buys 25.46 times; .2941633 of the silent.

    The former bought 26 times by week 30.86 of 31, the latter never in 39.
    """
    alive = conditional_alive(CDNOW, [26, 0], [30.86, 0], [31, 39])
    assert alive[0] == pytest.approx(0.9979, abs=5e-5)
    assert alive[1] == pytest.approx(0.2941633, abs=5e-8)
    coming = conditional_expected_purchases(CDNOW, 52, 26, 30.86, 31)
    assert float(coming[0]) == pytest.approx(25.46, abs=5e-3)


def test_discounted_purchases__equal_the_figures_for_cdnow() -> None:
    """3.963443 of a new customer at 15 % a year, and four customers of the sample."""
    new = float(discounted_purchases(CDNOW, WEEK)[0])
    assert new == pytest.approx(3.963443, abs=5e-7)
    assert new == pytest.approx(discounted_by_tricomi(CDNOW, WEEK), rel=1e-12)
    found = discounted_purchases(
        CDNOW, WEEK, [0, 1, 2, 7], [0, 30, 30.43, 35], np.full(4, 38.86)
    )
    figures = [0.478199, 3.97244, 6.50089, 20.71195]
    assert found == pytest.approx(figures, abs=5e-6)


def test_discounted_purchases__of_equal_customers_are_the_annuity() -> None:
    """At μ .15, m 1,200 and δ ln 1.10 a year S is exp(−μt) and value 4891.7660."""
    alike = 1e9  # shapes so large that customers do not differ
    params = ParetoNbd(1200 * alike, alike, alike, alike / 0.15)
    assert float(discounted_purchases(params, log(1.10))[0]) == pytest.approx(
        4891.7660, abs=5e-5
    )
    assert float(probability_alive(params, 3)) == pytest.approx(math.exp(-0.45))
    assert float(expected_purchases(params, 3)) == pytest.approx(
        1200 / 0.15 * -math.expm1(-0.45)
    )


@pytest.mark.parametrize("s", [0.02, 0.6, 1.0, 3.0, 80.0, 9e3])
@pytest.mark.parametrize("z", [1e-5, 0.03, 2.0, 400.0])
def test_discounted_purchases__equal_the_published_form_for_any_shape(
    s: float, z: float
) -> None:
    """The integral holds from those who never leave to those who leave at once."""
    params = ParetoNbd(1.0, 1.0, s, 10.0)
    found = float(discounted_purchases(params, z / 10.0)[0])
    assert found == pytest.approx(discounted_by_tricomi(params, z / 10.0), rel=1e-9)


@pytest.mark.parametrize(
    "params",
    [
        CDNOW,
        ParetoNbd(0.5, 4.0, 0.5, 4.0),
        ParetoNbd(0.5, 3.0, 1.0, 40.0),
        ParetoNbd(0.5, 40.0, 1.0, 3.0),
        ParetoNbd(0.5, 500.0, 2.0, 0.001),
        ParetoNbd(0.5, 0.001, 2.0, 500.0),
        ParetoNbd(30.0, 60.0, 50.0, 900.0),
        ParetoNbd(0.1, 1.0, 4000.0, 1.0),
    ],
)
@pytest.mark.parametrize(
    "history",
    [
        *((0, 0, 39), (1, 1, 39), (2, 30.43, 38.86), (300, 20, 39), (5, 39, 39)),
        *((5, 38.999, 39), (0, 0, 4000)),
    ],
)
def test_log_likelihood__equals_its_hypergeometric_form(
    params: ParetoNbd, history: tuple[float, float, float]
) -> None:
    """The integral has the digits that 60 of the two branches give."""
    found = log_likelihood(params, *history)
    expected = likelihood_by_2f1(params, *history)
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-11)


@settings(max_examples=60, deadline=None)
@given(SHAPES, st.floats(0.1, 50), SHAPES, st.floats(0.1, 50), st.floats(0.1, 200))
def test_closed_forms__stay_in_bounds_and_move_one_way(
    r: float, alpha: float, s: float, beta: float, t: float
) -> None:
    """E[X] grows with t but never beyond rt/α; the share alive falls within [0, 1]."""
    params = ParetoNbd(r, alpha, s, beta)
    bought = expected_purchases(params, [t, 2 * t])
    alive = probability_alive(params, [t, 2 * t])
    assert 0 < bought[0] <= bought[1] * (1 + 1e-9)
    assert bought[0] <= r * t / alpha * (1 + 1e-9)
    assert 1 >= alive[0] >= alive[1] >= 0


def test_expected_purchases__is_continuous_where_the_form_reads_0_by_0() -> None:
    """At s = 1 it is the logarithm that its neighbours tend to."""
    at, beside = (
        float(expected_purchases(CDNOW._replace(s=s), 39)) for s in (1.0, 1 + 1e-9)
    )
    _, _, _, beta = CDNOW
    assert at == pytest.approx(
        CDNOW.r / CDNOW.alpha * beta * log(1 + 39 / beta), rel=1e-14
    )
    assert beside == pytest.approx(at, rel=1e-8)


def test_conditional_forms__of_simulated_customers_are_calibrated() -> None:
    """Of 50,000 customers as many are alive, and buy as often, as expected."""
    rng = np.random.default_rng(8)
    age = rng.uniform(20, 60, 50_000)
    x, t_x, alive = simulate(CDNOW, age, rng)
    chance = conditional_alive(CDNOW, x, t_x, age)
    for low, high in ((0.0, 0.3), (0.3, 0.7), (0.7, 1.0)):
        among = (chance >= low) & (chance < high)
        spread = math.sqrt((chance * (1 - chance))[among].sum())
        assert abs(alive[among].sum() - chance[among].sum()) < 4 * spread
    coming = conditional_expected_purchases(CDNOW, 30, x, t_x, age)
    ahead = expected_purchases(CDNOW, age + 30) - expected_purchases(CDNOW, age)
    z = (coming - ahead).mean() / (coming.std() / math.sqrt(len(age)))
    assert abs(z) < 4  # one draw of 50,000 customers


def test_fit_pareto_nbd__stops_where_the_likelihood_is_flat_and_highest() -> None:
    """No slope by differences, and from no other of 8 starts is it higher."""
    rng = np.random.default_rng(5)
    age = rng.uniform(20, 60, 300)
    x, t_x, _ = simulate(ParetoNbd(0.8, 4.0, 1.5, 30.0), age, rng)
    fit = fit_pareto_nbd(x, t_x, age)

    def likelihood(logs: FloatArray) -> float:
        return log_likelihood(ParetoNbd(*np.exp(logs).tolist()), x, t_x, age)

    slope = approx_fprime(np.log(np.array(fit.params)), likelihood, 1e-6)
    assert np.max(np.abs(slope)) < 1e-2
    assert fit.converged
    reached = []
    for _ in range(8):
        start = np.log([1.0, 5.0, 1.0, 20.0]) + rng.normal(0, 1.5, 4)
        found = minimize(lambda at: -likelihood(at), start, method="L-BFGS-B")
        reached.append(-float(found.fun) - fit.log_likelihood)
    assert max(reached) < 1e-6
    assert sorted(reached)[-4] > -1e-3


def test_fit_pareto_nbd__recovers_the_parameters_of_simulated_customers() -> None:
    """Over 12 logs of 800 customers estimates miss by as much as their errors say."""
    rng = np.random.default_rng(11)
    truth = ParetoNbd(1.0, 3.0, 1.5, 30.0)
    z = []
    for _ in range(12):
        age = rng.uniform(20, 60, 800)
        x, t_x, _ = simulate(truth, age, rng)
        fit = fit_pareto_nbd(x, t_x, age)
        relative = np.array(fit.standard_errors) / np.array(fit.params)
        z.append(np.log(np.array(fit.params) / np.array(truth)) / relative)
    scores = np.array(z)
    # The mean of 12 standard normal scores has standard deviation .29, their root mean
    # square lies within .38 and 1.75 with probability .9995: z = 4 and 3.5.
    assert np.max(np.abs(scores.mean(axis=0))) < 1.16
    spread = np.sqrt((scores**2).mean(axis=0))
    assert spread.min() > 0.38
    assert spread.max() < 1.75


def test_fit_pareto_nbd__does_not_depend_on_the_size_of_blocks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Histories in blocks of 7 have the likelihood of all of them at once."""
    rng = np.random.default_rng(6)
    age = rng.uniform(20, 60, 50)
    x, t_x, _ = simulate(CDNOW, age, rng)
    whole = log_likelihood(CDNOW, x, t_x, age)
    alive = conditional_alive(CDNOW, x, t_x, age)
    monkeypatch.setattr("churnsim.fit.pareto_nbd._BLOCK", 7)
    assert log_likelihood(CDNOW, x, t_x, age) == pytest.approx(whole, rel=1e-13)
    assert conditional_alive(CDNOW, x, t_x, age) == pytest.approx(alive, rel=1e-13)


def test_fit_pareto_nbd__says_when_nobody_ever_leaves() -> None:
    """Without dropout s or β is left open, and named."""
    rng = np.random.default_rng(13)
    age = rng.uniform(20, 60, 300)
    x = rng.poisson(rng.gamma(1.0, 0.2, 300) * age).astype(float)
    t_x = age * rng.beta(np.maximum(x, 1), 1) * (x > 0)
    with pytest.raises(FitError, match=r"customers must settle .*(s|beta)"):
        fit_pareto_nbd(x, t_x, age)


@pytest.mark.parametrize(
    ("x", "n", "rule"),
    [
        (0.0, 50, "a fit needs repeat purchases; got none from 50 customers"),
        (1.0, 1, "at least 10 customers; got 1"),
        (-1.0, 50, "x must be a whole number of at least 0"),
    ],
)
def test_fit_pareto_nbd__refuses_what_says_nothing(x: float, n: int, rule: str) -> None:
    """All who bought once, one customer, and histories that cannot be."""
    with pytest.raises(FitError, match=rule):
        fit_pareto_nbd(np.full(n, x), np.full(n, x), np.full(n, 10.0))


@pytest.mark.parametrize("discount", [0.0, -0.1, math.nan, math.inf])
def test_discounted_purchases__refuse_a_discount_that_is_none(discount: float) -> None:
    """At 0 the sum has no end."""
    with pytest.raises(FitError, match="the discount must be above 0"):
        discounted_purchases(CDNOW, discount)
