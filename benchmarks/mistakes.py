"""How often the name of the mistake is right: mistakes planted in random graphs and networks by a student of their own.

The student here shares no code with cgraph: it has its own forward pass, local derivatives, backward pass (version B)
and paths, and a bug in one of them. ``python benchmarks/mistakes.py [GRAPHS]`` prints the tables of docs/exercises.md.
"""

import random
import sys
import time
from collections import Counter, defaultdict
from itertools import pairwise
from math import cos, exp, isfinite, log, log10, radians, sin, tanh

import numpy as np

import cgraph as cg
from cgraph.exercises.parts import BeforeActivation, Entry, GradientStep, Sensitivity, WeightGradient
from cgraph.exercises.questions import Question
from cgraph.exercises.tolerances import parse_tolerance
from cgraph.reports.tables import Table, to_text


def sigmoid(s):
    return 1 / (1 + exp(-s))


# How an equation is written, its value, its derivatives, and which wrong derivatives there are: of the operands a, b
# and the constant c.
OPERATIONS = {
    "product": ("{a}*{b}", lambda a, b, c: a * b, (lambda a, b, c: b, lambda a, b, c: a), {}),
    "sum": ("{a} + {c}*{b}", lambda a, b, c: a + c * b, (lambda a, b, c: 1.0, lambda a, b, c: c), {}),
    "difference": (
        "{c}*{a} - {b}", lambda a, b, c: c * a - b, (lambda a, b, c: c, lambda a, b, c: -1.0),
        {"sign lost": (lambda a, b, c: c, lambda a, b, c: 1.0)},
    ),
    "quotient": (
        "{a}/({b}^2 + 1)", lambda a, b, c: a / (b * b + 1),
        (lambda a, b, c: 1 / (b * b + 1), lambda a, b, c: -2 * a * b / (b * b + 1) ** 2),
        {"sign lost": (lambda a, b, c: 1 / (b * b + 1), lambda a, b, c: 2 * a * b / (b * b + 1) ** 2),
         "inner derivative forgotten": (lambda a, b, c: 1 / (b * b + 1), lambda a, b, c: -a / (b * b + 1) ** 2)},
    ),
    "sine": (
        "sin({c}*{a})", lambda a, b, c: sin(c * a), (lambda a, b, c: c * cos(c * a),),
        {"inner derivative forgotten": (lambda a, b, c: cos(c * a),),
         "function for derivative": (lambda a, b, c: c * sin(c * a),)},
    ),
    "cosine": (
        "cos({a})", lambda a, b, c: cos(a), (lambda a, b, c: -sin(a),),
        {"sign lost": (lambda a, b, c: sin(a),), "function for derivative": (lambda a, b, c: cos(a),)},
    ),
    "exponential": (
        "exp({c}*{a}/2)", lambda a, b, c: exp(c * a / 2), (lambda a, b, c: c / 2 * exp(c * a / 2),),
        {"inner derivative forgotten": (lambda a, b, c: exp(c * a / 2),)},
    ),
    "logarithm": ("ln({a}^2 + 2)", lambda a, b, c: log(a * a + 2), (lambda a, b, c: 2 * a / (a * a + 2),),
                  {"inner derivative forgotten": (lambda a, b, c: 1 / (a * a + 2),),
                   "function for derivative": (lambda a, b, c: log(a * a + 2) * 2 * a,)}),
    "power": ("{a}^3", lambda a, b, c: a**3, (lambda a, b, c: 3 * a * a,),
              {"power rule": (lambda a, b, c: a * a,)}),
    "sigmoid": (
        "sigmoid({a} + {c}*{b})", lambda a, b, c: sigmoid(a + c * b),
        (lambda a, b, c: dsigmoid(a + c * b), lambda a, b, c: c * dsigmoid(a + c * b)),
        {"gate forgotten": (lambda a, b, c: 1.0, lambda a, b, c: c),
         "activation for derivative": (lambda a, b, c: sigmoid(a + c * b), lambda a, b, c: c * sigmoid(a + c * b)),
         "derivative at the output": (lambda a, b, c: dsigmoid(sigmoid(a + c * b)), lambda a, b, c: c * dsigmoid(sigmoid(a + c * b)))},
    ),
    "tanh": (
        "tanh({c}*{a})", lambda a, b, c: tanh(c * a), (lambda a, b, c: c * (1 - tanh(c * a) ** 2),),
        {"gate forgotten": (lambda a, b, c: c,), "activation for derivative": (lambda a, b, c: c * tanh(c * a),),
         "inner derivative forgotten": (lambda a, b, c: 1 - tanh(c * a) ** 2,)},
    ),
}  # fmt: skip


