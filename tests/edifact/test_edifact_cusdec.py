"""The declaration through CUSDEC and back, and what reading one reports."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from tidewaiter.codecs.declaration import Amount, DateTime, Declaration, Node, Quantity, fields
from tidewaiter.codecs.edifact import (
    Directory,
    Envelope,
    read_cusdec,
    read_interchange,
    write_cusdec,
)
from tidewaiter.codecs.finding import Finding

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ" * 20
# A value for each kind of field that is no text.
SAMPLES: dict[Any, Any] = {
    int: 1,
    Decimal: Decimal("12.5"),
    Amount: Amount(Decimal("1234.50"), "EUR"),
    Quantity: Quantity(Decimal("7.25"), "KGM"),
    DateTime: DateTime("20260504130709", "204"),
}
# Nodes whose sequence number follows from their order in the message.
NUMBERED = {"Packaging", "TransportEquipment", "Seal", "Itinerary"}


def sample(field: Any) -> Any:
    """A value as long as the data model allows."""
    if field.kind is not str:
        return SAMPLES[field.kind]
    if field.wco in {"017", "D013"}:
        return {"017": "9", "D013": "IMA"}[field.wco]
    return ALPHABET[: int("".join(char for char in field.format if char.isdigit()) or "3")]


def leaves(cls: type[Node], path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every way from a node down to a field that is no node."""
    for field in fields(cls):
        if isinstance(field.kind, type) and issubclass(field.kind, Node):
            yield from leaves(field.kind, (*path, field))
        elif not (cls.__name__ in NUMBERED and field.name == "sequence_numeric"):
            yield (*path, field)


def build(cls: type[Node], path: tuple[Any, ...]) -> Any:
    """A node with the one value at the end of `path`."""
    head, *rest = path
    value = build(head.kind, tuple(rest)) if rest else sample(head)
    number = {"sequence_numeric": 1} if cls.__name__ in NUMBERED else {}
    return cls(**number, **{head.name: (value,) if head.many else value})


def round_trip(
    declaration: Declaration, envelope: Envelope, directory: Directory
) -> tuple[Declaration | None, tuple[Finding, ...], tuple[Finding, ...]]:
    """What comes back, what was reported in writing, and in reading."""
    data, written = write_cusdec(declaration, envelope)
    interchange = read_interchange(data)
    assert interchange.valid, interchange.findings
    read, found = read_cusdec(interchange, interchange.messages[0], directory)
    return read, written, found


def syntax(findings: tuple[Finding, ...]) -> list[Finding]:
    """Those of UNTDID 0085: the message itself is at fault."""
    return [finding for finding in findings if finding.code.isdecimal()]


def test_no_field_is_lost_in_silence(directory: Directory, envelope: Envelope) -> None:
    for path in leaves(Declaration):
        given = build(Declaration, path)
        read, written, found = round_trip(given, envelope, directory)
        name = ".".join(field.name for field in path)
        assert not syntax(found), name
        if not written:
            assert read == given, name
