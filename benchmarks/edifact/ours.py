"""How our library is used, in one place, as a user of it would write it, and every component looked at.

Each function returns the length of all components of all data elements between UNB and UNZ, tags not
counted: what must equal the peers' totals, and what keeps anything from being left unread.
"""

from collections.abc import Callable, Iterable

from tidewaiter.codecs import edifact
from tidewaiter.codecs.finding import Finding


class FoundError(Exception):
    """What is generated valid has a finding."""


def whole(data: bytes) -> int:
    """Read an interchange, the envelope checked, and hold all of it."""
    interchange = edifact.read_interchange(data)
    none(interchange.findings)
    total = 0
    for message in interchange.messages:
        none(message.findings)
        total += by_value(message)
    return total


def validated(data: bytes, directory: edifact.Directory) -> int:
    """The same, and each message against the directory: order, groups, counts, formats, code lists."""
    interchange = edifact.read_interchange(data)
    none(interchange.findings)
    total = 0
    for message in interchange.messages:
        none(edifact.validate(interchange, message, directory).findings)
        total += by_value(message)
    return total


def by_value(message: edifact.Message) -> int:
    """The characters in the components of a message, taken segment by segment."""
    total = 0
    for segment in message.segments:
        for value in segment.values():
            total += len(value)
    return total


def by_element(message: edifact.Message) -> int:
    """The same, taken element by element, as one does who asks which element a component is of."""
    total = 0
    for segment in message.segments:
        for element in range(1, len(segment) + 1):
            for component in segment.components(element):
                total += len(component)
    return total


def streamed(
    chunks: Iterable[bytes],
    directory: edifact.Directory | None = None,
    length: Callable[[edifact.Message], int] = by_value,
) -> int:
    """Message by message, the envelope checked, nothing kept; validated if there is a directory."""
    total = 0
    interchange: edifact.Interchange | None = None
    for event in edifact.read_stream(chunks):
        if isinstance(event, edifact.Message):
            assert interchange is not None
            checked = event if directory is None else edifact.validate(interchange, event, directory)
            none(checked.findings)
            total += length(event)
        elif isinstance(event, edifact.Started | edifact.Ended):
            interchange = event.interchange
            none(interchange.findings)
    return total


def none(findings: tuple[Finding, ...]) -> None:
    """Raise FoundError if there is any."""
    if findings:
        raise FoundError(str(findings[0]))
