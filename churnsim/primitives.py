"""Logarithm, exponential and normal quantile, the same to the last bit everywhere.

Built from + − × ÷, sqrt, comparisons and exact bit operations only, so that no result
depends on the maths library, on the processor or on whether the function is compiled.
"""

import math

from churnsim.jit import mechanism, power_of_two, split
from churnsim.normal_coefficients import (
    CENTRE,
    FAR_9,
    FAR_17,
    LOWER_3,
    LOWER_4,
    LOWER_5,
    LOWER_6,
    TAIL_6,
    TAIL_8,
    TAIL_12,
    TAIL_18,
    TAIL_30,
    UPPER_3,
    UPPER_4,
    UPPER_5,
    UPPER_6,
)

Piece = tuple[float, ...]  # 15 numbers: see `normal_coefficients`

LN2_HIGH = 6.93147180369123816490e-01  # its last 21 bits are 0: k LN2_HIGH is exact
LN2_LOW = 1.90821492927058770002e-10
INVERSE_LN2 = 1.44269504088896338700e00
SMALLEST_NORMAL = 2.2250738585072014e-308
TWO_54 = 18014398509481984.0
TWO_TO_MINUS_8, TWO_TO_MINUS_12, TWO_TO_MINUS_18 = 2.0**-8, 2.0**-12, 2.0**-18
TWO_TO_MINUS_30, TWO_TO_MINUS_56 = 2.0**-30, 2.0**-56
EXP_MAX = 7.09782712893383973096e02
EXP_MIN = -7.45133219101941108420e02


@mechanism
def log(x: float) -> float:
    """Return the natural logarithm.

    x = m 2^k with m in [√½, √2); log m = 2 artanh(s) with s = (m − 1)/(m + 1), as a
    polynomial in s².

    Args:
        x: Any float. log(0) = −inf, log(inf) = inf, and nan below 0 and at nan.

    Source:
        Method and coefficients: fdlibm, e_log.c (Sun Microsystems, 1993).
    """
    if not 0.0 < x < math.inf:
        if x == 0.0:
            return -math.inf
        return x if x > 0.0 else math.nan
    shift = 0
    if x < SMALLEST_NORMAL:
        x = x * TWO_54
        shift = 54
    m, k = split(x)
    n = float(k - shift)
    f = m - 1.0
    s = f / (2.0 + f)
    z = s * s
    w = z * z
    even = w * (
        3.999999999940941908e-01
        + w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01)
    )
    odd = z * (
        6.666666666666735130e-01
        + w
        * (
            2.857142874366239149e-01
            + w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01)
        )
    )
    half_square = 0.5 * f * f
    small = s * (half_square + (even + odd)) + n * LN2_LOW
    return n * LN2_HIGH - ((half_square - small) - f)


@mechanism
def exp(x: float) -> float:
    """Return e^x.

    e^x = 2^k e^r with |r| ≤ ½ log 2, and e^r = 1 + r + r c/(2 − c), c a polynomial.

    Args:
        x: Any float. 0 below −745.13, inf above 709.78, nan at nan.

    Source:
        Method and coefficients: fdlibm, e_exp.c (Sun Microsystems, 1993).
    """
    if not EXP_MIN <= x <= EXP_MAX:
        if x > EXP_MAX:
            return math.inf
        return 0.0 if x < EXP_MIN else math.nan
    k = math.floor(x * INVERSE_LN2 + 0.5)
    n = float(k)
    high = x - n * LN2_HIGH
    low = n * LN2_LOW
    r = high - low
    t = r * r
    c = r - t * (
        1.66666666666666019037e-01
        + t
        * (
            -2.77777777770155933842e-03
            + t
            * (
                6.61375632143793436117e-05
                + t * (-1.65339022054652515390e-06 + t * 4.13813679705723846039e-08)
            )
        )
    )
    y = 1.0 - ((low - (r * c) / (2.0 - c)) - high)
    if k > 1023:
        return (y + y) * power_of_two(k - 1)
    if k < -1021:
        return y * power_of_two(k + 54) * (1.0 / TWO_54)
    return y * power_of_two(k)


