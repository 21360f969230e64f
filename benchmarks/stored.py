"""Stored graphs: storing, one sweep, many targets, beside `cat` of the same files.

    python benchmarks/stored.py --edges 100000000 --shapes window --folder /tmp/graph
    python benchmarks/stored.py --edges 10000000 --jacobian

Ten edges leave each node. Shapes: `window` (heads among the next 1,000 nodes), `near` (among the next 10), `far` (any later
node). One graph is on the disk at a time, 13 bytes for each edge.

Warm: a sweep is timed after one that has checked every block, and `cat` after another `cat`. Cold: the pages of the files
have been given back to the system before, which `mincore` confirms; a disk of its own, or the host of a virtual machine, may
still have them. SciPy's product runs on the same edges in memory, up to 10^8 of them, in a process of its own. Memory is
RssAnon of /proc/self/status, looked at every 20 ms: what the process has allocated, without the pages of mapped files, which
the system takes back when it needs them.

With `--jacobian`, 1,000 targets in one process, two processes and two Dask workers, the graph in ten blocks. The pools have answered
a question on another graph before, so that they are there and have loaded the machine code.
"""

import argparse
import ctypes
import mmap
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections import deque
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import measuring
import numpy as np

import cgraph as cg

DEGREE = 10
SPANS = {"window": 1000, "near": 10, "far": None}


