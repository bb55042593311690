"""CUSRES D.96B and the canonical response, both ways.

* BGM 1001 961 (963 for a rejection), 1004 the response's own reference; RFF+ABE the LRN, RFF+ABT the MRN of
  the declaration it answers; DTM+137 the moment it was issued, DTM+148 of acceptance, below RFF+ABT;
* GIS 7365 the answer as the code list has it, with the WCO function code in 7187, since several share one;
  GIS with 3055 = ZZZ and 7365 = 379 a processing status;
* errors: ERP with ERC 9321 the validation code, FTX+AAO the text, and one more FTX+AAO marked `ZZZ:PTR:ZZZ`
  with the pointer as text, since ERP has no room for a WCO class;
* additional information and amendments: FTX as in CUSDEC; duties of the declaration TAX+3, of an item
  DOC+965, CST and TAX+1.
"""

from ...declaration import Response
from ...finding import Finding, Severity
from ..directory import Directory
from ..envelope import Envelope
from ..interchange import Interchange, Message
from ..report import Report
from ..scanner import Segment
from ..writer import MessageName, OutSegment, write_interchange
from .chain import chain_of, read_chain
from .filling import apply
from .reading import BAD_VALUE, Reading, validated_for
from .rows import DUTY_SLOTS, amount, date
from .rules import ANY, OWN_LIST, Out, Rule, table
from .slots import slot
from .source import Source, View
from .texts import (
    CHANGES,
    CONTINUED,
    POINTER,
    TEXT_LINES,
    TEXT_WIDTH,
    Changes,
    Statements,
    line_cells,
    take_blocks,
    text_lines,
)
from .tree import Draft

NAME = MessageName("CUSRES", "D", "96B")
FUNCTION_MISSING = "function-missing"
# UNTDID 7365 to WCO 017; what 7187 says goes before it.
FUNCTION_BY_INDICATOR = {
    "1": "01",
    "2": "03",
    "3": "03",
    "4": "08",
    "5": "05",
    "6": "06",
    "7": "05",
    "9": "02",
    "17": "02",
    "32": "01",
    "33": "03",
    "34": "02",
    "66": "01",
}
INDICATOR_BY_FUNCTION = {"01": "1", "02": "9", "03": "2", "05": "5", "06": "6", "08": "4", "09": "4"}
REJECTED = "03"
_GENERAL, _ERROR, _TAXES = "961", "963", "965"
_RESPONSE = "11"


class _Begin(Rule):
    """BGM: the response's own reference; its function is in GIS."""

    def write(self, parent: View, out: Out) -> None:
        """Always written: a message begins with it."""
        cells = self._cells(parent, out, [])
        name = _ERROR if parent.peek("function_code") == REJECTED else _GENERAL
        out.segments.append(OutSegment("BGM", cells | {(1, 1): name, (3, 1): _RESPONSE}))


class _Function(Rule):
    """GIS: the answer."""

    def read(self, segment: Segment, parent: Draft, reading: Reading) -> Draft:
        """7187 if it is a function code, else what 7365 stands for."""
        given, indicator = segment.value(1, 4), segment.value(1)
        own = given if len(given) == 2 and given.isascii() and given.isdecimal() else ""
        code = own or FUNCTION_BY_INDICATOR.get(indicator, "")
        if not code:
            text = "an indicator that is no answer to a declaration"
            point = reading.point(segment, 1, 1)
            reading.report.add(BAD_VALUE, text, point, value=indicator, severity=Severity.WARNING)
        elif not parent.has("function_code"):
            parent.put("function_code", code)
        return parent

    def write(self, parent: View, out: Out) -> None:
        """7365 by the table, ZZZ where it has none, and 7187 always."""
        code = parent.take("function_code")
        if code:
            indicator = INDICATOR_BY_FUNCTION.get(code, OWN_LIST)
            out.segments.append(OutSegment("GIS", {(1, 1): indicator, (1, 4): code}))


class _Errors(Rule):
    """ERP: one error each."""

    def read(self, segment: Segment, parent: Draft, reading: Reading) -> Draft:
        """A new error; where ERP itself points to is what a CUSDEC has, not the WCO pointer."""
        return parent.append("error")

    def write(self, parent: View, out: Out) -> None:
        """ERP, ERC, and FTX for the text and each step of the pointer."""
        for view in parent.children("error"):
            inner = Out(out.report)
            for sub in self.subs:
                sub.write(view, inner)
            if not inner.segments:
                continue
            if not out.room("ERP", self.limit):
                out.too_many([("Error", inner.segments[0].cells.get((1, 1), ""))], "error", self.limit)
                continue
            out.segments.append(OutSegment("ERP", {(1, 1): "2"}))
            out.segments.extend(inner.segments)


class _ErrorCode(Rule):
    """ERC: the validation code; a second one in the same group is another error at the same place."""

    def read(self, segment: Segment, parent: Draft, reading: Reading) -> Draft:
        """The code."""
        code = segment.value(1)
        reading.put(parent, "validation_code", code, segment, self.slots[0].cells[0])
        return parent


