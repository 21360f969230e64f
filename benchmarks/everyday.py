"""How long the everyday steps take: ``python benchmarks/everyday.py``.

Time of the processor, the least of several runs: reading equations, building, evaluating and linearizing a graph, reading
specs, and whole commands beside the imports that they cannot do without. Prints Markdown.
"""

import io
import os
import random
import resource
import subprocess
import sys
import time
from pathlib import Path

import cgraph as cg
from cgraph.model.language.parsing import parse

QUIZ = Path(__file__).parent.parent / "examples" / "cmu_10301" / "quiz.yaml"
NODES = 5000
FORMULAS = ("{0} * {1} + sin({2})", "exp(-{0}^2) / (1 + {1})", "0.5 * {0} + {1}", "tanh({0})")


def equations(count):
    """Return pairs of name and equation, each of nodes at most 50 places before it."""
    choose = random.Random(0)
    pairs = []
    for k in range(count):
        earlier = [f"n{choose.randrange(max(0, k - 50), k)}" if k else "x" for _ in range(3)]
        pairs.append((f"n{k}", FORMULAS[k % 4].format(*earlier)))
    return pairs


def least_time(function, runs=3):
    """Return the least time of the processor in seconds; equations that were read are forgotten before each run."""
    times = []
    for _ in range(runs):
        parse.cache_clear()
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return min(times)


def build(pairs):
    G = cg.ComputationalGraph()
    G.add_input("x", 0.5)
    for name, equation in pairs:
        G.add_equation(name, equation)
    return G


def as_text(G, format):
    stream = io.StringIO()
    cg.write_spec(G, stream, format=format)
    return stream.getvalue()


def steps():
    """Return what is done with the graph, under its name."""
    pairs = equations(NODES)
    G = build(pairs)
    yaml, json = (as_text(G, format) for format in ("yaml", "json"))
    text = "; ".join(f"{name} = {equation}" for name, equation in pairs)
    return {
        "read the equation": lambda: [parse(equation) for _, equation in pairs],
        "add_equation": lambda: build(pairs),
        "from_equations": lambda: cg.from_equations(text, x=0.5),
        "evaluate": lambda: cg.evaluate(G),
        "linearize": lambda: cg.linearize(G),
        "read_spec, YAML": lambda: cg.read_spec(io.StringIO(yaml), format="yaml"),
        "read_spec, JSON": lambda: cg.read_spec(io.StringIO(json), format="json"),
    }


def least_process_time(argv, runs=7):
    """Return the least time of the processor of a process of Python, with its modules compiled to bytecode."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    times = []
    for _ in range(runs + 1):  # the first one compiles
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *argv], stdout=subprocess.DEVNULL, check=True, env=environment)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(times)


def main():
    print(f"| step, {NODES:,} nodes | µs a node | nodes a second |\n| --- | ---: | ---: |")
    for name, function in steps().items():
        seconds = least_time(function)
        print(f"| {name} | {1e6 * seconds / NODES:.1f} | {NODES / seconds:,.0f} |")
    imports = least_process_time(["-c", "import numpy, networkx"])
    print("\n| process | s | beside `import numpy, networkx` |\n| --- | ---: | ---: |")
    print(f"| import numpy, networkx | {imports:.3f} | 1.00 |")
    for command in (["--help"], ["eval", QUIZ], ["sensitivity", QUIZ], ["paths", QUIZ]):
        seconds = least_process_time(["-m", "cgraph", *command])
        print(f"| cgraph {command[0]} | {seconds:.3f} | {seconds / imports:.2f} |")


if __name__ == "__main__":
    main()
