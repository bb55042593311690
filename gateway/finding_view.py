"""A finding as JSON, alone in its module: `validate --json` should not wait for a gateway's libraries."""

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
