"""Networks gathered into layers: the same numbers, entry by entry."""

import numpy as np
import pytest
from hypothesis import given, settings
from networks import networks
from test_scalarize import assert_same_entries, names_of
from test_transforms import structure

import cgraph as cg


def places_of(G, H):
    """Return where each node of `G` is in `H`: a node, and the place of the entry."""
    places = {i: (i, 0) for i in G if i in H and H.nodes[i]["origin"] == i}
    for name, origin in H.nodes(data="origin"):
        if isinstance(origin, list):
            places |= {i: (name, place) for place, i in enumerate(origin)}
    return places


def entry(S, r, c):
    return np.atleast_2d(S)[r, c]


def assert_gathered(G):
    """Every value, every S and every dJ/dw of `G` are entries of those of its layers."""
    H = cg.layerwise(G)
    L, M = cg.linearize(G), cg.linearize(H)
    places = places_of(G, H)
    assert set(G) - places.keys() <= {"+1"}
    for i, (name, place) in places.items():
        assert np.ravel(M.nodes[name]["value"])[place] == pytest.approx(L.nodes[i]["value"], rel=1e-10, abs=1e-12)
    for t in places:
        S, (u, r) = cg.sensitivities(L, t), places[t]
        T = cg.sensitivities(M, u)
        for i, (name, c) in places.items():
            assert entry(T[name], r, c) == pytest.approx(S[i], rel=1e-9, abs=1e-11), (i, t)
    return H


@settings(max_examples=100, deadline=None)
@given(networks())
def test_values_and_sensitivities_are_entries(G):
    assert_gathered(G)