class _ErrorText(Rule):
    """FTX+AAO: the description, or the pointer."""

    def read(self, segment: Segment, parent: Draft, reading: Reading) -> Draft:
        """Text or pointer."""
        if segment.value(3, 2) == POINTER:
            read_chain(segment, parent, reading)
        else:
            glue = segment.value(3, 2) == CONTINUED
            parent.add_lines("description", text_lines(segment, 4), TEXT_WIDTH, glue=glue)
        return parent

    def write(self, parent: View, out: Out) -> None:
        """The text first, then the pointer."""
        name = parent.name("description") if parent.peek("description") else ""
        for block in take_blocks(parent, "description", out, TEXT_WIDTH, TEXT_LINES):
            mark = {(3, 1): OWN_LIST, (3, 2): CONTINUED, (3, 3): OWN_LIST} if block.glue else {}
            self._add({(1, 1): "AAO"} | mark | line_cells(4, block.lines), name, out)
        for lines in chain_of(parent, out):
            mark = {(1, 1): "AAO", (3, 1): OWN_LIST, (3, 2): POINTER, (3, 3): OWN_LIST}
            self._add(mark | line_cells(4, lines), "Pointer", out)

    def _add(self, cells: dict[tuple[int, int], str], name: str, out: Out) -> None:
        if out.room("FTX", self.limit):
            out.segments.append(OutSegment("FTX", cells))
        else:
            out.too_many([(name, cells[4, 1])], "FTX", self.limit)


def _reference(key: str, path: str, *subs: Rule) -> Rule:
    long = slot(path, "1.2/35>1.4/35")
    return Rule("SG3", "RFF", key, long, fixed={(1, 1): key}, pool="RFF", limit=999, subs=subs)


_STATUS = Rule(
    "",
    "GIS",
    "ZZZ/379",
    slot("name_code", "1.4/17"),
    base="status",
    many=True,
    fixed={(1, 1): "379", (1, 3): OWN_LIST},
    pool="GIS",
    limit=9,
)


def _duty(group: str, key: str, base: str, limit: int) -> Rule:
    """TAX: as in CUSDEC, with more amounts."""
    return Rule(
        group,
        "TAX",
        key,
        *DUTY_SLOTS,
        base=base,
        many=True,
        fixed={(1, 1): key},
        pool="TAX",
        limit=limit,
        subs=(
            amount(group, "161", "payment.tax_assessed_amount", aliases=("55",), limit=99),
            amount(group, "9", "payment.payment_amount", limit=99),
            amount(group, "46", "deduct_amount", limit=99),
        ),
    )


_ITEM = Rule(
    "SG10",
    "CST",
    ANY,
    slot("sequence_numeric", "1.1/5"),
    base="government_agency_goods_item",
    many=True,
    always=True,
    pool="CST",
    limit=9999,
    subs=(_duty("SG11", "1", "commodity.duty_tax_fee", 99),),
)

RULES: tuple[Rule, ...] = (
    _Begin("", "BGM", ANY, slot("functional_reference_id", "2.1/35")),
    date("", "137", "issue_date_time", limit=9),
    Changes("", "FTX", CHANGES, base="amendment", pool="FTX", limit=9),
    Statements("", "FTX", ANY, base="additional_information", pool="FTX", limit=9),
    Rule(
        "",
        "LOC",
        "22",
        slot("id", "2.1/25"),
        base="contact_office",
        many=True,
        fixed={(1, 1): "22"},
        pool="LOC",
        limit=99,
    ),
    _Function("", "GIS", ANY),
    _STATUS,
    _reference("ABE", "declaration.functional_reference_id"),
    _reference(
        "ABT",
        "declaration.id",
        date("SG3", "148", "declaration.acceptance_date_time", limit=9),
        date("SG3", "46", "declaration.cancellation_date_time", limit=9),
    ),
    Rule(
        "SG3",
        "RFF",
        "ZZZ/383",
        slot("declaration.version_id", "1.2/35"),
        fixed={(1, 1): OWN_LIST, (1, 4): "383"},
        pool="RFF",
        limit=999,
    ),
    _Errors(
        "SG4",
        "ERP",
        ANY,
        limit=99,
        subs=(
            _ErrorCode("SG4", "ERC", ANY, slot("validation_code", "1.1/8")),
            _ErrorText("SG4", "FTX", ANY, slot("description", "4.1/70"), limit=99),
        ),
    ),
    _duty("SG5", "3", "declaration.duty_tax_fee", 99),
    Rule(
        "SG6",
        "DOC",
        ANY,
        base="declaration.goods_shipment",
        fixed={(1, 1): _TAXES},
        pool="DOC",
        limit=9999,
        subs=(_ITEM,),
    ),
)

_RULES = table(RULES)


def read_cusres(
    interchange: Interchange, message: Message, directory: Directory
) -> tuple[Response | None, tuple[Finding, ...]]:
    """Read a CUSRES: the response as far as it could be read, and everything wrong with the message.

    A response without a function code is an error: it answers nothing. None where the message is no CUSRES,
    no directory holds it, or nothing could be read. Never raises.
    """
    validated = validated_for(interchange, message, directory, NAME)
    if validated.rule is None:
        return None, validated.findings
    reading = Reading(interchange, message, validated)
    draft = Draft(Response)
    apply(message, validated, _RULES, draft, reading)
    response = draft.build()
    assert response is None or isinstance(response, Response)
    if response is None or response.function_code is None:
        begin = next((s for s in message.segments if s.tag == "BGM"), message.segments[0])
        text = "no GIS says what the answer is"
        reading.report.add(FUNCTION_MISSING, text, reading.point(begin), expected="GIS 7365")
    return response, reading.findings(draft)


def write_cusres(response: Response, envelope: Envelope) -> tuple[bytes, tuple[Finding, ...]]:
    """Write a response as an interchange of one CUSRES D.96B; findings as in `write_cusdec`."""
    report = Report()
    source = Source(response)
    out = Out(report)
    for rule in RULES:
        rule.write(source.view(), out)
    out.no_place(source)
    return write_interchange(NAME, out.cleaned(), envelope), report.findings()
