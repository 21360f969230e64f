"""What can be typed. Nothing heavy is imported here: `--help` must be quick."""

from __future__ import annotations

import argparse
import math

from cgraph import __version__

__all__ = ["build_parser"]

FORMATS = ("text", "json", "csv", "markdown", "latex")

DESCRIPTION = """\
Derivatives on explicit computational graphs: how any node of a graph acts on any other,
S(s,t) = dy(t)/dy(s), along which paths, and whether the numbers are right.
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
  1  a check failed          4  it cannot be computed (cycle, domain, overflow, too many paths)
  2  wrong command line      130  interrupted
"""


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="cgraph",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=_Formatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"cgraph {__version__}")
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND", required=True)

    def command(name: str, summary: str, *, spec: bool = True) -> argparse.ArgumentParser:
        description = f"{summary[0].upper()}{summary[1:]}."
        sub = commands.add_parser(name, help=summary, description=description, allow_abbrev=False)
        sub.set_defaults(module="cgraph.cli.commands" if spec else "cgraph.cli.assistance")
        if spec:
            _add_spec(sub)
        sub.add_argument("--debug", action="store_true", help="show the traceback of an error")
        return sub

    command("show", "list nodes, edges and the order of evaluation")
    command("eval", "evaluate every node: the forward pass")
    sub = command("sensitivity", "differentiate a node by a node, by all nodes, or all nodes by one")
    _add_ends(sub, "without --from, by every node; without --to, every node; without both, outputs by inputs")
    sub = command("paths", "list the paths from node to node with the product of the derivatives along each")
    _add_ends(sub, "by default every input and weight, and every output")
    sub.add_argument("--top", type=_count, metavar="K", help="only the K paths with the largest |product|")
    command("check", "compare every derivative with numerical differentiation")
    command("schema", "print the JSON Schema of a spec", spec=False)
    sub = command("completion", "print a completion script for a shell", spec=False)
    sub.add_argument("shell", choices=["bash", "zsh", "fish"])
    return parser


class _Formatter(argparse.RawDescriptionHelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=16, width=100)


def _add_spec(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("spec", metavar="SPEC", nargs="?", help="the graph's file, or - for standard input")
    sub.add_argument("-e", "--equations", metavar="TEXT", help='the graph as text: "a = x*z; y = exp(a)"')
    sub.add_argument("--at", metavar="NAME=VALUE", type=_binding, action="append", default=[],
                     help="a value for an input or weight; may be repeated")  # fmt: skip
    sub.add_argument("--format", choices=FORMATS, default="text", help="how to print (default: %(default)s)")


def _add_ends(sub: argparse.ArgumentParser, what: str) -> None:
    sub.add_argument("--from", dest="s", metavar="S", help=f"the node that is varied ({what})")
    sub.add_argument("--to", dest="t", metavar="T", help="the node that is differentiated")


def _binding(text: str) -> tuple[str, float]:
    name, _, value = text.rpartition("=")
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if name.strip() and math.isfinite(number):
        return name.strip(), number
    raise argparse.ArgumentTypeError(f"{text!r} is not NAME=NUMBER, as in x=2.5")


def _count(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text[:12]) > 0:
        return int(text[:12])
    raise argparse.ArgumentTypeError(f"{text!r} is not a number of paths, as in 5")
