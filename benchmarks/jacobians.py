"""Whole Jacobians of functions at new points, beside CasADi and JAX, as Markdown tables.

python benchmarks/jacobians.py [--quick] [--operations 100 300 ...] [--points 1 64 10000] [--rounds 60] [--without-jax]

The functions are those of `suite.py` and random elementary ones. cgraph's function is called with an array and
returns new ones; "bound" is the same with its arrays bound once (`bind`), as CasADi's are (`buffer`); "CasADi, F(x)" is its call
with an array, which returns new ones. CasADi's many points are one call of `Function.map`. "auto / sweep" is the time of "auto" as a
part of that of the faster sweep. JAX's are jitted, 64-bit, and many points are `vmap`; their compilation takes minutes for long functions, which
they are not asked for. All Jacobians are compared before anything is timed. Contenders take turns; a figure is the least wall
time of the rounds, in microseconds for each point.
"""

import argparse
import random
import time
from functools import partial
from types import SimpleNamespace

import casadi
import numpy as np
from measuring import machine, seconds, table
from suite import SUITE

import cgraph as cg

ORDERS = ("auto", "reverse", "forward")
TIMED = (*ORDERS, "bound", "CasADi", "CasADi, F(x)", "jacfwd", "jacrev")
FUNCTIONS = ("sqrt", "exp", "log", "sin", "cos", "tan", "tanh")
LONGEST_FOR_JAX = 300  # operations
LONGEST_FOR_SWEEPS = 5_000
MOST_ENTRIES = 10_000_000
TURN = 0.004  # seconds, more or less: short, so that some are not interrupted


def library(module, **others):
    """Return the functions of a module under the names of the suite."""
    return SimpleNamespace(**{name: getattr(module, name) for name in FUNCTIONS}, **others)


def repeat(call, times):
    """Call so many times."""
    for _ in range(times):
        call()


def calls_of_a_turn(call):
    """Return how often a function is called in a turn."""
    call()
    start = time.perf_counter()
    call()
    return max(1, min(int(TURN / (time.perf_counter() - start)), 5_000))


def blocking(function, X):
    """Call a function of JAX, and wait for what it returns."""
    return function(X).block_until_ready()


