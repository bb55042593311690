"""New interchanges from raw segments: groups, packages, versions, service strings, and what is refused."""

import datetime

import pytest

from tidewaiter.codecs.edifact import (
    Composer,
    Heading,
    MessageName,
    OutGroup,
    OutMessage,
    OutPackage,
    OutSegment,
    Party,
    Repeat,
    ServiceString,
    compose,
    read_interchange,
)
from tidewaiter.codecs.edifact.pen import Content

MOMENT = datetime.datetime(2026, 5, 4, 13, 7, 9, tzinfo=datetime.UTC)
NAME = MessageName("CUSDEC", "D", "96B")
BGM = ("BGM", "929", ("L", "", "X"), "")


def heading(**changes: object) -> Heading:
    values: dict[str, object] = {"sender": "A", "recipient": "B", "reference": "R", "prepared": MOMENT}
    return Heading(**(values | changes))  # type: ignore[arg-type]


def message(*segments: Content, reference: str = "M", name: str = "CUSDEC:D:96B:UN") -> OutMessage:
    return OutMessage(reference=reference, name=name, segments=segments or (BGM,))


def group(*contents: OutMessage | OutPackage, reference: str = "G", kind: str = "CUSDEC") -> OutGroup:
    return OutGroup(
        type=kind, sender="S", recipient=("T", "ZZ"), reference=reference, contents=contents, version="D"
    )


def package(reference: str = "P", data: bytes = b"'+UNZ+") -> OutPackage:
    return OutPackage(
        reference=reference, references=Repeat(("1", "X"), ("2", "Y")), types=("48", "HEX"), data=data
    )


def body(*segments: Content, **changes: object) -> bytes:
    """What is between UNH and UNT of a message with these segments."""
    terminator = changes.get("terminator", "'")
    assert isinstance(terminator, str)
    return compose(heading(**changes), [message(*segments)]).split(b"UN'", 1)[1].split(b"UNT", 1)[0]


def test_several_messages() -> None:
    second = OutMessage(reference="2", name=NAME, segments=[OutSegment("UNS", {(1, 1): "D"})], more=["CASE"])
    assert compose(heading(), [message(), second]) == (
        b"UNB+UNOC:3+A+B+260504:1307+R'UNH+M+CUSDEC:D:96B:UN'BGM+929+L::X'UNT+3+M'"
        b"UNH+2+CUSDEC:D:96B:UN+CASE'UNS+D'UNT+3+2'UNZ+2+R'"
    )


def test_groups_are_what_unz_counts() -> None:
    pair = group(message(reference="1"), message(reference="2"))
    assert compose(heading(), [pair, group(message(reference="1"), reference="H")]) == (
        b"UNB+UNOC:3+A+B+260504:1307+R'"
        b"UNG+CUSDEC+S+T:ZZ+260504:1307+G+UN+D'"
        b"UNH+1+CUSDEC:D:96B:UN'BGM+929+L::X'UNT+3+1'UNH+2+CUSDEC:D:96B:UN'BGM+929+L::X'UNT+3+2'UNE+2+G'"
        b"UNG+CUSDEC+S+T:ZZ+260504:1307+H+UN+D'"
        b"UNH+1+CUSDEC:D:96B:UN'BGM+929+L::X'UNT+3+1'UNE+1+H'UNZ+2+R'"
    )


def test_a_package_goes_out_octet_by_octet() -> None:
    data = b"\x00?'UNT+\xff\r\n"
    assert compose(heading(version=4, level="UNOW"), [package(data=data), message()]) == (
        b"UNB+UNOW:4+A+B+20260504:1307+R'UNO+P+1:X*2:Y+48:HEX+10'" + data + b"UNP+10+P'"
        b"UNH+M+CUSDEC:D:96B:UN'BGM+929+L::X'UNT+3+M'UNZ+2+R'"
    )


def test_the_object_begins_right_after_the_terminator() -> None:
    data = compose(heading(version=4), [package(data=b"\n")], line_end="\n")
    assert b"+1'\nUNP+1+P'\nUNZ+1+R'\n" in data
    signed = OutPackage(
        reference="P", references=("1", "X"), types="48", data=b"'", segments=[("USH", "7")], more=["1", "F"]
    )
    data = compose(heading(version=4), [signed], line_end="\n")
    assert b"UNO+P+1:X+48+1:1:1:F'\nUSH+7''UNP+1+P'\n" in data


