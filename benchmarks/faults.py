"""What a fault leaves behind: ``python benchmarks/faults.py``; tries of each kind are an argument, 50 without one.

Every command that writes a file is killed (SIGKILL) and interrupted (SIGINT to its group of processes) at random times,
runs where there is no room, where nothing may be written, and beside a second writer of the same file. Afterwards the file
is what it was, or whole and new; anything else is counted as damaged. Tracebacks, and drafts that the next write did not
remove, are counted too. Prints Markdown.
"""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from functools import partial
from pathlib import Path

from measuring import machine, table

QUIZ = Path(__file__).parent.parent / "examples" / "cmu_10301" / "quiz.yaml"
COMMANDS = {
    "transform": (["transform", "expand", QUIZ], "out.yaml"),
    "grade": (["grade", QUIZ, "--answers", "answers"], "out.txt"),
    "vary": (["vary", QUIZ, "--student", "ann"], "out.json"),
    "seal": (["seal", QUIZ], "out.yaml"),
    "draw": (["draw", QUIZ], "out.svg"),
    "draw, png": (["draw", QUIZ], "out.png"),
    "page": (["page", QUIZ], "out.html"),
}
BEFORE = b"before"
OUTCOMES = ("as before", "new", "damaged", "draft", "traceback")


def start(command, folder, *, room=True):
    """Start a command that writes to its file in `folder`."""
    arguments, output = COMMANDS[command]
    confined = [] if room else ["sh", "-c", 'ulimit -f 0 && exec "$@"', "sh"]
    return subprocess.Popen(
        [*confined, sys.executable, "-m", "cgraph", *map(str, arguments), "-o", output], cwd=folder,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip


def left_behind(command, folder, errors, whole):
    """Return in words what a fault has left."""
    found = (folder / COMMANDS[command][1]).read_bytes()
    state = {BEFORE: "as before", whole: "new"}.get(found, "damaged")
    return [state, "traceback"] if b"Traceback" in errors else [state]


def with_signal(number, command, folder, whole, seconds):
    """Send a signal at a random time while the command runs."""
    run = start(command, folder)
    time.sleep(random.uniform(0, 1.2 * seconds))
    with suppress(ProcessLookupError):
        os.killpg(run.pid, number)
    return left_behind(command, folder, run.communicate()[1], whole)


def without_room(command, folder, whole, seconds):
    """Run where no file may grow: what a full disk is, for one process."""
    del seconds
    run = start(command, folder, room=False)
    outcome = left_behind(command, folder, run.communicate()[1], whole)
    return outcome if run.returncode else ["damaged"]  # it has to say so


def in_a_closed_folder(command, folder, whole, seconds):
    """Run where nothing may be written."""
    del seconds
    folder.chmod(0o555)
    run = start(command, folder)
    outcome = left_behind(command, folder, run.communicate()[1], whole)
    folder.chmod(0o755)
    return outcome if run.returncode else ["damaged"]


def beside_another(command, folder, whole, seconds):
    """Write the same file from two processes at once."""
    first = start(command, folder)
    time.sleep(random.uniform(0, 0.1 * seconds))
    second = start(command, folder)
    errors = first.communicate()[1] + second.communicate()[1]
    return left_behind(command, folder, errors, whole)


FAULTS = {
    "SIGKILL": partial(with_signal, signal.SIGKILL),
    "SIGINT": partial(with_signal, signal.SIGINT),
    "no room": without_room,
    "two writers": beside_another,
}
if os.geteuid():  # the superuser may write anywhere
    FAULTS["closed folder"] = in_a_closed_folder


def tries(command, fault, count, root):
    """Return how often each outcome was seen."""
    folder = Path(tempfile.mkdtemp(dir=root))
    folder.chmod(0o755)
    (folder / "answers").mkdir()
    (folder / "answers" / "ann.yaml").write_text("a: 6\n")
    output = folder / COMMANDS[command][1]
    began = time.monotonic()
    start(command, folder).communicate()
    seconds, whole = time.monotonic() - began, output.read_bytes()
    outcomes = Counter()
    for _ in range(count):
        output.write_bytes(BEFORE)
        outcomes.update(FAULTS[fault](command, folder, whole, seconds))
    start(command, folder).communicate()
    outcomes["draft"] += sum(entry.name.startswith(".") for entry in folder.iterdir())
    return outcomes


def main():
    """Print what was left behind, for each command and fault."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets what it starts in the background ignore it
    machine("numpy", "networkx")
    print(f"\n{count} tries of each: as before / new / damaged / drafts / tracebacks")
    rows = []
    with tempfile.TemporaryDirectory() as root:
        Path(root).chmod(0o755)
        for command in COMMANDS:
            found = [tries(command, fault, count, root) for fault in FAULTS]
            cells = [" / ".join(str(o[what]) for what in OUTCOMES) for o in found]
            rows.append([f"`{command}`", *cells])
    table(["command", *FAULTS], rows)


if __name__ == "__main__":
    main()
