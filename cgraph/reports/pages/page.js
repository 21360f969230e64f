// The page: what is shown at each step, and what keys, buttons and fields do.

const data = JSON.parse(document.getElementById("data").textContent);
const words = data.operations;
const graph = prepared(data);
const given = { sources: graph.nodes.map((node) => node.value) };
const state = { s: data.s, t: data.t, at: 0, sources: given.sources.slice(), exercise: data.exercise, shown: new Set(), hinted: new Set(), outcomes: new Map() };
const at = (id) => document.getElementById(id);
const nodeElements = graph.nodes.map((_, i) => at(`node-${i}`));
const edgeElements = graph.edges.map((edge) => at(`edge-${edge.tail}-${edge.head}`));
let numbers, steps, place;

function prepared({ nodes, edges, order }) {
  const into = nodes.map(() => []), from = nodes.map(() => []);
  edges.forEach((edge, e) => {
    into[edge.head].push(e);
    from[edge.tail].push(e);
  });
  return { nodes, edges, order, into, from };
}

// All numbers of the graph for the values of the sources, by the recurrence.
function computed(sources) {
  const y = forwardPass(graph, sources, words), z = localDerivatives(graph, y, words);
  return { y, z };
}

function refresh() {
  numbers.S = reverseSweep(graph, numbers.z, state.t);
  numbers.from = forwardSweep(graph, numbers.z, state.s);
  Object.assign(numbers, strongestPaths(graph, numbers.z, state.s, state.t, PATHS));
  steps = allSteps(graph, numbers, state.s, state.t, words);
  place = new Map(steps.flatMap((step, k) => [step.key, ...(step.also || [])].map((key) => [key, k])));
  at("slider").max = steps.length - 1;
  state.at = Math.min(state.at, steps.length - 1);
  document.querySelectorAll("#phases button").forEach((button) => {
    button.disabled = !steps.some((step) => step.phase === button.dataset.phase);
  });
  render();
}

// Whether the result of a step may be seen: it has been reached, and in an exercise, answered.
function isKnown(key) {
  const k = place.get(key);
  return k !== undefined && k <= state.at && (!state.exercise || steps[k].given || state.shown.has(steps[k].key));
}

const known = (key, x, digits) => (isKnown(key) ? show(x, digits) : place.get(key) <= state.at ? "?" : "");

function render() {
  const step = steps[state.at];
  at("slider").value = state.at;
  at("slider").setAttribute("aria-valuetext", `step ${state.at + 1} of ${steps.length}: ${step.title}`);
  at("count").textContent = `Step ${state.at + 1} of ${steps.length}`;
  at("title").textContent = step.title;
  at("formula").textContent = step.formula;
  at("numbers").textContent = isKnown(step.key) || state.hinted.has(step.key) ? step.numbers : "";
  at("result").textContent = isKnown(step.key) && !step.given ? `= ${show(step.result, 10)}${step.after ? `; ${step.after}` : ""}` : "";
  at("result").dataset.value = isKnown(step.key) ? step.result : "";
  at("question").hidden = !state.exercise || isKnown(step.key);
  at("hint").disabled = state.hinted.has(step.key);
  renderScore();
  for (const button of document.querySelectorAll("#phases button")) {
    button.setAttribute("aria-pressed", button.dataset.phase === step.phase);
  }
  renderPicture(step);
  keepInView(nodeElements[step.node ?? step.nodes.at(-1)]);
  renderTable(step);
}

// On a small screen the picture scrolls by itself to the node in question.
function keepInView(element) {
  const view = at("picture"), outer = view.getBoundingClientRect(), inner = element.getBoundingClientRect();
  if (inner.left < outer.left || inner.right > outer.right) view.scrollLeft += inner.left - outer.left - outer.width / 3;
  if (inner.top < outer.top || inner.bottom > outer.bottom) view.scrollTop += inner.top - outer.top - outer.height / 3;
}

function setLine(element, kind, text) {
  const line = element.querySelector(`.${kind}`);
  if (line && line.textContent !== text) line.textContent = text;
}

function renderPicture(step) {
  const { y, z, S } = numbers;
  nodeElements.forEach((element, i) => {
    setLine(element, "value", known(`y${i}`, y[i], 4));
    const sensitivity = known(`S${i}`, S[i], 4);
    setLine(element, "sensitivity", sensitivity && `S = ${sensitivity}`);
    element.classList.toggle("lit", step.nodes.includes(i));
    element.classList.toggle("source", i === state.s);
    element.classList.toggle("target", i === state.t);
    element.setAttribute("aria-label", spoken(i));
  });
  edgeElements.forEach((element, e) => {
    setLine(element, "derivative", known(`z${e}`, z[e], 4));
    element.classList.toggle("lit", step.edges.includes(e));
    if (graph.edges[e].half) {
      const gate = known(`z${e}`, z[e], 4);
      setLine(nodeElements[graph.edges[e].head], "gate", gate && `Φ′ = ${gate}`);
    }
  });
}

