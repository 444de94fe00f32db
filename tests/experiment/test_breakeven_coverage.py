"""How often a breakeven's interval holds the root, where it is known.

Of two policies one settles at once and fights a share of the claims, the other settles
all of them slowly. What a mistake costs in customers is a line in that share, so the
share at which both earn the same is a quotient of published shares who buy again. The
long form makes the figures of docs/intervals.md:

    pytest tests/experiment/test_breakeven_coverage.py -m slow -s
"""

import math
import statistics
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import pytest

from churnsim.experiment import Execution, Search, breakeven
from churnsim.experiment.replications import available_cores
from churnsim.scenario import Scenario
from tests.experiment.known import KINDS, ROW, known_scenario
from tests.oracles import closed_forms as forms

pytestmark = pytest.mark.compiled

LEVER = "accountability.contest"
QUICK, SLOW = "empowered", "slow"
# All claims may be fought, and the slow policy fights none.
SETTINGS = ["mistakes.minor.at_fault=1.0", f"policy.{SLOW}.{LEVER}=0.0"]
REPLICATIONS = 30
MANY = 600  # experiments of each kind
FEW = 12
LOW, HIGH = 0.935, 0.965  # of the share that covers


class Root(NamedTuple):
    """What one experiment finds."""

    value: float
    low: float  # the range's own end where the interval is open there
    high: float


def known_root() -> float:
    """Return the share of claims fought at which being quick loses its advantage.

    An episode spoken up about is settled with probability 1 − contest.
    """

    def leaving(contest: float, quick: float) -> float:
        return forms.leave_per_mistake(ROW, forms.Recovery(0.5, 1.0 - contest, quick))

    none, all_fought, slow = leaving(0.0, 1.0), leaving(1.0, 1.0), leaving(0.0, 0.0)
    return (slow - none) / (all_fought - none)


def root(scenario: Scenario, seed: int) -> Root:
    """Return from which share of claims fought on the quick policy loses."""
    search = Search(
        replications=REPLICATIONS, seed=seed, execution=Execution(threads=1)
    )
    found = breakeven(
        scenario, LEVER, QUICK, SLOW, overrides=SETTINGS, search=search
    ).crossing
    assert found is not None
    assert found.starts
    low = 0.0 if found.low is None else found.low
    high = 1.0 if found.high is None else found.high
    return Root(found.value, low, high)


def test_known_root__is_that_of_the_table() -> None:
    """Of 100 who bought again 95 were settled at once, 70 slowly, 46 not: 25 of 49."""
    assert known_root() == pytest.approx(25.0 / 49.0, rel=1e-12)


def test_breakeven_coverage__in_short(tmp_path: Path) -> None:
    """Of 12 intervals all but three hold the root, and none is wider than a quarter.

    Of 95 % intervals so many do with a probability of 99.8 %.
    """
    run = partial(root, known_scenario("alike", tmp_path))
    found = [run(seed) for seed in range(FEW)]
    assert sum(at.low <= known_root() <= at.high for at in found) >= FEW - 3
    assert all(0.0 < at.high - at.low < 0.25 for at in found)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_breakeven_coverage__is_between_935_and_965(kind: str, tmp_path: Path) -> None:
    """Of 95 % intervals of 600 experiments, but for that share's own standard error."""
    run = partial(root, known_scenario(kind, tmp_path))
    with ProcessPoolExecutor(available_cores(), get_context("spawn")) as pool:
        found = list(pool.map(run, range(MANY), chunksize=10))
    covered = sum(at.low <= known_root() <= at.high for at in found)
    share = covered / MANY
    its_own = math.sqrt(share * (1.0 - share) / MANY)
    width = statistics.fmean(at.high - at.low for at in found)
    sys.stdout.write(
        f"\n{kind}: {covered} of {MANY}, {share:.2%} ± {its_own:.2%}, hold the root"
        f" {known_root():.2%}; {width:.1%} wide on average, values"
        f" {statistics.fmean(at.value for at in found):.2%} on average"
    )
    assert LOW - its_own <= share <= HIGH + its_own
