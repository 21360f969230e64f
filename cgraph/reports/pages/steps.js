// What is said at each step: a question, a formula, the formula with numbers put in, the result, and what is lit meanwhile.

// All steps for given numbers: {phase, key, title, asked, hint, formula, numbers, result, node, nodes, edges}. In an exercise,
// `asked` is the question, and `hint` comes before the formula.
function allSteps(graph, numbers, s, t, words) {
  const ends = [s, t];
  return [
    ...withoutConstants(forwardSteps(graph, numbers, words), graph, ends, (step) => step.node),
    ...withoutConstants(localSteps(graph, numbers, words), graph, ends, (step) => graph.edges[step.edge].tail),
    ...withoutConstants(backwardSteps(graph, numbers, t), graph, ends, (step) => step.node),
    ...pathSteps(graph, numbers, s, t),
    ...weightSteps(graph, numbers, t),
  ];
}

// The steps of a phase without those that are about a constant, such as the +1 of a bias: what they find, the step
// before finds too (`also`), or the first one.
function withoutConstants(steps, graph, ends, about) {
  const isConstant = (step) => graph.nodes[about(step)].kind === "constant" && !ends.includes(about(step));
  const kept = steps.filter((step) => !isConstant(step));
  if (kept.length === 0) return steps;
  let current = kept[0];
  for (const step of steps) {
    if (!isConstant(step)) current = step;
    else current.also = [...(current.also || []), step.key];
  }
  return kept;
}

// How the weight of an edge is called: that of the constant +1 is a bias.
const isBias = (graph, e) => graph.nodes[graph.edges[e].tail].kind === "constant" && graph.nodes[graph.edges[e].tail].value === 1;
function weightName(graph, e) {
  const [tail, head] = [graph.edges[e].tail, graph.edges[e].head].map((i) => graph.nodes[i].shown);
  return isBias(graph, e) ? `b(${head})` : `w(${tail}, ${head})`;
}

// The weighted sum of a neuron; `leaf` says what stands for the node at the tail of an edge.
function sumText(graph, j, w, leaf) {
  const { edges } = graph.nodes[j].neuron;
  return sum(edges.map((e) => (isBias(graph, e) ? show(w[e]) : `${show(w[e])} · ${leaf(graph.edges[e].tail)}`))) || "0";
}

// What stands for a step of an equation in a formula, and the number that stands there.
const leafName = (graph) => (step) =>
  "node" in step ? graph.nodes[step.node].shown
    : "sum" in step ? `s(${graph.nodes[step.sum].shown})` : weightName(graph, step.weight);
const leafNumber = (graph, { y, w }) => (step) =>
  "node" in step ? y[step.node] : "sum" in step ? weightedSum(graph, step.sum, y, w) : w[step.weight];

// Products and sums of numbers: what follows a sign stands in brackets if it has one.
const product = (factors) => factors.map((x, k) => (k ? bracketed(show(x)) : show(x))).join(" · ");
const sum = (terms) => terms.map((text, k) => (k && text.startsWith("−") ? text.replace(/^\S+/, bracketed) : text)).join(" + ");

function forwardSteps(graph, numbers, words) {
  const { y, w } = numbers, name = leafName(graph), number = leafNumber(graph, numbers);
  return graph.order.filter((j) => y[j] !== null).map((j) => {
    const node = graph.nodes[j];
    const step = { phase: "forward", key: `y${j}`, node: j, nodes: [j], edges: graph.into[j], result: y[j] };
    step.title = `The value of ${node.shown}`;
    if (node.steps) {
      const known = [...new Set(graph.into[j].map((e) => graph.edges[e].tail))];
      step.formula = `${node.shown} = ${written(node.steps, words, name)}`;
      step.numbers = `${node.shown} = ${written(node.steps, words, (leaf) => show(number(leaf)))}`;
      step.hint = `It is computed from ${known.map((i) => `${graph.nodes[i].shown} = ${show(y[i])}`).join(", ")}.`;
    } else if (node.neuron) {
      const { activation } = node.neuron;
      const put = sumText(graph, j, w, (i) => bracketed(show(y[i])));
      step.formula = `${node.shown} = ${activation}(${sumText(graph, j, w, (i) => graph.nodes[i].shown)})`;
      step.numbers = `${node.shown} = ${activation}(${put}) = ${activation}(${show(weightedSum(graph, j, y, w))})`;
      step.hint = `First the weighted sum s(${node.shown}), then ${activation} of it.`;
    } else return { ...step, title: `${node.shown} is given`, formula: `${node.shown} = ${show(y[j], 10)}`, numbers: "", given: true };
    return { ...step, asked: step.formula };
  });
}

function localSteps(graph, numbers, words) {
  return graph.order.flatMap((j) => graph.into[j]).map((e) => {
    const { tail: i, head: j, formula } = graph.edges[e], node = graph.nodes[j];
    const [from, to] = [graph.nodes[i].shown, node.shown], name = `z(${from}, ${to})`;
    const step = { phase: "local", key: `z${e}`, edge: e, nodes: [i, j], edges: [e], result: numbers.z[e] };
    step.title = `The derivative of ${to} with respect to ${from}`;
    if (!node.neuron && !node.steps) return { ...step, formula: `${name} is given`, numbers: "", given: true };
    const equation = node.neuron ? `${node.neuron.activation}(${sumText(graph, j, numbers.w, (k) => graph.nodes[k].shown)})`
      : written(node.steps, words, leafName(graph));
    step.asked = `${name} = d${to}/d${from}, where ${to} = ${equation}`;
    step.hint = node.neuron ? `The derivative of ${node.neuron.activation} at s(${to}), times the weight of the edge.`
      : `Differentiate with respect to ${from}; what else stands in the equation is held constant.`;
    return { ...step, ...localFormula(graph, numbers, words, formula, `${name} = `, { equation, from, j }) };
  });
}

