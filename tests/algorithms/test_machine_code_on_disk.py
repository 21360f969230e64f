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


def run(folder):
    environment = os.environ | {"NUMBA_CACHE_DIR": str(folder)}
    return subprocess.run([sys.executable, "-c", SWEEP], env=environment, capture_output=True, text=True, check=False)


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
