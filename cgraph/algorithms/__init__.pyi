from cgraph.algorithms.checks import Check, CheckReport, check_derivatives
from cgraph.algorithms.compiled import (
    CompiledArrays,
    CompiledGraph,
    GradientFunction,
    JacobianFunction,
    compile_graph,
    gradient_function,
    jacobian_function,
)
from cgraph.algorithms.diagnostics import FlowLevel, LogSensitivity, gates, gradient_flow, log_sensitivities
from cgraph.algorithms.edge_attributions import edge_attributions
from cgraph.algorithms.effects import Effects, effects
from cgraph.algorithms.elasticities import (
    edge_elasticities,
    elasticities,
    elasticities_from,
    elasticity,
    path_elasticities,
)
from cgraph.algorithms.elimination import (
    Elimination,
    as_edge_order,
    as_face_order,
    drop_useless,
    edge_elimination_order,
    eliminate,
    eliminate_edges,
    eliminate_faces,
    elimination_bound,
    elimination_cost,
    elimination_order,
    intermediates,
    merge_copies,
)
from cgraph.algorithms.engines import sensitivities, sensitivities_from
from cgraph.algorithms.estimates import Estimate
from cgraph.algorithms.gradients import GradientFactors, gradient_factors, loss_sensitivities, weight_gradients
from cgraph.algorithms.jacobians import check_elimination, jacobian
from cgraph.algorithms.path_effects import PathEffect, path_effects, standardize
from cgraph.algorithms.paths import count_paths, path_sum, paths, top_paths
from cgraph.algorithms.pruning import Pruned, prune
from cgraph.algorithms.shares import PathShare, flow_through, path_shares
from cgraph.algorithms.sweeps import cheaper_direction, edge_sensitivities, sensitivity

__all__ = [
    "Check",
    "CheckReport",
    "CompiledArrays",
    "CompiledGraph",
    "Effects",
    "Elimination",
    "Estimate",
    "FlowLevel",
    "GradientFactors",
    "GradientFunction",
    "JacobianFunction",
    "LogSensitivity",
    "PathEffect",
    "PathShare",
    "Pruned",
    "as_edge_order",
    "as_face_order",
    "cheaper_direction",
    "check_derivatives",
    "check_elimination",
    "compile_graph",
    "count_paths",
    "drop_useless",
    "edge_attributions",
    "edge_elasticities",
    "edge_elimination_order",
    "edge_sensitivities",
    "effects",
    "elasticities",
    "elasticities_from",
    "elasticity",
    "eliminate",
    "eliminate_edges",
    "eliminate_faces",
    "elimination_bound",
    "elimination_cost",
    "elimination_order",
    "flow_through",
    "gates",
    "gradient_factors",
    "gradient_flow",
    "gradient_function",
    "intermediates",
    "jacobian",
    "jacobian_function",
    "log_sensitivities",
    "loss_sensitivities",
    "merge_copies",
    "path_effects",
    "path_elasticities",
    "path_shares",
    "path_sum",
    "paths",
    "prune",
    "sensitivities",
    "sensitivities_from",
    "sensitivity",
    "standardize",
    "top_paths",
    "weight_gradients",
]
