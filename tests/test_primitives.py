"""Logarithm, exponential and normal quantile: the same bits, within 1 ULP."""

import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import NormalDist

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from churnsim.jit import Kernel, kernel
from churnsim.primitives import (
    exp,
    log,
    logistic,
    normal_quantile,
    round_half_up,
)

pytestmark = pytest.mark.compiled

ROOT = Path(__file__).resolve().parent.parent

N_TWIN = 1_000_000
N_REFERENCE = 20_000
REFERENCE_BITS = 120

UNIFORM_EDGES = (
    *(2.0**-k for k in range(1, 1075)),
    *(1.0 - 2.0**-k for k in range(2, 54)),
    *(0.5 + side * 2.0**-k for k in range(2, 54) for side in (-1, 1)),
    *(s * (1.0 + side * 2.0**-52) for s in (0.1875, 0.25, 0.125) for side in (-1, 1)),
    0.0,
    1.0,
    -0.5,
    1.5,
    math.nan,
    math.inf,
)
LOG_EDGES = (
    *(2.0**k for k in range(-1074, 1024)),
    *(1.0 + side * 2.0**-k for k in range(1, 54) for side in (-1, 1)),
    0.7071067811865475,
    0.7071067811865476,
    2.2250738585072014e-308,
    2.225073858507201e-308,
    1.7976931348623157e308,
    0.0,
    -0.0,
    -1.0,
    math.inf,
    -math.inf,
    math.nan,
)
EXP_EDGES = (
    *(float(k) for k in range(-750, 720)),
    *(k * 0.34657359027997264 for k in range(-2200, 2100)),
    *(side * 2.0**-k for k in range(1, 60) for side in (-1, 1)),
    709.782712893384,
    709.7827128933841,
    -745.1332191019411,
    -745.1332191019412,
    -708.3964185322641,
    0.0,
    -0.0,
    math.inf,
    -math.inf,
    math.nan,
)

Scalar = Callable[[float], float]


@kernel
def map_log(x: np.ndarray, out: np.ndarray) -> None:
    """Write log of each value."""
    for i in range(x.shape[0]):
        out[i] = log(x[i])


@kernel
def map_exp(x: np.ndarray, out: np.ndarray) -> None:
    """Write exp of each value."""
    for i in range(x.shape[0]):
        out[i] = exp(x[i])


@kernel
def map_logistic(x: np.ndarray, out: np.ndarray) -> None:
    """Write logistic of each value."""
    for i in range(x.shape[0]):
        out[i] = logistic(x[i])


@kernel
def map_normal_quantile(x: np.ndarray, out: np.ndarray) -> None:
    """Write the normal quantile of each value."""
    for i in range(x.shape[0]):
        out[i] = normal_quantile(x[i])


@kernel
def map_round(x: np.ndarray, out: np.ndarray) -> None:
    """Write each value rounded half up."""
    for i in range(x.shape[0]):
        out[i] = round_half_up(x[i])


def points(name: str, n: int) -> np.ndarray:
    """Return n inputs over the whole range of a primitive, half of them as drawn."""
    generator = np.random.default_rng(20_110_101)
    half = n // 2
    grid = (generator.integers(0, 2**52, size=half) + 0.5) * 2.0**-52
    rest = n - half
    if name == "log":
        return np.concatenate([grid, 2.0 ** generator.uniform(-1074, 1023.9, rest)])
    if name in ("exp", "logistic"):
        wide = generator.uniform(-745.2, 709.8, rest)
        return np.concatenate([generator.uniform(-2, 2, half), wide])
    small = 2.0 ** -generator.uniform(1, 53, rest)
    return np.concatenate([grid, np.where(grid[:rest] < 0.5, small, 1.0 - small)])


def bits(values: np.ndarray) -> np.ndarray:
    """Return the 64 bits of each float, with one pattern for all nan."""
    return np.where(np.isnan(values), np.nan, values).view(np.int64)


