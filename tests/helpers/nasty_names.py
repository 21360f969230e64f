"""Names that would do harm in a format that does not quote them."""

from itertools import pairwise

import networkx as nx

NASTY = ["<script>alert(1)</script>", '"]; evil [x="', "a&amp;b", "$x_1$ % # ~ ^", "{\\input{x}}", "θ·Ω 中 é", "'\"`", "]]>",
         "\\n\\l", "--><!--", "a|b", "#quot;", "x{", "end", "${data}", "&lt;"]  # fmt: skip


def nasty_graph(names):
    G = nx.DiGraph()
    G.add_edges_from(pairwise(names), derivative=1.0)
    G.graph["title"] = names[0]
    return G
