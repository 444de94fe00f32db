"""Closed forms of lifetimes against integrals, sums and a small simulation."""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from scipy import integrate, special

from tests.oracles import closed_forms as forms
from tests.oracles.gates import Battery

FloatArray = npt.NDArray[np.float64]

CDNOW = (forms.Gamma(0.243, 4.414), forms.Beta(0.793, 2.426))
MILD = (forms.Gamma(2.5, 3.0), forms.Beta(1.6, 4.0))


def over_traits(
    laws: tuple[forms.Gamma, forms.Beta],
    given: Callable[[FloatArray, FloatArray], FloatArray],
) -> float:
    """Return E[given(λ, p)] by Gauss-Laguerre and Gauss-Jacobi nodes."""
    (r, alpha), (a, b) = laws
    rates, rate_weights = special.roots_genlaguerre(80, r - 1)
    ranks, dropout_weights = special.roots_jacobi(80, b - 1, a - 1)
    values = given(rates[:, None] / alpha, (ranks + 1) / 2)
    total = rate_weights.sum() * dropout_weights.sum()
    return float(rate_weights @ values @ dropout_weights / total)


@pytest.mark.parametrize("time", [0.5, 6.0, 30.0])
def test_bgnbd__is_the_integral_over_both_traits(time: float) -> None:
    """Expected purchases and share alive, from E[.|λ, p] integrated twice."""
    count = over_traits(MILD, lambda rate, p: -np.expm1(-rate * p * time) / p)
    alive = over_traits(MILD, lambda rate, p: np.exp(-rate * p * time))
    assert math.isclose(forms.bgnbd_expected(*MILD, time), count, rel_tol=1e-6)
    assert math.isclose(forms.bgnbd_alive(*MILD, time), alive, rel_tol=1e-6)


@pytest.mark.parametrize("laws", [CDNOW, MILD])
@pytest.mark.parametrize("time", [1.0, 39.0, 500.0])
def test_purchase__without_mistakes_is_the_bgnbd(
    laws: tuple[forms.Gamma, forms.Beta], time: float
) -> None:
    """With laws for both traits and no mistakes the published forms come out."""
    habit = forms.Habit(*laws)
    count = forms.bgnbd_expected(*laws, time)
    alive = forms.bgnbd_alive(*laws, time)
    assert math.isclose(forms.purchase_count(habit, time), count, rel_tol=1e-8)
    assert math.isclose(forms.purchase_alive(habit, time), alive, rel_tol=1e-8)


def test_bgnbd__probabilities_have_the_moments() -> None:
    """P(X(39) = x) sums to 1 and has the expectation and the second moment."""
    x = np.arange(500)
    shares = np.array([forms.bgnbd_probability(*CDNOW, 39, k) for k in range(500)])
    assert math.isclose(shares.sum(), 1, rel_tol=1e-10)
    assert math.isclose(shares @ x, forms.bgnbd_expected(*CDNOW, 39), rel_tol=1e-8)
    (r, alpha), (a, b) = CDNOW

    def growth(s: float) -> float:
        """Return d/ds E[X²] = E[λ·(2·λs·(1−p) + 1)·exp(−λps)]."""
        one = r / alpha * special.hyp2f1(r + 1, a, a + b, -s / alpha)
        two = r * (r + 1) / alpha**2 * b / (a + b)
        two *= special.hyp2f1(r + 2, a, a + b + 1, -s / alpha)
        return float(one + 2 * s * two)

    second, _ = integrate.quad(growth, 0, 39)
    assert math.isclose(shares @ x**2, second, rel_tol=1e-8)


def test_bgnbd__conditional_averages_to_the_whole() -> None:
    """Averaged over histories of T = 10, expected purchases add up to E[X(T + t)]."""
    rate, dropout = MILD
    horizon, more = 10.0, 7.0
    none = forms.bgnbd_probability(*MILD, horizon, 0)
    total = none * forms.bgnbd_conditional(*MILD, (0, 0.0, horizon), more)
    for x in range(1, 60):

        def weighted(last_at: float, count: int = x) -> float:
            """Return likelihood of (x, t_x, T) over other times, by expectation."""
            history = (count, last_at, horizon)
            likely = math.exp(forms.bgnbd_log_likelihood(rate, dropout, history))
            others = (count - 1) * math.log(last_at) - special.gammaln(count)
            expected = forms.bgnbd_conditional(rate, dropout, history, more)
            return likely * math.exp(others) * expected

        part, _ = integrate.quad(weighted, 0, horizon, epsabs=1e-12)
        total += part
    whole = forms.bgnbd_expected(*MILD, horizon + more)
    assert math.isclose(
        forms.bgnbd_expected(*MILD, horizon) + total, whole, rel_tol=1e-6
    )


