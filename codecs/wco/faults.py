"""What libxml2 reports, as findings: one a fault, in our own words, at the node that is wrong."""

import re
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple, Protocol

from lxml import etree

from ..declaration import fields_by_tag
from ..finding import MAX_FINDINGS, Finding, shown
from .names import split
from .place import format_of, located, node_class, pointer

# An enumeration is quoted up to this many characters: a code list of thousands would flood an answer.
EXPECTED_SHOWN = 200
# Messages quote the value, up to 64,000 characters of it; what is read from them stands at an end.
MESSAGE_READ = 4_000


class Entry(Protocol):
    """The parts of an lxml log entry that are read."""

    line: int
    type_name: str
    path: str | None
    message: str


class Fault(NamedTuple):
    """A rule of the schema: the finding's code, and what to say."""

    code: str
    text: str


FAULTS = {
    "SCHEMAV_CVC_MAXLENGTH_VALID": Fault("too-long", "the value is too long"),
    "SCHEMAV_CVC_MINLENGTH_VALID": Fault("too-short", "the value is empty or too short"),
    "SCHEMAV_CVC_LENGTH_VALID": Fault("wrong-length", "the value has not the length it must have"),
    "SCHEMAV_CVC_PATTERN_VALID": Fault("wrong-format", "the value does not follow its format"),
    "SCHEMAV_CVC_ENUMERATION_VALID": Fault("unknown-code", "the value is not one of those allowed"),
    "SCHEMAV_CVC_TOTALDIGITS_VALID": Fault("too-many-digits", "the number has too many digits"),
    "SCHEMAV_CVC_FRACTIONDIGITS_VALID": Fault("too-many-decimals", "the number has too many decimals"),
    "SCHEMAV_CVC_MININCLUSIVE_VALID": Fault("out-of-range", "the number is too small"),
    "SCHEMAV_CVC_MINEXCLUSIVE_VALID": Fault("out-of-range", "the number is too small"),
    "SCHEMAV_CVC_MAXINCLUSIVE_VALID": Fault("out-of-range", "the number is too large"),
    "SCHEMAV_CVC_MAXEXCLUSIVE_VALID": Fault("out-of-range", "the number is too large"),
    "SCHEMAV_CVC_DATATYPE_VALID_1_2_1": Fault("wrong-type", "the value is not of its type"),
    "SCHEMAV_CVC_COMPLEX_TYPE_2_1": Fault("not-empty", "the element must be empty"),
    "SCHEMAV_CVC_COMPLEX_TYPE_2_2": Fault("nested-element", "an element stands where a value belongs"),
    "SCHEMAV_CVC_COMPLEX_TYPE_2_3": Fault("stray-text", "text stands where elements belong"),
    "SCHEMAV_CVC_COMPLEX_TYPE_3_2_1": Fault("unknown-attribute", "the attribute is not known here"),
    "SCHEMAV_CVC_COMPLEX_TYPE_4": Fault("missing-attribute", "a required attribute is missing"),
    "SCHEMAV_CVC_ELT_1": Fault("unknown-root", "the schema does not know this document element"),
    "SCHEMAV_CVC_ELT_3_1": Fault("nil", "the element may not be nil"),
}
# What to expect instead, around the bound libxml2 names.
WORDINGS = {
    "SCHEMAV_CVC_MAXLENGTH_VALID": "at most {} characters",
    "SCHEMAV_CVC_MINLENGTH_VALID": "at least {} characters",
    "SCHEMAV_CVC_LENGTH_VALID": "{} characters",
    "SCHEMAV_CVC_TOTALDIGITS_VALID": "at most {} digits",
    "SCHEMAV_CVC_FRACTIONDIGITS_VALID": "at most {} decimals",
    "SCHEMAV_CVC_MININCLUSIVE_VALID": "at least {}",
    "SCHEMAV_CVC_MAXINCLUSIVE_VALID": "at most {}",
}
FORMAT_FAULTS = frozenset({"SCHEMAV_CVC_PATTERN_VALID", "SCHEMAV_CVC_DATATYPE_VALID_1_2_1"})
OTHER = Fault("schema", "the document does not follow its schema")

_SUBJECT = re.compile(r"Element '[^']*'(?:, attribute '([^']*)')?: ")
_REQUIRED = re.compile(r"The attribute '([^']*)' is required")
_LIMIT = re.compile(r"'([^']*)'\)?\.?\s*$")
_NAME = re.compile(r"(?:\{([^}]*)\})?([^\s,{}()]+)(?=[\s,)])")


def findings(root: etree._Element, entries: Iterable[Entry], names: Collection[str]) -> tuple[Finding, ...]:
    """One finding a fault, at most MAX_FINDINGS; several entries about one value are one fault.

    `names` are the local names of all elements the schema declares. A missing element and a misplaced one
    are told apart by the order of the canonical model, which the national sets share.
    """
    found: dict[tuple[str | None, str | None], Finding] = {}
    for entry in entries:
        message = entry.message[:MESSAGE_READ] + entry.message[MESSAGE_READ:][-MESSAGE_READ:]
        subject = _SUBJECT.match(message) or _REQUIRED.search(message)
        attribute = subject[1] if subject else None
        if entry.type_name == "SCHEMAV_CVC_COMPLEX_TYPE_4":
            required = _REQUIRED.search(message)
            attribute = required[1] if required else None
        key = (entry.path, attribute)
        if key in found:
            continue
        if len(found) == MAX_FINDINGS:
            break
        element = located(root, entry.path)
        found[key] = _finding(root if element is None else element, attribute, entry, message, names)
    return tuple(found.values())


