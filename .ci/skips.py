"""Say which tests were skipped that this machine could have run: `python .ci/skips.py tests.xml` (JUnit XML of pytest).

A test may be skipped for one reason only: the program that its message names is not on this machine.
"""

import platform
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator
from importlib.util import find_spec

PROGRAMS = ("bash", "chromium", "fish", "pdflatex", "zsh")
MODULES = ("torch",)  # which pip brings where there is one; all others of the tests stand in the extra `dev`


def absent() -> set[str]:
    """Return what this machine lacks: programs, the LaTeX classes of a picture, numbers longer than a double."""
    found = {name for name in PROGRAMS if not shutil.which(name)} | {name for name in MODULES if not find_spec(name)}
    if (
        "pdflatex" in found
        or not shutil.which("kpsewhich")
        or not (_has_class("standalone.cls") and _has_class("tikz.sty"))
    ):
        found |= {"standalone.cls", "tikz.sty"}
    if platform.machine() not in {"x86_64", "AMD64", "i686"}:
        found.add("numbers of more digits")
    return found


def _has_class(name: str) -> bool:
    return subprocess.run(["kpsewhich", name], capture_output=True, check=False).returncode == 0  # noqa: S603, S607 - a fixed command


def skipped(path: str) -> Iterator[str]:
    """Iterate over the reasons of the tests that were skipped."""
    for case in ET.parse(path).iter("testcase"):  # noqa: S314 - pytest's own report
        if (skip := case.find("skipped")) is not None:
            yield f"{case.get('classname')}.{case.get('name')}: {skip.get('message')}"


def unexpected(reasons: Iterable[str], lacking: set[str]) -> list[str]:
    """Return the skips that nothing missing on this machine explains."""
    return [reason for reason in reasons if not any(name in reason.rpartition(": ")[2].lower() for name in lacking)]


if __name__ == "__main__":
    reasons, lacking = list(skipped(sys.argv[1])), absent()
    wrong = unexpected(reasons, lacking)
    missing = ", ".join(sorted(lacking)) or "nothing"
    print(f"{len(reasons)} tests skipped; this machine lacks {missing}", *wrong, sep="\n")  # noqa: T201 - a script that reports
    sys.exit(f"{len(wrong)} of them could have run" if wrong else 0)
