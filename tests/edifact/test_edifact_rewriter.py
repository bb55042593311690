"""What was read, written again: the same values always, the same octets where they were canonical."""

import datetime
import pathlib

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace

from tidewaiter.codecs.edifact import (
    Heading,
    Interchange,
    OutMessage,
    Repeat,
    Segment,
    ServiceString,
    compose,
    contents_of,
    read_interchange,
    read_interchanges,
    write,
)

MOMENT = datetime.datetime(2026, 5, 4, 13, 7, 9, tzinfo=datetime.UTC)
SEPARATORS = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~\x1c\x1d\x1e\x1f"

# Each sample, and what in it is not canonical; the others come back octet by octet.
SAMPLES = {
    "au-ics/cuscar_warrel_d99b.edi": "",
    "au-ics/cusdec_exd_d99b.edi": "",
    "edifact-ls/cuscar-violation.edi": "",
    "edifact-ls/cusdec-conformant.edi": "",
    "edifact-ls/envelope-error.edi": "",
    "edifact-ls/syntax-error.edi": "",
    "pydifact/invoice_with_colon_at_end.edi": "trailing separator",
    "pydifact/order.edi": "",
    "pydifact/wikipedia_de.edi": "",
    "pydifact/messages/v4/aperak.edi": "",
    "smooks/edg_invoic_invoic.txt": "",
    "smooks/edg_paxlst_paxlst.txt": "trailing separator",
    "staedi/empty-segment-example.edi": "",
    "staedi/invoic_d97b.edi": "",
    "staedi/invoic_d97b_una.edi": "release without need",
    "staedi/orders-with-group.edi": "",
    "staedi/pnrgov.edi": "",
    "ts-edifact/iftmin_d01b_ean004.edi": "",
}


def values(segment: Segment) -> list[object]:
    """The tag and every value, without what is empty at the end of anything."""
    elements: list[object] = [segment.tag]
    for number in range(1, len(segment) + 1):
        occurrences = [trimmed(list(each)) for each in segment.repetitions(number)]
        elements.append(trimmed(occurrences))
    return trimmed(elements)


def trimmed(found: list) -> list:  # type: ignore[type-arg]
    while found and not found[-1]:
        found.pop()
    return found


def content(interchange: Interchange) -> list[object]:
    """Every value of an interchange."""
    singles = [interchange.header, interchange.trailer]
    for group in interchange.groups:
        singles += [group.header, group.trailer]
    for package in interchange.packages:
        singles += [package.header, package.trailer]
    return [
        interchange.service,
        [values(segment) for segment in singles if segment is not None],
        [[values(segment) for segment in message.segments] for message in interchange.messages],
        [message.group for message in interchange.messages],
        [package.data for package in interchange.packages],
    ]


@pytest.mark.parametrize(("name", "flaw"), SAMPLES.items())
def test_samples_come_back(shared: pathlib.Path, name: str, flaw: str) -> None:
    data = (shared / "edifact" / "samples" / name).read_bytes()
    interchange = read_interchange(data)
    written = write(interchange)
    assert content(read_interchange(written)) == content(interchange)
    assert (written == data) is not bool(flaw)
    assert write(read_interchange(written)) == written


def test_the_table_names_every_sample(shared: pathlib.Path) -> None:
    folder = shared / "edifact" / "samples"
    found = {str(path.relative_to(folder)) for path in folder.rglob("*.*") if path.suffix != ".md"}
    assert found == SAMPLES.keys()


HEAD = b"UNB+UNOC:3+A+B+260504:1307+R'"
BODY = b"UNH+1+CUSDEC:D:96B:UN'BGM+929'UNT+3+1'"
WHOLE = HEAD + BODY + b"UNZ+1+R'"


