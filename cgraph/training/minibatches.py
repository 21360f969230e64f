"""Many examples in one graph: the mean loss over a mini-batch."""

from __future__ import annotations

import os

import numpy as np

from cgraph.model.batches import over_examples
from cgraph.model.graph import ComputationalGraph
from cgraph.model.values import as_value
from cgraph.training.columns import Table, examples_of
from cgraph.transforms.rebuilding import transform

__all__ = ["minibatch"]


@transform
def minibatch(G: ComputationalGraph, data: Table | str | os.PathLike[str]) -> ComputationalGraph:
    """Return the graph of the mean loss over several examples, which lie along the leading axis of every array.

    Parameters
    ----------
    G : ComputationalGraph
        The graph of one example. Not modified.
    data : dict of columns, or path of a CSV file
        The inputs that differ from example to example: ``data["x"][k]`` is x of example k.

    Returns
    -------
    ComputationalGraph
        The same nodes. Those that depend on the data have a leading axis of examples, the weights do not; an output
        that is one number for each example becomes the mean over the examples. Its gradient is the mean of the
        gradients of single examples, and what does not depend on the data, as a regulariser does, counts once.

    Raises
    ------
    InvalidNodeError
        If a column is no input, or holds what is not a finite number.
    CGraphError
        If columns differ in length, or an operation has no form for many examples (det, inv).

    Notes
    -----
    O(V + E) to write; one sweep over the result then serves all examples, its products being matrix products. Unlike
    other transforms this one is meant to change S (DD2424, lecture 3: gradient computations for a mini-batch).

    Examples
    --------
    >>> from cgraph import linearize, sensitivity, weight_gradients
    >>> G = ComputationalGraph()
    >>> G.add_input("x", [1.0, 2.0])
    >>> G.add_weight("w", [3.0, 1.0])
    >>> G.add_equation("l", "(w @ x)^2")
    >>> G.add_equation("J", "l + 0.1 * squared_norm(w)")
    >>> B = minibatch(G, {"x": [[1, 2], [0, 1]]})
    >>> B.nodes["l"]["equation"], B.nodes["J"]["equation"]
    ('(x @ w) ^ 2', 'mean(l + 0.1 * squared_norm(w), axis=0)')
    >>> weight_gradients(linearize(B), "J")["w"]  # (2*5*(1, 2) + 2*1*(0, 1)) / 2 + 0.2 w
    array([ 5.6, 11.2])
    """
    examples = examples_of(G, data)
    H = over_examples(G, examples[0], G.outputs)
    for i in examples[0]:
        H.nodes[i]["value"] = as_value(np.stack([example[i] for example in examples]))
    return H
