"""Pages: a graph, and a walk through both passes over it, in one file for any browser."""

from cgraph.reports.pages.pages import page

__all__ = ["page"]
