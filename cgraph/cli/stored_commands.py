"""`cgraph sensitivity` of a stored graph: a folder in place of a SPEC."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from itertools import product
from typing import Any

import numpy as np

import cgraph as cg
from cgraph.cli.graph_source import UsageError, usage
from cgraph.cli.output import print_result, records_table, sensitivity_title, sorted_records
from cgraph.cli.worker_processes import worker_processes
from cgraph.model.optional import optional_library
from cgraph.reports.tables import Table

__all__ = ["stored_sensitivity"]

DONE = 0
MOST_SHOWN = 1_000_000  # rows of a table


def stored_sensitivity(arguments: argparse.Namespace) -> int:
    """Print S(s,t) of a graph in a folder: for the pairs that are named, or for all nodes that end or begin at one."""
    for option in ("equations", "at", "hold", "derivative", "relative", "chart"):
        if getattr(arguments, option):
            typed = "-e" if option == "equations" else f"--{option}"
            raise UsageError(f"a stored graph holds derivatives alone: {typed} does not go with it")
    try:
        D = cg.open_graph(arguments.spec)
    except OSError as error:
        raise UsageError(f"cannot open {arguments.spec!r} as a stored graph: {error.strerror or error}") from None
    sources, targets = ([_node(D, name) for name in names or ()] for names in (arguments.s, arguments.t))
    records = sorted_records(_records(D, sources, targets, arguments), "sensitivity", arguments)
    first = records[0] if len(records) == 1 else None
    table = Table((), [], sensitivity_title(*first.values())) if first else records_table(records)
    print_result(arguments, {"sensitivities": records}, records, [table])
    return DONE


def _records(
    D: cg.StoredGraph, sources: list[Any], targets: list[Any], arguments: argparse.Namespace
) -> list[dict[str, Any]]:
    if sources and targets:
        with _executor(arguments) as executor:
            J = usage(D.jacobian, sources, targets, executor=executor)
        return [_record(s, t, J[k, i]) for (i, s), (k, t) in product(enumerate(sources), enumerate(targets))]
    if arguments.workers or arguments.cluster:
        raise UsageError("--workers and --cluster compute several pairs at once; give --from and --to")
    if len(sources) + len(targets) != 1:
        raise UsageError("of a stored graph, name one node with --from or --to, or several with both")
    S = usage(D.sensitivities, *targets) if targets else usage(D.sensitivities_from, *sources)
    chosen = np.arange(len(S))
    if arguments.top is not None and arguments.top < len(S):
        chosen = np.sort(np.argpartition(-np.abs(S), arguments.top - 1)[: arguments.top])
    if len(chosen) > MOST_SHOWN:
        raise UsageError(f"a table of {len(chosen):,} nodes is too long; --top K shows the K strongest")
    pairs = [(D.nodes[k], targets[0]) if targets else (sources[0], D.nodes[k]) for k in chosen.tolist()]
    return [_record(s, t, S_st) for (s, t), S_st in zip(pairs, S[chosen], strict=True)]


def _record(s: Any, t: Any, S: Any) -> dict[str, Any]:
    return {"from": str(s), "to": str(t), "sensitivity": float(S)}


def _node(D: cg.StoredGraph, name: str) -> Any:
    """Return the node that a word of the command line names, which may be a number."""
    return int(name) if isinstance(D.nodes, range) and name.isascii() and name.isdigit() else name


@contextmanager
def _executor(arguments: argparse.Namespace) -> Iterator[Executor | None]:
    """Yield who makes the calls, as ``--workers`` and ``--cluster`` say; None is this process."""
    if arguments.workers and arguments.cluster:
        raise UsageError("give --workers or --cluster, one of the two")
    if arguments.cluster:
        distributed = optional_library("distributed", "scale")
        try:
            client = distributed.Client(arguments.cluster, timeout="10s")
        except (OSError, ValueError) as error:
            raise UsageError(f"cannot reach the cluster {arguments.cluster!r}: {error}") from None
        with client:
            yield client.get_executor()
    elif arguments.workers:
        with worker_processes(arguments.workers) as pool:
            yield pool
    else:
        yield None
