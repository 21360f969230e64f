"""The command, and scripts, in processes that are forked from one that has imported the library: each starts at once."""

import os
import resource
import runpy
import sys
from functools import cache
from multiprocessing import forkserver, get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

# What most commands import; the others import the rest by themselves.
IMPORTED = ["cgraph.cli.graph_commands", "cgraph.cli.exercise_commands", "cgraph.testing"]
STUCK = 300  # seconds, after which a process has no hope on a machine that is busy, either


class Ended(NamedTuple):
    """How a process ended: its status, negative if a signal killed it, and what it printed."""

    returncode: int
    stdout: str
    stderr: str


def run_command(arguments, folder, **options):
    """Run `cgraph` with arguments in a folder; see `run_forked`."""
    return run_forked(["cgraph", *arguments], folder, **options)


def run_forked(argv, folder, *, together=False, memory=None, seconds=None):
    """Run `cgraph` or a Python script in a process of its own.

    `together`: errors stand in the output, where they were printed. `memory`, `seconds`: bytes of address space and seconds
    of processor time that the process may take, which do not depend on what else the machine does.
    """
    context = _prepared()
    with TemporaryDirectory() as printed:
        output = Path(printed) / "output"
        errors = output if together else Path(printed) / "errors"
        process = context.Process(
            target=_begin, args=([str(word) for word in argv], folder, output, errors, memory, seconds)
        )
        process.start()
        process.join(STUCK)
        if process.exitcode is None:
            process.kill()
            process.join()
        return Ended(process.exitcode, output.read_text(), "" if together else errors.read_text())


@cache
def _prepared():
    """Return the context of a server that forks: one for each process that tests, without threads."""
    context = get_context("forkserver")
    context.set_forkserver_preload(IMPORTED)
    threads, os.environ["OPENBLAS_NUM_THREADS"] = os.environ.get("OPENBLAS_NUM_THREADS"), "1"
    forkserver.ensure_running()
    if threads is None:
        del os.environ["OPENBLAS_NUM_THREADS"]
    else:
        os.environ["OPENBLAS_NUM_THREADS"] = threads
    return context


def _begin(argv, folder, output, errors, memory, seconds):
    """Become the process: its folder, its streams, its limits."""
    os.chdir(folder)
    for path, stream in ((output, 1), (errors, 2)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), stream)
    for kind, limit in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CPU, seconds)):
        if limit is not None:
            resource.setrlimit(kind, (limit, limit))
    sys.argv = argv
    if argv[0] == "cgraph":
        from cgraph.cli import run

        run()
    runpy.run_path(argv[0], run_name="__main__")
