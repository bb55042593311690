"""MIME cut out of raw bytes."""

import base64
import quopri
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidewaiter.gateway.as2 import mime
from tidewaiter.gateway.as2.header_values import MAX_FILENAME, parameters, safe_filename
from tidewaiter.gateway.as2.mime import Entity, MimeError


def test_headers_inside_parts_are_unfolded_for_reading() -> None:
    raw = b"Content-Type: multipart/report;\r\n\tboundary=x;\r\n report-type=y\r\nX-A:  1 \r\n\r\nbody"
    entity = mime.read_entity(raw)
    assert entity.media_type == "multipart/report"
    assert entity.parameter("content-type", "boundary") == "x"
    assert entity.headers["x-a"] == "1"
    assert (entity.body, entity.raw) == (b"body", raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"UNA:+.? '\r\nUNB+UNOC:3+A+B'",
        b"UNA:+.? '\r\n\r\nUNB+UNOC:3+A+B'",
        b"UNB+UNOA:2+A+B'\r\n\r\n",
        b"<?xml version='1.0'?>\r\n\r\n<a/>",
        b"",
        b"Content-Type: text/plain",
        b"X-Other: 1\r\n\r\nbody",
    ],
)
def test_a_document_without_headers_is_all_body(raw: bytes) -> None:
    entity = mime.read_entity(raw)
    assert entity.bare
    assert entity.body == raw


def test_an_empty_header_block_is_one() -> None:
    assert mime.read_entity(b"\r\nbody").body == b"body"


def test_parameters_are_read_in_any_style() -> None:
    value = 'a/b; X="q\\"u;o\\n" ;\ty=plain ; z==eq==; x=second'
    assert parameters(value) == {"x": 'q"u;o\\n', "y": "plain", "z": "=eq=="}


@pytest.mark.parametrize(
    ("encoding", "body", "decoded"),
    [
        ("", b"=41", b"=41"),
        ("Binary", b"=41", b"=41"),
        ("7bit", b"\xff", b"\xff"),
        ("base64", b"QU\r\nJD\r\n", b"ABC"),
        ("BASE64 ", b"", b""),
        ("quoted-printable", b"=41=\r\nB", b"AB"),
        ("x-unknown", b"raw", b"raw"),
    ],
)
def test_transfer_encodings(encoding: str, body: bytes, decoded: bytes) -> None:
    assert mime.decode(mime.from_http([(b"content-transfer-encoding", encoding.encode())], body)) == decoded


@pytest.mark.parametrize("body", [b"QUJ", b"QU*D", b"\xff\xff\xff\xff"])
def test_base64_that_is_none_is_refused(body: bytes) -> None:
    with pytest.raises(MimeError, match="base64"):
        mime.decode(mime.from_http([(b"content-transfer-encoding", b"base64")], body))


def test_a_wrong_label_on_cms_is_not_believed() -> None:
    der = bytes.fromhex("3003020100")
    base64 = b"MAMCAQA="
    for encoding in (b"binary", b"base64"):
        for body in (der, base64, b"\r\n" + base64 + b"\r\n"):
            entity = mime.from_http([(b"content-transfer-encoding", encoding)], body)
            assert mime.decode_cms(entity) == der


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("p.edi", "p.edi"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("C:\\x\\p.edi", "p.edi"),
        ("C:p.edi", "p.edi"),
        ("/etc/", None),
        ("..", None),
        ("...", None),
        ("a\x00b\r\nc", "abc"),
        (".hidden", "hidden"),
        ("p.edi. .", "p.edi"),
        ("\u202eide.p", "ide.p"),
        ("x" * 400, "x" * MAX_FILENAME),
        (" ", None),
    ],
)
def test_no_path_comes_out_of_a_file_name(sent: str, shown: str | None) -> None:
    assert safe_filename(sent) == shown


@given(st.text())
def test_a_file_name_never_leads_anywhere(name: str) -> None:
    shown = safe_filename(name)
    if shown is not None:
        assert not set(shown) & set("/\\:\0\r\n")
        assert shown.strip(" .") == shown
        assert 1 <= len(shown) <= MAX_FILENAME


@pytest.mark.parametrize(
    ("headers", "shown"),
    [
        ({"content-disposition": 'attachment; filename="a.edi"'}, "a.edi"),
        ({"content-disposition": "attachment; filename=a.edi"}, "a.edi"),
        ({"content-disposition": "attachment; filename*=UTF-8''..%2Fr%C3%A9.edi; filename=a"}, "r\u00e9.edi"),
        ({"content-disposition": "attachment; filename*=x-other''a; filename=b"}, "b"),
        ({"content-type": "application/edifact; name=c.edi"}, "c.edi"),
        ({}, None),
    ],
)
def test_where_a_file_name_is_found(headers: dict[str, str], shown: str | None) -> None:
    assert mime.filename(Entity(b"", 0, headers)) == shown


