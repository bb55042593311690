"""What the expression accepts is in order by every rule of the elements; what is in order, it accepts."""

import json
import random
import re
import time
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidewaiter.codecs.edifact import Directory, Interchange, Message, read_interchange
from tidewaiter.codecs.edifact import accept as accept_module
from tidewaiter.codecs.edifact.accept import Acceptor, acceptor
from tidewaiter.codecs.edifact.directory import ComponentUse, ElementUse, MessageRule, SegmentRule
from tidewaiter.codecs.edifact.elements import ElementChecker, decimal_marks, repeats
from tidewaiter.codecs.edifact.place import Locator
from tidewaiter.codecs.edifact.report import Report
from tidewaiter.codecs.edifact.service import ServiceString
from tidewaiter.codecs.finding import Finding, Severity

# Every form a value, an element and a segment may have, and no more of them than is quickly compiled.
PROBE = {
    "directory": "D.00A",
    "elements": {
        "0062": "an..14",
        "0065": "an..6",
        "0074": "n..6",
        "1001": "an..3",
        "1002": "an3",
        "1003": "a..3",
        "1004": "a3",
        "1005": "n..3",
        "1006": "n3",
        "1007": "n..15",
        "1008": "an..3",
        "1009": "a..2",
        "1010": "n1",
        "1131": "an..3",
        "3055": "an..3",
    },
    "codes": {"1008": "1 12 13 A AB ABC B-1", "1009": "A AB C", "3055": "5 6 ZZZ"},
    "composites": {
        "S009": "M:0065 M:1001 M:1001 M:1001",
        "C001": "M:1008 C:1131 C:3055 C:1001",
        "C002": "C:1008 C:1001 C:1131 C:1009 C:3055",
        "C003": "C:1001 M:1005 C:1003",
        "C004": "C:1006",
        "C005": "M:1004 M:1007 C:1007",
        "C006": "C:1131 C:3055 C:1008",
    },
    "segments": {
        "UNH": "M:0062 M:S009",
        "UNT": "M:0074 M:0062",
        "AAA": "M:1001 C:1002 C:1003 C:1004",
        "BBB": "C:1005 C:1006 M:1007 C:1001",
        "CCC": "M:C001 C:C002*3 C:1008*2",
        "DDD": "C:C003 C:C004*2 M:C005 C:C003",
        "EEE": "C:1008 C:1009*3",
        "FFF": "M:C002*2 C:C006",
        "GGG": "C:C003*2",
        "HHH": "M:1010 C:1010",
        "III": "M:1001 C:1005",
    },
    "notes": {"III": ["D4 1 2"]},
    "messages": {"PROBES": ["UNH M 1", *(f"{tag * 3} C 99" for tag in "ABCDEFGHI"), "UNT M 1"]},
}
TAGS = ["AAA", "BBB", "CCC", "DDD", "EEE", "FFF", "GGG", "HHH"]
SERVICES = [
    "UNA:+.? '",
    "UNA:+,?*'",
    "UNA=*.!^~",
    "UNA]^.\\-[",
    "UNA|-,#]^",
    "UNA\\].&-^",
    "UNA:+.  '",
    "UNA/&.%$(",
]
PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
LETTERS = "ABCXYZabz \N{LATIN SMALL LETTER E WITH ACUTE}\N{GREEK CAPITAL LETTER OMEGA}_"
# A message of so many segments, to try more than one at a time.
SEGMENTS = 12


def rule_of(table: dict[str, object]) -> MessageRule:
    rule = Directory.load(json.dumps(table).encode()).find("PROBES", "D", "00A")
    assert rule is not None
    return rule


RULE = rule_of(PROBE)


