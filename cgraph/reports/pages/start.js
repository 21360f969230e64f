// What is printed, whether the numbers are the library's, and the start.

// A formula and its numbers, unless they are the same.
const shownOnce = ({ formula, numbers }) => (numbers === formula ? formula : `${formula}. ${numbers}`);

// Paper cannot be stepped through: the list of all steps is printed below the picture.
window.addEventListener("beforeprint", () => {
  const hidden = (step) => state.exercise && !step.given && !state.shown.has(step.key);
  const text = (step) => {
    if (step.given) return step.formula;
    return hidden(step) ? `${step.asked} = ______` : `${shownOnce(step)} = ${show(step.result, 10)}`;
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

document.querySelector("[data-phase=weights]").hidden = !graph.nodes.some((node) => node.neuron || node.kind === "weight");
numbers = computed(state);
if (disagreement()) {
  at("warning").textContent = "The numbers of this page differ from those it was made with.";
  at("warning").hidden = false;
}
at("exercise").checked = state.exercise;
setUpFields();
refresh();
