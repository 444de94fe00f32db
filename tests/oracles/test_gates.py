"""The gates are honest (they err as often as stated) and sharp (they see as stated)."""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from scipy import integrate, stats

from tests.oracles.gates import (
    POWER,
    Battery,
    GateResult,
    binomial_gate,
    ks_gate,
    mean_gate,
    noncentrality,
    poisson_gate,
)

FloatArray = npt.NDArray[np.float64]

N_SEEDS = 300
ALPHA = 1e-6
# What 300 tries of a 99 % chance fall short of less often than once in a thousand.
CAUGHT_MIN = int(stats.binom.ppf(1e-3, N_SEEDS, POWER))


def exponential_cdf(x: FloatArray) -> FloatArray:
    """Return the law of an exponential time with mean one, on the whole line."""
    return np.asarray(-np.expm1(-np.maximum(x, 0.0)), dtype=np.float64)


def run_mean(seed: int, factor: float) -> GateResult:
    """Return a mean gate of 400 replications, each a mean of 25 exponentials."""
    generator = np.random.default_rng([1, seed])
    values = generator.gamma(25.0, factor / 25.0, 400)
    return mean_gate(values, 1.0, alpha=ALPHA)


def run_law(seed: int, factor: float) -> GateResult:
    """Return a law gate of 2,000 exponential times."""
    generator = np.random.default_rng([2, seed])
    return ks_gate(generator.exponential(factor, 2000), exponential_cdf, alpha=ALPHA)


def run_share(seed: int, factor: float) -> GateResult:
    """Return a share gate of 100,000 trials at .3."""
    generator = np.random.default_rng([3, seed])
    successes = int(generator.binomial(100_000, 0.3 * factor))
    return binomial_gate(successes, 100_000, 0.3, alpha=ALPHA)


def run_count(seed: int, factor: float) -> GateResult:
    """Return a count gate of a Poisson count with mean 40,000."""
    generator = np.random.default_rng([4, seed])
    return poisson_gate(int(generator.poisson(40_000 * factor)), 40_000.0, alpha=ALPHA)


GATES = [run_mean, run_law, run_share, run_count]
Gate = Callable[[int, float], GateResult]


@pytest.mark.parametrize("gate", GATES)
def test_gates__are_honest(gate: Gate) -> None:
    """Over 300 seeds of what is so, p-values are uniform and no gate fails."""
    results = [gate(seed, 1.0) for seed in range(N_SEEDS)]
    p_values = np.array([result.p_value for result in results])
    assert stats.kstest(p_values, "uniform").pvalue > 1e-4
    assert 0.02 <= np.mean(p_values < 0.05) <= 0.09
    assert all(result.passes for result in results)


@pytest.mark.parametrize("gate", [run_mean, run_share, run_count])
def test_gates__have_statistics_of_unit_spread(gate: Gate) -> None:
    """Over 300 seeds of what is so, z has mean 0 and standard deviation 1, nearly."""
    scores = np.array([gate(seed, 1.0).statistic for seed in range(N_SEEDS)])
    assert abs(scores.mean()) < 4 / math.sqrt(N_SEEDS)
    assert 0.9 <= scores.std(ddof=1) <= 1.15


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("gate", [run_mean, run_share, run_count])
def test_gates__see_the_error_they_state(gate: Gate, sign: int) -> None:
    """An error of the stated size is caught 99 times in 100, a third of it seldom."""
    visible = float(np.median([gate(seed, 1.0).visible_error for seed in range(50)]))
    caught = sum(not gate(s, 1 + sign * visible).passes for s in range(N_SEEDS))
    missed = sum(gate(s, 1 + sign * visible / 3).passes for s in range(N_SEEDS))
    assert caught >= CAUGHT_MIN
    assert missed > 0.9 * N_SEEDS


def test_ks_gate__sees_the_distance_it_states() -> None:
    """A law at the stated distance is caught 99 times in 100: a slower rate by e·d."""
    distance = run_law(0, 1.0).visible_error
    # The largest distance of two exponential laws whose means have the ratio f.
    factor = next(
        f
        for f in np.linspace(1, 2, 10_001)[1:]
        if f ** (-1 / (f - 1)) - f ** (-f / (f - 1)) >= distance
    )
    assert factor - 1 == pytest.approx(math.e * distance, rel=0.15)
    caught = sum(not run_law(seed, float(factor)).passes for seed in range(N_SEEDS))
    assert caught >= CAUGHT_MIN


def test_mean_gate__catches_one_percent() -> None:
    """4,000 replications with a spread of .08 see 1 %, and a shift of 1 % fails."""
    generator = np.random.default_rng(8)
    values = generator.normal(1.0, 0.08, 4000)
    assert mean_gate(values, 1.0).visible_error <= 0.01
    assert mean_gate(values, 1.0).passes
    assert not mean_gate(1.01 * values, 1.0).passes
    assert not mean_gate(0.99 * values, 1.0).passes


