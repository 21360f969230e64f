"""Rows of lanes: in machine code they are what they are in NumPy."""

import numpy as np
import pytest

from cgraph.algorithms.compiled.edge_arrays import whole_lines
from cgraph.algorithms.compiled.simd import WIDTH, load, store

numba = pytest.importorskip("numba", reason="numba is an extra")


def every_step(y, z, k):
    a, b = load(y, k), load(y, k + 1)
    store(z, 0, a + b)
    store(z, 1, a - b)
    store(z, 2, a * b)
    store(z, 3, a * 2.5)
    store(z, 4, 2.5 * a)
    store(z, 5, a + 2.5)
    store(z, 6, 2.5 - a)
    store(z, 7, load(z, 2) - a * b)


@pytest.mark.parametrize("shape", [(), (WIDTH,)])
@pytest.mark.parametrize("kind", [np.int64, np.uint32, np.uint64])
def test_machine_code_and_numpy_agree(shape, kind):
    import cgraph.algorithms.compiled.simd_numba  # noqa: F401 - numba learns what vectors are

    y = np.random.default_rng(0).normal(size=(7, *shape))
    found, expected = np.zeros((8, *shape)), np.zeros((8, *shape))
    numba.njit(every_step)(y, found, kind(3))
    every_step(y, expected, 3)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(found[0], y[3] + y[4])
    assert not found[7].any()  # a product is rounded, so that its opposite cancels it


def test_vectors_take_no_other_numbers():
    import cgraph.algorithms.compiled.simd_numba  # noqa: F401 - as above

    @numba.njit
    def of_complex(y):
        store(y, 0, load(y, 0) * 1j)

    with pytest.raises(numba.TypingError):
        of_complex(np.zeros((1, WIDTH)))


@pytest.mark.parametrize(
    "y",
    [np.zeros((2, WIDTH), order="F"), np.zeros((2, 2 * WIDTH))[:, ::2], np.zeros((2, WIDTH), np.float32), np.zeros((1, 2, WIDTH)),
     np.zeros(2, np.float32)],
)  # fmt: skip
def test_what_has_no_rows_is_refused(y):
    import cgraph.algorithms.compiled.simd_numba  # noqa: F401 - as above

    for loop in (lambda y: load(y, 0), lambda y: store(y, 0, load(np.zeros((1, WIDTH)), 0))):
        with pytest.raises(numba.TypingError):
            numba.njit(loop)(y)


def opposite_products(y, z):
    for k in range(len(y)):
        store(z, k, load(y, k) * load(y, k) - load(y, k) * load(y, k))


def test_only_polynomials_are_fused():
    from cgraph.algorithms.compiled import jit

    y = np.random.default_rng(0).normal(size=(50, WIDTH))
    for rows in (y, y.reshape(-1).copy()):
        z = np.ones_like(rows)
        jit.compiled.__wrapped__((opposite_products,))["opposite_products"](rows, z)
        assert not z.any()  # a fused step would leave what the rounded product lost


@pytest.mark.parametrize("shape", [(1,), (5, WIDTH), (3, 4, WIDTH)])
def test_rows_are_whole_lines(shape):
    rooms = [whole_lines(*shape) for _ in range(20)]
    assert all(room.shape == shape and room.ctypes.data % 64 == 0 for room in rooms)
    assert all(room.flags.c_contiguous and room.flags.writeable for room in rooms)
