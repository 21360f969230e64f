"""Random networks, for tests."""

from hypothesis import strategies as st

import cgraph as cg

SMOOTH = [name for name in cg.ACTIVATIONS if not cg.OPERATIONS[name].kinks]
weights = st.floats(-2, 2).map(lambda w: round(w, 3))


@st.composite
def networks(draw, activations=cg.ACTIVATIONS, loss=True):
    """Neurons over shared inputs, with skip connections, biases, several outputs, equations and weight nodes."""
    G = cg.ComputationalGraph()
    names = [f"x{k}" for k in range(draw(st.integers(1, 3)))]
    for name in names:
        G.add_input(name, draw(weights))
    for k in range(draw(st.integers(0, 2))):
        G.add_constant(f"c{k}", draw(weights))
        names.append(f"c{k}")
        if draw(st.booleans()):
            G.add_equation(f"d{k}", f"c{k}^2 + {names[draw(st.integers(-1, len(names) - 1))]}")
            names.append(f"d{k}")
    G.add_weight("scale", draw(st.floats(0.5, 1.5)))
    for k in range(draw(st.integers(1, 6))):
        name = f"h{k}"
        feeding = draw(st.lists(st.sampled_from(names), min_size=1, max_size=4, unique=True))
        if draw(st.integers(0, 4)):
            bias = draw(st.none() | weights)
            activation = draw(st.sampled_from(activations))
            G.add_neuron(name, activation=activation, weights={i: draw(weights) for i in feeding}, bias=bias)
        else:
            G.add_equation(name, f"tanh(scale*{feeding[0]} + {feeding[-1]}^2)")
        names.append(name)
    if loss:
        outputs = G.outputs
        G.add_equation("J", " + ".join(f"({o} - 0.5)^2" for o in outputs))
    return G
