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
    UncertaintyError,
)
from cgraph.model.evaluation import evaluate, linearize
from cgraph.model.graph import ComputationalGraph, from_equations
from cgraph.model.operations.elementwise import ACTIVATIONS, OPERATIONS, Operation
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
    "UncertaintyError",
    "evaluate",
    "from_equations",
    "linearize",
    "trace",
]
