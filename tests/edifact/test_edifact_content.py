"""The content rules with the places of a CUSDEC, and one finding for each mistake."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from tidewaiter.codecs.declaration import Amount, DateTime, Declaration
from tidewaiter.codecs.edifact import Directory, Interchange, read_cusdec, read_interchange
from tidewaiter.codecs.finding import Finding, Severity, is_valid

Read = Callable[..., tuple[Declaration | None, tuple[Finding, ...]]]
HEAD = "BGM+929+L+9"
ITEM = ("UNS+D", "CST+1")


@pytest.fixture
def read(make: Callable[..., Interchange], directory: Directory) -> Read:
    def reading(*segments: str, **options: str) -> tuple[Declaration | None, tuple[Finding, ...]]:
        interchange = make(*segments, **options)
        return read_cusdec(interchange, interchange.messages[0], directory)

    return reading


def told(findings: tuple[Finding, ...]) -> list[str]:
    """`wrong-format LOC[4]/2/1` for each finding."""
    return [f"{f.code} {str(f.pointer).partition(' @')[0]}" for f in findings]


@pytest.mark.parametrize(
    ("segments", "expected", "text"),
    [
        ((HEAD, *ITEM, "LOC+35+Brasil", "UNS+S"), "wrong-format LOC[5]/2/1", "3225 is not a2"),
        ((HEAD, *ITEM, "LOC+27+Brasil", "UNS+S"), "too-long LOC[5]/2/1", "3225 is longer than an..4"),
        ((HEAD, "NAD+IM+++A+++++BRA", *ITEM, "UNS+S"), "wrong-format NAD[3]/9/1", "3207 is not a2"),
        ((HEAD, "DTM+137:20261319:102", *ITEM, "UNS+S"), "wrong-date DTM[3]/1/2", "2380 is not a date"),
        (
            (HEAD, "DTM+137:20260101:999", *ITEM, "UNS+S"),
            "unknown-code DTM[3]/1/3",
            "2379 has a date format that is not known here",
        ),
        (
            (HEAD, "MOA+39:93810.4012345678", *ITEM, "UNS+S"),
            "too-many-decimals MOA[3]/1/2",
            "5004 has more than 3 decimals",
        ),
        (
            ("BGM+929+   +9", *ITEM, "UNS+S"),
            "lrn-missing BGM[2]/2/1",
            "1004 (the local reference number, LRN) is missing or blank",
        ),
        (
            (HEAD, "MEA+WT+AAD+KGM:-14220", *ITEM, "UNS+S"),
            "negative-value MEA[3]/3/2",
            "6314 must not be negative",
        ),
        ((HEAD, *ITEM, "PAC+-345", "UNS+S"), "negative-value PAC[5]/1/1", "7224 must not be negative"),
        ((HEAD, "UNS+D", "UNS+S"), "no-items UNS[3]", "CST (a goods item) is missing"),
        (
            (HEAD, "UNS+D", "CST+1+0901210X:TSP:ZZZ", "UNS+S"),
            "commodity-code CST[4]/2/1",
            "7361 is not a commodity code: it holds more than digits",
        ),
        (
            (HEAD, *ITEM, "CST+1", "UNS+S"),
            "item-number-repeated CST[5]/1/1",
            "1496 is the number of an earlier item",
        ),
        ((HEAD, "MEA+WT+AAD+KILO:1", *ITEM, "UNS+S"), "39 MEA[3]/3/1", "6411 is not an..3"),
    ],
)
def test_a_fault_of_content_is_told_once_in_the_terms_of_the_sender(
    read: Read, segments: tuple[str, ...], expected: str, text: str
) -> None:
    _, findings = read(*segments)
    assert told(findings) == [expected]
    assert findings[0].text == text
    assert findings[0].severity is Severity.ERROR


@pytest.mark.parametrize(
    ("segments", "expected"),
    [
        ((HEAD, "UNS+D", "CST+X", "UNS+S"), ["37 CST[4]/1/1"]),
        ((HEAD, "UNS+D", "CST+1", "PAC+34,5", "UNS+S"), ["bad-value PAC[5]/1/1"]),
        (("UNS+D", "CST+1", "UNS+S"), ["13 BGM[1]"]),
        ((HEAD, "nad+IM", *ITEM, "UNS+S"), ["12 nad[3]"]),
        (
            (HEAD, "GIS+9:::X", "LOC+96+A", "LOC+91+B", "LOC+43+C", "DTM+137:20260101:102", *ITEM, "UNS+S"),
            None,
        ),
    ],
)
def test_one_mistake_is_one_error(read: Read, segments: tuple[str, ...], expected: list[str] | None) -> None:
    _, findings = read(*segments)
    assert told(findings) == (["15 GIS[3]"] if expected is None else expected)


def test_what_may_be_meant_is_a_warning(read: Read) -> None:
    declaration, findings = read("BGM+929:::QQQ+L+77", "MOA+39:-93810.40", *ITEM, "UNS+S")
    assert is_valid(findings)
    assert told(findings) == [
        "negative-value MOA[3]/1/2",
        "function-unknown BGM[2]/3/1",
        "type-unknown BGM[2]/1/4",
    ]
    assert declaration is not None
    assert declaration.invoice_amount == Amount(Decimal("-93810.40"))


@pytest.mark.parametrize(
    ("date", "read_as"),
    [("191126:102", "20191126"), ("20191126", "20191126"), ("191126", "20191126")],
)
def test_dates_that_can_still_be_told_are_read_with_a_warning(read: Read, date: str, read_as: str) -> None:
    declaration, findings = read(HEAD, f"DTM+137:{date}", *ITEM, "UNS+S")
    assert [(f.code, f.severity) for f in findings] == [("date-format", Severity.WARNING)]
    assert declaration is not None
    assert declaration.issue_date_time == DateTime(read_as, "102")


def test_an_amount_of_another_kind_is_not_filed_as_a_charge(read: Read) -> None:
    declaration, findings = read(HEAD, "MOA+999:1:EUR", "MOA+AE:2:EUR", *ITEM, "UNS+S")
    assert [(f.code, f.severity, f.value) for f in findings if not f.code.isdecimal()] == [
        ("not-taken", Severity.INFO, "999")
    ]
    assert declaration is not None
    assert declaration.goods_shipment is not None
    assert declaration.goods_shipment.customs_valuation is not None
    assert len(declaration.goods_shipment.customs_valuation.charge_deduction) == 1


@pytest.mark.parametrize(
    ("una", "values", "found"),
    [
        ("", ("1,5", "1.5"), []),
        ("UNA:+.? '", ("1.5", "1.5"), []),
        ("UNA:+.? '", ("1,5", "1,5"), ["MEA[3]/3/2", "MOA[4]/1/2"]),
        ("UNA:+,? '", ("1.5", "1.5"), ["MEA[3]/3/2", "MOA[4]/1/2"]),
    ],
)
def test_one_decimal_mark_for_all_numbers(
    bytes_of: Callable[..., bytes], directory: Directory, una: str, values: tuple[str, str], found: list[str]
) -> None:
    segments = (HEAD, f"MEA+WT+AAD+KGM:{values[0]}", f"MOA+39:{values[1]}", *ITEM, "UNS+S")
    interchange = read_interchange(una.encode() + bytes_of(*segments))
    _, findings = read_cusdec(interchange, interchange.messages[0], directory)
    assert sorted(told(findings)) == [f"19 {place}" for place in found]
    assert {f.text for f in findings} <= {f"the decimal mark of this interchange is '{una[5:6]}'"}


def test_a_finding_says_which_of_several_messages_it_is_in(
    bytes_of: Callable[..., bytes], directory: Directory
) -> None:
    one = bytes_of(HEAD, *ITEM, "LOC+35+Brasil", "UNS+S").decode()
    head, message, tail = one.partition("UNH")[0], one[one.index("UNH") : one.index("UNZ")], "UNZ+2+REF1'"
    second = message.replace("UNH+1", "UNH+2").replace("UNT+7+1", "UNT+8+2")
    interchange = read_interchange((head + message + second + tail).encode())
    _, findings = read_cusdec(interchange, interchange.messages[1], directory)
    places = [str(finding.pointer).partition(" @")[0] for finding in findings]
    assert places == ["message 2, UNT[7]/1/1", "message 2, LOC[5]/2/1"]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "the file is empty"),
        (b"\r\n", "the file is empty"),
        ("UNB+UNOC:3".encode("utf-16"), "UNB has no terminator"),
        (b"<html>", "no UNA or UNB: this is not an interchange"),
    ],
)
def test_what_cannot_be_an_interchange_is_named(data: bytes, text: str) -> None:
    assert [finding.text for finding in read_interchange(data).findings] == [text]


def test_the_short_date_of_version_3_under_version_4_is_a_warning(bytes_of: Callable[..., bytes]) -> None:
    (found,) = read_interchange(bytes_of(HEAD, *ITEM, "UNS+S", level="UNOC:4")).findings
    assert (found.code, found.severity, found.value) == ("12", Severity.WARNING, "260504")


def test_a_cst_in_the_header_is_no_item(read: Read) -> None:
    _, findings = read(HEAD, "CST+1+1", "UNS+D", "UNS+S")
    assert "no-items" in {f.code for f in findings}
