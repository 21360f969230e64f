// The exercise: answers marked, hints one by one, and the score.

function verdict(text, kind) {
  at("verdict").textContent = text;
  at("verdict").className = kind;
}

// The score counts what was right at the first try; a second try, a hint or a look at the answer does not change it.
function count(outcome) {
  const { key } = steps[state.at];
  if (!state.outcomes.has(key)) state.outcomes.set(key, outcome);
}

function renderScore() {
  const outcomes = [...state.outcomes.values()], right = outcomes.filter((outcome) => outcome === "right").length;
  at("score").hidden = !state.exercise || outcomes.length === 0;
  at("score").textContent = `${right} of ${outcomes.length} right at the first try`;
}

function reveal() {
  state.shown.add(steps[state.at].key);
  render();
}

at("question").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = at("answer").value.trim(), typed = readNumber(text, words), truth = truthOf(steps[state.at]);
  if (text === "" || text === "?") return verdict("Type a number first.", "");
  if (typed === null) return verdict(`${text} is not a number; write it as 0.25, −1e-3, 1/3 or 2*exp(1).`, "unreadable");
  if (isRight(typed.value, truth)) {
    count("right");
    reveal();
    verdict(`${text} is right.`, "right");
    at("next").focus();
    return;
  }
  if (isShort(typed, truth)) return verdict(`${text} is right as far as it goes; 3 significant figures are asked for.`, "");
  count("wrong");
  verdict(`${text} is not right: ${mistake(typed, truth) || "try again, or ask for a hint or the answer"}.`, "wrong");
  renderScore();
});

// The right answer: 0 for what is 0 but for rounding.
const truthOf = ({ result, size }) => (Math.abs(result) <= 1e-12 * (size ?? 0) ? 0 : result);

// The name of the mistake, where the library has worked out what mistakes lead to.
function mistake(typed, truth) {
  const { key, phase } = steps[state.at], asGiven = (kept) => state[kept].every((x, k) => x === given[kept][k]);
  const isKept = asGiven("sources") && asGiven("weights") && (state.t === data.t || ["forward", "local"].includes(phase));
  return data.mistakes && isKept ? explained(typed, truth, data.mistakes.known[key] ?? [], data.mistakes) : "";
}

at("reveal").addEventListener("click", () => {
  count("shown");
  verdict("", "");
  reveal();
});
at("hint").addEventListener("click", () => {
  const { key } = steps[state.at];
  count("hint");
  state.hints.set(key, (state.hints.get(key) ?? 0) + 1);
  render();
});
at("exercise").addEventListener("change", () => {
  state.exercise = at("exercise").checked;
  for (const seen of [state.shown, state.hints, state.outcomes]) seen.clear();
  verdict("", "");
  render();
});
