"""Every error of cgraph as an object: it can be copied and sent from one process to another."""

import copy
import importlib
import pickle
import pkgutil
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import networkx as nx
import pytest

import cgraph as cg
from cgraph.model.errors import CGraphError, Problem

PROBLEM = Problem(3, 5, "node 'y' is defined twice", "rename one", "  y: 1")
ARGUMENTS = {
    "NodeNotFound": ("x1", ["x", "y"]),
    "CycleError": (["a", "b", "a"],),
    "TooManyPathsError": ("x", "y", 10**50, 10),
    "SearchLimitError": (10, 20, ["a", "b"], "1s"),
    "EquationError": ("no operator", "2 x", 2, "write 2*x"),
    "TraceError": ("a branch", "write where(...)", "f.py", 7, "if x > 0:"),
    "SpecError": ("quiz.yaml", [PROBLEM]),
}


def subclasses(kind):
    return {kind}.union(*(subclasses(below) for below in kind.__subclasses__()))


def all_errors():
    for module in pkgutil.walk_packages(cg.__path__, "cgraph."):
        if module.name.startswith(("cgraph.model", "cgraph.exercises", "cgraph.specs", "cgraph.transforms")):
            importlib.import_module(module.name)
    return sorted((kind for kind in subclasses(CGraphError) if kind.__module__.startswith("cgraph.")), key=str)


ERRORS = [kind(*ARGUMENTS.get(kind.__name__, ("what is wrong",))) for kind in all_errors()]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))])
def test_a_copy_of_an_error_says_and_holds_the_same(error, copied):
    error.add_note("while grading")
    again = copied(error)
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert again.args == error.args
    assert vars(again) == vars(error)


def test_there_is_an_error_of_every_kind():
    assert len(ERRORS) >= 18
    assert {type(error).__name__ for error in ERRORS} >= ARGUMENTS.keys()


def raise_again(error):
    raise error


def test_every_error_comes_out_of_a_process_pool():
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        for error in ERRORS:
            with pytest.raises(type(error)) as found:
                pool.submit(raise_again, error).result()
            assert str(found.value) == str(error)


def test_a_node_of_another_type_is_named():
    D = nx.DiGraph([(1, 3)])
    with pytest.raises(
        cg.NodeNotFound, match="^no node '1' in the graph; the node is the integer 1, not the text '1'$"
    ):
        cg.sensitivity(D, "1", "3")
    with pytest.raises(cg.NodeNotFound, match="^no node 7 in the graph; there are 1, 3$"):
        cg.sensitivity(D, 7, 3)
    with pytest.raises(cg.NodeNotFound, match="^no node 'x_1' in the graph; did you mean 'x1'"):
        cg.sensitivity(nx.DiGraph([("x1", 3)]), "x_1", 3)
