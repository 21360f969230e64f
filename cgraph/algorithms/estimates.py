"""An estimate with its standard error: z value, p-value and interval by the normal distribution."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

from cgraph.model.errors import UncertaintyError

__all__ = ["Estimate", "require_probability"]


@dataclass(frozen=True)
class Estimate:
    """A number that was estimated, and its standard error.

    Attributes
    ----------
    value, standard_error : float
        The estimate, and the standard deviation of its sampling distribution.
    bootstrap : tuple of float
        The values of the bootstrap in ascending order; empty unless it was asked for.

    Examples
    --------
    >>> found = Estimate(1.96, 1.0)
    >>> found.z, round(found.p, 3), [round(end, 2) for end in found.interval()]
    (1.96, 0.05, [0.0, 3.92])
    """

    value: float
    standard_error: float
    bootstrap: tuple[float, ...] = ()

    @property
    def z(self) -> float:
        """The estimate divided by its standard error; infinite where that is 0."""
        if not self.standard_error:
            return math.copysign(math.inf, self.value) if self.value else 0.0
        return self.value / self.standard_error

    @property
    def p(self) -> float:
        """The two-sided p-value of the hypothesis that the true value is 0."""
        return math.erfc(abs(self.z) / math.sqrt(2))

    def interval(self, p: float = 0.95) -> tuple[float, float]:
        """Return the interval that covers the true value with probability `p`: by percentiles after a bootstrap."""
        require_probability(p)
        if self.bootstrap:
            return _percentile(self.bootstrap, (1 - p) / 2), _percentile(self.bootstrap, (1 + p) / 2)
        k = NormalDist().inv_cdf((1 + p) / 2) * self.standard_error
        return self.value - k, self.value + k


def require_probability(p: float) -> None:
    """Raise `UncertaintyError` unless `p` lies strictly between 0 and 1."""
    if not 0 < p < 1:
        raise UncertaintyError(f"a coverage probability must lie between 0 and 1, as 0.95 does; {p!r} was given")


def _percentile(ordered: tuple[float, ...], p: float) -> float:
    """Return the p-quantile of ordered numbers, interpolated between neighbours."""
    place = p * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])
