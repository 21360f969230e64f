"""The closed lists of words that the command line and the library share. Nothing is imported here."""

__all__ = ["COSTS", "DESCENTS", "LAYOUTS", "METHODS", "PICTURE_FORMATS", "RULES", "SHOWN", "SPEC_FORMATS", "TRANSFORMS"]

LAYOUTS = ("numerator", "denominator")  # of a Jacobian: a row for each entry of y(t), or a column
# Methods of elimination: rules that take a node at a time, and searches.
RULES = ("forward", "reverse", "markowitz", "relative_markowitz", "minimum_fill")
METHODS = (*RULES, "chain", "anneal", "optimal")
COSTS = ("standard", "unit")  # of an elimination: whether products with +1 and -1 by structure are charged
DESCENTS = ("sgd", "momentum", "adam")  # how a step of descent follows from gradients
SPEC_FORMATS = ("yaml", "json", "toml")
SHOWN = ("names", "equations", "values", "derivatives", "weights", "sensitivities", "budget")  # in a picture
PICTURE_FORMATS = ("svg", "png", "pdf", "tikz", "dot", "mermaid")
TRANSFORMS = (
    "append_loss", "couple", "decouple", "drop_zero_edges", "expand", "fold_constants", "layerwise", "merge_nodes",
    "restrict", "scalarize", "split_nodes", "weights_as_nodes",
)  # fmt: skip