@pytest.mark.parametrize(
    ("name", "compiled", "scalar", "edges"),
    [
        ("log", map_log, log, LOG_EDGES),
        ("exp", map_exp, exp, EXP_EDGES),
        ("logistic", map_logistic, logistic, EXP_EDGES),
        ("quantile", map_normal_quantile, normal_quantile, UNIFORM_EDGES),
    ],
)
def test_primitives__compiled_and_interpreted_agree(
    name: str,
    compiled: Kernel[[np.ndarray, np.ndarray], None],
    scalar: Scalar,
    edges: tuple[float, ...],
) -> None:
    """A million points and every edge: no bit differs."""
    x = np.concatenate([np.array(edges), points(name, N_TWIN)])
    ours = np.zeros_like(x)
    compiled(x, ours)
    interpreted = np.fromiter(map(scalar, x.tolist()), dtype=np.float64, count=x.size)
    differ = np.flatnonzero(bits(ours) != bits(interpreted))
    assert differ.size == 0, f"first at {x[differ[0]]!r}"


def quantile_reference(u: float, near: float) -> mpmath.mpf:
    """Return the quantile, one step of Halley's method from a double next to it."""
    z = mpmath.mpf(abs(near))
    p = mpmath.mpf(u) if u < 0.5 else 1 - mpmath.mpf(u)
    excess = mpmath.erfc(z / mpmath.sqrt(2)) / 2 - p
    step = excess * mpmath.sqrt(2 * mpmath.pi) * mpmath.exp(z * z / 2)
    z += step / (1 - z * step / 2)
    return -z if u < 0.5 else z


def worst_error(
    scalar: Scalar, reference: Callable[..., mpmath.mpf], x: list[float]
) -> float:
    """Return the largest error over the points, in units in the last place."""
    worst = 0.0
    with mpmath.workprec(REFERENCE_BITS):
        for point in x:
            value = scalar(point)
            exact = reference(point, value)
            error = abs(mpmath.mpf(value) - exact) / math.ulp(float(exact))
            worst = max(worst, float(error))
    return worst


def test_log__within_one_unit_in_the_last_place() -> None:
    """20,000 points against 120 bits: 0.76 units at most."""
    x = points("log", N_REFERENCE).tolist()
    near_one = (1.0 + np.linspace(-0.3, 0.42, 2001)).tolist()
    worst = worst_error(log, lambda x, _: mpmath.log(mpmath.mpf(x)), x + near_one)
    assert worst <= 0.80


def test_exp__within_one_unit_in_the_last_place() -> None:
    """20,000 points against 120 bits, subnormal results included: 0.86 at most."""
    x = points("exp", N_REFERENCE).tolist()
    small = np.linspace(-745.1, -700.0, 2001).tolist()
    worst = worst_error(exp, lambda x, _: mpmath.exp(mpmath.mpf(x)), x + small)
    assert worst <= 0.90


def test_normal_quantile__within_one_unit_in_the_last_place() -> None:
    """20,000 points against 120 bits: 0.87 units at most from 2^-56 up."""
    x = points("quantile", N_REFERENCE).tolist()
    assert worst_error(normal_quantile, quantile_reference, x) <= 0.90


def test_normal_quantile__within_two_units_far_out() -> None:
    """Below 2^-56, where no uniform of the streams comes, 2 units at most."""
    x = (2.0 ** -np.linspace(56.0, 1073.0, 4001)).tolist()
    assert worst_error(normal_quantile, quantile_reference, x) <= 2.0


def test_normal_quantile__coefficients_are_what_the_tool_prints() -> None:
    """Fitting again gives the stored module, to the last digit."""
    printed = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "fit_normal_quantile.py")],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    ).stdout
    stored = ROOT / "churnsim" / "normal_coefficients.py"
    assert printed == stored.read_text(encoding="utf-8")


