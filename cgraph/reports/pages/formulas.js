// How numbers and formulas are written.

// A number as it is shown: a few digits, a true minus sign.
function show(x, digits = 6) {
  if (x === null || x === undefined) return "";
  return String(Number(x.toPrecision(digits)) + 0).replace(/-/g, "−").replace("e+", "e");
}

const bracketed = (text) => (text.startsWith("−") ? `(${text})` : text);

// An equation as text; `leaf` says what stands for a step that is no operation, by default for a number its digits. With
// the values `v` of the steps, choices and comparisons are settled, and what is then 0 or 1 is left out of sums and products.
function written(steps, words, leaf, v = null) {
  const done = []; // {text, binds, known}: how tightly the text binds, and the number that it is known to be
  steps.forEach((step, k) => {
    if (!("apply" in step)) {
      done.push({ text: step.text ?? leaf(step), binds: 9, known: step.number });
      return;
    }
    const operands = step.operands.map((o) => done[o]);
    done.push((v && settled(step, operands, words, v, k)) || applied(step, operands, words));
  });
  return done.at(-1).text;
}

// What is left of an operation when its choices are made: a branch, a number, one of the operands; or null.
function settled(step, operands, words, v, k) {
  const { infix, precedence } = words[step.apply], [a, b] = operands;
  if (step.apply === "where") return operands[v[step.operands[0]] ? 1 : 2];
  if (precedence === 0) return { text: String(v[k]), binds: 9, known: v[k] };
  if (infix === "*" && (a.known === 0 || b.known === 0)) return { text: "0", binds: 9, known: 0 };
  if ((infix === "*" && a.known === 1) || (infix === "+" && a.known === 0)) return b;
  if (("*/^".includes(infix || " ") && b?.known === 1) || ("+-".includes(infix || " ") && b?.known === 0)) return a;
  return null;
}

const SIGNS = { "*": " · ", "+": " + ", "-": " − ", "/": " / ", "^": "^", ">=": " ≥ ", "<=": " ≤ " };

function applied(step, operands, words) {
  const { name, infix, precedence } = words[step.apply];
  if (!infix) return { text: `${name}(${operands.map((operand) => operand.text).join(", ")})`, binds: 9 };
  const texts = operands.map(({ text, binds }, position) => {
    const tight = infix === "^" ? position === 0 : position === 1 && "-/".includes(infix);
    const isSigned = text.startsWith("−") && (position > 0 || infix === "^" || operands.length === 1);
    const apart = binds < precedence || (tight && binds === precedence) || isSigned;
    return apart ? `(${text})` : text;
  });
  return { text: texts.length > 1 ? texts.join(SIGNS[infix] || ` ${infix} `) : `−${texts[0]}`, binds: precedence };
}
