"""Pages: a graph, and a walk through both passes over it, in one file for any browser."""

from cgraph.reports.pages.pages import StepMistakes, page

__all__ = ["StepMistakes", "page"]
