"""A question as its author wrote it, and the nodes and edges of the graph that it names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from cgraph.exercises.numbers import UnreadableError, read_number
from cgraph.model.errors import nearest
from cgraph.model.graph import ComputationalGraph
from cgraph.specs.documents import Path
from cgraph.specs.node_values import kind_of

__all__ = ["MistakeError", "Wording", "number_at", "suggestion"]


class MistakeError(Exception):
    """A mistake of the author; `path` is where it stands in the question."""

    def __init__(self, path: Path, message: str, hint: str = "") -> None:
        self.path, self.message, self.hint = path, message, hint
        super().__init__(message)


@dataclass(frozen=True)
class Wording:
    """A question of some kind as it is written; what is wrong with it is a `MistakeError`.

    Attributes
    ----------
    kind : str
        The key under which stands what is asked for.
    example : str
        What to write there.
    entry : dict
        All that the question says.
    G, L : ComputationalGraph
        The graph that it is about, and the same linearized.
    is_sealed : bool
        Whether the exercise has hashes instead of answers.
    """

    kind: str
    example: str
    entry: Mapping[str, Any]
    G: ComputationalGraph
    L: ComputationalGraph
    is_sealed: bool

    @property
    def text(self) -> str:
        """What is asked for."""
        what = self.entry[self.kind]
        if isinstance(what, bool) or not isinstance(what, str | int):
            raise self.mistake(f"{self.kind!r} must be a text, not {kind_of(what)}", self.example)
        return str(what)

    @property
    def target(self) -> str:
        """The node to differentiate: ``of``, or the only output."""
        if "of" in self.entry:
            return self.node(str(self.entry["of"]), "of")
        if len(self.G.outputs) != 1:
            raise MistakeError((), f"the graph has {len(self.G.outputs)} outputs", "say which one with of: J")
        return self.G.outputs[0]

    def mistake(self, message: str, hint: str = "") -> MistakeError:
        """Return a mistake in what is asked for."""
        return MistakeError((self.kind,), message, hint)

    def node(self, name: str, key: str | None = None) -> str:
        """Return the node of that name, which stands under `key`."""
        name = name.strip()
        if name not in self.G:
            hint = suggestion(name, self.G)
            raise MistakeError((key or self.kind,), f"there is no node {name!r} in the graph", hint)
        return name

    def ends(self, text: str) -> tuple[str, str]:
        """Return the two nodes of ``x -> y``."""
        tail, arrow, head = text.partition("->")
        if not arrow or "->" in head:
            raise self.mistake(f"{text!r} does not name two nodes", self.example)
        return self.node(tail), self.node(head)

    def edge(self, text: str) -> tuple[str, str]:
        """Return the edge ``x -> y``."""
        i, j = self.ends(text)
        self.require_edge(i, j)
        return i, j

    def require_edge(self, i: str, j: str) -> None:
        """Raise a mistake if there is no edge (i, j)."""
        if not self.G.has_edge(i, j):
            into = self.G.pred[j]
            hint = f"{j} -> {i} is one" if self.G.has_edge(j, i) else suggestion(i, into, "into it lead")
            raise self.mistake(f"there is no edge {i} -> {j} in the graph", hint)


def number_at(path: Path, raw: Any) -> Fraction:
    """Return the number that stands at `path` of a question."""
    try:
        return read_number(raw).value
    except UnreadableError as error:
        raise MistakeError(path, str(error)) from None


def suggestion(name: str, names: Iterable[Any], listing: str = "there are") -> str:
    """Return a hint at the name that was meant, or at the first names there are."""
    known = list(map(str, names))
    if close := nearest(name, known):
        return f"did you mean {close!r}?"
    return f"{listing} {', '.join(known[:10])}" if known else ""
