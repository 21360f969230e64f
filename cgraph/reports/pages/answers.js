// Answers to an exercise: read, marked to three significant digits, and what explains a wrong one. What mistakes lead to
// comes from the library, `data.mistakes`: {known: {step: [[number, slip], [number, slip, second slip], ...]}, slips, ...}.

const DECIMAL = /^[-+]?(\d+([.,]\d*)?|[.,]\d+)([eE][-+]?\d{1,6})?$/;
const FRACTION = /^([-+]?\d{1,100})\s*\/\s*(\d{1,100})$/;

// A number as it was typed: {value, half, digits}; `half` is half a unit of its last digit, `digits` counts the significant
// ones before the zeros at its end. null of what is not a number.
function readNumber(text) {
  const plain = text.trim().replace(/[−–]/g, "-").replace(",", ".");
  const fraction = FRACTION.exec(plain);
  if (fraction && Number(fraction[2])) return { value: Number(fraction[1]) / Number(fraction[2]), half: null, digits: 17 };
  if (!DECIMAL.test(plain) || !Number.isFinite(Number(plain))) return null;
  const [mantissa, exponent] = plain.toLowerCase().split("e");
  const places = (mantissa.split(".")[1] || "").length;
  const digits = mantissa.replace(/[-+.]/g, "").replace(/^0+/, "").replace(/0+$/, "").length;
  return { value: Number(plain), half: Number(`0.5e${Number(exponent || 0) - places}`), digits };
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
function explained(given, truth, known, { slips, near, rounded, digits, most }) {
  const fitting = (candidates) => {
    const agrees = ([x]) => Math.abs(x - given.value)
      <= Math.min(given.half === null ? 1e-12 * Math.abs(x) : 1.001 * given.half, Math.abs(x) / 1000 + 1e-12);
    const fine = candidates.filter(agrees);
    return fine.length > 0 ? fine : candidates.filter(([x]) => isRight(given.value, x));
  };
  const what = ([, ...places]) => places.map((k) => slips[k]).join(", and ");
  const singles = fitting(known.filter((candidate) => candidate.length === 2));
  if (singles.length === 1) return what(singles[0]);
  const found = singles.map(what);
  if (found.length === 0) {
    if (Math.abs(given.value - truth) <= near * Math.abs(truth)) found.push(rounded);
    if (given.digits >= digits) found.push(...fitting(known.filter((candidate) => candidate.length === 3)).map(what));
  }
  return found.length > 0 ? `perhaps ${found.slice(0, most).join("; or ")}` : "";
}
