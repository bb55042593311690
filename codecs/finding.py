"""The one value for anything wrong in a document, with pointers in the sender's own terms."""

import enum

import msgspec

# A value quoted back is shortened: it helps to recognise the place, and must not flood an answer.
VALUE_SHOWN = 35
# One pass reports at most this many: more would not help the sender, and an answer must stay bounded.
MAX_FINDINGS = 100


class Severity(enum.Enum):
    """ERROR makes a document invalid; WARNING and INFO do not."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class EdifactPointer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="edifact"):
    """A place in an interchange.

    `segment` counts within the message from UNH = 1 and is 0 for the interchange's own segments; `element`
    counts from 1 after the tag, `component` from 1 within a composite; `offset` is the octet where the
    segment (or, where known, the value) begins in the bytes as received; `position` counts the
    messages, where the interchange has more than one.
    """

    segment: int
    tag: str
    element: int | None = None
    component: int | None = None
    offset: int | None = None
    interchange: str | None = None
    message: str | None = None
    group: str | None = None
    path: str | None = None
    repetition: int | None = None
    position: int | None = None

    def __str__(self) -> str:
        place = f"{self.tag}[{self.segment}]" if self.segment else self.tag
        if self.position is not None:
            place = f"message {self.position}, {place}"
        for part in (self.element, self.component):
            if part is not None:
                place += f"/{part}"
        if self.repetition is not None:
            place += f"*{self.repetition}"
        return place if self.offset is None else f"{place} @{self.offset}"


class XmlPointer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="xml"):
    """A place in an XML document.

    `xpath` selects the node when evaluated on the document with `namespaces`; `line` counts from 1; `wco` is
    the WCO pointer chain, class ids with sequence numbers and a last element id (`42A / 67A / 68A#1:006`).
    """

    xpath: str
    line: int | None = None
    wco: str | None = None
    namespaces: dict[str, str] = {}

    def __str__(self) -> str:
        return f"{self.xpath} ({self.wco})" if self.wco else self.xpath


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing wrong: what, where, and what was expected.

    `code` is a code of the document's own world: UNTDID 0085 for EDIFACT syntax, a rule name for schema and
    content; `value` is already shortened and free of control characters.
    """

    severity: Severity = Severity.ERROR
    code: str
    text: str
    pointer: EdifactPointer | XmlPointer | None = None
    value: str | None = None
    expected: str | None = None

    def __str__(self) -> str:
        where = f" at {self.pointer}" if self.pointer is not None else ""
        return f"{self.severity.value} {self.code}{where}: {self.text}"


def shown(value: str) -> str:
    """`value` as it may be quoted back: control characters escaped, shortened to VALUE_SHOWN characters."""
    safe = "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in value[: VALUE_SHOWN + 1]
    )
    return safe if len(safe) <= VALUE_SHOWN else safe[: VALUE_SHOWN - 1] + "\N{HORIZONTAL ELLIPSIS}"


def is_valid(findings: "tuple[Finding, ...] | list[Finding]") -> bool:
    """True if none of `findings` is an error."""
    return all(finding.severity is not Severity.ERROR for finding in findings)
