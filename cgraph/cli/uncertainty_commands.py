"""The commands for uncertainty: budgets, and screening of inputs."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import cgraph as cg
from cgraph.cli.graph_source import UsageError, graph_of, linearized, only_output, usage, written
from cgraph.cli.output import name_cell, print_result
from cgraph.reports.latex import latex_name
from cgraph.reports.tables import Formula, Table, show_number

__all__ = ["budget", "screen"]

DONE = 0
PATHS = 10  # that are listed unless --top says how many


def budget(arguments: argparse.Namespace) -> int:
    """Print the uncertainty of results, split by input, group, node, edge or path."""
    L = linearized(arguments)
    targets = arguments.t or L.outputs
    groups = _groups(arguments.group)
    if arguments.by == "group" and not groups:
        raise UsageError("--by group needs groups; name them with --group NAME=NODE,NODE")
    found: cg.UncertaintyBudget = usage(
        cg.uncertainty_budget, L, targets, groups=groups, order=arguments.order, samples=arguments.samples,
        seed=arguments.seed,
    )  # fmt: skip
    records: list[dict[str, Any]] = []
    tables: list[Table] = []
    for t in targets:
        rows = _ROWS[arguments.by](found, t, arguments.top)
        records += [{"to": t, **row} for row in rows]
        tables.append(_table(rows, arguments.by, _title(found, t, arguments.probability)))
    if arguments.chart is not None:
        if len(targets) != 1:
            raise UsageError("a chart shows the budget of one result; name it with --to")
        written(arguments.chart, cg.budget_chart, found, targets[0], arguments.chart)
    print_result(arguments, {"budgets": [_data(found, t, arguments, records) for t in targets]}, records, tables)
    return DONE


def _groups(given: list[str]) -> dict[str, list[str]]:
    groups = {}
    for text in given:
        name, _, nodes = text.partition("=")
        if not name or not nodes:
            raise UsageError(f"{text!r} is no group; write --group NAME=NODE,NODE")
        groups[name.strip()] = [node.strip() for node in nodes.split(",")]
    return groups


def _by_input(b: cg.UncertaintyBudget, t: str, _: int | None) -> list[dict[str, Any]]:
    components = b.components[t]
    return [
        {"input": _shown(i), "component": components.get(i), "share": _share(part, b, t)}
        for i, part in b.shares[t].items()
    ]


def _by_path(b: cg.UncertaintyBudget, t: str, top: int | None) -> list[dict[str, Any]]:
    return [{"path": list(path), "component": c} for path, c in b.by_path(t, top or PATHS)]


def _parts(key: str) -> Callable[[cg.UncertaintyBudget, str, int | None], list[dict[str, Any]]]:
    def rows(b: cg.UncertaintyBudget, t: str, _: int | None) -> list[dict[str, Any]]:
        parts = getattr(b, f"by_{key}")(t)
        return [{key: _shown(i, key), "variance": part, "share": _share(part, b, t)} for i, part in parts.items()]

    return rows


_ROWS: dict[str, Callable[[cg.UncertaintyBudget, str, int | None], list[dict[str, Any]]]] = {
    "input": _by_input,
    "group": _parts("group"),
    "node": _parts("node"),
    "edge": _parts("edge"),
    "path": _by_path,
}


def _share(part: float, b: cg.UncertaintyBudget, t: str) -> float:
    return part / b.standard[t] ** 2 if b.standard[t] else 0.0


def _shown(name: Any, key: str = "") -> str:
    """Return the name of a node, of an edge, or of a correlated pair."""
    return (" -> " if key == "edge" else " ~ ").join(name) if isinstance(name, tuple) else str(name)


def _table(rows: list[dict[str, Any]], by: str, title: str) -> Table:
    cells = []
    for row in rows:
        name = row[by]
        if by == "path":
            first: Any = Formula(" -> ".join(name), r" \to ".join(map(latex_name, name)))
        else:
            first = name_cell(name)
        rest = [f"{100 * value:.3g}%" if key == "share" else value for key, value in row.items() if key != by]
        cells.append([first, *rest])
    return Table(list(rows[0]) if rows else (), cells, title)


def _title(b: cg.UncertaintyBudget, t: str, p: float) -> str:
    """Return the result, its degrees of freedom, and its expanded uncertainty."""
    shown = b.show(t) if t in b.value else f"u = {show_number(b.standard[t])}"
    half_width, factor = b.expanded(p)[t]
    dof = "" if b.dof[t] == float("inf") else f"; {int(b.dof[t] + 1e-9)} effective degrees of freedom"
    if dof and not b.dof_is_sound[t]:
        dof += " (not sound: correlated inputs differ in theirs)"
    lines = [f"{t} = {shown}; U = {half_width:.3g} with k = {factor:.3g} for {100 * p:g}%{dof}"]
    if t in b.second_order:
        lines.append(f"terms of second order add {b.second_order[t]:.3g} to the variance")
    if b.monte_carlo is not None:
        lines.append(_random_points(b, b.monte_carlo, t, p))
    return "; ".join(lines)


def _random_points(b: cg.UncertaintyBudget, found: cg.MonteCarlo, t: str, p: float) -> str:
    low, high = found.interval(p)[t]
    text = (
        f"{found.samples:,} random points: u = {found.standard[t]:.3g}, {100 * p:g}% between {low:.10g} and {high:.10g}"
    )
    if t in b.value and b.dof[t] == float("inf"):
        agrees = found.agrees(t, b.value[t], b.standard[t], p=p)
        text += "; first order agrees" if agrees else "; the interval of first order differs"
    return text


def _data(
    b: cg.UncertaintyBudget, t: str, arguments: argparse.Namespace, records: list[dict[str, Any]]
) -> dict[str, Any]:
    half_width, factor = b.expanded(arguments.probability)[t]
    data = {
        "to": t, "value": b.value.get(t), "standard": b.standard[t], "half_width": half_width, "factor": factor,
        "dof": b.dof[t], "by": arguments.by,
        "rows": [{key: value for key, value in row.items() if key != "to"} for row in records if row["to"] == t],
    }  # fmt: skip
    if b.monte_carlo is not None:
        data["monte_carlo"] = {
            "samples": b.monte_carlo.samples, "standard": b.monte_carlo.standard[t],
            "interval": list(b.monte_carlo.interval(arguments.probability)[t]), "stable": b.monte_carlo.stable,
        }  # fmt: skip
    return data


def screen(arguments: argparse.Namespace) -> int:
    """Rank inputs by the derivatives of a result at many points."""
    G = graph_of(arguments)
    t = arguments.t or only_output(G, "the result with --to")
    found = usage(cg.screen, G, t, dict(arguments.range), samples=arguments.samples, seed=arguments.seed)
    ranked = sorted(found.dgsm, key=lambda i: -found.morris_size[i])
    records = [
        {
            "input": i, "dgsm": found.dgsm[i], "total_bound": found.total_bound[i], "morris_mean": found.morris_mean[i],
            "morris_size": found.morris_size[i], "morris_deviation": found.morris_deviation[i],
        }
        for i in ranked
    ]  # fmt: skip
    title = f"{t} at {found.samples:,} points: mean {show_number(found.mean)}, variance {show_number(found.variance)}"
    heads = ["input", f"mean (d{t}/di)^2", "total index at most", "mean effect", "mean |effect|", "deviation"]
    rows = [[name_cell(str(r["input"])), *list(r.values())[1:]] for r in records]
    print_result(
        arguments, {"to": t, "samples": found.samples, "inputs": records}, records, [Table(heads, rows, title)]
    )
    return DONE