@pytest.mark.parametrize(
    "data",
    [
        WHOLE,
        b"UNA:+,? '" + WHOLE,
        b"UNA:+.?*'" + WHOLE,
        b"UNA:+.  '" + WHOLE,
        WHOLE.translate(bytes.maketrans(b":+'", b"\x1f\x1d\x1c")).replace(b"UNOC", b"UNOB"),
        WHOLE.replace(b"'", b"'\n"),
        WHOLE.replace(b"'", b"'\r\n"),
        WHOLE.replace(b"'", b"'\r")[:-1],
        b"UNA:+.? '\n" + WHOLE.replace(b"'", b"'\n"),
        # Counts and references that are wrong or written with zeros, and segments that are not there.
        WHOLE.replace(b"UNT+3+1", b"UNT+0003+1").replace(b"UNZ+1+R", b"UNZ+007+Q"),
        HEAD + BODY,
        HEAD,
        BODY,
        HEAD + b"UNH+1+CUSDEC:D:96B:UN'BGM+929'UNZ+1+R'",
        # Empty segments, nesting in the tag, what is released, octets outside the repertoire.
        WHOLE.replace(b"BGM+929", b"SRC'DMS:1:2+a?'b??'DMS:1++b'XYZW"),
        WHOLE.replace(b"929", b"a?:b+?+++c:?'"),
        WHOLE.replace(b"929", "é".encode()),
        WHOLE.replace(b"929", b"\xe9"),
        WHOLE.replace(b"929", b"a\tb\xff"),
        WHOLE.replace(b"UNOC:3", b"UNOW:4").replace(b"929", "漢*?*".encode()),
        WHOLE.replace(b"UNOC", b"UNOD").replace(b"929", b"\xb9"),
        WHOLE.replace(b"BGM", b"+"),
        HEAD + b"UNH'+",
        # Groups, even with one reference; messages of a group and of none.
        HEAD + b"UNG+CUSDEC+A+B+260504:1307+G+UN+D:96B'" + BODY + b"UNE+1+G'UNZ+1+R'",
        HEAD + 2 * (b"UNG+CUSDEC+A+B+260504:1307+G+UN+D:96B'" + BODY + b"UNE+1+G'") + b"UNZ+1+R'",
        HEAD + b"UNG+CUSDEC+A+B++G'" + BODY + b"UNG+CUSDEC+A+B++H'UNE+0+H'" + BODY + b"UNZ+1+R'",
        # Packages, with what stands between UNO and the object.
        HEAD.replace(b":3", b":4") + b"UNO+P+1:X*2:Y+48+3'?'\xffUNP+3+P'" + BODY + b"UNZ+2+R'",
        HEAD.replace(b":3", b":4") + b"UNO+P+1:X+48+2:1'USH+7''+UNP+2+P'UNZ+1+R'",
        (HEAD.replace(b":3", b":4") + b"UNO+P+1:X+48+1'").replace(b"'", b"'\n")[:-1]
        + b"\nUNP+1+P'\nUNZ+1+R'\n",
    ],
)
def test_what_is_canonical_comes_back_octet_by_octet(data: bytes) -> None:
    interchange = read_interchange(data)
    assert write(interchange) == data
    assert content(read_interchange(write(interchange))) == content(interchange)


@pytest.mark.parametrize(
    ("given", "written"),
    [
        (b"BGM+929+", b"BGM+929"),
        (b"BGM+929:+:a::++", b"BGM+929+:a"),
        (b"BGM+?a?b??", b"BGM+ab??"),
        (b"BGM++", b"BGM"),
        (b"\nBGM+929", b"BGM+929"),
    ],
)
def test_what_is_not_canonical_is_made_so(given: bytes, written: bytes) -> None:
    interchange = read_interchange(WHOLE.replace(b"BGM+929", given))
    assert write(interchange) == WHOLE.replace(b"BGM+929", written)


def test_each_of_several_interchanges() -> None:
    other = b"UNA|*.! ~" + WHOLE.translate(bytes.maketrans(b":+'", b"|*~"))
    found = read_interchanges(WHOLE + b"\r\n" + other)
    assert [write(interchange) for interchange in found] == [WHOLE, other]


def test_line_ends_are_as_asked() -> None:
    interchange = read_interchange(WHOLE.replace(b"'", b"'\n"))
    assert write(interchange, line_end="") == WHOLE
    assert write(interchange, line_end="\r\n") == WHOLE.replace(b"'", b"'\r\n")
    with pytest.raises(ValueError, match="CR and LF"):
        write(interchange, line_end="; ")


def test_with_other_separators() -> None:
    interchange = read_interchange(WHOLE.replace(b"929", b"a?+b|:c++d:*"))
    other = replace(interchange, service=ServiceString("|", "*", ",", "!", "", "~", explicit=True))
    assert b"BGM*a+b!||c**d|!*~" in write(other)
    assert content(read_interchange(write(other)))[1:] == content(interchange)[1:]


def test_nothing_read_is_nothing_to_write() -> None:
    with pytest.raises(ValueError, match="nothing was read"):
        write(read_interchange(b"<xml/>"))