def test_service_segments_are_in_ascii() -> None:
    with pytest.raises(
        ValueError, match=r"segment 1 .UNB., element 2, component 1: a character outside UNOB"
    ):
        compose(heading(level="UNOW", version=4, sender="É"), [message()])
    assert b"+\xc9+B+" in compose(heading(sender="É"), [message()])


def test_every_element_of_unb() -> None:
    full = heading(
        version=4,
        level="UNOW",
        syntax=("", "", "02"),
        sender=Party("A", "ZZ", "ROUTE"),
        recipient=("B", "14", "", "INNER"),
        password=("PW", "AA"),
        application="APP",
        priority="A",
        acknowledgement="2",
        agreement="AGREED",
        test="1",
    )
    assert compose(full, [message()]).split(b"'")[0] == (
        b"UNB+UNOW:4:::02+A:ZZ:ROUTE+B:14::INNER+20260504:1307+R+PW:AA+APP+A+2+AGREED+1"
    )


@pytest.mark.parametrize(
    ("changes", "advice"),
    [
        ({}, b""),
        ({"version": 4}, b""),
        ({"level": "UNOB", "version": 2}, b""),
        ({"service": ServiceString(explicit=True)}, b"UNA:+.? '"),
        ({"service": ServiceString(decimal=",")}, b"UNA:+,? '"),
        ({"service": ServiceString(decimal=","), "version": 4}, b"UNA:+,?*'"),
        ({"service": ServiceString(repetition="%"), "version": 4}, b"UNA:+.?%'"),
        ({"service": ServiceString(repetition="%")}, b""),
        ({"service": ServiceString(release="")}, b"UNA:+.  '"),
        ({"service": ServiceString("\x1f", "\x1d", ".", "", "", "\x1c"), "level": "UNOB"}, b""),
        ({"service": ServiceString("\x1f", "\x1d", ".", "", "", "\x1c")}, b"UNA\x1f\x1d.  \x1c"),
    ],
)
def test_una_is_written_where_a_reader_could_not_know(changes: dict[str, object], advice: bytes) -> None:
    data = compose(heading(**changes), [message()])
    assert data[: data.index(b"UNB")] == advice
    assert read_interchange(data).findings == ()


def test_line_ends_after_every_segment() -> None:
    data = compose(heading(service=ServiceString(explicit=True)), [message()], line_end="\r\n")
    assert data.count(b"'\r\n") == data.count(b"'") == 6
    assert read_interchange(data).valid


@pytest.mark.parametrize(
    ("written", "octets"),
    [
        (("SRC",), b"SRC'"),
        (("SRC", "", ("", "")), b"SRC'"),
        (("NAD", "", ("a", "", ""), "", ("", "")), b"NAD++a'"),
        (("FTX", ("?'", ":+"), "*"), b"FTX+???':?:?++*'"),
        (OutSegment("FTX", {(2, 2): "b:", (1, 3): "a", (2, 1): "", (3, 1): ""}), b"FTX+::a+:b?:'"),
    ],
)
def test_escaping_and_truncation(written: Content, octets: bytes) -> None:
    assert body(written) == octets


def test_repetitions() -> None:
    written = ("DTM", Repeat("a*", ("b", "", "c", ""), "", ""), Repeat("", ("d",)))
    assert body(written, version=4) == b"DTM+a?**b::c+*d'"
    (found,) = read_interchange(compose(heading(version=4), [message(written)])).messages
    assert found.segments[1].value(1) == "a*"
    assert body(("DTM", Repeat("a", ""))) == b"DTM+a'"


NO_RELEASE = ServiceString(release="")


