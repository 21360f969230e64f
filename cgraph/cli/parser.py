"""What can be typed. Nothing heavy is imported here: `--help` must be quick."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence
from typing import Any

from cgraph import __version__
from cgraph.cli.arguments import Parser, binding, budget, count, limit, node, number, words
from cgraph.vocabulary import COSTS, DESCENTS, LAYOUTS, METHODS, PICTURE_FORMATS, SHOWN, SPEC_FORMATS, TRANSFORMS

__all__ = ["build_parser"]

SECONDS = 300.0  # that a command may take unless --limit says otherwise

BUDGET_PARTS = ("input", "group", "node", "edge", "path")
FORMATS = ("text", "json", "csv", "markdown", "latex")
SHEET_FORMATS = ("text", "markdown", "html", "latex", "yaml", "csv")
GRADE_FORMATS = ("text", "markdown", "json", "csv", "moodle", "canvas", "junit", "gradescope")

DESCRIPTION = """\
Derivatives on explicit computational graphs: the sensitivity S(s,t) = dy(t)/dy(s) of any
node t to any other node s, the paths that make it up, and numerical checks.
"""

EPILOG = """\
examples:
  cgraph sensitivity quiz.yaml --from x --to y     one derivative of the graph in a file
  cgraph paths quiz.yaml --to y --top 3            the three strongest paths from each input to y
  cgraph eval -e "a = x*z; y = exp(a)" --at x=2 --at z=3    no file at all

A SPEC is a file of YAML, JSON or TOML, or - for standard input:
  inputs: {x: 2.0, z: 3.0}
  nodes:
    a: x * z
    y: exp(a) + a / log(x)
`cgraph schema` prints the JSON Schema of the format, for editors.

exit status:
  0  done                    3  the spec or an equation is wrong
  1  a check or answer fails 4  it cannot be computed (cycle, domain, overflow, too many paths)
  2  wrong command line      130  interrupted
