"""Where in an interchange something is: pointers made from segments."""

import re
from collections.abc import Callable, Sequence

from ..finding import VALUE_SHOWN, EdifactPointer, shown
from .interchange import Interchange, Message
from .scanner import TAG_LENGTH, Segment
from .service import ServiceString


def place(
    segment: Segment,
    element: int | None = None,
    component: int | None = None,
    *,
    interchange: str | None = None,
    message: str | None = None,
) -> EdifactPointer:
    """The pointer of a segment of one octet a character, or of a part of it.

    The offset is where the part begins; of a part that is not there, where the segment begins.
    """
    within = 0
    if element is not None:
        data, part = segment.text.encode("latin-1", "replace"), (element, 1, component or 1)
        within = part_offset(data, 0, segment.source.service, part) or 0
    return EdifactPointer(
        segment=segment.number,
        tag=printable_tag(segment.tag),
        element=element,
        component=component,
        offset=segment.offset + within,
        interchange=None if interchange is None else reference_shown(interchange),
        message=message,
    )


def reference_shown(reference: str) -> str:
    """A reference as a pointer may name it: one that is none is shortened."""
    return reference if len(reference) <= VALUE_SHOWN and reference.isprintable() else shown(reference)


def printable_tag(tag: str) -> str:
    """A tag as a pointer may name it: what is none is shortened, and free of control characters."""
    return tag if len(tag) <= TAG_LENGTH and tag.isalnum() else shown(tag)


class Locator:
    """Makes the pointers of one message.

    `paths` gives the segment group path of each segment (`SG30[2]/SG31[1]`), empty at the top level; it is
    asked with the first pointer, since most messages need none.
    """

    def __init__(
        self, interchange: Interchange, message: Message, paths: Callable[[], Sequence[str]] = tuple
    ) -> None:
        self._interchange = interchange
        self._message = message
        self._find_paths = paths
        self._paths: Sequence[str] | None = None
        # Told where there are several, or may be: a stream does not know how many it will bring.
        self._position = None if len(interchange.messages) == 1 else message.position

    def __call__(
        self,
        segment: Segment,
        element: int | None = None,
        component: int | None = None,
        repetition: int | None = None,
        *,
        tag: str | None = None,
    ) -> EdifactPointer:
        """The pointer of a segment of the message, or of a part of it.

        The offset is where the part begins; of a part that is not there, where the segment begins. `tag`
        names another segment than this one, which is missing after it.
        """
        if self._paths is None:
            self._paths = self._find_paths()
        path = self._paths[segment.number - 1] if self._paths else ""
        return EdifactPointer(
            segment=segment.number,
            tag=printable_tag(segment.tag) if tag is None else tag,
            element=element,
            component=component,
            repetition=repetition,
            offset=self._offset(segment, element, component, repetition),
            interchange=reference_shown(self._interchange.reference),
            message=reference_shown(self._message.reference),
            group=None if self._message.group is None else reference_shown(self._message.group),
            path=path or None,
            position=self._position,
        )

    def _offset(
        self, segment: Segment, element: int | None, component: int | None, repetition: int | None
    ) -> int:
        begin = segment.offset - self._message.start
        if element is None or not 0 <= begin < len(self._message.data):
            return segment.offset
        found = part_offset(
            self._message.data, begin, self._interchange.service, (element, repetition or 1, component or 1)
        )
        return segment.offset if found is None else self._message.start + found


def part_offset(data: bytes, begin: int, service: ServiceString, part: tuple[int, int, int]) -> int | None:
    """The octet of `data` where an element's repetition's component (each from 1) of the segment at `begin`
    starts; None where the segment ends before it."""
    element, repetition, component = part
    separators = service.component + service.element + service.repetition + service.terminator
    release = re.escape(service.release) if service.release else "(?!)"
    pattern = re.compile(f"{release}.|([{re.escape(separators)}])".encode("latin-1"), re.DOTALL)
    at = [0, 1, 1]
    for found in pattern.finditer(data, begin):
        mark = found.group(1)
        if mark is None:
            continue
        character = mark.decode("latin-1")
        if character == service.terminator:
            return None
        if character == service.element:
            at = [at[0] + 1, 1, 1]
        elif character == service.repetition:
            at = [at[0], at[1] + 1, 1]
        else:
            at[2] += 1
        if at == [element, repetition, component]:
            return found.end()
    return None
