"""Packages: objects that travel beside the messages, in any octets (ISO 9735-8)."""

from collections.abc import Sequence

from .interchange import Package
from .nesting import Nesting
from .report import Code
from .scanner import Segment

# S022 0810 has at most 18 digits; more octets than this many digits tell are not sent.
_MAX_DIGITS = 18
# UNO: S022, the status of the object, is the fourth element, 0810 and 0814 its first two components.
_STATUS = 4


def object_octets(header: Segment) -> int | None:
    """0810 of UNO, the length of the object in octets; None where it is no number."""
    given = header.value(_STATUS)
    return int(given) if _is_number(given) else None


def object_segments(header: Segment) -> int:
    """0814 of UNO, the number of segments between it and the object."""
    given = header.value(_STATUS, 2)
    return int(given) if _is_number(given) and len(given) <= 3 else 0


def make_package(
    heads: Sequence[Segment], data: bytes, trailer: Segment | None, bounds: tuple[int, int], nesting: Nesting
) -> Package:
    """The package of UNO and what stands between it and the object, counted and checked.

    UNP repeats the length (0810) and the reference (0802) of UNO.
    """
    header, *before = heads
    group = nesting.group
    package = Package(
        reference=header.value(1),
        header=header,
        segments=tuple(before),
        data=data,
        trailer=trailer,
        start=bounds[0],
        end=bounds[1],
        group=None if group is None else group.reference,
    )
    nesting.package(package)
    if trailer is None:
        text = "the package has no UNP where its object ends"
        nesting.add(Code.MISSING, text, header, expected="UNP")
        return package
    given = trailer.value(1).lstrip("0")
    if given != header.value(_STATUS).lstrip("0"):
        text = "0810 of UNP is not that of UNO"
        nesting.add(Code.COUNT_DIFFERS, text, trailer, expected=header.value(_STATUS))
    if trailer.value(2) != package.reference:
        text = "0802 of UNP is not that of UNO"
        nesting.add(Code.REFERENCES_DIFFER, text, trailer, expected=package.reference)
    return package


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS
