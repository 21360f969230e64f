"""`python -m cgraph` is the command."""

from cgraph.cli import run

run()
