// The operations: the same values, derivatives and conventions at kinks as the library's table of operations.
// A derivative is a function of the output y and the operands; a rule is how it is written.

function erfSeries(x) { // Abramowitz and Stegun 7.1.6: all terms have one sign
  let term = x, total = x;
  for (let n = 1; n < 60; n++) {
    term *= 2 * x * x / (2 * n + 1);
    total += term;
  }
  return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * total;
}

function erfc(x) {
  if (Math.abs(x) < 2) return 1 - erfSeries(x);
  let fraction = Math.abs(x); // 7.1.14, the continued fraction, from the inside
  for (let n = 60; n > 0; n--) fraction = Math.abs(x) + n / 2 / fraction;
  const tail = Math.exp(-x * x) / (Math.sqrt(Math.PI) * fraction);
  return x > 0 ? tail : 2 - tail;
}

const erf = (x) => (Math.abs(x) < 2 ? erfSeries(x) : 1 - erfc(x));
const sigmoid = (x) => (x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x)));
const normalCdf = (x) => erfc(-x / Math.SQRT2) / 2;
const normalPdf = (x) => Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
const powerTakes = (a, b) => a > 0 || (a === 0 && b >= 0) || (a < 0 && Number.isInteger(b));
const inUnit = (x) => x >= -1 && x <= 1;

