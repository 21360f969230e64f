"""Questions about budgets of uncertainty: what is right, what is wrong, and what cannot be asked."""

import io

import pytest

import cgraph as cg

QUIZ = """
inputs: {V: 10.0, I: 2.0}
nodes: {R: V / I}
uncertainty: {V: 0.3, I: 0.08}
ask:
  - {id: a, u: R}
  - {id: b, component: R/V}
  - {id: c, component: R/I}
"""


def test_right_and_wrong():
    exercise = cg.read_exercise(io.StringIO(QUIZ))
    right = cg.grade(exercise, {"a": 0.25, "b": 0.15, "c": -0.2})
    assert [item.status for item in right.items] == ["right"] * 3
    wrong = cg.grade(exercise, {"a": 0.35, "b": 0.15, "c": 0.2})  # 0.15 + 0.2, added without squares
    assert [item.status for item in wrong.items] == ["wrong", "right", "wrong"]
    assert "sign" in " ".join(m.what for part in wrong["c"].parts for m in part.mistakes)


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ("u: q", "there is no node 'q' in the graph"),
        ("component: R", "'R' is no derivative"),
        ("component: R/R", "node 'R' has no uncertainty"),
    ],
)
def test_what_cannot_be_asked(question, message):
    text = QUIZ[: QUIZ.index("ask:")] + f"ask:\n  - {{id: a, {question}}}\n"
    with pytest.raises(cg.SpecError, match=message):
        cg.read_exercise(io.StringIO(text))


def test_a_spec_without_uncertainties_has_no_budget():
    text = QUIZ.replace("uncertainty: {V: 0.3, I: 0.08}\n", "")
    with pytest.raises(cg.SpecError, match="no node has an uncertainty"):
        cg.read_exercise(io.StringIO(text))


def test_a_worked_solution_ends_with_the_budget():
    solution = cg.solve(cg.read_exercise(io.StringIO(QUIZ)).graph, "V", "R")
    assert "Uncertainty: u(R) = 0.25, the root of the sum of the squared components" in str(solution)
    assert solution.budget.components["R"] == {"V": 0.15, "I": -0.2}
    assert cg.solve(cg.from_equations("y = 2*x", x=1.0), "x", "y").budget is None
