"""What people read: tables, formulas and worked solutions."""

from cgraph.reports.solutions import Solution, solve

__all__ = ["Solution", "solve"]
