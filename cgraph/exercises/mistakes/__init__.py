"""Typical mistakes: for each kind, the numbers that it would give, derived from the graph."""

from cgraph.exercises.mistakes.possible_mistake import PossibleMistake
from cgraph.exercises.mistakes.table import MISTAKES, candidates, combinations

__all__ = ["MISTAKES", "PossibleMistake", "candidates", "combinations"]