class Pen:
    """Writes segments as the chance falls: valid ones, or with `wild` a little beside what is valid."""

    def __init__(self, rng: random.Random, service: ServiceString, version: int, *, wild: bool) -> None:
        self.service = service
        self.version = version
        self._rng = rng
        self._wild = wild
        self._separators = service.component + service.element + service.repetition + service.terminator
        marks = service.decimal if service.explicit and version < 4 else ".,"
        self._marks = "".join(mark for mark in marks if service.release or mark not in self._separators)

    def escaped(self, value: str) -> str:
        release = self.service.release
        if not release:
            return "".join(c for c in value if c not in self._separators)
        # Any character may be released, though few need it.
        often = 0.05 if self._wild else 0.0
        return "".join(
            release + c if c in self._separators + release or self._rng.random() < often else c for c in value
        )

    def value(self, use: ComponentUse) -> str:
        rng, (kind, low, high) = self._rng, use.format
        if use.codes is not None and (not self._wild or rng.random() < 0.8):
            code = rng.choice(sorted(use.codes))
            beside = [code[:-1], code + "1", code.lower(), code + "B"] if self._wild else []
            return self.escaped(rng.choice([code, code, *beside]))
        lengths = [low, high] if not self._wild else [low - 1, low, high, high + 1, 0]
        length = rng.choice(lengths)
        digits = [*"0123456789"]
        plain = {"an": [*LETTERS, *digits, *self._separators], "a": [*LETTERS], "n": digits}[kind]
        alphabet = (
            plain if not self._wild or rng.random() < 0.7 else [*digits, *LETTERS, *".,-+", *self._marks]
        )
        if not self.service.release:
            alphabet = [c for c in alphabet if c not in self._separators]
        value = "".join(rng.choices(alphabet, k=max(0, length)))
        if kind == "n" and rng.random() < 0.5:
            value = self._dressed(value, fixed=low == high)
        return self.escaped(value)

    def _dressed(self, value: str, *, fixed: bool) -> str:
        """A number with a sign, a mark, or both. In one of a fixed length a mark is not expected."""
        rng = self._rng
        places = range(len(value) + 1) if self._wild else range(1, len(value))
        marks = ".," if self._wild else self._marks
        if places and marks and (self._wild or not fixed) and rng.random() < 0.6:
            at = rng.choice([*places])
            value = value[:at] + rng.choice(marks) + value[at:]
        signed = self.service.release or "-" not in self._separators
        return "-" + value if signed and rng.random() < 0.4 else value

    def composite(self, uses: Sequence[ComponentUse]) -> str:
        rng = self._rng
        present = [use.mandatory or rng.random() < 0.5 for use in uses]
        if self._wild:
            present = [there and rng.random() < 0.95 for there in present]
        elif not any(present):
            present[0] = True
        values = [self.value(use) if there else "" for use, there in zip(uses, present, strict=True)]
        if self._wild and rng.random() < 0.05:
            values.append(rng.choice(["", "A"]))
        while values and not values[-1] and not (self._wild and rng.random() < 0.1):
            values.pop()
        return self.service.component.join(values)

    def element(self, use: ElementUse) -> str:
        rng = self._rng
        if not use.mandatory and rng.random() < 0.4:
            return ""
        times = rng.randint(1, use.repeat) if self.service.repetition else 1
        if self._wild and rng.random() < 0.1:
            times += 1
        return self.service.repetition.join(self.composite(use.components) for _ in range(times))

    def segment(self, rule: SegmentRule) -> str:
        rng = self._rng
        parts = [self.element(use) for use in rule.for_version(self.version).elements]
        if self._wild and rng.random() < 0.05:
            parts.append(rng.choice(["", "A"]))
        while parts and not parts[-1] and not (self._wild and rng.random() < 0.1):
            parts.pop()
        nesting = f"{self.service.component}1" if self._wild and rng.random() < 0.03 else ""
        text = self.service.element.join([rule.tag + nesting, *parts])
        return text if not self._wild or rng.random() < 0.5 else self.edited(text)

    def edited(self, text: str) -> str:
        """One character more, less or another."""
        rng, at = self._rng, self._rng.randrange(3, len(text) + 1)
        new = rng.choice([*self._separators[:-1], self.service.release or "A", *"1A.-\n "])
        return text[:at] + rng.choice([new, "", new]) + text[at + rng.randint(0, 1) :]


def message_of(segments: Sequence[str], service: ServiceString, version: int, ends: str = "") -> Interchange:
    """A message of these raw segments, read."""
    c, e, t = service.component, service.element, service.terminator + ends
    head = [f"UNB+UNOW:{version}+A+B+{'20' if version == 4 else ''}260504:1307+R", "UNH+1+PROBES:D:00A:UN"]
    head = [line.translate(str.maketrans(":+", c + e)) for line in head]
    tail = [f"UNT{e}{len(segments) + 2}{e}1", f"UNZ{e}1{e}R"]
    return read_interchange((service.advice() + t.join([*head, *segments, *tail]) + t).encode())


