"""Gradient descent on the weights of a graph: w <- w - rate * dJ/dw."""

from __future__ import annotations

import math
import os
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from cgraph.algorithms.compiled import CompiledArrays, compile_graph
from cgraph.algorithms.compiled.jit import is_at_hand, is_loaded
from cgraph.model.batches import over_examples
from cgraph.model.errors import CGraphError, EvaluationError
from cgraph.model.evaluation import (
    forward,
    gate_of,
    is_computed,
    local_derivatives,
    preactivation,
    source_values,
    unlinearized,
)
from cgraph.model.graph import ComputationalGraph, require_digraph, require_node, topological_order
from cgraph.model.values import as_computed, show_shape
from cgraph.training.columns import Example, Table, examples_of
from cgraph.training.updates import Update

__all__ = ["Descent", "gradient_descent"]

# From how many nodes and edges, swept once for each example and step, the tape pays: if numba is loaded, and else.
FEWEST_SWEPT = 5_000
FEWEST_TO_LOAD = 1_000_000
# The examples that are swept at once hold no more numbers, one for each of them at each node and edge.
MOST_NUMBERS = 10_000_000


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
        The node J to be made small.
    rate : float
        The learning rate; a negative one climbs, for a J to be made large.
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
    training = _training(G, loss, examples[0], updates=steps * len(examples))
    history = [training.mean_loss(examples)]
    held_out_history = [training.mean_loss(held_out)] if held_out else []
    stopped = ""
    for step in range(1, steps + 1):
        last_good = training.weights
        order = examples if shuffler is None else shuffler.sample(examples, len(examples))
        try:
            training.one_pass(order, update, batch or len(order))
            after = training.mean_loss(examples), training.mean_loss(held_out) if held_out else None
        except EvaluationError as error:
            training.weights, stopped = last_good, f"stopped in step {step}: {error}"
            break
        history.append(after[0])
        held_out_history += [] if after[1] is None else [after[1]]
        if progress is not None:
            progress(step, after[0])
    return Descent(training.graph, history, held_out_history, stopped)


def _require_plan(rate: Any, steps: Any, batch: Any, seed: Any) -> None:
    """Raise `CGraphError` unless a descent can be made with these numbers."""
    whole = isinstance(steps, Integral) and isinstance(1 if batch is None else batch, Integral)
    if not (isinstance(rate, Real) and math.isfinite(rate) and whole) or steps < 0 or (batch is not None and batch < 1):
        raise CGraphError(
            f"rate = {rate!r}, steps = {steps!r}, batch = {batch!r}: a finite rate and positive whole numbers are needed"
        )
    if seed is not None and not isinstance(seed, Integral):
        raise CGraphError(f"seed = {seed!r}: a whole number is needed")


def _training(G: ComputationalGraph, loss: str, example: Example, updates: int) -> _Training | _TapeTraining:
    """Return what trains `G`: on arrays if it holds some, on a tape if so many sweeps take less time that way."""
    if any(
        isinstance(value, np.ndarray) for value in (*nx.get_node_attributes(G, "value").values(), *example.values())
    ):
        return _ArrayTraining(G, loss, example)
    work = updates * (len(G) + G.number_of_edges())
    if work < FEWEST_SWEPT or (work < FEWEST_TO_LOAD and not is_loaded()) or not is_at_hand():
        return _Training(G, loss)
    try:
        return _TapeTraining(G, loss)
    except CGraphError:  # what is wrong with a graph, the sweeps over dicts say
        return _Training(G, loss)


class _Training:
    """A working copy of a graph, whose weights change while its order and its other values stay."""

    def __init__(self, G: ComputationalGraph, loss: str) -> None:
        self.graph = unlinearized(G)
        self.loss = loss
        self.sources = source_values(G)
        self.order = [j for j in topological_order(G) if is_computed(G, j)]

    @property
    def weights(self) -> dict[Any, float]:
        """The weights: of edges by their ends, of nodes by their names."""
        neurons = [j for j in self.order if "activation" in self.graph.nodes[j]]
        edges = {(i, j): self.graph.edges[i, j]["weight"] for j in neurons for i in self.graph.nodes[j]["operands"]}
        return edges | {w: self.graph.nodes[w]["value"] for w in self.graph.weights}

    @weights.setter
    def weights(self, weights: Mapping[Any, float]) -> None:
        for w, value in weights.items():
            if w in self.sources:
                self.sources[w] = self.graph.nodes[w]["value"] = as_computed(value)
            else:
                self.graph.edges[w]["weight"] = value

    def mean_loss(self, examples: Sequence[Example]) -> float:
        """Return the mean of J over the examples."""
        return _mean(float(self.forward(example)[self.loss]) for example in examples)

    def forward(self, example: Example) -> dict[str, Any]:
        """Return the values of all nodes at one example."""
        return forward(self.graph, self.sources | example, self.order)

    def gradient(self, example: Example) -> dict[Any, float]:
        """Return dJ/dw at one example: a forward pass, then Delta swept back from J."""
        G, y = self.graph, self.forward(example)
        Delta: dict[Any, Any] = dict.fromkeys(G, 0.0)
        Delta[self.loss] = 1.0
        gradient = {}
        for j in reversed(self.order):
            data = G.nodes[j]
            if "activation" in data:
                Delta_s = Delta[j] * gate_of(data["activation"], preactivation(G, j, y), y[j], j)
                for i in data["operands"]:
                    gradient[i, j] = Delta_s * y[i]
                    Delta[i] += Delta_s * G.edges[i, j]["weight"]
            else:
                for i, z in local_derivatives(data["expression"], y, j).items():
                    Delta[i] += Delta[j] * z
        return gradient | {w: Delta[w] for w in G.weights}

    def mean_gradient(self, examples: Sequence[Example]) -> dict[Any, float]:
        """Return the mean of dJ/dw over the examples."""
        gradients = [self.gradient(example) for example in examples]
        return {w: _mean(g[w] for g in gradients) for w in self.weights}

    def one_pass(self, examples: Sequence[Example], update: Update, batch: int) -> None:
        """Update the weights once for each batch of the examples, by its mean gradient."""
        for start in range(0, len(examples), batch):
            gradient = self.mean_gradient(examples[start : start + batch])
            self.weights = update(self.weights, gradient)


