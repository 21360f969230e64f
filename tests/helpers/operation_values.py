"""Values of every elementary operation, by hand."""

import math

VALUES = [
    ("add", (2, 3), 5), ("sub", (2, 3), -1), ("mul", (2, 3), 6), ("div", (3, 2), 1.5), ("neg", (3,), -3),
    ("pow", (2, 10), 1024), ("pow", (-2, 3), -8), ("pow", (-2, -1), -0.5), ("pow", (0, 0), 1), ("pow", (0, 2), 0),
    ("square", (-3,), 9), ("reciprocal", (4,), 0.25), ("exp", (1,), math.e), ("log", (math.e,), 1),
    ("log2", (8,), 3), ("log10", (1000,), 3), ("sqrt", (9,), 3), ("sin", (1,), math.sin(1)), ("cos", (1,), math.cos(1)),
    ("tan", (1,), math.tan(1)), ("asin", (1,), math.pi / 2), ("acos", (0,), math.pi / 2), ("atan", (1,), math.pi / 4),
    ("sinh", (1,), math.sinh(1)), ("cosh", (1,), math.cosh(1)), ("tanh", (1,), math.tanh(1)),
    ("asinh", (1,), math.asinh(1)), ("acosh", (2,), math.acosh(2)), ("atanh", (0.5,), math.atanh(0.5)),
    ("erf", (0.5,), math.erf(0.5)), ("identity", (3,), 3), ("sigmoid", (0,), 0.5), ("sigmoid", (math.log(3),), 0.75), ("relu", (-2,), 0),
    ("relu", (2,), 2), ("hard_tanh", (-7,), -1), ("hard_tanh", (0.3,), 0.3), ("hard_tanh", (7,), 1),
    ("softplus", (0,), math.log(2)), ("leaky_relu", (-2,), -0.02), ("leaky_relu", (2,), 2),
    ("elu", (-1,), math.exp(-1) - 1), ("elu", (2,), 2), ("gelu", (1,), 0.5 * (1 + math.erf(1 / math.sqrt(2)))),
    ("silu", (math.log(3),), 0.75 * math.log(3)), ("abs", (-2,), 2), ("sign", (-2,), -1), ("sign", (0,), 0),
    ("max", (2, 3), 3), ("max", (3, 2), 3), ("min", (2, 3), 2), ("min", (3, 2), 2),
    ("where", (1, 2, 3), 2), ("where", (0, 2, 3), 3), ("where", (-0.5, 2, 3), 2), ("greater", (3, 2), 1), ("greater", (2, 2), 0),
    ("less", (2, 3), 1), ("less", (2, 2), 0), ("greater_equal", (2, 2), 1), ("greater_equal", (2, 3), 0),
    ("less_equal", (2, 2), 1), ("less_equal", (3, 2), 0), ("binary_cross_entropy", (0.25, 1), math.log(4)),
    ("binary_cross_entropy", (0.75, 0), math.log(4)), ("binary_cross_entropy", (0.5, 0.3), math.log(2)),
    ("binary_cross_entropy", (1, 1), 0), ("binary_cross_entropy", (0, 0), 0),
    ("expm1", (1e-10,), math.expm1(1e-10)), ("log1p", (1e-10,), math.log1p(1e-10)), ("atan2", (1, -1), 3 * math.pi / 4),
    ("hypot", (3, 4), 5), ("hypot", (3e200, 4e200), 5e200), ("erfc", (10,), math.erfc(10)), ("floor", (-1.5,), -2), ("floor", (2,), 2),
    ("clip", (5, -1, 2), 2), ("clip", (-5, -1, 2), -1), ("clip", (0.5, -1, 2), 0.5), ("softsign", (-3,), -0.75),
    ("log_sigmoid", (0,), -math.log(2)), ("log_sigmoid", (-800,), -800), ("mish", (0,), 0),
    ("mish", (1,), math.tanh(math.log(1 + math.e))),
    ("gelu_tanh", (1,), 0.5 * (1 + math.tanh(math.sqrt(2 / math.pi) * 1.044715))), ("gelu_tanh", (0,), 0),
]  # fmt: skip
