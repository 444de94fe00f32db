"""Luck and ignorance told apart: known answers, coverage, and the engine's own.

The long form makes the figures of docs/posterior.md:

    pytest tests/calibration/test_ignorance.py -m slow -s
"""

import functools
import math
import random
import statistics
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from scipy import special

from churnsim.calibration.drawn_runs import under
from churnsim.errors import InputError
from churnsim.experiment import Estimate, Execution, Until, compare, explain
from churnsim.experiment.posterior import (
    Components,
    Uncertain,
    components,
    drawn_estimate,
    uncertainty,
)
from churnsim.experiment.posterior.components import reach_of
from churnsim.experiment.summary import Summary
from churnsim.scenario import Scenario, load_scenario
from churnsim.simulation import simulate
from tests.calibration.drawn import LOST_A_PRICE, PRICE_SD, of_price, of_shop
from tests.experiment.conftest import SHOP

MANY = 4000  # experiments
FEW = 400
PLENTY = 200  # experiments on the engine
ON_ENGINE = 0.90  # of the share held there: 94 % less three standard errors
LOW = 0.93  # of the share that is held; an exact one of 400 is below it once in 30


class Truth(NamedTuple):
    """How answers differ, and how often they are looked at."""

    draws: int
    each: int  # replications of a draw
    ignorance: float  # standard deviation of the expectation over the draws
    luck: float  # standard deviation of a replication


def experiment(truth: Truth, coins: random.Random) -> tuple[float, Estimate]:
    """Return what is to be expected of a firm, and the interval for it.

    Everything is normal: the firm is one more draw.
    """
    means = [coins.gauss(0.0, truth.ignorance) for _ in range(truth.draws + 1)]
    draws = [draw for draw in range(truth.draws) for _ in range(truth.each)]
    values = [means[draw] + coins.gauss(0.0, truth.luck) for draw in draws]
    return means[-1], drawn_estimate(values, draws)


def share_held(truth: Truth, n: int) -> float:
    """Return how often the interval holds what is to be expected of the firm."""
    coins = random.Random(repr(truth))
    held = 0
    for _ in range(n):
        answer, found = experiment(truth, coins)
        assert found.low is not None
        assert found.high is not None
        held += found.low <= answer <= found.high
    return held / n


def test_components__of_a_table_worked_by_hand() -> None:
    """Draws (1, 3), (4, 6), (8, 8): means 2, 5 and 8, mean squares 4/3 and 18."""
    found = components([1, 8, 4, 3, 6, 8], [7, 2, 5, 7, 5, 2])
    assert found == Components(6, 3, 3.0, 5.0, 4.0 / 3.0, 18.0)
    assert found.size == 2.0
    assert found.ignorance == pytest.approx((18.0 - 4.0 / 3.0) / 2.0)
    # The mean's variance is the mean square between draws over all values.
    assert found.monte_carlo == pytest.approx(18.0 / 6.0)
    told = uncertainty(found)
    assert told.total**2 == pytest.approx(3.0 + 25.0 / 3.0)
    assert told.ignorance_share == pytest.approx((25.0 / 3.0) / (3.0 + 25.0 / 3.0))


def test_components__of_draws_that_come_unequally_often() -> None:
    """Draws (2, 4), (9): n_e = 9/5, size = 3 (1 − 5/9), of which the rest follows."""
    found = components([2.0, 4.0, 9.0], [0, 0, 1])
    assert found is not None
    assert (found.n, found.n_draws, found.mean) == (3, 2, 5.0)
    assert found.effective == pytest.approx(1.8)
    assert found.within == 2.0
    assert found.between == pytest.approx(24.0)
    assert found.size == pytest.approx(4.0 / 3.0)


def test_components__are_unbiased() -> None:
    """Over many experiments both variances are met on average, unequal draws too."""
    coins = random.Random(5)
    draws = [0, 0, 1, 1, 1, 2, 3, 3, 3, 3, 4, 4]
    lucks, signs = [], []
    for _ in range(MANY):
        means = [coins.gauss(0.0, 2.0) for _ in range(5)]
        found = components([means[d] + coins.gauss(0.0, 1.5) for d in draws], draws)
        assert found is not None
        lucks.append(found.within)
        signs.append((found.between - found.within) / found.size)
    for values, expected in ((lucks, 1.5**2), (signs, 2.0**2)):
        error = statistics.stdev(values) / math.sqrt(MANY)
        assert abs(statistics.fmean(values) - expected) < 3.5 * error


@pytest.mark.parametrize("n_draws", [2, 3, 4, 10, 30, 200])
def test_reach__without_luck_is_students(n_draws: int) -> None:
    """With all replications of a draw alike it is t's, for one more draw."""
    found = Components(2 * n_draws, n_draws, float(n_draws), 0.0, 0.0, 2.0)
    t = float(special.stdtrit(n_draws - 1, 0.975))
    assert reach_of(found) == pytest.approx(t * math.sqrt(1.0 + 1.0 / n_draws), 2e-4)


