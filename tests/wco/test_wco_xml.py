"""Nasty XML: refused by name, quickly and in little memory; honest XML in any accepted encoding is read."""

import pathlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from tidewaiter.codecs.finding import Finding, XmlPointer
from tidewaiter.codecs.wco import xml

SECONDS = 0.25
MEBIBYTES = 64


def laughs() -> str:
    levels = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
    return f'<!DOCTYPE l [<!ENTITY l0 "ha">{levels}]><l>&l9;</l>'


# Each name, the document, and the code of the refusal.
BOMBS = {
    "billion laughs": (lambda: laughs().encode(), "xml-doctype"),
    "billion laughs in UTF-16": (lambda: laughs().encode("utf-16"), "xml-doctype"),
    "billion laughs in UTF-16BE without a mark": (lambda: laughs().encode("utf-16-be"), "xml-doctype"),
    "doctype behind a mark, a declaration, a comment": (
        lambda: b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- > -->\n<?p q?> ' + laughs().encode(),
        "xml-doctype",
    ),
    "quadratic blow-up": (
        lambda: b'<!DOCTYPE a [<!ENTITY x "' + b"x" * 100_000 + b'">]><a>' + b"&x;" * 100_000 + b"</a>",
        "xml-doctype",
    ),
    "external entity": (
        lambda: b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        "xml-doctype",
    ),
    "parameter entity": (
        lambda: b'<!DOCTYPE a [<!ENTITY % x SYSTEM "http://127.0.0.1:9/x.dtd"> %x;]><a/>',
        "xml-doctype",
    ),
    "external subset": (lambda: b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/x.dtd"><a/>', "xml-doctype"),
    "bare doctype": (lambda: b"<!DOCTYPE a><a/>", "xml-doctype"),
    "attribute list of half a million": (
        lambda: b"<!DOCTYPE a [<!ATTLIST a " + b"b%d CDATA #IMPLIED " * 500_000 + b">]><a/>",
        "xml-doctype",
    ),
    "deep nesting": (lambda: b"<a>" * 100_000 + b"</a>" * 100_000, "xml-syntax"),
    "one level too deep": (lambda: b"<a>" * 257 + b"</a>" * 257, "xml-syntax"),
    "a million tiny elements": (lambda: b"<r>" + b"<a/>" * 1_000_000 + b"</r>", "xml-elements"),
    "a million attributes": (
        lambda: b"<r " + b" ".join(b'a%d=""' % i for i in range(1_000_000)) + b"/>",
        "xml-attributes",
    ),
    "an element too wide": (
        lambda: b"<r " + b" ".join(b'a%d=""' % i for i in range(65)) + b"/>",
        "xml-attributes",
    ),
    "namespace declarations": (
        lambda: b"<r " + b" ".join(b'xmlns:a%d="u"' % i for i in range(30_000)) + b"/>",
        "xml-attributes",
    ),
    "a text of 11 MB": (lambda: b"<r>" + b"x" * 11_000_000 + b"</r>", "xml-syntax"),
    "a name of 9 MB": (lambda: b"<" + b"x" * 9_000_000 + b"/>", "xml-syntax"),
    "too many octets": (lambda: b"<r>" + b"<a>x</a>" * 2_100_000 + b"</r>", "xml-size"),
    "blanks": (lambda: b" " * 15_000_000, "xml-syntax"),
    "comments never closed": (lambda: b"<!-" * 5_000_000, "xml-elements"),
}


def memory(key: str) -> float:
    status = pathlib.Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith(key))


def forget_peak() -> None:
    pathlib.Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_in_time_and_memory(name: str) -> None:
    build, code = BOMBS[name]
    data = build()
    forget_peak()
    before = memory("VmRSS")
    spent = []
    for _ in range(3):
        start = time.perf_counter()
        refused = xml.parse(data)
        spent.append(time.perf_counter() - start)
        assert isinstance(refused, Finding)
        assert refused.code == code
    # The best of three: a busy machine may interrupt any one of them.
    assert min(spent) <= SECONDS
    assert memory("VmHWM") - before <= MEBIBYTES


