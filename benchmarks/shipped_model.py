"""A model that a package ships, as a graph: ``pip install magika onnxruntime``, then ``python benchmarks/shipped_model.py``.

Magika (Google, Apache-2.0) tells the type of a file from its bytes. Its model becomes a graph; the probabilities are compared
with those of onnxruntime, the derivatives of the largest with respect to every weight with central differences.
"""

import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnxruntime
from measuring import machine, table

import cgraph as cg

PADDING = 256
TEXT = b"def f(x):\n    return x\n"


def derivative_and_difference(G, L, S, t, best, w):
    """Return the largest derivative with respect to a weight, and its central difference."""
    where = np.unravel_index(np.abs(S[w]).argmax(), S[w].shape)
    sides = []
    for step in (1e-5, -1e-5):
        moved = np.array(L.nodes[w]["value"])
        moved[where] += step
        sides.append(np.ravel(cg.evaluate(G, {w: moved})[t])[best])
    return S[w][where], (sides[0] - sides[1]) / 2e-5


def main():
    """Print what was found."""
    path = Path(find_spec("magika").origin).parent / "models" / "standard_v3_3" / "model.onnx"
    data = np.full((1, 2048), PADDING, np.int32)
    data[0, : len(TEXT)] = list(TEXT)
    machine("magika", "onnx", "onnxruntime", "numpy")
    with cg.limits(entries=50_000_000, total=500_000_000):
        start = time.perf_counter()
        G = cg.from_onnx(path, {"bytes": data})
        print(f"\n{len(G)} nodes in {time.perf_counter() - start:.2f} s")
        L, (t,) = cg.linearize(G), G.outputs
        y = L.nodes[t]["value"]
        expected = onnxruntime.InferenceSession(path).run(None, {"bytes": data})[0]
        print(f"probabilities: at most {np.abs(y - expected).max():.1e} from those of onnxruntime, in float32")
        best = int(y.argmax())
        seed = np.zeros(y.shape)
        seed.reshape(-1)[best] = 1.0
        S = cg.loss_sensitivities(L, {t: seed})
        rows = [[w, *(f"{v:.8g}" for v in derivative_and_difference(G, L, S, t, best, w))] for w in G.weights]
    table(("weight", "largest derivative", "central difference"), rows)


if __name__ == "__main__":
    main()