def test_bgnbd__likelihoods_add_up_to_probabilities() -> None:
    """The likelihood integrated over the times of x purchases is P(X(T) = x)."""
    for x in (1, 2, 5):

        def likely(last_at: float, count: int = x) -> float:
            """Return the likelihood over the times of the purchases before."""
            history = (count, last_at, 10.0)
            others = (count - 1) * math.log(last_at) - special.gammaln(count)
            return math.exp(forms.bgnbd_log_likelihood(*MILD, history) + others)

        total, _ = integrate.quad(likely, 0, 10.0)
        expected = forms.bgnbd_probability(*MILD, 10.0, x)
        assert math.isclose(total, expected, rel_tol=1e-8)


def test_purchase__constants_worked_by_hand() -> None:
    """λ = 2, p = .25: hazard .5, so E[X(3)] = (1 − exp(−1.5))/.25."""
    habit = forms.Habit(2.0, 0.25)
    assert math.isclose(forms.purchase_alive(habit, 3), math.exp(-1.5))
    assert math.isclose(forms.purchase_count(habit, 3), (1 - math.exp(-1.5)) / 0.25)
    span = forms.Span(3.0, 0.1)
    revenue = 10 * 2 * (1 - math.exp(-0.6 * 3)) / 0.6
    found = forms.purchase_revenue(habit, 10, span)
    assert math.isclose(found, revenue, rel_tol=1e-9)


@pytest.mark.parametrize("rate", [0.7, forms.Gamma(1.4, 2.0)])
@pytest.mark.parametrize("dropout", [0.2, forms.Beta(0.8, 2.4)])
def test_purchase__flow_is_the_slope_of_the_count(
    rate: float | forms.Gamma, dropout: float | forms.Beta
) -> None:
    """Purchases counted are flow integrated, with mistakes, for all kinds of trait."""
    habit = forms.Habit(rate, dropout, forms.Mistakes(0.1, 0.4))
    total, _ = integrate.quad(lambda t: forms.purchase_flow(habit, t), 0, 8.0)
    assert math.isclose(total, forms.purchase_count(habit, 8.0), rel_tol=1e-7)
    nearly = forms.purchase_revenue(habit, 5.0, forms.Span(8.0, 1e-12))
    whole = forms.purchase_revenue(habit, 5.0, forms.Span(8.0))
    assert math.isclose(nearly, whole, rel_tol=1e-7)


def test_purchase__nobody_leaves_where_nothing_makes_them() -> None:
    """With p = 0 and π = 0 all stay, and purchases are rate times time."""
    mistakes = forms.Mistakes(0.3, 0.0)
    for rate in (0.5, forms.Gamma(1.0, 2.0)):
        habit = forms.Habit(rate, 0.0, mistakes)
        assert forms.purchase_alive(habit, 9.0) == 1.0
        assert math.isclose(forms.purchase_count(habit, 9.0), 4.5)


def test_purchase__agrees_with_a_direct_simulation() -> None:
    """300,000 customers purchase by purchase, with mistakes: count and alive."""
    generator = np.random.default_rng(5)
    n, horizon, (share, leave) = 300_000, 6.0, (0.2, 0.3)
    rates = generator.gamma(MILD[0].shape, 1 / MILD[0].rate, n)
    dropouts = generator.beta(*MILD[1], n)
    now, alive, counts = np.zeros(n), np.ones(n, dtype=bool), np.zeros(n)
    active = alive.copy()
    while active.any():
        now[active] += generator.exponential(1 / rates[active])
        active &= now < horizon
        counts[active] += 1
        wrong = generator.random(n) < share
        leaves = generator.random(n) < dropouts
        leaves |= wrong & (generator.random(n) < leave)
        alive &= ~(active & leaves)
        active &= ~leaves
    habit = forms.Habit(*MILD, forms.Mistakes(share, leave))
    battery = Battery(visible_max=0.025)
    battery.mean("purchases", counts, forms.purchase_count(habit, horizon))
    expected = forms.purchase_alive(habit, horizon)
    battery.share("alive", (int(alive.sum()), n), expected)
    battery.check()


