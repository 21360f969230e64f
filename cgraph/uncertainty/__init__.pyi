from cgraph.uncertainty.budget import UncertaintyBudget, uncertainty_budget
from cgraph.uncertainty.monte_carlo import MonteCarlo
from cgraph.uncertainty.notation import concise
from cgraph.uncertainty.screening import Screening, screen
from cgraph.uncertainty.structural_equations import from_sem

__all__ = [
    "MonteCarlo",
    "Screening",
    "UncertaintyBudget",
    "concise",
    "from_sem",
    "screen",
    "uncertainty_budget",
]
