// The graph's numbers: the forward pass, the local derivatives, and the recurrence
//   S(t,t) = 1,  S(i,t) = sum over edges (i,j) of S(j,t) z(i,j).
// A graph is {nodes, edges, order}; nodes and edges are known by their position. y are the values of the nodes, w the weights
// of the edges into neurons. An equation is a list of steps: {node: i}, {number: x, text}, or {apply: name, operands: [earlier
// steps]}; the last step is the result.

function stepValues(steps, y, words) {
  const v = [];
  for (const step of steps) {
    if ("node" in step) v.push(y[step.node]);
    else if ("number" in step) v.push(step.number);
    else v.push(apply(step.apply, step.operands.map((k) => v[k]), words));
  }
  return v;
}

// dy(j)/dy(i) for every operand i of an equation: a reverse sweep over its steps.
function stepDerivatives(steps, y, words) {
  const v = stepValues(steps, y, words);
  const varies = [];
  for (const step of steps) varies.push("node" in step || ("apply" in step && step.operands.some((k) => varies[k])));
  const S = steps.map(() => 0), z = new Map();
  S[S.length - 1] = 1;
  for (let k = steps.length - 1; k >= 0; k--) {
    const step = steps[k];
    if ("node" in step) z.set(step.node, (z.get(step.node) || 0) + S[k]);
    else if ("apply" in step) {
      const x = step.operands.map((o) => v[o]);
      step.operands.forEach((o, position) => {
        if (varies[o]) S[o] += S[k] * differentiate(step.apply, position, v[k], x);
      });
    }
  }
  return z;
}

const weightedSum = (graph, j, y, w) => graph.nodes[j].neuron.edges.reduce((sum, e) => sum + w[e] * y[graph.edges[e].tail], 0);

// Values of all nodes from those of the sources.
function forwardPass(graph, sources, w, words) {
  const y = sources.slice();
  for (const j of graph.order) {
    const node = graph.nodes[j];
    try {
      if (node.steps) y[j] = stepValues(node.steps, y, words).at(-1);
      else if (node.neuron) y[j] = apply(node.neuron.activation, [weightedSum(graph, j, y, w)], words);
    } catch (error) {
      throw new Error(`node ${node.name}: ${error.message}`);
    }
  }
  return y;
}

// The gates Φ′(s(j)) of the neurons, and the derivative z(i,j) of every edge; what was given stays.
function localDerivatives(graph, y, w, words) {
  const z = graph.edges.map((edge) => edge.z), gates = graph.nodes.map(() => null);
  graph.nodes.forEach((node, j) => {
    try {
      if (node.steps) {
        const found = stepDerivatives(node.steps, y, words);
        for (const e of graph.into[j]) z[e] = found.get(graph.edges[e].tail);
      } else if (node.neuron) {
        gates[j] = differentiate(node.neuron.activation, 0, y[j], [weightedSum(graph, j, y, w)]);
        for (const e of graph.into[j]) z[e] = gates[j] * w[e];
      }
    } catch (error) {
      throw new Error(`node ${node.name}: ${error.message}`);
    }
  });
  return { z, gates };
}

// dJ/dw of the edges into neurons: the three factors S(j,J), Φ′(s(j)) and y(i); null of other edges.
function weightGradients(graph, S, gates, y) {
  return graph.edges.map(({ tail: i, head: j }) => (gates[j] === null ? null : S[j] * gates[j] * y[i]));
}

function reverseSweep(graph, z, t) {
  const S = graph.nodes.map(() => 0);
  for (let k = graph.order.length - 1; k >= 0; k--) {
    const i = graph.order[k];
    S[i] = i === t ? 1 : graph.from[i].reduce((sum, e) => sum + S[graph.edges[e].head] * z[e], 0);
  }
  return S;
}

function forwardSweep(graph, z, s) {
  const S = graph.nodes.map(() => 0);
  for (const j of graph.order) {
    S[j] = j === s ? 1 : graph.into[j].reduce((sum, e) => sum + z[e] * S[graph.edges[e].tail], 0);
  }
  return S;
}

// The k paths from s to t with the largest |product|, each as a list of edges, and how many paths there are:
// those of node i are an edge (i,j) before one of the best of j.
function strongestPaths(graph, z, s, t, k) {
  const best = graph.nodes.map(() => []), count = graph.nodes.map(() => 0);
  for (let n = graph.order.length - 1; n >= 0; n--) {
    const i = graph.order[n];
    if (i === t) {
      best[i] = [{ edges: [], product: 1 }];
      count[i] = 1;
      continue;
    }
    for (const e of graph.from[i]) {
      const j = graph.edges[e].head;
      count[i] += count[j];
      for (const path of best[j]) best[i].push({ edges: [e, ...path.edges], product: path.product * z[e] });
    }
    best[i].sort((p, q) => Math.abs(q.product) - Math.abs(p.product));
    best[i].length = Math.min(best[i].length, k);
  }
  return { paths: best[s], count: count[s] };
}
