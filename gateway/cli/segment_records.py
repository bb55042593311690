"""An interchange for programs: one JSON object a line, each with its `type`.

`interchange` (what UNB says), `functional-group`, `message`, `segment-group` (a repetition begins),
`segment`, `package`, `functional-group-end` and `interchange-end`. Segments have their elements as lists of
repetitions, each a list of components, and the findings that point at them; the `text` is the whole segment.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from ...codecs.document import Document
from ...codecs.edifact import Group, Interchange, Message, Package, Segment
from ...codecs.finding import Finding
from ..finding_view import finding_view
from .segment_places import Places, Row, raw

# No segment of any directory has a hundred: of more than this many, the text says what they are.
MAX_ELEMENTS = 1_000


class Records:
    """The lines of interchanges; each method gives those of one part, in order."""

    def __init__(self) -> None:
        self._terminator = "'"
        self._told: tuple[Finding, ...] = ()

    def started(self, interchange: Interchange) -> Iterator[str]:
        """UNB."""
        self._terminator = interchange.service.terminator
        self._told = interchange.findings
        yield _line(
            type="interchange",
            reference=interchange.reference,
            sender=interchange.sender,
            recipient=interchange.recipient,
            syntax=interchange.syntax,
            version=interchange.syntax_version,
            prepared=interchange.prepared,
            application=interchange.application,
            acknowledgement=interchange.acknowledgement,
            agreement=interchange.agreement,
            test=interchange.test,
            una=interchange.service.advice(),
            offset=interchange.start,
            header=self._segment(interchange.header, interchange.findings),
            findings=_views(interchange.findings),
        )

    def group_started(self, group: Group, findings: tuple[Finding, ...]) -> Iterator[str]:
        """UNG."""
        self._told += findings
        yield _line(
            type="functional-group",
            reference=group.reference,
            messages=group.type,
            sender=group.sender,
            recipient=group.recipient,
            header=self._segment(group.header, findings),
            findings=_views(findings),
        )

    def message(self, message: Message, document: Document, places: Places) -> Iterator[str]:
        """UNH to UNT."""
        yield _line(
            type="message",
            position=message.position,
            reference=message.reference,
            name=message.identifier,
            group=message.group,
            directory=places.release,
            result="valid" if document.valid else "invalid",
            segments=len(message.segments),
            octets=len(message.data),
            offset=message.start,
            findings=_views(places.others),
        )
        for place in places:
            for group in place.opened:
                yield _line(type="segment-group", path=group.path, **_row(group.row))
            yield _line(
                type="segment",
                path=place.path,
                **_row(place.row),
                **(self._segment(place.segment, place.findings) or {}),
                findings=_views(place.findings),
            )

    def package(self, package: Package) -> Iterator[str]:
        """UNO to UNP, without the object."""
        yield _line(
            type="package",
            reference=package.reference,
            group=package.group,
            octets=len(package.data),
            offset=package.start,
            header=self._segment(package.header, ()),
            trailer=self._segment(package.trailer, ()),
        )

    def group_ended(self, group: Group, findings: tuple[Finding, ...]) -> Iterator[str]:
        """UNE."""
        self._told += findings
        yield _line(
            type="functional-group-end",
            reference=group.reference,
            trailer=self._segment(group.trailer, findings),
            findings=_views(findings),
        )

    def ended(self, interchange: Interchange) -> Iterator[str]:
        """UNZ; or what stands where an interchange should be."""
        findings = [finding for finding in interchange.findings if finding not in self._told]
        self._told = ()
        yield _line(
            type="interchange-end",
            reference=interchange.reference,
            offset=interchange.end,
            trailer=self._segment(interchange.trailer, findings),
            findings=_views(findings),
        )

    def _segment(self, segment: Segment | None, findings: Sequence[Finding]) -> dict[str, Any] | None:
        if segment is None:
            return None
        elements = min(len(segment), MAX_ELEMENTS)
        return {
            "number": segment.number,
            "tag": segment.tag,
            "offset": segment.offset,
            "elements": [segment.repetitions(element) for element in range(1, elements + 1)],
            "text": raw(segment, self._terminator, findings),
        }


def _row(row: Row | None) -> dict[str, Any]:
    """The row of the segment table; nulls where there is none."""
    return {"row": None, "status": None, "repetitions": None} if row is None else _named(row)


def _named(row: Row) -> dict[str, Any]:
    return {"row": row.number, "status": row.status, "repetitions": row.repetitions}


def _views(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    return [finding_view(finding) for finding in findings]


def _line(**values: object) -> str:
    return msgspec.json.encode(values).decode()
