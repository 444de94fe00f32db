"""Fit the rational functions of the normal quantile and print them as a module.

    python tools/fit_normal_quantile.py > churnsim/normal_coefficients.py

On each piece z − Z, with Z a double near the piece's middle, is met by a rational
function of degrees (6, 6) at 13 Chebyshev points, computed with 220 bits. Beside each
stands its largest error, as a power of two relative to z; 2^-53 is half a unit in the
last place. Pieces are narrow, so that the function is small beside Z and its rounding
errors hardly count.
"""

from collections.abc import Callable

import mpmath
from mpmath import mp, mpf

DEGREE = 6
POINTS = 2 * DEGREE + 1
SAMPLES = 200

# From 2^-low to 2^-high; anchor 2^-k of the argument; 2^-k whose z is Z. Tried out.
TAILS = (
    (8, 6, 7, 7),
    (12, 8, 9, 10),
    (18, 12, 13, 15),
    (30, 18, 20, 24),
    (56, 30, 32, 43),
)

Function = Callable[[mpf], mpf]
Fitted = tuple[Function, list[mpf]]  # what to meet, and where


def upper_quantile(p: mpf) -> mpf:
    """Return z with 1 − Φ(z) = p, for p ≤ ½, by Halley's method."""
    z = mpf(0)
    if p < mpf("0.4"):
        s = mpmath.sqrt(-2 * mpmath.log(p))
        z = s - mpmath.log(mpmath.sqrt(2 * mpmath.pi) * s) / s
    for _ in range(12):
        excess = mpmath.erfc(z / mpmath.sqrt(2)) / 2 - p
        step = excess * mpmath.sqrt(2 * mpmath.pi) * mpmath.exp(z * z / 2)
        z = z + step / (1 - z * step / 2)
    return z


def fit(function: Function, points: list[mpf]) -> tuple[list[mpf], list[mpf]]:
    """Return numerator and denominator, lowest power first; the latter has a 1."""
    matrix, right = mpmath.matrix(POINTS, POINTS), mpmath.matrix(POINTS, 1)
    for row, x in enumerate(points):
        right[row] = y = function(x)
        for power in range(DEGREE + 1):
            matrix[row, power] = x**power
        for power in range(1, DEGREE + 1):
            matrix[row, DEGREE + power] = -y * x**power
    solution = list(mpmath.lu_solve(matrix, right))
    return solution[: DEGREE + 1], [mpf(1), *solution[DEGREE + 1 :]]


def chebyshev(low: mpf, high: mpf) -> list[mpf]:
    """Return the Chebyshev points of an interval."""
    angles = [mpmath.pi * (2 * j + 1) / (2 * POINTS) for j in range(POINTS)]
    return [(low + high) / 2 + (high - low) / 2 * mpmath.cos(t) for t in angles]


def show(name: str, z: float, anchor: float, fitted: Fitted) -> None:
    """Print one piece: Z, anchor, numerator, denominator without its 1, and error."""
    function, points = fitted
    above, below = fit(function, points)
    worst = mpf(0)
    for step in range(SAMPLES + 1):
        x = points[0] + (points[-1] - points[0]) * step / SAMPLES
        value = mpmath.polyval(above[::-1], x) / mpmath.polyval(below[::-1], x)
        worst = max(worst, abs(value - function(x)))
    print(f"\n# Error 2^{float(mpmath.log(worst / (z or 8), 2)):.1f}.")
    print(f"{name} = (\n    {z!r},\n    {anchor!r},")
    for coefficient in (*above, *below[1:]):
        print(f"    {float(coefficient)!r},")
    print(")")


def centre() -> Fitted:
    """Return r -> z/q − 5/2 at q² = r, with q = ½ − p from 0 to ¼."""

    def function(r: mpf) -> mpf:
        q = mpmath.sqrt(r)
        return upper_quantile(mpf(1) / 2 - q) / q - mpf("2.5")

    return function, chebyshev(mpf(2) ** -60, mpf(1) / 16)


def near(low: mpf, high: mpf, z: float) -> Fitted:
    """Return x -> z(middle + x) − Z for p from low to high."""
    middle, half = (low + high) / 2, (high - low) / 2
    return lambda x: upper_quantile(middle + x) - z, chebyshev(-half, half)


def tail(low: int, high: int, anchor: int, z: float) -> Fitted:
    """Return y -> z(2^-anchor e^y) − Z for p from 2^-low to 2^-high."""
    ends = [(anchor - k) * mpmath.log(2) for k in (low, high)]
    one = mpf(2) ** -anchor
    return lambda y: upper_quantile(one * mpmath.exp(y)) - z, chebyshev(*ends)


def far(low: str, high: str, anchor: int) -> Fitted:
    """Return x -> s − z at s = sqrt(−2 log p) = x + anchor."""

    def function(x: mpf) -> mpf:
        s = x + anchor
        return s - upper_quantile(mpmath.exp(-s * s / 2))

    logarithms = chebyshev(mpmath.log(mpf(low)), mpmath.log(mpf(high)))
    return function, [mpmath.exp(t) - anchor for t in logarithms]


def main() -> None:
    """Print every piece."""
    mp.prec = 220
    print('"""Coefficients of the normal quantile: see `churnsim.primitives`.\n')
    print(
        "Written by tools/fit_normal_quantile.py, which says what they are. Each piece:"
    )
    print("Z; anchor; numerator, powers 0 to 6; denominator, powers 1 to 6.")
    print('"""')
    show("CENTRE", 2.5, 0.0, centre())
    for k in (3, 4, 5, 6):
        for name, first in (("UPPER", 3), ("LOWER", 2)):
            low, high = mpf(first) / 2 ** (k + 1), mpf(first + 1) / 2 ** (k + 1)
            middle = (low + high) / 2
            z = float(upper_quantile(middle))
            show(f"{name}_{k}", z, float(middle), near(low, high, z))
    for low, high, anchor, k in TAILS:
        z = float(upper_quantile(mpf(2) ** -k))
        show(f"TAIL_{high}", z, 2.0**anchor, tail(low, high, anchor, z))
    show("FAR_9", 0.0, 9.0, far("8.75", "17.01", 9))
    show("FAR_17", 0.0, 17.0, far("16.99", "38.7", 17))


if __name__ == "__main__":
    main()
