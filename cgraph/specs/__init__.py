"""Graph specs: files that describe a graph."""

__all__: list[str] = []
