"""What a computational graph is, and how its values and local derivatives come about."""

from cgraph.model.errors import (
    ArchiveError,
    CGraphError,
    CycleError,
    DerivativeError,
    DrawingError,
    EquationError,
    EvaluationError,
    ExtraMissingError,
    InvalidNodeError,
    MissingDerivativeError,
    MissingValueError,
    NodeNotFound,
    OrderError,
    Problem,
    SearchLimitError,
    SpecError,
    TooManyPathsError,
    TraceError,
)
from cgraph.model.evaluation import evaluate, linearize
from cgraph.model.graph import ComputationalGraph, from_equations
from cgraph.model.operations.elementwise import ACTIVATIONS, OPERATIONS, Operation
from cgraph.model.rules.own_functions import register_operation
from cgraph.model.tracing import trace

__all__ = [
    "ACTIVATIONS",
    "OPERATIONS",
    "ArchiveError",
    "CGraphError",
    "ComputationalGraph",
    "CycleError",
    "DerivativeError",
    "DrawingError",
    "EquationError",
    "EvaluationError",
    "ExtraMissingError",
    "InvalidNodeError",
    "MissingDerivativeError",
    "MissingValueError",
    "NodeNotFound",
    "Operation",
    "OrderError",
    "Problem",
    "SearchLimitError",
    "SpecError",
    "TooManyPathsError",
    "TraceError",
    "evaluate",
    "from_equations",
    "linearize",
    "register_operation",
    "trace",
]
