"""Functions of a linearized graph: any networkx.DiGraph whose edges hold derivatives."""

from cgraph.algorithms.checks import Check, CheckReport, check_derivatives
from cgraph.algorithms.descent import Descent, gradient_descent
from cgraph.algorithms.effects import Effects, effects
from cgraph.algorithms.flow import FlowLevel, LogSensitivity, gates, gradient_flow, log_sensitivities
from cgraph.algorithms.gradients import GradientFactors, gradient_factors, loss_sensitivities, weight_gradients
from cgraph.algorithms.paths import count_paths, path_sum, paths, top_paths
from cgraph.algorithms.sweeps import edge_sensitivities, jacobian, sensitivities, sensitivities_from, sensitivity

__all__ = [
    "Check",
    "CheckReport",
    "Descent",
    "Effects",
    "FlowLevel",
    "GradientFactors",
    "LogSensitivity",
    "check_derivatives",
    "count_paths",
    "edge_sensitivities",
    "effects",
    "gates",
    "gradient_descent",
    "gradient_factors",
    "gradient_flow",
    "jacobian",
    "log_sensitivities",
    "loss_sensitivities",
    "path_sum",
    "paths",
    "sensitivities",
    "sensitivities_from",
    "sensitivity",
    "top_paths",
    "weight_gradients",
]
