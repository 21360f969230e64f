// Answers to an exercise: read, marked to three significant digits, and what explains a wrong one. What mistakes lead to
// comes from the library, `data.mistakes`: {known: {step: [[number, name], [number, name, second name], ...]}, names, ...}.

const DECIMAL = /^[-+]?(\d+([.,]\d*)?|[.,]\d+)([eE][-+]?\d{1,6})?$/;

// A number as it was typed: {value, half, digits}; `half` is half a unit of its last digit, `digits` counts the significant
// ones before the zeros at its end. null of what is not a number.
function readNumber(text, words) {
  const typed = text.trim().replace(/[−–]/g, "-").replace(/[·×⋅]/g, "*").replace(/π/g, "pi");
  if (DECIMAL.test(typed)) {
    const plain = typed.replace(",", "."), [mantissa, exponent] = plain.toLowerCase().split("e");
    const places = (mantissa.split(".")[1] || "").length;
    const digits = mantissa.replace(/[-+.]/g, "").replace(/^0+/, "").replace(/0+$/, "").length || 1;
    const given = { value: Number(plain), half: Number(`0.5e${Number(exponent || 0) - places}`), digits };
    const isInRange = Math.abs(given.value) >= 1e-300 && Math.abs(given.value) < 1e301;
    return isInRange || !/[1-9]/.test(mantissa) ? given : null;
  }
  try {
    return { value: evaluated(typed.replace(/(?<=\d),(?=\d)/g, "."), words), half: null, digits: 17 };
  } catch {
    return null;
  }
}

// What an expression of numbers comes to, as 0.45*(1 - 0.45) or exp(-1)/3. Operators wait until one comes that binds less
// tightly; functions and brackets wait for the end of their bracket.
function evaluated(text, words) {
  const binary = { "+": "add", "-": "sub", "*": "mul", "/": "div", "^": "pow", "**": "pow" };
  const own = (table, key) => (Object.hasOwn(table, key) ? table[key] : undefined);
  const tokens = text.match(/(\d+\.?\d*|\.\d+)(e[-+]?\d+)?|[a-z]\w*|\*\*|\S/gi) ?? [];
  const values = [], waiting = [];
  const fail = () => { throw new Error("not a number"); };
  const last = () => waiting.at(-1);
  const run = () => {
    const operation = waiting.pop(), operands = values.splice(-OPERATIONS[operation][0].length);
    values.push(apply(operation, operands, words));
  };
  let isComplete = false; // whether what was read so far ends with an operand
  tokens.forEach((token, k) => {
    const name = own(data.aliases, token) ?? token, sign = own(binary, token);
    const number = /^[\d.]/.test(token) ? Number(token) : own(data.constants, token);
    const isFunction = tokens[k + 1] === "(" && own(words, name)?.infix === "" && OPERATIONS[name][0].length === 1;
    if (number !== undefined) {
      if (isComplete) fail();
      values.push(number);
      isComplete = true;
    } else if (token === "(" || isFunction) {
      if (isComplete) fail();
      waiting.push(token === "(" ? "(" : name);
    } else if (token === ")") {
      if (!isComplete) fail();
      while (waiting.length && last() !== "(") run();
      if (waiting.pop() !== "(") fail();
      if (waiting.length && last() !== "(" && !words[last()].infix) run();
    } else if (sign && isComplete) {
      const binds = words[sign].precedence, tighter = sign === "pow" ? binds + 1 : binds; // powers from the right
      while (waiting.length && last() !== "(" && words[last()].precedence >= tighter) run();
      waiting.push(sign);
      isComplete = false;
    } else if (token === "-") waiting.push("neg");
    else if (token !== "+") fail();
  });
  while (isComplete && waiting.length && last() !== "(") run();
  return isComplete && waiting.length === 0 ? values[0] : fail();
}

// Whether a number is x to three significant digits; as near as a float is exact, the ends are inside.
function isRight(value, x) {
  if (x === 0) return Math.abs(value) <= 1e-9;
  const exponent = Number(x.toExponential().split("e")[1]);
  return Math.abs(value - x) <= 0.5 * Number(`1e${exponent - 2}`) + 1e-12 * Math.abs(x);
}

// Whether an answer is the truth, rounded to fewer digits than are asked for.
const isShort = (given, truth) =>
  given.value !== 0 && given.half !== null && Math.abs(given.value - truth) <= given.half * (1 + 1e-9);

// What explains a wrong answer, in words; "" if nothing does. The library's `diagnose` is the model.
function explained(given, truth, known, { names, near, rounded, digits, most }) {
  const fitting = (candidates) => {
    const agrees = ([x]) => Math.abs(x - given.value)
      <= Math.min(given.half === null ? 1e-12 * Math.abs(x) : 1.001 * given.half, Math.abs(x) / 1000 + 1e-12);
    const fine = candidates.filter(agrees);
    return fine.length > 0 ? fine : candidates.filter(([x]) => isRight(given.value, x));
  };
  const what = ([, ...places]) => places.map((k) => names[k]).join(", and ");
  const singles = fitting(known.filter((candidate) => candidate.length === 2));
  if (singles.length === 1) return what(singles[0]);
  const found = singles.map(what);
  if (found.length === 0) {
    if (Math.abs(given.value - truth) <= near * Math.abs(truth)) found.push(rounded);
    if (given.digits >= digits) found.push(...fitting(known.filter((candidate) => candidate.length === 3)).map(what));
  }
  return found.length > 0 ? `perhaps ${found.slice(0, most).join("; or ")}` : "";
}