"""


class _Unbuilt:
    """Stands for the parser of a command that was not typed: its options need not be known."""

    def add_argument(self, *args: Any, **options: Any) -> None:
        """Do nothing."""


def build_parser(typed: str | None = None) -> Parser:
    """Return the parser of the whole command line, or what it needs of it if a command is `typed`."""
    parser = Parser(prog="cgraph", description=DESCRIPTION, epilog=EPILOG)
    parser.add_argument("--version", action="version", version=f"cgraph {__version__}")
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND")

    def command(name: str, summary: str, module: str = "graph_commands", seconds: float = SECONDS) -> Any:
        if typed not in {None, name}:
            return _Unbuilt()
        description = f"{summary[0].upper()}{summary[1:]}."
        sub = commands.add_parser(name, help=summary, description=description)
        sub.set_defaults(module=f"cgraph.cli.{module}", parser=sub, seconds=seconds)
        sub.add_argument("--debug", action="store_true", help="show the traceback of an error")
        sub.add_argument("--limit", type=limit, action="append", default=[], metavar="NAME=N",
                         help="another limit: entries of an array, entries in total, or seconds; may be repeated")  # fmt: skip
        return sub

    _add_spec(command("show", "list nodes, edges and the order of evaluation"))
    _add_spec(command("eval", "evaluate every node: the forward pass"))
    _add_sensitivity_commands(command)
    _add_spec(command("check", "compare every derivative with numerical differentiation"))
    _add_exercise_commands(command)
    _add_network_commands(command)
    sub = command(
        "eliminate", "accumulate the Jacobian by elimination, in an order that costs little", "elimination_command"
    )
    _add_spec(sub)
    sub.add_argument(
        "--from", dest="s", metavar="S", type=node, action="append", help="an input; may be repeated (default: all)"
    )
    sub.add_argument(
        "--to", dest="t", metavar="T", type=node, action="append", help="an output; may be repeated (default: all)"
    )
    sub.add_argument("--method", choices=METHODS, default="markowitz", help="how to choose (default: %(default)s)")
    sub.add_argument(
        "--budget", type=budget, metavar="B", help="for anneal and optimal: evaluations, or a time as in 10s"
    )
    sub.add_argument("--seed", type=int, default=0, metavar="N", help="for anneal and optimal (default: 0)")
    sub.add_argument(
        "--restarts", type=count, default=1, metavar="N", help="searches of anneal, from as many seeds (default: 1)"
    )
    sub.add_argument(
        "--cost", choices=COSTS, default="standard",
        help="unit: what is +1 or -1 by structure is not multiplied with (default: %(default)s)",
    )  # fmt: skip
    sub.add_argument("--order", metavar="FILE", help="take the order from a file that -o has written")
    _add_output(sub, "where to write the order, as JSON; - is standard output, in place of the tables", default=None)
    _add_uncertainty_commands(command)
    _add_picture_commands(command)
    command("schema", "print the JSON Schema of a spec", "assistance")
    sub = command("completion", "print a completion script for a shell", "assistance")
    sub.add_argument("shell", choices=["bash", "zsh", "fish"])
    return parser if commands.choices else build_parser()  # so that a misspelled command is told which there are


def _add_sensitivity_commands(command: Callable[..., argparse.ArgumentParser]) -> None:
    sub = command(
        "sensitivity",
        "differentiate one node with respect to all, or all with respect to one",
    )
    _add_spec(sub)
    _add_many_ends(sub, "without --from, by every node; without --to, every node; without both, outputs by inputs")
    sub.add_argument("--layout", choices=LAYOUTS, default=LAYOUTS[0],
                     help="of a Jacobian: a row for each entry of T, or a column (default: %(default)s)")  # fmt: skip
    _add_relative(sub)
    _add_order(sub, ("order", "abs", "name"), "sensitivities")
    sub.add_argument(
        "--verbose", action="store_true", help="with one --from and --to: say which sweep was taken, and why"
    )
    _add_chart(sub, "with --to, the sensitivities to the inputs and weights, the largest above,")
    sub.add_argument("--workers", type=count, metavar="N", help="of a stored graph: share the pairs out to N processes")
    sub.add_argument(
        "--cluster", metavar="ADDRESS", help="of a stored graph: to a cluster of Dask, as in tcp://host:8786"
    )
    sub = command("paths", "list the paths from node to node with the product of the derivatives along each")
    _add_spec(sub)
    _add_many_ends(sub, "by default every input and weight, and every output")
    _add_relative(sub)
    sub.add_argument("--top", type=count, metavar="K", help="only the K paths with the largest |product|")
    _add_chart(sub, "the products of the paths")
    sub.add_argument("--log", action="store_true", help="with --chart: a symmetric logarithmic axis")
    sub = command("edges", "show how much of a sensitivity flows through each edge", "flow_commands")
    _add_spec(sub)
    _add_many_ends(sub, "by default every input and weight, and every output")
    _add_relative(sub)
    _add_order(sub, ("abs", "flow", "name"), "edges")
    sub = command(
        "effects", "split a sensitivity into what is direct and what goes through other nodes", "flow_commands"
    )
    _add_spec(sub)
    _add_many_ends(sub, "by default every input and weight, and every output")
    _add_relative(sub)
    sub.add_argument("--covariance", metavar="FILE", help="of estimated numbers on edges, for standard errors: "
                     "edges and their matrix, in YAML, JSON or TOML")  # fmt: skip


def _add_exercise_commands(command: Callable[..., argparse.ArgumentParser]) -> None:
    sub = command("solve", "write the worked solution of a sensitivity, step by step", "exercise_commands")
    _add_spec(sub, formats=("text", "markdown", "latex", "json"))
    _add_ends(sub, "without --from, by every node; without --to, the only output")
    sub.add_argument("--exact", action="store_true", help="compute with fractions")
    sub.add_argument("--symbolic", action="store_true", help="add S as formulas (needs the extra: symbolic)")
    _add_width(sub)
    sub = command(
        "grade", "mark answers to an exercise, and name the mistakes", "exercise_commands", math.inf
    )  # each file has its own seconds
    sub.add_argument("exercise", metavar="EXERCISE", help="a spec with questions under `ask`, or - for standard input")
    sub.add_argument("--answers", metavar="FILE", help="answers in YAML, JSON, TOML or CSV, a folder of such files, or a CSV "
                     "table with a row for each student and a column for each question; "
                     "without it, the questions are printed with their answers")  # fmt: skip
    sub.add_argument("--hints", type=int, choices=(0, 1, 2), default=2,
                     help="what a wrong answer is told: nothing, where to look, what it was (default: 2)")  # fmt: skip
    sub.add_argument("--format", choices=GRADE_FORMATS, default="text", help="how to print (default: text)")
    _add_width(sub)
    sub.add_argument("--jobs", type=count, metavar="N", help="processes for a folder (default: one for each core)")
    _add_output(sub, "where to write the report")
    _add_chart(sub, "of a class, how the points are spread, in all and in each item,")
    sub = command("sheet", "write the sheet of questions, the solution, or a blank file of answers", "sheet_command")
    sub.add_argument("exercise", metavar="EXERCISE", help="a spec with questions under `ask`, or - for standard input")
    sub.add_argument("--for", dest="readers", choices=("students", "answers"), default="students",
                     help="questions with room for answers, or the solution (default: %(default)s)")  # fmt: skip
    sub.add_argument("--format", choices=SHEET_FORMATS, default="text",
                     help="how to write it; yaml and csv are files of answers to be filled in (default: text)")  # fmt: skip
    sub.add_argument("--student", metavar="ID", action="append", default=[],
                     help="whose sheet it is, with the numbers of `vary`; may be repeated")  # fmt: skip
    sub.add_argument("--class", dest="roll", metavar="FILE",
                     help="the students: a name in each line, or CSV with a column `student`")  # fmt: skip
    sub.add_argument("--picture", action="store_true", help="draw the graph, too (html, latex, markdown)")
    sub.add_argument("--paper", choices=("a4", "letter"), default="a4", help="of html and latex (default: a4)")
    sub.add_argument("--date", metavar="TEXT", default="", help="stands at the head")
    _add_output(sub, "where to write it; a folder takes a file for each student")
    sub = command(
        "vary", "write an exercise with other numbers, the same ones each time for a student", "exercise_commands"
    )
    sub.add_argument(
        "exercise", metavar="EXERCISE", help="an exercise with ranges under `vary`, or - for standard input"
    )
    sub.add_argument("--student", metavar="ID", required=True, help="whose numbers they are")
    _add_output(sub, "where to write it, as YAML or, by the suffix, JSON")
    sub = command(
        "seal", "write an exercise without its answers, which can be marked all the same", "exercise_commands"
    )
    sub.add_argument("exercise", metavar="EXERCISE", help="an exercise, or - for standard input")
    _add_output(sub, "where to write it, as YAML or, by the suffix, JSON")


def _add_picture_commands(command: Callable[..., argparse.ArgumentParser]) -> None:
    sub = command("draw", "draw the graph", "picture_commands")
    _add_spec(sub, formats=PICTURE_FORMATS, default=None)
    _add_ends(sub, "with --to, what flows from S to T stands out")
    sub.add_argument("--show", type=words, metavar="WORDS", help=f"of {','.join(SHOWN)} (default: the numbers)")
    sub.add_argument("--top", type=count, metavar="K", help="with --from and --to: the K strongest paths in colours")
    sub.add_argument("--plain-names", action="store_true", help="names as they are: x1, not x with an index")
    _add_output(sub, "where to write the picture")
    sub = command(
        "page", "write a page that walks through both passes, step by step, in any browser", "picture_commands"
    )
    _add_graph(sub)
    _add_ends(sub, "default: the first input, and the first output")
    sub.add_argument(
        "--exercise",
        action="store_true",
        help="make a question of each step, and name the mistake behind a wrong answer",
    )
    _add_output(sub, "where to write the page", required=True)


def _add_network_commands(command: Callable[..., argparse.ArgumentParser]) -> None:
    sub = command("gradient", "differentiate the loss with respect to every weight", "network_commands")
    _add_spec(sub)
    _add_loss(sub)
    sub.add_argument("--factors", action="store_true", help="show the three factors of each: S(j,J), Phi'(s(j)), y(i)")
    sub = command(
        "gates", "show where a gradient vanishes: the gate of every neuron, and |S| by depth", "network_commands"
    )
    _add_spec(sub)
    _add_loss(sub)
    _add_chart(sub, "|S| and the shut gates by depth")
    sub = command("transform", "rewrite the graph, every sensitivity unchanged, and write its spec", "network_commands")
    sub.add_argument("name", metavar="NAME", help=f"one of {', '.join(TRANSFORMS)}; or several, with commas between")
    _add_spec(sub, formats=SPEC_FORMATS, default=None)
    _add_ends(sub, "for restrict")
    sub.add_argument("--loss", metavar="EQUATION", type=node, help="for append_loss: its equation")
    sub.add_argument(
        "--name", dest="loss_name", metavar="J", default="J", help="for append_loss: its name (default: J)"
    )
    sub.add_argument("--share", action="store_true", help="for expand: let equal intermediate results be one node")
    _add_output(sub, "where to write the spec")
    sub = command("descend", "train the weights by gradient descent", "network_commands")
    _add_spec(sub)
    _add_loss(sub)
    sub.add_argument("--rate", type=number, required=True, metavar="R", help="the learning rate; a negative one climbs")
    sub.add_argument("--steps", type=count, required=True, metavar="N", help="how many passes over the data")
    sub.add_argument("--method", choices=DESCENTS, default="sgd", help="how a step is made (default: %(default)s)")
    sub.add_argument("--data", metavar="FILE", help="CSV, a column for each input that varies (default: one example)")
    sub.add_argument("--validation", metavar="FILE", help="held-out examples, whose loss is shown too")
    sub.add_argument("--batch", type=count, metavar="N", help="examples for each update (default: all of them)")
    sub.add_argument("--seed", type=int, metavar="N", help="shuffle the examples before each pass")
    _add_output(sub, "where to write the trained spec; - is standard output, in place of the losses", default=None)
    _add_chart(sub, "the losses")


def _add_uncertainty_commands(command: Callable[..., argparse.ArgumentParser]) -> None:
    sub = command("budget", "say where the uncertainty of a result comes from", "uncertainty_commands")
    _add_spec(sub)
    sub.add_argument(
        "--to", dest="t", metavar="T", action="append", help="a result; may be repeated (default: all outputs)"
    )
    sub.add_argument("--by", choices=BUDGET_PARTS, default="input", help="how to split it (default: %(default)s)")
    sub.add_argument("--group", metavar="NAME=I,J", action="append", default=[], help="for --by group; may be repeated")
    sub.add_argument("--top", type=count, metavar="K", help="for --by path: the K strongest (default: 10)")
    sub.add_argument(
        "--order", type=int, choices=(1, 2), default=1, help="2 adds the terms of second order (default: 1)"
    )
    sub.add_argument("--samples", type=count, metavar="N", help="compare with at most N random points")
    sub.add_argument("--seed", type=int, default=0, metavar="N", help="of the random points (default: 0)")
    sub.add_argument("--probability", type=number, default=0.95, metavar="P", help="of coverage (default: 0.95)")
    _add_chart(sub, "the components")
    sub = command("screen", "rank inputs by derivatives at many points of their ranges", "uncertainty_commands")
    _add_spec(sub)
    sub.add_argument("--to", dest="t", metavar="T", help="the result (default: the only output)")
    sub.add_argument("--range", type=_range, action="append", required=True, metavar="X=A:B",
                     help="the range of an input; may be repeated")  # fmt: skip
    sub.add_argument("--samples", type=count, default=1024, metavar="N", help="how many points (default: 1024)")
    sub.add_argument("--seed", type=int, default=0, metavar="N", help="of the points (default: 0)")


def _range(text: str) -> tuple[str, tuple[float, float]]:
    name, _, ends = text.rpartition("=")
    low, _, high = ends.partition(":")
    try:
        return name.strip(), (float(low), float(high))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not X=A:B, as in x=0:1") from None


def _add_output(sub: argparse.ArgumentParser, what: str, *, default: str | None = "-", required: bool = False) -> None:
    if default is not None:
        what += "; - is standard output" + ("" if required else " (the default)")
    sub.add_argument("-o", "--output", metavar="FILE", default=default, required=required, help=what)


def _add_chart(sub: argparse.ArgumentParser, what: str) -> None:
    sub.add_argument("--chart", metavar="FILE", help=f"draw {what} there, as SVG, PNG or PDF")


def _add_loss(sub: argparse.ArgumentParser) -> None:
    sub.add_argument(
        "--of", dest="loss_node", metavar="J", type=node, help="the node to differentiate (default: the only output)"
    )


def _add_spec(sub: argparse.ArgumentParser, formats: Sequence[str] = FORMATS, default: str | None = FORMATS[0]) -> None:
    _add_graph(sub)
    sub.add_argument(
        "--format", choices=formats, default=default, help=f"how to print (default: {default or 'by suffix'})"
    )
    if formats is FORMATS:
        _add_width(sub)


def _add_width(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--width", type=count, metavar="N",
                     help="columns that a table may take (default: those of the terminal); texts are wrapped, and "
                     "numbers have six digits if ten do not fit")  # fmt: skip


def _add_graph(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("spec", metavar="SPEC", nargs="?", help="the graph's file, or - for standard input")
    sub.add_argument("-e", "--equations", metavar="TEXT", type=node, help='the graph as text: "a = x*z; y = exp(a)"')
    sub.add_argument("--at", metavar="NAME=VALUE", type=binding, action="append", default=[],
                     help="a value for an input or weight, as in x=2, 'x=[1, 2]' or x=file.npy; may be repeated")  # fmt: skip
    sub.add_argument("--hold", metavar="NAME=VALUE", type=binding, action="append", default=[],
                     help="what if: hold a computed node at a value; may be repeated")  # fmt: skip
    sub.add_argument("--derivative", metavar="NAME",
                     help="of a file of edges: the column or attribute that holds dy(j)/dy(i) "
                     "(default: derivative, or else weight)")  # fmt: skip


def _add_many_ends(sub: argparse.ArgumentParser, what: str) -> None:
    sub.add_argument("--from", dest="s", metavar="S", type=node, action="append",
                     help=f"a node that is varied; may be repeated ({what})")  # fmt: skip
    sub.add_argument("--to", dest="t", metavar="T", type=node, action="append",
                     help="a node that is differentiated; may be repeated")  # fmt: skip


def _add_relative(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--relative", action="store_true",
                     help="show elasticities, too: per cent of y(t) for one per cent of y(s)")  # fmt: skip


def _add_order(sub: argparse.ArgumentParser, orders: Sequence[str], what: str) -> None:
    sub.add_argument("--sort", choices=orders, default=orders[0], help="by what to sort (default: %(default)s)")
    sub.add_argument("--top", type=count, metavar="K", help=f"only the K largest {what}, by their magnitude")


def _add_ends(sub: argparse.ArgumentParser, what: str) -> None:
    sub.add_argument("--from", dest="s", metavar="S", type=node, help=f"the node that is varied ({what})")
    sub.add_argument("--to", dest="t", metavar="T", type=node, help="the node that is differentiated")
