"""Python functions in machine code that call straight programs directly.

Python calls such a function with the addresses of two things: of the object that the function belongs to, and of a row of
arguments. The object is here an array of integers, the table of one program, so that one text serves all programs.
Arrays are read as NumPy's own header file does (``PyArrayObject_fields``): after what every object of Python begins with
come the address of the numbers, the number of axes, and the address of the shape. Nothing is checked: whoever calls passes
arrays of float64 that lie one after the other, of the shapes that the program fills.
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

    def read(name: str, base: str, offset: int) -> list[str]:
        return [
            f"  %{name}_at = add i64 {base}, {offset}",
            f"  %{name}_to = inttoptr i64 %{name}_at to {word}",
            f"  %{name} = load i64, {word} %{name}_to",
        ]

    def of_table(*names: str) -> list[str]:
        return [line for name in names for line in read(name, "%table", 8 * _TABLE.index(name))]

    def call(result: str, program: str, x: Sequence[str], points: str) -> list[str]:
        function = "ptr" if pointer == "ptr" else f"i64 ({', '.join(['i64'] * 5)})*"
        return [
            f"  %{program}_function = inttoptr i64 %{program} to {function}",
            f"  %{result} = call i64 %{program}_function({', '.join(f'i64 {x_k}' for x_k in x)}, i64 {points})",
        ]

    names = [f"%{name}" for name in _ARRAYS]
    signature = ", ".join(f"i64 {name}" for name in ("%table", *names, "%points"))
    begin = read("table", "%self", _DATA)
    arguments = [
        line
        for k, name in enumerate(_ARRAYS)
        for line in (*read(f"{name}_array", "%arguments", 8 * k), *read(name, f"%{name}_array", _DATA))
    ]
    bound = [*begin, *of_table(*_ARRAYS, "points")]
    after = [
        line
        for name in ("x", "values", "jacobian")
        for line in (
            f"  %{name}_done = mul i64 %whole, %bytes_{name}",
            f"  %{name}_rest = add i64 %{name}, %{name}_done",
        )
    ]
    text = [
        f"define internal i64 @run({signature}) {{",
        "entry:",
        f"  %blocks = udiv i64 %points, {WIDTH}",
        f"  %whole = mul i64 %blocks, {WIDTH}",
        "  %left = sub i64 %points, %whole",
        "  %has_blocks = icmp ne i64 %blocks, 0",
        "  br i1 %has_blocks, label %whole_blocks, label %rest",
        "whole_blocks:",
        *of_table("lanes"),
        *call("of_blocks", "lanes", names, "%blocks"),
        "  br label %rest",
        "rest:",
        "  %so_far = phi i64 [1, %entry], [%of_blocks, %whole_blocks]",
        "  %has_rest = icmp ne i64 %left, 0",
        "  br i1 %has_rest, label %one_by_one, label %end",
        "one_by_one:",
        *of_table("one", "bytes_x", "bytes_values", "bytes_jacobian"),
        *after,
        *call("of_rest", "one", ["%x_rest", "%given", "%values_rest", "%jacobian_rest"], "%left"),
        "  %both = and i64 %so_far, %of_rest",
        "  br label %end",
        "end:",
        "  %is_finite = phi i64 [%so_far, %rest], [%both, %one_by_one]",
        f"  %truth = call i64 inttoptr (i64 {truth} to {'ptr' if pointer == 'ptr' else 'i64 (i64)*'})(i64 %is_finite)",
        "  ret i64 %truth",
        "}",
    ]
    run = f"  %result = call i64 @run({signature})"
    one = run.replace("%points", "1")
    for name, lines in zip(
        CALLS,
        (
            [*begin, *arguments, one],
            [*begin, *arguments, *read("shape", "%x_array", _SHAPE), *read("points", "%shape", 0), run],
            [*bound, run],
        ),
        strict=True,
    ):
        parameters = "i64 %self, i64 %arguments" + ("" if name == "call_bound" else ", i64 %count")
        text += [f"define i64 @{name}({parameters}) {{", *lines, "  ret i64 %result", "}"]
    return "\n".join(text)
