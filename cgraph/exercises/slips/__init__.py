"""Typical slips: for each kind, the numbers that it would give, derived from the graph."""

from cgraph.exercises.slips.slip import Slip
from cgraph.exercises.slips.table import SLIPS, candidates, combinations

__all__ = ["SLIPS", "Slip", "candidates", "combinations"]
