"""Stored graphs on workers of Dask, and at the shell."""

import json
import os
import signal
import threading

import numpy as np
import pytest

import cgraph as cg
from cgraph.cli import main


@pytest.fixture
def graph(tmp_path):
    rng = np.random.default_rng(0)
    tails = np.sort(rng.integers(0, 4000, 40_000))
    return cg.store_graph(
        tmp_path / "g", [(tails, tails + rng.integers(1, 50, 40_000), rng.normal(size=40_000) * 0.3)], block=3000
    )


@pytest.fixture
def cluster(tmp_path):
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", local_directory=str(tmp_path / "dask")
    ) as cluster:
        yield cluster


def test_dask_gives_the_same_bits_also_when_a_worker_dies(graph, cluster):
    distributed = pytest.importorskip("distributed")
    targets = list(range(3800, 4000))
    alone = graph.jacobian(range(300), targets)
    with distributed.Client(cluster) as client:
        executor = client.get_executor(pure=False)
        assert graph.jacobian(range(300), targets, executor=executor).tobytes() == alone.tobytes()
        wanted = graph.jacobian(range(700), targets * 3)
        victim = next(iter(client.run(os.getpid).values()))
        killer = threading.Timer(0.1, os.kill, (victim, signal.SIGKILL))
        killer.start()
        assert graph.jacobian(range(700), targets * 3, executor=executor).tobytes() == wanted.tobytes()
        killer.join()


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
