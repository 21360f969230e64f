"""Files of edges: how long they take to read, and what is asked of them then.

    python benchmarks/edge_files.py
    python benchmarks/edge_files.py csv

A random graph of 10,000 nodes and 10,000,000 edges with signed derivatives, in Parquet: read, the 100 strongest signed
paths, pruned; with `csv`, a million edges in CSV, with pyarrow and without. Prints seconds and the peak of memory.
"""

import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

import cgraph as cg


def edges(n, count, seed=0):
    """Return distinct edges from smaller to larger numbers, and derivatives that let about as much flow out of a node as into it."""
    rng = np.random.default_rng(seed)
    pairs = np.unique(rng.integers(0, n * n, 4 * count))
    pairs = pairs[pairs // n < pairs % n]
    pairs = np.sort(rng.choice(pairs, count, replace=False))
    return pairs // n, pairs % n, rng.normal(0.0, n / count, count)


def timed(what, function):
    start = time.perf_counter(), time.process_time()
    result = function()
    seconds, cpu = time.perf_counter() - start[0], time.process_time() - start[1]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{what:60} {seconds:7.2f} s, {cpu:7.2f} s of processor, peak {peak:5.2f} GB", flush=True)
    return result


def ten_million(folder):
    tails, heads, z = edges(10_000, 10_000_000)
    path, s, t = folder / "edges.parquet", "0", "9999"
    pa.parquet.write_table(pa.table({"source": tails, "target": heads, "weight": z}), path)
    C = timed("10,000,000 edges of Parquet, compiled", lambda: cg.read_graph(path, compiled=True))
    C.top_paths(s, t, 1)  # numba loads its loops
    timed("the 100 strongest signed paths", lambda: C.top_paths(s, t, 100))
    pruned = timed("pruned to 90% of the flow", lambda: cg.prune(C, s, t, keep=0.9))
    print(f"{pruned.graph!r} kept {pruned.kept:.4f}, S {pruned.sensitivity:.3g} +- {pruned.error_bound:.3g}")


def one_million(folder):
    tails, heads, z = edges(20_000, 1_000_000)
    path, names = folder / "edges.csv", np.array([f"n{k}" for k in range(20_000)])
    pa.csv.write_csv(pa.table({"source": names[tails], "target": names[heads], "weight": z}), path)
    timed("1,000,000 edges of CSV, compiled", lambda: cg.read_graph(path, compiled=True))
    timed("1,000,000 edges of CSV", lambda: cg.read_graph(path))
    sys.modules["pyarrow"] = None
    timed("1,000,000 edges of CSV, compiled, without pyarrow", lambda: cg.read_graph(path, compiled=True))
    timed("1,000,000 edges of CSV, without pyarrow", lambda: cg.read_graph(path))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        one_million(Path(name)) if "csv" in sys.argv else ten_million(Path(name))
