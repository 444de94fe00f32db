"""Sensitivity against published answers, closed forms and SALib, with luck and gaps."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from SALib.analyze import morris as salib_morris
from SALib.analyze import sobol as salib_sobol

from churnsim.analysis.given_data import first_order
from churnsim.analysis.resampling import Index, resampled
from churnsim.analysis.responses import asked, read_responses
from churnsim.analysis.sensitivity import Sensitivity, sensitivity
from churnsim.errors import InputError
from churnsim.records import Floats
from churnsim.scenario import Scenario
from tests.analysis.made import (
    Design,
    Factor,
    Finished,
    Sweep,
    grid,
    hypercube,
    ishigami,
    run,
    saltelli,
    trajectories,
)

# Ishigami & Homma (1990), a = 7, b = 0.1: first-order and total.
FIRST = (0.3139, 0.4424, 0.0)
TOTAL = (0.5576, 0.4424, 0.2437)
ANGLES = tuple(Factor(f"market.{name}", -math.pi, math.pi) for name in "abc")
SHARES = tuple(Factor(f"market.{name}") for name in "abc")


def found_of(finished: Finished) -> Sensitivity:
    """Return the sensitivity of what `slow` loses in revenue."""
    return sensitivity(finished, asked(finished.sweep, "revenue", None, None))


def ran(
    scenario: Scenario,
    design: Design,
    loss: Callable[[Floats], Floats],
    factors: tuple[Factor, ...] = SHARES,
    replications: int = 1,
    draws: str = "common",
    **more: float,
) -> Sensitivity:
    """Return the sensitivity of a known function."""
    sweep = Sweep(scenario, factors, design, replications, draws)
    return found_of(run(sweep, loss, **more))  # type: ignore[arg-type] # numbers alone


def by_name(found: Sensitivity, measure: str) -> list[float]:
    """Return a measure of each factor, in the sweep's order."""
    fields = [factor.field for factor in found.sweep.factors]
    known = {f.factor.field: getattr(f, measure).value for f in found.factors}
    return [known[field] for field in fields]


def held(index: Index, truth: float) -> bool:
    """Return whether an interval holds what is so."""
    assert index.low is not None
    assert index.high is not None
    return index.low <= truth <= index.high


def linear(x: Floats) -> Floats:
    """Return a line: of uniform shares, variances are as the squares of its slopes."""
    found: Floats = 30.0 * x[:, 0] + 20.0 * x[:, 1] + 10.0 * x[:, 2] + 500.0
    return found


def test_saltelli__finds_ishigamis_published_indices(scenario: Scenario) -> None:
    """From rows of two policies come the indices of their gap, within the interval."""
    found = ran(scenario, saltelli(4096, 3), ishigami, ANGLES)
    assert by_name(found, "first") == pytest.approx(FIRST, abs=0.02)
    assert by_name(found, "total") == pytest.approx(TOTAL, abs=0.02)
    for factor in found.factors:
        i = found.sweep.factors.index(factor.factor)
        assert factor.first is not None
        assert factor.total is not None
        assert held(factor.first, FIRST[i])
        assert held(factor.total, TOTAL[i])
    assert "market.a" in found.sentence()


def test_saltelli__agrees_with_salib(scenario: Scenario) -> None:
    """The same points give SALib's first-order and total indices, to sampling error."""
    design = saltelli(512, 3)
    sweep = Sweep(scenario, ANGLES, design, 1)
    finished = run(sweep, ishigami)
    found = found_of(finished)
    y = read_responses(finished, asked(sweep, "revenue", None, None)).mean
    problem = {"num_vars": 3, "names": list("abc"), "bounds": [[0, 1]] * 3}
    theirs = salib_sobol.analyze(problem, y, calc_second_order=False, seed=1)
    assert by_name(found, "first") == pytest.approx(theirs["S1"], abs=0.01)
    assert by_name(found, "total") == pytest.approx(theirs["ST"], abs=0.01)
    halves = [
        0.5 * ((f.total.high or 0.0) - (f.total.low or 0.0))
        for f in sorted(found.factors, key=lambda f: f.factor.field)
        if f.total is not None
    ]
    assert halves == pytest.approx(theirs["ST_conf"], rel=0.25)


