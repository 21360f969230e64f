"""A graph of arrays beside the graph of its entries."""

import numpy as np

import cgraph as cg


def names_of(i, value):
    """Return the names of the entries of node i, by rows."""
    if np.ndim(value) == 0:
        return [i]
    return [f"{i}[{','.join(map(str, entry))}]" for entry in np.ndindex(np.shape(value))]


def assert_same_entries(G, H=None):
    """Every value, every S and every gradient of `G` are those of the graph of its entries."""
    H = cg.scalarize(G) if H is None else H
    L, M = cg.linearize(G), cg.linearize(H)
    assert all(isinstance(data["value"], float) for _, data in M.nodes(data=True))
    names = {i: names_of(i, value) for i, value in L.nodes(data="value")}
    for i, value in L.nodes(data="value"):
        found = [M.nodes[name]["value"] for name in names[i]]
        np.testing.assert_allclose(found, np.ravel(value), rtol=1e-9, atol=1e-12)
    for t in L:
        S = cg.sensitivities(L, t)
        for r, name in enumerate(names[t]):
            of_entry = cg.sensitivities(M, name)
            for i in L:
                row = np.atleast_2d(S[i])[r]
                np.testing.assert_allclose(
                    [of_entry[c] for c in names[i]], row, rtol=1e-7, atol=1e-9, err_msg=f"S({i}, {t})"
                )
    return H
