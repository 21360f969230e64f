from cgraph.training.descent import Descent, gradient_descent
from cgraph.training.minibatches import minibatch

__all__ = ["Descent", "gradient_descent", "minibatch"]
