"""Files written whole or not at all."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

__all__ = ["write_whole"]


def write_whole(path: str | os.PathLike[str], content: str | bytes) -> None:
    """Write `content` beside its place and move it there, so that a reader never finds half of it.

    Raises
    ------
    OSError
        If the file cannot be written; what stood at `path` before stands there still.
    """
    raw = content.encode() if isinstance(content, str) else content
    target = Path(path)
    if target.exists() and not target.is_file():  # a device or a pipe is written to, not replaced
        target.write_bytes(raw)
        return
    target = target.resolve()
    draft = target.with_name(f".{target.name[:200]}.{secrets.token_hex(4)}")
    try:
        with draft.open("xb") as file:
            file.write(raw)
        if target.exists():
            draft.chmod(target.stat().st_mode)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
