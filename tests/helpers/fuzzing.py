"""How many examples the fuzz tests try."""

import os

from hypothesis import settings

# The same examples every time, unless more are asked for.
EXAMPLES = settings(
    max_examples=int(os.environ.get("FUZZ_EXAMPLES", "200")), derandomize="FUZZ_EXAMPLES" not in os.environ
)
