"""Models in lavaan's language: what is read, what is refused, and semopy's own numbers."""

import math

import numpy as np
import pytest

import cgraph as cg


def test_labels_fixed_numbers_and_latent_variables():
    L = cg.from_sem(
        """
        # a measurement model
        f =~ 1*x1 + x2
        y ~ b*f + 0.5*z + 1
        x1 ~~ x2
        """,
        {"f=~x2": 0.8, "b": 2.0},
    )
    assert dict(L.edges) == {
        ("f", "x1"): {"derivative": 1.0, "parameter": 1.0},
        ("f", "x2"): {"derivative": 0.8, "parameter": "f=~x2"},
        ("f", "y"): {"derivative": 2.0, "parameter": "b"},
        ("z", "y"): {"derivative": 0.5, "parameter": 0.5},
    }
    assert L.graph["covariances"] == [("x1", "x2")]


def test_one_label_on_two_edges_is_one_parameter():
    L = cg.from_sem("m ~ a*x; y ~ a*m", {"a": 3.0}, {"parameters": ["a"], "matrix": [[0.25]]})
    found = cg.effects(L, "x", "y", covariance=L.graph["covariance"]).total  # a^2, with derivative 2a
    assert found.value == 9.0
    assert found.standard_error == pytest.approx(6 * 0.5)


def test_definitions_may_use_each_other():
    model = "m ~ a*x; y ~ b*m + c*x; ab := a*b; total := ab + c; share := ab / total"
    L = cg.from_sem(model, {"a": 1.0, "b": 2.0, "c": 2.0}, {"parameters": ["a"], "matrix": [[1.0]]})
    assert {name: found.value for name, found in L.graph["defined"].items()} == {"ab": 2.0, "total": 4.0, "share": 0.5}
    assert L.graph["defined"]["share"].standard_error == pytest.approx(2 * 2 / 16)  # b c / (ab + c)^2


@pytest.mark.parametrize(
    ("model", "estimates", "message"),
    [
        ("y = x", {}, "line 1: 'y = x' has none of the operators"),
        ("y ~ x*", {}, r"line 1: 'x\*' is no term"),
        ("\ny ~ x + x", {"y~x": 1.0}, "line 2: 'x' stands twice with 'y'"),
        ("y ~ a*x", {"b": 1.0}, "the coefficient of 'x' in 'y' has no estimate 'a'"),
        ("y ~ x", {"y~x": math.nan}, "the estimate of 'y~x' is nan"),
        ("y ~ x", {"y~x": "1"}, "the estimate of 'y~x' is '1'"),
        ("y x ~ z", {}, "'y x' is no name of a variable"),
        ("a b := c", {}, "'a b' is no new name for a definition"),
        ("y ~ a*x; d := a/q", {"a": 1.0}, "a definition cannot be computed: .*'q'"),
        ("y ~ a*x; x ~ b*y", {"a": 1.0, "b": 1.0}, "the graph has a cycle"),
        ("", {}, "the model has no regression"),
        (None, {}, "a model is text"),
        ("y ~ x", [1], "estimates must be a mapping"),
    ],
)
def test_models_that_cannot_be_read(model, estimates, message):
    with pytest.raises(cg.CGraphError, match=message):
        cg.from_sem(model, estimates)


@pytest.mark.parametrize("covariance", [{"matrix": [[1.0]]}, {"parameters": ["a"], "matrix": [[1.0, 2.0]]}, 3])
def test_covariances_that_are_none(covariance):
    with pytest.raises(cg.UncertaintyError, match="covariance"):
        cg.from_sem("y ~ a*x", {"a": 1.0}, covariance)


def test_a_model_fitted_by_semopy():
    semopy = pytest.importorskip("semopy", reason="an optional oracle: pip install semopy")
    pandas = pytest.importorskip("pandas")
    random = np.random.default_rng(0)
    x = random.normal(size=400)
    m = 0.5 * x + random.normal(size=400)
    y = 0.7 * m + 0.2 * x + random.normal(size=400)
    description = "m ~ x\ny ~ m + x"
    fitted = semopy.Model(description)
    fitted.fit(pandas.DataFrame({"x": x, "m": m, "y": y}))
    table = fitted.inspect()
    L = cg.from_sem(description, table)
    rows = {(row["rval"], row["lval"]): row for row in table.to_dict("records") if row["op"] == "~"}
    errors = {edge: float(row["Std. Err"]) for edge, row in rows.items()}
    edges = list(errors)
    M = {"edges": edges, "matrix": np.diag([errors[edge] ** 2 for edge in edges])}
    found = cg.effects(L, "x", "y", covariance=M)
    a, b = rows["x", "m"], rows["m", "y"]
    assert found.indirect.value == pytest.approx(a["Estimate"] * b["Estimate"])
    sobel = math.hypot(b["Estimate"] * a["Std. Err"], a["Estimate"] * b["Std. Err"])
    assert found.indirect.standard_error == pytest.approx(sobel)
    slopes = np.linalg.lstsq(np.c_[m, x, np.ones(400)], y, rcond=None)[0]  # ordinary least squares agree with the fit
    assert found.direct.value == pytest.approx(slopes[1], abs=1e-3)


def test_industrialization_and_political_democracy():
    """Bollen 1989: the effect of industrialization on democracy five years later, through democracy before.

    The coefficients 1.483, 0.572 and 0.837, with standard errors 0.399, 0.221 and 0.098, are those that lavaan's tutorial
    prints; semopy fits the same model.
    """
    semopy = pytest.importorskip("semopy", reason="an optional oracle: pip install semopy")
    from semopy.examples import political_democracy

    fitted = semopy.Model(political_democracy.get_model())
    fitted.fit(political_democracy.get_data())
    table = fitted.inspect()
    model = "dem60 ~ a*ind60; dem65 ~ c*ind60 + b*dem60; indirect := a*b; total := c + a*b"
    L = cg.from_sem(model, table)
    rows = {(row["rval"], row["lval"]): row for row in table.to_dict("records") if row["op"] == "~"}
    printed = {
        ("ind60", "dem60"): (1.483, 0.399),
        ("ind60", "dem65"): (0.572, 0.221),
        ("dem60", "dem65"): (0.837, 0.098),
    }
    for edge, (estimate, error) in printed.items():
        assert L.edges[edge]["derivative"] == pytest.approx(estimate, abs=1.1e-3)
        assert rows[edge]["Std. Err"] == pytest.approx(error, abs=1e-3)
    M = {"edges": list(printed), "matrix": np.diag([error**2 for _, error in printed.values()])}
    found = cg.effects(L, "ind60", "dem65", covariance=M, bootstrap=4000)
    assert found.indirect.value == pytest.approx(1.483 * 0.837, abs=2e-3)
    assert found.total.value == pytest.approx(L.graph["defined"]["total"].value)
    assert np.std(found.indirect.bootstrap) == pytest.approx(found.indirect.standard_error, rel=0.06)
