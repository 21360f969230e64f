// The page: what is shown at each step, and where keys and buttons lead.

const data = JSON.parse(document.getElementById("data").textContent);
const words = data.operations;
const graph = prepared(data);
// What can be changed: the values of nodes that nothing is computed for, and the weights of edges into neurons.
const given = { sources: graph.nodes.map((node) => node.value), weights: graph.edges.map((edge) => edge.weight ?? null) };
const state = {
  ...given, s: data.s, t: data.t, at: 0, exercise: data.exercise, shown: new Set(), hints: new Map(), outcomes: new Map(),
};
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

// All numbers of the graph for the values of the sources and the weights, by the recurrence.
function computed({ sources, weights }) {
  const y = forwardPass(graph, sources, weights, words);
  return { y, w: weights, ...localDerivatives(graph, y, weights, words) };
}

function refresh() {
  const { y, z, gates } = numbers;
  numbers.S = reverseSweep(graph, z, state.t);
  numbers.size = reverseSweep(graph, z.map(Math.abs), state.t); // of what S is the sum of: beside it, rounding is nothing
  numbers.from = forwardSweep(graph, z, state.s);
  numbers.gradient = weightGradients(graph, numbers.S, gates, y);
  Object.assign(numbers, strongestPaths(graph, z, state.s, state.t, data.most_paths));
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
  if (key === "") return true; // the weights are there from the start
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
  const known = isKnown(step.key), hints = hintsOf(step).slice(0, state.hints.get(step.key) ?? 0);
  at("formula").textContent = known ? step.formula : step.asked;
  at("numbers").textContent = known && step.numbers !== step.formula ? step.numbers : "";
  at("result").textContent = known && !step.given ? `= ${show(step.result, 10)}${step.after ? `; ${step.after}` : ""}` : "";
  at("result").dataset.value = known ? step.result : "";
  at("hints").replaceChildren(...(known ? [] : hints).map((text) => cell("li", text)));
  at("question").hidden = !state.exercise || known;
  at("hint").disabled = hints.length === hintsOf(step).length;
  at("hint").textContent = `Hint ${Math.min(hints.length + 1, hintsOf(step).length)} of ${hintsOf(step).length}`;
  at("descent").hidden = step.phase !== "weights" || Boolean(data.refused);
  renderScore();
  for (const button of document.querySelectorAll("#phases button")) {
    button.setAttribute("aria-pressed", button.dataset.phase === step.phase);
  }
  renderPicture(step);
  keepInView(nodeElements[step.node ?? step.nodes.at(-1)]);
  renderTable(step);
}

// Hints come one by one: where to look, the formula, the numbers in it.
const hintsOf = (step) => [...new Set([step.hint, step.formula, step.numbers])].filter((text) => text && text !== step.asked);

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
  forward: { heads: ["node", "value", "S(i, {t})"], rows: nodeRows },
  backward: { heads: ["node", "value", "S(i, {t})"], rows: nodeRows },
  weights: { heads: ["weight", "value", "d{t}/dw"], rows: weightRows },
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

function weightRows(step) {
  const ofEdges = steps.filter((other) => other.phase === "weights" && !other.given).map((other) => ({
    now: step === other,
    cells: [weightName(graph, other.edge), ["", state.weights[other.edge]], [other.key, other.result]],
  }));
  const ofNodes = graph.order.filter((i) => graph.nodes[i].kind === "weight").map((i) => ({
    now: step.nodes.includes(i),
    cells: [graph.nodes[i].shown, [`y${i}`, numbers.y[i]], [`S${i}`, numbers.S[i]]],
  }));
  return [...ofEdges, ...ofNodes];
}

function renderTable(step) {
  const { heads, rows } = TABLES[step.phase];
  const head = document.createElement("tr");
  for (const text of heads) head.append(cell("th", text.replace("{t}", () => graph.nodes[state.t].shown)));
  at("table").tHead.replaceChildren(head);
  const body = rows(step).map(({ now, cells }) => {
    const row = document.createElement("tr");
    row.classList.toggle("now", now);
    for (const entry of cells) {
      if (!Array.isArray(entry)) row.append(cell("td", entry));
      else {
        const found = cell("td", known(entry[0], entry[1], 8));
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
    state.shown = new Set([...state.shown].filter((key) => "yz".includes(key[0])));
    refresh();
  });
}

const svg = document.querySelector("#picture svg");
svg.setAttribute("role", "group"); // an image would hide its nodes from readers

// Picture, formula and table stand beside each other where there is room; else the picture of a wide graph stands above.
function arrange() {
  const { width } = svg.viewBox.baseVal, rem = 16, readable = 0.8 * width; // smaller text is hard to read: the picture scrolls,
  const isBeside = innerWidth >= 100 * rem && readable <= innerWidth - 58 * rem;
  document.querySelector("main").className = isBeside ? "beside" : width > 900 ? "above" : "";
  const room = at("picture").clientWidth;
  svg.style.minWidth = `${room < readable && room > 0.9 * readable ? room : readable}px`; // unless a little smaller is enough
}
addEventListener("resize", arrange);
arrange();

nodeElements.forEach((element, i) => {
  element.setAttribute("tabindex", "0");
  element.setAttribute("role", "img");
  for (const event of ["mouseenter", "focus", "click"]) {
    element.addEventListener(event, () => {
      at("about").textContent = spoken(i);
    });
  }
});
