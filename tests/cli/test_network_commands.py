"""gradient, gates, transform, descend and eliminate, as typed."""

import csv
import io
import json
import math
import re
from pathlib import Path

import pytest

import cgraph as cg
from cgraph.algorithms.elimination import elimination_graph, orders
from cgraph.cli.elimination_command import RULES
from cgraph.cli.network_commands import WITH_OPTIONS
from cgraph.cli.parser import COSTS, METHODS
from cgraph.cli.parser import TRANSFORMS as NAMES

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
NETWORK = str(EXAMPLES / "math565" / "network.yaml")
LECTURE = str(EXAMPLES / "math565" / "lecture26.yaml")
LOGISTIC = str(EXAMPLES / "cmu_10301" / "one_hidden_layer.yaml")


def as_json(run, *arguments):
    status, out, err = run(*arguments, "--format", "json")
    assert (status, err) == (0, "")
    return json.loads(out)


def test_the_parser_knows_what_there_is():
    assert set(WITH_OPTIONS) < set(NAMES)
    assert set(RULES) < set(METHODS) == set(orders.METHODS)
    assert set(COSTS) == set(elimination_graph.COSTS)


class TestGradient:
    def test_edges_and_factors(self, run):
        L = cg.linearize(cg.read_spec(NETWORK))
        found = as_json(run, "gradient", NETWORK, "--factors")
        assert found["loss"] == "J"
        expected = {" -> ".join(w): g for w, g in cg.weight_gradients(L, "J").items()}
        assert {r["weight"]: r["gradient"] for r in found["gradients"]} == expected
        for r in found["gradients"]:
            assert r["downstream"] * r["gate"] * r["upstream"] == pytest.approx(r["gradient"], rel=1e-15)

    def test_weight_nodes(self, run):
        found = as_json(run, "gradient", LECTURE, "--factors")["gradients"]
        assert [r["weight"] for r in found] == ["w1", "w2", "w3"]
        assert found[0]["value"] == 0.5
        assert found[0]["downstream"] is None

    def test_text_csv_and_the_node(self, run):
        status, out, _ = run("gradient", NETWORK, "--of", "o")
        assert status == 0
        assert out.splitlines()[0].split() == ["weight", "value", "do/dw"]
        status, out, _ = run("gradient", NETWORK, "--format", "csv")
        assert next(csv.reader(io.StringIO(out)))[:3] == ["weight", "value", "gradient"]
        assert r"$x_{1} \to h_{1}$" in run("gradient", NETWORK, "--format", "latex")[1]

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--of", "q"], "no node 'q' in the graph; there are x1, x2, h1, h2, o, +1, J"),
            (["-e", "a = x; b = x", "--at", "x=1"], "the graph has 2 outputs (a, b); name the loss with --of"),
            (
                ["-e", "a = x", "--at", "x=1"],
                "the graph has no weights; `cgraph sensitivity` differentiates with respect to its inputs",
            ),
        ],
    )
    def test_which_loss(self, run, arguments, message):
        spec = [] if "-e" in arguments else [NETWORK]
        assert run("gradient", *spec, *arguments) == (2, "", f"cgraph: error: {message}\n")


class TestGates:
    def test_gates_and_flow(self, run):
        found = as_json(run, "gates", NETWORK)
        L = cg.linearize(cg.read_spec(NETWORK))
        assert {r["neuron"]: r["gate"] for r in found["gates"]} == cg.gates(L)
        assert [level["nodes"] for level in found["flow"]] == [1, 1, 2, 2]
        assert found["flow"][0]["shut"] is None
        _, out, _ = run("gates", NETWORK)
        assert "3 gates" in out
        assert "|S(i, J)| by the longest distance to J" in out


