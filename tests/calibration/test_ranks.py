"""Known firms, simulated: how often intervals hold what the firms were made with."""

import threading
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from churnsim.calibration.figures import FIGURES
from churnsim.calibration.fitting import Effort, fit
from churnsim.calibration.likelihood import Observed
from churnsim.calibration.moments import Draws, Simulated, moments_of
from churnsim.calibration.parameters import parameters_of
from churnsim.calibration.sampling import sample
from churnsim.experiment import Execution
from churnsim.records import Floats
from churnsim.scenario import load_scenario
from tests.calibration.conftest import never
from tests.calibration.test_fitting import uniformity

pytestmark = pytest.mark.compiled

PARAMETERS = ("mistakes.late.probability=0.02..0.12", "market.lock_in=-1..3")
TARGETS = ("churn", "complaint_rate", "churn_after_complaint")
SEEN = 40  # replications that a firm's figures are of
FITTED = 12  # replications at each place
PLACES = 22


def ranks(path: Path, firms: Iterable[int], n_draws: int = 200) -> Floats:
    """Return where in their posteriors the true values of known firms lie, (n, 2).

    A firm's figures are those of other customers and luck than those that it is fitted
    with. Observations have errors of their own, twice that luck, so that what is taken
    for known and independent nearly is.
    """
    scenario = load_scenario(path)
    parameters = parameters_of(PARAMETERS, scenario, "slow")
    figures = [FIGURES[name] for name in TARGETS]
    found = []
    for firm in firms:
        random = np.random.default_rng(firm)
        truth = random.random((1, len(parameters)))
        worlds = [
            Simulated(
                scenario,
                "slow",
                parameters,
                figures,
                Draws(seed, r, 1, Execution(threads=2), threading.Event()),
            )
            for seed, r in ((10_000 + firm, SEEN), (firm, FITTED))
        ]
        seen = moments_of(truth, worlds[0](truth))
        luck = seen.errors[0]
        values = seen.values[0] + 2.0 * luck * random.standard_normal(len(luck))
        observed = Observed(values, 5.0**0.5 * luck)
        effort = Effort(PLACES, firm)
        likelihood = fit(worlds[1], observed, len(parameters), effort, never).likelihood
        draws = sample(likelihood.log, len(parameters), n_draws, firm)
        found.append((draws < truth).mean(axis=0))
    return np.array(found)


def test_ranks__of_a_few_simulated_firms_are_inside(shop_file: Path) -> None:
    """Of the eight true values of four firms at least five lie in 90 % intervals.

    Seven are expected; fewer than five come with a probability of 0.5 %.
    """
    found = ranks(shop_file, range(4))
    assert ((found > 0.05) & (found < 0.95)).sum() >= 5


@pytest.mark.slow
def test_ranks__of_200_simulated_firms_are_even(shop_file: Path) -> None:
    """Simulation-based calibration (Talts et al. 2018): χ² of ten bins, p > 0.1 %."""
    found = ranks(shop_file, range(200))
    for axis in range(found.shape[1]):
        square, p = uniformity(found[:, axis])
        assert p > 0.001, f"axis {axis}: chi-square {square:.1f} of 9 degrees"
    inside = ((found > 0.025) & (found < 0.975)).mean()
    assert abs(inside - 0.95) < 3.0 * (0.95 * 0.05 / found.size) ** 0.5
