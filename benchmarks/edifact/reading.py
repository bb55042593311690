"""How each library is used, in one place: as a user of it would write it, and every component looked at.

Each function returns the length of all components of all data elements between UNB and UNZ, tags not
counted: what must come out equal, and what keeps anything from being left unread.
"""

import warnings
from collections.abc import Iterator

import pydifact
from pydifact.exceptions import MissingImplementationWarning

from tidewaiter.codecs import edifact
from tidewaiter.codecs.finding import is_valid

ENVELOPE = frozenset({"UNA", "UNB", "UNZ"})


def ours(data: bytes) -> int:
    """Read an interchange, the envelope checked."""
    interchange = edifact.read_interchange(data)
    assert is_valid(interchange.findings)
    return sum(_length(message) for message in interchange.messages)


def ours_validated(data: bytes, directory: edifact.Directory) -> int:
    """The same, and each message against the directory: order, groups, counts, formats, code lists."""
    interchange = edifact.read_interchange(data)
    total = 0
    for message in interchange.messages:
        validated = edifact.validate(interchange, message, directory)
        if validated.findings:
            raise ValueError(f"a valid message has a finding: {validated.findings[0]}")
        total += _length(message)
    return total


def _length(message: edifact.Message) -> int:
    total = 0
    for segment in message.segments:
        for element in range(1, len(segment.parts)):
            for component in segment.components(element):
                total += len(component)
    return total


def pydifact_parsed(text: str) -> int:
    """pydifact's parser, its segments taken one by one: faster than the list of them or its `Interchange`."""
    total = 0
    for segment in _pydifact(text):
        if segment.tag in ENVELOPE:
            continue
        for element in segment.elements:
            if isinstance(element, str):
                total += len(element)
            else:
                for component in element:
                    total += len(component)
    return total


def plain_split(data: bytes) -> int:
    """The floor: `bytes.split` on terminator, element and component separator, blind to all else."""
    total = 0
    for segment in data.split(b"'"):
        for element in segment.split(b"+"):
            for component in element.split(b":"):
                total += len(component)
    return total


def pydifact_segments(text: str) -> list[pydifact.Segment]:
    """The segments pydifact would write again."""
    return list(_pydifact(text))


def pydifact_serialized(segments: list[pydifact.Segment]) -> str:
    """pydifact's own writing of them."""
    return pydifact.Serializer().serialize(segments)


def _pydifact(text: str) -> Iterator[pydifact.Segment]:
    """As by default, without the warnings that it has no tables to check service segments with."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MissingImplementationWarning)
        yield from pydifact.Parser().parse(text)