def test_what_was_read_is_counted_anew() -> None:
    group = b"UNG+CUSDEC+A+B:ZZ+260504:1307+G+UN+D:96B:X+P'"
    data = (
        HEAD.replace(b":3", b":4").replace(b"260504", b"20260504").replace(b"+R'", b"+R+PW:AA+APP+A+1+AG+1'")
        + group
        + BODY
        + b"UNO+P+1:X*2:Y+48+3:0:1'?'\xffUNP+3+P'UNE+2+G'UNZ+1+R'"
    )
    wrong = data.replace(b"UNT+3", b"UNT+9").replace(b"UNE+2", b"UNE+1").replace(b"UNZ+1+R", b"UNZ+5+Q")
    interchange = read_interchange(wrong)
    written = compose(Heading.of(interchange), contents_of(interchange))
    assert written == data.replace(b"3:0:1", b"3::1")
    without = read_interchange(WHOLE)
    assert compose(Heading.of(without), contents_of(without)) == WHOLE
    with pytest.raises(ValueError, match="no UNB"):
        Heading.of(read_interchange(BODY))


@st.composite
def services(draw: st.DrawFn) -> ServiceString:
    """Any service string."""
    chars = draw(st.lists(st.sampled_from(SEPARATORS), min_size=5, max_size=5, unique=True))
    component, element, release, repetition, terminator = chars
    return ServiceString(component, element, draw(st.sampled_from(".,")), release, repetition, terminator)


LEVELS = {"UNOA": "A1 ?'+:", "UNOC": "aZ \xe9\xa0~", "UNOE": "\u0416a", "UNOW": "\u6f22\U0001f600e\u0301 a"}
TAGS = st.from_regex("[A-Z][A-Z0-9]{2}", fullmatch=True).filter(lambda tag: not tag.startswith(("UN", "UI")))


@st.composite
def interchanges(draw: st.DrawFn) -> tuple[Heading, list[list[object]]]:
    """Any segments of any text, for any service string."""
    level = draw(st.sampled_from(list(LEVELS)))
    alphabet = [c for c in SEPARATORS if c.isprintable() and level != "UNOA"] + list(LEVELS[level])
    text = st.text(st.sampled_from(alphabet), max_size=6)
    composite = st.lists(text, max_size=3)
    version = draw(st.integers(1, 4))
    element: st.SearchStrategy[object] = text | composite
    if version == 4:
        element |= st.lists(text | composite, max_size=3).map(lambda each: Repeat(*each))
    segments = draw(st.lists(st.tuples(TAGS, st.lists(element, max_size=4)), max_size=6))
    heading = Heading(
        sender="A",
        recipient="B",
        reference="R",
        prepared=MOMENT,
        level=level,
        version=version,
        service=draw(services()),
    )
    return heading, [[tag, *elements] for tag, elements in segments]


def occurrences(element: object) -> list[object]:
    """An element as `values` gives it."""
    if isinstance(element, Repeat):
        return trimmed([trimmed([each] if isinstance(each, str) else list(each)) for each in element])
    return trimmed([trimmed([element] if isinstance(element, str) else list(element))])  # type: ignore[call-overload]


@given(given=interchanges())
def test_any_segments_of_any_text_come_back(given: tuple[Heading, list[list[object]]]) -> None:
    heading, segments = given
    messages = [OutMessage(reference=str(n), name="CUSDEC:D:96B:UN", segments=segments) for n in (1, 2)]  # type: ignore[arg-type]
    data = compose(heading, messages)
    if heading.level == "UNOC":
        # Octets that form UTF-8 are taken for it.
        assume(data.isascii() or not is_utf8(data))
    interchange = read_interchange(data)
    expected = [trimmed([tag, *map(occurrences, elements)]) for tag, *elements in segments]
    for message in interchange.messages:
        assert [values(segment) for segment in message.segments[1:-1]] == expected
        assert message.findings == ()
    assert len(interchange.messages) == 2
    assert interchange.findings == ()
    assert write(interchange) == data


def is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


PIECES = b"UNB UNH UNT UNG UNE UNZ UNO UNP + : ' ? * \n \xe9 \xc3\xa9 \x00 1 A".split(b" ")


@given(
    start=st.sampled_from([b"", b"UNA:+.? '", b"UNA:+.?*'", b"UNA:+.  '"]),
    level=st.sampled_from([b"UNOA:1", b"UNOC:3", b"UNOC:4", b"UNOW:4", b"UNOE:3"]),
    rest=st.lists(st.sampled_from([*PIECES, BODY]), max_size=25),
)
def test_whatever_was_read_comes_back(start: bytes, level: bytes, rest: list[bytes]) -> None:
    interchange = read_interchange(start + b"UNB+" + level + b"+A+B+260504:1307+R'" + b"".join(rest))
    assume(interchange.header is not None)
    written = write(interchange)
    assert content(read_interchange(written)) == content(interchange)
    assert write(read_interchange(written)) == written
