"""The text of equations on arrays: read or refused, and written back as it was meant."""

import pytest
from fuzzing import EXAMPLES
from hypothesis import example, given
from hypothesis import strategies as st

import cgraph as cg
from cgraph.model.language.expressions import Name, written
from cgraph.model.language.parsing import parse
from cgraph.model.operations.arrays import ARRAY_OPERATIONS
from cgraph.model.operations.elementwise import FUNCTIONS, row_of

words = st.sampled_from(
    [*sorted(FUNCTIONS), "x", "W", "y(5)", 'y("j-")', "pi", "1", "2", "-1", "0.5", "1e3", "+", "-", "*", "/", "^", "**",
     "@", "<", ">", "<=", ">=", "==", "=", "(", ")", "[", "]", ",", ":", "::", ".T", ".", "axis=", "axis=0", "axis=(0, 1)",
     "axes=", "shape=", "keepdims=", "[0]", "[1, :]", "[::2]", "[[0, 2]]", "[-1:]", "[()]", "...", "None", "True", " "]
)  # fmt: skip

leaves = st.sampled_from(["x", "W", "y(5)", 'y("j-")', "2", "0.5", "pi", "e", "(2)"])
ends = st.one_of(st.just(""), st.integers(-3, 3).map(str))
places = st.one_of(
    st.integers(-3, 3).map(str),
    st.tuples(ends, ends).map(":".join),
    st.tuples(ends, ends, st.sampled_from(["", "2", "-1"])).map(":".join),
    st.lists(st.integers(-3, 3), min_size=1, max_size=3).map(str),
)
axes = st.sampled_from(["0", "-1", "1", "(0, 1)", "(-1, 0)"])


def combine(inner):
    infix = st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "^", "**", "@", "<", ">", "<=", ">="]), inner)
    keys = st.lists(places, min_size=1, max_size=3).map(", ".join)
    calls = st.sampled_from(sorted(FUNCTIONS - {"einsum", "ln", "reshape", "transpose"})).flatmap(
        lambda f: st.lists(inner, min_size=arity(f), max_size=arity(f)).map(lambda xs: f"{f}({', '.join(xs)})")
    )
    with_axis = st.sampled_from([f for f, row in ARRAY_OPERATIONS.items() if "axis" in row.options and f in FUNCTIONS])
    return st.one_of(
        infix.map(lambda t: f"({t[0]}) {t[1]} ({t[2]})"),
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "@", "<", "^"]), inner).map(" ".join),
        inner.map("-{}".format),
        inner.map("({})".format),
        inner.map("({}).T".format),
        st.tuples(inner, keys).map(lambda t: f"({t[0]})[{t[1]}]"),
        calls,
        st.tuples(with_axis, inner, inner, axes).map(
            lambda t: f"{t[0]}({', '.join(t[1 : 1 + (row_of(t[0]).operands or 1)])}, axis={t[3]})"
        ),
        st.tuples(st.sampled_from(["max", "min"]), inner, axes).map(lambda t: f"{t[0]}({t[1]}, axis={t[2]})"),
        st.tuples(inner, st.lists(st.integers(-1, 4), min_size=1, max_size=3)).map(
            lambda t: f"reshape({t[0]}, {', '.join(map(str, t[1]))})"
        ),
        st.tuples(inner, st.sampled_from(["", ", 1, 0", ", (1, 0)", ", axes=(0, 2, 1)", ", axes=0"])).map(
            lambda t: f"transpose({t[0]}{t[1]})"
        ),
    )


def arity(function):
    row = row_of(function)
    if function in ARRAY_OPERATIONS:
        return row.operands or 2
    return len(row.derivatives)


equations = st.recursive(leaves, combine, max_leaves=8)


def meaning(text):
    """Return the steps of an equation without the places where names stand in it."""
    return tuple(step.name if isinstance(step, Name) else step for step in parse(text).steps)


@EXAMPLES
@given(st.lists(words, max_size=12).map("".join))
@example("reshape(x, 2, shape=3)")
@example("reshape(x, (2, 3), 4)")
@example("sum(x, **2)")
@example("x[" + "0, " * 200 + "0]")
def test_random_words_are_an_equation_or_an_equation_error(text):
    try:
        again = meaning(text)
    except cg.EquationError as refused:
        error = refused
    else:
        assert meaning(written(parse(text))[-1]) == again
        return
    assert error.message
    assert 0 <= error.column <= max(0, len(text) - 1)


