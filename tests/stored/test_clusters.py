"""Stored graphs on workers of Dask, and at the shell."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from unittest import mock

import numpy as np
import pytest

import cgraph as cg
from cgraph.cli import main
from cgraph.model.files import is_running
from cgraph.model.tasks import in_order
from cgraph.stored import stored_graph


@pytest.fixture
def graph(tmp_path, monkeypatch):
    monkeypatch.setattr(stored_graph, "_TOGETHER", 1)  # every task is one group of eight, as on a large graph
    rng = np.random.default_rng(0)
    tails = np.sort(rng.integers(0, 4000, 40_000))
    return cg.store_graph(
        tmp_path / "g", [(tails, tails + rng.integers(1, 50, 40_000), rng.normal(size=40_000) * 0.3)], block=3000
    )


@contextmanager
def two_workers(folder):
    dask, distributed = pytest.importorskip("dask"), pytest.importorskip("distributed")
    with (
        dask.config.set({"distributed.worker.profile.enabled": False}),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", local_directory=str(folder)
        ) as cluster,
    ):
        processes = [worker.process.pid for worker in cluster.workers.values()]
        assert all(map(is_running, processes))
        yield cluster
        processes += [worker.process.pid for worker in cluster.workers.values()]  # some may have been started again
    assert not any(map(is_running, processes))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with two_workers(tmp_path_factory.mktemp("dask")) as cluster:
        yield cluster


@pytest.fixture
def cluster_of_one_test(tmp_path):
    """A test that kills a worker has workers of its own."""
    with two_workers(tmp_path / "dask") as cluster:
        yield cluster


def test_dask_gives_the_same_bits_also_when_a_worker_dies(graph, cluster_of_one_test):
    distributed = pytest.importorskip("distributed")
    targets = list(range(3800, 4000))
    alone = graph.jacobian(range(300), targets)
    with distributed.Client(cluster_of_one_test) as client:
        executor = client.get_executor(pure=False)
        assert graph.jacobian(range(300), targets, executor=executor).tobytes() == alone.tobytes()
        wanted = graph.jacobian(range(700), targets * 3)
        victim = next(iter(client.run(os.getpid).values()))
        killer = threading.Timer(0.1, os.kill, (victim, signal.SIGKILL))
        killer.start()
        assert graph.jacobian(range(700), targets * 3, executor=executor).tobytes() == wanted.tobytes()
        killer.join()


@pytest.fixture
def processes(tmp_path):
    """Yield a client of a scheduler that is a process of its own, the scheduler, and its worker."""
    distributed = pytest.importorskip("distributed")
    file, quiet = tmp_path / "scheduler.json", {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    failing = os.environ | {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0"}
    to_file = ["--scheduler-file", file, "--no-dashboard"]
    listening = [*to_file, "--host", "127.0.0.1", "--port", "0"]
    working = [*to_file, "--no-nanny", "--nthreads", "1", "--local-directory", tmp_path]
    kinds = {"distributed.cli.dask_scheduler": listening, "distributed.cli.dask_worker": working}
    started = [subprocess.Popen([sys.executable, "-m", kind, *kinds[kind]], **quiet, env=failing) for kind in kinds]
    try:
        deadline = time.monotonic() + 60
        while not file.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        with distributed.Client(scheduler_file=str(file), timeout="60s") as client:
            client.wait_for_workers(1, timeout=60)
            yield client, *started
    finally:
        for process in started:
            process.kill()
            process.wait()


@pytest.mark.filterwarnings("ignore")  # of Dask, about what is gone
def test_a_scheduler_that_goes_away_is_an_error_of_ours(graph, processes):
    client, scheduler, _ = processes
    executor, targets = client.get_executor(pure=False), list(range(3800, 4000))
    assert graph.jacobian([0, 1], targets, executor=executor).tobytes() == graph.jacobian([0, 1], targets).tobytes()
    killer = threading.Timer(0.1, scheduler.kill)
    killer.start()
    with pytest.raises(cg.CGraphError, match="the workers ended before their tasks were done"):
        graph.jacobian([*range(4000)] * 8, targets * 150, executor=executor)
    killer.join()
    C = cg.CompiledGraph.from_edges([0, 1], [1, 2], [2.0, 5.0])
    with pytest.raises(cg.CGraphError, match="the client of Dask is connecting"):
        C.jacobian([0, 1], [1, 2], executor=executor)


@pytest.mark.filterwarnings("ignore")
def test_a_worker_that_dies_with_the_task_is_an_error_of_ours(processes):
    client, _, worker = processes
    with pytest.raises(cg.CGraphError, match="the workers ended before their tasks were done"):
        list(in_order(client.get_executor(pure=False), os.kill, [(worker.pid, signal.SIGKILL)]))


def test_a_compiled_graph_is_sent_to_dask_once(cluster):
    distributed = pytest.importorskip("distributed")
    rng = np.random.default_rng(1)
    tails = rng.integers(0, 500, 4000)
    C = cg.CompiledGraph.from_edges(tails, tails + rng.integers(1, 50, 4000), rng.normal(size=4000) * 0.3)
    E = cg.compile_graph(cg.from_equations("a = x*z; y = log(a) + sin(z)", x=0.5, z=0.25))
    at = {"x": np.linspace(1, 2, 20)}
    with (
        distributed.Client(cluster) as client,
        mock.patch("cgraph.algorithms.compiled.sweep_queries._TOGETHER", 1),
        mock.patch("cgraph.algorithms.compiled.tape.tape._TOGETHER", 1),
    ):
        executor = client.get_executor(pure=False)
        J = C.jacobian(range(20), range(480, 500), executor=executor)
        assert J.tobytes() == C.jacobian(range(20), range(480, 500)).tobytes()
        assert E.evaluate(at, executor=executor).tobytes() == E.evaluate(at).tobytes()
        with pytest.raises(cg.EvaluationError, match=r"node 'y': log\("):
            E.evaluate({"x": np.linspace(1, -1, 20)}, executor=executor)


class Recording:
    """A client that notes where it was told to place tasks."""

    def __init__(self, client):
        self.client, self.placed = client, []

    def submit(self, function, *args, workers=None, **options):
        self.placed.append((function.__name__, workers))
        return self.client.submit(function, *args, workers=workers, **options)


@pytest.mark.parametrize("size", [60, 400, 10**6])
def test_block_by_block_on_dask_gives_the_same_bits(tmp_path, cluster, size):
    distributed = pytest.importorskip("distributed")
    rng = np.random.default_rng(5)
    tails = np.sort(rng.integers(0, 900, 4000))
    heads = tails + 1 + np.where(rng.random(4000) < 0.01, rng.integers(0, 950 - tails), rng.integers(0, 40, 4000))
    number = rng.permutation(int(heads.max()) + 1)  # the nodes are renumbered
    names = [f"n{k}" for k in range(len(number))]
    D = cg.store_graph(tmp_path / "g", [(number[tails], number[heads], rng.normal(size=4000) * 0.3)], names, block=size)
    assert (D.number_of_blocks == 1) == (size == 10**6)
    sources, targets = [names[number[k]] for k in range(0, 900, 3)], [names[number[k]] for k in range(880, 905)]
    sources += targets[:2]
    wanted = D.jacobian(sources, targets)
    with distributed.Client(cluster) as client:
        assert cg.dask_jacobian(D, sources, targets, client).tobytes() == wanted.tobytes()
        both = list(client.scheduler_info()["workers"])
        workers = [both[b % 2] if b % 3 else both for b in range(D.number_of_blocks)]
        recording = Recording(client)
        assert cg.dask_jacobian(D, sources, targets, recording, workers=workers).tobytes() == wanted.tobytes()
        placed = [place for name, place in recording.placed if name == "_swept"]
        assert len(placed) >= 4
        assert all(place in [[both[0]], [both[1]], both] for place in placed)
        J = cg.dask_jacobian(D, sources, targets, client, as_dask=True)
        assert J.chunks == ((8, 8, 8, 1), (len(sources),))
        assert J.compute().tobytes() == wanted.tobytes()
        assert np.isclose(abs(J).sum().compute(), abs(wanted).sum())
        assert cg.dask_jacobian(D, [], targets, client).shape == (25, 0)
        assert cg.dask_jacobian(D, sources, [], client, as_dask=True).shape == (0, len(sources))
        assert cg.dask_jacobian(D, targets[:1], sources[:1], client).tolist() == [[0.0]]


def test_what_goes_wrong_block_by_block(tmp_path, cluster):
    distributed = pytest.importorskip("distributed")
    D = cg.store_graph(tmp_path / "g", [([0, 1], [1, 2], [1e200, 1e200])], ["s", "a", "t"], block=1)
    with distributed.Client(cluster) as client:
        with pytest.raises(cg.EvaluationError, match=r"S\(s, t\) overflows"):
            cg.dask_jacobian(D, ["a", "s"], ["t"], client)
        with pytest.raises(cg.NodeNotFound, match="'nobody'"):
            cg.dask_jacobian(D, ["nobody"], ["t"], client)
        for workers, found in [("tcp://a:1", "one name"), (["tcp://a:1"], "1, and the graph [23] blocks")]:
            with pytest.raises(cg.CGraphError, match=found):
                cg.dask_jacobian(D, ["s"], ["t"], client, workers=workers)
        next(D.folder.glob("part-*/heads-0.npy")).unlink()
        with pytest.raises(cg.ArchiveError, match=r"heads-0.npy.* is missing"):
            cg.dask_jacobian(cg.open_graph(D.folder), ["s"], ["t"], client)


def printed(capsys, *argv):
    assert main(["sensitivity", *map(str, argv), "--format", "json"]) == 0
    return [r["sensitivity"] for r in json.loads(capsys.readouterr().out)["sensitivities"]]


def test_the_command_takes_a_folder(graph, capsys):
    S = graph.sensitivities(3999)
    top = printed(capsys, graph.folder, "--to", 3999, "--top", 3, "--sort", "abs")
    assert top == sorted(S.tolist(), key=abs)[:-4:-1]
    assert printed(capsys, graph.folder, "--from", 5) == graph.sensitivities_from(5).tolist()
    pairs = [graph.folder, "--from", 0, "--from", 7, "--to", 3998, "--to", 3999]
    wanted = graph.jacobian([0, 7], [3998, 3999]).T.ravel().tolist()
    assert printed(capsys, *pairs) == printed(capsys, *pairs, "--workers", 2) == wanted


def test_the_command_takes_a_cluster(graph, cluster, capsys):
    pairs = [graph.folder, "--from", 0, "--to", 3998, "--to", 3999]
    assert (
        printed(capsys, *pairs, "--cluster", cluster.scheduler_address)
        == graph.jacobian([0], [3998, 3999]).ravel().tolist()
    )


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["{folder}"], "name one node"),
        (["{folder}", "--to", "nobody"], "no node 'nobody'"),
        (["{folder}", "--to", "3", "--workers", "2"], "give --from and --to"),
        (["{folder}", "--to", "3", "--at", "x=1"], "derivatives alone"),
        (["{folder}/..", "--to", "3"], "cannot open"),
        (["{folder}", "--from", "1", "--to", "3", "--workers", "2", "--cluster", "tcp://x:1"], "one of the two"),
        (["-e", "y = x", "--workers", "2"], "for a stored graph"),
    ],
)
def test_what_the_command_refuses(graph, capsys, argv, message):
    assert main(["sensitivity", *(word.format(folder=graph.folder) for word in argv)]) == 2
    assert message in capsys.readouterr().err
