"""Whatever the octets: a value and findings, never an exception."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tidewaiter.codecs.edifact import (
    Directory,
    Envelope,
    owed,
    read_contrl,
    read_cusdec,
    read_cusres,
    read_interchange,
    read_interchanges,
    write_contrl,
)
from tidewaiter.codecs.finding import MAX_FINDINGS

TAGS = ["UNA", "UNB", "UNG", "UNH", "UNT", "UNE", "UNZ", "UNS", "BGM", "LOC", "DTM", "GIS", "MEA", "EQD"]
TAGS += ["SEL", "FTX", "RFF", "TDT", "TPL", "DOC", "NAD", "CTA", "COM", "TOD", "MOA", "CUX", "CST", "PAC"]
TAGS += ["PCI", "TAX", "CNT", "AUT", "ERP", "ERC", "UCI", "UCM", "UCS", "UCD", "USH", "XXX"]
PIECES = [
    *(tag.encode() for tag in TAGS),
    *(bytes([n]) for n in b"+:'?*.,-0123456789AZ \r\n\x00\xff\xc3\xa9"),
]
WORDS = [
    b"UNOC:3",
    b"UNOW:4",
    b"CUSDEC:D:96B:UN",
    b"CUSRES:D:96B:UN",
    b"CONTRL:D:3:UN",
    b"ZZZ",
    b"PTR",
    b"CNT",
    b"999999",
]
SOUP = st.lists(st.sampled_from([*PIECES, *WORDS]), max_size=60).map(b"".join)
SEGMENT = st.builds(
    lambda tag, rest: tag + b"+" + rest.replace(b"'", b"") + b"'",
    st.sampled_from([tag.encode() for tag in TAGS[3:]]),
    st.lists(st.sampled_from([*PIECES, *WORDS]), max_size=10).map(b"".join),
)


def exhaust(data: bytes, directory: Directory, envelope: Envelope) -> None:
    """Everything a reader of `data` may call."""
    for interchange in (read_interchange(data), *read_interchanges(data)):
        assert len(interchange.findings) <= MAX_FINDINGS
        assert interchange.messages or interchange.findings
        for message in interchange.messages:
            for findings in (
                read_cusdec(interchange, message, directory)[1],
                read_cusres(interchange, message, directory)[1],
            ):
                assert len(findings) <= MAX_FINDINGS
            read_contrl(interchange, message)
        if owed(interchange):
            (control,) = read_interchange(write_contrl(interchange, envelope)).messages
            assert control.type == "CONTRL"


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=200))
def test_any_octets(data: bytes, directory: Directory, envelope: Envelope) -> None:
    exhaust(data, directory, envelope)


@settings(max_examples=120, deadline=None)
@given(
    head=st.sampled_from([b"", b"UNB+UNOC:3+A+B+260504:1307+R'", b"UNA:+.? 'UNB+UNOW:4+A+B+260504:1307+R'"]),
    data=SOUP,
)
def test_octets_that_look_like_it(head: bytes, data: bytes, directory: Directory, envelope: Envelope) -> None:
    exhaust(head + data, directory, envelope)


@settings(max_examples=200, deadline=None)
@given(kind=st.sampled_from(["CUSDEC", "CUSRES", "CONTRL"]), segments=st.lists(SEGMENT, max_size=25))
def test_any_segments_in_a_message(
    kind: str, segments: list[bytes], directory: Directory, envelope: Envelope
) -> None:
    head = f"UNB+UNOC:3+A+B+260504:1307+R'UNH+1+{kind}:D:96B:UN'BGM+929+L+9'".encode()
    exhaust(head + b"".join(segments) + b"UNT+3+1'UNZ+1+R'", directory, envelope)
