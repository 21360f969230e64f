"""The node of a transformed graph that was a node of the graph before."""

import cgraph as cg

# What each transform calls the node that was i.
SURVIVORS = {
    cg.weights_as_nodes: lambda _, i: i,
    cg.decouple: lambda H, i: f"{i}+" if f"{i}+" in H else i,
    cg.couple: lambda _, i: i,
    cg.split_nodes: lambda _, i: f"{i}.out",
    cg.merge_nodes: lambda _, i: i,
    cg.expand: lambda _, i: i,
    cg.fold_constants: lambda _, i: i,
    cg.drop_zero_edges: lambda _, i: i,
    cg.scalarize: lambda _, i: i,  # numbers stay as they are
}
