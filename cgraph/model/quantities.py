"""Uncertain quantities: standard uncertainties u(i), degrees of freedom, and correlations."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from numbers import Real
from typing import Any, NamedTuple

import numpy as np

from cgraph.model.errors import UncertaintyError, nearest, shorten
from cgraph.model.values import as_value, show_shape

__all__ = [
    "Correlation",
    "PlainQuantities",
    "Quantity",
    "Readings",
    "from_readings",
    "read_correlation",
    "read_quantity",
]

# From the half-width a of a distribution to its standard deviation (GUM 4.3.7, 4.3.9; H.1.3.4 for the arcsine).
HALF_WIDTHS = {"uniform": math.sqrt(3), "triangular": math.sqrt(6), "arcsine": math.sqrt(2)}
KEYS = ("standard", *HALF_WIDTHS, "normal", "coverage", "dof")
ROUNDING = 1e-9  # how negative an eigenvalue of rounded correlations may be
MOST_CORRELATED = 2000  # nodes that hang together; their matrix is written out


class Quantity(NamedTuple):
    """What is known of a value beside the value: its standard uncertainty, its distribution, its degrees of freedom."""

    standard: Any  # float, or an array in the shape of the value
    distribution: str = "normal"
    dof: float = math.inf


class PlainQuantities(Mapping[Any, Quantity]):
    """Quantities of which nothing but the standard uncertainty is known; kept as numbers, as there may be millions.

    Parameters
    ----------
    standards : dict
        ``{node: u}``, finite and not negative.
    """

    def __init__(self, standards: dict[Any, float]) -> None:
        self.standards = standards

    def __getitem__(self, i: Any) -> Quantity:
        return Quantity(self.standards[i])

    def __iter__(self) -> Iterator[Any]:
        return iter(self.standards)

    def __len__(self) -> int:
        return len(self.standards)


def read_quantity(name: object, given: Any, value: Any) -> Quantity:
    """Return the quantity that `given` describes, of a node with that value.

    Raises
    ------
    UncertaintyError
        If it is no uncertainty; the message names the node.

    Examples
    --------
    >>> read_quantity("d", {"uniform": 0.3, "dof": 50}, 1.0)
    Quantity(standard=0.17320508075688773, distribution='uniform', dof=50.0)
    >>> read_quantity("m", "1%", 250.0).standard
    2.5
    """
    if type(given) is float and 0 <= given < math.inf:  # as most are
        return Quantity(given)
    if not isinstance(given, Mapping):
        return Quantity(_size(name, given, value, "standard uncertainty"))
    for key in given:
        if key not in KEYS:
            hint = nearest(str(key), KEYS)
            near = f"did you mean {hint!r}?" if hint else f"there are {', '.join(KEYS)}"
            raise UncertaintyError(f"the uncertainty of {name!r} has the key {key!r}, which is not known; {near}")
    kinds = [key for key in ("standard", *HALF_WIDTHS, "normal") if key in given]
    if len(kinds) != 1:
        found = " and ".join(kinds) or "none"
        raise UncertaintyError(
            f"the uncertainty of {name!r} is given by one of standard, uniform, triangular, arcsine and normal, not by "
            f"{found}"
        )
    (kind,) = kinds
    if "coverage" in given and kind != "normal":
        raise UncertaintyError(f"the uncertainty of {name!r} has a coverage factor, which belongs to 'normal'")
    size = _size(name, given[kind], value, "half-width" if kind in HALF_WIDTHS else "uncertainty")
    divisor = HALF_WIDTHS.get(kind, 1.0)
    if kind == "normal":
        divisor = _number(given.get("coverage", 1.0), f"the coverage factor of {name!r}")
        if divisor <= 0:
            raise UncertaintyError(f"the coverage factor of {name!r} is {divisor:g}; it must be positive, such as 2")
    return Quantity(size / divisor, kind if kind in HALF_WIDTHS else "normal", _degrees(name, given.get("dof")))


def _size(name: object, given: Any, value: Any, what: str) -> Any:
    """Return a standard uncertainty or half-width, relative ones in units of the value."""
    if isinstance(given, str) and given.strip().endswith("%"):
        try:
            percent = float(given.strip()[:-1])
        except ValueError:
            raise UncertaintyError(f"the {what} of {name!r} is {shorten(given)!r}; write 1%") from None
        if np.isnan(value).any():
            raise UncertaintyError(
                f"the {what} of {name!r} is relative, and the graph holds no value of it; give a number"
            )
        given = np.abs(value) * (percent / 100)
    try:
        size = as_value(given)
    except (TypeError, ValueError) as error:
        raise UncertaintyError(f"the {what} of {name!r} is {shorten(repr(given))}, which {error}") from None
    if not np.isfinite(size).all():
        raise UncertaintyError(f"the {what} of {name!r} is {shorten(repr(given))}; give a finite number")
    if (np.asarray(size) < 0).any():
        raise UncertaintyError(f"the {what} of {name!r} is {shorten(repr(given))}; it must not be negative")
    if np.ndim(size) and np.shape(size) != np.shape(value):
        raise UncertaintyError(
            f"the {what} of {name!r} is {show_shape(size)} and its value {show_shape(value)}; give a number for "
            f"each entry, or one for all"
        )
    return size


def _degrees(name: object, given: Any) -> float:
    if given is None:
        return math.inf
    dof = math.inf if given == math.inf else _number(given, f"the degrees of freedom of {name!r}")
    if not dof >= 1:
        raise UncertaintyError(f"the degrees of freedom of {name!r} are {dof:g}; they must be 1 or more")
    return dof


def _number(given: Any, what: str) -> float:
    if isinstance(given, bool) or not isinstance(given, Real) or not math.isfinite(given):
        raise UncertaintyError(f"{what} is {shorten(repr(given))}; give a finite number")
    return float(given)


class Correlation:
    """The coefficients r(i,j) of pairs of nodes; those not named are 0.

    Parameters
    ----------
    pairs : dict
        ``{(i, j): r}``, each pair once.
    """

    def __init__(self, pairs: Mapping[tuple[Any, Any], float]) -> None:
        self.pairs = dict(pairs)
        self.groups = [self._group(nodes) for nodes in _connected(self.pairs)]

    def _group(self, nodes: list[Any]) -> tuple[list[Any], np.ndarray[Any, Any]]:
        """Return nodes that hang together and their matrix, which is that of random variables."""
        if len(nodes) > MOST_CORRELATED:
            raise UncertaintyError(
                f"{len(nodes):,} nodes are correlated with each other, more than {MOST_CORRELATED:,}"
            )
        place = {i: k for k, i in enumerate(nodes)}
        R = np.eye(len(nodes))
        for (i, j), r in self.pairs.items():
            if i in place:
                R[place[i], place[j]] = R[place[j], place[i]] = r
        if np.linalg.eigvalsh(R)[0] < -ROUNDING:
            _refuse(nodes, R)
        return nodes, R


def _connected(pairs: Iterable[tuple[Any, Any]]) -> list[list[Any]]:
    """Return the nodes of pairs in groups, two nodes of a pair in one group."""
    group: dict[Any, list[Any]] = {}
    for i, j in pairs:
        a, b = group.setdefault(i, [i]), group.setdefault(j, [j])
        if a is not b:
            small, large = sorted((a, b), key=len)
            large += small
            group.update(dict.fromkeys(small, large))
    return list({id(nodes): nodes for nodes in group.values()}.values())


def _refuse(nodes: Sequence[Any], R: np.ndarray[Any, Any]) -> None:
    """Raise the error that names three nodes whose coefficients no random variables have, or all nodes."""
    for triple in combinations(range(min(len(nodes), 60)), 3):
        if np.linalg.eigvalsh(R[np.ix_(triple, triple)])[0] < -ROUNDING:
            a, b, c = (nodes[k] for k in triple)
            r = [f"{R[i, j]:g}" for i, j in combinations(triple, 2)]
            raise UncertaintyError(
                f"the correlations {r[0]} of {a!r} and {b!r}, {r[1]} of {a!r} and {c!r}, {r[2]} of {b!r} and {c!r} "
                f"contradict each other: no three quantities have them"
            )
    names = shorten(", ".join(map(repr, nodes)))
    raise UncertaintyError(f"the correlations of {names} contradict each other: no quantities have them")


def read_correlation(given: Any, known: Mapping[Any, Quantity]) -> tuple[Correlation, Mapping[Any, Quantity]]:
    """Return the correlation that `given` describes, and the quantities with what a covariance matrix says of them.

    Parameters
    ----------
    given : dict or None
        ``{(i, j): r}``, or ``{"nodes": [...], "covariance": [[...]]}``, whose diagonal holds the squares of the standard
        uncertainties.
    known : dict
        The uncertain quantities by node.

    Raises
    ------
    UncertaintyError
        If a coefficient is no number from -1 to 1, names a node that is not uncertain, or the matrix is not that of
        random variables.
    """
    if given is None:
        return Correlation({}), known
    quantities = dict(known)
    if not isinstance(given, Mapping):
        raise UncertaintyError(f"correlations must be a mapping from pairs, as in {{('V', 'I'): -0.36}}, not {given!r}")
    if "covariance" in given or "nodes" in given:
        given = _from_covariance(given, quantities)
    pairs: dict[tuple[Any, Any], float] = {}
    for pair, r in given.items():
        i, j = _pair(pair)
        for node in (i, j):
            if node not in quantities:
                raise UncertaintyError(f"the correlation of {i!r} and {j!r}: {node!r} has no uncertainty; give it one")
            if np.ndim(quantities[node].standard):
                raise UncertaintyError(
                    f"the correlation of {i!r} and {j!r}: {node!r} is an array; scalarize(G) makes nodes of its entries"
                )
        if i == j or (i, j) in pairs or (j, i) in pairs:
            twice = "a node with itself" if i == j else "given twice"
            raise UncertaintyError(f"the correlation of {i!r} and {j!r} is {twice}; give it once for each pair")
        pairs[i, j] = _number(r, f"the correlation of {i!r} and {j!r}")
        if abs(pairs[i, j]) > 1:
            raise UncertaintyError(f"the correlation of {i!r} and {j!r} is {r}; it must lie between -1 and 1")
    return Correlation(pairs), quantities


def _pair(pair: Any) -> tuple[Any, Any]:
    parts = [part.strip() for part in pair.split("~")] if isinstance(pair, str) else pair
    if not isinstance(parts, list | tuple) or len(parts) != 2:
        raise UncertaintyError(f"a correlation is that of a pair, as in ('V', 'I') or 'V ~ I', not of {pair!r}")
    return parts[0], parts[1]


def _from_covariance(given: Mapping[str, Any], quantities: dict[Any, Quantity]) -> dict[tuple[Any, Any], float]:
    """Add the standard uncertainties on the diagonal of a covariance matrix, and return its coefficients."""
    if given.keys() != {"nodes", "covariance"} or isinstance(given["nodes"], str):
        raise UncertaintyError("a covariance matrix is given as {'nodes': [...], 'covariance': [[...]]}")
    nodes = list(given["nodes"])
    try:
        M = np.asarray(given["covariance"], dtype=float)
    except (TypeError, ValueError):
        raise UncertaintyError("the covariance matrix holds something that is not a number") from None
    if M.shape != (len(nodes), len(nodes)) or not np.isfinite(M).all() or not np.allclose(M, M.T, rtol=1e-9, atol=0):
        raise UncertaintyError(
            f"the covariance matrix of {len(nodes)} nodes is a symmetric matrix of {len(nodes)} x {len(nodes)} finite "
            f"numbers, not one of {' x '.join(map(str, M.shape))}"
        )
    for i, variance in zip(nodes, np.diag(M).tolist(), strict=True):
        if variance < 0:
            raise UncertaintyError(f"the variance of {i!r} is {variance:g}; it must not be negative")
        if i in quantities:
            raise UncertaintyError(f"the uncertainty of {i!r} is given twice: by itself, and by the covariance matrix")
        quantities[i] = Quantity(math.sqrt(variance))
    u = [quantities[i].standard or 1.0 for i in nodes]
    pairs = combinations(range(len(nodes)), 2)
    return {(nodes[a], nodes[b]): float(M[a, b] / (u[a] * u[b])) for a, b in pairs if M[a, b]}


class Readings(NamedTuple):
    """What repeated readings say: means, their standard uncertainties, and their correlations."""

    values: dict[Any, float]
    uncertainty: dict[Any, dict[str, float]]
    correlation: dict[tuple[Any, Any], float]


def from_readings(readings: Mapping[Any, Sequence[float]]) -> Readings:
    """Evaluate repeated readings: means, standard uncertainties of the means, correlations.

    Parameters
    ----------
    readings : dict
        ``{node: [reading, ...]}``. Quantities with equally many readings were read together, and are correlated as
        their readings are.

    Returns
    -------
    Readings
        ``values`` for `linearize`; ``uncertainty`` and ``correlation`` for `uncertainty_budget`. n readings have n - 1
        degrees of freedom.

    Raises
    ------
    UncertaintyError
        If a quantity has fewer than two readings, or one that is not a finite number.

    Notes
    -----
    Type A evaluation, equations (3), (5) and (17) of the GUM [1]_: u is the standard deviation of the readings divided
    by the square root of n.

    References
    ----------
    .. [1] Joint Committee for Guides in Metrology, "Evaluation of measurement data: Guide to the expression of
       uncertainty in measurement", JCGM 100:2008.

    Examples
    --------
    >>> found = from_readings({"a": [1.0, 3.0], "b": [5.0, 4.0]})
    >>> found.values, found.uncertainty["a"]
    ({'a': 2.0, 'b': 4.5}, {'standard': 1.0, 'dof': 1.0})
    >>> {pair: round(r, 9) for pair, r in found.correlation.items()}
    {('a', 'b'): -1.0}
    """
    arrays: dict[Any, np.ndarray[Any, Any]] = {}
    for i, values in readings.items():
        try:
            arrays[i] = np.asarray(values, dtype=float)
        except (TypeError, ValueError):
            raise UncertaintyError(f"the readings of {i!r} hold something that is not a number") from None
        if arrays[i].ndim != 1 or arrays[i].size < 2 or not np.isfinite(arrays[i]).all():
            raise UncertaintyError(f"the readings of {i!r} must be a list of two or more finite numbers")
    uncertainty = {
        i: {"standard": float(x.std(ddof=1) / math.sqrt(x.size)), "dof": float(x.size - 1)} for i, x in arrays.items()
    }
    correlation = {}
    for (i, x), (j, y) in combinations(arrays.items(), 2):
        if x.size == y.size and x.std() and y.std():
            correlation[i, j] = float(np.corrcoef(x, y)[0, 1])
    return Readings({i: math.fsum(x) / x.size for i, x in arrays.items()}, uncertainty, correlation)
