"""The equations and neurons of a graph as one program over arrays: the forward pass and all gradients."""

from cgraph.algorithms.compiled.tape.tape import Tape, holds_equations

__all__ = ["Tape", "holds_equations"]
