"""What people read: tables, formulas, pictures, pages."""

from cgraph.reports.drawing import DRAWING_FORMATS, Drawing, draw
from cgraph.reports.pages import page

__all__ = ["DRAWING_FORMATS", "Drawing", "draw", "page"]
