"""The examples of the documentation run as they stand, one after the other."""

import pathlib
import re

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs"
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


def test_the_examples_of_edifact_run() -> None:
    blocks = BLOCK.findall((DOCS / "edifact.md").read_text())
    assert len(blocks) > 5
    exec(compile("\n".join(blocks), "docs/edifact.md", "exec"), {})
