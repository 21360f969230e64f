"""The commands that split a sensitivity: by edges, and into direct and indirect effects."""

from __future__ import annotations

import argparse
from typing import Any

import cgraph as cg
from cgraph.algorithms.elasticities import relative
from cgraph.cli.graph_source import chosen_pairs, linearized, read_data, usage
from cgraph.cli.output import counted, print_result, records_table, sensitivity_title, sorted_records
from cgraph.model.linearized import nodes_between

__all__ = ["edges", "effects"]

DONE = 0


def edges(arguments: argparse.Namespace) -> int:
    """Print S(s,i) z(i,j) S(j,t) for every edge (i, j) between each pair of ends."""
    L = linearized(arguments)
    records, tables = [], []
    for s, t in chosen_pairs(L, arguments):
        flows = usage(cg.edge_sensitivities, L, s, t)
        between = set(nodes_between(L, s, t))
        found: list[dict[str, Any]] = [
            {"source": s, "target": t, "from": i, "to": j, "flow": flow}
            | ({"elasticity": relative(L, s, t, flow)} if arguments.relative else {})
            for (i, j), flow in flows.items()
            if {i, j} <= between
        ]
        shown = sorted_records(found, "flow", arguments)
        records += shown
        what = f", which flows through {counted(len(found), 'edge')}" if found else ", for there is no path"
        what += f"; the {counted(len(shown), 'strongest').removesuffix('s')}:" if len(shown) < len(found) else ""
        rows = [{key: value for key, value in r.items() if key not in {"source", "target"}} for r in shown]
        tables.append(records_table(rows, sensitivity_title(s, t, usage(cg.sensitivity, L, s, t), what)))
    print_result(arguments, {"edges": records}, records, tables)
    return DONE


def effects(arguments: argparse.Namespace) -> int:
    """Print the direct, the indirect and the total effect of each pair of ends."""
    L = linearized(arguments)
    if arguments.covariance is not None:
        return _estimated_effects(L, arguments)
    records = []
    for s, t in chosen_pairs(L, arguments):
        found = usage(cg.effects, L, s, t)
        record: dict[str, Any] = {"from": s, "to": t} | found._asdict()
        if arguments.relative:
            record["elasticity"] = relative(L, s, t, found.total)
        records.append(record)
    print_result(arguments, {"effects": records}, records, [records_table(records)])
    return DONE


def _estimated_effects(L: cg.ComputationalGraph, arguments: argparse.Namespace) -> int:
    """Print the effects, and those along single paths, with standard errors."""
    covariance = read_data(arguments.covariance)
    records: list[dict[str, Any]] = []
    for s, t in chosen_pairs(L, arguments):
        found = usage(cg.effects, L, s, t, covariance=covariance)
        named = found._asdict() | {
            " -> ".join(row.path): row for row in cg.path_effects(L, s, t, covariance=covariance)
        }
        for name, estimate in named.items():
            low, high = estimate.interval()
            records.append(
                {"from": s, "to": t, "effect": name, "estimate": estimate.value,
                 "standard_error": estimate.standard_error, "z": estimate.z, "p": estimate.p, "low": low, "high": high}
            )  # fmt: skip
    title = "low and high are the ends of the 95% interval"
    print_result(arguments, {"effects": records}, records, [records_table(records, title)])
    return DONE
