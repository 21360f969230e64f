"""The command `eliminate`: Jacobians by elimination, and what each order costs."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import cgraph as cg
from cgraph.cli.graph_source import UsageError, linearized, usage
from cgraph.cli.output import VERSION, counted, print_result, records_table, replaces_result, write_output
from cgraph.vocabulary import RULES

__all__ = ["eliminate"]

DONE = 0
MAX_ORDER_BYTES = 10_000_000
GROUPS = 200  # that the bound tries: a second for some 300 nodes


def eliminate(arguments: argparse.Namespace) -> int:
    """Print what the methods cost, the order that was chosen, and the Jacobian that it gives."""
    replaces = replaces_result(arguments)
    L = linearized(arguments)
    inputs, outputs = arguments.s or L.inputs + L.weights, arguments.t or L.outputs
    ends: dict[str, Any] = {"inputs": inputs, "outputs": outputs, "cost": arguments.cost}
    orders = {rule: usage(cg.elimination_order, L, method=rule, **ends) for rule in RULES}
    if arguments.order is not None:
        chosen, name = _read_order(arguments.order), f"read from {arguments.order}"
    else:
        chosen, name = _search(L, arguments, ends), arguments.method
    orders[name] = chosen
    costs = [
        {"method": method, "multiplications": usage(cg.elimination_cost, L, order, **ends)}
        for method, order in orders.items()
    ]
    result = cg.eliminate(L, chosen, **ends)
    entries = [{"from": i, "to": j, "sensitivity": d["derivative"]} for i, j, d in result.graph.edges(data=True)]
    found = {"method": name, "order": chosen, "multiplications": result.multiplications, "additions": result.additions}
    if arguments.output is not None:
        order = json.dumps({"cgraph": VERSION, **found}, indent=2, ensure_ascii=False)
        write_output(arguments.output, order + "\n")
    if replaces:
        return DONE
    bound = cg.elimination_bound(L, budget=GROUPS, **ends)
    least = min(row["multiplications"] for row in costs)
    interval = f"{bound} to {least}" if bound < least else f"{least}, proven"
    tables = [
        records_table(costs, f"{counted(len(chosen), 'node')} to eliminate; least cost of all orders: {interval}"),
        records_table(entries, f"eliminated in the order {', '.join(chosen) or '(none)'}: "
                      f"{result.multiplications} multiplications, {result.additions} additions"),
    ]  # fmt: skip
    print_result(arguments, {"costs": costs, "bound": bound, **found, "jacobian": entries}, entries, tables)
    return DONE


def _search(L: cg.ComputationalGraph, arguments: argparse.Namespace, ends: dict[str, Any]) -> list[str]:
    order: list[str] = usage(
        cg.elimination_order,
        L,
        method=arguments.method,
        seed=arguments.seed,
        budget=arguments.budget,
        restarts=arguments.restarts,
        **ends,
    )
    return order


def _read_order(path: str) -> list[str]:
    try:
        with Path(path).open("rb") as file:
            found = json.loads(file.read(MAX_ORDER_BYTES).decode())
    except OSError as error:
        raise UsageError(f"cannot read {path!r}: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path!r} holds no order: {error}") from None
    order = found.get("order") if isinstance(found, dict) else None
    if not isinstance(order, list) or not all(isinstance(i, str) for i in order):
        raise UsageError(f"{path!r} holds no order: a mapping with a list of names under 'order' is needed")
    return order