def service_of(advice: str, version: int) -> ServiceString:
    c, e, d, r, p, t = advice[3:]
    repetition = p.strip() if version == 4 else ""
    return ServiceString(c, e, d, r.strip(), repetition, t, explicit=True)


def doubtful(interchange: Interchange, message: Message, rule: MessageRule = RULE) -> set[int]:
    newer = repeats(interchange)
    accept = acceptor(rule, interchange.service, decimal_marks(interchange), newer=newer)
    return set(accept.doubtful(message.data.decode(message.codec), len(message.segments)))


def faults(interchange: Interchange, message: Message, number: int) -> tuple[Finding, ...]:
    report = Report()
    severities = (Severity.ERROR, Severity.ERROR)
    checker = ElementChecker(interchange, message, Locator(interchange, message), report)
    segment = message.segments[number - 1]
    checker.check(segment, RULE.segments[segment.tag], severities)
    return report.findings()


@pytest.fixture(autouse=True, scope="module")
def compiled() -> object:
    """The expression is there from the first message on."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(accept_module, "WORTH_COMPILING", 0)
        acceptor.cache_clear()
        yield
    acceptor.cache_clear()


def nothing_accepted_is_wrong(seed: int, advice: str, version: int, ends: str = "") -> int:
    """Make a message, and hold what is accepted against the elements; gives how many were accepted."""
    rng = random.Random(seed)
    service = service_of(advice, version)
    pens = [Pen(rng, service, version, wild=wild) for wild in (False, True)]
    lines = [rng.choice(pens).segment(RULE.segments[rng.choice(TAGS)]) for _ in range(SEGMENTS)]
    interchange = message_of(lines, service, version, ends)
    (message,) = interchange.messages
    unsure = doubtful(interchange, message)
    accepted = [s for s in message.segments[1:-1] if s.number not in unsure]
    for segment in accepted:
        assert faults(interchange, message, segment.number) == (), (segment.text, service)
    return len(accepted)


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**40), advice=st.sampled_from(SERVICES), version=st.sampled_from([3, 4]))
def test_what_is_accepted_has_no_fault(seed: int, advice: str, version: int) -> None:
    nothing_accepted_is_wrong(seed, advice, version)


@settings(max_examples=15, deadline=None)
@given(
    marks=st.permutations(PUNCTUATION).map(lambda marks: marks[:5]),
    seed=st.integers(0, 2**40),
    decimal=st.sampled_from(".,"),
    version=st.sampled_from([3, 4]),
)
def test_what_is_accepted_with_any_separators_has_no_fault(
    marks: list[str], seed: int, decimal: str, version: int
) -> None:
    c, e, r, p, t = marks
    for n in range(5):
        nothing_accepted_is_wrong(seed + n, f"UNA{c}{e}{decimal}{r}{p}{t}", version, "\r\n" * (n % 2))


def test_enough_is_accepted_that_it_says_something() -> None:
    accepted = sum(nothing_accepted_is_wrong(seed, SERVICES[seed % 3], 3 + seed % 2) for seed in range(60))
    assert 0.2 < accepted / (60 * SEGMENTS) < 0.9, accepted


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 2**40),
    advice=st.sampled_from(SERVICES),
    version=st.sampled_from([3, 4]),
    ends=st.sampled_from(["", "\n", "\r\n"]),
)
def test_a_segment_in_order_is_accepted(seed: int, advice: str, version: int, ends: str) -> None:
    rng = random.Random(seed)
    service = service_of(advice, version)
    # Without a separator for it, repetitions are written as in version 3.
    pen = Pen(rng, service, version if service.repetition else 3, wild=False)
    lines = [pen.segment(RULE.segments[rng.choice(TAGS)]) for _ in range(SEGMENTS)]
    interchange = message_of(lines, service, version, ends)
    (message,) = interchange.messages
    assert [s.text for s in message.segments[1:-1]] == lines
    for number in doubtful(interchange, message):
        # The one thing it leaves to the elements: a character released in what has to be a digit or a code.
        segment = message.segments[number - 1]
        assert service.release
        assert service.release in segment.text
        assert faults(interchange, message, number) == (), segment.text


# What each part of the expression is for. Segment, and if it is accepted in versions 3 and 4.
CASES = [
    ("AAA+A", True, True),
    ("AAA+A+ABC+A+ABC", True, True),
    ("AAA+A++A", True, True),
    ("AAA+A++A+", False, False),
    ("AAA+A+++", False, False),
    ("AAA", False, False),
    ("AAA+", False, False),
    ("AAA++ABC", False, False),
    ("AAA+ABCD", False, False),
    ("AAA+A+AB", False, False),
    ("AAA+A++A1", False, False),
    ("AAA+A++?1", False, False),
    ("AAA+?A??+ABC", True, True),
    ("AAA+?+?:?'", True, True),
    ("AAA+?+?:?'?*", False, False),
    ("AAA+A:B", False, False),
    ("AAA+A:", False, False),
    ("AAA:1+A", False, False),
    ("AAA+A++++X", False, False),
    ("AAB+A", False, False),
    ("AA+A", False, False),
    # Versions 1 to 3: the separator of version 4 is data.
    ("AAA+A*B", True, False),
    ("BBB+++1", True, True),
    ("BBB+-1.5+-123+123456789012345", True, True),
    ("BBB+1.+++", False, False),
    ("BBB+++1.5.5", False, False),
    ("BBB+1234++1", False, False),
    ("BBB++12+1", False, False),
    ("BBB+++-1234567890.12345", True, True),
    ("BBB+++-1234567890.123456", False, False),
    ("BBB+++--1", False, False),
    ("BBB+++-", False, False),
    # Codes, and lists that are named behind them.
    ("CCC+A:B", True, True),
    ("CCC+A+ABC+1", True, True),
    ("CCC+A+X::LST", True, True),
    ("CCC+A+X::5", True, True),
    ("CCC+A+X::::5", True, True),
    ("CCC+A+X::::7", False, False),
    ("CCC+A+1::::7", False, False),
    ("CCC+A+X", False, False),
    ("CCC+A+XXXX::LST", False, False),
    ("CCC+A+ABC:::AB", True, True),
    ("CCC+A+X:::X", False, False),
    ("CCC+A++B", False, False),
    ("EEE+1+AB", True, True),
    ("EEE+12+AB+A+C", True, False),
    ("EEE+123", False, False),
    ("EEE+?1", True, True),
    # Repetitions.
    ("CCC+A+1*12*AB", False, True),
    ("CCC+A+1*12*AB*1", False, False),
    ("CCC+A+1*X::LST*12", False, True),
    ("CCC+A+1*X*2", False, False),
    ("CCC+A+1*", False, False),
    ("CCC+A+*1", False, False),
    ("CCC+A+1**2", False, False),
    # Composites: mandatory in the middle, and first.
    ("DDD++++ABC:1", True, False),
    ("DDD+A:1+++ABC:1", True, False),
    ("DDD+A:1+123+ABC:1", False, True),
    ("DDD+A+123+ABC:1", False, False),
    ("DDD+:1:A+123+ABC:1", False, True),
    ("DDD++:+ABC:1", False, False),
    ("HHH+1+-1", True, True),
    ("HHH+12", False, False),
    ("HHH+.1", False, False),
    # Dependencies are for the elements.
    ("III+A", False, False),
]


@pytest.mark.parametrize(("segment", "older", "newer"), CASES)
def test_what_is_accepted(segment: str, older: bool, newer: bool) -> None:
    for version, good in ((3, older), (4, newer)):
        service = service_of("UNA:+.?*'", version)
        interchange = message_of([segment], service, version)
        (message,) = interchange.messages
        assert (2 not in doubtful(interchange, message)) is good, version
        if good:
            assert faults(interchange, message, 2) == ()


def test_every_doubtful_segment_is_named_and_no_other() -> None:
    lines = ["AAA+A", "AAA", "AAA+A", "AAA+A", "AAA", "AAA", "AAA+?'", "XXX", "AAA+A", "", "AAA+A"]
    for ends in ("", "\n", "\r\n\r\n"):
        interchange = message_of(lines, service_of("UNA:+.? '", 3), 3, ends)
        (message,) = interchange.messages
        assert doubtful(interchange, message) == {3, 6, 7, 9, 11}


def test_the_last_segment_without_its_terminator_is_doubtful() -> None:
    interchange = read_interchange(b"UNB+UNOC:3+A+B+260504:1307+R'UNH+1+PROBES:D:00A:UN'AAA+A'AAA+A")
    (message,) = interchange.messages
    assert doubtful(interchange, message) == {3}


def test_nothing_is_compiled_for_a_few_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accept_module, "WORTH_COMPILING", 20)
    accept = Acceptor(RULE, service_of("UNA:+.? '", 3), ".", newer=False)
    text = "AAA+A'" * 10
    assert list(accept.doubtful(text, 10)) == [*range(1, 11)]
    assert list(accept.doubtful(text, 10)) == [*range(1, 11)]
    assert list(accept.doubtful(text, 10)) == []
    assert list(accept.doubtful(text, 10)) == []


# Segments that could be matched in many ways, and fail at their end.
HOSTILE = {
    "codes with lists of their own": ["FFF+" + "1:A:LST:A:5*" * 2 + "1:A:LST:A:5:X+", "EEE+1+A+A+A+A"],
    "one long value": ["AAA+" + "A" * 2_000],
    "digits": ["BBB+++" + "1" * 2_000, "BBB+++" + "1.1" * 700, "BBB+++-" + "1" * 15 + "." * 1_000],
    "components": ["CCC+A+" + ":" * 2_000, "FFF+" + ":A" * 1_000],
    "elements": ["AAA" + "+" * 2_000, "EEE" + "+A" * 1_000],
    "repetitions": ["CCC+A+" + "1*" * 1_000, "CCC+A+" + "1::LST*" * 500 + "X"],
    "line ends": ["AAA+" + "\r\n" * 1_000],
    "released": ["AAA+" + "?A" * 1_000, "AAA+A++" + "?'" * 1_000],
    "tags": ["A" * 2_000],
}


@pytest.mark.parametrize("name", HOSTILE)
def test_the_work_grows_with_the_size(name: str) -> None:
    def seconds(times: int) -> float:
        service = service_of("UNA:+.?*'", 4)
        accept = acceptor(RULE, service, ".,", newer=True)
        list(accept.doubtful("AAA+A'", 1))
        lines = HOSTILE[name] * times
        text = "'".join(lines) + "'"
        best = 1e9
        for _ in range(3):
            begun = time.perf_counter()
            list(accept.doubtful(text, len(lines)))
            best = min(best, time.perf_counter() - begun)
        return best

    # Ten times as much in about ten times the time; a hundred times would be worse than linear.
    assert seconds(20) < 50 * max(seconds(2), 1e-4)
    # 40 of these: a millisecond or so. One with many ways to match would take far longer.
    assert seconds(2) < 0.1


def test_a_pattern_is_made_for_each_service_string() -> None:
    one, other = service_of("UNA:+.? '", 3), service_of("UNA;+.? '", 3)
    assert acceptor(RULE, one, ".", newer=False) is acceptor(RULE, one, ".", newer=False)
    assert acceptor(RULE, one, ".", newer=False) is not acceptor(RULE, other, ".", newer=False)
    assert acceptor(RULE, one, ".", newer=False) is not acceptor(RULE, one, ".", newer=True)


@pytest.mark.parametrize("newer", [False, True])
@pytest.mark.parametrize("kind", ["CONTRL", "APERAK"])
def test_the_messages_that_are_shipped_can_be_compiled(directory: Directory, kind: str, newer: bool) -> None:
    for advice in ("UNA:+.?*'", "UNA.,.&-~"):
        for type_, name in directory.names():
            if type_ == kind:
                rule = directory.find(type_, *name.split(".", 1))
                assert rule is not None
                service = service_of(advice, 4 if newer else 3)
                assert isinstance(Acceptor(rule, service, ".,", newer=newer).compile(), re.Pattern)


@pytest.mark.parametrize(
    ("advice", "segment"),
    [
        ("UNA,+.?*'", "BBB+++1,5555"),
        ("UNA.+,?*'", "BBB+++1.5555"),
        ("UNA|-,#]^", "HHH--0"),
        ("UNA:+.?-'", "EEE+B-1"),
    ],
)
def test_a_separator_is_no_part_of_a_value(advice: str, segment: str) -> None:
    service = service_of(advice, 4)
    interchange = message_of([segment], service, 4)
    (message,) = interchange.messages
    assert 2 in doubtful(interchange, message)
    assert faults(interchange, message, 2) != ()