@EXAMPLES
@given(equations)
@example("(x^2)^3")
@example("x^2^3")
@example("(x < 2) < (2 < W)")
@example("(-x)^2 - (-x - (2 - 1))")
@example("(2)[0] + (x + 1)[0] + exp(x)[0][:, None:2]".replace("None", ""))
@example("reshape(x, 6) + reshape(x, shape=6) + transpose(x, 0)")
def test_what_is_written_is_read_as_the_same_steps(text):
    try:
        steps = meaning(text)
    except cg.EquationError:  # one comparison at a time
        assert sum(map(text.count, "<>")) > 1
        return
    assert meaning(written(parse(text))[-1]) == steps


@pytest.mark.parametrize(
    ("equation", "again"),
    [
        ("x**2", "x ^ 2"), ("(x^2)^3", "(x ^ 2) ^ 3"), ("x^(2^3)", "x ^ (2 ^ 3)"), ("W.T@x", "W.T @ x"),
        ("W[1,:]", "W[1, :]"), ("W[[0,2],::2]", "W[[0, 2], ::2]"), ("max(x)", "max(x)"), ("max(W,axis=0)", "max(W, axis=0)"),
        ("max(x,2)", "max(x, 2)"), ("reshape(x,2,-1)", "reshape(x, 2, -1)"), ("reshape(x,(2,3))", "reshape(x, 2, 3)"),
        ("sum(W,axis=(0,1))", "sum(W, axis=(0, 1))"), ("(x<2)*x", "(x < 2) * x"), ("(a+b)[0]", "(a + b)[0]"),
        ("-x^2", "-x ^ 2"), ("(-x)^2", "(-x) ^ 2"), ("a-(b-c)", "a - (b - c)"), ("(a-b)-c", "a - b - c"),
        ("where(x>0,x,0)", "where(x > 0, x, 0)"), ("einsum('i j, j->i',W,x+1)", 'einsum("ij,j->i", W, x + 1)'),
    ],
)  # fmt: skip
def test_written(equation, again):
    assert written(parse(equation))[-1] == again


@pytest.mark.parametrize(
    ("equation", "message"),
    [
        ("a < b < c", "one comparison at a time"),
        ("(a < b) == c", "unexpected '=='"),
        ("x[1.5]", "'1.5' is not a whole number"),
        ("x[a]", "'a' is not a whole number"),
        ("x[::0]", "'::0' is not a slice"),
        ("x[()]", "an index is missing"),
        ("x[]", "an index is missing"),
        ("x[[]]", "an index is missing"),
        ("x[[[0]]]", "is not a whole number"),
        ("sum(x, axis=1.5)", "'1.5' is not a whole number"),
        ("sum(x, axis=x)", "'x' is not a whole number"),
        ("sum(x, axes=1)", "sum has no option 'axes'"),
        ("sum(x, 1)", "sum takes one operand, not 2"),
        ("exp(x, axis=1)", "exp has no option 'axis'"),
        ("reshape(x)", "reshape needs a shape"),
        ("reshape(x, 2, shape=3)", "reshape takes one shape"),
        ("transpose(x, (1, 0), 2)", "transpose takes one axes"),
        ("stack()", "stack takes one or more operands, not 0"),
        ("x.real", "is not arithmetic"),
        ("x.T.T.S", "is not arithmetic"),
        ("x.sum()", "a function stands by itself"),
        ("[1, 2] + x", "unexpected character '['"),
        ("x = 2", "unexpected character '='"),
        ("sum(x, axis=0, axis=1)", "axis is given twice"),
        ("einsum(x, W)", "einsum: subscripts are letters, as in 'ij,jk->ik'"),
        ("einsum('ij,jk', x, W)", "einsum: subscripts are letters, as in 'ij,jk->ik'"),
        ("einsum('i,j->ij', x)", "einsum: there are subscripts for 2 operands, and 1 operands"),
        ("einsum('ii->', W)", "einsum: a letter stands twice in 'ii'"),
        ("einsum('i->ii', x)", "einsum: a letter stands twice in 'ii'"),
        ("einsum('i->j', x)", "einsum: 'j' stands in no operand"),
        ("einsum(x, 'i->', W)", "einsum: subscripts are letters"),
    ],
)
def test_refused(equation, message):
    with pytest.raises(cg.EquationError, match=message.replace("[", r"\[")):
        parse(equation)
