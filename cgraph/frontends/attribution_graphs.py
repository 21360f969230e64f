"""Attribution graphs: what features of a model contribute to each other, made into a linearized graph."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cgraph.frontends.node_link import NodeLink
from cgraph.model.errors import CGraphError
from cgraph.model.graph import ComputationalGraph

__all__ = ["read_attribution_graph"]

Floats = NDArray[np.float64]
EDGES = ("contribution", "share", "derivative")
LOGIT = "logit"


def read_attribution_graph(
    path: str | os.PathLike[str], edges: str = "share", *, signed_total: bool = False
) -> ComputationalGraph:
    """Read an attribution graph as circuit-tracer and Neuronpedia write it.

    Parameters
    ----------
    path : path-like
        A JSON file with ``nodes`` (``node_id``, ``feature_type``, ``layer``, ``ctx_idx``, ``clerp``, ``activation``,
        ``influence``) and ``links`` (``source``, ``target``, ``weight``). The weight c(i,j) of a link is a
        contribution, the part of the value of j that comes from i.
    edges : {"share", "derivative", "contribution"}, default "share"
        The number on each edge, ``derivative`` z(i,j). It says what a product along a path means:

        - "share": z = c(i,j) / (sum of the absolute contributions into j). A product is the part of t that comes along
          the path, each step being a part of what flows into its head, with its sign; the absolute values into a head
          add up to 1.
        - "derivative": z = c(i,j) / (activation of i). In a model that is linear between features, as these graphs
          assume, that is dy(j)/dy(i), and a product is a derivative along the path. Needs the activation of every tail
          that is not a token or an error node, for which it is 1.
        - "contribution": z = c(i,j), as it stands. A product of several contributions has no unit, and serves for
        ranking only.
    signed_total : bool, default False
        Of shares: divide by the sum of contributions with their signs, so that the shares into a head add up to 1.
        A sum near zero gives large shares, and one that is zero is refused.

    Returns
    -------
    ComputationalGraph
        Nodes are named by ``node_id`` and keep their attributes, the activation as their ``value``; each edge keeps its ``contribution`` beside the
        ``derivative``. ``G.graph`` holds the ``metadata``, and under ``"supernodes"`` the groups of nodes that were
        made in Neuronpedia, ``{name: [nodes]}``. Outputs are the nodes whose ``feature_type`` is ``logit``, if there
        are any.

    Raises
    ------
    SpecError
        With line and column of every mistake in the file.
    CGraphError
        If `edges` is none of the three, an activation is missing or zero, or a signed total is zero.

    See Also
    --------
    path_shares : the strongest signed paths from a token to a logit, and the share that each explains.
    sensitivities : with shares, the influence of every node on a logit, with its sign.
    loss_sensitivities : the same on several logits, weighted with their probabilities.
    flow_through : what a group of nodes carries.
    prune : the part of the graph that carries most, with a bound of the error.

    Notes
    -----
    O(V + E). Shares with absolute totals, all contributions being positive, give the influence of circuit-tracer:
    there the adjacency matrix with rows of sum 1 is A, and the influence on the logits the sum of its powers.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from cgraph import sensitivities
    >>> graph = {
    ...     "nodes": [{"node_id": "tok"}, {"node_id": "f"}, {"node_id": "out", "feature_type": "logit"}],
    ...     "links": [
    ...         {"source": "tok", "target": "f", "weight": 4.0},
    ...         {"source": "f", "target": "out", "weight": -3.0},
    ...         {"source": "tok", "target": "out", "weight": 1.0},
    ...     ],
    ... }
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "graph.json")
    ...     _ = path.write_text(json.dumps(graph))
    ...     L = read_attribution_graph(path, edges="share")
    >>> L.edges["f", "out"]["derivative"], sensitivities(L, "out")["tok"]  # -3/4; 1/4 - 3/4 * 4/4
    (-0.75, -0.5)
    """
    if edges not in EDGES:
        raise CGraphError(f"edges are {', '.join(map(repr, EDGES))}, not {edges!r}")
    file = NodeLink(Path(path))
    table = file.table("weight")
    contributions = table.derivatives
    table.columns = {**table.columns, "contribution": contributions.tolist()}
    match edges:
        case "share":
            table.derivatives = contributions / _totals(table.nodes, table.heads, contributions, signed_total)
        case "derivative":
            table.derivatives = contributions / _activations(file, table.nodes)[table.tails]
    data = file.document.data
    table.graph_attributes = {**_metadata(data), **_supernodes(data, file)}
    table.node_attributes = {i: _with_value(attributes) for i, attributes in file.nodes.items()}
    G = table.as_graph()
    if logits := [i for i, d in G.nodes(data=True) if d.get("feature_type") == LOGIT]:
        G.graph["outputs"] = logits
    return G


def _totals(nodes: Sequence[str], heads: NDArray[np.intp], contributions: Floats, signed: bool) -> Floats:
    """Return, for each edge, the total that flows into its head."""
    terms = contributions if signed else np.abs(contributions)
    totals: Floats = np.bincount(heads, terms, minlength=len(nodes)).astype(np.float64)[heads]
    if not totals.all():
        j = nodes[heads[int(np.flatnonzero(totals == 0)[0])]]
        kind = "contributions" if signed else "absolute contributions"
        raise CGraphError(f"the {kind} into {j!r} add up to zero, of which there are no shares")
    return totals


def _activations(file: NodeLink, nodes: Sequence[str]) -> Floats:
    """Return the activation of every node; tokens and errors, which are what they are, count as 1."""
    tails = {i for i, _, _ in file.links}
    return np.array([_activation(i, file.nodes[i]) if i in tails else 1.0 for i in nodes])


def _activation(i: str, attributes: dict[str, Any]) -> float:
    value = attributes.get("activation")
    kind = str(attributes.get("feature_type", ""))
    if value is None and ("embedding" in kind or "error" in kind):
        return 1.0
    if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value) or value == 0:
        raise CGraphError(
            f"node {i!r} has the activation {value!r}; derivatives are contributions divided by it, so that a number "
            f"other than zero is needed; edges='share' needs none"
        )
    return float(value)


def _with_value(attributes: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes of a node, its activation as its value."""
    return {"value" if name == "activation" else name: value for name, value in attributes.items() if value is not None}


def _metadata(data: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": data["metadata"]} if isinstance(data.get("metadata"), dict) else {}


def _supernodes(data: dict[str, Any], file: NodeLink) -> dict[str, dict[str, list[str]]]:
    """Return the groups of nodes under ``qParams``: lists of a name and the nodes, perhaps as JSON text."""
    asked = data.get("qParams")
    groups = asked.get("supernodes") if isinstance(asked, dict) else None
    if isinstance(groups, str):
        try:
            groups = json.loads(groups)
        except (ValueError, RecursionError):
            groups = None
    if not isinstance(groups, list):
        return {}
    found: dict[str, list[str]] = {}
    for group in groups:
        if isinstance(group, list) and group and all(isinstance(part, str) for part in group):
            found[group[0]] = [i for i in group[1:] if isinstance(i, str) and i in file.nodes]
    return {"supernodes": found} if found else {}