def dsigmoid(s):
    return sigmoid(s) * (1 - sigmoid(s))


class Student:
    """A random graph of equations, worked with pencil and paper."""

    def __init__(self, chance):
        self.nodes = {f"x{k}": round(chance.uniform(0.3, 1.8) * chance.choice((-1, 1)), 2) for k in range(2)}
        self.rules = {}
        for k in range(chance.randint(3, 6)):
            earlier = list(self.nodes) + list(self.rules)
            name, kind = f"v{k}", chance.choice(list(OPERATIONS))
            a, b = chance.sample(earlier[-4:], 2)
            operands = (a, b)[: len(OPERATIONS[kind][2])]
            self.rules[name] = (kind, operands, round(chance.uniform(0.4, 2.5), 2))
        # What feeds nothing feeds the last node.
        used = {i for _, operands, _ in self.rules.values() for i in operands}
        loose = [i for i in [*self.nodes, *self.rules] if i not in used]
        self.rules["t"] = ("total", tuple(loose), 1.0)

    def graph(self):
        G = cg.ComputationalGraph()
        for i, value in self.nodes.items():
            G.add_input(i, value)
        for j, (kind, operands, c) in self.rules.items():
            names = dict(zip("ab", operands, strict=False))
            G.add_equation(j, " + ".join(operands) if kind == "total" else OPERATIONS[kind][0].format(c=c, **names))
        return G

    def forward(self, step=lambda value: value, functions=None):
        y = dict(self.nodes)
        for j, (kind, operands, c) in self.rules.items():
            x = [y[i] for i in operands]
            value = (functions or {}).get(kind) or (OPERATIONS[kind][1] if kind != "total" else None)
            y[j] = step(sum(x) if value is None else value(x[0], x[-1], c))
        return y

    def local(self, y, wrong=None, step=lambda value: value):
        """Return {(i, j): dy(j)/dy(i)}; `wrong` is {j: derivatives of another kind}."""
        z = {}
        for j, (kind, operands, c) in self.rules.items():
            for k, i in enumerate(operands):
                rule = (lambda *_: 1.0) if kind == "total" else ((wrong or {}).get(j) or OPERATIONS[kind][2])[k]
                z[i, j] = step(rule(y[operands[0]], y[operands[-1]], c))
        return z

    def backward(self, z, s, overwrite=()):
        """Return S(s,t) by version B; at the nodes of `overwrite` the increment replaces the sum."""
        S = dict.fromkeys([*self.nodes, *self.rules], 0.0)
        S["t"] = 1.0
        for j in reversed(self.rules):
            for i in self.rules[j][1]:
                if self.leads(s, i) and S[j]:
                    S[i] = S[j] * z[i, j] if i in overwrite else S[i] + S[j] * z[i, j]
        return S[s]

    def leads(self, s, i):
        return s == i or any(self.leads(s, k) for k in self.rules.get(i, ((), (), 0))[1])

    def paths(self, s):
        if s == "t":
            return [("t",)]
        return [(s, *rest) for j, (_, operands, _) in self.rules.items() if s in operands for rest in self.paths(j)]


def product(path, z):
    result = 1.0
    for edge in pairwise(path):
        result *= z[edge]
    return result


def to_digits(value, digits):
    return float(f"{value:.{digits}g}")


def planted(student, s, chance):  # noqa: C901 - a list of mistakes
    """Yield (what was planted, the kinds that name it, the number) for the question dt/ds."""
    y = student.forward()
    z = student.local(y)
    S = student.backward(z, s)
    paths = student.paths(s)
    if len(paths) > 1:
        left_out = chance.choice(paths)
        yield "path left out", {"path left out"}, S - product(left_out, z)
    if len(paths) > 2:
        yield "only one path", {"only one path"}, product(chance.choice(paths), z)
    on_paths = {edge for path in paths for edge in pairwise(path)}
    edge = chance.choice(sorted(on_paths))
    branching = [i for i in {e[0] for e in on_paths} if sum(e[0] == i for e in on_paths) > 1]
    if branching:
        yield (
            "overwritten at one node",
            {"overwritten", "path left out"},
            student.backward(z, s, [chance.choice(sorted(branching))]),
        )
        yield (
            "overwritten everywhere",
            {"overwritten", "path left out", "only one path"},
            student.backward(z, s, branching),
        )
    yield "factor left out", {"factor left out", "gate forgotten"}, student.backward({**z, edge: 1.0}, s)
    yield "factor used twice", {"factor twice"}, student.backward({**z, edge: z[edge] ** 2}, s)
    yield "sign of the whole lost", {"sign lost"}, -S
    yield "sign of an edge lost", {"sign lost"}, student.backward({**z, edge: -z[edge]}, s)
    heads = sorted({j for _, j in on_paths} - {"t"})
    names = {
        "inner derivative forgotten": {"inner derivative forgotten", "factor left out"}, "sign lost": {"sign lost"},
        "function for derivative": {"activation instead of its derivative"}, "gate forgotten": {"gate forgotten"},
        "activation for derivative": {"activation instead of its derivative"}, "power rule": {"power rule"},
        "derivative at the output": {"derivative at the output"},
    }  # fmt: skip
    for j in heads:
        for what, rules in OPERATIONS[student.rules[j][0]][3].items():
            said = "sign of a derivative lost" if what == "sign lost" else what
            yield said, names[what], student.backward(student.local(y, {j: rules}), s)
    yield "forward value given", {"forward value"}, y[chance.choice(("t", s))]
    if S:
        yield "S(t,s) given", {"S(t,s) given"}, 1 / S
    kinds = {student.rules[j][0] for j in student.rules}
    if kinds & {"sine", "cosine"}:
        functions = {"sine": lambda a, b, c: sin(radians(c * a)), "cosine": lambda a, b, c: cos(radians(a))}
        rules = {"sine": (lambda a, b, c: c * cos(radians(c * a)),), "cosine": (lambda a, b, c: -sin(radians(a)),)}
        wrong = {j: rules[kind] for j, (kind, _, _) in student.rules.items() if kind in rules}
        in_degrees = student.local(student.forward(functions=functions), wrong)
        yield "degrees for radians", {"degrees for radians"}, student.backward(in_degrees, s)
    if "logarithm" in kinds:
        values = student.forward(functions={"logarithm": lambda a, b, c: log10(a * a + 2)})
        wrong = {
            j: (lambda a, b, c: 2 * a / (a * a + 2) / log(10),) for j, r in student.rules.items() if r[0] == "logarithm"
        }
        yield "log base", {"log base"}, student.backward(student.local(values, wrong), s)
    for digits in (1, 2):

        def rounding(value, digits=digits):
            return to_digits(value, digits)

        early = student.local(student.forward(rounding), step=rounding)
        yield "rounded too early", {"rounded too early"}, student.backward(early, s)
    other = next(i for i in student.nodes if i != s)
    if student.paths(other):
        yield "neighbour's derivative", {"neighbour's number"}, student.backward(z, other)
    j = chance.choice(heads or ["t"])
    yield "neighbour's derivative", {"neighbour's number"}, student.backward(z, j) if j != "t" else 1.0
    if len(paths) > 1:
        yield "two: sign and path", {"sign lost and path left out"}, -(S - product(left_out, z))
        if abs(abs(z[edge]) - 1) > 0.01:
            yield "two: sign and factor", {"sign lost and factor left out"}, -student.backward({**z, edge: 1.0}, s)


class Network:
    """A random network with one hidden layer and a squared loss, perhaps halved, worked with pencil and paper."""

    def __init__(self, chance):
        self.x = [round(chance.uniform(-1.5, 1.5), 2) for _ in range(2)]
        self.W = [[round(chance.uniform(-1.2, 1.2), 2) for _ in self.x] for _ in range(2)]
        self.b = [round(chance.uniform(-0.8, 0.8), 2) for _ in range(2)]
        self.v = [round(chance.uniform(-1.5, 1.5), 2) for _ in range(2)]
        self.phi = chance.choice((sigmoid, tanh))
        self.target = 1.0
        self.factor = chance.choice((1.0, 0.5, 0.25))
        self.rate = chance.choice((0.05, 0.1, 0.3))

    def graph(self):
        G = cg.ComputationalGraph()
        for k, value in enumerate(self.x):
            G.add_input(f"x{k}", value)
        name = self.phi.__name__
        for j in range(2):
            weights = {f"x{k}": self.W[j][k] for k in range(2)}
            G.add_neuron(f"h{j}", activation=name, weights=weights, bias=self.b[j])
        G.add_neuron("o", activation=name, weights={f"h{j}": self.v[j] for j in range(2)}, bias=0.1)
        square = f"(o - {self.target})^2"
        G.add_equation("J", square if self.factor == 1 else f"{self.factor}*{square}")
        return G

    def gradient(self, j, k, *, gates=None, bias=True, loss=True, upstream=None, flip=False, factor=None, two=2):
        """Return dJ/dw from x_k to h_j; with `upstream` 1, dJ/ds(h_j)."""
        s = [sum(w * x for w, x in zip(self.W[n], self.x, strict=True)) + self.b[n] * bias for n in range(2)]
        h = [self.phi(value) for value in s]
        so = sum(v * value for v, value in zip(self.v, h, strict=True)) + 0.1 * bias
        o = self.phi(so)
        gate = gates or (lambda s, y: y * (1 - y) if self.phi is sigmoid else 1 - y * y)
        factor = self.factor if factor is None else factor
        first = factor * two * (o - self.target) if loss else 1.0
        delta = first * gate(so, o) * self.v[j]
        return (-1 if flip else 1) * delta * gate(s[j], h[j]) * (self.x[k] if upstream is None else upstream)

    def planted(self, j, k):
        def slope(s):
            return dsigmoid(s) if self.phi is sigmoid else 1 - tanh(s) ** 2

        def of_the_other(_, y):
            return 1 - y * y if self.phi is sigmoid else y * (1 - y)

        def of_s(s, _):
            return s * (1 - s) if self.phi is sigmoid else 1 - s * s

        if self.factor != 1:
            yield "factor of the loss lost", {"factor of the loss lost"}, self.gradient(j, k, factor=1.0)
        yield "the 2 of the loss lost", {"power rule", "factor of a square"}, self.gradient(j, k, two=1)
        yield (
            "derivative of another activation",
            {"derivative of another activation"},
            self.gradient(j, k, gates=of_the_other),
        )
        yield "s for y in the gate", {"pre-activation for output"}, self.gradient(j, k, gates=of_s)
        yield "gate forgotten", {"gate forgotten"}, self.gradient(j, k, gates=lambda s, y: 1.0)
        yield (
            "activation for derivative",
            {"activation instead of its derivative"},
            self.gradient(j, k, gates=lambda s, y: y),
        )
        yield "derivative at the output", {"derivative at the output"}, self.gradient(j, k, gates=lambda s, y: slope(y))
        yield (
            "weight for upstream",
            {"weight instead of upstream activation"},
            self.gradient(j, k, upstream=self.W[j][k]),
        )
        yield "loss derivative forgotten", {"loss derivative forgotten"}, self.gradient(j, k, loss=False)
        yield "bias forgotten", {"bias forgotten"}, self.gradient(j, k, bias=False)
        yield "sign of the whole lost", {"sign lost"}, self.gradient(j, k, flip=True)
        yield "neighbour's derivative", {"neighbour's number"}, self.gradient(1 - j, k)
        yield "neighbour's derivative", {"neighbour's number"}, self.gradient(j, 1 - k)
        yield "factor left out", {"factor left out"}, self.gradient(j, k, upstream=1.0)
        yield "factor used twice", {"factor twice"}, self.gradient(j, k, upstream=self.x[k] ** 2)

    def delta(self, j, *, gate=True):
        """Return dJ/ds(h_j), or without its gate dJ/dh_j."""
        s = sum(w * x for w, x in zip(self.W[j], self.x, strict=True)) + self.b[j]
        return self.gradient(j, 0, upstream=1.0) / (
            1 if gate else dsigmoid(s) if self.phi is sigmoid else 1 - tanh(s) ** 2
        )

    def planted_deltas(self, j):
        """Yield what is asked for, what was planted, the kinds that name it, the number."""
        after, before = Sensitivity(f"h{j}", "J"), BeforeActivation(f"h{j}", "J")
        yield after, "delta before the activation", {"derivative before the activation"}, self.delta(j)
        yield before, "delta after the activation", {"derivative after the activation"}, self.delta(j, gate=False)
        yield before, "delta: sign lost", {"sign lost"}, -self.delta(j)
        yield before, "delta: neighbour's", {"neighbour's number"}, self.delta(1 - j)

    def planted_steps(self, j, k):
        step = GradientStep(WeightGradient(f"x{k}", f"h{j}", "J"), self.rate)
        w, g, rate = self.W[j][k], self.gradient(j, k), self.rate
        for what, number in {
            "step: upwards": w + rate * g, "step: rate twice": w - rate * rate * g, "step: without the rate": w - g,
            "step: alone": -rate * g,
        }.items():  # fmt: skip
            yield step, what, {"descent step"}, number
        yield step, "step: gate forgotten", {"gate forgotten"}, w - rate * self.gradient(j, k, gates=lambda s, y: 1.0)


