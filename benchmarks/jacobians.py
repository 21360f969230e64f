"""Whole Jacobians of functions at new points, beside CasADi and JAX, as Markdown tables.

python benchmarks/jacobians.py [--operations 100 300 1000] [--rounds 7] [--without-jax]

The functions are random elementary ones of 10 inputs and 10 outputs, and that of the lighthouse (A. Griewank, A. Walther,
Evaluating Derivatives, 2nd edition, SIAM 2008, section 2.1). Contenders take turns; the figure is the least wall time of the
rounds, in microseconds for each point.
"""

import argparse
import random
import time
from functools import partial

import casadi
import numpy as np
from measuring import machine, seconds, table

import cgraph as cg

ORDERS = ("auto", "reverse", "forward")
POINTS = (None, 64, 10_000)  # None: one, without a leading axis


def repeat(call, times):
    """Call so many times."""
    for _ in range(times):
        call()


def blocking(function, X):
    """Call a function of JAX, and wait for what it returns."""
    return function(X).block_until_ready()


def random_equations(operations, inputs=10, outputs=10, seed=0):
    """Return names of inputs, equations in order, names of outputs; an operand is one of the last 30 names."""
    chance = random.Random(seed)
    names, equations = [f"x{k}" for k in range(inputs)], {}
    for k in range(operations):
        a, b = (chance.choice(names[-30:]) for _ in range(2))
        equations[f"v{k}"] = chance.choice([f"{a}*{b}", f"{a}+{b}", f"{a}-{b}", f"sin({a})", f"tanh({a})"])
        names.append(f"v{k}")
    return names[:inputs], equations, names[-outputs:]


def lighthouse():
    """Where the beam at angle omega t of a lighthouse at distance nu meets the quay y1 = gamma y2."""
    equations = {"s": "tan(omega * t)", "y1": "nu * s / (gamma - s)", "y2": "gamma * y1"}
    return ["nu", "gamma", "omega", "t"], equations, ["y1", "y2"]


def as_function(xs, equations, ts, library):
    """Return the function of one vector that computes the equations with the functions of `library`."""
    codes = {j: compile(text, j, "eval") for j, text in equations.items()}
    functions = {name: getattr(library, name) for name in ("sin", "tanh", "tan", "log")}

    def f(x):
        known = functions | {s: x[k] for k, s in enumerate(xs)}
        for j, code in codes.items():
            known[j] = eval(code, {}, known)
        return [known[t] for t in ts]

    return f


def by_casadi(xs, equations, ts, x):
    """Return the compiled function of one point, with its buffers bound, and the array of the Jacobian by columns."""
    p = casadi.SX.sym("x", len(xs))
    y = casadi.vertcat(*as_function(xs, equations, ts, casadi)(p))
    buffer, run = casadi.Function("f", [p], [y, casadi.densify(casadi.jacobian(y, p))]).buffer()
    values, J = np.zeros(len(ts)), np.zeros(len(ts) * len(xs))
    for which, array in ((0, values), (1, J)):
        buffer.set_res(which, memoryview(array))
    buffer.set_arg(0, memoryview(x))
    return (buffer, values), run, J


def by_jax(xs, equations, ts):
    """Return jitted functions of one point and of many, in forward and in reverse mode."""
    import jax  # noqa: PLC0415 - whoever leaves it out need not have it

    jax.config.update("jax_enable_x64", True)
    f = as_function(xs, equations, ts, jax.numpy)
    modes = {"jacfwd": jax.jacfwd, "jacrev": jax.jacrev}
    J = {name: mode(lambda x: jax.numpy.stack(f(x))) for name, mode in modes.items()}
    return {name: (jax.jit(g), jax.jit(jax.vmap(g))) for name, g in J.items()}


def measure(label, xs, equations, ts, rounds, with_jax):
    """Yield a row for each number of points."""
    x = np.random.default_rng(0).uniform(0.1, 0.9, len(xs))
    text = "\n".join(f"{j} = {equation}" for j, equation in equations.items())
    G = cg.from_equations(text, **dict(zip(xs, x.tolist(), strict=True)))
    fs = {order: cg.jacobian_function(G, xs, ts, order=order) for order in ORDERS}
    kept, run, J = by_casadi(xs, equations, ts, x)
    run()
    expected = J.reshape(len(xs), len(ts)).T
    for f in fs.values():
        np.testing.assert_allclose(f(x)[1], expected, rtol=1e-11, atol=1e-12 * np.abs(expected).max())
    jaxes = by_jax(xs, equations, ts) if with_jax else {}
    for g, _ in jaxes.values():
        np.testing.assert_allclose(np.asarray(g(x)), expected, rtol=1e-11, atol=1e-12 * np.abs(expected).max())
    for points in POINTS:
        X = x if points is None else np.tile(x, (points, 1))
        contenders = {order: partial(f, X) for order, f in fs.items()}
        if points != POINTS[-1]:
            contenders["CasADi"] = run if points is None else partial(repeat, run, points)
        for mode, both in jaxes.items():
            contenders[mode] = partial(blocking, both[points is not None], X)
        calls = max(1, 300 // (points or 1))
        turns = {name: partial(repeat, call, calls) for name, call in contenders.items()}
        times = seconds(turns, rounds, time.perf_counter, min)
        per_point = {name: t / calls / (points or 1) * 1e6 for name, t in times.items()}
        counts = [f"{fs[order].multiplications:,}" if points is None else None for order in ORDERS]
        names = (*ORDERS, "CasADi", "jacfwd", "jacrev")
        yield [label, points or 1, *counts, *(f"{per_point[n]:.3g}" if n in per_point else None for n in names)]
    del kept


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--operations", nargs="*", type=int, default=[100, 300])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--without-jax", action="store_true")
    args = parser.parse_args()
    machine("numpy", "numba", "casadi", *([] if args.without_jax else ["jax"]))
    tasks = {"Lighthouse": lighthouse()}
    tasks |= {f"random, {n:,}": random_equations(n) for n in args.operations}
    header = ["function", "points", *(f"products, {order}" for order in ORDERS)]
    header += [*(f"cgraph, {order}" for order in ORDERS), "CasADi", "JAX, jacfwd", "JAX, jacrev"]
    rows = [
        row for name, task in tasks.items() for row in measure(name, *task, args.rounds, with_jax=not args.without_jax)
    ]
    print("Microseconds for each point.")
    table(header, rows)


if __name__ == "__main__":
    main()
