"""How often intervals of the engine's results hold the answer, where it is known.

The long form makes the figures of docs/intervals.md:

    pytest tests/experiment/test_coverage.py -m slow -s
"""

import math
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import pytest

from churnsim.experiment import Estimate, Execution, Until, compare
from churnsim.experiment.comparing import losses_of
from churnsim.experiment.control import control_of
from churnsim.experiment.replications import Replications, available_cores
from churnsim.scenario import Scenario
from tests.experiment.known import KINDS, known_revenue, known_scenario

pytestmark = pytest.mark.compiled

MANY = 1200  # experiments
FEW = 24
LOW, HIGH = 0.935, 0.965  # of the share that covers
FIXED = 30  # replications, which every experiment with a rule has too
PRECISION = {"alike": 0.10, "mixed": 0.15}  # half-width, as a share of the loss

Found = dict[str, Estimate]  # of each answer, by name


class Trial(NamedTuple):
    """What one experiment finds."""

    n: int  # replications until the rule stops
    fixed: Found  # with the first 30 of them
    sequential: Found  # at the stop


def trial(scenario: Scenario, precision: float, seed: int) -> Trial:
    """Return what one experiment finds, with a rule and without.

    Without one, the first replications are what a run of so many gives, to the bit.
    """
    result = compare(
        scenario,
        replications=Until(half_width=precision),
        seed=seed,
        execution=Execution(threads=1),
    )
    early = result.runs[: FIXED * len(result.replications.policies)]
    fixed = result.replications._replace(runs=early)
    return Trial(
        result.n_finished,
        found_in(scenario, fixed),
        found_in(scenario, result.replications),
    )


def found_in(scenario: Scenario, results: Replications) -> Found:
    """Return the losses of the slow policy, and its revenue with the control."""
    losses = losses_of(scenario, results)
    control = control_of(scenario, results, losses)
    assert control is not None
    plain = {
        f"lost against {loss.against}": loss.total
        for loss in losses
        if (loss.policy, loss.measure) == ("slow", "revenue")
    }
    (revenue,) = (item.value for item in control.used if item.policy == "slow")
    return {**plain, "revenue with control variate": revenue}


def answers(kind: str) -> dict[str, float]:
    """Return the answers by name."""
    slow = known_revenue(kind, "slow")
    return {
        "lost against baseline": known_revenue(kind, "empowered") - slow,
        "lost against flawless": known_revenue(kind, "flawless") - slow,
        "revenue with control variate": slow,
    }


def errors(found: Iterable[Found], name: str, truth: float) -> Iterator[float]:
    """Yield how far off each interval's middle is, in halves of its width."""
    for estimates in found:
        _, low, high, _ = estimates[name]
        assert low is not None
        assert high is not None
        yield (0.5 * (low + high) - truth) / (0.5 * (high - low))


@pytest.mark.parametrize("kind", KINDS)
def test_coverage__in_short(kind: str, tmp_path: Path) -> None:
    """Intervals are neither much too narrow nor much too wide, in 24 experiments.

    Of 95 % intervals all but four hold the answer with a probability of 99.4 %; the
    middle half of an interval holds it in 67 %, so in 9 to 22 with 99.8 %.
    """
    scenario = known_scenario(kind, tmp_path)
    trials = [trial(scenario, 2 * PRECISION[kind], seed) for seed in range(FEW)]
    for name, truth in answers(kind).items():
        sizes = [abs(x) for x in errors((t.sequential for t in trials), name, truth)]
        assert sum(size <= 1.0 for size in sizes) >= FEW - 4, name
        assert 9 <= sum(size <= 0.5 for size in sizes) <= 22, name


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_coverage__is_between_935_and_965(kind: str, tmp_path: Path) -> None:
    """Of 95 % intervals of 1,200 experiments, with and without sequential stopping."""
    run = partial(trial, known_scenario(kind, tmp_path), PRECISION[kind])
    with ProcessPoolExecutor(available_cores(), get_context("spawn")) as pool:
        trials = list(pool.map(run, range(MANY), chunksize=20))
    mean_n = sum(t.n for t in trials) / MANY
    shares = {}
    for way, n in (("fixed", FIXED), ("sequential", mean_n)):
        for name, truth in answers(kind).items():
            found = (getattr(t, way) for t in trials)
            covered = sum(abs(error) <= 1.0 for error in errors(found, name, truth))
            shares[way, name] = share = covered / MANY
            its_own = math.sqrt(share * (1.0 - share) / MANY)
            sys.stdout.write(
                f"\n{kind}, {way}, {name}: {share:.2%} ± {its_own:.2%} of {MANY:,}"
                f" experiments of {n:.1f} replications"
            )
    assert all(LOW <= share <= HIGH for share in shares.values()), shares
