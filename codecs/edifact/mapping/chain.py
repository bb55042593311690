"""A WCO pointer as text: its steps joined by /, each `section#sequence:element` with what it has.

`42A/67A/68A#1/23A:137` is the description of the first goods item.
"""

import re

from ..scanner import Segment
from .reading import BAD_VALUE, Reading
from .rules import NO_PLACE, Out
from .source import View
from .tree import Draft

# Four steps fill a line of 70 in the worst case (an..3, n..5, an..4 and three separators).
LINE_WIDTH, LINES = 70, 5
_STEP = re.compile(r"([^/#:]*)(?:#([0-9]+))?(?::([^/#:]+))?")
_PATHS = ("document_section_code", "sequence_numeric", "tag_id")


def read_chain(segment: Segment, draft: Draft, reading: Reading) -> None:
    """Add the steps in C108 of `segment` to the pointer of `draft`."""
    for component, line in enumerate(segment.components(4), 1):
        for text in line.split("/") if line else ():
            found = _STEP.fullmatch(text)
            if found is None:
                pointer = reading.point(segment, 4, component)
                reading.report.add(BAD_VALUE, "not a pointer", pointer, value=text, expected="68A#1:006")
                continue
            step = draft.append("pointer")
            for path, value in zip(_PATHS, found.groups(), strict=True):
                if value:
                    step.put(path, value)


def chain_of(view: View, out: Out) -> list[list[str]]:
    """The pointer of `view` as blocks of lines for C108; no step is cut over two lines."""
    steps = []
    for entry in view.children("pointer"):
        values = [(entry.name(path), entry.peek(path)) for path in _PATHS if entry.peek(path)]
        section, sequence, tag = (entry.take(path) for path in _PATHS)
        text = section + (f"#{sequence}" if sequence else "") + (f":{tag}" if tag else "")
        if text and (_STEP.fullmatch(text) is None or len(text) > LINE_WIDTH):
            for name, value in values:
                out.report.add(NO_PLACE, f"{name} is left out: it holds a separator", value=value)
        elif text:
            steps.append(text)
    lines: list[str] = []
    for step in steps:
        if lines and len(lines[-1]) + 1 + len(step) <= LINE_WIDTH:
            lines[-1] += f"/{step}"
        else:
            lines.append(step)
    return [lines[start : start + LINES] for start in range(0, len(lines), LINES)]