@pytest.mark.parametrize(
    ("design", "within"), [(saltelli(1024, 3), 0.01), (hypercube(4000, 3), 0.04)]
)
def test_sensitivity__of_a_line_is_in_closed_form(
    design: Design, within: float, scenario: Scenario
) -> None:
    """A line's indices are its squared slopes over their sum, alone and in total."""
    truth = [9.0 / 14.0, 4.0 / 14.0, 1.0 / 14.0]
    found = ran(scenario, design, linear)
    assert by_name(found, "first") == pytest.approx(truth, abs=3 * within)
    if design.name == "saltelli":
        assert by_name(found, "total") == pytest.approx(truth, abs=within)
    else:
        assert all(factor.total is None for factor in found.factors)
        assert any("need one of the design" in text for text in found.warnings)


def test_grid__whole_is_exact(scenario: Scenario) -> None:
    """On all combinations, indices are those of the analysis of variance, by hand."""

    def product(x: Floats) -> Floats:
        found: Floats = x[:, 0] + 4.0 * x[:, 0] * x[:, 1]
        return found

    # Levels −½ and ½ of both: a has variance ¼, the product's 4 ab has 16/16 = 1.
    factors = (Factor("market.a", -1.0, 1.0), Factor("market.b", -1.0, 1.0))
    found = ran(scenario, grid(2, 2), product, factors)
    assert found.verdict == "few"  # four points say nothing of luck
    wide = (*factors, Factor("market.c"))
    found = ran(scenario, grid(2, 2, 3), product, wide)
    assert by_name(found, "first") == pytest.approx([0.2, 0.0, 0.0], abs=1e-12)
    assert by_name(found, "total") == pytest.approx([1.0, 0.8, 0.0], abs=1e-12)
    assert {f.estimator for f in found.factors} == {"grid"}


@pytest.mark.parametrize("draws", ["independent", "common"])
def test_saltelli__luck_is_no_sensitivity(draws: str, scenario: Scenario) -> None:
    """With luck as large as the signal, indices stay; plain ones would be inflated."""
    sd = math.sqrt(1400.0 / 12.0)
    design = saltelli(2048, 3)
    sweep = Sweep(scenario, SHARES, design, 4, draws)
    # Luck of the averages over 4 replications has the signal's own variance.
    finished = run(sweep, linear, noise=2.0 * sd)
    found = found_of(finished)
    truth = [9.0 / 14.0, 4.0 / 14.0, 1.0 / 14.0]
    assert by_name(found, "total") == pytest.approx(truth, abs=0.1)
    for factor in found.factors:
        i = int("abc".index(factor.factor.field[-1]))
        assert factor.total is not None
        assert held(factor.total, truth[i])
    if draws == "common":
        assert found.noise == pytest.approx(0.0, abs=1e-9)
        return
    assert found.noise == pytest.approx(0.5, abs=0.05)
    assert any("is luck" in text for text in found.warnings)
    averages = read_responses(finished, asked(sweep, "revenue", None, None)).mean
    problem = {"num_vars": 3, "names": list("abc"), "bounds": [[0, 1]] * 3}
    plain = salib_sobol.analyze(problem, averages, calc_second_order=False, seed=1)
    assert plain["ST"][2] > 0.4  # what 1/14 looks like where luck counts


def test_saltelli__common_luck_of_few_replications_is_in_the_interval(
    scenario: Scenario,
) -> None:
    """Where replications differ in slope, few of them make the interval wider."""
    design = saltelli(256, 3)
    sweep = Sweep(scenario, SHARES, design, 3)
    finished = run(sweep, linear)
    x = np.array([sweep.numbers(unit) for unit in design.units])
    question = asked(sweep, "revenue", None, None)
    y = read_responses(finished, question).y
    from churnsim.analysis.sobol import sobol_indices

    y = y + 300.0 * x[:, [2]] * np.array([-0.4, 0.1, 0.3])
    shaped = y.reshape(256, 5, 3)
    shared = sobol_indices(shaped, 1, is_common=True).total[2]
    apart = sobol_indices(shaped, 1, is_common=False).total[2]
    assert shared.value == apart.value
    assert shared.low is not None
    assert apart.low is not None
    assert shared.low < apart.low


def test_morris__agrees_with_salib(scenario: Scenario) -> None:
    """Mean, mean size and spread of effects are SALib's to the last digits."""
    design = trajectories(40, 3)
    sweep = Sweep(scenario, ANGLES, design, 1)
    finished = run(sweep, ishigami)
    found = found_of(finished)
    y = read_responses(finished, asked(sweep, "revenue", None, None)).mean
    problem = {"num_vars": 3, "names": list("abc"), "bounds": [[0, 1]] * 3}
    theirs = salib_morris.analyze(problem, design.units, y, num_levels=4, seed=1)
    for measure in ("mu", "mu_star", "sigma"):
        assert by_name(found, measure) == pytest.approx(theirs[measure])
    assert by_name(found, "mu_star")[1] == pytest.approx(52.5)  # 7.875 / 0.15 by hand


