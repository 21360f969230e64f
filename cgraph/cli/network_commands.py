"""The commands for networks: gradients, gates, transforms, descent."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Callable, Sequence
from typing import Any

import cgraph as cg
from cgraph.cli.graph_source import UsageError, graph_of, linearized, only_output, usage, written
from cgraph.cli.output import counted, name_cell, print_result, replaces_result
from cgraph.model.errors import nearest
from cgraph.model.evaluation import source_values
from cgraph.reports.latex import latex_name
from cgraph.reports.tables import Formula, Table
from cgraph.specs.formats import format_to_write
from cgraph.vocabulary import TRANSFORMS

__all__ = ["descend", "gates", "gradient", "transform"]

DONE, STOPPED = 0, 4
ROWS = 20  # of a loss curve

# The transforms that take more than the graph; the others are called by their names.
WITH_OPTIONS: dict[str, Callable[[cg.ComputationalGraph, argparse.Namespace], cg.ComputationalGraph]] = {
    "append_loss": lambda G, a: cg.append_loss(G, _needed(a.loss, "append_loss", "--loss EQUATION"), name=a.loss_name),
    "drop_zero_edges": lambda G, _: cg.drop_zero_edges(cg.linearize(G)),
    "expand": lambda G, a: cg.expand(G, share=a.share),
    "restrict": lambda G, a: cg.restrict(G, _needed(a.s, "restrict", "--from S"), _needed(a.t, "restrict", "--to T")),
}


def gradient(arguments: argparse.Namespace) -> int:
    """Print dJ/dw for every weight, with its three factors on request."""
    L = linearized(arguments)
    loss = _loss(L, arguments.loss_node)
    if not _weights(L):
        raise UsageError("the graph has no weights; `cgraph sensitivity` differentiates with respect to its inputs")
    factors = usage(cg.gradient_factors, L, loss) if arguments.factors else {}
    records, rows = [], []
    for w, g in usage(cg.weight_gradients, L, loss).items():
        on_edge = isinstance(w, tuple)
        value = L.edges[w]["weight"] if on_edge else L.nodes[w]["value"]
        record = {"weight": " -> ".join(w) if on_edge else w, "value": value, "gradient": g}
        if arguments.factors:
            record |= factors[w]._asdict() if on_edge else dict.fromkeys(cg.GradientFactors._fields)
        records.append(record)
        symbol = r" \to ".join(map(latex_name, w)) if on_edge else latex_name(w)
        rows.append((Formula(str(record["weight"]), symbol), *list(record.values())[1:]))
    heads = ["weight", "value", f"d{loss}/dw", *(f"S(j,{loss})", "gate", "y(i)")[: 3 * bool(arguments.factors)]]
    print_result(arguments, {"loss": loss, "gradients": records}, records, [Table(heads, rows)])
    return DONE


def gates(arguments: argparse.Namespace) -> int:
    """Print the gate of every neuron, and how large the sensitivities are at each depth."""
    L = linearized(arguments)
    loss = _loss(L, arguments.loss_node)
    records = [{"neuron": j, "gate": gate} for j, gate in cg.gates(L).items()]
    found = usage(cg.gradient_flow, L, loss)
    if arguments.chart is not None:
        written(arguments.chart, cg.flow_chart, found, arguments.chart)
    levels = [level._asdict() for level in found]
    flow = [(v["depth"], v["nodes"], v["mean"], v["smallest"], v["largest"], _share(v["shut"])) for v in levels]
    tables = [
        Table(
            ("neuron", "gate"), [(name_cell(r["neuron"]), r["gate"]) for r in records], counted(len(records), "gate")
        ),
        Table(
            ("edges to " + loss, "nodes", "mean |S|", "smallest", "largest", "gates shut"),
            flow,
            f"|S(i, {loss})| by the longest distance to {loss}",
        ),
    ]
    print_result(arguments, {"gates": records, "flow": levels}, records, tables)
    return DONE


def transform(arguments: argparse.Namespace) -> int:
    """Apply transforms one after the other, and write the spec of the result."""
    G = graph_of(arguments)
    if arguments.at and arguments.equations is None:
        raise UsageError("a transform writes the spec as it is; change the values there instead of with --at")
    for name in (part.strip() for part in arguments.name.split(",")):
        if name not in TRANSFORMS:
            close = nearest(name, TRANSFORMS)
            hint = f"did you mean {close!r}?" if close else f"the transforms are {', '.join(TRANSFORMS)}"
            raise UsageError(f"there is no transform {name!r}; {hint}")
        G = usage(WITH_OPTIONS[name], G, arguments) if name in WITH_OPTIONS else usage(getattr(cg, name), G)
    _write(G, arguments.output, arguments.format)
    return DONE


def descend(arguments: argparse.Namespace) -> int:
    """Train the weights by gradient descent; print the losses, and write the trained spec on request."""
    replaces = replaces_result(arguments)
    G = graph_of(arguments)
    G = usage(_with_values, G, dict(arguments.at))
    if not _weights(G):
        raise UsageError("the graph has no weights to train")
    result = usage(_descent, G, arguments)
    if arguments.output is not None:
        _write(result.graph, arguments.output, None)
    if arguments.chart is not None:
        written(arguments.chart, cg.loss_chart, result, arguments.chart)
    if not replaces:
        _print_losses(result, arguments)
    if result.stopped:
        print(f"cgraph: {result.stopped}; the weights are those before", file=sys.stderr)
    return STOPPED if result.stopped else DONE


def _print_losses(result: cg.Descent, arguments: argparse.Namespace) -> None:
    held_out: Sequence[float | None] = result.validation or [None] * len(result.history)
    records = [
        {"step": k, "loss": loss, "held_out": other}
        for k, (loss, other) in enumerate(zip(result.history, held_out, strict=True))
    ]
    data = {"losses": records, "weights": _weights(result.graph), "stopped": result.stopped}
    print_result(arguments, data, records, [_curve(records)])


def _descent(G: cg.ComputationalGraph, arguments: argparse.Namespace) -> cg.Descent:
    def progress(step: int, loss: float) -> None:
        if step % max(1, arguments.steps // 100) == 0 or step == arguments.steps:
            end = "\n" if step == arguments.steps else ""
            print(f"\rstep {step:,} of {arguments.steps:,}, loss {loss:.6g}   ", end=end, file=sys.stderr, flush=True)

    try:
        return cg.gradient_descent(
            G,
            _loss(G, arguments.loss_node),
            arguments.rate,
            arguments.steps,
            method=arguments.method,
            data=arguments.data,
            batch=arguments.batch,
            seed=arguments.seed,
            validation=arguments.validation,
            progress=progress if sys.stderr is not None and sys.stderr.isatty() else None,
        )
    except OSError as error:
        raise UsageError(f"cannot read {error.filename!r}: {error.strerror or error}") from None


def _curve(records: Sequence[dict[str, Any]]) -> Table:
    """Return a table of at most `ROWS` steps, with a bar as long as the loss."""
    step = max(1, -(-(len(records) - 1) // (ROWS - 1)))
    shown = [*records[:-1][::step], records[-1]]
    low, high = min(0.0, *(r["loss"] for r in shown)), max(r["loss"] for r in shown)
    columns = ["step", "loss"] + ["held_out"] * (records[0]["held_out"] is not None)
    rows = []
    for record in shown:
        share = (record["loss"] - low) / (high - low) if high > low else 0.0
        rows.append([*(record[column] for column in columns), "#" * round(40 * share)])
    return Table([*(column.replace("_", " ") for column in columns), ""], rows)


def _loss(G: cg.ComputationalGraph, node: str | None) -> str:
    """Return the node to be differentiated: the one asked for, or the only output."""
    if node is not None:
        if node not in G:
            raise UsageError(str(cg.NodeNotFound(node, G)))
        return node
    return only_output(G, "the loss with --of")


def _needed(value: str | None, name: str, option: str) -> str:
    if value is None:
        raise UsageError(f"{name} needs {option}")
    return value


def _share(shut: float) -> str | None:
    return None if shut != shut else f"{shut:.0%}"  # noqa: PLR0124 - NaN, where there is no gate


def _with_values(G: cg.ComputationalGraph, values: dict[str, Any]) -> cg.ComputationalGraph:
    y = source_values(G, values)
    H = G.copy()
    for name in values:
        H.nodes[name]["value"] = y[name]
    return H


def _weights(G: cg.ComputationalGraph) -> dict[str, Any]:
    edges: dict[str, Any] = {f"{i} -> {j}": d["weight"] for i, j, d in G.edges(data=True) if "weight" in d}
    return edges | {w: G.nodes[w]["value"] for w in G.weights}


def _write(G: cg.ComputationalGraph, output: str, spec_format: str | None) -> None:
    if output == "-":
        text = io.StringIO()
        cg.write_spec(G, text, format=spec_format)
        print(text.getvalue(), end="")
    else:
        usage(format_to_write, output, spec_format)
        written(output, cg.write_spec, G, output, format=spec_format)
