"""Stored graphs: storing, one sweep, many targets, beside `cat` of the same files.

    python benchmarks/stored.py --edges 100000000 --shapes window --folder /tmp/graph
    python benchmarks/stored.py --edges 10000000 --jacobian

Ten edges leave each node. Shapes: `window` (heads among the next 1,000 nodes), `near` (among the next 10), `far` (any later
node). The cache of the system is warm: a sweep is timed after one that has checked every block, and `cat` after another `cat`.
With `--jacobian`, 1,000 targets in one process, two processes and two Dask workers, the graph in ten blocks. Prints seconds and the peak of memory.
"""

import argparse
import resource
import shutil
import subprocess
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import measuring
import numpy as np

import cgraph as cg

DEGREE = 10
SPANS = {"window": 1000, "near": 10, "far": None}


def edges(count, span, seed=0):
    """Yield blocks of edges that are sorted by tail; derivatives from 0 to 0.2, so that S neither vanishes nor grows."""
    rng = np.random.default_rng(seed)
    n = count // DEGREE
    for first in range(0, n - 1, 100_000):
        tails = np.repeat(np.arange(first, min(first + 100_000, n - 1)), DEGREE)
        reach = np.minimum(span or n, n - 1 - tails)
        yield (
            tails,
            tails + 1 + (rng.random(len(tails)) * reach).astype(np.int64),
            rng.uniform(0.0, 2.0 / DEGREE, len(tails)),
        )


def timed(function):
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def cat(folder):
    files = sorted(map(str, folder.glob("part-*/*.npy")))
    subprocess.run(["cat", *files], stdout=subprocess.DEVNULL, check=True)


def sweeps(folder, count, shapes):
    rows = []
    for shape in shapes:
        storing, D = timed(lambda shape=shape: cg.store_graph(folder, edges(count, SPANS[shape])))
        t = len(D) - 1
        first, _ = timed(lambda D=D, t=t: D.sensitivities(t))
        seen = []
        S = D.sensitivities(t, progress=lambda swept, _, seen=seen: seen.append(swept))
        assert seen[-1] == D.number_of_edges, "a sweep has left out edges"
        assert np.count_nonzero(S) == len(D), "S has vanished: the sweep multiplies zeros"
        cat(folder)
        turns = [(timed(lambda: cat(folder))[0], timed(lambda D=D, t=t: D.sensitivities(t))[0]) for _ in range(15)]
        read, warm = (min(times) for times in zip(*turns, strict=True))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        rows.append(
            [
                f"{shape}, {count:,}",
                *(
                    f"{x:.{digits}f}"
                    for x, digits in zip(
                        (storing, first, warm, read, warm / read, peak), (1, 2, 4, 4, 2, 2), strict=True
                    )
                ),
            ]
        )
        shutil.rmtree(folder)
    measuring.table(
        ("edges", "storing, s", "first sweep, s", "sweep, s", "`cat`, s", "sweep / `cat`", "peak, GB"), rows
    )


def jacobians(folder, count):
    from dask.distributed import Client, LocalCluster  # noqa: PLC0415 - the sweeps need no Dask

    D = cg.store_graph(folder, edges(count, SPANS["window"]), block=count // 10)
    sources, targets = range(1000), range(len(D) - 1000, len(D))
    context = get_context("spawn")
    D.jacobian(sources, targets[:8])
    with (
        ProcessPoolExecutor(2, mp_context=context) as pool,
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        dask = client.get_executor()
        contenders = {
            "one process": lambda ends: D.jacobian(sources, ends),
            "two processes": lambda ends: D.jacobian(sources, ends, executor=pool),
            "two Dask workers": lambda ends: D.jacobian(sources, ends, executor=dask),
            "two Dask workers, block by block": lambda ends: cg.dask_jacobian(D, sources, ends, client),
        }
        for ask in contenders.values():
            ask(targets[:64])  # the workers start, and check the blocks
        times, found = {}, set()
        for name, ask in contenders.items():
            times[name], J = timed(lambda ask=ask: ask(targets))
            found.add(J.tobytes())
    assert len(found) == 1, "the numbers depend on the workers"
    rows = [[name, f"{x:.1f}", f"{times['one process'] / x:.2f}"] for name, x in times.items()]
    measuring.table((f"1,000 targets, {count:,} edges", "s", "times as fast"), rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--edges", type=int, default=10_000_000)
    parser.add_argument("--shapes", nargs="*", choices=SPANS, default=list(SPANS))
    parser.add_argument("--folder", help="on the disk that is to be measured; removed afterwards")
    parser.add_argument("--jacobian", action="store_true")
    chosen = parser.parse_args()
    measuring.machine("numpy", "numba")
    with tempfile.TemporaryDirectory(dir=chosen.folder) as parent:
        if chosen.jacobian:
            jacobians(Path(parent) / "graph", chosen.edges)
        else:
            sweeps(Path(parent) / "graph", chosen.edges, chosen.shapes)
