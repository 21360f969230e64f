"""Gradient descent on the weights of a graph: w <- w - rate * dJ/dw."""

from __future__ import annotations

import math
import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

from cgraph.model.errors import CGraphError, EvaluationError
from cgraph.model.evaluation import is_computed
from cgraph.model.graph import ComputationalGraph, require_digraph, require_node
from cgraph.training.columns import Table, examples_of
from cgraph.training.trainers import trainer_of
from cgraph.training.updates import Update

__all__ = ["Descent", "gradient_descent"]


@dataclass(frozen=True)
class Descent:
    """The outcome of `gradient_descent`.

    Attributes
    ----------
    graph : ComputationalGraph
        The graph with the last good weights.
    history : list of float
        The mean loss over the data, before the first step and after every step.
    validation : list of float
        The same for the held-out data; empty without them.
    stopped : str
        Why the descent ended early, or "".
    """

    graph: ComputationalGraph
    history: list[float]
    validation: list[float]
    stopped: str


def gradient_descent(
    G: ComputationalGraph,
    loss: str,
    rate: float,
    steps: int,
    *,
    method: str = "sgd",
    data: Table | str | os.PathLike[str] | None = None,
    batch: int | None = None,
    seed: int | None = None,
    validation: Table | str | os.PathLike[str] | None = None,
    progress: Callable[[int, float], None] | None = None,
) -> Descent:
    """Return the graph after gradient descent on its weights, those on edges and those in nodes.

    Parameters
    ----------
    G : ComputationalGraph
        Not modified.
    loss : node
        The node J to be minimized.
    rate : float
        The learning rate; a negative one maximizes J.
    steps : int
        How many passes over the data; without data, how many steps.
    method : {"sgd", "momentum", "adam"}
        How a step follows from gradients g: ``w <- w - rate * g``; ``v <- 0.9 v + g, w <- w - rate * v``; or Adam with
        decays 0.9 and 0.999 and epsilon 1e-8. As PyTorch's SGD and Adam.
    data : dict of columns, or path of a CSV file, optional
        The examples: a column for each input that varies, of numbers or of arrays of one shape; other inputs keep
        their value. Without it there is one example, the values in `G`.
    batch : int, optional
        How many examples an update takes its mean gradient from; by default all of them, and 1 is stochastic
        descent.
    seed : int, optional
        Shuffles the examples anew before each pass; by default they keep their order.
    validation : as `data`, optional
        Held-out examples, whose mean loss is recorded too.
    progress : callable, optional
        Called with the number of steps done and the loss after each.

    Returns
    -------
    Descent
        ``.graph``, ``.history``, ``.validation``, ``.stopped``. If the loss leaves the range of numbers or an
        operation its domain, the descent stops with the last good weights.

    Raises
    ------
    NodeNotFound
        If `loss` is not in `G`.
    InvalidNodeError
        If a column is no input, or holds what is not a finite number.
    MissingValueError
        If an input has neither a column nor a value.
    CGraphError
        If `method` is none of these, `rate` is not finite, `steps` or `batch` is not positive, or columns differ in
        length; as `evaluate`, if the loss cannot be computed at the start.

    Notes
    -----
    A forward and a reverse sweep for each example, O(V + E), or for each batch where variables are arrays (then as
    `minibatch`, unless an operation has no form for many examples); and a forward sweep over the data after each pass,
    to record the loss. MATH 565, lecture 26 (w <- w - rate * gradient); 10-301/601, lecture 13 (stochastic
    descent, the loss after each pass).

    Examples
    --------
    >>> G = ComputationalGraph()
    >>> G.add_weight("w", 3.0)
    >>> G.add_equation("J", "w^2")
    >>> result = gradient_descent(G, "J", rate=0.25, steps=2)  # w <- w - 0.25 * 2w = w/2
    >>> result.history, result.graph.nodes["w"]["value"]
    ([9.0, 2.25, 0.5625], 0.75)
    """
    require_digraph(G)
    require_node(G, loss)
    if not is_computed(G, loss):
        raise CGraphError(f"node {loss!r} has neither an equation nor weights, so no descent can make it smaller")
    _require_plan(rate, steps, batch, seed)
    update = Update(method, rate)
    examples = [{}] if data is None else examples_of(G, data)
    held_out = [] if validation is None else examples_of(G, validation)
    shuffler = None if seed is None else random.Random(int(seed))  # noqa: S311 - an order of examples, not a secret
    trainer = trainer_of(G, loss, examples[0], sweeps=steps * len(examples))
    history = [trainer.mean_loss(examples)]
    held_out_history = [trainer.mean_loss(held_out)] if held_out else []
    stopped = ""
    for step in range(1, steps + 1):
        last_good = trainer.weights
        order = examples if shuffler is None else shuffler.sample(examples, len(examples))
        try:
            trainer.one_pass(order, update, batch or len(order))
            after = trainer.mean_loss(examples), trainer.mean_loss(held_out) if held_out else None
        except EvaluationError as error:
            trainer.weights, stopped = last_good, f"stopped in step {step}: {error}"
            break
        history.append(after[0])
        held_out_history += [] if after[1] is None else [after[1]]
        if progress is not None:
            progress(step, after[0])
    return Descent(trainer.graph, history, held_out_history, stopped)


def _require_plan(rate: Any, steps: Any, batch: Any, seed: Any) -> None:
    """Raise `CGraphError` unless a descent can be made with these numbers."""
    whole = isinstance(steps, Integral) and isinstance(1 if batch is None else batch, Integral)
    if not (isinstance(rate, Real) and math.isfinite(rate) and whole) or steps < 0 or (batch is not None and batch < 1):
        raise CGraphError(
            f"rate = {rate!r}, steps = {steps!r}, batch = {batch!r}: a finite rate and positive whole numbers are needed"
        )
    if seed is not None and not isinstance(seed, Integral):
        raise CGraphError(f"seed = {seed!r}: a whole number is needed")
