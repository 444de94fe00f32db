"""Durations and amounts: the right laws, rising with u, the same bits compiled."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import integrate, stats

from churnsim.jit import kernel
from churnsim.variates import (
    CV_MAX,
    CV_MIN,
    Law,
    LawKind,
    at_least,
    constant,
    exponential,
    lognormal,
    quantile,
    uniform,
    weibull,
)

pytestmark = pytest.mark.compiled

MEANS = (1e-3, 1.0, 365.25)
CVS = (0.05, 0.5, 1.0, 3.0)
SPREAD = (
    [exponential(mean) for mean in MEANS]
    + [
        build(mean, cv)
        for build in (lognormal, weibull)
        for mean in MEANS
        for cv in CVS
    ]
    + [uniform(0.0, 1.0), uniform(2.5, 2.75), uniform(-3.0, 4.0)]
)


@kernel
def map_quantile(law: Law, u: np.ndarray, out: np.ndarray) -> None:
    """Write the quantile at each uniform."""
    for i in range(u.shape[0]):
        out[i] = quantile(law, u[i])


def drawn(n: int) -> np.ndarray:
    """Return n sorted uniforms such as the streams give, both ends included."""
    k = np.random.default_rng(4).integers(0, 2**52, size=n)
    k[:2] = 0, 2**52 - 1
    return np.sort((k + 0.5) * 2.0**-52)


def scipy_law(law: Law) -> stats.rv_continuous:
    """Return scipy's form of the same law."""
    if law.kind == LawKind.EXPONENTIAL:
        return stats.expon(scale=law.a)
    if law.kind == LawKind.LOGNORMAL:
        return stats.lognorm(s=law.b, scale=math.exp(law.a))
    if law.kind == LawKind.WEIBULL:
        return stats.weibull_min(1.0 / law.b, scale=law.a)
    return stats.uniform(loc=law.a, scale=law.b)


@pytest.mark.parametrize("law", [*SPREAD, constant(3.0), constant(math.inf)])
def test_quantile__compiled_and_interpreted_agree(law: Law) -> None:
    """No bit differs, and the compiler sees one signature for all laws."""
    u = drawn(2001)
    compiled = np.zeros_like(u)
    map_quantile(law, u, compiled)
    assert compiled.tolist() == [quantile(law, x) for x in u.tolist()]
    assert len(map_quantile.signatures) == 1


@pytest.mark.parametrize("law", SPREAD)
def test_quantile__undoes_the_distribution_function(law: Law) -> None:
    """Scipy: F(quantile(u)) = u on a grid of 999 points: a KS distance of 1e-12."""
    grid = np.arange(1, 1000) / 1000.0
    values = [quantile(law, u) for u in grid.tolist()]
    assert np.max(np.abs(scipy_law(law).cdf(values) - grid)) < 1e-12


@pytest.mark.parametrize("law", SPREAD)
def test_quantile__rises_with_u(law: Law) -> None:
    """Strictly over 20,001 uniforms spread over (0, 1)."""
    u = drawn(20_001)
    values = np.zeros_like(u)
    map_quantile(law, u, values)
    assert np.all(np.diff(values) > 0.0)
    assert np.all(np.isfinite(values))


@pytest.mark.parametrize(
    "law", [*SPREAD, constant(3.0), constant(math.inf), weibull(3.0, 0.1)]
)
def test_at_least__is_never_above_the_quantile(law: Law) -> None:
    """Over 20,001 uniforms and both ends; above 0 where that is cheap to tell."""
    ends = [2.0**-53, 3 * 2.0**-53, 1.0 - 2.0**-53]
    for u in [*drawn(20_001).tolist(), *ends]:
        assert at_least(law, u) <= quantile(law, u)
    is_dear = law.kind == LawKind.LOGNORMAL
    is_dear = is_dear or (law.kind == LawKind.WEIBULL and law.b > 1.0)
    assert (at_least(law, 0.5) > 0.0) != is_dear


@pytest.mark.parametrize("build", [lognormal, weibull])
@pytest.mark.parametrize("cv", CVS)
def test_mean_and_cv__are_what_was_asked_for(
    build: Callable[[float, float], Law], cv: float
) -> None:
    """Integrating x and x² over scipy's density gives back mean and cv to 1e-7."""
    law = build(2.0, cv)
    assert scipy_law(law).mean() == pytest.approx(2.0, rel=1e-10)
    assert scipy_law(law).std() == pytest.approx(2.0 * cv, rel=1e-10)


