"""Durations of which some ends were not seen: published curves, scipy, simulation."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from scipy.optimize import approx_fprime

from churnsim.fit import (
    DurationFit,
    FitError,
    choose_law,
    fit_lognormal,
    fit_weibull,
    kaplan_meier,
)
from churnsim.fit.durations import curve_points, law_survival
from churnsim.fit.kaplan_meier import survival_at

# Weeks of remission under 6-MP (Freireich et al. 1963), and relapses among them.
WEEKS = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
RELAPSED = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
FITS: dict[str, Callable[..., DurationFit]] = {
    "weibull": fit_weibull,
    "lognormal": fit_lognormal,
}
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


def waits(
    law: str, n: int, rng: np.random.Generator, answered_after: float = 1.0
) -> tuple[FloatArray, BoolArray]:
    """Return waits, and who gave up; patience has mean 1 and cv .5 by this law."""
    if law == "weibull":
        shape = 2.101349  # of cv .5
        patience = rng.weibull(shape, n) / 0.8856858
    else:
        sigma = np.sqrt(np.log(1.25))
        patience = rng.lognormal(-sigma * sigma / 2, sigma, n)
    answer = rng.exponential(answered_after, n)
    return np.minimum(patience, answer), patience <= answer


def test_kaplan_meier__equals_the_published_remission_times() -> None:
    """S is .857 at 6 weeks, .753 at 10, .448 at 23, with the intervals of textbooks."""
    curve = kaplan_meier(WEEKS, RELAPSED)
    assert curve.time.tolist() == [6, 7, 10, 13, 16, 22, 23]
    shares = [0.8571, 0.8067, 0.7529, 0.6902, 0.6275, 0.5378, 0.4482]
    assert curve.share.round(4).tolist() == shares
    low = [0.6197, 0.5631, 0.5032, 0.4316, 0.3675, 0.2678, 0.1881]
    high = [0.9516, 0.9228, 0.8894, 0.8491, 0.8049, 0.7468, 0.6801]
    assert curve.low == pytest.approx(low, abs=6e-5)
    assert curve.high == pytest.approx(high, abs=6e-5)
    at = survival_at(curve, [0, 5.9, 6, 9, 10, 40])
    assert at.round(4).tolist() == [1, 1, 0.8571, 0.8067, 0.7529, 0.4482]


def test_kaplan_meier__without_censoring_is_the_share_that_is_left() -> None:
    """Its last step is 0, where nothing bounds what might have been."""
    curve = kaplan_meier([1, 2, 2, 4], np.ones(4))
    assert curve.share.tolist() == [0.75, 0.25, 0]
    assert (curve.low[-1], curve.high[-1]) == (0, 1)


@pytest.mark.parametrize(
    ("law", "scipys", "names"),
    [
        ("weibull", stats.weibull_min, ("shape", "scale")),
        ("lognormal", stats.lognorm, ("sigma", "median")),
    ],
)
def test_fits__agree_with_scipy(law: str, scipys: Any, names: tuple[str, str]) -> None:
    """Parameters, likelihood and moments of the remission times as scipy finds them."""
    found = FITS[law](WEEKS, RELAPSED)
    seen, weeks = np.array(RELAPSED, dtype=bool), np.array(WEEKS, dtype=float)
    theirs = scipys.fit(stats.CensoredData.right_censored(weeks, ~seen), floc=0)
    ours = [found.params[name] for name in names]
    assert ours == pytest.approx([theirs[0], theirs[2]], rel=1e-4)
    frozen = scipys(ours[0], scale=ours[1])
    likelihood = frozen.logpdf(weeks[seen]).sum() + frozen.logsf(weeks[~seen]).sum()
    assert found.log_likelihood == pytest.approx(likelihood, rel=1e-12)
    assert found.aic == pytest.approx(4 - 2 * likelihood, rel=1e-12)
    assert found.mean == pytest.approx(frozen.mean(), rel=1e-9)
    assert found.cv == pytest.approx(frozen.std() / frozen.mean(), rel=1e-9)
    assert float(law_survival(found, 12.0)) == pytest.approx(frozen.sf(12.0))
    assert found.beyond == pytest.approx(frozen.sf(35.0))
    assert (found.n, found.n_seen, found.converged) == (21, 9, True)


def test_fit_weibull__of_shape_1_is_the_exponential_estimate() -> None:
    """Times whose likeliest shape is 1 have as scale the time at risk per end."""
    seen = np.ones(400, dtype=bool)
    time = stats.expon.ppf((np.arange(400) + 0.5) / 400)
    found = fit_weibull(time, seen)
    assert found.params["shape"] == pytest.approx(1, abs=0.02)
    assert found.mean == pytest.approx(time.sum() / 400, rel=2e-3)
    assert found.standard_errors["scale"] == pytest.approx(1 / 20, rel=0.1)


@pytest.mark.parametrize("law", ["weibull", "lognormal"])
def test_fits__errors_of_mean_and_cv_are_those_of_the_parameters(law: str) -> None:
    """The delta method: by differences through the parameters, the same errors."""
    time, seen = waits(law, 300, np.random.default_rng(2))
    found = FITS[law](time, seen)
    frozen: Callable[[FloatArray], Any] = {
        "weibull": lambda at: stats.weibull_min(at[0], scale=at[1]),
        "lognormal": lambda at: stats.lognorm(at[1], scale=at[0]),
    }[law]
    at = np.array(list(found.params.values()))
    moments = [
        lambda values: float(frozen(values).mean()),
        lambda values: float(frozen(values).std() / frozen(values).mean()),
    ]
    errors = np.array(list(found.standard_errors.values()))
    for moment, error in zip(moments, (found.mean_error, found.cv_error), strict=True):
        slope = approx_fprime(at, moment, 1e-6) * errors
        # Correlated parameters: the error lies between those of both signs.
        low, high = abs(abs(slope[0]) - abs(slope[1])), np.abs(slope).sum()
        assert low * (1 - 1e-4) <= error <= high * (1 + 1e-4)


@pytest.mark.parametrize("law", ["weibull", "lognormal"])
def test_fits__recover_the_patience_of_those_who_are_answered(law: str) -> None:
    """Over 30 logs of 400 mean and cv miss by as much as their errors say.

    Half of the customers are answered. The waits of the others alone are a sixth too
    short, or more; the curve without a law keeps within its interval.
    """
    rng = np.random.default_rng(21)
    z, naive, inside = [], [], 0
    for _ in range(30):
        time, seen = waits(law, 400, rng)
        found = FITS[law](time, seen)
        z.append(
            ((found.mean - 1) / found.mean_error, (found.cv - 0.5) / found.cv_error)
        )
        naive.append(time[seen].mean())
        curve = kaplan_meier(time, seen)
        i = int(np.searchsorted(curve.time, 1.0, side="right")) - 1
        truth = {"weibull": np.exp(-(0.8856858**2.101349)), "lognormal": None}[law]
        truth = truth or stats.norm.sf(np.sqrt(np.log(1.25)) / 2)
        inside += curve.low[i] <= truth <= curve.high[i]
    scores = np.array(z)
    # z = 4 for the mean of 30; the sum of squares is chi-square with 30 degrees.
    assert np.max(np.abs(scores.mean(axis=0))) < 4 / np.sqrt(30)
    low, high = stats.chi2(30).ppf([2e-4, 1 - 2e-4])
    squares = (scores**2).sum(axis=0)
    assert low < squares.min()
    assert squares.max() < high
    assert np.mean(naive) < 0.85
    assert inside >= 23  # of 30 at 95 %: fewer come about once in 10,000 times


@pytest.mark.parametrize("law", ["weibull", "lognormal"])
def test_choose_law__finds_the_law_that_was_simulated(law: str) -> None:
    """Of 3,000 waits the true law fits better, surely; of 25 logs of 40 few say more.

    At the 5 % level at most one log in forty is sure of the wrong law; three of 25 come
    about once in 40 times even then.
    """
    rng = np.random.default_rng(31)
    choice = choose_law(*waits(law, 3000, rng))
    assert choice.best.law == law
    assert choice.is_sure
    assert choice.weight > 0.999
    assert choice.aic_difference == choice.other.aic - choice.best.aic
    small = [choose_law(*waits(law, 40, rng)) for _ in range(25)]
    assert sum(c.is_sure and c.best.law != law for c in small) <= 2
    assert sum(not c.is_sure for c in small) >= 13


def test_choose_law__follows_vuong() -> None:
    """Z is the mean difference over its standard error, p both tails beyond it."""
    time, seen = waits("weibull", 200, np.random.default_rng(41))
    choice = choose_law(time, seen)
    each = []
    for fit in (choice.best, choice.other):
        frozen = (
            stats.weibull_min(fit.params["shape"], scale=fit.params["scale"])
            if fit.law == "weibull"
            else stats.lognorm(fit.params["sigma"], scale=fit.params["median"])
        )
        each.append(np.where(seen, frozen.logpdf(time), frozen.logsf(time)))
    d = each[0] - each[1]
    assert choice.z == pytest.approx(np.sqrt(200) * d.mean() / d.std(), rel=1e-9)
    assert choice.p_value == pytest.approx(2 * stats.norm.sf(choice.z), rel=1e-9)
    assert choice.weight == pytest.approx(1 / (1 + np.exp(-d.sum())), rel=1e-9)


def test_curve_points__stop_where_the_curve_does() -> None:
    """Remission falls to 75 and 50 %, never to 25: two times, and S(t) of both laws."""
    choice = choose_law(WEEKS, RELAPSED)
    laws = (choice.best, choice.other)
    points = curve_points(kaplan_meier(WEEKS, RELAPSED), laws)
    assert [point.time for point in points] == [6, 13, 23]
    assert [round(point.share, 3) for point in points] == [0.857, 0.69, 0.448]
    for point in points:
        expected = [float(law_survival(fit, point.time)) for fit in laws]
        assert list(point.by_law) == expected


@pytest.mark.parametrize("fit", [fit_weibull, fit_lognormal])
def test_fits__scale_with_the_unit_of_time(fit: Callable[..., DurationFit]) -> None:
    """In minutes the mean is 1,440 times what it is in days, the cv is the same."""
    time, seen = waits("weibull", 100, np.random.default_rng(51))
    days, minutes = fit(time, seen), fit(time * 1440, seen)
    assert minutes.mean == pytest.approx(days.mean * 1440, rel=1e-6)
    assert minutes.mean_error == pytest.approx(days.mean_error * 1440, rel=1e-5)
    assert minutes.cv == pytest.approx(days.cv, rel=1e-6)


@pytest.mark.parametrize(
    ("time", "seen", "rule"),
    [
        ([1.0, 2.0, 3.0], [0, 0, 0], "some durations must be seen .* all of 3 are"),
        ([1.0, 0.0, 3.0], [1, 1, 1], "finite and above 0; got 0 .entry 1.; record it"),
        ([1.0, -2.0], [1, 1], "finite and above 0; got -2"),
        ([1.0, np.nan], [1, 1], "finite and above 0; got nan"),
        ([1.0, np.inf], [1, 0], "finite and above 0; got inf"),
        ([1.0, 2.0], [1], "of equal length"),
        ([1.0, 2.0, 3.0, 4.0, 5.0], [1, 1, 1, 1, 0], "at least 5 .* got 4 of 5"),
        ([2.0] * 20, [1] * 20, "durations must settle (shape|sigma)"),
    ],
)
def test_choose_law__refuses_durations_that_say_nothing(
    time: list[float], seen: list[int], rule: str
) -> None:
    """Nothing seen to its end, no time at all, too few, or all alike."""
    with pytest.raises(FitError, match=rule):
        choose_law(time, seen)


def test_choose_law__without_any_censoring_is_fine() -> None:
    """All ends seen: the lognormal's estimate is mean and deviation of the logs."""
    time, _ = waits("lognormal", 500, np.random.default_rng(61), answered_after=1e9)
    choice = choose_law(time, np.ones(500))
    assert choice.best.law == "lognormal"
    logs = np.log(time)
    assert choice.best.params["median"] == pytest.approx(np.exp(logs.mean()), rel=1e-7)
    assert choice.best.params["sigma"] == pytest.approx(logs.std(), rel=1e-7)
