"""The table of what can be followed: each NumPy function in operations of the tables.

A rule takes the arguments of the function. The simple ones apply one operation; others are written in NumPy, with
functions that have a rule. After each the result is compared with NumPy's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from cgraph.model.tracing.entrywise_rules import ENTRYWISE
from cgraph.model.tracing.product_rules import PRODUCTS
from cgraph.model.tracing.recording import Refused
from cgraph.model.tracing.reduction_rules import REDUCTIONS
from cgraph.model.tracing.selection_rules import SELECTIONS
from cgraph.model.tracing.traced_arrays import plain

__all__ = ["RULES"]

Rule = Callable[..., Any]


def _of_the_shape(function: Rule) -> Rule:
    """Return the rule of a function of the shape alone."""
    return lambda a: function(plain(a))


def _refused(hint: str) -> Rule:
    def rule(*_: Any, **__: Any) -> NoReturn:
        raise Refused("cannot be followed", hint)

    return rule


_DATA = "its result is a choice that depends on traced values; np.max, np.min, np.sort and np.where can be followed"

RULES: dict[Any, Rule] = {
    **ENTRYWISE,
    **PRODUCTS,
    **REDUCTIONS,
    **SELECTIONS,
    **{function: _of_the_shape(function) for function in (np.shape, np.ndim, np.size, np.zeros_like, np.ones_like)},
    # refused with a hint
    np.equal: _refused("of computed numbers rounding decides; write np.isclose(a, b)"),
    np.not_equal: _refused("of computed numbers rounding decides; write ~np.isclose(a, b)"),
    **dict.fromkeys((np.argmax, np.argmin, np.argsort, np.nonzero), _refused(_DATA)),
}