@pytest.mark.parametrize(
    "law", [exponential(2.0), lognormal(2.0, 0.5), weibull(2.0, 0.5)]
)
def test_mean__by_quadrature_of_the_quantile(law: Law) -> None:
    """∫ quantile(u) du over (0, 1) is the mean, to 1e-6."""
    ends = (1e-12, 1.0 - 1e-12)
    value, _ = integrate.quad(lambda u: quantile(law, u), *ends, limit=500)
    assert value == pytest.approx(2.0, abs=1e-6)


def test_uniform__has_its_bounds() -> None:
    """Half way is the middle; no value leaves the bounds."""
    law = uniform(2.0, 6.0)
    assert quantile(law, 0.5) == 4.0
    assert 2.0 <= quantile(law, 2.0**-53) < quantile(law, 1.0 - 2.0**-53) <= 6.0
    assert quantile(uniform(3.0, 3.0), 0.3) == 3.0


def test_exponential__known_answers() -> None:
    """The median is log 2 times the mean, and the smallest draw is 2^-53 means."""
    assert quantile(exponential(3.0), 0.5) == 3.0 * 0.6931471805599453
    assert quantile(exponential(1.0), 2.0**-53) == pytest.approx(2.0**-53, rel=1e-15)


def test_weibull__of_cv_one_is_exponential() -> None:
    """Shape 1 is the exponential law: quantiles agree to 1e-12."""
    for u in (0.01, 0.5, 0.99):
        assert quantile(weibull(2.0, 1.0), u) == pytest.approx(
            quantile(exponential(2.0), u), rel=1e-12
        )


def test_lognormal__known_answer() -> None:
    """Mean 1 and cv² = e − 1 have σ = 1, μ = −½: the median is e^-½."""
    law = lognormal(1.0, math.sqrt(math.e - 1.0))
    assert law.b == pytest.approx(1.0, rel=1e-15)
    assert quantile(law, 0.5) == pytest.approx(math.exp(-0.5), rel=1e-15)


@pytest.mark.parametrize("mean", [0.0, math.inf])
@pytest.mark.parametrize("u", [2.0**-53, 0.5, 1.0 - 2.0**-53])
def test_builders__mean_of_nothing_or_for_ever(mean: float, u: float) -> None:
    """A mean of 0 gives 0, an infinite mean gives inf, whatever the law and u."""
    for law in (
        constant(mean),
        exponential(mean),
        lognormal(mean, 1.0),
        weibull(mean, 2.0),
    ):
        assert quantile(law, u) == mean


@pytest.mark.parametrize("build", [lognormal, weibull])
def test_builders__cv_of_zero_is_constant(build: Callable[[float, float], Law]) -> None:
    """No spread: the mean itself."""
    assert build(7.0, 0.0) == constant(7.0)


@pytest.mark.parametrize("build", [lognormal, weibull])
@pytest.mark.parametrize("cv", [CV_MIN, CV_MAX])
def test_builders__extreme_cv(build: Callable[[float, float], Law], cv: float) -> None:
    """At both ends of the allowed range the mean is kept and cv is met to 1e-5."""
    law = build(1.0, cv)
    assert scipy_law(law).mean() == pytest.approx(1.0, rel=1e-9)
    assert scipy_law(law).std() == pytest.approx(cv, rel=1e-5)


def test_laws__have_stable_types() -> None:
    """Fields are an int and two floats even if integers were given."""
    laws = (constant(1), exponential(2), lognormal(2, 1), weibull(2, 1), uniform(1, 2))
    for law in laws:
        assert [type(field) for field in law] == [int, float, float]
    assert [law.kind for law in laws] == [int(kind) for kind in LawKind]


@pytest.mark.parametrize(
    ("build", "arguments", "message"),
    [
        (constant, (math.nan,), "value must be a number; got nan"),
        (exponential, (-1.0,), "mean must be at least 0; got -1.0"),
        (exponential, (math.nan,), "mean must be at least 0; got nan"),
        (lognormal, (-1.0, 1.0), "mean must be at least 0; got -1.0"),
        (lognormal, (1.0, -0.1), "cv must be 0 or from 0.0001 to 100; got -0.1"),
        (weibull, (1.0, 101.0), "cv must be 0 or from 0.0001 to 100; got 101.0"),
        (weibull, (1.0, math.nan), "cv must be 0 or from 0.0001 to 100; got nan"),
        (uniform, (2.0, 1.0), "bounds must be finite and in order; got 2.0 and 1.0"),
        (
            uniform,
            (0.0, math.inf),
            "bounds must be finite and in order; got 0.0 and inf",
        ),
    ],
)
def test_builders__refuse(
    build: Callable[..., Law], arguments: tuple[float, ...], message: str
) -> None:
    """Each refusal states the rule and the value."""
    with pytest.raises(ValueError, match=message):
        build(*arguments)