def test_reach__of_many_replications_is_that_of_what_is_not_known() -> None:
    """Luck goes as replications come; ignorance stays, and so does the interval."""
    draws = 400
    reaches = [
        reach_of(Components(draws * n, draws, float(draws), 0.0, 1.0, 1.0 + n * 4.0))
        for n in (2, 8, 100)
    ]
    assert reaches == sorted(reaches, reverse=True)
    assert reaches[-1] == pytest.approx(1.96 * 2.0, rel=0.01)


def test_estimate__does_not_depend_on_the_order_of_values() -> None:
    """Replications in any order, under draws by any number, are the same estimate."""
    coins = random.Random(2)
    pairs = [(coins.gauss(0.0, 1.0) + d, d) for d in range(9) for _ in range(3)]
    first = drawn_estimate([v for v, _ in pairs], [d for _, d in pairs])
    coins.shuffle(pairs)
    assert drawn_estimate([v for v, _ in pairs], [99 - d for _, d in pairs]) == first


def test_estimate__has_no_interval_where_nothing_tells_one() -> None:
    """None of one draw or no data; none wider than a point where nothing varies."""
    assert drawn_estimate([1.0, 2.0], [3, 3]) == Estimate(1.5, None, None, 2)
    assert drawn_estimate([None, None], [0, 1]) == Estimate(None, None, None, 0)
    assert drawn_estimate([0, 0, 0], [0, 0, 1]) == Estimate(0.0, 0.0, 0.0, 3)
    found = drawn_estimate([1.0, None, 2.0, 4.0], [0, 0, 1, 2])
    assert found.n == 3
    assert found.low is not None
    assert components([], []) is None


@pytest.mark.parametrize(
    "truth",
    [
        Truth(15, 2, 1.0, 0.1),
        Truth(15, 2, 1.0, 1.0),
        Truth(15, 2, 0.3, 1.0),
        Truth(6, 2, 1.0, 0.5),
        Truth(20, 6, 0.5, 1.0),
    ],
)
def test_coverage__of_normal_draws(truth: Truth) -> None:
    """The interval holds what is to be expected of the firm, whatever is luck."""
    assert share_held(truth, FEW) >= LOW


def test_coverage__of_the_mean_over_the_draws_would_not_do() -> None:
    """A plain interval, for the mean over all draws, holds the firm's half the time."""
    coins = random.Random(3)
    held = 0
    for _ in range(FEW):
        means = [coins.gauss(0.0, 1.0) for _ in range(16)]
        centre, error = statistics.fmean(means[:15]), statistics.stdev(means[:15])
        held += abs(means[15] - centre) <= 2.145 * error / math.sqrt(15.0)
    assert held / FEW < 0.6