def test_morris__luck_is_told_apart(scenario: Scenario) -> None:
    """A factor that does nothing looks as large as luck says, and hardly spreads."""

    def one(x: Floats) -> Floats:
        found: Floats = 50.0 * x[:, 0]
        return found

    found = ran(
        scenario, trajectories(200, 3), one, replications=8, draws="independent",
        noise=20.0,
    )  # fmt: skip
    idle = next(f for f in found.factors if f.factor.field == "market.c")
    assert idle.mu_star is not None
    assert idle.mu_star_noise == pytest.approx(idle.mu_star.value, rel=0.15)
    assert not idle.is_sure
    assert idle.sigma is not None
    plain_spread = 20.0 * math.sqrt(2.0 / 8.0) * 1.5 / 0.15
    assert idle.sigma.value < 0.5 * plain_spread


def test_ranks__intervals_hold_what_is_so() -> None:
    """Of 200 samples of Ishigami's function, nine in ten intervals hold the index."""
    random = np.random.default_rng(5)
    hits = np.zeros(3)
    for _ in range(200):
        x = random.uniform(-math.pi, math.pi, (600, 3))
        y = ishigami(x)[:, None]
        for i in range(3):
            index, how = first_order(x[:, i], y, 1, is_common=False)
            hits[i] += held(index, FIRST[i])
            assert how == "ranks"
    assert (hits >= 180).all()


def test_levels__few_points_each_are_no_effect() -> None:
    """A factor that does nothing has an index of 0, however few points a level has."""
    random = np.random.default_rng(2)
    values = []
    for seed in range(60):
        place = np.repeat(np.arange(30.0), 3)
        index, how = first_order(
            place, random.standard_normal((90, 2)), seed, is_common=False
        )
        values.append(index.value if np.isfinite(index.value) else 0.0)
        assert how == "levels"
    assert np.median(values) == pytest.approx(0.0, abs=0.5)
    steps = np.repeat(np.arange(30.0), 3)[:, None]
    index, _ = first_order(steps[:, 0], steps + np.zeros((90, 2)), 1, is_common=True)
    assert index.value == pytest.approx(1.0, abs=0.02)


def test_levels__many_of_them_are_put_together() -> None:
    """Of hundreds of whole numbers, neighbours are one level: the index is a line's."""
    random = np.random.default_rng(3)
    x = random.integers(0, 400, (4000, 2)).astype(float)
    y = 2.0 * x[:, [0]] + x[:, [1]] + np.zeros((4000, 2))
    for i, truth in enumerate((0.8, 0.2)):
        index, how = first_order(x[:, i], y, 1, is_common=True)
        assert how == "levels"
        assert index.value == pytest.approx(truth, abs=0.03)
        assert held(index, truth)


@pytest.mark.parametrize("replications", [1, 4])
@pytest.mark.parametrize("kind", [saltelli(16, 3), trajectories(5, 3), grid(3, 3, 3)])
def test_sensitivity__of_a_constant_is_said(
    kind: Design, replications: int, scenario: Scenario
) -> None:
    """Without variance there are no indices and no NaN, and the sentence says why."""
    found = ran(
        scenario, kind, lambda x: np.full(len(x), 50.0), replications=replications
    )
    assert (found.verdict, found.factors) == ("constant", ())
    assert "does not vary: it is $333 a year per 1,000 customers" in found.sentence()


def test_sensitivity__where_luck_is_all_it_is_said(scenario: Scenario) -> None:
    """Where points differ by luck alone, no factor is named."""
    found = ran(
        scenario, saltelli(32, 3), lambda x: 50.0 + 0.0 * x[:, 0], replications=3,
        draws="independent", noise=40.0,
    )  # fmt: skip
    assert found.verdict == "noise"
    assert "cannot be told" in found.sentence()
    assert found.factors == ()


def test_sensitivity__of_one_factor(scenario: Scenario) -> None:
    """One factor alone is behind all of the variance."""
    sweep = Sweep(scenario, SHARES[:1], saltelli(256, 1), 1)
    found = found_of(run(sweep, lambda x: 30.0 * x[:, 0]))
    assert by_name(found, "total") == pytest.approx([1.0], abs=0.02)
    assert by_name(found, "first") == pytest.approx([1.0], abs=0.05)


