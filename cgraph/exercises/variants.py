"""An exercise with other numbers for every student: drawn by a hash, and nice to compute with."""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, pairwise
from typing import IO, Any, NamedTuple

import numpy as np

from cgraph.algorithms.paths import count_paths, paths
from cgraph.exercises.answers import no_name
from cgraph.exercises.exercise import Exercise, truth_of
from cgraph.exercises.numbers import show_fraction
from cgraph.exercises.parts import Sensitivity
from cgraph.exercises.reading import exercise_of, with_graph
from cgraph.model.errors import CGraphError, nearest
from cgraph.model.evaluation import linearize, steps_of
from cgraph.model.graph import ComputationalGraph
from cgraph.model.language.expressions import Apply
from cgraph.model.operations.elementwise import OPERATIONS
from cgraph.model.rules.generate import functions_of
from cgraph.model.tasks import in_order
from cgraph.specs.documents import Document, Path
from cgraph.specs.formats import parse_document
from cgraph.specs.reading import read_document
from cgraph.specs.writing import to_json

__all__ = ["Variants", "vary"]

MOST_DRAWS = 1000
MOST_VALUES = 10**9  # of one grid
MOST_PATHS = 1000  # whose products are compared
MARGIN = 0.05  # between an operand and the kink of its operation
MAGNITUDE = (Fraction(1, 1000), Fraction(10_000))  # of an answer
SAME = 1e-9  # relative: what is equal but for rounding, on any machine
SLACK = Fraction(1, 10**9)  # likewise
_TOGETHER = 8  # students whose numbers a task draws
EXAMPLE = "write x: [0.5, 3.0, 0.5], which is from, to, step"


@dataclass(frozen=True)
class Grid:
    """The values low, low + step, ..., of which there are `count`; exact, so that they are short decimals."""

    low: Fraction
    step: Fraction
    count: int

    def __getitem__(self, k: int) -> float:
        return float(self.low + k * self.step)


def vary(
    source: str | os.PathLike[str] | IO[Any],
    student: str | Sequence[str],
    *,
    format: str | None = None,
    executor: Executor | None = None,
) -> dict[str, Any]:
    r"""Return an exercise with other numbers, which follow from the name of the student.

    Parameters
    ----------
    source : path or stream
        An exercise that declares under ``vary`` from where to where inputs and weights are drawn, and in what steps.
    student : str or sequence of str
        Who gets the numbers. The same student gets the same numbers on every machine.
    format : {"yaml", "json", "toml"}, optional
        By default what the file's suffix says, else YAML.
    executor : concurrent.futures.Executor, optional
        A pool of workers, for several students: the exercise is sent to them once, and each task is eight students.

    Returns
    -------
    dict
        Of several students, ``{student: exercise}``. The exercise as plain data, which `to_yaml` and `to_json` of ``cgraph.specs.writing`` write. What was drawn
        stands under ``inputs`` and ``weights``, the seed under ``variant``; given answers are left out, except for
        those of choices, so that the graph says what is right.

    Raises
    ------
    SpecError
        With every mistake of the file.
    CGraphError
        If none of 1,000 draws passes the filters; the message names the filter that failed most. Or if workers end before
        their tasks are done.
    OSError
        If a file cannot be opened.

    Notes
    -----
    Entry k of node i is value number h mod n of its grid, h the SHA-256 of salt, text, student, draw, i and k as JSON.
    A draw is refused, and the next one tried, if the graph cannot be evaluated, an operand of abs, sign, relu,
    leaky_relu, hard_tanh, max or min is within 0.05 of the kink, an answer is not within ``magnitude`` (by default
    0.001 to 10,000 in absolute value), or two paths of a sensitivity that is asked for have the same product.

    Examples
    --------
    >>> import io
    >>> text = "inputs: {x: 2.0}\nnodes: {y: x^2}\nask: [{id: a, d: y/x}]\nvary: {x: [0.5, 3.0, 0.5]}"
    >>> variant = vary(io.StringIO(text), "ada")
    >>> variant["inputs"], variant["variant"]
    ({'x': 2.0}, {'student': 'ada', 'draw': 0})
    """
    are_many = isinstance(student, Sequence) and not isinstance(student, str)
    students: list[Any] = list(student) if are_many else [student]
    for one in students:
        if reason := no_name(one):
            raise CGraphError(reason)
    document = read_document(source, format=format)
    variants = Variants.of_document(document, source, exercise_of(document, source))
    if not are_many:
        return variants.of(students[0])
    tasks = ((students[k : k + _TOGETHER],) for k in range(0, len(students), _TOGETHER))
    parts = in_order(executor, _of_students, tasks, about=variants)
    return dict(zip(students, chain.from_iterable(parts), strict=True))


