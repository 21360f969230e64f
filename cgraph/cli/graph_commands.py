"""One function for each command: from the parsed command line to what is printed and the exit status."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Sequence
from itertools import accumulate, product
from pathlib import Path
from typing import Any

import numpy as np

import cgraph as cg
from cgraph.algorithms.elasticities import relative
from cgraph.cli.graph_source import UsageError, chosen_pairs, graph_of, linearized, usage, written
from cgraph.cli.output import counted, name_cell, print_result, records_table, sensitivity_title, sorted_records
from cgraph.model.evaluation import source_values
from cgraph.model.graph import topological_order
from cgraph.model.linearized import size_of
from cgraph.reports.latex import latex_name
from cgraph.reports.tables import Formula, Table, show_number

__all__ = ["check", "eval", "paths", "sensitivity", "show"]

DONE, FAILED = 0, 1
NO_PATH = ", for there is no path"


def show(arguments: argparse.Namespace) -> int:
    """List the nodes in the order of evaluation, and the edges."""
    G = graph_of(arguments)
    values = usage(source_values, G, dict(arguments.at))
    shapes = _shapes(G, dict(arguments.at), values)
    nodes = [
        {
            "node": i,
            "role": d.get("role", ""),
            "equation": getattr(_equation(G, i), "text", None),
            "value": values.get(i),
            **({"shape": shapes[i]} if shapes else {}),
        }
        for i, d in ((i, G.nodes[i]) for i in topological_order(G))
    ]
    edges = [{"from": i, "to": j, "derivative": d.get("derivative")} for i, j, d in G.edges(data=True)]
    title = G.graph.get("title", "")
    summary = f"{counted(len(G), 'node')} in the order of evaluation; outputs: {', '.join(G.outputs) or 'none'}"
    tables = [
        Table(
            ("node", "role", "equation", "value", "shape")[: 5 if shapes else 4],
            [
                (name_cell(n["node"]), n["role"], _equation(G, n["node"]), n["value"], *_sizes(n.get("shape")))
                for n in nodes
            ],
            f"{title}: {summary}" if title else summary,
        ),
        records_table(edges, counted(len(edges), "edge")),
    ]
    print_result(arguments, {"title": title, "nodes": nodes, "edges": edges}, nodes, tables)
    return DONE


def eval(arguments: argparse.Namespace) -> int:
    """Print the value of every node."""
    G = graph_of(arguments)
    values = [{"node": i, "value": y} for i, y in usage(cg.evaluate, G, dict(arguments.at)).items()]
    if G and not values:
        print("cgraph: no node has a value: the graph gives derivatives only", file=sys.stderr)
    print_result(arguments, {"values": values}, values, [records_table(values)])
    return DONE


def sensitivity(arguments: argparse.Namespace) -> int:
    """Print S(s,t) for the pairs that are named, for all that end or begin at a node, or for inputs and outputs."""
    if arguments.spec is not None and Path(arguments.spec).is_dir():
        from cgraph.cli.stored_commands import stored_sensitivity

        return stored_sensitivity(arguments)
    if arguments.workers or arguments.cluster:
        raise UsageError("--workers and --cluster are for a stored graph, a folder in place of the SPEC")
    L = linearized(arguments)
    if arguments.chart is not None:
        if arguments.s or len(arguments.t or ()) != 1:
            raise UsageError("a chart shows the sensitivities of one node to all inputs; give --to, and no --from")
        written(arguments.chart, cg.tornado_chart, L, arguments.t[0], arguments.chart)
    pairs = _sensitivities(L, arguments)
    if arguments.verbose and len(arguments.s or ()) == len(arguments.t or ()) == 1:
        print(f"cgraph: {_direction(L, arguments.s[0], arguments.t[0])}", file=sys.stderr)
    records: list[dict[str, Any]] = [
        {"from": s, "to": t, "sensitivity": S} | ({"elasticity": relative(L, s, t, S)} if arguments.relative else {})
        for (s, t), S in pairs.items()
    ]
    if arguments.layout == "denominator":
        records = [{key: np.transpose(S) if isinstance(S, np.ndarray) else S for key, S in r.items()} for r in records]
    records = sorted_records(records, "sensitivity", arguments)
    table = Table((), [], _pair_title(L, records[0])) if len(pairs) == 1 else records_table(records)
    print_result(arguments, {"sensitivities": records}, records, [table])
    return DONE


def _sensitivities(L: cg.ComputationalGraph, arguments: argparse.Namespace) -> dict[tuple[str, str], Any]:
    sources, targets = arguments.s, arguments.t
    if sources and targets:
        return {(s, t): usage(cg.sensitivity, L, s, t) for s, t in product(sources, targets)}
    if targets:
        return {(i, t): S for t in targets for i, S in usage(cg.sensitivities, L, t).items()}
    if sources:
        return {(s, i): S for s in sources for i, S in usage(cg.sensitivities_from, L, s).items()}
    return _blocks(L, L.inputs + L.weights, L.outputs)


def _pair_title(L: cg.ComputationalGraph, record: dict[str, Any]) -> Formula:
    s, t, S = record["from"], record["to"], record["sensitivity"]
    remark = "" if np.any(S) or cg.count_paths(L, s, t) else NO_PATH
    if "elasticity" in record:
        remark += f"; elasticity {show_number(record['elasticity'])}"
    return sensitivity_title(s, t, S, remark)


def _blocks(L: cg.ComputationalGraph, sources: list[str], targets: list[str]) -> dict[tuple[str, str], Any]:
    """Return S(s,t) of every pair, cut out of the Jacobian of all of them."""
    sizes = {i: size_of(L, i, "derivative") for i in (*sources, *targets)}
    columns, rows = (_spans([sizes[i] or 1 for i in ends]) for ends in (sources, targets))
    S = cg.jacobian(L, sources, targets)
    blocks = zip(product(sources, targets), (S[row, column] for column, row in product(columns, rows)), strict=True)
    return {(s, t): block.item() if sizes[s] is sizes[t] is None else block for (s, t), block in blocks}


def _spans(sizes: list[int]) -> list[slice]:
    """Return the rows, or the columns, that parts of these sizes take one after the other."""
    return [slice(stop - size, stop) for size, stop in zip(sizes, accumulate(sizes), strict=True)]


def _direction(L: cg.ComputationalGraph, s: str, t: str) -> str:
    """Return which sweep finds S(s,t), and why."""
    rows, columns = (size_of(L, i, "derivative") or 1 for i in (t, s))
    carried = (
        counted(rows, "row") if (way := cg.cheaper_direction(L, s, t)) == "reverse" else counted(columns, "column")
    )
    return f"a {way} sweep of {carried}; entries of {t!r}: {rows}, of {s!r}: {columns}"


def _shapes(G: cg.ComputationalGraph, at: dict[str, Any], values: dict[str, Any]) -> dict[str, list[int]]:
    """Return the shape of every node, as far as it is known; nothing if all are numbers."""
    with contextlib.suppress(cg.CGraphError):  # a graph is shown even where it cannot be evaluated
        values = cg.evaluate(G, at)
    shapes = {
        i: list(np.shape(values[i])) if i in values else [n] if (n := size_of(G, i, "derivative")) else [] for i in G
    }
    return shapes if any(shapes.values()) else {}


def paths(arguments: argparse.Namespace) -> int:
    """Print the paths of each pair of ends, their products, and the sum."""
    L = linearized(arguments)
    ends = chosen_pairs(L, arguments)
    if arguments.chart is not None:
        if len(ends) != 1:
            raise UsageError("a chart shows the paths from one node to one other; give --from and --to")
        top = {} if arguments.top is None else {"k": arguments.top}
        written(arguments.chart, cg.path_chart, L, *ends[0], arguments.chart, log=arguments.log, **top)
    pairs, tables = [], []
    for s, t in ends:
        S, count = usage(cg.sensitivity, L, s, t), cg.count_paths(L, s, t)
        found = list(cg.paths(L, s, t)) if arguments.top is None else cg.top_paths(L, s, t, arguments.top)
        records: list[dict[str, Any]] = [
            {"path": list(path), "product": z} | ({"elasticity": relative(L, s, t, z)} if arguments.relative else {})
            for path, z in found
        ]
        pairs.append({"from": s, "to": t, "sensitivity": S, "count": count, "paths": records})
        remark = f", the sum over {counted(count, 'path')}" if count else NO_PATH
        remark += f"; the {f'{len(found)} ' * (len(found) > 1)}strongest:" if len(found) < count else ""
        columns = ["product", *(["elasticity"] if arguments.relative else [])]
        rows = [[*(r[column] for column in columns), _path_cell(r["path"])] for r in records]
        tables.append(Table([*columns, "path"] if rows else (), rows, sensitivity_title(s, t, S, remark)))
    listed = [{"from": p["from"], "to": p["to"], **path} for p in pairs for path in p["paths"]]
    print_result(arguments, {"pairs": pairs}, listed, tables)
    return DONE


def _path_cell(path: Sequence[str]) -> Formula:
    return Formula(" -> ".join(path), r" \to ".join(map(latex_name, path)))


def check(arguments: argparse.Namespace) -> int:
    """Compare every derivative with its numerical value; fail if one differs."""
    report = usage(cg.check_derivatives, graph_of(arguments), dict(arguments.at))
    records = [
        {"what": c.kind, "from": c.tail, "to": c.head, "derivative": c.derivative, "numerical": c.numerical,
         "error": c.error, "verdict": "ok" if c.ok else "DIFFERS"}
        for c in report.checks
    ]  # fmt: skip
    bad = len(report.failures)
    title = f"{bad} of {counted(len(records), 'derivative')} differ" if bad else f"all {len(records)} derivatives agree"
    print_result(arguments, {"ok": report.ok, "checks": records}, records, [records_table(records, title)])
    return FAILED if bad else DONE


def _sizes(shape: list[int] | None) -> list[str]:
    return [] if shape is None else [" x ".join(map(str, shape))]


def _equation(G: cg.ComputationalGraph, i: str) -> Formula | None:
    from cgraph.reports.derivative_formulas import typeset
    from cgraph.reports.equation_text import equation_of

    equation = equation_of(G, i)
    return typeset(equation, G.functions) if equation else None
