"""Jacobians of a compiled graph of arrays: all rows or all columns in one sweep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cgraph.algorithms import jacobians, sweeps
from cgraph.algorithms.compiled.arrays.answers import Answers, Question
from cgraph.algorithms.compiled.arrays.recording import Recorder
from cgraph.algorithms.compiled.arrays.steps import Steps
from cgraph.model.graph import list_of_nodes

__all__ = ["Jacobians"]


class Jacobians(Answers):
    """Jacobians of a compiled graph of arrays, where `evaluate` was last or at the values of the graph.

    Rows (or columns) are swept together, along a leading axis: each product with a Jacobian is one of matrices. Where
    their intermediate arrays would be larger than the limits allow, the graph is linearized and the sweeps over
    structured Jacobians answer.
    """

    def sensitivities(self, t: str) -> dict[Any, Any]:
        """Return S(i,t) of all nodes i: Jacobians, by one reverse sweep of all rows at once.

        Parameters
        ----------
        t : node
            The node that is differentiated.

        Returns
        -------
        dict
            As `cgraph.sensitivities`: numbers between numbers, else arrays of shape (size of y(t), size of y(i)).

        Raises
        ------
        CGraphError
            As `cgraph.sensitivities`.

        Notes
        -----
        At the point where `evaluate` was last, or at the values of the graph. Each product with a Jacobian is one of
        matrices, for all rows.

        Examples
        --------
        >>> from cgraph import compile_graph, from_equations
        >>> C = compile_graph(from_equations("y = x * x", x=[1.0, 2.0]))
        >>> C.sensitivities("y")["x"].tolist()
        [[2.0, 0.0], [0.0, 4.0]]
        """
        self._asked([t])
        return self._of_all_nodes(
            ("sensitivities", t), lambda recorder: _sensitivities(recorder, t, self.nodes), sweeps.sensitivities, t
        )

    def sensitivities_from(self, s: str) -> dict[Any, Any]:
        """Return S(s,i) of all nodes i: Jacobians, by one forward sweep of all columns at once.

        Parameters
        ----------
        s : node
            The node that is varied.

        Returns
        -------
        dict
            ``{i: S(s,i)}``, as `cgraph.sensitivities_from`.

        Raises
        ------
        CGraphError
            As `cgraph.sensitivities_from`.

        Notes
        -----
        As `sensitivities`, with the directional derivatives of all entries of y(s).

        Examples
        --------
        >>> from cgraph import compile_graph, from_equations
        >>> C = compile_graph(from_equations("y = x * x", x=[1.0, 2.0]))
        >>> C.sensitivities_from("x")["y"].tolist()
        [[2.0, 0.0], [0.0, 4.0]]
        """
        self._asked([s])
        return self._of_all_nodes(
            ("sensitivities_from", s),
            lambda recorder: _sensitivities_from(recorder, s, self.nodes),
            sweeps.sensitivities_from,
            s,
        )

    def sensitivity(self, s: str, t: str) -> Any:
        """Return S(s,t), by the direction that costs less.

        Parameters
        ----------
        s, t : node
            The node that is varied and the node whose value is differentiated.

        Returns
        -------
        float or ndarray, shape (size of y(t), size of y(s))

        Raises
        ------
        CGraphError
            As `cgraph.sensitivity`.

        Notes
        -----
        As `jacobian`.

        Examples
        --------
        >>> from cgraph import compile_graph, from_equations
        >>> C = compile_graph(from_equations("y = x * x", x=[1.0, 2.0]))
        >>> C.sensitivity("x", "y").tolist()
        [[2.0, 0.0], [0.0, 4.0]]
        """
        self._asked([s, t])
        question = Question(
            ("sensitivity", s, t),
            lambda recorder: [_of_pair(recorder, _jacobian(recorder, [s], [t]), s, t)],
            lambda _, given: [sweeps.sensitivity(self._linearized(given), s, t)],
            is_structured=True,
        )
        return self._answer(question, self._where_last_given())[0]

    def jacobian(self, sources: Sequence[str], targets: Sequence[str]) -> Any:
        """Return the stacked Jacobian of targets with respect to sources.

        Parameters
        ----------
        sources, targets : sequence of nodes
            The nodes that are varied, and the nodes whose values are differentiated.

        Returns
        -------
        ndarray, shape (sum of the sizes of targets, sum of the sizes of sources)

        Raises
        ------
        CGraphError
            As `cgraph.jacobian`.

        Notes
        -----
        Where `evaluate` was last, or at the values of the graph. One sweep for all sources and targets: forward with a
        column for each entry of the sources if these are fewer, else reverse with a row for each entry of the targets.

        Examples
        --------
        >>> from cgraph import compile_graph, from_equations
        >>> C = compile_graph(from_equations("y = x * x", x=[1.0, 2.0]))
        >>> C.jacobian(["x"], ["y"]).tolist()
        [[2.0, 0.0], [0.0, 4.0]]
        """
        of, by = self._asked(list_of_nodes(targets)), self._asked(list_of_nodes(sources))
        question = Question(
            ("jacobian", tuple(by), tuple(of)),
            lambda recorder: [_jacobian(recorder, by, of)],
            lambda _, given: [jacobians.jacobian(self._linearized(given), by, of)],
            is_structured=True,
        )
        return self._answer(question, self._where_last_given())[0]

    def edge_sensitivities(self, s: str, t: str) -> dict[Any, Any]:
        """Return S(j,t) z(i,j) S(s,i) of all edges.

        Parameters
        ----------
        s, t : node
            The node that is varied and the node whose value is differentiated.

        Returns
        -------
        dict
            ``{(i, j): what flows through the edge}``, as `cgraph.edge_sensitivities`.

        Raises
        ------
        CGraphError
            As `cgraph.edge_sensitivities`.

        Notes
        -----
        Where `evaluate` was last, or at the values of the graph. A reverse sweep from `t`, a forward sweep from `s`, and
        for each edge a product of matrices. Where y(s) has more entries than all edges have rows, as a matrix of
        weights has, no S(s,i) is written out: a second reverse sweep for each edge, from its tail to `s`.

        Examples
        --------
        >>> from cgraph import compile_graph, from_equations
        >>> C = compile_graph(from_equations("y = x * x", x=[1.0, 2.0]))
        >>> C.edge_sensitivities("x", "y")["x", "y"].tolist()
        [[2.0, 0.0], [0.0, 4.0]]
        """
        self._asked([s, t])
        edges = list(self._graph.edges)
        question = Question(
            ("edge_sensitivities", s, t),
            lambda recorder: _edge_sensitivities(recorder, s, t, edges),
            lambda _, given: list(sweeps.edge_sensitivities(self._linearized(given), s, t).values()),
            is_structured=True,
            apart=True,
        )
        return dict(zip(edges, self._answer(question, self._where_last_given()), strict=True))

    def _of_all_nodes(self, key: tuple[Any, ...], record: Any, sweep: Any, end: str) -> dict[Any, Any]:
        def interpret(_: Mapping[str, Any], given: Mapping[Any, Any]) -> list[Any]:
            return list(sweep(self._linearized(given), end).values())

        question = Question(key, record, interpret, is_structured=True)
        return dict(zip(self.nodes, self._answer(question, self._where_last_given()), strict=True))


# --- as steps ---------------------------------------------------------------------------------------------------------


def _sensitivities(recorder: Recorder, t: str, nodes: Sequence[Any]) -> list[int]:
    S = _to(recorder, [t], nodes)
    return [_of_pair(recorder, S[i], i, t) for i in nodes]


def _sensitivities_from(recorder: Recorder, s: str, nodes: Sequence[Any]) -> list[int]:
    S = _from(recorder, [s], nodes)
    return [_of_pair(recorder, S[i], s, i) for i in nodes]


def _jacobian(recorder: Recorder, sources: Sequence[str], targets: Sequence[str]) -> int:
    """Append the matrix of S(s,t) of all sources and targets."""
    if sum(map(recorder.size, sources)) < sum(map(recorder.size, targets)):
        S = _from(recorder, sources, targets)
        return _joined(recorder.steps, [S[t] for t in targets], axis=0)
    S = _to(recorder, targets, sources)
    return _joined(recorder.steps, [S[s] for s in sources], axis=1)


def _edge_sensitivities(recorder: Recorder, s: str, t: str, edges: Sequence[tuple[str, str]]) -> list[int]:
    seeds, lead = recorder.identity([recorder.nodes[t]])
    z_to = recorder.reverse(seeds, [recorder.edge(*edge) for edge in edges], lead)  # S(j,t) z(i,j)
    if recorder.size(s) > recorder.size(t) * len(edges):
        through = [
            recorder.reverse({recorder.nodes[i]: S}, [recorder.nodes[s]], lead)[0]
            for (i, _), S in zip(edges, z_to, strict=True)
        ]
        return [_of_pair(recorder, _rows(recorder, S, s, recorder.size(t)), s, t) for S in through]
    S_from = _from(recorder, [s], [i for i, _ in edges])
    rows = recorder.size(t)
    return [
        _of_pair(recorder, _product(recorder.steps, _rows(recorder, S, i, rows), S_from[i]), s, t)
        for (i, _), S in zip(edges, z_to, strict=True)
    ]


def _to(recorder: Recorder, targets: Sequence[str], nodes: Sequence[Any]) -> dict[Any, int]:
    """Append the stacked Jacobians of targets with respect to each of the nodes, matrices."""
    seeds, lead = recorder.identity([recorder.nodes[t] for t in dict.fromkeys(targets)])
    known = [i for i in dict.fromkeys(nodes) if i in recorder.nodes]
    S = recorder.reverse(seeds, [recorder.nodes[i] for i in known], lead)
    rows = sum(map(recorder.size, dict.fromkeys(targets)))
    found = {i: _rows(recorder, x, i, rows) for i, x in zip(known, S, strict=True)}
    zeros = recorder.steps.zeros((rows, 1))  # of what has no value and leads nowhere
    return {i: found.get(i, zeros) for i in nodes}


def _from(recorder: Recorder, sources: Sequence[str], nodes: Sequence[Any]) -> dict[Any, int]:
    """Append the Jacobians of each of the nodes with respect to all sources, matrices."""
    seeds, lead = recorder.identity([recorder.nodes[s] for s in dict.fromkeys(sources)])
    known = [i for i in dict.fromkeys(nodes) if i in recorder.nodes]
    S = recorder.forward(seeds, [recorder.nodes[i] for i in known], lead)
    columns = sum(map(recorder.size, dict.fromkeys(sources)))
    found = {i: recorder.steps.swap(_rows(recorder, x, i, columns)) for i, x in zip(known, S, strict=True)}
    zeros = recorder.steps.zeros((1, columns))
    return {i: found.get(i, zeros) for i in nodes}


def _rows(recorder: Recorder, S: int, i: str, rows: int) -> int:
    """Append what a sweep has found at a node as a matrix, with a row for each of those that are swept together."""
    return recorder.steps.reshape(S, (rows, recorder.size(i)))


def _of_pair(recorder: Recorder, S: int, s: str, t: str) -> int:
    """Append S(s,t) as it is handed out: between numbers a number."""
    return recorder.steps.reshape(S, ()) if recorder.is_number(s) and recorder.is_number(t) else S


def _product(steps: Steps, S_to: int, S_from: int) -> int:
    """Append a product of matrices; where one of them is 0, nothing is computed."""
    if steps.is_zero(S_to) or steps.is_zero(S_from):
        return steps.zeros((steps.shape(S_to)[0], steps.shape(S_from)[1]))
    return steps.matmul(S_to, S_from)


def _joined(steps: Steps, parts: Sequence[int], axis: int) -> int:
    """Append matrices below each other, or beside each other."""
    if len(parts) == 1:
        return parts[0]
    shapes = [steps.shape(x) for x in parts]
    shape = [*shapes[0]]
    shape[axis] = sum(part[axis] for part in shapes)
    places = ", ".join(f"{{{k}}}" for k in range(len(parts)))
    return steps.compute(f"concatenate(({places}), axis={axis}, out={{y}})", parts, tuple(shape))
