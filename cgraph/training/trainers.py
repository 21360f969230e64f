"""Trainers: the mean loss and its gradient over examples, by sweeps over dicts, on a tape, or on arrays.

The three compute the same numbers. A trainer holds the weights as they are now; `one_pass` is the same for all of them.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from cgraph.algorithms.compiled import CompiledArrays, compile_graph
from cgraph.algorithms.engines import SECONDS_PER_STEP, compiling_pays
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
from cgraph.model.graph import ComputationalGraph, topological_order
from cgraph.model.values import as_computed, show_shape
from cgraph.training.columns import Example
from cgraph.training.updates import Update

__all__ = ["Trainer", "trainer_of"]

# The examples that are swept at once hold no more numbers, one for each of them at each node and edge.
MOST_NUMBERS = 10_000_000
ALL = "all weights"  # the one key of the weights on a tape, which are one array


def trainer_of(G: ComputationalGraph, loss: str, example: Example, sweeps: int) -> Trainer:
    """Return what trains `G`: on arrays if it holds some, on a tape if so many sweeps take less time that way."""
    values = (*nx.get_node_attributes(G, "value").values(), *example.values())
    if any(isinstance(value, np.ndarray) for value in values):
        return ArrayTrainer(G, loss, example)
    if compiling_pays(SECONDS_PER_STEP * (len(G) + G.number_of_edges()) * sweeps):
        with suppress(CGraphError):  # what is wrong with a graph, the sweeps over dicts say
            return TapeTrainer(G, loss)
    return DictTrainer(G, loss)


class Trainer(ABC):
    """A working copy of a graph, whose weights change while its order and its other values stay."""

    @property
    @abstractmethod
    def graph(self) -> ComputationalGraph:
        """The working copy with the weights as they are now."""

    @property
    @abstractmethod
    def weights(self) -> dict[Any, Any]:
        """The weights: of edges by their ends, of nodes by their names, or all of them in one array."""

    @weights.setter
    @abstractmethod
    def weights(self, weights: Mapping[Any, Any]) -> None: ...

    @abstractmethod
    def mean_loss(self, examples: Sequence[Example]) -> float:
        """Return the mean of J over the examples."""

    @abstractmethod
    def mean_gradient(self, examples: Sequence[Example]) -> dict[Any, Any]:
        """Return the mean of dJ/dw over the examples, under the keys of `weights`."""

    def one_pass(self, examples: Sequence[Example], update: Update, batch: int) -> None:
        """Update the weights once for each batch of the examples, by its mean gradient."""
        for start in range(0, len(examples), batch):
            gradient = self.mean_gradient(examples[start : start + batch])
            self.weights = update(self.weights, gradient)


class DictTrainer(Trainer):
    """Sweeps over dicts, one example at a time."""

    def __init__(self, G: ComputationalGraph, loss: str) -> None:
        self._graph = unlinearized(G)
        self.loss = loss
        self.sources = source_values(G)
        self.order = [j for j in topological_order(G) if is_computed(G, j)]

    @property
    def graph(self) -> ComputationalGraph:
        return self._graph

    @property
    def weights(self) -> dict[Any, Any]:
        neurons = [j for j in self.order if "activation" in self.graph.nodes[j]]
        edges = {(i, j): self.graph.edges[i, j]["weight"] for j in neurons for i in self.graph.nodes[j]["operands"]}
        return edges | {w: self.graph.nodes[w]["value"] for w in self.graph.weights}

    @weights.setter
    def weights(self, weights: Mapping[Any, Any]) -> None:
        for w, value in weights.items():
            if w in self.sources:
                self.sources[w] = self.graph.nodes[w]["value"] = as_computed(value)
            else:
                self.graph.edges[w]["weight"] = value

    def mean_loss(self, examples: Sequence[Example]) -> float:
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

    def mean_gradient(self, examples: Sequence[Example]) -> dict[Any, Any]:
        gradients = [self.gradient(example) for example in examples]
        return {w: _mean(g[w] for g in gradients) for w in self.weights}


class TapeTrainer(Trainer):
    """Machine code over many examples; what goes wrong there is left to the sweeps over dicts."""

    def __init__(self, G: ComputationalGraph, loss: str) -> None:
        self.by_dicts = DictTrainer(G, loss)
        self.loss = loss
        self.compiled = compile_graph(self.by_dicts.graph)
        self.most = max(1, MOST_NUMBERS // (len(self.compiled) + self.compiled.number_of_edges))
        self._weights = self._array(self.by_dicts.weights)

    @property
    def graph(self) -> ComputationalGraph:
        return self._over_dicts().graph

    @property
    def weights(self) -> dict[Any, Any]:
        return {ALL: self._weights}

    @weights.setter
    def weights(self, weights: Mapping[Any, Any]) -> None:
        self._weights = weights[ALL]

    def mean_loss(self, examples: Sequence[Example]) -> float:
        try:
            return _mean(J for block in self._blocks(examples) for J in self._evaluate(block).tolist())
        except CGraphError:
            return self._over_dicts().mean_loss(examples)

    def mean_gradient(self, examples: Sequence[Example]) -> dict[Any, Any]:
        with suppress(CGraphError):
            mean = np.sum([self._gradient(block) for block in self._blocks(examples)], axis=0) / len(examples)
            if np.isfinite(mean).all():
                return {ALL: mean}
        return {ALL: self._array(self._over_dicts().mean_gradient(examples))}

    def _array(self, weights: Mapping[Any, float]) -> NDArray[np.float64]:
        return np.array([weights[w] for w in self.compiled.weights], np.float64)

    def _over_dicts(self) -> DictTrainer:
        """Return the trainer over dicts, at the same weights."""
        self.by_dicts.weights = dict(zip(self.compiled.weights, self._weights.tolist(), strict=True))
        return self.by_dicts

    def _blocks(self, examples: Sequence[Example]) -> Iterator[Sequence[Example]]:
        """Iterate over as many examples at a time as fit in memory."""
        return (examples[start : start + self.most] for start in range(0, len(examples), self.most))

    def _evaluate(self, examples: Sequence[Example]) -> NDArray[np.float64]:
        """Return J at each of the examples."""
        columns = {i: [example[i] for example in examples] for i in examples[0]}
        J: NDArray[np.float64] = self.compiled.evaluate(columns, weights=self._weights, nodes=[self.loss])[0].reshape(
            -1
        )
        return J

    def _gradient(self, examples: Sequence[Example]) -> NDArray[np.float64]:
        """Return the sum of dJ/dw over the examples."""
        J = self._evaluate(examples)
        gradient: NDArray[np.float64] = self.compiled.weight_gradients(self.loss).reshape(-1, len(J)).sum(axis=1)
        return gradient


class ArrayTrainer(DictTrainer):
    """A compiled graph of arrays: one sweep over a whole batch, with the examples as the leading axis.

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
