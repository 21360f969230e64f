"""What people read: tables, formulas, pictures."""

from cgraph.reports.drawing import DRAWING_FORMATS, Drawing, draw

__all__ = ["DRAWING_FORMATS", "Drawing", "draw"]
