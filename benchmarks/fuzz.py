"""Coverage-guided fuzzing: ``python benchmarks/fuzz.py TARGET``, TARGET one of those below.

Needs atheris (``pip install atheris``). What is read is untrusted, so whatever the bytes are: a result or an error of
cgraph (`CGraphError`), and nothing else. Other exceptions, and inputs that take longer than ten seconds, end the run and are
kept in a file. Options of libFuzzer follow the target, ``-max_total_time=120`` among them.
"""

import io
import sys
import tempfile
import warnings
from contextlib import suppress
from pathlib import Path

import atheris
import numpy as np

with atheris.instrument_imports(include=["cgraph"]):
    import cgraph as cg
    import cgraph.exercises.grading
    import cgraph.exercises.reading
    import cgraph.specs.writing
    import cgraph.transforms.layers
    from cgraph.specs.array_files import ArrayFiles

EXAMPLES = Path(__file__).parent.parent / "examples"
FORMATS = ("yaml", "json", "toml")
QUIZ = cg.read_exercise(EXAMPLES / "cmu_10301" / "quiz.yaml")
FOLDER = Path(tempfile.mkdtemp())


def a_format(data):
    """Return the format that the first byte chooses, and the rest as text."""
    return FORMATS[data[0] % 3], data[1:].decode("utf-8", "ignore")


def specs(data):
    """Read a spec, evaluate it and differentiate it."""
    format, text = a_format(data)
    G = cg.read_spec(io.StringIO(text), format=format)
    cg.linearize(G)


def equations(data):
    """Read equations, evaluate and differentiate them at 1.5."""
    text = data.decode("utf-8", "ignore")
    names = dict.fromkeys(("x", "z", "a"), 1.5)
    cg.linearize(cg.from_equations(text, **names))


def answers_(data):
    """Read the answers to an exercise and mark them."""
    format, text = a_format(data)
    path = FOLDER / f"answers.{format}"
    path.write_text(text, encoding="utf-8")
    cg.grade(QUIZ, cg.read_answers(path).answers)


def arrays(data):
    """Read an array from a file beside a spec."""
    suffix = ("npy", "npz", "csv")[data[0] % 3]
    (FOLDER / f"a.{suffix}").write_bytes(data[1:])
    ArrayFiles(FOLDER).read(f"a.{suffix}")


def written_back(data):
    """What is read and written is read again, equation by equation and value by value."""
    format, text = a_format(data)
    G = cg.read_spec(io.StringIO(text), format=format)
    for other in FORMATS:
        stream = io.StringIO()
        cg.write_spec(G, stream, format=other)
        H = cg.read_spec(io.StringIO(stream.getvalue()), format=other)
        assert contents(H) == contents(G), (other, stream.getvalue())


def contents(G):
    """Return what a spec says of a graph."""
    nodes = {
        i: (data.get("equation"), repr(data.get("value")) if i in G.inputs else None) for i, data in G.nodes.items()
    }
    return nodes, sorted(G.edges), G.weights, G.outputs


def saved(save):
    """Return a small array as NumPy saves it."""
    stream = io.BytesIO()
    save(stream, np.array([[1.0, 2.0], [3.0, -4e5]]))
    return stream.getvalue()


TARGETS = {"specs": specs, "equations": equations, "answers": answers_, "arrays": arrays, "written-back": written_back}
SEEDS = {
    "specs": [b"\0" + path.read_bytes() for path in EXAMPLES.glob("*/*.yaml")],
    "equations": [b"y = x * z + exp(a/9)^2; w = max(y, 0.5)", b"y = where(x > 1 and not z < 2, sum([x, z] * 2), -x')"],
    "answers": [
        b"\0a: 6\nb: 2(q-1)x\nc: [-1 0 1]\n",
        b"\1" + b'{"student": "ann", "answers": {"a": "6", "d": [1, "?"]}}',
    ],
    "arrays": [b"\0" + saved(np.save), b"\1" + saved(np.savez_compressed), b"\2" + b"1,2\n3,-4e5\n"],
    "written-back": [b"\0" + path.read_bytes() for path in EXAMPLES.glob("*/*.yaml")],
}


def main():
    """Run one target from seeds; libFuzzer prints how many inputs it tried."""
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        sys.exit(f"usage: python benchmarks/fuzz.py {{{','.join(TARGETS)}}} [-max_total_time=SECONDS ...]")
    name = sys.argv.pop(1)
    corpus = Path(tempfile.mkdtemp())
    for k, seed in enumerate(SEEDS[name]):
        (corpus / str(k)).write_bytes(seed)
    warnings.simplefilter("ignore")

    def one_input(data):
        if data:
            with suppress(cg.CGraphError), cg.limits(entries=10_000, total=100_000):
                TARGETS[name](data)

    atheris.Setup([sys.argv[0], "-timeout=10", "-max_len=4096", *sys.argv[1:], str(corpus)], one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
