"""Functions from graph to graph."""

__all__: list[str] = []
