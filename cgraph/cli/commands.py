"""One function for each command: from the parsed command line to what is printed and the exit status."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Sequence
from importlib.resources import files
from itertools import product
from typing import Any

import cgraph as cg
from cgraph.cli.completion import completion_script
from cgraph.model.errors import show_count
from cgraph.model.graph import topological_order
from cgraph.reports.latex import latex_expression, latex_name
from cgraph.reports.tables import Formula, Table, show_number, to_csv, to_latex, to_markdown, to_text

__all__ = ["UsageError", "check", "completion", "eval", "paths", "schema", "sensitivity", "show"]

VERSION = 1  # of the JSON that is printed
DONE, FAILED = 0, 1


class UsageError(Exception):
    """The command line is wrong in a way that argparse cannot see."""


def show(arguments: argparse.Namespace) -> int:
    """List the nodes in the order of evaluation, and the edges."""
    G = _graph(arguments)
    nodes = [
        {"node": i, "role": d.get("role", ""), "equation": d.get("equation"), "value": d.get("value")}
        for i, d in ((i, G.nodes[i]) for i in topological_order(G))
    ]
    edges = [{"from": i, "to": j, "derivative": d.get("derivative")} for i, j, d in G.edges(data=True)]
    title = G.graph.get("title", "")
    summary = f"{len(G)} nodes in the order of evaluation; outputs: {', '.join(G.outputs)}"
    tables = [
        Table(
            ("node", "role", "equation", "value"),
            [(_name(n["node"]), n["role"], _equation(G, n["node"]), n["value"]) for n in nodes],
            f"{title}: {summary}" if title else summary,
        ),
        _records_table(edges, f"{len(edges)} edges"),
    ]
    _print(arguments.format, {"title": title, "nodes": nodes, "edges": edges}, nodes, tables)
    return DONE


def eval(arguments: argparse.Namespace) -> int:  # noqa: A001 - the word of the command line
    """Print the value of every node."""
    values = [{"node": i, "value": y} for i, y in _usage(cg.evaluate, _graph(arguments), dict(arguments.at)).items()]
    _print(arguments.format, {"values": values}, values, [_records_table(values)])
    return DONE


def sensitivity(arguments: argparse.Namespace) -> int:
    """Print S(s,t) for one pair, for all pairs that end or begin at a node, or for all inputs and outputs."""
    L, s, t = _linearized(arguments), arguments.s, arguments.t
    if s is not None and t is not None:
        pairs = {(s, t): _usage(cg.sensitivity, L, s, t)}
    elif t is not None:
        pairs = {(i, t): S for i, S in _usage(cg.sensitivities, L, t).items()}
    elif s is not None:
        pairs = {(s, i): S for i, S in _usage(cg.sensitivities_from, L, s).items()}
    else:
        ends = L.inputs + L.weights, L.outputs
        rows = cg.jacobian(L, *ends).T.ravel().tolist()
        pairs = dict(zip(product(*ends), rows, strict=True))
    records = [{"from": i, "to": j, "sensitivity": S} for (i, j), S in pairs.items()]
    titles = [
        Formula(f"S({i}, {j}) = {show_number(S)}", f"{_S(i, j)} = {show_number(S)}") for (i, j), S in pairs.items()
    ]
    tables = [Table((), [], titles[0])] if len(pairs) == 1 else [_records_table(records)]
    _print(arguments.format, {"sensitivities": records}, records, tables)
    return DONE


def paths(arguments: argparse.Namespace) -> int:
    """Print the paths of each pair of ends, their products, and the sum."""
    L = _linearized(arguments)
    sources = [arguments.s] if arguments.s is not None else L.inputs + L.weights
    targets = [arguments.t] if arguments.t is not None else L.outputs
    pairs, tables = [], []
    for s, t in product(sources, targets):
        S, count = _usage(cg.sensitivity, L, s, t), cg.count_paths(L, s, t)
        found = list(cg.paths(L, s, t)) if arguments.top is None else cg.top_paths(L, s, t, arguments.top)
        pairs.append(
            {"from": s, "to": t, "sensitivity": S, "count": count,
             "paths": [{"path": list(path), "product": z} for path, z in found]}
        )  # fmt: skip
        what = f"the sum over {show_count(count)} path{'s' * (count != 1)}" if count else "for there is no path"
        what += f"; the {f'{len(found)} ' * (len(found) > 1)}strongest:" if len(found) < count else ""
        rows = [(z, Formula(" -> ".join(path), r" \to ".join(map(latex_name, path)))) for path, z in found]
        title = Formula(f"S({s}, {t}) = {show_number(S)}, {what}", rf"{_S(s, t)} = {show_number(S)} \text{{, {what}}}")
        tables.append(Table(("product", "path") if rows else (), rows, title))
    records = [{"from": p["from"], "to": p["to"], **path} for p in pairs for path in p["paths"]]
    _print(arguments.format, {"pairs": pairs}, records, tables)
    return DONE


def check(arguments: argparse.Namespace) -> int:
    """Compare every derivative with its numerical value; fail if one differs."""
    report = _usage(cg.check_derivatives, _graph(arguments), dict(arguments.at))
    records = [
        {"what": c.kind, "from": c.tail, "to": c.head, "derivative": c.derivative, "numerical": c.numerical,
         "error": c.error, "method": c.method, "verdict": _verdict(c)}
        for c in report.checks
    ]  # fmt: skip
    bad, unchecked = len(report.failures), sum(c.method == "none" for c in report.checks)
    title = f"{bad} of {len(records)} derivatives differ" if bad else f"{len(records) - unchecked} derivatives agree"
    title += f", {unchecked} could not be checked" if unchecked else ""
    _print(arguments.format, {"ok": report.ok, "checks": records}, records, [_records_table(records, title)])
    return FAILED if bad else DONE


def schema(arguments: argparse.Namespace) -> int:  # noqa: ARG001 - every command takes them
    """Print the JSON Schema of a spec."""
    print(files("cgraph.specs").joinpath("schema.json").read_text(encoding="utf-8").rstrip())
    return DONE


def completion(arguments: argparse.Namespace) -> int:
    """Print the completion script of a shell."""
    print(completion_script(arguments.shell))
    return DONE


def _graph(arguments: argparse.Namespace) -> cg.ComputationalGraph:
    if (arguments.spec is None) == (arguments.equations is None):
        raise UsageError("give a SPEC, or equations with -e, one of the two")
    if arguments.equations is not None:
        return cg.from_equations(arguments.equations, **dict(arguments.at))
    try:
        return cg.read_spec(sys.stdin if arguments.spec == "-" else arguments.spec)
    except OSError as error:
        raise UsageError(f"cannot read {arguments.spec!r}: {error.strerror or error}") from None


def _linearized(arguments: argparse.Namespace) -> cg.ComputationalGraph:
    L: cg.ComputationalGraph = _usage(cg.linearize, _graph(arguments), dict(arguments.at))
    return L


def _usage(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call `function`; a node that it does not know, or cannot set, was named on the command line."""
    try:
        return function(*arguments)
    except (cg.NodeNotFound, cg.InvalidNodeError) as error:
        raise UsageError(str(error)) from error


