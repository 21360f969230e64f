// What the operations are made of that JavaScript lacks. The operations themselves are generated from the library's table:
// OPERATIONS is {name: [value, derivatives, domain]}; a derivative is a function of the output y and the operands.

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

// Apply an operation, or say why it cannot be applied.
function apply(operation, operands, words) {
  const [value, , inside] = OPERATIONS[operation];
  const shown = `${operation.split("(")[0]}(${operands.map((x) => show(x)).join(", ")})`;
  if (inside && !inside(...operands)) throw new Error(`${shown} is undefined; ${operation} takes ${words[operation].takes}`);
  const y = value(...operands);
  if (!Number.isFinite(y)) throw new Error(`${shown} overflows`);
  return y;
}

function differentiate(operation, k, y, operands) {
  const z = OPERATIONS[operation][1][k](y, ...operands);
  const shown = `${operation.split("(")[0]}(${operands.map((x) => show(x)).join(", ")})`;
  if (!Number.isFinite(z)) throw new Error(`the derivative of ${shown} is not finite`);
  return z;
}
