"""A value and its standard uncertainty as metrologists write them: 254.26(24)."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_EVEN, Decimal

__all__ = ["concise"]


def concise(value: float, standard: float, *, digits: int = 2, unit: str = "") -> str:
    """Return a value with its standard uncertainty in brackets, in units of the last digit.

    Parameters
    ----------
    value, standard : float
        A value and its standard uncertainty, which is not negative.
    digits : int, default 2
        How many digits of the uncertainty are kept.
    unit : str, optional
        A label that follows the number.

    Returns
    -------
    str
        ``"254.26(24)"``; from 10^6 on and below 10^-4 with a power of ten; without uncertainty the value alone.

    Notes
    -----
    JCGM 100:2008, 7.2.2, second form.

    Examples
    --------
    >>> concise(254.2597, 0.2363), concise(50000838.0, 31.7, unit="nm"), concise(0.0, 0.5)
    ('254.26(24)', '50000838(32) nm', '0.00(50)')
    >>> concise(1.2e-7, 3.4e-9), concise(2.5, 0.0)
    ('1.200(34)e-7', '2.5')
    """
    suffix = f" {unit}" if unit else ""
    if not standard or not math.isfinite(standard):
        return f"{value:.10g}{suffix}"
    last = _last_place(standard, digits)
    first = max(last, Decimal(value).adjusted() if value else last)
    if last > 0 or first < -4:
        scaled = concise(float(Decimal(value).scaleb(-first)), float(Decimal(standard).scaleb(-first)), digits=digits)
        return f"{scaled}e{first}{suffix}"
    rounded = Decimal(value).quantize(Decimal(1).scaleb(last), rounding=ROUND_HALF_EVEN)
    in_last = int(Decimal(standard).scaleb(-last).to_integral_value(rounding=ROUND_HALF_EVEN))
    return f"{rounded:f}({in_last}){suffix}"


def _last_place(standard: float, digits: int) -> int:
    """Return the power of ten of the last digit that is kept: 0.0963 to two digits ends at 10^-2 after rounding to 0.096."""
    exact = Decimal(standard)
    last = exact.adjusted() - digits + 1
    rounded = exact.quantize(Decimal(1).scaleb(last), rounding=ROUND_HALF_EVEN)
    return last + (rounded.adjusted() - exact.adjusted())
