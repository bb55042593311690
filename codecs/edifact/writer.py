"""Segments to octets: escaping, truncation, the envelope with its counts."""

import functools
import re
from collections.abc import Sequence
from typing import NamedTuple

from .envelope import Envelope
from .service import DEFAULT, ServiceString

# Control characters have no place in data (ISO 9735-1, annex A).
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class Cell(NamedTuple):
    """A component and the number of characters it takes."""

    element: int
    component: int
    length: int


class OutSegment(NamedTuple):
    """A segment being written: its tag, and its components by (element, component)."""

    tag: str
    cells: dict[tuple[int, int], str]


class MessageName(NamedTuple):
    """S009 of UNH."""

    type: str
    version: str
    release: str
    agency: str = "UN"


# Latin text goes out as version 3, which every peer reads; anything else as UTF-8, which needs version 4.
_LATIN = ("UNOC", 3, "iso-8859-1", DEFAULT)
_UNICODE = (
    "UNOW",
    4,
    "utf-8",
    ServiceString(repetition="*"),
)


def segment(tag: str, *elements: str | Sequence[str]) -> OutSegment:
    """A segment of given elements, each one text or its components."""
    cells = {}
    for number, element in enumerate(elements, 1):
        for component, value in enumerate([element] if isinstance(element, str) else element, 1):
            if value:
                cells[number, component] = value
    return OutSegment(tag, cells)


def write_interchange(name: MessageName, body: Sequence[OutSegment], envelope: Envelope) -> bytes:
    """One interchange of one message: UNA, UNB, UNH, `body`, UNT, UNZ."""
    header = segment("UNH", envelope.message_reference, tuple(name))
    trailer = segment("UNT", str(len(body) + 2), envelope.message_reference)
    message = [header, *body, trailer]
    values = [value for out in message for value in out.cells.values()]
    latin = _is_latin("".join((*values, envelope.sender, envelope.recipient)))
    level, version, codec, service = _LATIN if latin else _UNICODE
    moment = envelope.prepared
    unb = segment(
        "UNB",
        (level, str(version)),
        (envelope.sender, envelope.sender_qualifier),
        (envelope.recipient, envelope.recipient_qualifier),
        (moment.strftime("%y%m%d" if version < 4 else "%Y%m%d"), moment.strftime("%H%M")),
        envelope.reference,
        "",
        "",
        "",
        "1" if envelope.acknowledgement else "",
        "",
        "1" if envelope.test else "",
    )
    unz = segment("UNZ", "1", envelope.reference)
    text = service.advice() + "".join(_render(out, service) for out in (unb, *message, unz))
    return text.encode(codec)


def _is_latin(text: str) -> bool:
    """True if UNOC carries `text` and no reader can take its octets for UTF-8."""
    if text.isascii():
        return True
    try:
        text.encode("iso-8859-1").decode("utf-8")
    except UnicodeEncodeError:
        return False
    except UnicodeDecodeError:
        return True
    return False


@functools.lru_cache(maxsize=8)
def _escapes(service: ServiceString) -> dict[int, str]:
    special = service.release + service.component + service.element + service.terminator + service.repetition
    return str.maketrans({char: service.release + char for char in special})


def _render(out: OutSegment, service: ServiceString) -> str:
    """One segment; trailing empty components and elements are left out (ISO 9735-1, 8.7)."""
    escapes = _escapes(service)
    elements: list[list[str]] = []
    for (element, component), value in out.cells.items():
        while len(elements) < element:
            elements.append([])
        components = elements[element - 1]
        while len(components) < component:
            components.append("")
        components[component - 1] = value.translate(escapes)
    written = (service.component.join(components) for components in elements)
    return service.element.join((out.tag, *written)) + service.terminator