// name: [value, derivatives, rules, domain]
const OPERATIONS = {
  add: [(a, b) => a + b, [() => 1, () => 1], ["1", "1"]],
  sub: [(a, b) => a - b, [() => 1, () => -1], ["1", "−1"]],
  mul: [(a, b) => a * b, [(y, a, b) => b, (y, a) => a], ["{b}", "{a}"]],
  div: [(a, b) => a / b, [(y, a, b) => 1 / b, (y, a, b) => -y / b], ["1 / {b}", "−{y} / {b}"], (a, b) => b !== 0],
  neg: [(x) => -x, [() => -1], ["−1"]],
  pow: [
    (a, b) => a ** b,
    [(y, a, b) => (b === 0 ? 0 : b * a ** (b - 1)), (y, a, b) => (a === 0 && b > 0 ? 0 : y * Math.log(a))],
    ["{b} · {a}^({b} − 1)", "{y} · log({a})"],
    powerTakes,
  ],
  square: [(x) => x * x, [(y, x) => 2 * x], ["2 · {a}"]],
  reciprocal: [(x) => 1 / x, [(y) => -y * y], ["−{y}^2"], (x) => x !== 0],
  exp: [Math.exp, [(y) => y], ["{y}"]],
  log: [Math.log, [(y, x) => 1 / x], ["1 / {a}"], (x) => x > 0],
  log2: [Math.log2, [(y, x) => 1 / (x * Math.LN2)], ["1 / ({a} · log(2))"], (x) => x > 0],
  log10: [Math.log10, [(y, x) => 1 / (x * Math.LN10)], ["1 / ({a} · log(10))"], (x) => x > 0],
  sqrt: [Math.sqrt, [(y) => 1 / (2 * y)], ["1 / (2 · {y})"], (x) => x >= 0],
  sin: [Math.sin, [(y, x) => Math.cos(x)], ["cos({a})"]],
  cos: [Math.cos, [(y, x) => -Math.sin(x)], ["−sin({a})"]],
  tan: [Math.tan, [(y) => 1 + y * y], ["1 + {y}^2"]],
  asin: [Math.asin, [(y, x) => 1 / Math.sqrt((1 - x) * (1 + x))], ["1 / sqrt(1 − {a}^2)"], inUnit],
  acos: [Math.acos, [(y, x) => -1 / Math.sqrt((1 - x) * (1 + x))], ["−1 / sqrt(1 − {a}^2)"], inUnit],
  atan: [Math.atan, [(y, x) => 1 / (1 + x * x)], ["1 / (1 + {a}^2)"]],
  sinh: [Math.sinh, [(y, x) => Math.cosh(x)], ["cosh({a})"]],
  cosh: [Math.cosh, [(y, x) => Math.sinh(x)], ["sinh({a})"]],
  asinh: [Math.asinh, [(y, x) => 1 / Math.hypot(x, 1)], ["1 / sqrt({a}^2 + 1)"]],
  acosh: [Math.acosh, [(y, x) => 1 / (Math.sqrt(x - 1) * Math.sqrt(x + 1))], ["1 / sqrt({a}^2 − 1)"], (x) => x >= 1],
  atanh: [Math.atanh, [(y, x) => 1 / ((1 - x) * (1 + x))], ["1 / (1 − {a}^2)"], (x) => x > -1 && x < 1],
  erf: [erf, [(y, x) => 2 / Math.sqrt(Math.PI) * Math.exp(-x * x)], ["2 / sqrt(π) · exp(−{a}^2)"]],
  identity: [(x) => x, [() => 1], ["1"]],
  sigmoid: [sigmoid, [(y) => y * (1 - y)], ["{y} · (1 − {y})"]],
  tanh: [Math.tanh, [(y) => 1 - y * y], ["1 − {y}^2"]],
  relu: [(x) => (x > 0 ? x : 0), [(y) => (y > 0 ? 1 : 0)], ["[{a} > 0]"]],
  hard_tanh: [(x) => (inUnit(x) ? x : Math.sign(x)), [(y, x) => (inUnit(x) ? 1 : 0)], ["[−1 ≤ {a} ≤ 1]"]],
  softplus: [
    (x) => (x < 0 ? Math.log1p(Math.exp(x)) : x + Math.log1p(Math.exp(-x))), [(y, x) => sigmoid(x)], ["sigmoid({a})"],
  ],
  leaky_relu: [(x) => (x > 0 ? x : 0.01 * x), [(y, x) => (x > 0 ? 1 : 0.01)], ["1 if {a} > 0, else 0.01"]],
  elu: [(x) => (x > 0 ? x : Math.expm1(x)), [(y, x) => (x > 0 ? 1 : y + 1)], ["1 if {a} > 0, else {y} + 1"]],
  gelu: [(x) => x * normalCdf(x), [(y, x) => normalCdf(x) + x * normalPdf(x)], ["N({a}) + {a} · N′({a})"]],
  silu: [
    (x) => x * sigmoid(x), [(y, x) => sigmoid(x) + y * sigmoid(-x)], ["sigmoid({a}) + {y} · sigmoid(−{a})"],
  ],
  abs: [Math.abs, [(y, x) => Math.sign(x)], ["sign({a})"]],
  sign: [Math.sign, [() => 0], ["0"]],
  max: [
    (a, b) => (a >= b ? a : b), [(y, a, b) => (a >= b ? 1 : 0), (y, a, b) => (a >= b ? 0 : 1)],
    ["[{a} ≥ {b}]", "[{b} > {a}]"],
  ],
  min: [
    (a, b) => (a <= b ? a : b), [(y, a, b) => (a <= b ? 1 : 0), (y, a, b) => (a <= b ? 0 : 1)],
    ["[{a} ≤ {b}]", "[{b} < {a}]"],
  ],
  where: [
    (c, a, b) => (c !== 0 ? a : b), [() => 0, (y, c) => (c !== 0 ? 1 : 0), (y, c) => (c !== 0 ? 0 : 1)],
    ["0", "1 if {a} ≠ 0, else 0", "1 if {a} = 0, else 0"],
  ],
  greater: [(a, b) => (a > b ? 1 : 0), [() => 0, () => 0], ["0", "0"]],
  less: [(a, b) => (a < b ? 1 : 0), [() => 0, () => 0], ["0", "0"]],
  greater_equal: [(a, b) => (a >= b ? 1 : 0), [() => 0, () => 0], ["0", "0"]],
  less_equal: [(a, b) => (a <= b ? 1 : 0), [() => 0, () => 0], ["0", "0"]],
  binary_cross_entropy: [ // 0 log 0 is 0: an outcome that is certain not to be costs nothing
    (p, t) => -t * Math.log(t === 0 ? 1 : p) - (1 - t) * Math.log(t === 1 ? 1 : 1 - p),
    [(y, p, t) => (1 - t) / (t === 1 ? 1 : 1 - p) - t / (t === 0 ? 1 : p), (y, p) => Math.log((1 - p) / p)],
    ["(1 − {b}) / (1 − {a}) − {b} / {a}", "log((1 − {a}) / {a})"],
    (p, t) => (p > 0 || (p === 0 && t === 0)) && (p < 1 || (p === 1 && t === 1)),
  ],
};

// Apply an operation, or say why it cannot be applied.
function apply(operation, operands, words) {
  const [value, , , inside] = OPERATIONS[operation];
  const shown = `${operation}(${operands.map((x) => show(x)).join(", ")})`;
  if (inside && !inside(...operands)) throw new Error(`${shown} is undefined; ${operation} takes ${words[operation].takes}`);
  const y = value(...operands);
  if (!Number.isFinite(y)) throw new Error(`${shown} overflows`);
  return y;
}

function differentiate(operation, k, y, operands) {
  const z = OPERATIONS[operation][1][k](y, ...operands);
  const shown = `${operation}(${operands.map((x) => show(x)).join(", ")})`;
  if (!Number.isFinite(z)) throw new Error(`the derivative of ${shown} is not finite`);
  return z;
}
