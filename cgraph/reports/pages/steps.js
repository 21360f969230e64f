// What is said at each step: a formula, the formula with numbers put in, the result, and what is lit meanwhile.

const PATHS = 40; // as many of the strongest are walked

// A number as it is shown: a few digits, a true minus sign.
function show(x, digits = 6) {
  if (x === null || x === undefined) return "";
  return String(Number(x.toPrecision(digits)) + 0).replace(/-/g, "−").replace("e+", "e");
}

const bracketed = (text) => (text.startsWith("−") ? `(${text})` : text);

// An equation as text; `leaf` says what stands for a node.
function written(steps, words, leaf) {
  const done = [];
  for (const step of steps) {
    if ("node" in step) done.push([leaf(step.node), 9]);
    else if ("number" in step) done.push([step.text, 9]);
    else {
      const { infix, precedence } = words[step.apply];
      const operands = step.operands.map((k) => done[k]);
      if (!infix) done.push([`${words[step.apply].name}(${operands.map(([text]) => text).join(", ")})`, 9]);
      else {
        const sign = { "*": " · ", "-": operands.length > 1 ? " − " : "−", "^": "^", ">=": " ≥ ", "<=": " ≤ " }[infix] || ` ${infix} `;
        const texts = operands.map(([text, binds], position) => {
          const tight = step.apply === "pow" ? position === 0 : position === 1 && "sub div".includes(step.apply);
          const apart = binds < precedence || (tight && binds === precedence) || (text.startsWith("−") && operands.length > 1);
          return apart ? `(${text})` : text;
        });
        done.push([texts.length > 1 ? texts.join(sign) : sign + texts[0], precedence]);
      }
    }
  }
  return done.at(-1)[0];
}