def test_sensitivity__broken_blocks_are_left_out_whole(scenario: Scenario) -> None:
    """A failed and an unfinished point take their base blocks with them, counted."""
    sweep = Sweep(scenario, ANGLES, saltelli(256, 3), 2)
    whole = found_of(run(sweep, ishigami))
    found = found_of(run(sweep, ishigami, failed=(3, 4, 7), absent=(1279,)))
    assert (found.n_broken, found.n_units) == (3, 253)
    assert any("3 of 256 base blocks" in text for text in found.warnings)
    assert any("1 of 1,280 points are still to be run" in t for t in found.warnings)
    assert any("3 of 1,280 points, which failed" in t for t in found.warnings)
    pairs = zip(by_name(found, "total"), by_name(whole, "total"), strict=True)
    assert all(abs(a - b) < 0.05 for a, b in pairs)


def test_sensitivity__one_replication_is_said(scenario: Scenario) -> None:
    """Without replications, luck cannot be told, and that is a warning."""
    found = ran(scenario, saltelli(64, 3), linear)
    assert found.noise is None
    assert any("one replication" in text for text in found.warnings)


def test_sensitivity__all_failed_is_refused(scenario: Scenario) -> None:
    """Where no point has a response the error counts what happened."""
    sweep = Sweep(scenario, SHARES, saltelli(4, 3), 2)
    with pytest.raises(InputError, match="20 of 20 points, which failed"):
        found_of(run(sweep, linear, failed=range(20)))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("revenu", None, None), "did you mean 'revenue'"),
        (("revenue", "slwo", None), "did you mean 'slow'"),
        (("revenue", None, "zzz"), "there are empowered, slow"),
        (("revenue", "slow", "slow"), "must be two policies"),
        (("front_wait_90", None, None), "there are revenue, contribution, kept, lost"),
    ],
)
def test_asked__refuses_what_the_sweep_has_not(
    given: tuple[str, str | None, str | None], told: str, scenario: Scenario
) -> None:
    """A wrong outcome or policy is answered with the nearest, or all."""
    sweep = Sweep(scenario, SHARES, saltelli(4, 3), 1)
    with pytest.raises(InputError, match=told):
        asked(sweep, *given)


def test_asked__policies_that_vary_are_those_that_can_be_asked_for(
    scenario: Scenario,
) -> None:
    """The last policy of any point is the usual one; a flawless firm is none."""
    lists = ('["empowered", "slow"]', '["empowered", "dishonest", "flawless"]')
    factors = (Factor("policies", values=lists), *SHARES[:2])
    sweep = Sweep(
        scenario, factors, saltelli(4, 3), 1, policies=("patient", "flawless")
    )
    assert asked(sweep, "revenue", None, None)[1:] == ("dishonest", "empowered")
    with pytest.raises(InputError, match="there are empowered, slow, dishonest"):
        asked(sweep, "revenue", "patient", None)
    # Points that compare other policies have no response: blocks of theirs are broken.
    finished = run(sweep._replace(policies=("empowered", "slow")), linear)
    slow = asked(sweep, "revenue", "slow", None)
    assert read_responses(finished, slow).n_absent == 0


def test_responses__luck_of_both_policies_is_gone(scenario: Scenario) -> None:
    """What both policies met leaves no trace in the pair, but in the policy's own."""
    sweep = Sweep(scenario, SHARES, hypercube(40, 3), 3)
    finished = run(sweep, linear)
    paired = read_responses(finished, asked(sweep, "revenue", None, None))
    assert paired.y.std(axis=1) == pytest.approx(np.zeros(40), abs=1e-6)
    alone = asked(sweep, "revenue", "slow", None, alone=True)
    assert read_responses(finished, alone).y.std(axis=1).min() > 1.0
    factor = 1000.0 / (150 * 365.25 / 365.25)
    x = np.array([sweep.numbers(unit) for unit in sweep.design.units])
    assert paired.mean == pytest.approx(factor * linear(x))
    customers = read_responses(finished, asked(sweep, "lost", None, None))
    assert customers.mean == pytest.approx(-linear(x))  # slow minus empowered


def test_bootstrap__is_the_same_again() -> None:
    """The same seed gives the same samples, each of n units."""
    first = np.concatenate(list(resampled(7, 3)))
    again = np.concatenate(list(resampled(7, 3)))
    assert np.array_equal(first, again)
    assert set(first.sum(axis=1)) == {7.0}
    assert len(first) == 1000
