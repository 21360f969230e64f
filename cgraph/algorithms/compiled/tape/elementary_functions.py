"""Elementary functions as arithmetic without a branch, which the compiler computes for several numbers at once.

Each is the usual reduction of its argument to a short interval and a polynomial there: that of Taylor for the
exponential, those of fdlibm (K. C. Ng, Sun Microsystems, 1993) for sine, cosine and logarithm. Errors stay below
3 units in the last place; a test compares them with NumPy. Results for arguments that are not finite are
unspecified; callers find the bad argument itself.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

__all__ = ["FUNCTIONS", "HUGE", "LIMITED", "cos", "exp", "log", "log1p", "sin", "tanh"]

HUGE = 1e5  # beyond it sine and cosine lose digits to the reduction: their caller takes others
LIMITED = ("sin", "cos")

# Added to a number below 2^51, it leaves the nearest whole number in the last bits.
ROUND = 1.5 * 2.0**52
ROUND_BITS = 0x4338000000000000  # the same as an integer
# The constants of the reductions are sums of parts, short enough that their products with whole numbers are exact.
LOG2_E = 1 / math.log(2)
LN2_HIGH, LN2_LOW = float.fromhex("0x1.62e42feep-1"), float.fromhex("0x1.a39ef35793c76p-33")
RIGHT_ANGLE_HIGH = float.fromhex("0x1.921fb544p+0")
RIGHT_ANGLE_MIDDLE = float.fromhex("0x1.0b4611a6p-34")
RIGHT_ANGLE_LOW = float.fromhex("0x1.3198a2e037073p-69")
SQRT_HALF_BITS = 0x3FE6A09E667F3BCD
SMALLEST_NORMAL = 2.0**-1022


def bits(x: Any) -> Any:
    """Return the bits of a number as an integer."""
    return np.float64(x).view(np.int64)


def number(n: Any) -> Any:
    """Return the number of which these are the bits."""
    return np.int64(n).view(np.float64)


def power_of_two(k: Any) -> Any:
    """Return 2^k, for a whole number from -1022 to 1023."""
    return number((bits(k + ROUND) + 1023) << 52)


def exp_minus_one(r: Any) -> Any:
    """Return exp(r) - 1 for |r| <= log(2) / 2, up to the term r^13 / 13!; the next is below 2^-56 of the sum."""
    p = 1 / 6227020800
    p = p * r + 1 / 479001600
    p = p * r + 1 / 39916800
    p = p * r + 1 / 3628800
    p = p * r + 1 / 362880
    p = p * r + 1 / 40320
    p = p * r + 1 / 5040
    p = p * r + 1 / 720
    p = p * r + 1 / 120
    p = p * r + 1 / 24
    p = p * r + 1 / 6
    p = p * r + 1 / 2
    return r + r * r * p


def exp(x: Any) -> Any:
    """Return exp(x) = 2^k exp(r), |r| <= log(2) / 2; 2^k in two factors, for what is no normal number."""
    x = min(max(x, -746.0), 710.0)  # 0 and inf from there on
    k = (x * LOG2_E + ROUND) - ROUND
    r = (x - k * LN2_HIGH) - k * LN2_LOW
    most = min(max(k, -1000.0), 1000.0)
    return (1 + exp_minus_one(r)) * power_of_two(most) * power_of_two(k - most)


def tanh(x: Any) -> Any:
    """Return tanh(x) = -m / (m + 2) with m = exp(-2x) - 1 = 2^k (exp(r) - 1) + (2^k - 1) for x >= 0."""
    y = -2 * min(abs(x), 22.0)  # 1 from there on
    k = (y * LOG2_E + ROUND) - ROUND
    r = (y - k * LN2_HIGH) - k * LN2_LOW
    m = power_of_two(k) * exp_minus_one(r) + (power_of_two(k) - 1)
    return math.copysign(m / (m + 2), x)


def log(x: Any) -> Any:
    """Return log(x) = k log(2) + log(1 + f), with x = 2^k (1 + f) and 1 + f from sqrt(1/2) to sqrt(2); nan if x <= 0."""
    is_normal = x >= SMALLEST_NORMAL
    n = bits(x if is_normal else x * 2.0**54)
    exponent = (n - SQRT_HALF_BITS) >> 52
    f = number(n - (exponent << 52)) - 1
    s = f / (2 + f)
    z = s * s
    p = 1.479819860511658591e-01
    p = p * z + 1.531383769920937332e-01
    p = p * z + 1.818357216161805012e-01
    p = p * z + 2.222219843214978396e-01
    p = p * z + 2.857142874366239149e-01
    p = p * z + 3.999999999940941908e-01
    p = p * z + 6.666666666666735130e-01
    square = f * f / 2
    k = (number(exponent + ROUND_BITS) - ROUND) - (0.0 if is_normal else 54.0)
    y = k * LN2_HIGH - ((square - (s * (square + p * z) + k * LN2_LOW)) - f)
    return y if x > 0 else np.nan


def log1p(x: Any) -> Any:
    """Return log(1 + x) = log(u) x / (u - 1) with u = 1 + x as it is rounded: what u lost, x / (u - 1) gives back."""
    u = 1 + x
    return x if u == 1 else log(u) * (x / (u - 1))


def sin_of_small(r: Any) -> Any:
    """Return sin(r) for |r| <= pi / 4."""
    z = r * r
    p = 1.58969099521155010221e-10
    p = p * z - 2.50507602534068634195e-08
    p = p * z + 2.75573137070700676789e-06
    p = p * z - 1.98412698298579493134e-04
    p = p * z + 8.33333333332248946124e-03
    p = p * z - 1.66666666666666324348e-01
    return r + r * z * p


def cos_of_small(r: Any) -> Any:
    """Return cos(r) for |r| <= pi / 4."""
    z = r * r
    p = -1.13596475577881948265e-11
    p = p * z + 2.08757232129817482790e-09
    p = p * z - 2.75573143513906633035e-07
    p = p * z + 2.48015872894767294178e-05
    p = p * z - 1.38888888888741095749e-03
    p = p * z + 4.16666666666666019037e-02
    y = 1 - z / 2
    return y + (((1 - y) - z / 2) + z * z * p)  # what y lost to rounding comes back


def sin_after(x: Any, angles: Any) -> Any:
    """Return sin(x + angles * pi / 2), for |x| <= HUGE and a whole number of right angles."""
    turned = x * (2 / math.pi) + ROUND
    q = turned - ROUND
    r = ((x - q * RIGHT_ANGLE_HIGH) - q * RIGHT_ANGLE_MIDDLE) - q * RIGHT_ANGLE_LOW
    quadrant = bits(turned) + angles
    y = cos_of_small(r) if quadrant & 1 else sin_of_small(r)
    return -y if quadrant & 2 else y


def sin(x: Any) -> Any:
    """Return sin(x), for |x| <= HUGE."""
    return sin_after(x, 0)


def cos(x: Any) -> Any:
    """Return cos(x), for |x| <= HUGE."""
    return sin_after(x, 1)


# What calls another stands after it.
FUNCTIONS = (
    bits, number, power_of_two, exp_minus_one, exp, tanh, log, log1p, sin_of_small, cos_of_small, sin_after, sin, cos,
)  # fmt: skip
