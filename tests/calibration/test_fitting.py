"""The calibrator itself, on firms whose figures are known: recovery, ranks, ridges."""

import numpy as np
import pytest
from scipy.stats import chi2, multivariate_normal

from churnsim.calibration.emulator import Emulator
from churnsim.calibration.identifiability import identifiability
from churnsim.calibration.sampling import sample
from churnsim.errors import InputError
from churnsim.experiment.inverse.lever import Found, lever_for, setting_of
from churnsim.records import Floats
from churnsim.scenario import load_scenario
from churnsim.sweep.factors import Factor
from tests.calibration.conftest import fitted, world_of

ERRORS = (0.05, 0.1, 0.03)


def mixed(places: Floats) -> Floats:
    """Return three figures that together tell two parameters apart."""
    a, b = 0.5 + 2.0 * places[:, 0], 0.1 + places[:, 1]
    return np.stack([a * b, a**2 / (1.0 + b), np.exp(-b)], axis=1)


def product(places: Floats) -> Floats:
    """Return one figure that hangs on the product of two parameters alone."""
    found: Floats = np.prod(0.1 + 0.9 * places, axis=1, keepdims=True)
    return found


def ranks(n_firms: int, n_draws: int = 200) -> Floats:
    """Return where in their posteriors the true values of known firms lie, (n, 2)."""
    random = np.random.default_rng(5)
    found = []
    for seed in range(n_firms):
        truth = random.random((1, 2))
        seen = mixed(truth)[0] + np.array(ERRORS) * random.standard_normal(3)
        fit = fitted(mixed, (seen, ERRORS), 2, seed, luck=0.05)
        draws = sample(fit.likelihood.log, 2, n_draws, seed)
        found.append((draws < truth).mean(axis=0))
    return np.array(found)


def uniformity(places: Floats, n_bins: int = 10) -> tuple[float, float]:
    """Return χ² of a histogram of places in [0, 1], and its p-value."""
    counts, _ = np.histogram(places, n_bins, (0.0, 1.0))
    expected = len(places) / n_bins
    square = float(((counts - expected) ** 2).sum() / expected)
    return square, float(chi2.sf(square, n_bins - 1))


def test_calibrator__ranks_of_known_firms_are_even() -> None:
    """In a dozen firms the truth is neither always low nor high nor in the middle.

    Of 12 even ranks the mean lies within 3 standard deviations, 0.25, of a half.
    """
    found = ranks(12)
    assert np.abs(found.mean(axis=0) - 0.5).max() < 3.0 * (12.0 * 12.0) ** -0.5
    inside = ((found > 0.05) & (found < 0.95)).sum()
    assert inside >= 17  # of 24, of which 21.6 are expected: P < 1 %


@pytest.mark.slow
def test_calibrator__ranks_of_200_known_firms_are_even() -> None:
    """Simulation-based calibration (Talts et al. 2018): χ² of ten bins, p > 0.1 %."""
    found = ranks(200)
    for axis in range(2):
        square, p = uniformity(found[:, axis])
        assert p > 0.001, f"axis {axis}: chi-square {square:.1f} of 9 degrees"


def test_calibrator__luck_widens_the_posterior() -> None:
    """What replications do not know is counted beside the errors of targets."""
    seen = (mixed(np.array([[0.4, 0.6]]))[0], (0.01, 0.01, 0.01))
    quiet, loud = (fitted(mixed, seen, 2, luck=luck) for luck in (0.001, 0.2))
    spreads = [
        sample(f.likelihood.log, 2, 200, 3).std(axis=0).min() for f in (quiet, loud)
    ]
    assert spreads[1] > 3.0 * spreads[0]


def test_calibrator__best_values_are_those_of_the_minimum() -> None:
    """Targets without error are met at the place that made them."""
    truth = np.array([[0.3, 0.7]])
    fit = fitted(mixed, (mixed(truth)[0], ERRORS), 2, luck=1e-6)
    assert fit.likelihood.moments.places[fit.best] == pytest.approx(truth[0], abs=0.01)
    assert fit.likelihood.distances().min() < 0.01


def factors(*fields: str) -> tuple[Factor, ...]:
    """Return settings of a telecom as parameters, from 0.1 to 1."""
    spec = load_scenario("telecom").spec
    found = []
    for field in fields:
        here = setting_of(spec, field)
        assert isinstance(here, Found)
        lever = lever_for(field, field, [here], "$")
        found.append(Factor(field, low=0.1, high=1.0, lever=lever))
    return tuple(found)