class Layer:
    """J = mean over the batch of (X w - y)^2 + lam |w|^2 and h = tanh(A x), worked with NumPy."""

    def __init__(self, chance):
        rng = np.random.default_rng(chance.randrange(10**6))
        self.X, self.w, self.y = (rng.uniform(-2, 2, shape).round(2) for shape in ((3, 2), 2, 3))
        self.A, self.B, self.x = (rng.uniform(-1, 1, shape).round(2) for shape in ((3, 3), (3, 3), 3))
        self.lam = 0.1

    def graph(self):
        G = cg.ComputationalGraph()
        for name in ("X", "y", "A", "B", "x"):
            G.add_input(name, getattr(self, name))
        G.add_weight("w", self.w)
        G.add_constant("lam", self.lam)
        for name, equation in {
            "r": "X @ w - y", "sq": "r^2", "l": "mean(sq)", "q": "squared_norm(w)", "J": "l + lam*q", "u": "A @ x",
            "v": "tanh(u)", "h": "B @ v", "p": "softmax(u)",
        }.items():  # fmt: skip
            G.add_equation(name, equation)
        return G

    def gradient(self, *, mean=True, regulariser=2.0):
        r = self.X @ self.w - self.y
        return 2 * r @ self.X / (3 if mean else 1) + regulariser * self.lam * self.w

    def jacobian(self, *, gate=True):
        d = 1 - np.tanh(self.A @ self.x) ** 2 if gate else np.ones(3)
        return self.B @ np.diag(d) @ self.A

    def softmax(self, *, others=True):
        """Return dp/dx of p = softmax(A x), perhaps with the diagonal of softmax's Jacobian alone."""
        e = np.exp(self.A @ self.x)
        p = e / e.sum()
        return (np.diag(p) - (np.outer(p, p) if others else np.diag(p * p))) @ self.A

    def planted(self):
        yield "p", "softmax entry by entry", {"diagonal alone"}, self.softmax(others=False)
        yield "w", "a column for a list", {"column or row given"}, self.gradient()[:, None]
        yield "w", "a row for a list", {"column or row given"}, self.gradient()[None, :]
        d = np.diag(1 - np.tanh(self.A @ self.x) ** 2)
        yield "w", "sum instead of mean", {"sum instead of mean"}, self.gradient(mean=False)
        yield "w", "regulariser forgotten", {"path left out"}, self.gradient(regulariser=0.0)
        yield "w", "regulariser without its 2", {"power rule", "factor of a square"}, self.gradient(regulariser=1.0)
        yield "x", "transpose given", {"transpose given"}, self.jacobian().T
        yield "x", "wrong order of matrices", {"wrong order"}, self.A @ d @ self.B
        yield "x", "gate forgotten", {"gate forgotten", "factor left out"}, self.jacobian(gate=False)
        yield "x", "transpose of a factor", {"transpose given"}, self.B.T @ d @ self.A


