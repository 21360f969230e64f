from cgraph.transforms.bypassing import bypass
from cgraph.transforms.expansion import expand
from cgraph.transforms.layers import layerwise
from cgraph.transforms.networks import append_loss, couple, decouple, weights_as_nodes
from cgraph.transforms.scalars import scalarize
from cgraph.transforms.structure import drop_zero_edges, fold_constants, merge_nodes, restrict, split_nodes

__all__ = [
    "append_loss",
    "bypass",
    "couple",
    "decouple",
    "drop_zero_edges",
    "expand",
    "fold_constants",
    "layerwise",
    "merge_nodes",
    "restrict",
    "scalarize",
    "split_nodes",
    "weights_as_nodes",
]