@mechanism
def logistic(x: float) -> float:
    """Return 1/(1 + exp(−x)), without overflow, accurate in both tails.

    Args:
        x: Any float. 0 at −inf, 1 at inf, nan at nan.
    """
    if x >= 0.0:
        return 1.0 / (1.0 + exp(-x))
    e = exp(x)
    return e / (1.0 + e)


@mechanism
def round_half_up(x: float) -> int:
    """Return floor(x + ½).

    Args:
        x: Finite, |x| < 2^52; there the sum is exact but just below an odd multiple of
            ½ (0.49999999999999994 gives 1), and the result fits into int64.
    """
    return math.floor(x + 0.5)


@mechanism
def normal_quantile(u: float) -> float:
    """Return z with Φ(z) = u.

    With p the smaller of u and 1 − u, and R a rational function of its own per piece:

    | p             | z                             | pieces           |
    |---------------|-------------------------------|------------------|
    | from ¼        | q (5/2 + R(q²)), q = ½ − p    | 1                |
    | 2^-6 to ¼     | Z + R(p − middle)             | 2 per factor of 2|
    | 2^-56 to 2^-6 | Z + R(log(p 2^k))             | 5                |
    | below         | s − R(s − anchor), s² = −2 log p | 2             |

    Args:
        u: −inf at 0, inf at 1, nan outside [0, 1]. Within 1 unit in the last place
            from 2^-56 up, which holds every uniform of `streams`; within 2 below.

    Source:
        Wichura, Algorithm AS 241 (1988), for the idea: rational functions on ranges of
        p. Its own leave up to 5.5 units; with Z apart, rounding hardly counts, and
        0.87 are left. Coefficients: tools/fit_normal_quantile.py.
    """
    if not 0.0 < u < 1.0:
        if u == 0.0:
            return -math.inf
        return math.inf if u == 1.0 else math.nan
    if u < 0.5:
        return -_upper_quantile(u)
    return _upper_quantile(1.0 - u)


@mechanism
def _upper_quantile(p: float) -> float:
    """Return z with 1 − Φ(z) = p, for p in (0, ½]."""
    if p >= 0.25:
        q = 0.5 - p
        return (q + q) + (0.5 * q + q * _ratio(q * q, CENTRE))
    if p >= 0.0625:
        if p >= 0.125:
            return _near(p, UPPER_3) if p >= 0.1875 else _near(p, LOWER_3)
        return _near(p, UPPER_4) if p >= 0.09375 else _near(p, LOWER_4)
    if p >= 0.015625:
        if p >= 0.03125:
            return _near(p, UPPER_5) if p >= 0.046875 else _near(p, LOWER_5)
        return _near(p, UPPER_6) if p >= 0.0234375 else _near(p, LOWER_6)
    if p >= TWO_TO_MINUS_12:
        return _tail(p, TAIL_6) if p >= TWO_TO_MINUS_8 else _tail(p, TAIL_8)
    if p >= TWO_TO_MINUS_30:
        return _tail(p, TAIL_12) if p >= TWO_TO_MINUS_18 else _tail(p, TAIL_18)
    if p >= TWO_TO_MINUS_56:
        return _tail(p, TAIL_30)
    s = math.sqrt(-2.0 * log(p))
    return _far(s, FAR_9) if s < 17.0 else _far(s, FAR_17)


@mechanism
def _near(p: float, piece: Piece) -> float:
    """Return z where p − middle is exact."""
    return piece[0] + _ratio(p - piece[1], piece)


@mechanism
def _tail(p: float, piece: Piece) -> float:
    """Return z where p spans many powers of two; p 2^k is exact."""
    return piece[0] + _ratio(log(p * piece[1]), piece)


@mechanism
def _far(s: float, piece: Piece) -> float:
    """Return z where no uniform of `streams` comes."""
    return s - _ratio(s - piece[1], piece)


@mechanism
def _ratio(x: float, piece: Piece) -> float:
    """Return numerator over denominator of a piece at x."""
    _, _, a0, a1, a2, a3, a4, a5, a6, b1, b2, b3, b4, b5, b6 = piece
    above = ((((a6 * x + a5) * x + a4) * x + a3) * x + a2) * x + a1
    below = ((((b6 * x + b5) * x + b4) * x + b3) * x + b2) * x + b1
    return (above * x + a0) / (below * x + 1.0)