def test_lifetime_value__has_its_limits() -> None:
    """An endless span is m/(h + δ); no hazard and no discount is m·T."""
    assert forms.lifetime_value(12.0, 0.2, forms.Span(discount=0.1)) == pytest.approx(
        40.0, rel=1e-14
    )
    assert forms.lifetime_value(12.0, 0.0, forms.Span(5.0)) == 60.0
    exact, _ = integrate.quad(lambda t: 12 * math.exp(-0.3 * t), 0, 5)
    found = forms.lifetime_value(12.0, 0.2, forms.Span(5.0, 0.1))
    assert math.isclose(found, exact, rel_tol=1e-12)


def test_thinned_hazard__agrees_with_a_direct_simulation() -> None:
    """Mistakes one by one, each of which may end it: the law is exponential."""
    generator = np.random.default_rng(6)
    n, baseline, rate, leave = 200_000, 0.15, 0.5, 0.35225
    natural = generator.exponential(1 / baseline, n)
    now, going = np.zeros(n), np.ones(n, dtype=bool)
    while going.any():
        now[going] += generator.exponential(1 / rate, int(going.sum()))
        going &= (generator.random(n) >= leave) & (now < natural)
    lifetimes = np.minimum(now, natural)
    hazard = forms.thinned_hazard(baseline, rate, leave)
    paid = 1200 / 0.1 * -np.expm1(-0.1 * np.minimum(lifetimes, 3.0))
    span = forms.Span(3.0, 0.1)
    battery = Battery()
    battery.law("lifetime", lifetimes, lambda t: -np.expm1(-hazard * np.maximum(t, 0)))
    battery.mean("revenue", paid, forms.lifetime_value(1200, hazard, span))
    battery.check()


def test_renewals__constant_and_law_agree_in_the_limit() -> None:
    """A Beta law squeezed to a point gives (1 − θ)^n."""
    tight = forms.Beta(0.2e7, 0.8e7)
    for n in (0, 1, 5):
        point = forms.renewal_survival(0.2, n)
        assert math.isclose(forms.renewal_survival(tight, n), point, rel_tol=1e-5)
    assert math.isclose(forms.renewal_survival(0.2, 5), 0.8**5)


def test_sbg__lifetimes_are_their_sums() -> None:
    """DEL and DERL are survival discounted and added up; retention is its ratio."""
    law = forms.Beta(1.3, 4.0)
    alive = [forms.renewal_survival(law, n) for n in range(700)]
    new = sum(share / 1.1**n for n, share in enumerate(alive))
    assert math.isclose(forms.sbg_lifetime(law, 0.1), new, rel_tol=1e-10)
    third = sum(alive[n] / alive[2] / 1.1 ** (n - 3) for n in range(3, 700))
    assert math.isclose(forms.sbg_residual(law, 0.1, 3), third, rel_tol=1e-10)
    kept = alive[3] / alive[2]
    assert math.isclose(forms.sbg_retention(law, 3), kept, rel_tol=1e-12)


@pytest.mark.parametrize("cancel", [0.15, forms.Beta(0.668, 3.806)])
def test_subscription__averages_over_phases(cancel: float | forms.Beta) -> None:
    """Survival is that of renewals counted, averaged over 10,000 phases."""
    phases = (np.arange(10_000) + 0.5) / 10_000
    for periods in (0.0, 0.3, 2.0, 4.75):
        renewals = np.floor(periods - phases).astype(int) + 1
        alive = np.mean([forms.renewal_survival(cancel, int(n)) for n in renewals])
        alive *= math.exp(-0.07 * periods)
        found = forms.subscription_alive(cancel, periods, 0.07)
        assert math.isclose(found, alive, rel_tol=1e-9)


@pytest.mark.parametrize("horizon", [0.4, 3.0, 5.3])
def test_subscription__revenue_is_survival_integrated(horizon: float) -> None:
    """Revenue up to T is the integral of discounted survival."""
    cancel = forms.Beta(0.704, 1.182)
    exact, _ = integrate.quad(
        lambda t: math.exp(-0.1 * t) * forms.subscription_alive(cancel, t, 0.05),
        0,
        horizon,
        points=[k for k in range(1, 6) if k < horizon] or None,
    )
    found = forms.subscription_revenue(cancel, 50.0, forms.Span(horizon, 0.1), 0.05)
    assert math.isclose(found, 50 * exact, rel_tol=1e-9)
