"""A message against its directory: order, groups, repetitions, and every element.

A message that is in order costs one look into a table for each segment and one regular expression for all;
what these do not accept is looked at part by part.
"""

from collections.abc import Iterator, Sequence

import msgspec

from ..finding import Finding, Severity
from .accept import acceptor
from .directory import Directory, MessageRule
from .disorder import Disorder
from .elements import ElementChecker, decimal_marks
from .interchange import Interchange, Message
from .place import Locator
from .report import Code, Report
from .scanner import MAX_SEGMENT
from .service import FIRST_VERSION_WITH_REPETITION
from .walk import NOT_PLACED, SECTIONS, group_paths, walker


class Validated(msgspec.Struct, frozen=True):
    """The outcome: for each segment its position in the structure (NOT_PLACED: none), and what is wrong.

    `findings` begins with the message's own findings as a container. `rule` is None where no directory holds
    the message type; nothing was checked then, and a finding says so.
    """

    rule: MessageRule | None
    positions: Sequence[int]
    findings: tuple[Finding, ...]

    def paths(self) -> list[str]:
        """The segment groups of each segment: `SG30[2]/SG31[1]`, empty at the top level."""
        return [] if self.rule is None else group_paths(self.rule.structure, self.positions)


def validate(
    interchange: Interchange,
    message: Message,
    directory: Directory,
    *,
    codes: Severity = Severity.ERROR,
    release: str = "",
) -> Validated:
    """Check `message` in one pass. Never raises.

    `codes` is how bad it is when a code list does not have a value. With `release` (`96B`) the message is
    read by that release, whatever it says itself.

    `interchange` is the one it came in, or of a stream the one that started. A message of another release
    than any the directory holds is read by the nearest: a finding says so, what breaks a format or a code
    list is a warning, and a segment that has no place there is an error.
    """
    rule = directory.find(message.type, message.version, release or message.release, message.agency)
    if rule is None:
        return _unknown(interchange, message)
    report = Report()
    report.extend(message.findings)
    positions: Sequence[int] | None = walker(rule.structure).follow(message.tags)
    at = Locator(interchange, message, lambda: group_paths(rule.structure, positions or ()))
    exact = rule.covers(message.version, message.release)
    if not exact:
        text = (
            "its content is read by the rules of {}"
            if release
            else "read by the rules of {}, the release held here"
        )
        _tell_release(rule, message, text, at, report)
    if positions is None:
        disorder = Disorder(rule.structure, message)
        positions = disorder.run()
        disorder.tell(at, report)
    formats = Severity.ERROR if exact else Severity.WARNING
    severities = (formats, codes if exact else Severity.WARNING)
    _check_elements(interchange, message, (rule, positions), at, report, severities)
    _check_sections(rule, positions, message, at, report)
    return Validated(rule, positions, report.findings())


def _unknown(interchange: Interchange, message: Message) -> Validated:
    report = Report()
    report.extend(message.findings)
    if message.type:
        at, header = Locator(interchange, message), message.segments[0]
        if message.agency in {"UN", ""}:
            place, value = 1, message.type
            text = "no directory is held for this message type"
        else:
            place, value = 4, message.agency
            text = "no directory of this agency is held"
        report.add(Code.VALUE_NOT_SUPPORTED, text, at(header, 2, place), value=value)
    return Validated(None, (), report.findings())


def _tell_release(rule: MessageRule, message: Message, text: str, at: Locator, report: Report) -> None:
    report.add(
        Code.RELEASE_NOT_SUPPORTED,
        text.format(rule.directory),
        at(message.segments[0], 2, 3),
        value=f"{message.version}.{message.release}",
        expected=rule.directory,
        severity=Severity.WARNING,
    )


def _check_elements(
    interchange: Interchange,
    message: Message,
    placed: tuple[MessageRule, Sequence[int]],
    at: Locator,
    report: Report,
    severities: tuple[Severity, Severity],
) -> None:
    rule, positions = placed
    newer = interchange.syntax_version >= FIRST_VERSION_WITH_REPETITION
    service = interchange.service.plain() if interchange.service.explicit else interchange.service
    accept = acceptor(rule, service, decimal_marks(interchange), newer=newer)
    checker: ElementChecker | None = None
    segments = message.segments
    for number in accept.doubtful(message.data.decode(message.codec, "replace"), len(segments)):
        segment = segments[number - 1]
        # What UNT may hold, and what is too long to be taken apart, is told when the message is read.
        if positions[number - 1] != NOT_PLACED and segment.tag != "UNT" and len(segment.text) <= MAX_SEGMENT:
            checker = checker or ElementChecker(interchange, message, at, report, severities)
            checker.check(segment, rule.segments[segment.tag])


def _check_sections(
    rule: MessageRule, positions: Sequence[int], message: Message, at: Locator, report: Report
) -> None:
    """UNS 0081 in each of its places, where the structure has two of them."""
    sections = walker(rule.structure).sections
    for index in _places_of("UNS", message.tags) if sections else ():
        segment = message.segments[index]
        given, expected = segment.value(1), sections.get(positions[index])
        if given in SECTIONS and expected is not None and given != expected:
            text = "the section control does not belong here"
            report.add(Code.INVALID_VALUE, text, at(segment, 1, 1), value=given, expected=expected)


def _places_of(tag: str, tags: Sequence[str]) -> Iterator[int]:
    place = -1
    for _ in range(tags.count(tag)):
        place = tags.index(tag, place + 1)
        yield place