RATE, KAPPA = "mistakes.billing.probability", "market.stated_to_actual"


def test_identifiability__names_two_that_cannot_be_told_apart() -> None:
    """A figure of a product tells neither factor: both are named, and the product."""
    fit = fitted(product, ([0.3], [0.01]), 2)
    draws = sample(fit.likelihood.log, 2, 400, 1)
    best = fit.likelihood.moments.places[fit.best]
    found = identifiability(fit.likelihood, best, draws, (), factors(RATE, KAPPA))
    assert not found.is_determined
    (sentence,) = found.sentences
    assert RATE in sentence
    assert KAPPA in sentence
    assert "cannot tell" in sentence
    assert "product" in sentence
    assert found.directions[0].is_determined
    assert set(found.directions[1].involved) == {0, 1}
    # Draws lie on the hyperbola.
    products = product(draws)[:, 0]
    assert abs(products.mean() - 0.3) < 0.01
    assert products.std() < 0.02


def test_identifiability__says_where_all_is_determined() -> None:
    """Three figures that tell two parameters apart leave nothing to say."""
    seen = (mixed(np.array([[0.4, 0.6]]))[0], (0.02, 0.02, 0.01))
    fit = fitted(mixed, seen, 2)
    draws = sample(fit.likelihood.log, 2, 300, 1)
    best = fit.likelihood.moments.places[fit.best]
    found = identifiability(fit.likelihood, best, draws, (), factors(RATE, KAPPA))
    assert found.is_determined
    assert "determine every parameter" in found.sentences[0]


def test_identifiability__names_one_that_moves_nothing() -> None:
    """A parameter that no figure hangs on keeps its range, and is said to be idle."""

    def first_alone(places: Floats) -> Floats:
        found: Floats = (1.0 + places[:, :1]) ** 2
        return found

    fit = fitted(first_alone, ([2.0], [0.05]), 2)
    assert fit.idle == (1,)
    draws = sample(fit.likelihood.log, 2, 400, 1)
    best = fit.likelihood.moments.places[fit.best]
    found = identifiability(fit.likelihood, best, draws, fit.idle, factors(RATE, KAPPA))
    assert found.silent == (1,)
    assert found.left[1] > 0.9
    assert any(f"{KAPPA} moves nothing" in text for text in found.sentences)


def test_sample__is_of_the_density() -> None:
    """Draws of a normal within the cube have its mean, spread and correlation."""
    covariance = np.array([[0.01, 0.006], [0.006, 0.01]])
    density = multivariate_normal([0.5, 0.4], covariance)
    draws = sample(density.logpdf, 2, 4000, 2)
    assert draws.mean(axis=0) == pytest.approx([0.5, 0.4], abs=0.01)
    assert np.cov(draws.T) == pytest.approx(covariance, abs=0.001)
    assert (draws == sample(density.logpdf, 2, 4000, 2)).all()


def test_emulator__meets_what_it_learnt_and_knows_what_it_does_not() -> None:
    """Known places are met; errors elsewhere are of the size that it says."""
    random = np.random.default_rng(1)
    places, others = random.random((40, 2)), 0.1 + 0.8 * random.random((500, 2))
    emulator = Emulator(places, mixed(places))
    mean, _ = emulator.predict(places)
    assert mean == pytest.approx(mixed(places), abs=1e-3)
    mean, deviation = emulator.predict(others)
    z = (mean - mixed(others)) / np.maximum(deviation, 1e-6)
    assert np.abs(z).mean() < 3.0
    assert np.abs(mean - mixed(others)).max() < 0.1


def test_calibrator__refuses_figures_without_data() -> None:
    """Where no run has anything to divide by, that is an error, not a number."""
    whole = world_of(product, [0.02], 10, 1)

    def empty(places: Floats) -> Floats:
        found: Floats = whole(places) * np.array([1.0, 0.0, 1.0, 1.0])
        return found

    from churnsim.calibration.fitting import Effort, fit
    from churnsim.calibration.likelihood import Observed

    def refusal(which: list[int]) -> InputError:
        return InputError(f"no data for {which}")

    with pytest.raises(InputError, match=r"no data for \[0\]"):
        fit(empty, Observed(np.ones(1), np.ones(1)), 2, Effort(40, 1), refusal)
