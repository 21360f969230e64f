"""Mistakes in specs and on the command line: what is said, exactly, and with which exit status.

The cases are the files in `bad_input`; `helpers/bad_inputs.py` says what they hold, and rewrites them when messages
change on purpose.
"""

import pytest
from bad_inputs import GRAPH, LONG, Case, cases, outcome, transcript

CASES = cases()
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)


@each_case
def test_a_mistake_is_named_exactly(case):
    status, output, messages = outcome(case)
    assert transcript(case, status, messages) == case.path.read_bytes().decode()
    assert "Traceback" not in output + messages
    assert "mistake in cgraph itself" not in messages
    assert status in {2, 3, 4}
    assert not output


def test_every_case_is_run():
    names = [case.id for case in CASES]
    assert len(set(names)) == len(names) >= 490
    assert LONG.keys() <= set(names)
    inputs = [path for path in CASES[0].path.parent.parent.rglob("*.*") if path.suffix != ".txt"]
    assert all(path.with_suffix(".txt").exists() for path in inputs)


def test_a_changed_message_is_noticed(tmp_path):
    path = tmp_path / "wrong.txt"
    path.write_text("$ cgraph eval g.yaml --at x\nanother message\nexit status 2\n")
    case = Case(path, ["eval", "g.yaml", "--at", "x"], GRAPH, "yaml")
    status, _, messages = outcome(case)
    assert transcript(case, status, messages) != path.read_text()


def test_the_commonest_mistakes_of_a_person_who_types_a_spec_are_among_the_cases():
    mistakes = [case for case in CASES if case.path.parent.name == "mistakes"]
    assert len(mistakes) >= 50