class TestTransform:
    @pytest.mark.parametrize(
        "name",
        [
            *(n for n in NAMES if n not in {"append_loss", "layerwise"}),
            "decouple,weights_as_nodes",
            "decouple,couple",
            "expand,couple",
        ],
    )
    def test_every_transform_writes_a_spec(self, run, name):
        options = ["--from", "h1", "--to", "J"] if name == "restrict" else []
        status, out, err = run("transform", name, NETWORK, *options)
        assert (status, err) == (0, "")
        G, H = cg.read_spec(NETWORK), cg.read_spec(io.StringIO(out))
        o = next(i for i in ("o", "o+", "o.out") if i in H)
        J = next(i for i in ("J", "J.out") if i in H)
        L = H if name == "drop_zero_edges" else cg.linearize(H)
        assert cg.sensitivity(L, o, J) == pytest.approx(cg.sensitivity(cg.linearize(G), "o", "J"), rel=1e-12)

    def test_layerwise(self, run):
        status, out, _ = run("transform", "layerwise", NETWORK)
        H = cg.read_spec(io.StringIO(out))
        assert status == 0
        assert H.nodes["h1"]["equation"] == "sigmoid(W_x_h1 @ x + b_h1)"
        assert cg.evaluate(H)["J"] == pytest.approx(cg.evaluate(cg.read_spec(NETWORK))["J"], rel=1e-12)

    def test_scalarize(self, run):
        status, out, _ = run("transform", "scalarize", "-e", "y = sum(stack(x, z)^2)", "--at", "x=1", "--at", "z=2")
        assert status == 0
        assert cg.read_spec(io.StringIO(out)).nodes["y"]["equation"] == "x ^ 2 + z ^ 2"

    def test_append_loss(self, run):
        status, out, _ = run("transform", "append_loss", "-e", "y9 = 2*x", "--loss", "ln(y9)")
        assert status == 3
        status, out, _ = run("transform", "append_loss", EXAMPLES / "dd2424/chain.yaml", "--loss", "h^2")
        assert status == 0
        assert cg.read_spec(io.StringIO(out)).nodes["J"]["equation"] == "h^2"

    def test_a_file_of_another_format(self, run, tmp_path):
        path = tmp_path / "decoupled.toml"
        assert run("transform", "decouple", NETWORK, "-o", path) == (0, "", "")
        assert "h1-" in cg.read_spec(path)
        assert json.loads(run("transform", "decouple", NETWORK, "--format", "json")[1])["cgraph"] == 1

    def test_expand_with_sharing(self, run):
        equations = ["-e", "y = x*x + cos(sin(x*x))", "--at", "x=2"]
        shared, apart = (
            cg.read_spec(io.StringIO(run("transform", "expand", *options, *equations)[1]))
            for options in (["--share"], [])
        )
        assert len(shared) == len(apart) - 1
        assert cg.evaluate(shared)["y"] == cg.evaluate(apart)["y"]

    def test_options_may_stand_before_the_spec(self, run):
        before = run("transform", "restrict", "--from", "h1", "--to", "J", NETWORK)
        assert before == run("transform", "restrict", NETWORK, "--from", "h1", "--to", "J")
        assert before[0] == 0
        assert run("transform", "decouple", NETWORK, "more.yaml")[0] == 2
        assert "there is no option --more" in run("transform", "decouple", NETWORK, "--more")[2]

    def test_a_name_for_the_loss(self, run):
        status, out, _ = run("transform", "append_loss", NETWORK, "--loss", "ln(o)", "--name", "K")
        assert status == 0
        assert cg.read_spec(io.StringIO(out)).outputs == ["K"]

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["decuple", NETWORK], "there is no transform 'decuple'; did you mean 'decouple'?"),
            (["foo", NETWORK], f"there is no transform 'foo'; the transforms are {', '.join(NAMES)}"),
            (["restrict", NETWORK], "restrict needs --from S"),
            (["restrict", NETWORK, "--from", "h1"], "restrict needs --to T"),
            (["restrict", NETWORK, "--from", "q", "--to", "J"], "no node 'q' in the graph; there are x1, x2, h1, h2, o, +1, J"),
            (["append_loss", NETWORK], "append_loss needs --loss EQUATION"),
            (["append_loss", NETWORK, "--loss", "o"], "node 'J' is defined twice"),
            (["decouple", NETWORK, "--at", "x1=2"],
             "a transform writes the spec as it is; change the values there instead of with --at"),
            (["decouple", NETWORK, "-o", "/no/where.yaml"], "cannot write '/no/where.yaml': No such file or directory"),
        ],
    )  # fmt: skip
    def test_mistakes(self, run, arguments, message):
        assert run("transform", *arguments) == (2, "", f"cgraph: error: {message}\n")

    def test_nothing_between(self, run):
        status, _, err = run("transform", "restrict", NETWORK, "--from", "J", "--to", "h1")
        assert (status, err) == (4, "cgraph: error: no path leads from 'J' to 'h1', so nothing lies between them\n")


