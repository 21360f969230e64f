"""Python functions in machine code that call straight programs directly.

Python calls such a function with two addresses: of the object that the function belongs to, and of a row of arguments. The
object is here an array of integers, the table of one program, so that one text serves all programs. Arrays are read as C
code does by NumPy's header files (``PyArrayObject_fields``): what every object of Python begins with, then the address of
the numbers, the number of axes, and the address of the shape. Nothing is checked: the caller must pass contiguous arrays
of float64, of the shapes that the program fills.
"""

from __future__ import annotations

from collections.abc import Sequence

from cgraph.algorithms.compiled.simd import WIDTH

__all__ = ["CALLS", "calls_code"]

CALLS = ("call_one", "call_many", "call_bound")
_DATA = object.__basicsize__  # where in an array the address of its numbers stands
_SHAPE = _DATA + 16
_ARRAYS = ("x", "given", "values", "jacobian")
# The entries of a table: programs, bytes of a point in each array that has a row for each point, arrays, points.
_TABLE = ("one", "lanes", "bytes_x", "bytes_values", "bytes_jacobian", *_ARRAYS, "points")


def calls_code(pointer: str, truth: int) -> str:
    """Return the text of `CALLS`, which return True if all that was filled is finite, else False.

    Parameters
    ----------
    pointer : str
        As of `straight_code`.
    truth : int
        The address of ``PyBool_FromLong``.

    Notes
    -----
    `call_one` takes x, what is given, values and Jacobian of one point; `call_many` those of as many points as x has rows;
    `call_bound` takes nothing, and finds the arrays in the table.
    """
    word = "ptr" if pointer == "ptr" else "i64*"
    signature = ", ".join(f"i64 %{name}" for name in ("table", *_ARRAYS, "points"))
    table = _read("table", "%self", _DATA, word)
    arguments = [
        line
        for k, name in enumerate(_ARRAYS)
        for line in (
            *_read(f"{name}_array", "%arguments", 8 * k, word),
            *_read(name, f"%{name}_array", _DATA, word),
        )
    ]
    points = [*_read("shape", "%x_array", _SHAPE, word), *_read("points", "%shape", 0, word)]
    bodies = {
        "call_one": [*table, *arguments, "  %points = add i64 0, 1"],
        "call_many": [*table, *arguments, *points],
        "call_bound": [*table, *_of_table(word, *_ARRAYS, "points")],
    }
    text = [f"define internal i64 @run({signature}) {{", *_run(word, truth), "}"]
    for name in CALLS:
        text += [
            f"define i64 @{name}(i64 %self, i64 %arguments{', i64 %count' if name != 'call_bound' else ''}) {{",
            *bodies[name],
            f"  %result = call i64 @run({signature})",
            "  ret i64 %result",
            "}",
        ]
    return "\n".join(text)


def _run(word: str, truth: int) -> list[str]:
    """Return the lines that call the program of many points for whole blocks, and that of one point for the rest."""
    arrays_of_points = ("x", "values", "jacobian")
    rest = [
        line
        for name in arrays_of_points
        for line in (
            f"  %{name}_done = mul i64 %whole, %bytes_{name}",
            f"  %{name}_rest = add i64 %{name}, %{name}_done",
        )
    ]
    of_rest = [f"%{name}_rest" if name in arrays_of_points else f"%{name}" for name in _ARRAYS]
    return [
        "entry:",
        f"  %blocks = udiv i64 %points, {WIDTH}",
        f"  %whole = mul i64 %blocks, {WIDTH}",
        "  %left = sub i64 %points, %whole",
        "  %has_blocks = icmp ne i64 %blocks, 0",
        "  br i1 %has_blocks, label %by_blocks, label %then",
        "by_blocks:",
        *_of_table(word, "lanes"),
        *_call("of_blocks", "lanes", [f"%{name}" for name in _ARRAYS], "%blocks", word),
        "  br label %then",
        "then:",
        "  %so_far = phi i64 [1, %entry], [%of_blocks, %by_blocks]",
        "  %has_rest = icmp ne i64 %left, 0",
        "  br i1 %has_rest, label %one_by_one, label %end",
        "one_by_one:",
        *_of_table(word, "one", "bytes_x", "bytes_values", "bytes_jacobian"),
        *rest,
        *_call("of_rest", "one", of_rest, "%left", word),
        "  %both = and i64 %so_far, %of_rest",
        "  br label %end",
        "end:",
        "  %is_finite = phi i64 [%so_far, %then], [%both, %one_by_one]",
        f"  %truth = inttoptr i64 {truth} to {'ptr' if word == 'ptr' else 'i64 (i64)*'}",
        "  %result = call i64 %truth(i64 %is_finite)",
        "  ret i64 %result",
    ]


def _read(name: str, base: str, offset: int, word: str) -> list[str]:
    """Return the lines that read an integer."""
    return [
        f"  %{name}_at = add i64 {base}, {offset}",
        f"  %{name}_to = inttoptr i64 %{name}_at to {word}",
        f"  %{name} = load i64, {word} %{name}_to",
    ]


def _of_table(word: str, *names: str) -> list[str]:
    return [line for name in names for line in _read(name, "%table", 8 * _TABLE.index(name), word)]


def _call(result: str, program: str, arrays: Sequence[str], blocks: str, word: str) -> list[str]:
    """Return the lines that call a program of the table."""
    function = "ptr" if word == "ptr" else f"i64 ({', '.join(['i64'] * 5)})*"
    operands = ", ".join(f"i64 {operand}" for operand in (*arrays, blocks))
    return [
        f"  %{program}_program = inttoptr i64 %{program} to {function}",
        f"  %{result} = call i64 %{program}_program({operands})",
    ]
