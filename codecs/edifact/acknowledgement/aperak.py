"""APERAK: what an application makes of a message it could read (D.96B and newer).

The segments mean the same in every release from D.96B on; DOC came with D.00A, and later releases allow more
of them. What is acknowledged is named at the head, by RFF, by DOC or as the document of BGM; each ERC is one
error, with its own text and the line or document it is about.
"""

from collections.abc import Mapping, Sequence

import msgspec

from ...finding import Finding
from ..directory import Directory
from ..interchange import Interchange, Message
from ..scanner import Segment
from ..validation import validate

TYPE = "APERAK"
# Of 4343, 1225 and 1001, those that decide: accepted or not. The first of the three that does is followed.
_RESPONSES: Mapping[str, bool] = {
    **dict.fromkeys(("AB", "AC", "AD", "AF", "AI", "AP", "CA"), True),
    **dict.fromkeys(("RE", "UT"), False),
}
_FUNCTIONS: Mapping[str, bool] = {
    **dict.fromkeys(("28", "29", "30", "34", "44", "45"), True),
    **dict.fromkeys(("10", "12", "27", "48", "63"), False),
}
_DOCUMENTS: Mapping[str, bool] = {"312": True, "313": False, "963": False}
# RFF qualifier of a line.
_LINE = "LI"


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """RFF: 1153, 1154, and 1156, the line of what is referred to. Of DOC, 1001 and 1004."""

    qualifier: str
    value: str
    line: str = ""


class ApplicationError(msgspec.Struct, frozen=True, kw_only=True):
    """ERC with what belongs to it: 9321, who keeps the list (3055), the words, and what it is about."""

    code: str
    agency: str = ""
    texts: tuple[str, ...] = ()
    references: tuple[Reference, ...] = ()

    @property
    def line(self) -> str:
        """The line it is about, where it says one."""
        for reference in self.references:
            if reference.line or reference.qualifier == _LINE:
                return reference.line or reference.value
        return ""

    def __str__(self) -> str:
        about = f" (line {self.line})" if self.line else ""
        said = "; ".join(self.texts)
        return f"{self.code}{about}: {said}" if said else f"{self.code}{about}"


class Aperak(msgspec.Struct, frozen=True, kw_only=True):
    """An APERAK as read; `document`, `number`, `function`, `response` are 1001, 1004, 1225, 4343 of BGM."""

    document: str = ""
    number: str = ""
    function: str = ""
    response: str = ""
    references: tuple[Reference, ...] = ()
    documents: tuple[Reference, ...] = ()
    texts: tuple[str, ...] = ()
    errors: tuple[ApplicationError, ...] = ()

    @property
    def rejected(self) -> bool:
        """True if it says so by 4343, else by 1225, else by 1001; where none of them decides, if it has
        errors."""
        for table, code in (
            (_RESPONSES, self.response),
            (_FUNCTIONS, self.function),
            (_DOCUMENTS, self.document),
        ):
            if code in table:
                return not table[code]
        return bool(self.errors)

    @property
    def acknowledged(self) -> tuple[str, ...]:
        """What it may be about: RFF, then DOC, then BGM, each once."""
        named = [reference.value for reference in (*self.references, *self.documents)]
        return tuple(dict.fromkeys(value for value in (*named, self.number) if value))


def read_aperak(
    interchange: Interchange, message: Message, directory: Directory
) -> tuple[Aperak | None, tuple[Finding, ...]]:
    """Read an APERAK; None where it has no BGM. The findings are those of `validate`. Never raises."""
    findings = validate(interchange, message, directory).findings
    return _read(message.segments), findings


def _read(segments: Sequence[Segment]) -> Aperak | None:
    head: Segment | None = None
    documents: list[Reference] = []
    # What stands before the first ERC, then what belongs to each one.
    parts = [_Part(None)]
    for segment in segments:
        tag = segment.tag
        if tag == "BGM" and head is None:
            head = segment
        elif tag == "ERC":
            parts.append(_Part(segment))
        elif tag == "DOC":
            documents.append(Reference(qualifier=segment.value(1), value=segment.value(2)))
        elif tag in {"RFF", "FTX"}:
            parts[-1].take(segment)
    if head is None:
        return None
    return Aperak(
        document=head.value(1),
        number=head.value(2),
        function=head.value(3),
        response=head.value(4),
        references=tuple(parts[0].references),
        documents=tuple(documents),
        texts=tuple(parts[0].texts),
        errors=tuple(part.error() for part in parts[1:]),
    )


class _Part:
    """The head of the message, or one ERC, with the RFF and FTX that belong to it."""

    def __init__(self, segment: Segment | None) -> None:
        self._segment = segment
        self.references: list[Reference] = []
        self.texts: list[str] = []

    def take(self, segment: Segment) -> None:
        """RFF, or FTX: its words, or where it has none the code of a text both sides have."""
        if segment.tag == "RFF":
            reference = Reference(
                qualifier=segment.value(1), value=segment.value(1, 2), line=segment.value(1, 3)
            )
            self.references.append(reference)
            return
        words = "".join(segment.components(4)) or segment.value(3)
        if words:
            self.texts.append(words)

    def error(self) -> ApplicationError:
        """The ERC with all of it."""
        assert self._segment is not None
        return ApplicationError(
            code=self._segment.value(1),
            agency=self._segment.value(1, 3),
            texts=tuple(self.texts),
            references=tuple(self.references),
        )
