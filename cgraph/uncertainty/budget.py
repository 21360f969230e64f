"""Where an uncertainty comes from: the standard uncertainty of results, split by input, group, node, edge and path.

With c(i,t) = S(i,t) u(i), the component of input i,

    u(t)^2 = sum over i of c(i,t)^2  +  sum over pairs of 2 r(i,j) c(i,t) c(j,t)         (JCGM 100:2008, equation 16)

so one reverse sweep for each target answers for all inputs.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Mapping
from itertools import accumulate
from statistics import NormalDist
from typing import Any, NamedTuple

import networkx as nx
import numpy as np

from cgraph.algorithms.compiled import CompiledGraph
from cgraph.algorithms.estimates import require_probability
from cgraph.algorithms.paths import top_paths
from cgraph.algorithms.sweeps import forward_sweep, sensitivities
from cgraph.model.errors import ExtraMissingError, NodeNotFound, UncertaintyError, shorten
from cgraph.model.graph import Node, list_of_nodes, require_node, topological_order
from cgraph.model.linearized import compose, edge_derivative
from cgraph.model.quantities import Correlation, PlainQuantities, Quantity, read_correlation, read_quantity
from cgraph.model.values import shape_of
from cgraph.uncertainty.monte_carlo import MonteCarlo, monte_carlo
from cgraph.uncertainty.notation import concise
from cgraph.uncertainty.second_order import second_order_variance

__all__ = ["Expanded", "UncertaintyBudget", "uncertainty_budget"]

Floats = np.ndarray[Any, np.dtype[np.float64]]


class Expanded(NamedTuple):
    """An expanded uncertainty: ``half_width`` is ``factor`` times the standard uncertainty."""

    half_width: float
    factor: float


def uncertainty_budget(
    L: nx.DiGraph[Any] | CompiledGraph,
    targets: Iterable[Node],
    uncertainty: Mapping[Any, Any] | None = None,
    correlation: Mapping[Any, Any] | None = None,
    groups: Mapping[str, Iterable[Node]] | None = None,
    *,
    order: int = 1,
    samples: int | None = None,
    seed: int = 0,
    derivative: str = "derivative",
) -> UncertaintyBudget:
    """Propagate the uncertainties of inputs to `targets`, and split them by where they come from.

    Parameters
    ----------
    L : networkx.DiGraph or CompiledGraph
        Acyclic and linearized: edge (i, j) holds z(i,j) = dy(j)/dy(i). Not modified.
    targets : iterable of nodes
        The results, each a number.
    uncertainty : dict, optional
        ``{node: u}`` for inputs, weights and constants: a standard uncertainty, ``"1%"`` of the value, half-widths
        ``{"uniform": a}``, ``{"triangular": a}``, ``{"arcsine": a}``, or ``{"normal": U, "coverage": k}``; each mapping may
        have ``"dof"``, degrees of freedom. Of an array one number holds for every entry. By default, as the spec
        says.
    correlation : dict, optional
        ``{(i, j): r}``, or ``{"nodes": [...], "covariance": [[...]]}``. By default, as the spec says.
    groups : dict, optional
        ``{name: [node, ...]}``, for `UncertaintyBudget.by_group`.
    order : {1, 2}, default 1
        2 adds the terms of second order, for independent inputs. The graph must hold equations.
    samples : int, optional
        The most points of a Monte Carlo run; see `UncertaintyBudget.monte_carlo`. The graph must hold equations.
    seed : int, default 0
        Of the random points.
    derivative : str, default "derivative"
        The edge attribute that holds z.

    Returns
    -------
    UncertaintyBudget

    Raises
    ------
    UncertaintyError
        If an uncertainty is negative, not finite or of a computed node, or correlations contradict each other.
    CGraphError
        As `sensitivities`.

    Notes
    -----
    One reverse sweep for each target, O(V + E) each: the law of propagation of uncertainty [1]_, equations (13) and
    (16).

    References
    ----------
    .. [1] Joint Committee for Guides in Metrology, "Evaluation of measurement data: Guide to the expression of
       uncertainty in measurement", JCGM 100:2008.

    Examples
    --------
    >>> from cgraph import from_equations, linearize
    >>> L = linearize(from_equations("R = V / I", V=10.0, I=2.0))
    >>> b = uncertainty_budget(L, ["R"], {"V": 0.3, "I": {"uniform": 0.08 * 3**0.5}})
    >>> b.components["R"]  # 0.3 / I and -V / I^2 * 0.08
    {'V': 0.15, 'I': -0.2}
    >>> b.standard["R"], b.show("R")
    (0.25, '5.00(25)')
    """
    targets = list_of_nodes(targets)
    if not targets:
        raise UncertaintyError("a budget needs a target; name one")
    stated = getattr(L, "graph", {}).get("uncertainty", {}) if isinstance(L, nx.Graph) else {}
    correlation = stated.get("correlation") if correlation is None else correlation
    uncertainty = stated.get("uncertainty", {}) if uncertainty is None else uncertainty
    known = _quantities(uncertainty, L)
    R, quantities = read_correlation(correlation, known)
    if not quantities:
        raise UncertaintyError("no node has an uncertainty; give some, as in {'V': 0.1}")
    if order not in {1, 2}:
        raise UncertaintyError(f"there is no order {order!r} of a budget; the orders are 1 and 2")
    budget = UncertaintyBudget(L, targets, quantities, R, groups, order, derivative)
    if samples is not None:
        budget.monte_carlo = monte_carlo(L, targets, quantities, R, samples=samples, seed=seed)
    return budget


class UncertaintyBudget:
    """The uncertainties of results, and where they come from. Made by `uncertainty_budget`.

    Attributes
    ----------
    targets : list of nodes
        The results.
    value, standard : dict
        ``{t: y(t)}``, where the graph holds values, and ``{t: u(t)}``, the standard uncertainties.
    covariance, correlation : ndarray, shape (targets, targets)
        Of the targets, in their order.
    components : dict
        ``{t: {i: S(i,t) u(i)}}`` with their signs, in units of y(t); arrays of the shape of an input that is one.
    shares : dict
        ``{t: {i: part, ..., (i, j): part}}``, the parts of the variance u(t)^2, which add up to it: c(i,t)^2 of an input,
        2 r(i,j) c(i,t) c(j,t) of a correlated pair.
    dof : dict
        ``{t: effective degrees of freedom}`` by Welch and Satterthwaite.
    dof_is_sound : dict
        ``{t: False}`` where correlated inputs differ in their degrees of freedom, for which the formula is not made; the
        smallest of them is then taken.
    second_order : dict
        ``{t: what the second order adds to the variance}``; empty of a budget of first order.
    monte_carlo : MonteCarlo or None
        What the samples say, if there are any.
    """

    def __init__(
        self,
        L: nx.DiGraph[Any] | CompiledGraph,
        targets: list[Any],
        quantities: Mapping[Any, Quantity],
        R: Correlation,
        groups: Mapping[str, Iterable[Node]] | None,
        order: int,
        derivative: str,
    ) -> None:
        self.targets = targets
        self.second_order: dict[Any, float] = {}
        self.monte_carlo: MonteCarlo | None = None
        self._L, self._derivative = L, derivative
        self._quantities, self._R = quantities, R
        self._groups = _checked_groups(groups, quantities)
        sizes = [1] * len(quantities) if isinstance(L, CompiledGraph) else [_size(L, i) for i in quantities]
        self._few_dof, standards = _taken_apart(quantities)
        self._u = _flat(standards, sizes)  # u of every entry of every input
        self._end = dict(zip(quantities, accumulate(sizes), strict=True))
        self._size = dict(zip(quantities, sizes, strict=True))
        self._components = np.stack([self._component_row(t) for t in targets])
        self.covariance = self._products(self._components)
        if order == 2:
            self._add_second_order()
        standard = np.sqrt(np.diag(self.covariance))
        self.standard: dict[Any, float] = dict(zip(targets, standard.tolist(), strict=True))
        scale = np.where(standard > 0, standard, 1.0)
        self.correlation = self.covariance / np.outer(scale, scale)
        self.value: dict[Any, float] = {}
        if not isinstance(L, CompiledGraph):
            self.value = {t: L.nodes[t]["value"] for t in targets if "value" in L.nodes[t]}
        self.dof, self.dof_is_sound = {}, {}
        for t, c, u in zip(targets, self._components, standard.tolist(), strict=True):
            self.dof[t], self.dof_is_sound[t] = self._effective_dof(c, u)

    def _part(self, i: Node) -> slice:
        """Return the places of the entries of input i in a row of components."""
        return slice(self._end[i] - self._size[i], self._end[i])

    def _component_row(self, t: Node) -> Floats:
        """Return S(i,t) u(i) for every entry of every uncertain input."""
        if isinstance(self._L, CompiledGraph):
            place = dict(zip(self._L.nodes, range(len(self._L)), strict=True))
            S = self._L.sensitivities(t)[[place[i] for i in self._quantities]]
            return np.asarray(S * self._u)
        row = sensitivities(self._L, t, derivative=self._derivative)
        if np.ndim(row[t]):
            raise UncertaintyError(
                f"{t!r} is an array; a budget is that of a number: an entry, or a node of scalarize(G)"
            )
        return np.asarray(np.concatenate([np.reshape(row[i], -1) for i in self._quantities]) * self._u)

    def _products(self, c: Floats) -> Floats:
        """Return c R c^T for rows of components."""
        found = c @ c.T
        for (i, j), r in self._R.pairs.items():
            a, b = c[:, self._end[i] - 1], c[:, self._end[j] - 1]
            found += r * (np.outer(a, b) + np.outer(b, a))
        return np.asarray(found)

    def _effective_dof(self, c: Floats, u: float) -> tuple[float, bool]:
        """Return u^4 / sum of u_g^4 / dof_g, and whether the formula is sound (JCGM 100:2008, G.4).

        The formula is that of independent parts g. What is correlated is one part; read together, its quantities have
        their degrees of freedom in common.
        """
        total, sound = 0.0, True
        grouped: set[Any] = set()
        for nodes, R in self._R.groups:
            grouped |= set(nodes)
            part = c[[self._end[i] - 1 for i in nodes]]
            dofs = {self._quantities[i].dof for i in nodes}
            sound = sound and len(dofs) == 1
            total += float(part @ R @ part) ** 2 / min(dofs)
        for i, dof in self._few_dof.items():
            if i not in grouped:
                total += float((c[self._part(i)] ** 4).sum()) / dof
        return (u**4 / total if total else math.inf), sound

    def _add_second_order(self) -> None:
        if self._R.pairs:
            (i, j), *_ = self._R.pairs
            raise UncertaintyError(
                f"the terms of second order are those of independent inputs; {i!r} and {j!r} are correlated"
            )
        for k, t in enumerate(self.targets):
            self.second_order[t] = second_order_variance(self._L, t, self._quantities)
            self.covariance[k, k] += self.second_order[t]

    @property
    def components(self) -> dict[Any, dict[Any, Any]]:
        """The signed components, by target and input."""
        return {t: self._by_input(c) for t, c in zip(self.targets, self._components, strict=True)}

    def _by_input(self, c: Floats) -> dict[Any, Any]:
        return {
            i: c[self._part(i)].reshape(np.shape(self._L.nodes[i]["value"]))
            if self._is_array(i)
            else float(c[self._end[i] - 1])
            for i in self._quantities
        }

    def _is_array(self, i: Node) -> bool:
        return not isinstance(self._L, CompiledGraph) and np.ndim(self._L.nodes[i].get("value", 0)) > 0

    @property
    def shares(self) -> dict[Any, dict[Any, float]]:
        """The parts of the variance, by target, then input or correlated pair."""
        return {t: self._parts(c) for t, c in zip(self.targets, self._components, strict=True)}

    def _parts(self, c: Floats) -> dict[Any, float]:
        parts: dict[Any, float] = {i: float((c[self._part(i)] ** 2).sum()) for i in self._quantities}
        for (i, j), r in self._R.pairs.items():
            parts[i, j] = 2 * r * float(c[self._end[i] - 1] * c[self._end[j] - 1])
        return parts

    def expanded(self, p: float = 0.95) -> dict[Any, Expanded]:
        """Return the expanded uncertainty of every target for the coverage probability `p`.

        Parameters
        ----------
        p : float, default 0.95
            The probability that the interval y(t) -+ half_width covers the true value.

        Returns
        -------
        dict
            ``{t: (half_width, factor)}``; the factor is that of Student's t for the effective degrees of freedom, cut to
            a whole number (JCGM 100:2008, G.4.1), of the normal distribution where they are infinite.

        Raises
        ------
        UncertaintyError
            If `p` does not lie between 0 and 1.
        ExtraMissingError
            If degrees of freedom are finite and SciPy is not installed (extra ``uncertainty``).

        Examples
        --------
        >>> from cgraph import from_equations, linearize
        >>> b = uncertainty_budget(linearize(from_equations("y = 2*x", x=1.0)), ["y"], {"x": 0.5})
        >>> round(b.expanded(0.95)["y"].factor, 2)
        1.96
        """
        require_probability(p)
        factors = {t: coverage_factor(p, self.dof[t]) for t in self.targets}
        return {t: Expanded(k * self.standard[t], k) for t, k in factors.items()}

    def show(self, t: Node, *, digits: int = 2) -> str:
        """Return a result as metrologists write it, ``254.26(24)``, with its unit if the spec names one."""
        units = {} if isinstance(self._L, CompiledGraph) else self._L.graph.get("units", {})
        return concise(self.value[t], self.standard[t], digits=digits, unit=units.get(t, ""))

    def by_group(self, t: Node) -> dict[Any, float]:
        """Return the parts of the variance by group of inputs; inputs in no group stand for themselves.

        Returns
        -------
        dict
            ``{group: part, ..., (group, group): part}``: what correlation between two groups adds stands apart, what it
            adds within a group belongs to the group.
        """
        group_of = {i: name for name, nodes in self._groups.items() for i in nodes}
        parts: dict[Any, float] = {}
        for source, part in self._parts(self._row(t)).items():
            if source in self._quantities:
                name = group_of.get(source, source)
            else:  # a correlated pair
                a, b = (group_of.get(i, i) for i in source)
                name = a if a == b else (a, b)
            parts[name] = parts.get(name, 0.0) + part
        return parts

    def _row(self, t: Node) -> Floats:
        if t not in self.targets:
            raise UncertaintyError(
                f"{t!r} is no target of this budget; the targets are {', '.join(map(repr, self.targets))}"
            )
        return np.asarray(self._components[self.targets.index(t)])

    def by_node(self, t: Node) -> dict[Any, float]:
        """Return, for every node that uncertainty passes through, the variance that reaches `t` through it.

        Returns
        -------
        dict
            ``{i: part}`` in topological order. The parts of a cut add up to u(t)^2 only where nothing that they share
            passes through two of its nodes.

        Notes
        -----
        A forward sweep with a column for each input, O(inputs (V + E)).

        Examples
        --------
        >>> from cgraph import from_equations, linearize
        >>> L = linearize(from_equations("a = 2*x; y = a + z", x=1.0, z=1.0))
        >>> uncertainty_budget(L, ["y"], {"x": 0.5, "z": 2.0}).by_node("y")
        {'x': 1.0, 'z': 4.0, 'a': 1.0, 'y': 5.0}
        """
        S, F = self._from_both_ends(t)
        return {i: self._variance(compose(S[i], F[i])) for i in F if i in S and isinstance(F[i], np.ndarray)}

    def by_edge(self, t: Node) -> dict[tuple[Any, Any], float]:
        """Return, for every edge that uncertainty passes through, the variance that reaches `t` through it.

        Examples
        --------
        >>> from cgraph import from_equations, linearize
        >>> L = linearize(from_equations("a = 2*x; y = a + z", x=1.0, z=1.0))
        >>> uncertainty_budget(L, ["y"], {"x": 0.5, "z": 2.0}).by_edge("y")
        {('x', 'a'): 1.0, ('z', 'y'): 4.0, ('a', 'y'): 1.0}
        """
        S, F = self._from_both_ends(t)
        z = edge_derivative(self._graph(), self._derivative)
        return {
            (i, j): self._variance(compose(compose(S[j], z(i, j)), F[i]))
            for i, j in self._graph().edges
            if j in S and isinstance(F[i], np.ndarray)
        }

    def _from_both_ends(self, t: Node) -> tuple[dict[Any, Any], dict[Any, Any]]:
        """Return S(i,t) of the nodes that lead to `t`, and the components that each node receives from the inputs."""
        L = self._graph()
        leads = nx.ancestors(L, t) | {t}
        order = [i for i in topological_order(L) if i in leads]
        S = sensitivities(L.subgraph(order), t, derivative=self._derivative)
        width = self._components.shape[1]
        seeds = {i: np.zeros((size, width)) for i, size in self._size.items()}
        for i, seed in seeds.items():
            seed[:, self._part(i)] = np.diag(self._u[self._part(i)])
        return S, forward_sweep(L, order, seeds, edge_derivative(L, self._derivative))

    def _variance(self, c: Any) -> float:
        return float(self._products(np.reshape(c, (1, -1)))[0, 0])

    def by_path(self, t: Node, k: int = 10) -> list[tuple[tuple[Any, ...], Any]]:
        """Return the `k` strongest paths from inputs to `t`, each with the component that it carries.

        Returns
        -------
        list of (path, component)
            The largest ``|component|`` first. The components of all paths from an input add up to its component.

        Notes
        -----
        `top_paths` from each input.

        Examples
        --------
        >>> from cgraph import from_equations, linearize
        >>> L = linearize(from_equations("a = 2*x; y = a - 5*x + z", x=1.0, z=1.0))
        >>> uncertainty_budget(L, ["y"], {"x": 0.5, "z": 2.0}).by_path("y", 2)
        [(('x', 'y'), -2.5), (('z', 'y'), 2.0)]
        """
        self._row(t)
        found = (
            (path, product * (self._u[self._part(i)] if self._is_array(i) else float(self._u[self._part(i)][0])))
            for i in self._quantities
            for path, product in top_paths(self._graph(), i, t, k, derivative=self._derivative)
        )
        return heapq.nlargest(k, found, key=lambda each: float(np.linalg.norm(each[1])))

    def _graph(self) -> nx.DiGraph[Any]:
        if isinstance(self._L, CompiledGraph):
            raise UncertaintyError(
                "a compiled graph answers by input; for nodes, edges and paths take the networkx graph"
            )
        return self._L


def coverage_factor(p: float, dof: float) -> float:
    """Return the factor k for which y -+ k u covers with probability `p`, by Student's t for the degrees of freedom."""
    if math.isinf(dof):
        return NormalDist().inv_cdf((1 + p) / 2)
    try:
        from scipy.stats import t as student  # noqa: PLC0415 - an extra
    except ImportError:
        raise ExtraMissingError(
            "finite degrees of freedom need SciPy: pip install 'cgraph-sensitivity[uncertainty]'"
        ) from None
    return float(student.ppf((1 + p) / 2, max(1, math.floor(dof + 1e-9))))