@pytest.mark.parametrize(
    ("written", "changes", "told"),
    [
        (("FTX", "", "a+"), {"service": NO_RELEASE}, r"segment 2 \(FTX\), element 2: a separator"),
        (OutSegment("FTX", {(1, 2): "'"}), {"service": NO_RELEASE}, "element 1, component 2: a separator"),
        (("DTM", Repeat("a", "b")), {}, "element 1: an element that repeats"),
        (("FTX", ("", "a\nb")), {}, r"component 2: a character outside .* UNOC: 'a\\\\nb'"),
        (("FTX", "\x85"), {}, "outside the repertoire of UNOC"),
        (("FTX", "a"), {"level": "UNOA"}, "outside the repertoire of UNOA"),
        (("FTX", "é"), {"level": "UNOB"}, "outside UNOB"),
        (("FTX", "漢"), {}, "outside UNOC"),
        (("FTX", "č"), {"level": "UNOL"}, "outside UNOL"),
        (("FTX", "\ud800"), {"level": "UNOW", "version": 4}, "outside UNOW"),
        (("bgm", "a"), {}, "segment 2 .bgm.: not a segment tag"),
        ((), {}, "not a segment tag"),
    ],
)
def test_what_cannot_be_written_is_named(written: Content, changes: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        body(written, **changes)


@pytest.mark.parametrize(
    ("contents", "changes", "told"),
    [
        ([], {}, "nothing before UNZ"),
        ([group()], {}, "nothing before UNE"),
        ([message(), message()], {}, "'M' is used twice"),
        ([group(message()), group(message())], {}, "'G' is used twice"),
        ([message(), group(message())], {}, "beside messages"),
        ([group(message()), message()], {}, "beside functional groups"),
        ([group(message(name="CUSRES:D:96B:UN"))], {}, "a CUSRES in a group of CUSDEC"),
        ([package()], {}, "from syntax version 4"),
        ([package(), package()], {"version": 4}, "'P' is used twice"),
    ],
)
def test_what_does_not_belong_there_is_refused(
    contents: list[OutMessage | OutGroup | OutPackage], changes: dict[str, object], told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        compose(heading(**changes), contents)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"sender": ""}, "sender"),
        ({"recipient": Party("B" * 36)}, "recipient"),
        ({"sender": ()}, "sender"),
        ({"reference": "R" * 15}, "reference"),
        ({"version": 5}, "version 5"),
        ({"level": "UNOZ"}, "level UNOZ"),
        ({"agreement": "x" * 36}, "agreement"),
        ({"service": ServiceString(element=":")}, "distinct"),
        ({"service": ServiceString(element="A")}, "distinct"),
        ({"service": ServiceString(element="")}, "distinct"),
        ({"service": ServiceString(element="::")}, "distinct"),
        ({"service": ServiceString(element="*"), "version": 4}, "distinct"),
        ({"service": ServiceString(release=""), "version": 4}, "distinct"),
        ({"service": ServiceString(repetition="++"), "version": 4}, "distinct"),
        ({"service": ServiceString(decimal=";")}, "decimal mark"),
    ],
)
def test_a_heading_that_cannot_be_written_is_refused(changes: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        heading(**changes)


def test_values_that_cannot_be_written_are_refused_when_made() -> None:
    with pytest.raises(ValueError, match="message reference"):
        message(reference="")
    with pytest.raises(ValueError, match="no type"):
        message(name=":D")
    with pytest.raises(ValueError, match="UNT does not stand in a message"):
        message(("UNT", "1"))
    with pytest.raises(ValueError, match="group reference"):
        group(reference="G" * 15)
    with pytest.raises(ValueError, match="package reference"):
        package(reference="")
    with pytest.raises(ValueError, match="CR and LF"):
        compose(heading(), [message()], line_end=" ")


def test_a_call_that_raised_was_not_counted() -> None:
    composer = Composer(heading())
    octets = composer.begin()
    with pytest.raises(ValueError, match="outside UNOC"):
        composer.message(message(("FTX", "漢")))
    octets += composer.message(message()) + composer.end()
    assert octets.endswith(b"UNT+3+M'UNZ+1+R'")
    assert read_interchange(octets).valid


def test_groups_are_opened_and_closed_in_turn() -> None:
    composer = Composer(heading())
    with pytest.raises(ValueError, match="no functional group"):
        composer.close_group()
    composer.open_group(group())
    with pytest.raises(ValueError, match="inside another"):
        composer.open_group(group(reference="H"))
    composer.message(message())
    with pytest.raises(ValueError, match="is open"):
        composer.end()


def test_a_message_that_was_read_goes_into_another_interchange() -> None:
    first = read_interchange(
        compose(heading(), [OutMessage(reference="1", name=NAME, segments=[BGM], more=["C"])])
    )
    tilde = ServiceString(component="|", terminator="~", decimal=",")
    data = compose(heading(service=tilde), [OutMessage.of(first.messages[0], "7")])
    assert data.endswith(b"UNH+7+CUSDEC|D|96B|UN+C~BGM+929+L||X~UNT+3+7~UNZ+1+R~")


@pytest.mark.parametrize(
    ("level", "octets"), [("UNOD", b"\xb9"), ("UNOE", b""), ("UNOW", b"\xc5\xa1"), ("UNOL", b"\xa8")]
)
def test_the_level_says_how_text_becomes_octets(level: str, octets: bytes) -> None:
    if octets:
        assert body(("FTX", "š"), level=level, version=4) == b"FTX+" + octets + b"'"
    else:
        with pytest.raises(ValueError, match="outside UNOE"):
            body(("FTX", "š"), level=level)