@pytest.mark.parametrize(
    "data",
    [b"<r>" + b"<a/>" * 149_000 + b"</r>", b"<r>" + b'<a b="" c="" d=""/>' * 33_000 + b"</r>"],
    ids=["elements", "attributes"],
)
def test_what_the_limits_let_through_stays_within_memory(data: bytes) -> None:
    forget_peak()
    before = memory("VmRSS")
    root = xml.parse(data)
    assert not isinstance(root, Finding)
    assert memory("VmHWM") - before <= MEBIBYTES


@pytest.mark.parametrize(
    ("data", "code", "line"),
    [
        (b"", "xml-syntax", 1),
        (b"UNB+UNOC:3+A+B'", "xml-syntax", 1),
        (b"<a>\n<b>\n</a>", "xml-syntax", 3),
        (b"<a>&nothing;</a>", "xml-syntax", 1),
        (b"<a>\n\x01</a>", "xml-syntax", 2),
        (b"<a>\xff</a>", "xml-syntax", 1),
        (b"<a/><b/>", "xml-syntax", 1),
        (b'<a x="1" x="2"/>', "xml-syntax", 1),
        (b'<?xml version="1.0" encoding="UTF-7"?><a/>', "xml-encoding", 1),
        (b'<?xml version="1.0" encoding="EBCDIC-CP-US"?><a/>', "xml-encoding", 1),
        ('<?xml version="1.0" encoding="UTF-32"?><a/>'.encode("utf-32"), "xml-encoding", None),
        ("<a/>".encode("utf-16") + b"\x00", "xml-encoding", None),
        ('<?xml version="1.0"?><a/>'.encode("cp037"), "xml-syntax", 1),
        (b"\x1f\x8b\x08\x00", "xml-syntax", 1),
    ],
)
def test_what_is_no_xml_is_said_with_its_line(data: bytes, code: str, line: int | None) -> None:
    refused = xml.parse(data)
    assert isinstance(refused, Finding)
    assert refused.code == code
    assert isinstance(refused.pointer, XmlPointer)
    assert refused.pointer.line == line


@pytest.mark.parametrize(
    ("data", "cause", "place"),
    [
        (b"<?xml version='1.0'?><a/>\n<?xml version='1.0'?><b/>", "an XML declaration", "(line 2, column 6)"),
        (b"\n<?xml version='1.0'?><a/>", "an XML declaration", "(line 2, column 6)"),
        (b"<a/>\n<b/>", "something follows", "(line 2, column 1)"),
    ],
)
def test_the_cause_and_the_column_are_told(data: bytes, cause: str, place: str) -> None:
    refused = xml.parse(data)
    assert isinstance(refused, Finding)
    assert refused.text.startswith(cause)
    assert refused.text.endswith(place)


@pytest.mark.parametrize(
    "text", ["<a>&lt;!DOCTYPE a></a>", "<!-- <!DOCTYPE a> --><a/>", "<a><![CDATA[<!DOCTYPE a>]]></a>"]
)
def test_a_doctype_that_is_only_text_is_none(text: str) -> None:
    for encoding in ("utf-8", "utf-16"):
        assert not isinstance(xml.parse(text.encode(encoding)), Finding)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "iso-8859-1", "windows-1252"]
)
def test_accepted_encodings_give_the_same_text(encoding: str) -> None:
    label = encoding.removesuffix("-sig").removesuffix("-le")
    root = xml.parse(f'<?xml version="1.0" encoding="{label}"?><a>\u00fc</a>'.encode(encoding))
    assert not isinstance(root, Finding)
    assert root.text == "\u00fc"


def test_comments_and_instructions_leave_the_text_whole() -> None:
    root = xml.parse(b"<a>1<!-- x -->2<?p q?>3</a>")
    assert not isinstance(root, Finding)
    assert root.text == "123"


def test_nothing_is_fetched_for_a_schema_location() -> None:
    place = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="http://127.0.0.1:9/"'
    assert not isinstance(xml.parse(f"<a {place}/>".encode()), Finding)


@given(
    st.binary(max_size=200)
    | st.text(max_size=60).map(lambda text: f"<a>{text}</a>".encode("utf-8", "replace"))
)
def test_any_octets_give_an_element_or_a_finding(data: bytes) -> None:
    result = xml.parse(data)
    assert isinstance(result, Finding | etree._Element)
