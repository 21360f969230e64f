"""A chart of a budget of uncertainty: a bar for each input, the largest component on top."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from cgraph.model.graph import Node
from cgraph.reports.charts import _bars, _written
from cgraph.reports.drawing.words import show_quantity
from cgraph.uncertainty import UncertaintyBudget

__all__ = ["budget_chart"]

MOST = 20  # bars


def budget_chart(
    budget: UncertaintyBudget, t: Node, output: str | os.PathLike[str] | None = None, *, k: int = MOST
) -> Any:
    """Draw the components of a result's uncertainty, a tornado: the largest on top, negative ones to the left.

    Parameters
    ----------
    budget : UncertaintyBudget
        What `uncertainty_budget` returns.
    t : node
        One of its targets.
    output
        As in `loss_chart`.
    k : int, default 20
        The most bars. Of an input that is an array, the bar has the length of the root of the sum of squares.

    Returns
    -------
    matplotlib.figure.Figure
        A bar for each input, from zero to its component of u(t): blue to the right, or orange and hatched to the left.

    Raises
    ------
    CGraphError
        As `loss_chart`.

    Examples
    --------
    >>> from cgraph import from_equations, linearize, uncertainty_budget
    >>> L = linearize(from_equations("R = V / I", V=10.0, I=2.0))
    >>> figure = budget_chart(uncertainty_budget(L, ["R"], {"V": 0.3, "I": 0.08}), "R")
    >>> [round(float(bar.get_width()), 9) for bar in figure.axes[0].patches]
    [-0.2, 0.15]
    """
    components = {i: float(c) if np.ndim(c) == 0 else float(np.linalg.norm(c)) for i, c in budget.components[t].items()}
    largest = sorted(components.items(), key=lambda item: -abs(item[1]))[:k]
    title = f"u({t}) = {show_quantity(budget.standard[t])}: the components of the inputs"
    figure = _bars([(str(i), size) for i, size in largest], title, f"component of u({t})")
    return _written(figure, output)