def _print(
    format: str,  # noqa: A002 - the word of the command line
    data: dict[str, Any],
    records: Sequence[dict[str, Any]],
    tables: Sequence[Table],
) -> None:
    if format == "json":
        print(json.dumps({"cgraph": VERSION, **_finite(data)}, indent=2, ensure_ascii=False))
    elif format == "csv":
        print(to_csv(records))
    else:
        render = {"text": to_text, "markdown": to_markdown, "latex": to_latex}[format]
        print("\n\n".join(render(table) for table in tables))


def _records_table(records: Sequence[dict[str, Any]], title: str = "") -> Table:
    """Return the table with a column for each key, its nodes set as names; empty columns are left out."""
    keys = [key for key in (records[0] if records else []) if any(r[key] is not None for r in records)]
    rows = [[_name(r[key]) if key in {"node", "from", "to"} else r[key] for key in keys] for r in records]
    return Table(keys, rows, title)


def _name(i: str) -> Formula:
    return Formula(i, latex_name(i))


def _S(s: str, t: str) -> str:  # noqa: N802 - S is the mathematics
    return f"S({latex_name(s)}, {latex_name(t)})"


def _equation(G: cg.ComputationalGraph, i: str) -> Formula | None:
    data = G.nodes[i]
    return Formula(data["equation"], latex_expression(data["expression"])) if "equation" in data else None


def _verdict(check: cg.Check) -> str:
    return "not checked" if check.method == "none" else "ok" if check.ok else "DIFFERS"


def _finite(data: Any) -> Any:
    """Return `data` with NaN, which JSON does not have, as None."""
    if isinstance(data, dict):
        return {key: _finite(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_finite(value) for value in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data