const TABLES = {
  local: { heads: ["edge", "z"], rows: localRows },
  paths: { heads: ["path", "product", "sum"], rows: pathRows },
  forward: { heads: ["node", "value", "S(i, t)"], rows: nodeRows },
  backward: { heads: ["node", "value", "S(i, t)"], rows: nodeRows },
};

// Rows of {key, now, cells}; a cell is text, or [key of the step that finds it, number].
function nodeRows(step) {
  return graph.order.map((i) => ({
    now: step.node === i,
    cells: [graph.nodes[i].shown, [`y${i}`, numbers.y[i]], [`S${i}`, numbers.S[i]]],
  }));
}

function localRows(step) {
  return graph.order.flatMap((j) => graph.into[j]).map((e) => ({
    now: step.edge === e,
    cells: [`${graph.nodes[graph.edges[e].tail].shown} → ${graph.nodes[graph.edges[e].head].shown}`, [`z${e}`, numbers.z[e]]],
  }));
}

function pathRows(step) {
  return steps.filter((other) => other.phase === "paths").map((other) => ({
    now: step === other,
    cells: [other.path, [other.key, other.result], [other.key, other.sum]],
  }));
}

function renderTable(step) {
  const { heads, rows } = TABLES[step.phase];
  const head = document.createElement("tr");
  for (const text of heads) head.append(cell("th", text));
  at("table").tHead.replaceChildren(head);
  const body = rows(step).map(({ now, cells }) => {
    const row = document.createElement("tr");
    row.classList.toggle("now", now);
    for (const entry of cells) {
      if (!Array.isArray(entry)) row.append(cell("td", entry));
      else {
        const found = cell("td", known(entry[0], entry[1], 10));
        if (isKnown(entry[0]) && entry[1] !== null) found.dataset.value = entry[1];
        row.append(found);
      }
    }
    return row;
  });
  at("table").tBodies[0].replaceChildren(...body);
  const row = body.find((other) => other.classList.contains("now"));
  if (row) at("rows").scrollTop = row.offsetTop - at("rows").clientHeight / 2;
}

function cell(kind, text) {
  const element = document.createElement(kind);
  element.textContent = text;
  if (kind === "th") element.scope = "col";
  return element;
}

// What a screen reader says of a node, and what stands below when it is pointed at. In an exercise, only what is known.
function spoken(i) {
  const node = graph.nodes[i], { s, t } = state, name = (k) => graph.nodes[k].shown;
  const seen = (key) => !state.exercise || isKnown(key);
  const parts = [`${node.name}, ${node.kind}`];
  if (node.equation) parts.push(node.equation);
  if (numbers.y[i] !== null) parts.push(`value ${seen(`y${i}`) ? show(numbers.y[i], 10) : "?"}`);
  parts.push(`S(${name(i)}, ${name(t)}) = ${seen(`S${i}`) ? show(numbers.S[i], 10) : "?"}`);
  if (!state.exercise) parts.push(`S(${name(s)}, ${name(i)}) = ${show(numbers.from[i], 10)}`);
  return parts.join("; ");
}

function go(k) {
  state.at = Math.max(0, Math.min(steps.length - 1, k));
  at("answer").value = "";
  verdict("", "");
  render();
}

function verdict(text, kind) {
  at("verdict").textContent = text;
  at("verdict").className = kind;
}

// Right to three significant digits, or to all digits of a number with fewer.
function isRight(typed, x) {
  if (!Number.isFinite(typed)) return false;
  if (x === 0) return Math.abs(typed) < 1e-12;
  return Math.abs(typed - x) <= 0.5 * 10 ** (Math.floor(Math.log10(Math.abs(x))) - 2) * (1 + 1e-9);
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
  const text = at("answer").value.trim().replace("−", "-").replace(",", ".");
  if (text === "") return verdict("Type a number first.", "");
  if (!Number.isFinite(Number(text))) return verdict(`${text} is not a number.`, "wrong");
  if (isRight(Number(text), steps[state.at].result)) {
    count("right");
    reveal();
    verdict(`${at("answer").value} is right.`, "right");
    at("next").focus();
    return;
  }
  count("wrong");
  verdict(`${at("answer").value} is not right; try again, or ask for a hint or the answer.`, "wrong");
  renderScore();
});
at("reveal").addEventListener("click", () => {
  count("shown");
  verdict("", "");
  reveal();
});
at("hint").addEventListener("click", () => {
  count("hint");
  state.hinted.add(steps[state.at].key);
  render();
});
at("exercise").addEventListener("change", () => {
  state.exercise = at("exercise").checked;
  for (const seen of [state.shown, state.hinted, state.outcomes]) seen.clear();
  verdict("", "");
  render();
});