// A formula and its numbers; of a formula that is too long for the page, what is differentiated, and where.
function localFormula(graph, numbers, words, formula, start, { equation, from, j }) {
  const number = leafNumber(graph, numbers);
  if (!formula) {
    const tails = graph.into[j].map((e) => graph.edges[e].tail);
    return {
      formula: `${start}d/d${from} of ${equation}`,
      numbers: `at ${tails.map((k) => `${graph.nodes[k].shown} = ${show(numbers.y[k])}`).join(", ")}`,
    };
  }
  const v = formulaValues(formula, number);
  return {
    formula: start + written(formula, words, leafName(graph), v),
    numbers: start + written(formula, words, (leaf) => show(number(leaf)), v),
  };
}

// The values of the steps of a formula; what a choice leaves out may be no number.
function formulaValues(formula, number) {
  const v = [];
  for (const step of formula) {
    v.push("apply" in step ? OPERATIONS[step.apply][0](...step.operands.map((k) => v[k])) : step.number ?? number(step));
  }
  return v;
}

function backwardSteps(graph, { S, z, size }, t) {
  const reaches = leadsTo(graph, t), to = graph.nodes[t].shown;
  return [...graph.order].reverse().filter((i) => reaches[i]).map((i) => {
    const from = graph.nodes[i].shown, name = `S(${from}, ${to})`;
    const step = { phase: "backward", key: `S${i}`, node: i, nodes: [i], edges: [], result: S[i], size: size[i] };
    if (i === t) return { ...step, title: `The sweep begins at ${to}`, formula: `${name} = 1`, numbers: "", given: true };
    const out = graph.from[i].filter((e) => reaches[graph.edges[e].head]);
    const terms = (term) => sum(out.map((e) => term(graph.edges[e].head, e)));
    const heads = out.map((e) => graph.nodes[graph.edges[e].head].shown).join(", ");
    return {
      ...step,
      edges: out,
      title: `How ${from} acts on ${to}`,
      asked: `${name} = d${to}/d${from}`,
      hint: out.length > 1 ? `A sum over the edges to ${heads}: S at the head of each, times z along it.`
        : `One edge leads on, to ${heads}: S there, times z along the edge.`,
      formula: `${name} = ${terms((j) => `S(${graph.nodes[j].shown}, ${to}) z(${from}, ${graph.nodes[j].shown})`)}`,
      numbers: `${name} = ${terms((j, e) => product([S[j], z[e]]))}`,
    };
  });
}

function leadsTo(graph, t) {
  const reaches = graph.nodes.map((_, i) => i === t);
  for (const j of [...graph.order].reverse()) if (reaches[j]) for (const e of graph.into[j]) reaches[graph.edges[e].tail] = true;
  return reaches;
}

function pathSteps(graph, { z, paths, count }, s, t) {
  const name = `S(${graph.nodes[s].shown}, ${graph.nodes[t].shown})`;
  let total = 0;
  return paths.map((path, k) => {
    const nodes = [s, ...path.edges.map((e) => graph.edges[e].head)], shown = nodes.map((i) => graph.nodes[i].shown);
    total += path.product;
    const more = count > paths.length ? `, the strongest ${paths.length} of ${count.toLocaleString("en")}` : "";
    return {
      phase: "paths", key: `p${path.edges.join("-")}`, nodes, edges: path.edges, result: path.product, sum: total,
      path: shown.join(" → "),
      title: `Path ${k + 1} of ${paths.length}${more}`,
      asked: `What ${shown.join(" → ")} adds to ${name}`,
      hint: "The product of z along the path.",
      formula: `${shown.join(" → ")}: ${path.edges.map((e, n) => `z(${shown[n]}, ${shown[n + 1]})`).join(" · ") || "no edge"}`,
      numbers: product(path.edges.map((e) => z[e])) || "1, the path of no edges",
      after: `${name}: ${show(total, 10)} so far`,
    };
  });
}

function weightSteps(graph, { y, S, gates, gradient, size }, t) {
  const reaches = leadsTo(graph, t), to = graph.nodes[t].shown;
  const steps = graph.nodes.flatMap((node) => node.neuron?.edges ?? []).filter((e) => reaches[graph.edges[e].head]).map((e) => {
    const { tail: i, head: j } = graph.edges[e], [from, neuron] = [graph.nodes[i].shown, graph.nodes[j].shown];
    const name = `d${to}/d${weightName(graph, e)}`;
    return {
      phase: "weights", key: `w${e}`, edge: e, nodes: [i, j], edges: [e], result: gradient[e], size: Math.abs(size[j] * gates[j] * y[i]),
      title: `The derivative of ${to} with respect to ${weightName(graph, e)}`,
      asked: name,
      hint: `Three factors: how ${neuron} acts on ${to}, the gate of ${neuron}, and what comes in along the edge.`,
      formula: `${name} = S(${neuron}, ${to}) · Φ′(s(${neuron})) · ${isBias(graph, e) ? "1" : from}`,
      numbers: `${name} = ${product([S[j], gates[j], y[i]])}`,
    };
  });
  const nodes = graph.order.filter((i) => graph.nodes[i].kind === "weight" && reaches[i]);
  if (nodes.length === 0) return steps;
  const formula = `d${to}/d${graph.nodes[nodes[0]].shown} = S(${graph.nodes[nodes[0]].shown}, ${to})`;
  return [...steps, {
    phase: "weights", key: "w", nodes, edges: [], title: "Weights that are nodes", numbers: "", given: true,
    formula: `${formula}${nodes.length > 1 ? ", and so on" : ""}: the backward sweep has found it`,
  }];
}
