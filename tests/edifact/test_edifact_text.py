"""Every level to text, and what a message holds beside its repertoire: told once for each segment."""

import pytest

from tidewaiter.codecs.edifact import Interchange, Profile, read_interchange
from tidewaiter.codecs.edifact.service import REPERTOIRES, ServiceString
from tidewaiter.codecs.edifact.text import ANY_OCTET, Decoder
from tidewaiter.codecs.finding import MAX_FINDINGS, EdifactPointer, Severity

# Of each level with a repertoire beyond ASCII, text that only it has.
TEXTS = {
    "UNOC": ("iso-8859-1", "Müller ÿ¤"),
    "UNOD": ("iso-8859-2", "Łódź"),
    "UNOE": ("iso-8859-5", "Москва"),
    "UNOF": ("iso-8859-7", "Αθήνα"),
    "UNOG": ("iso-8859-3", "Ġħ"),
    "UNOH": ("iso-8859-4", "Ķēģ"),
    "UNOI": ("iso-8859-6", "جمارك"),
    "UNOJ": ("iso-8859-8", "מכס"),
    "UNOK": ("iso-8859-9", "İğş"),
    "UNOL": ("iso-8859-15", "Œ€"),
    "UNOW": ("utf-8", "東京 Łódź ÿ"),
    "UNOX": ("iso2022_jp_2", "東京"),
    "UNOY": ("utf-8", "서울"),
}
UMLAUT = "Müller".encode()


def read(level: str, *texts: bytes, profile: Profile = Profile(), ends: bytes = b"") -> Interchange:
    """An interchange of one message in which each text stands in an FTX."""
    head = f"UNB+{level}:3+A+B+260504:1307+R'UNH+1+CUSDEC:D:96B:UN'".encode()
    body = b"".join(b"FTX+AAA+++" + text + b"'" + ends for text in texts)
    return read_interchange(head + ends + body + f"UNT+{len(texts) + 2}+1'UNZ+1+R'".encode(), profile)


def told(interchange: Interchange) -> list[str]:
    """`21 2`: code and segment of each finding of the message, `w21 2` for a warning."""
    lines = []
    for finding in interchange.messages[0].findings:
        assert isinstance(finding.pointer, EdifactPointer)
        mark = "" if finding.severity is Severity.ERROR else "w"
        lines.append(f"{mark}{finding.code} {finding.pointer.segment}")
    return lines


def text_of(interchange: Interchange, segment: int = 2) -> str:
    return interchange.messages[0].segments[segment - 1].value(4)


@pytest.mark.parametrize("level", TEXTS)
@pytest.mark.parametrize("ends", [b"", b"\r\n"])
def test_each_level_has_its_repertoire(level: str, ends: bytes) -> None:
    codec, text = TEXTS[level]
    found = read(level, text.encode(codec), ends=ends)
    assert (text_of(found), told(found)) == (text, [])
    message = found.messages[0]
    assert message.data.decode(message.codec).count(text) == 1


def test_every_level_is_tried_here() -> None:
    ascii_only = {"UNOA", "UNOB", "IATA", "IATB", "SIRE", "ANSI"}
    assert set(TEXTS) | ascii_only == set(REPERTOIRES)
    for level in ascii_only:
        assert told(read(level, b"PLAIN TEXT (1,2)")) == []
        assert told(read(level, b"M\xfcller")) == ["21 2"]


def test_korean_is_iso_2022_too() -> None:
    found = read("UNOX", "서울".encode("iso2022_kr"))
    assert (text_of(found), told(found)) == ("서울", [])


def test_what_iso_2022_does_not_name_is_read_octet_by_octet() -> None:
    # Not named, not octets of ISO 2022, and a set of 96 characters with one that no codec writes again.
    for octets in (b"\x1b$\xff\xff", b"M\xfcller", b"\x1b.A\x1bN\x1b"):
        found = read("UNOX", b"OK", octets)
        assert found.messages[0].codec == ANY_OCTET
        assert text_of(found, 3) == octets.decode(ANY_OCTET)
        assert told(found) == ["21 3"]
        assert [s.tag for s in found.messages[0].segments if s.offset] == ["UNH", "FTX", "FTX", "UNT"]


def test_an_escape_under_another_level_is_a_control_character() -> None:
    for level in ("UNOA", "UNOC", "UNOD", "UNOW", "UNOQ"):
        assert told(read(level, b"A\x1b$BB")) == ["21 2"]


@pytest.mark.parametrize("level", ["UNOA", "UNOB", "UNOC", "IATA", "IATB", "SIRE", "ANSI"])
@pytest.mark.parametrize(("utf8", "mark"), [(False, ""), (True, "w")])
def test_utf_8_under_a_western_level_is_told_once(level: str, utf8: bool, mark: str) -> None:
    found = read(level, b"PLAIN", UMLAUT, UMLAUT, profile=Profile(utf8=utf8))
    assert [text_of(found, n) for n in (2, 3, 4)] == ["PLAIN", "Müller", "Müller"]
    assert told(found) == [f"{mark}46 3"]
    (finding,) = found.messages[0].findings
    assert level in finding.text
    assert finding.expected == "UNOW"


def test_utf_8_under_a_level_nobody_knows() -> None:
    found = read("UNOQ", UMLAUT)
    assert text_of(found) == "M\N{LATIN CAPITAL LETTER A WITH TILDE}\N{VULGAR FRACTION ONE QUARTER}ller"
    assert told(found) == ["21 2"]
    assert found.messages[0].findings[0].expected == "UNOB"


