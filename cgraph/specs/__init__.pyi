from cgraph.specs.reading import read_spec
from cgraph.specs.writing import write_spec

__all__ = ["read_spec", "write_spec"]