// All steps for given numbers: {phase, key, title, formula, numbers, result, node, nodes, edges}.
function allSteps(graph, numbers, s, t, words) {
  const ends = [s, t];
  return [
    ...withoutConstants(forwardSteps(graph, numbers, words), graph, ends, (step) => step.node),
    ...withoutConstants(localSteps(graph, numbers, words), graph, ends, (step) => graph.edges[step.edge].tail),
    ...withoutConstants(backwardSteps(graph, numbers, t), graph, ends, (step) => step.node),
    ...pathSteps(graph, numbers, s, t),
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

function forwardSteps(graph, { y }, words) {
  return graph.order.filter((j) => y[j] !== null).map((j) => {
    const node = graph.nodes[j];
    const step = { phase: "forward", key: `y${j}`, node: j, nodes: [j], edges: graph.into[j], result: y[j] };
    if (node.steps) {
      step.formula = `${node.shown} = ${written(node.steps, words, (i) => graph.nodes[i].shown)}`;
      step.numbers = `${node.shown} = ${written(node.steps, words, (i) => show(y[i]))}`;
      return { ...step, title: `The value of ${node.shown}` };
    }
    if (node.neuron) {
      const { activation, weights } = node.neuron;
      const sum = weights.map(([i, w]) => `${bracketed(show(w))} · ${graph.nodes[i].shown}`).join(" + ") || "0";
      const put = weights.map(([i, w]) => `${bracketed(show(w))} · ${bracketed(show(y[i]))}`).join(" + ") || "0";
      step.formula = `${node.shown} = ${activation}(${sum})`;
      step.numbers = `${node.shown} = ${activation}(${put}) = ${activation}(${show(weightedSum(node.neuron, y))})`;
      return { ...step, title: `The value of ${node.shown}` };
    }
    return { ...step, title: `${node.shown} is given`, formula: `${node.shown} = ${show(y[j], 10)}`, numbers: "", given: true };
  });
}

function localSteps(graph, { y, z }, words) {
  const edges = graph.order.flatMap((j) => graph.into[j]);
  return edges.map((e) => {
    const { tail: i, head: j } = graph.edges[e];
    const [from, to] = [graph.nodes[i].shown, graph.nodes[j].shown];
    const node = graph.nodes[j], name = `z(${from}, ${to})`;
    const step = { phase: "local", key: `z${e}`, edge: e, nodes: [i, j], edges: [e], result: z[e] };
    step.title = `The derivative of ${to} with respect to ${from}`;
    if (node.neuron) {
      const w = new Map(node.neuron.weights).get(i), sum = weightedSum(node.neuron, y);
      const gate = differentiate(node.neuron.activation, 0, y[j], [sum]);
      step.formula = `${name} = Φ′(s) · w, with Φ = ${node.neuron.activation}`;
      step.numbers = `${name} = ${bracketed(show(gate))} · ${bracketed(show(w))}`;
    } else if (node.steps) {
      const rule = elementaryRule(node.steps, i);
      const put = (leaf) => rule.text.replace(/\{(.)\}/g, (_, k) => (k === "y" ? leaf(j) : rule.operands[k](leaf)));
      step.formula = rule ? `${name} = ${put((k) => graph.nodes[k].shown)}`
        : `${name} = d/d${from} of ${written(node.steps, words, (k) => graph.nodes[k].shown)}`;
      step.numbers = rule ? `${name} = ${put((k) => bracketed(show(y[k])))}` : `at ${
        [...new Set(node.steps.filter((k) => "node" in k).map((k) => k.node))]
          .map((k) => `${graph.nodes[k].shown} = ${show(y[k])}`).join(", ")}`;
    } else return { ...step, formula: `${name} is given`, numbers: "", given: true };
    return step;
  });
}

// The rule for dy/dy(i) if the equation is one operation in which node i stands once; or else null.
function elementaryRule(steps, i) {
  const last = steps.at(-1);
  if (!("apply" in last) || steps.filter((step) => "apply" in step).length > 1) return null;
  const operands = last.operands.map((k) => steps[k]);
  if (operands.filter((step) => step.node === i).length !== 1) return null;
  const write = (step) => (leaf) => ("node" in step ? leaf(step.node) : step.text);
  return {
    text: OPERATIONS[last.apply][2][operands.findIndex((step) => step.node === i)],
    operands: Object.fromEntries(operands.map((step, k) => ["abc"[k], write(step)])),
  };
}

function backwardSteps(graph, { S, z }, t) {
  const reaches = leadsTo(graph, t), to = graph.nodes[t].shown;
  return [...graph.order].reverse().filter((i) => reaches[i]).map((i) => {
    const name = `S(${graph.nodes[i].shown}, ${to})`;
    const step = { phase: "backward", key: `S${i}`, node: i, nodes: [i], edges: [], result: S[i] };
    if (i === t) return { ...step, title: `The sweep begins at ${to}`, formula: `${name} = 1`, numbers: "", given: true };
    const out = graph.from[i].filter((e) => reaches[graph.edges[e].head]);
    const terms = (term) => out.map((e) => term(graph.edges[e].head, e)).join(" + ");
    return {
      ...step,
      edges: out,
      title: `How ${graph.nodes[i].shown} acts on ${to}`,
      formula: `${name} = ${terms((j) => `S(${graph.nodes[j].shown}, ${to}) z(${graph.nodes[i].shown}, ${graph.nodes[j].shown})`)}`,
      numbers: `${name} = ${terms((j, e) => `${bracketed(show(S[j]))} · ${bracketed(show(z[e]))}`)}`,
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
  let sum = 0;
  return paths.map((path, k) => {
    const nodes = [s, ...path.edges.map((e) => graph.edges[e].head)];
    sum += path.product;
    const more = count > paths.length ? `, the strongest ${paths.length} of ${count.toLocaleString("en")}` : "";
    return {
      phase: "paths", key: `p${s}-${t}-${k}`, nodes, edges: path.edges, result: path.product, sum,
      path: nodes.map((i) => graph.nodes[i].shown).join(" → "),
      title: `Path ${k + 1} of ${paths.length}${more}`,
      formula: `${nodes.map((i) => graph.nodes[i].shown).join(" → ")}: the product of z along it`,
      numbers: path.edges.map((e) => bracketed(show(z[e]))).join(" · ") || "1, the path of no edges",
      after: `${name}: ${show(sum, 10)} so far`,
    };
  });
}
