"""Files written whole or not at all."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

__all__ = ["is_running", "write_whole"]

_LINKS = 40  # as many as Linux follows
_OPENED = re.compile(r"/dev/fd/\d+|/proc/.+/fd/\d+")  # where /dev/stdout leads


def write_whole(path: str | os.PathLike[str], content: str | bytes | Callable[[IO[bytes]], None]) -> None:
    """Write a draft beside `path` and move it there, so that a reader never finds half of it.

    Parameters
    ----------
    path
        The file. A link stays a link: the file that it names is written. A device, a pipe or an open file of
        ``/dev/stdout`` is written to, never replaced.
    content
        Text (written as UTF-8), bytes, or a function that writes to the file.

    Raises
    ------
    OSError
        If the file cannot be written; what stood at `path` before stands there still. A draft that a killed process
        left behind is removed the next time that the same file is written.
    """
    target = Path(path)
    if _is_device(target):
        with target.open("ab") as file:
            _fill(file, content)
        return
    target = target.resolve()
    _sweep(target)
    draft = target.with_name(f"{_draft_prefix(target)}{os.getpid()}-{secrets.token_hex(4)}")
    try:
        with draft.open("xb") as file:
            _fill(file, content)
            file.flush()
            os.fsync(file.fileno())  # the bytes are on the disk before the name is
        if target.exists():
            draft.chmod(target.stat().st_mode)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def _fill(file: IO[bytes], content: str | bytes | Callable[[IO[bytes]], None]) -> None:
    if callable(content):
        content(file)
    else:
        file.write(content.encode() if isinstance(content, str) else content)


def _is_device(path: Path) -> bool:
    """Return whether `path` is no regular file, or one that the system opened for this process (``/dev/stdout``)."""
    if path.exists() and not path.is_file():
        return not path.is_dir()
    step = Path(os.path.normpath(path.absolute()))
    for _ in range(_LINKS):
        if _OPENED.fullmatch(str(step)) and step.exists():
            return True
        if not step.is_symlink():
            return False
        step = Path(os.path.normpath(step.parent / step.readlink()))
    return False


def _draft_prefix(target: Path) -> str:
    return f".{os.fsdecode(os.fsencode(target.name)[:200])}."  # a name has room for 255 bytes


def _sweep(target: Path) -> None:
    """Remove the drafts of `target` whose processes are gone."""
    prefix = _draft_prefix(target)
    with suppress(OSError):
        for entry in os.scandir(target.parent):
            number = entry.name.startswith(prefix) and re.fullmatch(r"(\d{1,9})-[0-9a-f]{8}", entry.name[len(prefix) :])
            if number and not is_running(int(number[1])):
                Path(entry.path).unlink(missing_ok=True)


def is_running(process: int) -> bool:
    """Return whether a process of this number runs, as far as the system tells."""
    if os.name != "posix":  # elsewhere, signal 0 would end the process
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it belongs to another user
        return True
    return True