class _TapeTraining:
    """The same on a tape, its weights in an array; what goes wrong there is left to the sweeps over dicts."""

    def __init__(self, G: ComputationalGraph, loss: str) -> None:
        self.by_dicts = _Training(G, loss)
        self.loss = loss
        self.compiled = compile_graph(self.by_dicts.graph)
        self.most = max(1, MOST_NUMBERS // (len(self.compiled) + self.compiled.number_of_edges))
        self.weights = self._array(self.by_dicts.weights)

    @property
    def graph(self) -> ComputationalGraph:
        """The working copy with the weights as they are now."""
        return self._over_dicts().graph

    def mean_loss(self, examples: Sequence[Example]) -> float:
        """Return the mean of J over the examples."""
        try:
            return _mean(J for block in self._blocks(examples) for J in self._evaluate(block).tolist())
        except CGraphError:
            return self._over_dicts().mean_loss(examples)

    def mean_gradient(self, examples: Sequence[Example]) -> NDArray[np.float64]:
        """Return the mean of dJ/dw over the examples."""
        try:
            mean: NDArray[np.float64] = np.sum([self._gradient(block) for block in self._blocks(examples)], axis=0)
            mean /= len(examples)
        except CGraphError:
            return self._array(self._over_dicts().mean_gradient(examples))
        return mean if np.isfinite(mean).all() else self._array(self._over_dicts().mean_gradient(examples))

    def one_pass(self, examples: Sequence[Example], update: Update, batch: int) -> None:
        """Update the weights once for each batch of the examples, by its mean gradient."""
        for start in range(0, len(examples), batch):
            gradient = self.mean_gradient(examples[start : start + batch])
            self.weights = update({None: self.weights}, {None: gradient})[None]

    def _array(self, weights: Mapping[Any, float]) -> NDArray[np.float64]:
        return np.array([weights[w] for w in self.compiled.weights], np.float64)

    def _over_dicts(self) -> _Training:
        """Return the training over dicts, at the same weights."""
        self.by_dicts.weights = dict(zip(self.compiled.weights, self.weights.tolist(), strict=True))
        return self.by_dicts

    def _blocks(self, examples: Sequence[Example]) -> Iterator[Sequence[Example]]:
        """Iterate over as many examples at a time as fit in memory."""
        return (examples[start : start + self.most] for start in range(0, len(examples), self.most))

    def _evaluate(self, examples: Sequence[Example]) -> NDArray[np.float64]:
        """Return J at each of the examples."""
        columns = {i: [example[i] for example in examples] for i in examples[0]}
        J: NDArray[np.float64] = self.compiled.evaluate(columns, weights=self.weights, nodes=[self.loss])[0].reshape(-1)
        return J

    def _gradient(self, examples: Sequence[Example]) -> NDArray[np.float64]:
        """Return the sum of dJ/dw over the examples."""
        J = self._evaluate(examples)
        gradient: NDArray[np.float64] = self.compiled.weight_gradients(self.loss).reshape(-1, len(J)).sum(axis=1)
        return gradient


class _ArrayTraining(_Training):
    """The same where variables are arrays: one sweep over a whole batch, with the examples as the leading axis.

    Where an operation of the graph has no form for many examples, there is a sweep for each.
    """

    def __init__(self, G: ComputationalGraph, loss: str, example: Example) -> None:
        super().__init__(G, loss)
        self.is_batched = False
        graph = self.graph
        if example:
            with suppress(CGraphError):  # what is wrong with the graph itself, a sweep for each example says
                graph = over_examples(self.graph, example, [loss])
                self.is_batched = True
        self.compiled = CompiledArrays(graph)

    def mean_loss(self, examples: Sequence[Example]) -> float:
        now = self.weights
        return _mean(
            self._loss(self.compiled.evaluate(inputs, weights=now, nodes=[self.loss]))
            for inputs in self._sweeps(examples)
        )

    def mean_gradient(self, examples: Sequence[Example]) -> dict[Any, Any]:
        now = self.weights
        gradients = [
            self.compiled.value_and_gradient(self.loss, inputs, weights=now, nodes=self.compiled.weights)[1]
            for inputs in self._sweeps(examples)
        ]
        if len(gradients) == 1:
            return gradients[0]
        return {w: sum(gradient[w] for gradient in gradients) / len(gradients) for w in now}

    def _loss(self, y: Mapping[str, Any]) -> float:
        if np.ndim(y[self.loss]):
            raise CGraphError(
                f"the loss {self.loss!r} is {show_shape(y[self.loss])}; a loss is one number, such as its sum or mean"
            )
        return float(y[self.loss])

    def _sweeps(self, examples: Sequence[Example]) -> Iterator[dict[str, Any]]:
        """Iterate over the values of the inputs: those of all examples at once, or of one after the other."""
        if not self.is_batched:
            yield from map(dict, examples)
            return
        yield {i: np.stack([example[i] for example in examples]) for i in examples[0]}


def _mean(numbers: Iterable[Any]) -> float:
    listed = list(numbers)
    mean = math.fsum(map(float, listed)) / len(listed)
    if not math.isfinite(mean):
        raise EvaluationError("the mean over the examples overflows")
    return mean
