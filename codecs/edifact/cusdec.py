"""CUSDEC and the canonical declaration, both ways. What is where: `cusdec_header` and `cusdec_items`."""

from ..declaration import Declaration
from ..finding import Finding, Severity
from .cusdec_header import HEADER, SUMMARY
from .cusdec_items import GOODS_ITEM
from .directory import Directory
from .envelope import Envelope
from .interchange import Interchange, Message
from .mapping import apply
from .report import Report
from .rules import Out, Reading, table
from .scanner import Segment
from .tree import Draft, Source
from .validation import NOT_PLACED, Validated, validate
from .writer import MessageName, segment, write_interchange

NAME = MessageName("CUSDEC", "D", "96B")
# WCO 017, the functions of a declaration; a profile may allow fewer.
FUNCTIONS = frozenset({"1", "4", "5", "6", "9", "13", "14", "24", "29", "34", "37", "41"})
# Finding codes of content.
LRN_MISSING = "lrn-missing"
FUNCTION_UNKNOWN = "function-unknown"
ITEM_SEQUENCE = "item-sequence"
ITEM_COUNT = "item-count"

_RULES = table((*HEADER, GOODS_ITEM, *SUMMARY))


def read_cusdec(
    interchange: Interchange, message: Message, directory: Directory
) -> tuple[Declaration | None, tuple[Finding, ...]]:
    """Read a CUSDEC: the declaration as far as it could be read, and everything wrong with the message.

    The findings are those of the message as a container, of its structure and elements, of the mapping, and
    of content: no LRN, an unknown function, items not numbered from 1. The declaration is None where the
    message is no CUSDEC, no directory holds it, or nothing in it could be read. Never raises.
    """
    validated = validate(interchange, message, directory)
    if validated.rule is None or message.type != NAME.type:
        return None, validated.findings
    report = Report()
    report.extend(validated.findings)
    reading = Reading(interchange, message, report)
    draft = Draft(Declaration)
    apply(message, validated, _RULES, draft, reading)
    declaration = draft.build()
    assert declaration is None or isinstance(declaration, Declaration)
    _check(declaration or Declaration(), message, validated, reading)
    return declaration, report.findings()


def _check(declaration: Declaration, message: Message, validated: Validated, reading: Reading) -> None:
    """What the format allows and a declaration must not leave open."""
    begin = next((s for s in message.segments if s.tag == "BGM"), message.segments[0])
    report = reading.report
    if not declaration.functional_reference_id:
        report.add(LRN_MISSING, "no local reference number", reading.point(begin, 2, 1), expected="BGM 1004")
    if declaration.function_code not in FUNCTIONS:
        known = ", ".join(sorted(FUNCTIONS, key=int))
        text = "no known message function"
        report.add(
            FUNCTION_UNKNOWN,
            text,
            reading.point(begin, 3, 1),
            value=declaration.function_code or "",
            expected=known,
        )
    items = (
        () if declaration.goods_shipment is None else declaration.goods_shipment.government_agency_goods_item
    )
    places = _items(message, validated)
    for number, (item, place_) in enumerate(zip(items, places, strict=False), 1):
        if item.sequence_numeric != number:
            report.add(
                ITEM_SEQUENCE,
                "goods items are not numbered one after the other from 1",
                reading.point(place_, 1, 1),
                value="" if item.sequence_numeric is None else str(item.sequence_numeric),
                expected=str(number),
            )
            break
    if declaration.goods_item_quantity not in (None, len(items)):
        total = next((s for s in message.segments if s.tag == "CNT" and s.value(1) == "5"), begin)
        report.add(
            ITEM_COUNT,
            "the control total is not the number of goods items",
            reading.point(total, 1, 2),
            value=str(declaration.goods_item_quantity),
            expected=str(len(items)),
            severity=Severity.WARNING,
        )


def _items(message: Message, validated: Validated) -> list[Segment]:
    assert validated.rule is not None
    structure = validated.rule.structure
    pairs = zip(message.segments, validated.positions, strict=True)
    return [s for s, p in pairs if s.tag == "CST" and p != NOT_PLACED and structure.group_name(p) == "SG30"]


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
    return write_interchange(NAME, out.segments, envelope), report.findings()
