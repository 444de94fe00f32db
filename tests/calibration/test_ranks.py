"""Known firms, simulated: how often intervals hold what the firms were made with."""

import threading
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


def ranks(path: Path, n_firms: int, n_draws: int = 200) -> Floats:
    """Return where in their posteriors the true values of known firms lie, (n, 2).

    A firm's figures are those of other customers and luck than those it is fitted with.
    """
    scenario = load_scenario(path)
    parameters = parameters_of(PARAMETERS, scenario, "slow")
    figures = [FIGURES[name] for name in TARGETS]
    random = np.random.default_rng(11)
    found = []
    for firm in range(n_firms):
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
        observed = Observed(seen.values[0], seen.errors[0])
        effort = Effort(PLACES, firm)
        likelihood = fit(worlds[1], observed, len(parameters), effort, never).likelihood
        draws = sample(likelihood.log, len(parameters), n_draws, firm)
        found.append((draws < truth).mean(axis=0))
    return np.array(found)


def test_ranks__of_a_few_simulated_firms_are_inside(shop_file: Path) -> None:
    """Of the ten true values of five firms at least six lie in 80 % intervals.

    Eight are expected; fewer than six come with a probability of 3 %.
    """
    found = ranks(shop_file, 5)
    assert ((found > 0.1) & (found < 0.9)).sum() >= 6


@pytest.mark.slow
def test_ranks__of_200_simulated_firms_are_even(shop_file: Path) -> None:
    """Simulation-based calibration (Talts et al. 2018): χ² of ten bins, p > 0.1 %."""
    found = ranks(shop_file, 200)
    for axis in range(found.shape[1]):
        square, p = uniformity(found[:, axis])
        assert p > 0.001, f"axis {axis}: chi-square {square:.1f} of 9 degrees"
    inside = ((found > 0.025) & (found < 0.975)).mean()
    assert abs(inside - 0.95) < 3.0 * (0.95 * 0.05 / found.size) ** 0.5