def _taken_apart(quantities: Mapping[Any, Quantity]) -> tuple[dict[Any, float], list[Any]]:
    """Return the degrees of freedom of the quantities with finitely many, and all standard uncertainties."""
    if isinstance(quantities, PlainQuantities):
        return {}, list(quantities.standards.values())
    few_dof = {i: q.dof for i, q in quantities.items() if math.isfinite(q.dof)}
    return few_dof, [q.standard for q in quantities.values()]


def _size(L: nx.DiGraph[Any], i: Node) -> int:
    return math.prod(shape_of(L.nodes[i].get("value")))


def _flat(standards: list[Any], sizes: list[int]) -> Floats:
    """Return standard uncertainties one after the other, one number standing for all entries of an array."""
    if max(sizes) == 1:
        return np.array(standards, dtype=np.float64).reshape(-1)
    parts = [np.broadcast_to(np.reshape(u, -1), size) for u, size in zip(standards, sizes, strict=True)]
    return np.concatenate(parts, dtype=np.float64)


def _checked_groups(
    groups: Mapping[str, Iterable[Node]] | None, quantities: Mapping[Any, Quantity]
) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    seen: dict[Any, str] = {}
    for name, nodes in (groups or {}).items():
        found[name] = list_of_nodes(nodes)
        for i in found[name]:
            if i not in quantities:
                raise UncertaintyError(f"group {name!r} names {i!r}, which has no uncertainty")
            if i in seen:
                raise UncertaintyError(f"{i!r} stands in two groups, {seen[i]!r} and {name!r}; put it in one")
            seen[i] = name
    return found


def _quantities(given: Any, L: nx.DiGraph[Any] | CompiledGraph) -> Mapping[Any, Quantity]:
    """Return the quantities of a mapping from nodes of a graph to uncertainties."""
    if not isinstance(given, Mapping):
        raise UncertaintyError(
            f"uncertainties must be a mapping from nodes, as in {{'V': 0.1}}, not {shorten(repr(given))}"
        )
    if isinstance(L, CompiledGraph):
        known = set(L.nodes)
        for i in given:
            if i not in known:
                raise NodeNotFound(i, L.nodes)
        if all(type(u) is float and 0 <= u < math.inf for u in given.values()):
            return PlainQuantities(dict(given))
        return {i: read_quantity(i, u, math.nan) for i, u in given.items()}
    return {i: read_quantity(i, u, _source_value(L, i)) for i, u in given.items()}


def _source_value(L: nx.DiGraph[Any], i: Any) -> Any:
    """Return y(i) of a node that is not computed; NaN where the graph holds derivatives alone."""
    require_node(L, i)
    if L.pred[i]:
        raise UncertaintyError(f"node {i!r} is computed; uncertainties belong to inputs, weights and constants")
    value = L.nodes[i].get("value")
    return math.nan if value is None else value