def exercise(G, part, tolerance="3sf"):
    question = Question("q", {"": part}, parse_tolerance(tolerance))
    return cg.Exercise(G, (question,))


def array_exercise(G, s, t):
    whole = Sensitivity(s, t)
    shape = np.shape(whole.of(cg.linearize(G)))
    parts = {",".join(str(k + 1) for k in index): Entry(whole, index) for index in np.ndindex(shape)}
    return cg.Exercise(G, (Question("q", parts, parse_tolerance("3sf"), shape=shape),))


def as_written(value, digits):
    """Return a number as a student writes it who keeps so many digits: zeros at the end, too."""
    return f"{value:#.{digits}g}".removesuffix(".")


def judge(counts, asked, what, kinds, answer):
    item = cg.grade(asked, {"q": answer})["q"]
    said = [m for part in item.parts for m in part.mistakes]
    fits = [
        m
        for m in said
        if m.kind in kinds or any(" and " in k and set(k.split(" and ")) == set(m.kind.split(" and ")) for k in kinds)
    ]
    if item.status == "right":
        counts[what]["does not show"] += 1
    elif not said:
        counts[what]["missed"] += 1
    elif not fits:
        counts[what]["misnamed"] += 1
    else:
        counts[what]["named" if len(said) == 1 else "listed"] += 1


def shows(answer, truth):
    """Whether a wrong number differs from the truth by more than half a unit of its third figure."""
    with np.errstate(divide="ignore"):  # of a truth of 0 any other number differs
        half = 0.5 * 10.0 ** (np.floor(np.log10(np.abs(truth))) - 2)
    return bool(np.any(np.abs(np.asarray(answer) - truth) > half * (1 + 1e-9)))