def test_coverage__of_the_estimated_variance_alone_would_not_do() -> None:
    """As if both variances were known: too narrow where luck hides ignorance."""
    coins = random.Random(4)
    truth = Truth(15, 2, 0.3, 1.0)
    draws = [draw for draw in range(truth.draws) for _ in range(truth.each)]
    held = 0
    for _ in range(MANY // 2):
        means = [coins.gauss(0.0, truth.ignorance) for _ in range(truth.draws + 1)]
        found = components([coins.gauss(means[d], truth.luck) for d in draws], draws)
        assert found is not None
        held += abs(means[-1] - found.mean) <= 2.145 * uncertainty(found).total
    assert held / (MANY // 2) < 0.9


@pytest.mark.slow
@pytest.mark.parametrize("draws", [5, 15, 50])
@pytest.mark.parametrize("each", [2, 8])
@pytest.mark.parametrize("ignorance", [0.0, 0.3, 1.0, 3.0])
def test_coverage__over_many_experiments(
    draws: int, each: int, ignorance: float
) -> None:
    """At least the nominal share, give or take, and always where all is luck."""
    truth = Truth(draws, each, ignorance, 1.0)
    held = share_held(truth, MANY)
    sys.stdout.write(f"{draws} draws of {each}, {ignorance} of luck: {held:.1%}\n")
    assert held >= 0.925


@pytest.mark.slow
@pytest.mark.parametrize("draws", [15, 50])
def test_coverage__of_skewed_draws(draws: int) -> None:
    """Lognormal ignorance, of which misses lie on the side of the long tail."""
    coins = random.Random(draws)
    below = above = 0
    for _ in range(MANY):
        means = [coins.lognormvariate(0.0, 0.6) for _ in range(draws + 1)]
        order = [draw for draw in range(draws) for _ in range(2)]
        values = [means[draw] + coins.gauss(0.0, 0.3) for draw in order]
        found = drawn_estimate(values, order)
        assert found.low is not None
        assert found.high is not None
        below += means[-1] < found.low
        above += means[-1] > found.high
    told = f"{draws} draws: {below / MANY:.1%} below, {above / MANY:.1%} above\n"
    sys.stdout.write(told)
    assert (below + above) / MANY <= 0.075


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    """Return a small shop."""
    path = tmp_path_factory.mktemp("shop") / "shop.toml"
    path.write_text(SHOP, encoding="utf-8")
    return load_scenario(path)


@pytest.fixture(scope="module")
def uncertain(shop: Scenario) -> Uncertain:
    """Return the shop with a posterior."""
    return under(of_shop(shop), shop)


@pytest.mark.compiled
def test_replications__are_runs_of_their_draw(uncertain: Uncertain) -> None:
    """Each row is the run of its draw's scenario by itself, under every policy."""
    names = ["slow", "dishonest"]
    result = compare(uncertain, policies=names, replications=4)
    draws = result.replications.draws
    assert draws[0] == draws[1] != draws[2] == draws[3]
    for row in result.runs:
        scenario = uncertain.at(draws[row.replication])
        outcome = simulate(scenario, row.policy, replication=row.replication)
        assert outcome.digest() == row.digest


@pytest.mark.compiled
def test_replications__are_the_same_however_they_are_run(
    uncertain: Uncertain, shop: Scenario
) -> None:
    """One thread or three, these numbers or more of them, loaded anew or varied."""
    ask = functools.partial(compare, uncertain, policies=["slow"], replications=6)
    first = ask(execution=Execution(threads=1))
    other = ask(execution=Execution(threads=3))
    assert first.to_json_dict() == other.to_json_dict()
    loaded = Uncertain(uncertain.posterior, shop)
    fewer = compare(loaded, policies=["slow"], replications=3)
    n = len(fewer.runs)
    assert all(a.is_same(b) for a, b in zip(first.runs[:n], fewer.runs, strict=True))
    assert isinstance(first.runs[0], Summary)


@pytest.mark.compiled
def test_ignorance__of_the_engine_is_that_of_the_closed_form(tmp_path: Path) -> None:
    """With a price of which a normal law is known, its spread is found in the loss.

    What is lost is proportional to the price, so the standard deviation over the draws
    is known; with 60 draws the estimate is within a third of it but once in thousands.
    """
    uncertain, _ = of_price(tmp_path, 60, seed=4)
    result = compare(uncertain, replications=120)
    ignorance = result.ignorance
    assert ignorance is not None
    assert ignorance.n_used == len(set(result.replications.draws)) >= 45
    loss = result.loss("slow")
    told = ignorance.of(loss).total
    assert told is not None
    expected = LOST_A_PRICE["alike"] * PRICE_SD
    assert told.ignorance == pytest.approx(expected, rel=0.34)
    assert told.total**2 == pytest.approx(told.monte_carlo**2 + told.ignorance**2)
    assert loss.total.low is not None
    assert loss.total.high is not None
    assert 0.5 * (loss.total.high - loss.total.low) > 1.96 * told.ignorance
    assert loss.variance_factor is None
    assert result.control is None


@pytest.mark.compiled
@pytest.mark.slow
def test_coverage__of_the_engine(tmp_path: Path) -> None:
    """The loss expected at the firm's own price is in the interval as often as told."""
    held = 0
    for seed in range(PLENTY):
        uncertain, price = of_price(tmp_path, 20, seed)
        how = Execution(threads=1)
        result = compare(uncertain, replications=30, seed=seed, execution=how)
        total = result.loss("slow").total
        assert total.low is not None
        assert total.high is not None
        held += total.low <= LOST_A_PRICE["alike"] * price <= total.high
    sys.stdout.write(f"{PLENTY} experiments of 30 replications: {held / PLENTY:.1%}\n")
    assert held / PLENTY >= ON_ENGINE


@pytest.mark.compiled
def test_comparison__refuses_what_draws_cannot_tell(
    uncertain: Uncertain, shop: Scenario
) -> None:
    """Neither a loss by lever, nor a precision, nor settings over the draws."""
    result = compare(uncertain, policies=["slow"], replications=2)
    with pytest.raises(InputError, match="explain the scenario without its posterior"):
        result.explained()
    with pytest.raises(InputError, match="no replication narrows"):
        compare(uncertain, replications=Until(half_width=0.1))
    with pytest.raises(InputError, match="draws lie over a scenario"):
        compare(uncertain, overrides=["market.drift=0"])
    assert any("one draw" in text for text in result.warnings)
    assert result.loss("slow").total.low is None
    assert "one draw of what is not known, so no interval" in result.sentence("slow")
    told = explain(shop, "slow", replications=2)
    assert told.n_finished == 2


@pytest.mark.compiled
def test_foundations__no_longer_assume_what_is_drawn(uncertain: Uncertain) -> None:
    """What was fitted stands among what results rest on, with its range, as seen."""
    result = compare(uncertain, policies=["slow"], replications=2)
    found = {item.key: item for item in result.foundations}
    assert found["market.lock_in"].grade == "A"
    assert found["market.lock_in"].value.startswith("drawn, -")
    assert "market.lock_in" not in {item.key for item in result.assumptions}
    assert "market.memory" in {item.key for item in result.assumptions}
