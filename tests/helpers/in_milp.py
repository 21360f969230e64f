"""The least cost of all orders of vertices by integer programming: nothing of it is shared with the searches.

J. Chen, P. Hovland, T. Munson, J. Utke, "An integer programming approach to optimal derivative accumulation", in Recent Advances in
Algorithmic Differentiation, Springer 2012. Here an order is one of pairs: p(u, v) is 1 if u is eliminated before v, and

    f(i, k)     = 1 if edge i -> k is there at some time, before the first of i and k is eliminated
    y(i, v, k) >= f(i, v) + f(v, k) + p(v, i) + p(v, k) - 3      what eliminating v multiplies; p(v, i) = 1 where i stays
    f(i, k)    >= y(i, v, k)

The sum of y is the number of multiplications. Cuts that Menger's theorem gives are added: of one vertex, and of one after another.
"""

import math

import networkx as nx
import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

import cgraph as cg


class Program:
    """The integer program of a graph whose derivatives are numbers and whose inputs and outputs lie at its ends."""

    def __init__(self, L, inputs, outputs):
        self.L, self.inputs, self.outputs = L, list(inputs), list(outputs)
        self.vertices = cg.intermediates(L, inputs=inputs, outputs=outputs)
        self.columns, self.rows, self.least, self.cells, self.fixed = {}, 0, [], [], {}
        self.reach = nx.transitive_closure_dag(nx.DiGraph(L.edges))
        self._order()
        self._products()
        self._cuts()

    def column(self, *name):
        """Return the number of a variable."""
        return self.columns.setdefault(name, len(self.columns))

    def at_least(self, bound, terms):
        """Add the condition that a sum of (factor, variable) is at least `bound`; a variable of None is the constant 1."""
        for factor, variable in terms:
            if variable is None:
                bound -= factor
            else:
                self.cells.append((self.rows, variable, factor))
        self.least.append(bound)
        self.rows += 1

    def before(self, u, v):
        """Return p(u, v) as terms: one variable for each pair, whichever comes first."""
        if v not in self.number:
            return [(1, None)]
        if self.number[u] < self.number[v]:
            return [(1, self.column("p", u, v))]
        return [(1, None), (-1, self.column("p", v, u))]

    def _order(self):
        """Of every three vertices, none of the two ways round is a circle."""
        self.number = {v: n for n, v in enumerate(self.vertices)}
        for a, u in enumerate(self.vertices):
            for b in range(a + 1, len(self.vertices)):
                self.column("p", u, self.vertices[b])
                for w in self.vertices[b + 1 :]:
                    for circle in ((u, self.vertices[b], w), (u, w, self.vertices[b])):
                        steps = zip(circle, (*circle[1:], circle[0]), strict=True)
                        self.at_least(1, [term for i, j in steps for term in self.before(j, i)])

    def _products(self):
        for i, k in self.L.edges:
            self.fixed[self.column("f", i, k)] = 1
        for v in self.vertices:
            for i in self.reach.pred[v]:
                for k in self.reach.succ[v]:
                    product = self.column("y", i, v, k)
                    first, second, filled = (self.column("f", *edge) for edge in ((i, v), (v, k), (i, k)))
                    order = [(-factor, which) for end in (i, k) for factor, which in self.before(v, end)]
                    self.at_least(-3, [(1, product), (-1, first), (-1, second), *order])
                    self.at_least(0, [(1, filled), (-1, product)])

    def _cuts(self):
        """Whenever v is eliminated it costs c(v) at least, and c(v|u) after u."""
        alone = {v: self._menger(self.L, v) for v in self.vertices}
        for v in self.vertices:
            costs = [(1, self.column("y", i, v, k)) for i in self.reach.pred[v] for k in self.reach.succ[v]]
            self.at_least(alone[v], costs)
            for u in {*self.L.pred[v], *self.L.succ[v]}.intersection(self.vertices):
                more = self._menger(self._without(u), v) - alone[v]
                if more > 0:
                    self.at_least(alone[v], [*costs, *((-more * factor, which) for factor, which in self.before(u, v))])

    def _without(self, u):
        """Return the graph after the elimination of `u`."""
        L = nx.DiGraph(self.L.edges)
        L.add_edges_from([(i, k) for i in L.pred[u] for k in L.succ[u]])
        L.remove_node(u)
        return L

    def _menger(self, L, v):
        """Return how many paths lead to `v` from the inputs and share no node, times those to the outputs."""
        return _disjoint(L.reverse(), v, self.inputs) * _disjoint(L, v, self.outputs)

    def solve(self, seconds=math.inf):
        """Return what no order undercuts, and what the best order found costs (infinity if none is), within a time."""
        objective = np.zeros(len(self.columns))
        objective[[n for name, n in self.columns.items() if name[0] == "y"]] = 1
        lower = np.zeros(len(self.columns))
        lower[list(self.fixed)] = 1
        rows, columns, factors = np.array(self.cells).T
        A = coo_array((factors, (rows, columns)), shape=(self.rows, len(self.columns))).tocsr()
        found = milp(
            objective,
            constraints=LinearConstraint(A, lb=self.least),
            bounds=Bounds(lower, 1),
            integrality=np.ones(len(self.columns)),
            options={"time_limit": seconds, "mip_rel_gap": 0},
        )
        proven = 0 if found.mip_dual_bound is None else math.ceil(found.mip_dual_bound - 1e-6)
        return proven, math.inf if found.x is None else round(found.fun)


def _disjoint(L, v, ends):
    """Return the greatest number of paths from `v` to `ends` that share no node but `v`."""
    split = nx.DiGraph()
    for node in L:
        split.add_edge((node, "in"), (node, "out"), capacity=1)
    split.add_edges_from([((i, "out"), (j, "in")) for i, j in L.edges], capacity=1)
    split.add_edges_from([((end, "out"), "end") for end in ends if end in L], capacity=1)
    return nx.maximum_flow_value(split, (v, "out"), "end") if split.has_node("end") else 0
