"""Pictures of graphs: one description of what is shown, one layout, and a writer for each format."""

from cgraph.reports.drawing.drawings import DRAWING_FORMATS, Drawing, draw

__all__ = ["DRAWING_FORMATS", "Drawing", "draw"]
