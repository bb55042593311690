"""A message against its directory: order, groups, repetitions, and every element.

A message that is in order costs one look into a table for each segment and one regular expression for all;
what these do not accept is looked at part by part.
"""

import re
from collections.abc import Iterator, Sequence

import msgspec

from ..finding import Finding, Severity
from .accept import acceptor
from .directory import Directory, MessageRule
from .disorder import Disorder
from .elements import ElementChecker, decimal_marks, repeats
from .interchange import Interchange, Message
from .place import Locator
from .report import Code, Report
from .scanner import MAX_SEGMENT
from .walk import NOT_PLACED, SECTIONS, group_paths, walker

# 0054: a directory (96B), a version of the syntax messages (3, 03B) or of old and of other messages (1, 911).
_RELEASE = re.compile("[0-9]{1,3}|[0-9]{2}[A-Z]")
# Of no directory's release.
_SERVICE_TAGS = frozenset({"UNH", "UNS"})
_STRICT = (Severity.ERROR, Severity.ERROR)
# By which release a message of another one is read, and why.
_NEAREST = "read by the rules of {}, the release held here"
_CHOSEN = "its content is read by the rules of {}"


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

    `interchange` is the one it came in, or of a stream the one that started. A message of a release that the
    directory does not hold is read by the nearest: a finding says so, and what that release does not allow is
    a warning, since its own may. So is a value that a code list does not have, in a subset with an
    association's code; `codes` is how bad that is in others. With `release` (`96B`) the message is read by
    that one, whatever it says itself.
    """
    rule = directory.find(message.type, message.version, release or message.release, message.agency)
    if rule is None or not _RELEASE.fullmatch(message.release):
        return _unknown(interchange, message, held=rule is not None)
    report = Report()
    report.extend(message.findings)
    positions: Sequence[int] | None = walker(rule.structure).follow(message.tags)
    at = Locator(interchange, message, lambda: group_paths(rule.structure, positions or ()))
    exact = rule.covers(message.version, message.release)
    if not exact:
        _tell_release(rule, message, _CHOSEN if release else _NEAREST, at, report)
    if positions is None:
        disorder = Disorder(rule.structure, message)
        positions = disorder.run()
        disorder.tell(at, report, Severity.ERROR if exact else Severity.WARNING)
    severities = (Severity.ERROR, codes) if exact else (Severity.WARNING, Severity.WARNING)
    if message.association:
        # A subset that an association keeps has codes of its own.
        severities = (severities[0], Severity.WARNING)
    _check_elements(interchange, message, (rule, positions), at, report, severities)
    _check_sections(rule, positions, message, at, report)
    return Validated(rule, positions, report.findings())


def _unknown(interchange: Interchange, message: Message, *, held: bool) -> Validated:
    """Nothing is checked: no directory holds the message, or nobody can tell which does."""
    report = Report()
    report.extend(message.findings)
    if message.type:
        at, header = Locator(interchange, message), message.segments[0]
        if held:
            place, value = 3, message.release
            text = "0054 names no release"
        elif message.agency in {"UN", ""}:
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
    newer = repeats(interchange)
    service = interchange.service.plain() if interchange.service.explicit else interchange.service
    accept = acceptor(rule, service, decimal_marks(interchange), newer=newer)
    checker: ElementChecker | None = None
    segments = message.segments
    for number in accept.doubtful(message.data.decode(message.codec, "replace"), len(segments)):
        segment = segments[number - 1]
        # What UNT may hold, and what is too long to be taken apart, is told when the message is read.
        if positions[number - 1] != NOT_PLACED and segment.tag != "UNT" and len(segment.text) <= MAX_SEGMENT:
            checker = checker or ElementChecker(interchange, message, at, report)
            strict = segment.tag in _SERVICE_TAGS
            checker.check(segment, rule.segments[segment.tag], _STRICT if strict else severities)


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
