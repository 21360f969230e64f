"""Slices in the index of an array."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Slice"]


class Slice(NamedTuple):
    """A slice in an index, ``start:stop:step``; unlike Python's it can be hashed."""

    start: int | None
    stop: int | None
    step: int | None
