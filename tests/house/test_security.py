"""SECURITY.md says what the code enforces."""

import inspect
import re
from pathlib import Path

import pytest

import cgraph as cg
from cgraph.cli import elimination_command, parser
from cgraph.exercises import answers, class_marking, numbers, variants
from cgraph.exercises.reading import ask
from cgraph.exercises.solutions import solving
from cgraph.frontends import edge_table, graph_files, onnx_files, onnx_models, onnx_sequences, xml_graphs
from cgraph.model.language import names, source
from cgraph.model.limits import Limits
from cgraph.model.rules import own_functions
from cgraph.specs import array_files, formats, node_values, yaml_documents
from cgraph.stored import folder
from cgraph.training import columns
from cgraph.transforms import scalars

TEXT = (Path(__file__).parent.parent.parent / "SECURITY.md").read_text(encoding="utf-8")
ENFORCED = {
    "entries of one array or of a Jacobian that is written out": Limits().entries,
    "entries of all values of one evaluation, or of all arrays that a spec names": Limits().total,
    "seconds of a command": parser.SECONDS,
    "paths that are listed": inspect.signature(cg.paths).parameters["limit"].default,
    "bytes of a spec in YAML": formats.MAX_BYTES["yaml"],
    "bytes of a spec in TOML": formats.MAX_BYTES["toml"],
    "bytes of a spec in JSON": formats.MAX_BYTES["json"],
    "depth of nesting of a spec": yaml_documents.MAX_DEPTH,
    "parts of a YAML document, aliases counted each time": yaml_documents.MAX_PARTS,
    "characters of an equation": source.MAX_LENGTH,
    "depth of nesting of an equation": source.MAX_DEPTH,
    "characters of a name": names.MAX_NAME,
    "axes of an array": node_values.MAX_AXES,
    "bytes of an array in CSV": array_files.MAX_CSV_BYTES,
    "characters of a line of data": columns.MAX_LINE,
    "characters of a file of answers": answers.MAX_TEXT,
    "characters of one answer that is a number": numbers.MAX_TEXT,
    "questions of an exercise": ask.MAX_QUESTIONS,
    "entries of an array in a question": ask.MAX_ENTRIES,
    "draws of a variant": variants.MOST_DRAWS,
    "operations of a formula that is written out": solving.MOST_OPERATIONS,
    "operations of a user-defined function, written out": own_functions.MOST_OPERATIONS,
    "entries of a graph that `scalarize` makes": scalars.MOST,
    "bytes of a table of edges": graph_files.MAX_BYTES,
    "edges of a compiled graph from a file": edge_table.MAX_EDGES,
    "edges of a graph of dicts from a file": edge_table.MAX_DICT_EDGES,
    "characters of a graph in XML": xml_graphs.MAX_CHARACTERS,
    "bytes of a model of ONNX": onnx_files.MAX_BYTES,
    "nodes of a model of ONNX, loops written out": onnx_models.MAX_NODES,
    "parts of a sequence of ONNX": onnx_sequences.MAX_PARTS,
    "bytes of `meta.json` of a stored graph": folder._MOST_META,
    "bytes of an order of elimination": elimination_command.MAX_ORDER_BYTES,
}
ROWS = dict(re.findall(r"^\| ([a-z].*?) \| ([\d,]+) \|", TEXT, re.MULTILINE))


def test_every_limit_of_the_tables_is_enforced():
    assert set(ROWS) == set(ENFORCED)


@pytest.mark.parametrize("what", ENFORCED)
def test_the_value_is_that_of_the_code(what):
    assert int(ROWS[what].replace(",", "")) == ENFORCED[what]


def test_the_time_of_a_file_of_a_class():
    assert f"each file may take {class_marking.SECONDS_PER_FILE} seconds" in TEXT


def test_documents_that_it_names_exist():
    root = Path(__file__).parent.parent.parent
    for path in re.findall(r"`((?:docs|benchmarks|tests)/[\w./]+)`", TEXT):
        assert (root / path).exists(), path
