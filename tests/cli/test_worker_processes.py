"""Processes that work for a command never hear of Ctrl-C, which the command answers in one line."""

import os
import signal
import subprocess
import sys
import time

import pytest

import cgraph as cg

WORK = """
import os, signal, sys, time
from cgraph.cli.worker_processes import worker_processes
if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background, a shell lets it be ignored
    try:
        with worker_processes(2) as pool:
            print("started", flush=True)
            pool.submit(time.sleep, 0.5).result()
    except KeyboardInterrupt:
        sys.exit("interrupted")
"""
groups = pytest.mark.skipif(not hasattr(os, "killpg"), reason="needs groups of processes")


@groups
def test_all_start_before_work_is_handed_out_and_none_hears_the_interrupt():
    with subprocess.Popen(
        [sys.executable, "-c", WORK], stdout=-1, stderr=-1, text=True, start_new_session=True
    ) as process:
        assert process.stdout.readline() == "started\n"
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (1, "interrupted\n")


@groups
@pytest.mark.parametrize("seconds", [0.7, 1.2])
def test_an_interrupt_of_a_stored_graph_and_its_workers_is_one_line(tmp_path, seconds):
    cg.store_graph(tmp_path / "g", [([0, 1], [1, 2], [2.0, 5.0])])
    command = [sys.executable, "-m", "cgraph", "sensitivity", "g", "--from", "0", "--to", "2", "--workers", "6"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=-1, stderr=-1, text=True, start_new_session=True) as process:
        time.sleep(seconds)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert err in {"", "cgraph: error: interrupted\n"}
    assert process.returncode in {0, 130, -signal.SIGINT}