at("first").addEventListener("click", () => go(0));
at("previous").addEventListener("click", () => go(state.at - 1));
at("next").addEventListener("click", () => go(state.at + 1));
at("last").addEventListener("click", () => go(steps.length - 1));
at("slider").addEventListener("input", () => go(Number(at("slider").value)));
for (const button of document.querySelectorAll("#phases button")) {
  button.addEventListener("click", () => go(steps.findIndex((step) => step.phase === button.dataset.phase)));
}
const KEYS = {
  ArrowRight: () => go(state.at + 1), ArrowDown: () => go(state.at + 1), " ": () => go(state.at + 1),
  ArrowLeft: () => go(state.at - 1), ArrowUp: () => go(state.at - 1), Home: () => go(0), End: () => go(steps.length - 1),
};
document.addEventListener("keydown", (event) => {
  const busy = event.target.closest("input, select, summary") || (event.key === " " && event.target.closest("button"));
  if (busy || event.altKey || event.ctrlKey || event.metaKey || !KEYS[event.key]) return;
  event.preventDefault();
  KEYS[event.key]();
});

for (const [id, end] of [["source", "s"], ["target", "t"]]) {
  graph.nodes.forEach((node, i) => at(id).append(new Option(node.name, i)));
  at(id).value = state[end];
  at(id).addEventListener("change", () => {
    state[end] = Number(at(id).value);
    state.shown = new Set([...state.shown].filter((key) => !"Sp".includes(key[0])));
    refresh();
  });
}

const svg = document.querySelector("#picture svg");
svg.setAttribute("role", "group"); // an image would hide its nodes from readers
svg.style.minWidth = `${0.8 * svg.viewBox.baseVal.width}px`; // smaller text would not be read: the picture scrolls
document.querySelector("main").classList.toggle("wide", svg.viewBox.baseVal.width > 900); // it stands above the rest,
document.querySelector("main").classList.toggle("huge", svg.viewBox.baseVal.width > 1400); // on the widest screen too
nodeElements.forEach((element, i) => {
  element.setAttribute("tabindex", "0");
  element.setAttribute("role", "img");
  for (const event of ["mouseenter", "focus", "click"]) {
    element.addEventListener(event, () => {
      at("about").textContent = spoken(i);
    });
  }
});

// Fields for inputs and weights; everything follows what is typed there.
function setUpFields() {
  at("refused").textContent = data.refused;
  at("reset").hidden = Boolean(data.refused);
  if (data.refused) return;
  graph.nodes.forEach((node, i) => {
    if (node.kind !== "input" && node.kind !== "weight") return;
    const label = document.createElement("label"), field = document.createElement("input");
    field.id = `field-${i}`;
    field.inputMode = "decimal";
    field.value = node.value;
    field.addEventListener("input", () => change(i, field.value));
    label.append(`${node.shown} `, field);
    at("fields").append(label);
  });
}

function change(i, text) {
  const value = Number(text.trim().replace("−", "-").replace(",", "."));
  const sources = state.sources.slice();
  sources[i] = value;
  try {
    if (!text.trim() || !Number.isFinite(value)) throw new Error(`${graph.nodes[i].name}: type a number`);
    numbers = computed(sources);
  } catch (error) {
    at("mistake").textContent = `${error.message}; the picture shows the numbers before`;
    return;
  }
  at("mistake").textContent = "";
  state.sources = sources;
  state.shown.clear();
  refresh();
}

at("reset").addEventListener("click", () => {
  state.sources = given.sources.slice();
  graph.nodes.forEach((node, i) => {
    if (at(`field-${i}`)) at(`field-${i}`).value = node.value;
  });
  at("mistake").textContent = "";
  numbers = computed(state.sources);
  state.shown.clear();
  refresh();
});

// Paper cannot be stepped through: the list of all steps is printed below the picture.
window.addEventListener("beforeprint", () => {
  const hidden = (step) => state.exercise && !step.given && !state.shown.has(step.key);
  const text = (step) => {
    if (step.given) return step.formula;
    return hidden(step) ? `${step.formula} = ______` : `${step.formula}. ${step.numbers} = ${show(step.result, 10)}`;
  };
  at("all").querySelector("ol").replaceChildren(...steps.map((step) => cell("li", text(step))));
});

// The library's numbers are in the file: a browser that computes others says so.
function disagreement() {
  const far = (a, b) => Math.abs(a - b) > 1e-9 * Math.max(1, Math.abs(b));
  if (numbers.y.some((value, i) => value !== null && far(value, data.values[i]))) return true;
  if (numbers.z.some((value, e) => far(value, graph.edges[e].z))) return true;
  return Object.entries(data.sensitivities).some(([t, S]) => reverseSweep(graph, numbers.z, Number(t)).some((value, i) => far(value, S[i])));
}

numbers = computed(state.sources);
if (disagreement()) {
  at("warning").textContent = "The numbers of this page differ from those it was made with.";
  at("warning").hidden = false;
}
at("exercise").checked = state.exercise;
setUpFields();
refresh();