class TestDescend:
    def data(self, tmp_path, text="x1,x2,target\n0.9,-0.4,1\n-1,0.5,0\n0.3,0.8,1\n"):
        path = tmp_path / "data.csv"
        path.write_text(text)
        return path

    def test_the_loss_falls_and_the_spec_is_written(self, run, tmp_path):
        trained = tmp_path / "trained.yaml"
        found = as_json(run, "descend", NETWORK, "--rate", 1, "--steps", 30, "-o", trained)
        losses = [r["loss"] for r in found["losses"]]
        assert len(losses) == 31
        assert losses == sorted(losses, reverse=True)
        G = cg.read_spec(trained)
        assert cg.evaluate(G)["J"] == pytest.approx(losses[-1], rel=1e-15)
        assert found["weights"]["x1 -> h1"] == G.edges["x1", "h1"]["weight"]
        assert found["stopped"] == ""

    def test_a_table_of_data(self, run, tmp_path):
        path = self.data(tmp_path)
        options = ["--rate", -0.5, "--steps", 4, "--batch", 1, "--seed", 5]
        found = as_json(run, "descend", LOGISTIC, "--data", path, "--validation", path, *options)
        expected = cg.gradient_descent(cg.read_spec(LOGISTIC), "J", -0.5, 4, data=path, batch=1, seed=5)
        assert [r["loss"] for r in found["losses"]] == [r["held_out"] for r in found["losses"]] == expected.history

    @pytest.mark.parametrize("method", ["sgd", "momentum", "adam"])
    def test_methods(self, run, method):
        found = as_json(run, "descend", NETWORK, "--rate", 0.1, "--steps", 5, "--method", method)
        expected = cg.gradient_descent(cg.read_spec(NETWORK), "J", 0.1, 5, method=method)
        assert [r["loss"] for r in found["losses"]] == expected.history

    def test_the_curve(self, run):
        _, out, _ = run("descend", NETWORK, "--rate", 1, "--steps", 100)
        lines = out.splitlines()
        assert lines[0].split() == ["step", "loss"]
        assert 10 < len(lines) <= 22
        assert [len(re.findall("#", line)) for line in (lines[1], lines[-1])] == [40, 2]
        assert lines[-1].split()[0] == "100"

    def test_where_it_starts(self, run):
        one = as_json(run, "descend", NETWORK, "--rate", 1, "--steps", 1, "--at", "x1=2")
        assert one["losses"][0]["loss"] == cg.evaluate(cg.read_spec(NETWORK), {"x1": 2.0})["J"]
        assert run("descend", NETWORK, "--rate", 1, "--steps", 1, "--at", "o=2")[0] == 2

    def test_progress_on_a_terminal(self, run, monkeypatch):
        monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
        _, _, err = run("descend", NETWORK, "--rate", 1, "--steps", 3)
        assert err.startswith("\rstep 1 of 3, loss ")
        assert err.endswith("\n")

    def test_a_loss_out_of_range(self, run, tmp_path):
        spec = tmp_path / "steep.yaml"
        spec.write_text("weights: {w: 2.0}\nnodes: {J: w^4}\n")
        status, out, err = run("descend", spec, "--rate", 4, "--steps", 50, "--format", "json")
        assert status == 4
        assert re.fullmatch(r"cgraph: stopped in step \d+: node 'J': .* overflows; the weights are those before\n", err)
        assert all(math.isfinite(r["loss"]) for r in json.loads(out)["losses"])

    @pytest.mark.parametrize(
        ("options", "status", "message"),
        [
            (["--rate", "x"], 2, "'x' is not a finite number, as in 0.1"),
            (["--rate", "nan"], 2, "'nan' is not a finite number"),
            (["--steps", "0"], 2, "'0' is not a positive whole number, as in 5"),
            (["--batch", "-1"], 2, "'-1' is not a positive whole number"),
            (["--data", "/no/such.csv"], 2, "cannot read '/no/such.csv': No such file or directory"),
        ],
    )
    def test_mistakes(self, run, options, status, message):
        found, _, err = run("descend", LOGISTIC, "--rate", 1, "--steps", 1, *options)
        assert found == status
        assert message in err

    @pytest.mark.parametrize(
        ("text", "status", "message"),
        [
            ("x_1\n1\n", 2, "the data have a column 'x_1', which is no input; did you mean 'x1'?"),
            ("x1\nabc\n", 4, "data.csv:2: column 'x1' holds 'abc'; a finite number is needed"),
        ],
    )
    def test_bad_data(self, run, tmp_path, text, status, message):
        found, _, err = run("descend", LOGISTIC, "--rate", 1, "--steps", 1, "--data", self.data(tmp_path, text))
        assert (found, err) == (status, f"cgraph: error: {message}\n")

    def test_all_values_are_set_at_once(self, run, tmp_path):
        spec = tmp_path / "log.yaml"
        spec.write_text("inputs: {x: 1, z: 1}\nweights: {w: 2}\nnodes: {J: w*log(x + z)}\n")
        assert run("descend", spec, "--at", "x=-5", "--at", "z=10", "--rate", 1, "--steps", 1)[0] == 0

    def test_nothing_to_train(self, run):
        message = "cgraph: error: the graph has no weights to train\n"
        assert run("descend", "-e", "J = x", "--at", "x=1", "--rate", 1, "--steps", 1) == (2, "", message)
        status, _, err = run("descend", "-", "--rate", 1, "--steps", 1)
        assert status in {2, 3}
        assert err


