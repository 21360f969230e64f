"""How near an answer must come. All comparisons are of exact decimals and fractions: a boundary is a boundary."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from cgraph.exercises.numbers import show_fraction

__all__ = ["Interval", "Tolerance", "exponent_of", "parse_tolerance"]

EXACT = Fraction(1, 10**12)  # how exact a float is taken to be, relative to its size
FLOOR = Fraction(1, 10**9)  # where the truth is 0, nothing is relative to it
_WRITTEN = re.compile(
    r"(?P<digits>\d{1,2})\s*(?P<what>sf|dp)|(?P<kind>rel|abs)\s+(?P<size>\S+)|(?P<word>exact|integer)"
)
EXAMPLES = "3sf, 2dp, rel 1e-3, abs 1e-6, exact or integer"


class Interval(NamedTuple):
    """The numbers that are accepted, both ends included."""

    low: Fraction
    high: Fraction

    def __contains__(self, value: object) -> bool:
        return isinstance(value, Fraction) and self.low <= value <= self.high

    def __str__(self) -> str:
        if self.high - self.low <= 4 * EXACT * abs(self.high):
            return show_fraction((self.low + self.high) / 2)
        return f"{show_fraction(self.low)} to {show_fraction(self.high)}"


@dataclass(frozen=True)
class Tolerance:
    """A tolerance: its kind, and how many digits or how large an error it allows."""

    kind: str
    size: Fraction

    def interval(self, truth: Fraction, *, computed: bool = True) -> Interval:
        """Return what is accepted for `truth`; a computed truth may itself be off by the rounding of floats."""
        half = self._half(truth)
        if computed or self.kind == "exact":
            half += EXACT * abs(truth)
        return Interval(truth - half, truth + half)

    def accepts(self, truth: Fraction, value: Fraction, *, computed: bool = True) -> bool:
        """Whether `value` is right."""
        if self.kind == "integer" and value.denominator != 1:
            return False
        return value in self.interval(truth, computed=computed)

    def reach(self, truth: float) -> float:
        """Return, quickly, a bound on how far an accepted number is from `truth`."""
        size = float(self.size)
        relative = {"sf": 5.01 * math.pow(10, -size), "rel": size}.get(self.kind, 0.0)
        absolute = {"dp": math.pow(10, -size), "abs": size}.get(self.kind, 0.0)
        return (relative + 1e-9) * abs(truth) + absolute + 2 * float(FLOOR)

    def _half(self, truth: Fraction) -> Fraction:
        match self.kind:
            case "sf":
                return Fraction(10) ** (exponent_of(truth) - int(self.size) + 1) / 2 if truth else FLOOR
            case "dp":
                return Fraction(1, 2 * 10 ** int(self.size))
            case "rel":
                return self.size * abs(truth) if truth else FLOOR
            case "abs":
                return self.size
        return Fraction(0) if truth else FLOOR * (self.kind == "exact")

    def __str__(self) -> str:
        match self.kind:
            case "sf" | "dp":
                return f"{self.size}{self.kind}"
            case "rel" | "abs":
                return f"{self.kind} {float(self.size):g}"
        return self.kind


def parse_tolerance(text: str) -> Tolerance:
    """Read a tolerance.

    ``3sf`` accepts what differs by at most half a unit of the third significant digit of the truth, ``2dp`` by half
    a unit of the second decimal place; ``rel 1e-3`` and ``abs 1e-6`` are errors; ``exact`` leaves room for the
    rounding of floats, 1e-12 of the truth; ``integer`` accepts that whole number alone. Where the truth is 0, a
    relative tolerance is an absolute one of 1e-9.

    Raises
    ------
    ValueError
        If it is none of these.

    Examples
    --------
    >>> str(parse_tolerance("3sf").interval(Fraction("1.4445"), computed=False))
    '1.4395 to 1.4495'
    >>> parse_tolerance("2dp").accepts(Fraction("0.125"), Fraction("0.13"))  # the boundary is inside
    True
    """
    found = _WRITTEN.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} is not a tolerance; write {EXAMPLES}")
    if found["word"]:
        return Tolerance(found["word"], Fraction(0))
    if found["digits"]:
        if not (found["what"] == "sf") <= int(found["digits"]) <= 15:
            raise ValueError(f"{text!r}: 1 to 15 significant figures, or up to 15 decimal places")
        return Tolerance(found["what"], Fraction(found["digits"]))
    try:
        size = float(found["size"])
    except ValueError:
        size = math.nan
    if not 0 < size < math.inf:
        raise ValueError(f"{text!r}: the error must be a positive number, as in {found['kind']} 1e-3")
    return Tolerance(found["kind"], Fraction(repr(size)))


def exponent_of(value: Fraction) -> int:
    """Return the power of ten of the first significant digit."""
    exponent = len(str(abs(value.numerator))) - len(str(value.denominator))
    return exponent if abs(value) >= Fraction(10) ** exponent else exponent - 1
