"""The one value for anything wrong, and how it is shown."""

import msgspec
import pytest

from tidewaiter.codecs.finding import (
    VALUE_SHOWN,
    EdifactPointer,
    Finding,
    Severity,
    XmlPointer,
    is_valid,
    shown,
)


@pytest.mark.parametrize(
    ("pointer", "text"),
    [
        (EdifactPointer(segment=3, tag="LOC"), "LOC[3]"),
        (EdifactPointer(segment=3, tag="LOC", element=2), "LOC[3]/2"),
        (EdifactPointer(segment=3, tag="LOC", element=2, component=1), "LOC[3]/2/1"),
        (EdifactPointer(segment=3, tag="LOC", element=2, offset=0), "LOC[3]/2 @0"),
        (EdifactPointer(segment=0, tag="UNB", element=5), "UNB/5"),
        (XmlPointer(xpath="/d:A[1]"), "/d:A[1]"),
        (XmlPointer(xpath="/d:A[1]", line=3, wco="42A / 67A#2:006"), "/d:A[1] (42A / 67A#2:006)"),
    ],
)
def test_a_pointer_is_readable(pointer: EdifactPointer | XmlPointer, text: str) -> None:
    assert str(pointer) == text
    assert str(Finding(code="13", text="missing", pointer=pointer)) == f"error 13 at {text}: missing"


def test_a_finding_without_a_place() -> None:
    assert str(Finding(severity=Severity.INFO, code="c", text="t")) == "info c: t"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("", ""),
        ("plain", "plain"),
        ("x" * VALUE_SHOWN, "x" * VALUE_SHOWN),
        ("x" * (VALUE_SHOWN + 1), "x" * (VALUE_SHOWN - 1) + "\N{HORIZONTAL ELLIPSIS}"),
        ("x" * 10_000_000, "x" * (VALUE_SHOWN - 1) + "\N{HORIZONTAL ELLIPSIS}"),
        ("a\nb\x00c\x1b[31m", "a\\nb\\x00c\\x1b[31m"),
        ("\u202eevil", "\\u202eevil"),
        ("Stra\u00dfe \u4e2d", "Stra\u00dfe \u4e2d"),
    ],
)
def test_a_value_is_shown_short_and_harmless(value: str, text: str) -> None:
    assert shown(value) == text


def test_only_errors_make_it_invalid() -> None:
    warning = Finding(severity=Severity.WARNING, code="w", text="t")
    info = Finding(severity=Severity.INFO, code="i", text="t")
    assert is_valid(())
    assert is_valid([warning, info])
    assert not is_valid((warning, Finding(code="e", text="t")))


@pytest.mark.parametrize(
    "pointer", [None, EdifactPointer(segment=1, tag="UNH"), XmlPointer(xpath="/a", namespaces={"d": "u"})]
)
def test_a_finding_comes_back_from_the_ledger(pointer: EdifactPointer | XmlPointer | None) -> None:
    finding = Finding(severity=Severity.WARNING, code="c", text="t", pointer=pointer, value="v", expected="e")
    assert msgspec.json.decode(msgspec.json.encode(finding), type=Finding) == finding
