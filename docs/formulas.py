"""Formulas in the documents: fences of the language `math` become MathML when the site is built (a hook of MkDocs).

Browsers typeset MathML without any script. On GitHub the same fences are typeset as well.
"""

from __future__ import annotations

import re
from typing import Any

FENCE = re.compile(r"^```math\n(.*?)\n```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"\$`(.+?)`\$")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Return the Markdown of a page with its formulas as MathML."""
    from latex2mathml.converter import convert  # noqa: PLC0415 - only a build has it

    def block(found: re.Match[str]) -> str:
        rows = "".join(
            f'<div class="formula">{convert(row, display="block")}</div>' for row in found[1].split("\\\\\n")
        )
        return f'<div class="formulas">{rows}</div>'

    return INLINE.sub(lambda found: convert(found[1]), FENCE.sub(block, markdown))
