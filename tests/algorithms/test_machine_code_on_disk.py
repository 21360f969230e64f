"""Machine code that an earlier process kept on disk: damaged files are compiled again, with a warning."""

import os
import subprocess
import sys

import pytest

pytest.importorskip("numba")
SWEEP = """
import cgraph as cg
C = cg.CompiledGraph.from_edges([0, 1], [1, 2], [2.0, 3.0])
print(C.sensitivities(2).tolist())
"""


RUN = """
import numpy as np
import cgraph as cg
from cgraph.algorithms.compiled.arrays import programs
programs.FEWEST_TO_FUSE = 0
RUNS = []
machine_code = programs.machine_code
programs.machine_code = lambda *loop: RUNS.append(machine_code(*loop)) or RUNS[-1]
x = np.linspace(-1, 1, 3000)
y = cg.compile_graph(cg.from_equations("y = tanh(x) * x + exp(-x)", x=x)).evaluate()["y"]
assert np.allclose(y, np.tanh(x) * x + np.exp(-x), rtol=1e-14)
stats = RUNS[0].stats
print(sum(stats.cache_hits.values()), sum(stats.cache_misses.values()))
"""


def run(folder, program=SWEEP, *arguments):
    environment = os.environ | {"NUMBA_CACHE_DIR": str(folder)}
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
def test_damaged_files_are_compiled_again_with_a_warning(tmp_path, suffix):
    first = run(tmp_path)
    assert (first.stdout, first.stderr) == ("[6.0, 3.0, 1.0]\n", "")
    files = list(tmp_path.rglob(f"*.{suffix}"))
    assert files
    for file in files:
        file.write_bytes(file.read_bytes()[:-40] if suffix == "nbi" else b"nonsense")
    damaged = run(tmp_path)
    assert damaged.stdout == "[6.0, 3.0, 1.0]\n"
    assert "RuntimeWarning: damaged machine code in" in damaged.stderr
    mended = run(tmp_path)
    assert (mended.stdout, mended.stderr) == ("[6.0, 3.0, 1.0]\n", "")


def test_runs_of_compiled_arrays_are_found_by_another_process(tmp_path):
    for hits_and_misses in ("0 1\n", "1 0\n"):
        ended = run(tmp_path, RUN)
        assert (ended.stdout, ended.stderr) == (hits_and_misses, "")


PREPARED = """
import sys
from pathlib import Path
import cgraph as cg
from cgraph.algorithms.compiled import straight_numba
COMPILED = []
keep = straight_numba._keep
straight_numba._keep = lambda path, code: (COMPILED.append(path), keep(path, code))
file = Path(sys.argv[1])
if not file.exists():
    cg.jacobian_function(cg.from_equations("y = sin(x) * z", x=0.5, z=2.0), ["x", "z"], ["y"]).save(file)
f = cg.JacobianFunction.load(file)
print(f([0.0, 3.0])[1].tolist(), f([[0.0, 3.0]] * 8)[1][7].tolist(), len([path for path in COMPILED if path]))
"""


def test_another_process_loads_a_prepared_function_and_compiles_nothing(tmp_path):
    """One program for a point and one for eight."""
    for compiled in (2, 0):
        ended = run(tmp_path, PREPARED, str(tmp_path / "f.npz"))
        assert (ended.stdout, ended.stderr) == (f"[[3.0, 0.0]] [[3.0, 0.0]] {compiled}\n", "")


DOUBLED = """
import sys, time
import numba
from numba.core.caching import IndexDataCacheFile
from cgraph.algorithms.compiled.jit import _mending
from doubled import doubled
load = IndexDataCacheFile._load_index
IndexDataCacheFile._load_index = lambda self: (load(self), time.sleep(1))[0]
assert _mending(numba.njit(cache=True)(doubled))(eval(sys.argv[1])) == 2
"""


def test_two_processes_that_write_at_once_do_not_take_one_name(tmp_path):
    (tmp_path / "doubled.py").write_text("def doubled(x):\n    return 2 * x\n")
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "kept")}
    environment["PYTHONPATH"] = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    both = [subprocess.Popen([sys.executable, "-c", DOUBLED, number], env=environment) for number in ("1", "1.0")]
    assert [process.wait(300) for process in both] == [0, 0]
    assert len(list(tmp_path.rglob("*.nbc"))) == 2
