"""The sections of a spec about uncertainty: readings, uncertainty, correlation, units."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cgraph.model.errors import UncertaintyError, nearest
from cgraph.model.graph import ComputationalGraph
from cgraph.model.quantities import Quantity, from_readings, read_correlation, read_quantity
from cgraph.specs.documents import Path

__all__ = ["UNCERTAINTY_KEYS", "add_uncertainty", "plain_uncertainty", "read_means"]

UNCERTAINTY_KEYS = ("readings", "uncertainty", "correlation", "units")
Report = Callable[..., None]


def read_means(readings: Mapping[str, Any], report: Report) -> dict[str, float]:
    """Return the mean of each list of readings, the value of an input; report lists that are none."""
    means: dict[str, float] = {}
    for name, values in readings.items():
        try:
            means[name] = from_readings({name: values}).values[name]
        except UncertaintyError as error:
            report(("readings", name), str(error), f"write {name}: [1.2, 1.3, 1.1]")
    return means


def add_uncertainty(G: ComputationalGraph, sections: Mapping[str, Mapping[str, Any]], report: Report) -> None:
    """Put what the sections say on ``G.graph``; report what is no uncertainty, correlation or unit."""
    found = from_readings({i: values for i, values in sections["readings"].items() if i in G and "role" in G.nodes[i]})
    uncertainty: dict[str, Any] = dict(found.uncertainty)
    correlation: dict[Any, Any] = dict(found.correlation)
    quantities = {i: read_quantity(i, u, None) for i, u in uncertainty.items()}
    for name, given in sections["uncertainty"].items():
        quantity = _quantity(G, name, given, ("uncertainty", name), report)
        if quantity is not None and name in quantities:
            report(("uncertainty", name), f"the uncertainty of {name!r} follows from its readings", at_key=True)
        elif quantity is not None:
            quantities[name], uncertainty[name] = quantity, given
    try:
        stated, known = read_correlation(sections["correlation"], quantities)
        uncertainty |= {i: quantity.standard for i, quantity in known.items() if i not in quantities}
        correlation |= stated.pairs
        read_correlation(correlation, known)
    except UncertaintyError as error:
        report(("correlation",), str(error), at_key=True)
    if uncertainty:
        G.graph["uncertainty"] = {"uncertainty": uncertainty, "correlation": correlation}
    for name, unit in sections["units"].items():
        if _is_known(G, name, ("units", name), report) and not isinstance(unit, str):
            report(("units", name), f"the unit of {name!r} must be text, as in mV, not {unit!r}")
    if sections["units"]:
        G.graph["units"] = dict(sections["units"])


def _is_known(G: ComputationalGraph, name: str, path: Path, report: Report) -> bool:
    if name in G:
        return True
    hint = nearest(name, map(str, G))
    report(path, f"node {name!r} is not defined", f"did you mean {hint!r}?" if hint else "", at_key=True)
    return False


def _quantity(G: ComputationalGraph, name: str, given: Any, path: Path, report: Report) -> Quantity | None:
    if not _is_known(G, name, path, report):
        return None
    if G.pred[name]:
        message = f"node {name!r} is computed; uncertainties belong to inputs, weights and constants"
        report(path, message, at_key=True)
        return None
    try:
        return read_quantity(name, given, G.nodes[name].get("value"))
    except UncertaintyError as error:
        report(path, str(error))
        return None


def plain_uncertainty(G: ComputationalGraph) -> dict[str, Any]:
    """Return the sections that say what stands on ``G.graph``, of the nodes that `G` has."""
    stated = G.graph.get("uncertainty", {})
    sections = {
        "uncertainty": {i: u for i, u in stated.get("uncertainty", {}).items() if i in G},
        "correlation": {f"{i} ~ {j}": r for (i, j), r in stated.get("correlation", {}).items() if i in G and j in G},
        "units": {i: unit for i, unit in G.graph.get("units", {}).items() if i in G},
    }
    return {key: content for key, content in sections.items() if content}
