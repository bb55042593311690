"""What ours is held against: pydifact, in the fastest way it offers, and the floor of plain splitting.

edifactlib, the other library in Python that validates, has no distribution for CPython 3.11.
"""

import warnings
from collections.abc import Iterator

try:
    import pydifact
except ModuleNotFoundError:
    raise SystemExit("the benchmarks need an extra: pip install 'tidewaiter[bench]'") from None
from pydifact.exceptions import MissingImplementationWarning

ENVELOPE = frozenset({"UNA", "UNB", "UNZ"})


def parsed(text: str) -> int:
    """pydifact's parser, its segments taken one by one: faster than the list of them or its `Interchange`.

    Returns the length of all components between UNB and UNZ, tags not counted, as ours does.
    """
    total = 0
    for segment in _segments(text):
        if segment.tag in ENVELOPE:
            continue
        for element in segment.elements:
            if isinstance(element, str):
                total += len(element)
            else:
                for component in element:
                    total += len(component)
    return total


def segments(text: str) -> list[pydifact.Segment]:
    """The segments pydifact would write again."""
    return list(_segments(text))


def serialized(read: list[pydifact.Segment]) -> str:
    """pydifact's own writing of them."""
    return pydifact.Serializer().serialize(read)


def plain_split(data: bytes) -> int:
    """The floor: `bytes.split` on terminator, element and component separator, blind to all else."""
    total = 0
    for segment in data.split(b"'"):
        for element in segment.split(b"+"):
            for component in element.split(b":"):
                total += len(component)
    return total


def _segments(text: str) -> Iterator[pydifact.Segment]:
    """As by default, without the warnings that it has no tables to check service segments with."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MissingImplementationWarning)
        yield from pydifact.Parser().parse(text)