def test_mean_gate__worked_by_hand() -> None:
    """Of 1, 2, 3, 4 against 2: t = .5·2/1.29099 = .774597, p = .495025."""
    result = mean_gate([1.0, 2.0, 3.0, 4.0], 2.0, alpha=0.05)
    assert result.seen == 2.5
    assert result.statistic == pytest.approx(0.774597, abs=1e-6)
    assert result.p_value == pytest.approx(0.495025, abs=1e-6)
    assert result.threshold == pytest.approx(3.182446, abs=1e-6)


def test_mean_gate__has_the_published_threshold() -> None:
    """At 1e-6 with 400 replications the threshold is 4.97."""
    result = mean_gate(np.arange(400.0), 199.5)
    assert f"{result.threshold:.2f}" == "4.97"
    assert result.passes


@pytest.mark.parametrize("df", [1, 4, 9, 99, 399])
def test_noncentrality__has_the_power_it_states(df: int) -> None:
    """P(Z + ν > threshold·chi/√df), integrated over chi, is .99."""
    threshold = float(stats.t.isf(5e-5, df))
    nu = noncentrality(threshold, df)
    chi = stats.chi(df)
    power, _ = integrate.quad(
        lambda u: stats.norm.cdf(nu - threshold * chi.ppf(u) / math.sqrt(df)), 0, 1
    )
    assert power == pytest.approx(POWER, abs=1e-5)


def test_mean_gate__judges_values_without_spread() -> None:
    """Equal values pass where they are the expected one but for rounding, else fail."""
    assert mean_gate([0.1 + 0.2] * 5, 0.3).passes
    assert not mean_gate([0.3000001] * 5, 0.3).passes


def test_ks_gate__has_the_published_threshold() -> None:
    """At 1e-6 the threshold is 2.69/√n."""
    assert f"{run_law(0, 1.0).threshold * math.sqrt(2000):.2f}" == "2.69"


def test_ks_gate__worked_by_hand() -> None:
    """Of .1, .4 and .7 against a uniform law the largest distance is .3, above .7."""
    result = ks_gate([0.7, 0.1, 0.4], lambda x: np.clip(x, 0, 1))
    assert result.seen == pytest.approx(0.3, abs=1e-12)


def test_ks_gate__takes_laws_with_atoms() -> None:
    """A third wait nothing, the others an exponential time: right passes, wrong fails.

    The wrong law has the same mean but no atom.
    """
    generator = np.random.default_rng(9)
    waits = generator.exponential(1.0, 30_000) * (generator.random(30_000) > 1 / 3)

    def with_atom(x: FloatArray) -> FloatArray:
        return np.where(x < 0, 0.0, 1 - 2 / 3 * np.exp(-np.maximum(x, 0.0)))

    assert ks_gate(waits, with_atom).passes
    assert not ks_gate(waits, lambda x: exponential_cdf(1.5 * x)).passes


def test_ks_gate__sees_a_gap_just_below_a_value() -> None:
    """A constant sample against a law that is there already, and one not there yet."""
    result = ks_gate([1.0] * 100, lambda x: np.where(x < 0.5, 0.0, 1.0))
    assert result.seen == 1.0
    result = ks_gate([1.0] * 100, lambda x: np.where(x < 1.0, 0.0, 1.0))
    assert result.seen == 0.0


def test_ks_gate__fails_where_the_law_is_no_number() -> None:
    """A law that returns NaN, at a value or only just below it, fails."""
    assert not ks_gate([0.5] * 9, lambda x: np.full_like(x, np.nan)).passes
    assert not ks_gate([0.5] * 9, lambda x: np.where(x < 0.5, np.nan, 1.0)).passes


def test_binomial_gate__worked_by_hand() -> None:
    """None of ten at 1/2: p = 2/1024; five of ten: p = 1."""
    assert binomial_gate(0, 10, 0.5).p_value == pytest.approx(2 / 1024, rel=1e-12)
    assert binomial_gate(5, 10, 0.5).p_value == 1.0
    assert binomial_gate(5, 10, 0.5).statistic == 0.0
    assert not binomial_gate(0, 10, 0.5, alpha=0.01).passes
    assert binomial_gate(0, 10, 0.5, alpha=0.001).passes


@pytest.mark.parametrize(("n", "p"), [(3000, 0.2), (50_000, 0.97), (400, 0.5)])
def test_binomial_gate__errs_and_sees_as_stated(n: int, p: float) -> None:
    """Summed over all outcomes, false alarms are at most α and power at least .99."""
    alpha = 1e-3
    k = np.arange(n + 1)
    mass = stats.binom.pmf(k, n, p)
    likely = k[mass > 1e-12]
    passes = np.array([binomial_gate(int(i), n, p, alpha=alpha).passes for i in likely])
    assert 1 - mass[likely[passes]].sum() <= alpha + 1e-9
    assert 1 - mass[likely[passes]].sum() >= alpha / 3
    visible = binomial_gate(0, n, p, alpha=alpha).visible_error
    for shifted in (p * (1 - visible), p * (1 + visible)):
        if shifted < 1:
            missed = stats.binom.pmf(likely[passes], n, shifted).sum()
            assert missed <= 1 - POWER + 1e-9