def test_normal_quantile__agrees_with_the_published_scheme() -> None:
    """Python's NormalDist, which is AS 241, differs by at most 2 parts in 10^15."""
    x = points("quantile", 4000).tolist()
    for u in x:
        published = NormalDist().inv_cdf(u)
        assert math.isclose(normal_quantile(u), published, rel_tol=2e-15)


@pytest.mark.parametrize(
    ("u", "z"),
    [
        (0.5, 0.0),
        (0.025, -1.959963984540054),
        (0.975, 1.959963984540054),
        (0.84134474606854293, 1.0),
        (2.0**-53, -8.209536151601387),
        (0.0, -math.inf),
        (1.0, math.inf),
    ],
)
def test_normal_quantile__known_answers(u: float, z: float) -> None:
    """The textbook's quantiles, to the last digit or its neighbour."""
    assert math.isclose(normal_quantile(u), z, rel_tol=2.3e-16)


@given(st.integers(0, 2**52 - 1))
def test_normal_quantile__is_odd(k: int) -> None:
    """z(1 − u) = −z(u) exactly, for every uniform of the streams."""
    u = (k + 0.5) * 2.0**-52
    assert normal_quantile(1.0 - u) == -normal_quantile(u)


@pytest.mark.parametrize(
    ("scalar", "x", "value"),
    [
        (log, 1.0, 0.0),
        (log, 2.0, 0.6931471805599453),
        (log, 10.0, 2.302585092994046),
        (log, 5e-324, -744.4400719213812),
        (log, 0.0, -math.inf),
        (log, -0.0, -math.inf),
        (log, math.inf, math.inf),
        (exp, 0.0, 1.0),
        (exp, -1.0, 0.36787944117144233),
        (exp, 709.782712893384, 1.7976931348622732e308),
        (exp, 709.7827128933841, math.inf),
        (exp, -745.1332191019411, 5e-324),
        (exp, -745.1332191019412, 0.0),
        (exp, math.inf, math.inf),
        (exp, -math.inf, 0.0),
        (logistic, 0.0, 0.5),
        (logistic, math.inf, 1.0),
        (logistic, -math.inf, 0.0),
        (logistic, -800.0, 0.0),
        (logistic, 40.0, 1.0),
    ],
)
def test_primitives__known_answers(scalar: Scalar, x: float, value: float) -> None:
    """Constants, limits and both ends of the range."""
    assert scalar(x) == value


@pytest.mark.parametrize(
    ("scalar", "x"),
    [
        (log, -1.0),
        (log, -math.inf),
        (log, math.nan),
        (exp, math.nan),
        (logistic, math.nan),
        (normal_quantile, -0.1),
        (normal_quantile, 1.1),
        (normal_quantile, math.nan),
    ],
)
def test_primitives__outside_their_domain(scalar: Scalar, x: float) -> None:
    """No exception, but nan, in Python as in compiled code."""
    assert math.isnan(scalar(x))


@given(st.floats(-36.0, 36.0))
def test_logistic__undoes_log_odds(x: float) -> None:
    """p/(1 − p) = e^x, p(x) + p(−x) = 1, and p rises with x."""
    p, q = logistic(x), logistic(-x)
    assert math.isclose(p + q, 1.0, rel_tol=3e-16)
    assert math.isclose(p / q, exp(x), rel_tol=2e-15)
    assert p <= logistic(x + 1e-6)


@pytest.mark.parametrize(
    ("x", "value"),
    [
        (0.0, 0),
        (0.5, 1),
        (1.5, 2),
        (2.5, 3),
        (-0.5, 0),
        (-1.5, -1),
        (-0.51, -1),
        (2.675, 3),
        (0.49999999999999994, 1),
        (4503599627370495.5, 4503599627370496),
        (-4503599627370495.5, -4503599627370495),
    ],
)
def test_round_half_up__known_answers(x: float, value: int) -> None:
    """Halves go up, below zero too; interpreted and compiled."""
    out = np.zeros(1, dtype=np.int64)
    map_round(np.array([x]), out)
    assert (round_half_up(x), out[0]) == (value, value)