def random_function(operations, inputs=10, outputs=10, seed=0):
    """Return an elementary function and a point; an operand is one of the last 30 numbers, or of the last tenth."""
    chance = random.Random(seed)
    steps = []
    for k in range(operations):
        last = min(inputs + k, max(30, operations // 10))
        steps.append(
            (chance.choice(["mul", "add", "sub", "sin", "tanh"]), chance.randint(1, last), chance.randint(1, last))
        )

    def f(m, x):
        y = list(x)
        for operation, i, j in steps:
            a, b = y[-i], y[-j]
            y.append({"mul": lambda a=a, b=b: a * b, "add": lambda a=a, b=b: a + b, "sub": lambda a=a, b=b: a - b,
                      "sin": lambda a=a: m.sin(a), "tanh": lambda a=a: m.tanh(a)}[operation]())  # fmt: skip
        return y[-outputs:]

    return f, np.random.default_rng(seed).uniform(0.1, 0.9, inputs).tolist()


def by_cgraph(f, point, function):
    """Return the graph of a function: traced, or by way of CasADi where it calls what NumPy does not have."""
    try:
        return cg.trace(lambda *x: f(library(np, abs=np.abs, atan2=np.arctan2), x), *point)
    except AttributeError:
        return cg.from_casadi(function, point)


def casadi_functions(f, point):
    """Return CasADi's function, and that of values and Jacobian."""
    p = casadi.SX.sym("x", len(point))
    y = casadi.vertcat(*f(library(casadi, abs=casadi.fabs, atan2=casadi.atan2, erf=casadi.erf), casadi.vertsplit(p)))
    return casadi.Function("f", [p], [y]), casadi.Function("J", [p], [y, casadi.densify(casadi.jacobian(y, p))])


def with_buffers(function, x, n):
    """Return what keeps the buffers, the call without arguments, and the array of the Jacobians by columns."""
    buffer, run = function.buffer()
    values, J = np.zeros(x.size // function.size1_in(0) * n), np.zeros(x.size * n)
    for which, array in ((0, values), (1, J)):
        buffer.set_res(which, memoryview(array))
    x = x.reshape(-1).copy()
    buffer.set_arg(0, memoryview(x))
    return (buffer, values, x), run, J


def by_jax(f):
    """Return jitted functions of one point and of many, in forward and in reverse mode."""
    import jax  # noqa: PLC0415 - whoever leaves it out need not have it

    jax.config.update("jax_enable_x64", True)
    m = library(jax.numpy, abs=jax.numpy.abs, atan2=jax.numpy.arctan2, erf=jax.scipy.special.erf)
    modes = {"jacfwd": jax.jacfwd, "jacrev": jax.jacrev}
    J = {name: mode(lambda x: jax.numpy.stack(f(m, list(x)))) for name, mode in modes.items()}
    return {name: (jax.jit(g), jax.jit(jax.vmap(g))) for name, g in J.items()}


def difference(J, expected):
    """Return the largest difference, as a part of the largest entry."""
    return np.abs(J - expected).max() / np.abs(expected).max()


def measure(label, f, point, many, rounds, with_jax):
    """Yield a row for each number of points."""
    x = np.array(point)
    function, of_casadi = casadi_functions(f, point)
    G = by_cgraph(f, point, function)
    start = time.perf_counter()
    xs, ts = list(G.inputs), list(G.outputs)
    fs = {"auto": cg.jacobian_function(G, xs, ts)}
    fs["auto"](x)
    prepared = time.perf_counter() - start
    if len(fs["auto"].order) <= LONGEST_FOR_SWEEPS:
        fs |= {order: cg.jacobian_function(G, xs, ts, order=order) for order in ORDERS[1:]}
    keep, run, J = with_buffers(of_casadi, x, len(ts))
    run()
    expected = J.reshape(len(xs), len(ts)).T.copy()
    jaxes = by_jax(f) if with_jax and len(fs["auto"].order) <= LONGEST_FOR_JAX else {}
    found = {order: f(x)[1] for order, f in fs.items()} | {mode: np.asarray(g(x)) for mode, (g, _) in jaxes.items()}
    apart = {name: difference(J, expected) for name, J in found.items()}
    if max(apart.values()) > 1e-10:
        raise SystemExit(f"{label}: Jacobians differ: {apart}")
    for points in (points for points in many if points * len(ts) * len(xs) <= MOST_ENTRIES):
        X = x if points == 1 else np.tile(x, (points, 1))
        contenders = {order: partial(f, X) for order, f in fs.items()}
        keep, run, _ = with_buffers(of_casadi if points == 1 else of_casadi.map(points), X, len(ts))
        shape = X.shape[:-1]
        contenders["bound"] = fs["auto"].bind(X, np.empty((*shape, len(ts))), np.empty((*shape, len(ts), len(xs))))
        contenders["CasADi"] = run
        if points == 1:
            contenders["CasADi, F(x)"] = partial(of_casadi, x)
        for mode, both in jaxes.items():
            contenders[mode] = partial(blocking, both[points > 1], X)
        calls = {name: calls_of_a_turn(call) for name, call in contenders.items()}
        turns = {name: partial(repeat, call, calls[name]) for name, call in contenders.items()}
        times = seconds(turns, rounds, time.perf_counter, min)
        per_point = {name: f"{t / calls[name] / points * 1e6:.3g}" for name, t in times.items()}
        first = points == many[0]
        counts = [f"{fs[order].multiplications:,}" if first and order in fs else None for order in ORDERS]
        ratio = times["CasADi"] / calls["CasADi"] / (times["bound"] / calls["bound"])
        sweeps = [times[order] / calls[order] for order in ORDERS[1:] if order in fs]
        yield [label, f"{points:,}", *counts, *(per_point.get(name) for name in TIMED), f"{ratio:.1f}",
               f"{times['auto'] / calls['auto'] / min(sweeps):.2f}" if sweeps else None,
               f"{prepared:.1f}" if first else None, f"{max(apart.values()):.0e}" if first else None]  # fmt: skip
        del keep


def gradient_row(label, f, point, rounds, with_jax):
    """Return the row of a function's last result and its gradient at one point."""
    x = np.array(point)

    def last(m, x):
        return f(m, x)[-1:]

    function, of_casadi = casadi_functions(last, point)
    G = by_cgraph(last, point, function)
    xs, (t,) = list(G.inputs), G.outputs
    C, g, at = cg.compile_graph(G), cg.gradient_function(G, t, xs), dict(zip(G.inputs, point, strict=True))
    keep, run, _ = with_buffers(of_casadi, x, 1)
    contenders = {
        "gradient_function": partial(g, x),
        "value_and_gradient": partial(C.value_and_gradient, t, at, nodes=xs),
        "bound": g.jacobian.bind(x, np.empty(1), np.empty((1, len(xs)))),
        "CasADi": run,
    }
    if with_jax:
        contenders["jax.grad"] = partial(blocking, by_jax(last)["jacrev"][0], x)
    calls = {name: calls_of_a_turn(call) for name, call in contenders.items()}
    turns = {name: partial(repeat, call, calls[name]) for name, call in contenders.items()}
    times = seconds(turns, rounds, time.perf_counter, min)
    del keep
    return [label, *(f"{times[name] / calls[name] * 1e6:.3g}" if name in times else None for name in GRADIENTS)]


GRADIENTS = ("gradient_function", "value_and_gradient", "bound", "CasADi", "jax.grad")


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--operations", nargs="*", type=int, default=[100, 300, 1_000, 10_000, 100_000])
    parser.add_argument("--points", nargs="*", type=int, default=[1, 64, 10_000])
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--without-jax", action="store_true")
    parser.add_argument(
        "--quick", action="store_true", help="random functions of 100 and 300 operations, 20 rounds, no JAX"
    )
    args = parser.parse_args()
    if args.quick:
        args.operations, args.rounds, args.without_jax = [100, 300], 20, True
    machine("numpy", "numba", "casadi", *([] if args.without_jax else ["jax"]))
    tasks = dict(SUITE)
    tasks |= {f"random, {n:,}": random_function(n) for n in args.operations}
    if not args.quick:
        tasks["random, 1,000, 100 x 100"] = random_function(1_000, 100, 100)
    header = ["function", "points", *(f"products, {order}" for order in ORDERS)]
    header += [*TIMED, "CasADi / bound", "auto / sweep", "prepared, s", "apart"]
    cg.jacobian_function(cg.from_equations("y = sin(x)", x=1.0), ["x"], ["y"])(np.ones((9, 1)))  # loads what all share
    print("Microseconds for each point.", flush=True)
    table(header, [])
    for name, task in tasks.items():
        for row in measure(name, *task, args.points, args.rounds, not args.without_jax):
            print("| " + " | ".join("" if cell is None else str(cell) for cell in row) + " |", flush=True)
    print("\nA value and its gradient at one point, microseconds.")
    few = {name: SUITE[name] for name in ("Lighthouse", "RoeFlux_1d")}
    few |= {f"random, {n:,}": random_function(n) for n in args.operations if n <= LONGEST_FOR_JAX}
    table(
        ["function", *GRADIENTS],
        [gradient_row(name, *task, args.rounds, not args.without_jax) for name, task in few.items()],
    )


if __name__ == "__main__":
    main()