class TestEliminate:
    SPEC = str(EXAMPLES / "cse463" / "sqrt_cos.yaml")

    @pytest.mark.parametrize("method", [m for m in METHODS if m != "chain"])
    def test_every_method(self, run, method):
        options = ["--budget", "200"] if method in {"anneal", "optimal"} else []
        found = as_json(run, "eliminate", self.SPEC, "--method", method, *options)
        costs = {row["method"]: row["multiplications"] for row in found["costs"]}
        assert costs[method] == found["multiplications"]
        assert set(RULES) <= set(costs)
        (entry,) = found["jacobian"]
        L = cg.linearize(cg.read_spec(self.SPEC))
        assert entry["sensitivity"] == pytest.approx(cg.sensitivity(L, "x", "f"), rel=1e-12)

    def test_products_with_units_are_free_and_the_interval_is_told(self, run):
        found = {cost: as_json(run, "eliminate", self.SPEC, "--cost", cost) for cost in COSTS}
        assert (found["standard"]["bound"], found["unit"]["bound"]) == (5, 2)
        assert found["unit"]["multiplications"] == 2
        assert found["unit"]["jacobian"] == found["standard"]["jacobian"]
        assert "least cost of all orders: 5, proven" in run("eliminate", self.SPEC)[1]
        again = as_json(run, "eliminate", self.SPEC, "--method", "anneal", "--budget", 50, "--restarts", 3)
        assert again["multiplications"] == 5

    def test_an_order_is_written_and_read_back(self, run, tmp_path):
        path = tmp_path / "order.json"
        found = as_json(run, "eliminate", self.SPEC, "--method", "optimal", "-o", path)
        again = as_json(run, "eliminate", self.SPEC, "--order", path, "--at", "x=2")
        assert again["order"] == found["order"]
        assert again["multiplications"] == found["multiplications"]

    def test_chosen_ends(self, run):
        found = as_json(run, "eliminate", NETWORK, "--from", "h1", "--from", "h2", "--to", "o", "--to", "J")
        assert {(e["from"], e["to"]) for e in found["jacobian"]} == {("h1", "o"), ("h2", "o"), ("h1", "J"), ("h2", "J")}
        assert "eliminated in the order" in run("eliminate", NETWORK)[1]

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (["--from", "q"], "no node 'q' in the graph"),
            (["--budget", "10q"], "'10q' is neither a number of evaluations nor a time, as in 10s"),
            (["--budget", "0s"], "'0s' is neither a number"),
            (["--order", "/no/where.json"], "cannot read '/no/where.json': No such file or directory"),
            (["--order", NETWORK], "holds no order: "),
            (["-o", "/no/where.json"], "cannot write '/no/where.json': No such file or directory"),
        ],
    )
    def test_mistakes(self, run, options, message):
        status, _, err = run("eliminate", self.SPEC, *options)
        assert status == 2
        assert message in err

    @pytest.mark.parametrize(
        "content", ['{"order": 3}', "[]", '{"order": [1]}', '{"order": ["a"]}', '{"order": ["a", "a"]}']
    )
    def test_orders_that_are_none(self, run, tmp_path, content):
        path = tmp_path / "order.json"
        path.write_text(content)
        status, _, err = run("eliminate", self.SPEC, "--order", path)
        assert status == 2
        assert "order" in err