def test_utf_8_that_no_repertoire_of_eight_bits_would_hold() -> None:
    # E2 82 AC: 82 is a control character in every part of ISO 8859.
    found = read("UNOE", "100 €".encode())
    assert (text_of(found), told(found)) == ("100 €", ["46 2"])
    # D0 9C is not: so is it in UNOE, in which it may be what was meant.
    found = read("UNOE", b"\xd0\xac")
    assert (text_of(found), told(found)) == (b"\xd0\xac".decode("iso-8859-5"), [])


def test_utf_8_of_plain_letters_beside_broken_octets_is_not_utf_8() -> None:
    found = read("UNOC", UMLAUT, b"\xff")
    assert found.messages[0].codec == ANY_OCTET
    assert told(found) == []


@pytest.mark.parametrize("level", ["UNOC", "UNOD", "UNOL", "UNOE"])
def test_control_characters_above_7f(level: str) -> None:
    found = read(level, b"OK", b"A\x85B")
    assert told(found) == ["21 3"]
    assert found.messages[0].findings[0].value == r"\x85"


def test_control_characters_above_7f_in_utf_8() -> None:
    assert told(read("UNOW", b"OK", "A\x85B".encode())) == ["21 3"]
    assert told(read("UNOW", b"OK", "Aà\xa0".encode())) == []


def test_octets_that_do_not_decode_are_read_one_by_one() -> None:
    for level, octets in (("UNOW", b"\xc3("), ("UNOF", b"\xae\xe1"), ("UNOY", b"\xff")):
        found = read(level, b"OK", octets)
        assert text_of(found, 3) == octets.decode(ANY_OCTET)
        assert told(found) == ["21 3"]
        assert found.messages[0].codec == ANY_OCTET


def test_only_the_segments_that_do_not_decode_are_told() -> None:
    found = read("UNOF", "Αθήνα".encode("iso-8859-7"), b"\xae")
    assert told(found) == ["21 3"]


@pytest.mark.parametrize("octet", [0x00, 0x07, 0x09, 0x0A, 0x0D, 0x1B, 0x1F, 0x7F])
def test_a_control_character_is_told_for_each_segment_that_has_one(octet: int) -> None:
    spoiled = b"A" + bytes([octet]) + b"B" + bytes([octet])
    found = read("UNOC", spoiled, b"OK", spoiled)
    assert told(found) == ["21 2", "21 4"]
    what = "a line end inside data" if octet in b"\r\n" else "a control character"
    assert found.messages[0].findings[0].text == what


def test_a_line_end_between_segments_is_none_inside_data() -> None:
    for ends in (b"\n", b"\r\n", b"\n\n"):
        assert told(read("UNOA", b"TEXT", ends=ends)) == []
    assert told(read("UNOC", b"wrapped\r\n", ends=b"\r\n")) == ["21 2"]
    assert told(read("UNOC", b"\nwrapped", ends=b"\r\n")) == ["21 2"]


def test_what_level_a_does_not_have() -> None:
    found = read("UNOA", b"ABC abc ABC @abc#", b'ABC,-()/=!"%&*;<>.0')
    assert told(found) == ["w21 2"]
    (finding,) = found.messages[0].findings
    assert finding.value == "abc@#"
    assert finding.expected == "UNOA"
    # Letters that are not of the level, beside a character that is an error: that one is told.
    assert told(read("UNOA", b"abc\x07")) == ["21 2"]


def test_separators_are_no_data() -> None:
    text = b"UNA\x1f\x1d.\x01 \x1cUNB\x1dUNOA\x1f1\x1dA\x1dB\x1d260504\x1f1307\x1dR\x1c"
    service = ServiceString("\x1f", "\x1d", ".", "", "", "\x1c")
    decoder = Decoder("UNOA", service)
    assert decoder.decode(text).codec == "ascii"
    plain = "UNB+UNOA:1+A+B+260504:1307+R'UNH+1+CUSDEC:D:96B:UN'FTX+AAA+++TEXT'UNT+3+1'UNZ+1+R'"
    found = read_interchange(plain.translate(str.maketrans(":+'", "\x1f\x1d\x1c")).encode())
    assert told(found) == []
    other = "UNA#|.^ ~" + plain.translate(str.maketrans(":+'", "#|~"))
    assert told(read_interchange(other.encode())) == []


def test_no_more_is_told_than_a_report_holds() -> None:
    found = read("UNOC", *[b"\x01"] * 150).messages[0].findings
    assert len(found) == MAX_FINDINGS - 1


def test_a_decoder_knows_its_level() -> None:
    service = ServiceString()
    assert Decoder("UNOC", service).known
    assert not Decoder("UNOZ", service).known
    assert not Decoder("", service).known
    assert Decoder("UNOZ", service).codec == "ascii"


@pytest.mark.parametrize("data", [b"", b"\xff", b"\x1b", b"\x1b$B", bytes(range(256)), b"\xed\xa0\x80"])
@pytest.mark.parametrize("level", [*REPERTOIRES, "UNOZ"])
def test_anything_becomes_text_and_its_octets_again(level: str, data: bytes) -> None:
    decoded = Decoder(level, ServiceString()).decode(data)
    # The sets of ISO 2022 may be named in more than one way.
    assert decoded.codec.startswith("iso2022") or decoded.text.encode(decoded.codec) == data
    assert len(read(level, data.replace(b"'", b"")).messages) == 1