def _of_students(variants: Variants, students: list[str]) -> list[dict[str, Any]]:
    return [variants.of(student) for student in students]


@dataclass(frozen=True)
class Variants:
    """The variants of an exercise, which is read once for all students."""

    exercise: Exercise
    data: dict[str, Any]
    text: str
    path: str
    grids: dict[str, Grid]
    magnitude: tuple[Fraction, Fraction]

    @classmethod
    def of_document(cls, document: Document, source: Any, exercise: Exercise) -> Variants:
        """Read what varies; raises SpecError with every mistake in it."""
        data = with_graph(document.data, source)
        grids, magnitude = _declared(document, exercise.graph, data)
        document.raise_problems()
        text = "\n".join(line.rstrip() for line in document.lines)
        path = os.fspath(source) if isinstance(source, str | os.PathLike) else ""
        return cls(exercise, data, text, path, grids, magnitude)

    def exercise_of(self, student: str) -> Exercise:
        """Return the exercise with the numbers of a student."""
        document = parse_document(to_json(self.of(student)), "json", f"the variant of {student}")
        return exercise_of(document, self.path or io.StringIO())

    def of(self, student: str) -> dict[str, Any]:
        """Return the data of the exercise with the numbers of a student."""
        refused: Counter[str] = Counter()
        details: dict[str, str] = {}
        for draw in range(MOST_DRAWS):
            seed = [str(self.data.get("salt", "")), self.text, student, draw]
            drawn = {i: _drawn(grid, seed, i, self.exercise.graph) for i, grid in self.grids.items()}
            found = next(_refusals(self.exercise, drawn, self.magnitude), None)
            if found is None:
                return _written(self.data, drawn, student, draw)
            refused[found.filter] += 1
            details[found.filter] = found.detail
        raise _none_will_do(refused, details)


def _none_will_do(refused: Counter[str], details: Mapping[str, str]) -> CGraphError:
    filter, often = refused.most_common(1)[0]
    return CGraphError(
        f"none of {MOST_DRAWS:,} draws will do; in {often:,} of them {filter}, in the last of these {details[filter]}; "
        f"declare other ranges under 'vary'"
    )


class _Refusal(NamedTuple):
    """Which filter a draw has failed, and where."""

    filter: str
    detail: str


def _declared(
    document: Document, G: ComputationalGraph, data: dict[str, Any]
) -> tuple[dict[str, Grid], tuple[Fraction, Fraction]]:
    """Read ``vary`` and ``magnitude``; what is wrong with them is recorded."""
    declared = data.get("vary")
    if not isinstance(declared, dict) or not declared:
        document.report(("vary",), "the exercise does not say what varies", "write vary: {x: [0.5, 3.0, 0.5]}")
        declared = {}
    grids = {}
    for i, given in declared.items():
        if _section(data, i) is None:
            known = [j for j in (*G.inputs, *G.weights) if _section(data, j) is not None]
            close = nearest(i, known)
            hint = f"did you mean {close!r}?" if close else f"what can vary: {', '.join(known)}"
            document.report(("vary", i), f"{i!r} stands neither under inputs nor under weights", hint, at_key=True)
        elif (grid := _grid(document, ("vary", i), given)) is not None:
            grids[i] = grid
    if type(data.get("salt", "")) not in {str, int}:
        document.report(("salt",), "the salt must be a word or a whole number", "write salt: spring")
    magnitude = MAGNITUDE
    if "magnitude" in data:
        ends = _numbers(data["magnitude"], 2)
        if ends is None or not 0 <= ends[0] < ends[1]:
            hint = "write magnitude: [0.001, 10000]"
            document.report(("magnitude",), "'magnitude' must be the least and the largest size of an answer", hint)
        else:
            magnitude = (ends[0], ends[1])
    return grids, magnitude


def _grid(document: Document, path: Path, given: Any) -> Grid | None:
    numbers = _numbers(given, 3)
    if numbers is None:
        document.report(path, f"{path[-1]!r} must vary over a list of three numbers", EXAMPLE)
        return None
    low, high, step = numbers
    if step <= 0 or high < low:
        document.report(path, f"{path[-1]!r} must vary upwards, in positive steps", EXAMPLE)
        return None
    count = int((high - low) / step) + 1
    if count > MOST_VALUES:
        document.report(path, f"{path[-1]!r} takes {count:,} values; the limit is {MOST_VALUES:,}", "take larger steps")
        return None
    return Grid(low, step, count)


