"""CUSDEC and the canonical declaration, both ways. What is where: `cusdec_header` and `cusdec_items`."""

from ...declaration import Declaration, Fault, check_content
from ...finding import Finding, Severity
from ..directory import Directory
from ..envelope import Envelope
from ..interchange import Interchange, Message
from ..report import Report
from ..validation import Validated
from ..walk import NOT_PLACED
from ..writer import MessageName, segment, write_interchange
from .cusdec_header import HEADER, SUMMARY
from .cusdec_items import GOODS_ITEM
from .filling import apply
from .reading import Reading, validated_for
from .rules import Out, table
from .source import Source
from .tree import Draft, Origin

NAME = MessageName("CUSDEC", "D", "96B")
# Where a missing value of BGM belongs.
_BEGIN = {"type_code": (1, 1), "functional_reference_id": (2, 1), "function_code": (3, 1)}
NO_ITEMS = "no-items"
# Senders of another release have codes of their own in CST.
_LENIENT = frozenset({"commodity-code"})

_RULES = table((*HEADER, GOODS_ITEM, *SUMMARY))


def read_cusdec(
    interchange: Interchange, message: Message, directory: Directory
) -> tuple[Declaration | None, tuple[Finding, ...]]:
    """Read a CUSDEC: the declaration as far as it could be read, and everything wrong with the message.

    The findings are those of the message as a container, of its structure and elements, of the mapping, and
    of content (`check_content`), one for each mistake. The declaration is None where the
    message is no CUSDEC, no directory holds it, or nothing in it could be read. Never raises.
    """
    validated = validated_for(interchange, message, directory, NAME)
    if validated.rule is None:
        return None, validated.findings
    reading = Reading(interchange, message, validated)
    draft = Draft(Declaration)
    apply(message, validated, _RULES, draft, reading)
    declaration = draft.build()
    assert declaration is None or isinstance(declaration, Declaration)
    _check(declaration or Declaration(), _Places(draft, message, validated), reading)
    return declaration, reading.findings(draft)


class _Places:
    """Where in a CUSDEC the faults of a declaration are: at the value, or where an absent one belongs."""

    def __init__(self, draft: Draft, message: Message, validated: Validated) -> None:
        placed = [
            segment
            for segment, position in zip(message.segments, validated.positions, strict=True)
            if position != NOT_PLACED
        ]
        self._draft = draft
        self._begin = next((segment for segment in placed if segment.tag == "BGM"), None)
        # CST stands in the header, too; an item is one that opens a group.
        rule = validated.rule
        self._items = rule is not None and any(
            segment.tag == "CST" and rule.structure.trigger(position)
            for segment, position in zip(message.segments, validated.positions, strict=True)
            if position != NOT_PLACED
        )
        self._section = next((segment for segment in placed if segment.tag == "UNS"), self._begin)

    def of(self, fault: Fault) -> Origin | None:
        """None where the segment it belongs in is not there at all: that was said."""
        name = fault.path[-1].field.name
        if name == "government_agency_goods_item":
            # An item that could not be read is there all the same.
            return None if self._section is None or self._items else Origin(self._section)
        found = self._draft.origin(fault.path, fault.part)
        if len(fault.path) > 1 or name not in _BEGIN or (found is not None and found.cell is not None):
            return found
        return None if self._begin is None else Origin(self._begin, _BEGIN[name])


def _check(declaration: Declaration, places: _Places, reading: Reading) -> None:
    """The content rules of the data model, with the places of this message."""
    for fault in check_content(declaration):
        origin = places.of(fault)
        if origin is None or reading.told(origin.segment, origin.cell):
            continue
        segment, cell = origin
        name = "CST" if fault.code == NO_ITEMS else reading.name(segment, cell)
        reading.report.add(
            fault.code,
            f"{name} {fault.text}",
            reading.point(segment, *(cell or ())),
            value=fault.value,
            expected=fault.expected,
            severity=Severity.WARNING if reading.lenient and fault.code in _LENIENT else fault.severity,
        )


def write_cusdec(declaration: Declaration, envelope: Envelope) -> tuple[bytes, tuple[Finding, ...]]:
    """Write a declaration as an interchange of one CUSDEC D.96B.

    Nothing is cut: a value that does not fit is left out and is a finding of severity ERROR (39, 35), a field
    that the message has no place for is a WARNING, and so is a value changed to fit (a sequence number, a
    control character). What was written reads back as it was.
    """
    report = Report()
    source = Source(declaration)
    view = source.view()
    out = Out(report)
    for rule in HEADER:
        rule.write(view, out)
    out.segments.append(segment("UNS", "D"))
    GOODS_ITEM.write(view, out)
    out.segments.append(segment("UNS", "S"))
    for rule in SUMMARY:
        rule.write(view, out)
    out.no_place(source)
    return write_interchange(NAME, out.cleaned(), envelope), report.findings()
