"""A finding as JSON and as a line, alone in its module: `validate` waits for no gateway's libraries."""

from typing import Any

import msgspec

from ..codecs.finding import EdifactPointer, Finding


def finding_view(finding: Finding) -> dict[str, Any]:
    """A finding as JSON: its pointer both as one readable text and in its parts."""
    view: dict[str, Any] = {"severity": finding.severity.value, "code": finding.code, "text": finding.text}
    if finding.pointer is not None:
        syntax = "edifact" if isinstance(finding.pointer, EdifactPointer) else "xml"
        parts = {k: v for k, v in msgspec.to_builtins(finding.pointer).items() if k != "type"}
        view["where"] = str(finding.pointer)
        view["pointer"] = {"syntax": syntax, **parts}
    if finding.value is not None:
        view["value"] = finding.value
    if finding.expected is not None:
        view["expected"] = finding.expected
    return view


def finding_line(view: dict[str, Any]) -> str:
    """A finding for a person, from its JSON: what, where, what was found and what is expected."""
    told = [f"{view['severity']} {view['code']}"]
    if "where" in view:
        told.append(f"at {view['where']}")
        if "path" in view["pointer"]:
            told.append(f"in {view['pointer']['path']}")
        line = view["pointer"].get("line")
        if line is not None:
            told.append(f"line {line}")
    text = f"{', '.join(told)}: {view['text']}"
    if "value" in view:
        text += f"; found '{view['value']}'"
    if "expected" in view:
        text += f"; expected {view['expected']}"
    return text