def test_line_ends_are_changed_only_where_asked() -> None:
    raw = b"Content-Type: a/b\nX-B: 1\n\none\ntwo\r\nthree\r"
    assert mime.with_crlf_headers(raw) == b"Content-Type: a/b\r\nX-B: 1\r\n\r\none\ntwo\r\nthree\r"
    assert mime.to_crlf(raw) == b"Content-Type: a/b\r\nX-B: 1\r\n\r\none\r\ntwo\r\nthree\r\n"


@given(st.text("\r\na").map(str.encode), st.integers(1, 4) | st.none())
def test_every_line_end_becomes_crlf(raw: bytes, piece: int | None) -> None:
    with pytest.MonkeyPatch.context() as patch:
        if piece is not None:
            patch.setattr(mime, "_PIECE", piece)
        assert mime.to_crlf(raw) == re.sub(rb"(?<!\r)\n|\r(?!\n)", b"\r\n", raw)


@given(st.binary())
def test_reading_never_raises(raw: bytes) -> None:
    entity = mime.read_entity(raw)
    assert entity.raw == raw
    assert raw.endswith(entity.body)
    mime.read_fields(raw)
    parameters(raw.decode("latin-1"))


def test_fields_of_a_notification_survive_stray_lines() -> None:
    block = b"\r\nReporting-UA: x\r\nnot a field\r\nDisposition: a;\r\n b\r\nDisposition: second\r\n"
    assert mime.read_fields(block) == {"reporting-ua": "x", "disposition": "a; b"}


def test_base64_is_in_lines_with_crlf() -> None:
    text = mime.to_base64(bytes(100))
    assert text.count(b"\r\n") == 2
    assert text.count(b"\n") == 2
    assert max(map(len, text.split(b"\r\n"))) == 76


@pytest.mark.parametrize(
    "value",
    [
        "multipart/signed; boundary=x",
        'multipart/signed; boundary="x y"',
        'multipart/signed; protocol="a/b; boundary=no"; boundary=x',
        'multipart/signed; protocol="a\\"; boundary=no"; boundary=x',
        "multipart/signed; micalg=x boundary=no; Boundary = x ; boundary=second",
        'multipart/signed; boundary=""; boundary=x',
        'multipart/signed; boundary="a\\"b"',
        "multipart/signed; xboundary=no",
        'multipart/signed; boundary="never closed',
        "multipart/signed; boundary=",
        "boundary=x",
        "",
    ],
)
def test_a_boundary_is_the_one_among_all_parameters(value: str) -> None:
    entity = mime.from_http([(b"content-type", value.encode())], b"")
    assert entity.boundary == parameters(value).get("boundary")


@given(st.text(alphabet=';"\\= \tboundaryB/x', max_size=60))
def test_a_boundary_is_never_another_than_a_whole_reading_finds(value: str) -> None:
    content_type = f"multipart/signed; boundary=b{value}; boundary=second"
    entity = mime.from_http([(b"content-type", content_type.encode())], b"")
    assert entity.boundary == parameters(entity.headers["content-type"]).get("boundary")


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Type: application/edifact\r\nX_Doc_Id: 7\r\n",
        b"1st.field: x\r\nContent-Type: application/edifact\r\n",
    ],
)
def test_a_field_may_have_any_name(head: bytes) -> None:
    entity = mime.read_entity(head + b"\r\nUNB")
    assert (entity.media_type, entity.body, entity.bare) == ("application/edifact", b"UNB", False)


@pytest.mark.parametrize("encoding", ["base64 (comment)", '"base64"', " BASE64 ", "(x) base64"])
def test_an_encoding_in_any_form(encoding: str) -> None:
    entity = mime.from_http([(b"content-transfer-encoding", encoding.encode())], b"VU5C\r\n")
    assert mime.decode(entity) == b"UNB"


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable"])
def test_a_multipart_that_is_encoded_as_a_whole_is_decoded(encoding: str) -> None:
    body = b"--b\r\n\r\none=\r\n--b--\r\n"
    text = (
        base64.encodebytes(body) if encoding == "base64" else quopri.encodestring(body).replace(b"b", b"=62")
    )
    headers = [
        (b"content-type", b"multipart/signed; boundary=b"),
        (b"content-transfer-encoding", encoding.encode()),
    ]
    assert mime.decoded_multipart(mime.from_http(headers, text)).body == body
    assert mime.decoded_multipart(mime.from_http(headers, body)).body == body


@pytest.mark.parametrize("size", [0, 1, 56, 57, 58, 3647, 3648, 3649, 10_000])
def test_base64_lines_are_those_of_the_standard(size: int) -> None:
    data = bytes(number % 251 for number in range(size))
    text = mime.to_base64(data)
    assert text == base64.encodebytes(data).replace(b"\n", b"\r\n")
