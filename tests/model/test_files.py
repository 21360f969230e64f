"""Files are written whole or not at all, whoever is killed and whatever is full; devices are written to."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cgraph.model.files import write_whole

WRITE_SLOWLY = """
import signal, sys, time
from cgraph.model.files import write_whole
signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background, a shell lets it be ignored
def slowly(file):
    file.write(b"half")
    file.flush()
    print("begun", flush=True)
    time.sleep(60)
write_whole(sys.argv[1], slowly)
"""
posix = pytest.mark.skipif(os.name != "posix", reason="links, pipes and devices as POSIX has them")


def names(folder):
    return sorted(entry.name for entry in folder.iterdir())


def test_text_bytes_and_functions_replace_what_was_there(tmp_path):
    path = tmp_path / "a"
    for content, written in [("α", "α".encode()), (b"\x00\xff", b"\x00\xff"), (lambda file: file.write(b"f"), b"f")]:
        write_whole(path, content)
        assert path.read_bytes() == written
    assert names(tmp_path) == ["a"]


def test_what_fails_half_way_leaves_what_was_there(tmp_path):
    path = tmp_path / "a"
    path.write_text("before")

    def fails(file):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        write_whole(path, fails)
    assert path.read_text() == "before"
    assert names(tmp_path) == ["a"]


@posix
def test_a_link_stays_a_link_and_the_mode_stays(tmp_path):
    (tmp_path / "folder").mkdir()
    target = tmp_path / "folder" / "real"
    target.write_text("before")
    target.chmod(0o640)
    (tmp_path / "link").symlink_to("folder/real")
    write_whole(tmp_path / "link", "after")
    assert (tmp_path / "link").is_symlink()
    assert target.read_text() == "after"
    assert target.stat().st_mode & 0o777 == 0o640


@posix
def test_a_dangling_link_makes_the_file_that_it_names(tmp_path):
    (tmp_path / "link").symlink_to("real")
    write_whole(tmp_path / "link", "after")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "after"


@posix
def test_links_in_a_circle_are_an_error_of_the_system(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises((OSError, RuntimeError)):
        write_whole(tmp_path / "a", "x")


def test_the_longest_name_has_a_draft(tmp_path):
    for name in ("x" * 255, "é" * 127):
        write_whole(tmp_path / name, "1")
        write_whole(tmp_path / name, "2")
        assert (tmp_path / name).read_text() == "2"
    assert len(names(tmp_path)) == 2


@posix
@pytest.mark.skipif(not Path("/dev/stdout").exists(), reason="no /dev/stdout")
def test_dev_stdout_appends_to_the_file_that_it_is(tmp_path):
    log = tmp_path / "log.txt"
    log.write_text("before\n")
    command = "from cgraph.model.files import write_whole; write_whole('/dev/stdout', 'after\\n')"
    with log.open("a") as stream:
        subprocess.run([sys.executable, "-c", command], stdout=stream, check=True)
    assert log.read_text() == "before\nafter\n"
    assert names(tmp_path) == ["log.txt"]


@posix
def test_a_command_adds_its_output_to_a_log_by_dev_stdout(tmp_path):
    log = tmp_path / "log.txt"
    log.write_text("before\n")
    (tmp_path / "s.yaml").write_text("inputs: {x: 1.0}\nnodes: {y: 2 * x}\n")
    with log.open("a") as stream:
        command = [sys.executable, "-m", "cgraph", "transform", "expand", "s.yaml", "-o", "/dev/stdout"]
        subprocess.run(command, cwd=tmp_path, stdout=stream, check=True)
    assert log.read_text().startswith("before\n")
    assert "nodes:" in log.read_text()


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="no /dev/shm")
def test_a_file_in_a_folder_of_devices_is_a_file():
    path = Path(f"/dev/shm/cgraph-test-{os.getpid()}")
    try:
        write_whole(path, "before")
        write_whole(path, "after")
        assert path.read_text() == "after"
    finally:
        path.unlink()


@posix
def test_a_pipe_is_written_to(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE) as reader:
        write_whole(pipe, "through")
        assert reader.communicate(timeout=10)[0] == b"through"
    assert pipe.is_fifo()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_device_is_an_error():
    with pytest.raises(OSError, match="No space left"):
        write_whole("/dev/full", "x")


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(OSError, match="."):
        write_whole(tmp_path, "x")
    assert names(tmp_path) == []


@posix
def test_a_killed_writer_leaves_the_file_and_the_next_removes_its_draft(tmp_path):
    path = tmp_path / "a"
    path.write_text("before")
    (tmp_path / ".a.notes").write_text("a file of somebody else")
    with subprocess.Popen([sys.executable, "-c", WRITE_SLOWLY, path], stdout=subprocess.PIPE) as writer:
        assert writer.stdout.readline() == b"begun\n"
        write_whole(path, "meanwhile")  # of a process that runs, the draft stays
        assert len(names(tmp_path)) == 3
        writer.send_signal(signal.SIGKILL)
    assert path.read_text() == "meanwhile"
    assert len(names(tmp_path)) == 3
    write_whole(path, "after")
    assert names(tmp_path) == [".a.notes", "a"]
    assert path.read_text() == "after"


@posix
def test_an_interrupted_writer_removes_its_draft_itself(tmp_path):
    path = tmp_path / "a"
    with subprocess.Popen([sys.executable, "-c", WRITE_SLOWLY, path], stdout=subprocess.PIPE, stderr=-3) as writer:
        assert writer.stdout.readline() == b"begun\n"
        time.sleep(0.1)
        writer.send_signal(signal.SIGINT)
    assert names(tmp_path) == []