def edges(count, span, seed=0):
    """Yield blocks of edges that are sorted by tail; the derivatives at a tail add up to 1, so that S is 1 at every node."""
    rng = np.random.default_rng(seed)
    n = count // DEGREE
    for first in range(0, n - 1, 100_000):
        tails = np.repeat(np.arange(first, min(first + 100_000, n - 1)), DEGREE)
        reach = np.minimum(span or n, n - 1 - tails)
        weights = rng.random((len(tails) // DEGREE, DEGREE))
        yield (
            tails,
            tails + 1 + (rng.random(len(tails)) * reach).astype(np.int64),
            (weights / weights.sum(axis=1, keepdims=True)).ravel(),
        )


def timed(function):
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def files(folder):
    return sorted(folder.glob("part-*/*.npy"))


def cat(folder):
    subprocess.run(["cat", *map(str, files(folder))], stdout=subprocess.DEVNULL, check=True)


def rate_of_disk(folder):
    """Return the bytes that the disk takes in a second: of one file of 1 GB, written in pieces of 4 MB, and then awaited."""
    piece, path = np.random.default_rng(0).bytes(2**22), folder.with_name("rate")

    def write():
        with path.open("wb", buffering=0) as file:
            for _ in range(256):
                file.write(piece)
            os.fsync(file.fileno())

    seconds, _ = timed(write)
    path.unlink()
    return 2**30 / seconds


def dropped(folder):
    """Give the pages of all files back to the system; return the share of them that it still has."""
    kept = pages = 0
    for path in files(folder):
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            with mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as mapped:
                view = np.frombuffer(mapped, np.uint8)
                found = np.zeros(-(-len(view) // mmap.PAGESIZE), np.uint8)
                address, size = ctypes.c_void_p(view.ctypes.data), ctypes.c_size_t(len(view))
                if ctypes.CDLL(None).mincore(address, size, ctypes.c_void_p(found.ctypes.data)):
                    found[:] = 1
                kept, pages = kept + int((found & 1).sum()), pages + len(found)
                del view
    return kept / pages


def cold(folder, question):
    """Return the seconds of a question whose files are not in memory, and the share of them that was there all the same."""
    kept = dropped(folder)
    return timed(question)[0], kept


@contextmanager
def peak_of_memory():
    """Yield a list that holds the most GB that the process has had allocated."""
    most, is_done = [0.0], threading.Event()

    def look():
        while not is_done.wait(0.02):
            status = Path("/proc/self/status").read_text()
            most[0] = max(most[0], int(status.split("RssAnon:")[1].split()[0]) / 1e6)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield most
    finally:
        is_done.set()
        watcher.join()


def product_in_memory(folder):
    """Return the seconds of SciPy's product of the matrix of all edges with a vector."""
    from scipy.sparse import csr_array  # noqa: PLC0415 - the sweeps need no SciPy

    D = cg.open_graph(folder)
    tails, heads, z = zip(*D.edge_blocks(), strict=True)
    indptr = np.concatenate([[0], np.cumsum(np.bincount(np.concatenate(tails), minlength=len(D)))])
    matrix = csr_array(
        (np.concatenate(z), np.concatenate(heads).astype(np.int32), indptr.astype(np.int32)), (len(D), len(D))
    )
    S = np.ones(len(D))
    return min(timed(lambda: matrix @ S)[0] for _ in range(6))


def sweeps(folder, count, shapes):
    rows, notes = [], []
    for shape in shapes:
        rate = rate_of_disk(folder)
        making, _ = timed(lambda shape=shape: deque(edges(count, SPANS[shape]), maxlen=0))
        with peak_of_memory() as peak:
            storing, D = timed(lambda shape=shape: cg.store_graph(folder, edges(count, SPANS[shape])))
            t = len(D) - 1
            first, _ = timed(lambda D=D, t=t: D.sensitivities(t))
        seen = []
        S = D.sensitivities(t, progress=lambda swept, _, seen=seen: seen.append(swept))
        assert seen[-1] == D.number_of_edges, "a sweep has left out edges"
        assert np.allclose(S, 1.0), "S is wrong"
        del S
        disk = sum(path.stat().st_size for path in files(folder)) / rate
        cat(folder)
        turns = [(timed(lambda: cat(folder))[0], timed(lambda D=D, t=t: D.sensitivities(t))[0]) for _ in range(15)]
        read, warm = (min(times) for times in zip(*turns, strict=True))
        D._blocks.mapped.clear()  # noqa: SLF001 - pages that are mapped cannot be given back
        cold_read, kept_of_read = cold(folder, lambda: cat(folder))
        cold_sweep, kept_of_sweep = cold(folder, lambda D=D, t=t: D.sensitivities(t))
        notes.append(
            f"{shape}: at {rate / 1e6:.0f} MB/s, as fast as one file of 1 GB is written before, storing takes {disk:.1f} s; of the files "
            f"{kept_of_read:.1%} and {kept_of_sweep:.1%} were in memory before the cold `cat` and sweep"
        )
        del D
        product = None
        if count <= 10**8:
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as one:
                product = one.submit(product_in_memory, folder).result()
        times = [(making, 1), (storing - making, 1), (first, 2), (warm, 4), (read, 4), (warm / read, 2), (product, 4)]
        times += [(cold_sweep, 2), (cold_read, 2), (peak[0], 2)]
        rows.append([f"{shape}, {count:,}", *(None if x is None else f"{x:.{digits}f}" for x, digits in times)])
        shutil.rmtree(folder)
    header = "edges", "making, s", "storing, s", "first sweep, s", "sweep, s", "`cat`, s", "sweep / `cat`", "product, s"
    measuring.table((*header, "cold sweep, s", "cold `cat`, s", "peak, GB"), rows)
    print("\n".join(notes))


def first_answer(folder):
    """Answer a question on a small graph, so that a worker has loaded what it needs."""
    cg.open_graph(folder).jacobian(range(9), range(9, 20))
    cg.open_graph(folder).jacobian(range(9, 20), range(9))
    time.sleep(1)  # so that another worker takes the other question


def in_turns(contenders):
    """Return a row for each contender, the first of which is one process; another pool that waits would disturb them."""
    assert len({ask().tobytes() for ask in contenders.values()}) == 1, "the numbers depend on the workers"
    times = measuring.seconds(contenders, 9, time.perf_counter, min)
    return [[name, f"{x:.2f}", f"{times['one process'] / x:.2f}"] for name, x in times.items()]


def jacobians(folder, count):
    from dask.distributed import Client, LocalCluster  # noqa: PLC0415 - the sweeps need no Dask

    small = folder.with_name("small")
    cg.store_graph(small, edges(1000, 10))
    D = cg.store_graph(folder, edges(count, SPANS["window"]), block=count // 10)
    sources, targets = range(1000), range(len(D) - 1000, len(D))
    checked, _ = timed(lambda: D.jacobian(sources, targets[:8]))
    one = {"one process": lambda: D.jacobian(sources, targets)}
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        started, _ = timed(lambda: [f.result() for f in [pool.submit(first_answer, small) for _ in range(2)]])
        rows = in_turns(one | {"two processes": lambda: D.jacobian(sources, targets, executor=pool)})
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        client.run(first_answer, small)
        dask = client.get_executor(pure=False)
        rows += in_turns(
            one
            | {
                "two Dask workers": lambda: D.jacobian(sources, targets, executor=dask),
                "two Dask workers, block by block": lambda: cg.dask_jacobian(D, sources, targets, client),
            }
        )
    measuring.table((f"1,000 targets, {count:,} edges", "s", "times as fast"), rows)
    print(
        f"{checked:.2f} s for the first eight targets and the check of all blocks; {started - 1:.2f} s for the start of two processes"
    )


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