def test_binomial_gate__blind_to_less_of_the_rare() -> None:
    """Where none of ten is likely, no share is too low to pass: it sees nothing."""
    assert binomial_gate(0, 10, 0.1).visible_error == math.inf


def test_poisson_gate__worked_by_hand() -> None:
    """None where 3 are expected: p = 2·exp(−3); at 1e-6 not even none is too few."""
    result = poisson_gate(0, 3.0)
    assert result.p_value == pytest.approx(2 * math.exp(-3), rel=1e-12)
    assert result.visible_error == math.inf
    assert result.statistic < 0


@pytest.mark.parametrize("mean", [90.0, 3000.0])
def test_poisson_gate__errs_and_sees_as_stated(mean: float) -> None:
    """Summed over all outcomes, false alarms are at most α and power at least .99."""
    alpha = 1e-3
    k = np.arange(int(3 * mean))
    mass = stats.poisson.pmf(k, mean)
    likely = k[mass > 1e-12]
    passes = np.array([poisson_gate(int(i), mean, alpha=alpha).passes for i in likely])
    assert alpha / 3 <= 1 - mass[likely[passes]].sum() <= alpha + 1e-9
    visible = poisson_gate(0, mean, alpha=alpha).visible_error
    assert visible < 1
    for shifted in (mean * (1 - visible), mean * (1 + visible)):
        missed = stats.poisson.pmf(likely[passes], shifted).sum()
        assert missed <= 1 - POWER + 1e-9


@pytest.mark.parametrize(
    "gate",
    [
        lambda: mean_gate([1.0], 1.0),
        lambda: mean_gate([1.0, math.nan], 1.0),
        lambda: mean_gate([1.0, 2.0], 0.0),
        lambda: mean_gate([1.0, 2.0], math.nan),
        lambda: ks_gate([], exponential_cdf),
        lambda: ks_gate([math.inf], exponential_cdf),
        lambda: binomial_gate(1, 10, 0.0),
        lambda: binomial_gate(11, 10, 0.5),
        lambda: poisson_gate(1, 0.0),
        lambda: poisson_gate(-1, 1.0),
    ],
)
def test_gates__refuse_what_cannot_be_judged(gate: Callable[[], GateResult]) -> None:
    """Too little, not a number, or nothing to compare with: refused, not passed."""
    with pytest.raises(ValueError, match=r"need|must be"):
        gate()


def test_battery__shares_its_false_alarm_rate() -> None:
    """Ten gates at a family rate of .2 raise an alarm in at most a fifth of runs."""
    alarms = 0
    for seed in range(N_SEEDS):
        generator = np.random.default_rng([5, seed])
        battery = Battery(family_alpha=0.2)
        for i in range(10):
            battery.mean(f"gate {i}", generator.normal(1, 0.1, 50), 1.0)
        assert battery.alpha == pytest.approx(0.02, rel=1e-12)
        alarms += not all(result.passes for result in battery.results().values())
    # 1 − .98^10 = .183 is expected.
    assert 0.11 <= alarms / N_SEEDS <= 0.26


def test_battery__names_the_gate_that_fails(capsys: pytest.CaptureFixture[str]) -> None:
    """One wrong gate of four fails the battery and is named; the table lists all."""
    generator = np.random.default_rng(10)
    battery = Battery()
    battery.mean("right mean", generator.normal(1, 0.05, 4000), 1.0)
    battery.share("right share", (500_300, 1_000_000), 0.5)
    battery.count("right count", 1_000_400, 1_000_000.0)
    battery.law("right law", generator.exponential(1, 400_000), exponential_cdf)
    battery.check()
    assert capsys.readouterr().out.count(" ok\n") == 4
    battery.mean("wrong mean", generator.normal(1.02, 0.05, 4000), 1.0)
    with pytest.raises(AssertionError, match="1 gates failed: wrong mean"):
        battery.check()
    assert "FAILS" in capsys.readouterr().out


def test_battery__fails_a_gate_that_sees_too_little() -> None:
    """A gate that passes but could have missed 1 % fails, unless more is allowed."""
    values = np.random.default_rng(11).normal(1, 0.1, 100)
    battery = Battery()
    battery.mean("blunt", values, 1.0)
    with pytest.raises(AssertionError, match="BLIND"):
        battery.check()
    battery = Battery()
    battery.mean("blunt", values, 1.0, visible_max=0.1)
    battery.check()


def test_battery__refuses_to_be_empty_or_ambiguous() -> None:
    """A battery without gates cannot pass, and two gates cannot share a name."""
    with pytest.raises(ValueError, match="at least one gate"):
        Battery().check()
    battery = Battery()
    battery.count("calls", 100, 100.0)
    with pytest.raises(ValueError, match="repeated"):
        battery.count("calls", 100, 100.0)
