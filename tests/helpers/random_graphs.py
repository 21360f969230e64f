"""Random graphs for hypothesis: of equations, of derivatives, with an order of elimination."""

from fractions import Fraction

import networkx as nx
from hypothesis import strategies as st

import cgraph as cg

UNARY = ["sin", "cos", "tanh", "sigmoid", "atan", "square", "softplus", "exp", "asinh"]


@st.composite
def equation_graphs(draw):
    """Several inputs, shared subexpressions, repeated operands, equations of one to three operations."""
    names = [f"x{k}" for k in range(draw(st.integers(1, 3)))]
    values = {name: draw(st.floats(-1.5, 1.5)) for name in names}
    equations = []
    for k in range(draw(st.integers(1, 7))):
        a, b, c = (draw(st.sampled_from(names)) for _ in range(3))
        f = draw(st.sampled_from(UNARY))
        forms = [f"{f}({a})", f"{a}*{b}", f"{a} - {b}", f"{f}({a}) + {b}*{c}", f"({a} + 2*{b})/(3 + {c}^2)"]
        # tanh keeps the values of deep graphs near 1
        equations.append(f"v{k} = tanh({draw(st.sampled_from(forms))})")
        names.append(f"v{k}")
    return cg.from_equations("; ".join(equations), **values)


@st.composite
def weighted_dags(draw, numbers):
    n = draw(st.integers(2, 8))
    pairs = draw(st.sets(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).filter(lambda e: e[0] < e[1])))
    names = draw(st.permutations(range(n)))
    G = nx.DiGraph()
    G.add_nodes_from(range(n))
    for i, j in sorted(pairs):
        G.add_edge(names[i], names[j], derivative=draw(numbers))
    return G


@st.composite
def linearized_graphs(draw):
    """An acyclic graph with Fractions on its edges, any nodes of it as inputs and outputs, and an order."""
    n = draw(st.integers(2, 8))
    pairs = [(i, j) for j in range(n) for i in range(j)]
    edges = draw(st.lists(st.sampled_from(pairs), unique=True))
    L = nx.DiGraph()
    L.add_nodes_from(range(n))
    for i, j in edges:
        unit = draw(st.booleans())
        z = draw(st.sampled_from([1, -1])) if unit else draw(st.fractions(-3, 3, max_denominator=5))
        L.add_edge(i, j, derivative=Fraction(z), unit=unit)
    nodes = st.lists(st.integers(0, n - 1), min_size=1, unique=True)
    ends = {"inputs": draw(nodes), "outputs": draw(nodes)}
    return L, ends, draw(st.permutations(cg.intermediates(L, **ends)))