def _finding(
    element: etree._Element, attribute: str | None, entry: Entry, message: str, names: Collection[str]
) -> Finding:
    if entry.type_name == "SCHEMAV_ELEMENT_CONTENT":
        return _content(element, message, names)
    fault = FAULTS.get(entry.type_name, OTHER)
    if fault.code == "missing-attribute":
        return Finding(code=fault.code, text=fault.text, pointer=pointer(element), expected=f"@{attribute}")
    value = element.text if attribute is None else element.get(attribute)
    return Finding(
        code=fault.code,
        text=fault.text,
        # libxml2 knows lines beyond 65,535, which the tree itself does not.
        pointer=pointer(element, attribute=attribute, line=entry.line or None),
        value=None if value is None else shown(value.strip(" \t\r\n")),
        expected=_expected(entry.type_name, message, format_of(element) if attribute is None else None),
    )


def _expected(type_name: str, message: str, model_format: str | None) -> str | None:
    """The list, the bound or the format that the value broke."""
    if type_name == "SCHEMAV_CVC_ENUMERATION_VALID":
        values = message.rpartition("{")[2].rpartition("}")[0].replace("'", "").replace(", ", " | ")
        return values if len(values) <= EXPECTED_SHOWN else values[: EXPECTED_SHOWN - 1] + "…"
    limit = _LIMIT.search(message)
    wording = WORDINGS.get(type_name)
    if wording is not None and limit is not None:
        return wording.format(limit[1])
    if type_name in FORMAT_FAULTS:
        # The model's own notation says more than a pattern or the name of a type.
        pattern = limit[1][:EXPECTED_SHOWN] if limit and type_name == "SCHEMAV_CVC_PATTERN_VALID" else None
        return model_format or pattern
    return None


def _content(element: etree._Element, message: str, names: Collection[str]) -> Finding:
    """libxml2 names the next element it met; the fault may be that one, another, or an absent one."""
    problem, _, wanted = message.partition("Expected is")
    pairs = _NAME.findall(wanted.partition("(")[2])
    expected = [local for _, local in pairs]
    parent = element.getparent()
    if "Missing child" in problem:
        return _missing(element, expected)
    namespace, local = split(element.tag)
    own = None if parent is None else split(parent.tag)[0]
    if local in names and pairs and namespace not in {own, *(known for known, _ in pairs)}:
        return Finding(
            code="wrong-namespace",
            text=f"{shown(local)} stands in a namespace that does not belong here",
            pointer=pointer(element),
            value=shown(namespace),
            expected=" | ".join(dict.fromkeys(known for known, _ in pairs)),
        )
    order = {} if parent is None else _order(parent)
    if parent is not None and local in order:
        return _out_of_place(parent, element, expected, order)
    known = local in names
    return Finding(
        code="unexpected-element" if known else "unknown-element",
        text=f"{shown(local)} may not stand here"
        if known
        else f"{shown(local)} is not an element of the schema",
        pointer=pointer(element),
        value=shown(local),
        expected=" | ".join(expected) or None,
    )


def _out_of_place(
    parent: etree._Element, element: etree._Element, expected: Sequence[str], order: dict[str, int]
) -> Finding:
    """A known element may not stand here: it or a later one is misplaced, or one before it is missing."""
    local = split(element.tag)[1]
    place = order[local]
    overtaken = [each for each in element.itersiblings() if order.get(split(each.tag)[1], place) < place]
    if len(overtaken) > 1:
        return _misplaced(element, f"belongs after {split(overtaken[-1].tag)[1]}")
    if overtaken and split(overtaken[0].tag)[1] in expected:
        return _misplaced(overtaken[0], f"belongs before {local}")
    before = [split(earlier.tag)[1] for earlier in element.itersiblings(preceding=True)]
    if local in before[:1]:
        return Finding(
            code="repeated-element",
            text=f"{local} stands here more often than it may",
            pointer=pointer(element),
        )
    passed = [name for name in before if order.get(name, -1) >= place]
    if passed:
        return _misplaced(element, f"belongs before {passed[-1]}")
    return _missing(parent, [name for name in expected if order.get(name, place) < place])


def _order(parent: etree._Element) -> dict[str, int]:
    kind = node_class(parent)
    return {} if kind is None else {tag: place for place, tag in enumerate(fields_by_tag(kind))}


def _missing(parent: etree._Element, expected: Sequence[str]) -> Finding:
    # libxml2 lists the optional elements on the way and ends with the one that may not be passed over.
    name = expected[-1] if expected else None
    return Finding(
        code="missing-element",
        text=f"{name or 'an element'} is missing in {split(parent.tag)[1]}",
        pointer=pointer(parent, missing=name),
        expected=name,
    )


def _misplaced(element: etree._Element, where: str) -> Finding:
    local = split(element.tag)[1]
    return Finding(code="element-order", text=f"{local} {where}", pointer=pointer(element))