def _numbers(given: Any, length: int) -> list[Fraction] | None:
    """Return a list of so many finite numbers as the decimals that were written, or None if it is none."""
    if not isinstance(given, list) or len(given) != length:
        return None
    if not all(type(x) in {int, float} and abs(x) <= 1e100 for x in given):
        return None
    return [Fraction(repr(x)) for x in given]


def _section(data: Mapping[str, Any], i: str) -> dict[str, Any] | None:
    """Return the part of the file that holds the value of an input or weight."""
    network = data.get("network") or {}
    for section in (data.get("inputs"), data.get("weights"), network.get("inputs")):
        if isinstance(section, dict) and i in section:
            return section
    return None


def _drawn(grid: Grid, seed: list[Any], i: str, G: ComputationalGraph) -> Any:
    """Return the value of node i, in the shape that it has."""
    shape = np.shape(G.nodes[i]["value"])
    entries = [grid[_hashed([*seed, i, k]) % grid.count] for k in range(math.prod(shape))]
    return np.reshape(entries, shape).tolist() if shape else entries[0]


def _hashed(parts: list[Any]) -> int:
    return int.from_bytes(hashlib.sha256(json.dumps(parts).encode()).digest(), "big")


def _refusals(exercise: Exercise, drawn: dict[str, Any], magnitude: tuple[Fraction, Fraction]) -> Iterator[_Refusal]:
    """Yield why a draw will not do."""
    low, high = magnitude
    try:
        L = linearize(exercise.graph, drawn)
        yield from _kinks(L)
        for q in exercise.questions:
            for part in q.parts.values():
                size = abs(truth_of(part, L))
                if not part.is_count and not low - SLACK * low <= size <= high + SLACK * high:
                    ends = f"{show_fraction(low)} to {show_fraction(high)}"
                    yield _Refusal(f"an answer was not in the range of {ends} in size", f"{part}")
                if isinstance(part, Sensitivity) and _has_equal_paths(L, part):
                    yield _Refusal("two paths had the same product", f"two from {part.s} to {part.t}")
    except CGraphError as error:
        yield _Refusal("the graph could not be evaluated", f"because {error}")


def _kinks(L: ComputationalGraph) -> Iterator[_Refusal]:
    y = dict(L.nodes(data="value"))
    for j, data in L.nodes(data=True):
        steps: list[tuple[str, list[Any]]] = []
        if "expression" in data:
            v = steps_of(data["expression"], y, j)
            steps = [
                (step.operation, [v[k] for k in step.operands])
                for step in data["expression"].steps
                if isinstance(step, Apply)
            ]
        elif "activation" in data:
            steps = [(data["activation"], [data["preactivation"]])]
        for operation, operands in steps:
            kinks = functions_of(OPERATIONS[operation]).kinks if operation in OPERATIONS else ()
            if any(np.any(np.abs(kink(*operands)) < MARGIN * (1 - SAME)) for kink in kinks):
                yield _Refusal("an operand was too near a kink", f"that of {operation} at node {j!r}")


def _has_equal_paths(L: ComputationalGraph, part: Sensitivity) -> bool:
    """Whether two paths have the same product; where paths are many, nobody adds them up by hand."""
    if count_paths(L, part.s, part.t) > MOST_PATHS:
        return False
    products = [product for _, product in paths(L, part.s, part.t)]
    return any(abs(a - b) <= SAME * max(abs(a), abs(b)) for a, b in pairwise(sorted(products)))


def _written(data: dict[str, Any], drawn: dict[str, Any], student: str, draw: int) -> dict[str, Any]:
    """Return the file's data with the values that were drawn."""
    variant = {key: part for key, part in data.items() if key not in {"vary", "magnitude", "salt", "ask"}}
    if "network" in variant:
        variant["network"] = dict(data["network"])
    for where in (variant, variant.get("network") or {}):
        for section in {"inputs", "weights"} & where.keys():
            if isinstance(where[section], dict):
                where[section] = {i: drawn.get(i, value) for i, value in where[section].items()}
    variant["ask"] = [{k: v for k, v in entry.items() if k != "answer" or "choice" in entry} for entry in data["ask"]]
    salt = {"salt": data["salt"]} if "salt" in data else {}
    return variant | {"variant": {**salt, "student": student, "draw": draw}}
