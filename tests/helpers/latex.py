"""LaTeX may be installed without the classes that a document uses."""

import shutil
import subprocess

import pytest

BRING = "Debian's texlive-latex-extra and texlive-pictures bring it"


def needs_latex(*files):
    """Skip a test where pdflatex or one of these files is missing, and say which."""
    if not shutil.which("pdflatex"):
        return pytest.mark.skipif(True, reason=f"there is no pdflatex; {BRING}")
    missing = [
        name for name in files if subprocess.run(["kpsewhich", name], capture_output=True, check=False).returncode
    ]
    return pytest.mark.skipif(bool(missing), reason=f"LaTeX lacks {', '.join(missing)}; {BRING}")
