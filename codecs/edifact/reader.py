"""Whole octets to interchanges."""

from msgspec.structs import replace

from ..finding import EdifactPointer, Finding, Severity
from .interchange import Interchange, Message, Package
from .report import Code, Report
from .stream import Ended, Started, read_stream
from .text import Profile

# Messages of one interchange that are kept when it is read whole; more are read as a stream.
MAX_MESSAGES = 100_000
# Findings of all messages of an interchange; beyond them a message keeps one.
MAX_FINDINGS_IN_ALL = 10_000


def read_interchange(data: bytes, profile: Profile = Profile(), *, limit: int = MAX_MESSAGES) -> Interchange:
    """Read the interchange that `data` holds, up to `limit` messages and packages.

    Never raises: what is wrong is in the findings, here and in each message. Data after UNZ is an error here;
    `read_interchanges` takes a file that holds several.
    """
    first, *others = read_interchanges(data, profile, limit=limit)
    if not others:
        return first
    report = Report()
    begin = others[0].start
    pointer = EdifactPointer(segment=0, tag="UNZ", offset=begin, interchange=first.reference)
    value = data[begin : begin + 36].decode("latin-1")
    text = "another interchange follows: send each by itself"
    report.add(Code.OUTSIDE_MESSAGE, text, pointer, value=value)
    report.extend(first.findings)
    return replace(first, findings=report.findings())


def read_interchanges(
    data: bytes, profile: Profile = Profile(), *, limit: int = MAX_MESSAGES
) -> tuple[Interchange, ...]:
    """Read every interchange of a file, each with its own UNA; at least one value, never raises.

    More than `limit` messages and packages in all are not read: the last interchange says so.
    """
    found: list[Interchange] = []
    messages: list[Message] = []
    packages: list[Package] = []
    room = limit
    context = Interchange(data=data)
    for event in read_stream([data], profile):
        if isinstance(event, Started):
            context = event.interchange
        elif isinstance(event, Message | Package):
            if not room:
                kept = _numbered(messages)
                return (
                    *found,
                    _too_many(
                        replace(context, data=data, messages=kept, packages=tuple(packages)),
                        event.start,
                        limit,
                    ),
                )
            room -= 1
            if isinstance(event, Message):
                messages.append(event)
            else:
                packages.append(event)
        elif isinstance(event, Ended):
            whole = replace(
                event.interchange, data=data, messages=_numbered(messages), packages=tuple(packages)
            )
            if whole.header is None and not messages and found:
                # What follows the last UNZ is no interchange: the one before it says so.
                found[-1] = replace(found[-1], findings=(*whole.findings, *found[-1].findings))
            else:
                found.append(whole)
            messages, packages = [], []
    return tuple(found)


def _numbered(messages: list[Message]) -> tuple[Message, ...]:
    """The messages with no more findings than can be told; of only one, its number says nothing."""
    room = MAX_FINDINGS_IN_ALL
    kept = []
    for message in messages:
        findings = message.findings
        if findings and len(messages) == 1:
            findings = tuple(_without_position(finding) for finding in findings)
        if len(findings) > max(room, 1):
            errors = [finding for finding in findings if finding.severity is Severity.ERROR]
            findings = tuple(errors[: max(room, 1)] or findings[:1])
        room -= len(findings)
        kept.append(message if findings is message.findings else replace(message, findings=findings))
    return tuple(kept)


def _without_position(finding: Finding) -> Finding:
    if not isinstance(finding.pointer, EdifactPointer):
        return finding
    return replace(finding, pointer=replace(finding.pointer, position=None))


def _too_many(interchange: Interchange, end: int, limit: int) -> Interchange:
    """An interchange of which the first messages were read, and no more."""
    report = Report()
    text = f"more than {limit} messages: read it as a stream"
    pointer = EdifactPointer(segment=0, tag="UNZ", offset=end, interchange=interchange.reference)
    report.add(Code.TOO_MANY_REPETITIONS, text, pointer)
    report.extend(interchange.findings)
    return replace(interchange, findings=report.findings(), end=end)
