"""An inspection as JSON: keys with hyphens, and nothing that is empty."""

from collections.abc import Sequence
from typing import Any

import msgspec

from ..as2.inspection.values import Inspection
from .as2_documents import Written


def record(name: str, inspection: Inspection, agreement: str, written: Sequence[Written]) -> dict[str, Any]:
    """All of `inspection` of the file `name`, without its octets."""
    stored, mic, verdict = inspection.stored, inspection.mic, inspection.verdict
    told: dict[str, Any] = {
        "file": name,
        "kind": stored.kind.value,
        "start": stored.start,
        "headers": [[key.decode("latin-1"), value.decode("latin-1")] for key, value in stored.headers],
        "octets": len(stored.body),
        "line_feeds": stored.line_feeds,
        "chunked": stored.chunked,
        "as2": msgspec.to_builtins(inspection.identity) if inspection.identity is not None else None,
        "problem": inspection.problem,
        "content": msgspec.to_builtins(inspection.root),
        "mic": mic
        and {
            "value": mic.value,
            "algorithm": mic.digest.micalg,
            "over": inspection.over and inspection.over.value,
        },
        "judged": {"at": inspection.at.isoformat(), "by": inspection.dated_by},
        "verdict": verdict and {"agreement": agreement, **msgspec.to_builtins(verdict)},
        "documents": [
            {"name": part.filename, "content_type": part.content_type, "octets": len(part.content)}
            for part in inspection.documents
        ],
        "written": [one._asdict() for one in written],
    }
    whole = _whole(told)
    assert isinstance(whole, dict)
    return whole


def _whole(value: Any) -> Any:
    """`value` with its keys in the house's form; what is empty is left out. False and 0 say something."""
    if isinstance(value, dict):
        named = ((key.replace("_", "-"), _whole(one)) for key, one in value.items())
        return {key: one for key, one in named if one or one is False or one == 0}
    return [_whole(one) for one in value] if isinstance(value, list | tuple) else value