def run(graphs, digits):
    chance = random.Random(2026)
    counts, right = defaultdict(Counter), Counter()
    wrong_marked_right = 0
    for _ in range(graphs):
        student = Student(chance)
        s = chance.choice([i for i in student.nodes if student.paths(i)])
        G = student.graph()
        S = student.backward(student.local(student.forward()), s)
        if not isfinite(S) or not 1e-6 < abs(S) < 1e6:
            continue
        asked = exercise(G, Sensitivity(s, "t"))
        for tolerance, answer in {
            "3sf": f"{S:.3g}", "2dp": f"{S:.2f}", "rel 1e-3": f"{S:.4g}", "abs 1e-6": f"{S:.7f}", "exact": repr(S),
            "6sf": f"{S:.6g}",
        }.items():  # fmt: skip
            right[tolerance, cg.grade(exercise(G, Sensitivity(s, "t"), tolerance), {"q": answer}).ok] += 1
        short = f"{S:.{chance.choice((1, 2))}g}"
        judge(counts, asked, "too few digits", {"too few digits"}, short)
        for what, kinds, number in planted(student, s, chance):
            if isfinite(number):
                answer = as_written(number, digits)
                before = counts[what]["does not show"]
                judge(counts, asked, what, kinds, answer)
                wrong_marked_right += counts[what]["does not show"] > before and shows(float(answer), S)
        network = Network(chance)
        j, k = chance.randrange(2), chance.randrange(2)
        asked = exercise(network.graph(), WeightGradient(f"x{k}", f"h{j}", "J"))
        right["3sf", cg.grade(asked, {"q": f"{network.gradient(j, k):.3g}"}).ok] += 1
        for what, kinds, number in network.planted(j, k):
            before = counts[what]["does not show"]
            judge(counts, asked, what, kinds, as_written(number, digits))
            wrong_marked_right += counts[what]["does not show"] > before and shows(
                to_digits(number, digits), network.gradient(j, k)
            )
        G = network.graph()
        right["3sf", cg.grade(exercise(G, BeforeActivation(f"h{j}", "J")), {"q": f"{network.delta(j):.3g}"}).ok] += 1
        for part, what, kinds, number in (*network.planted_deltas(j), *network.planted_steps(j, k)):
            asked = exercise(G, part)
            truth = float(asked.truths["q"][""])
            before = counts[what]["does not show"]
            judge(counts, asked, what, kinds, as_written(number, digits))
            wrong_marked_right += counts[what]["does not show"] > before and shows(to_digits(number, digits), truth)
        layer = Layer(chance)
        G = layer.graph()
        asked_of = {
            "w": array_exercise(G, "w", "J"),
            "x": array_exercise(G, "x", "h"),
            "p": array_exercise(G, "x", "p"),
        }
        truths = {"w": layer.gradient(), "x": layer.jacobian(), "p": layer.softmax()}
        for name, truth in truths.items():
            right["3sf", cg.grade(asked_of[name], {"q": np.vectorize(lambda v: f"{v:.4g}")(truth).tolist()}).ok] += 1
        for name, what, kinds, array in layer.planted():
            answer = np.vectorize(lambda v: as_written(v, digits))(array).tolist()
            judge(counts, asked_of[name], what, kinds, answer)
    return counts, right, wrong_marked_right


def share(part, whole):
    return f"{part / whole:.1%}" if whole else "-"


def main():
    graphs = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    for digits in (5, 3):
        start = time.perf_counter()
        counts, right, marked_right = run(graphs, digits)
        rows, total, pairs = [], Counter(), Counter()
        for what, c in sorted(counts.items()):
            (pairs if what.startswith("two") else total).update(c)
            n = sum(c.values()) - c["does not show"]
            rows.append(
                (what, n, *(share(c[k], n) for k in ("named", "listed", "missed", "misnamed")), c["does not show"])
            )
        for what, c in (("all single mistakes", total), ("all pairs", pairs)):
            n = sum(c.values()) - c["does not show"]
            rows.append(
                (what, n, *(share(c[k], n) for k in ("named", "listed", "missed", "misnamed")), c["does not show"])
            )
        title = f"answers with {digits} digits, tolerance 3sf, {graphs} graphs, {time.perf_counter() - start:.0f} s"
        print(
            to_text(Table(("planted", "wrong", "named", "listed", "missed", "misnamed", "does not show"), rows, title))
        )
        print(f"\nwrong answers marked right: {marked_right}")
    print()
    tolerances = dict.fromkeys(t for t, _ in right)
    rows = [(t, right[t, True] + right[t, False], right[t, False]) for t in tolerances]
    print(to_text(Table(("tolerance", "correct answers", "marked wrong"), rows)))


if __name__ == "__main__":
    main()
