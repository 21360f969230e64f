// Inputs and weights changed: by fields, and by a step of gradient descent.

// Fields for inputs and weights; everything follows what is typed there.
function setUpFields() {
  at("refused").textContent = data.refused;
  at("reset").hidden = Boolean(data.refused);
  if (data.refused) return;
  graph.nodes.forEach((node, i) => {
    if (node.kind === "input") at("fields").append(field(`field-${i}`, node.shown, "sources", i));
    if (node.kind === "weight") at("weights").append(field(`field-${i}`, node.shown, "sources", i));
  });
  graph.nodes.flatMap((node) => node.neuron?.edges ?? []).forEach((e) => {
    at("weights").append(field(`weight-${e}`, weightName(graph, e), "weights", e));
  });
}

const fields = []; // [the element, "sources" or "weights", the position there]

function field(id, name, kept, k) {
  const label = document.createElement("label"), element = document.createElement("input");
  Object.assign(element, { id, inputMode: "decimal", autocomplete: "off", value: given[kept][k] });
  element.addEventListener("input", () => {
    const typed = readNumber(element.value, words);
    if (typed === null) fail(new Error(`${name}: type a number`));
    else change({ [kept]: state[kept].map((x, n) => (n === k ? typed.value : x)) });
  });
  fields.push([element, kept, k]);
  label.append(`${name} `, element);
  return label;
}

function fail(error) {
  at("mistake").textContent = `${error.message}; the picture shows the numbers before`;
}

// Go on with other inputs or weights, if everything can be computed from them; returns whether it could.
function change(changed) {
  try {
    numbers = computed({ ...state, ...changed });
  } catch (error) {
    fail(error);
    return false;
  }
  at("mistake").textContent = "";
  Object.assign(state, changed);
  state.shown.clear();
  refresh();
  return true;
}

// Write what is in force into the fields.
function fillFields() {
  for (const [element, kept, k] of fields) element.value = state[kept][k];
}

at("reset").addEventListener("click", () => {
  change(given);
  fillFields();
});

// One step of gradient descent: every weight w becomes w − rate · dt/dw.
at("descent").addEventListener("submit", (event) => {
  event.preventDefault();
  const rate = readNumber(at("rate").value, words), { S, y, gradient } = numbers, to = graph.nodes[state.t].shown;
  if (rate === null) {
    at("descended").textContent = "The rate is a number, as in 0.1.";
    return;
  }
  const isWeight = (i) => graph.nodes[i].kind === "weight";
  const done = change({
    weights: state.weights.map((w, e) => (w === null ? null : w - rate.value * gradient[e])),
    sources: state.sources.map((value, i) => (isWeight(i) ? value - rate.value * S[i] : value)),
  });
  fillFields();
  at("descended").textContent = !done ? at("mistake").textContent
    : state.exercise ? "All weights have changed." : `${to}: ${show(y[state.t])} → ${show(numbers.y[state.t])}`;
});
