"""What people keep of an exchange, in the forms it is kept in."""

import base64

import pytest

from tidewaiter.gateway.as2.inspection.stored import Kind, NotStored, read_stored

CMS = b"\x30\x82\x01\x04" + bytes(range(256)) + b"\r\n\r\n"
HEAD = b"AS2-From: bob\r\nAS2-To: alice\r\nContent-Type: text/plain\r\n"


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"POST /as2?x=1 HTTP/1.1\r\n", Kind.REQUEST),
        (b"HTTP/1.1 200 OK\r\n", Kind.RESPONSE),
        (b"HTTP/1.0 200\r\n", Kind.RESPONSE),
        (b"", Kind.MESSAGE),
    ],
)
def test_with_and_without_its_first_line(start: bytes, kind: Kind) -> None:
    stored = read_stored(start + HEAD + b"\r\nbody\n\n")
    assert (stored.kind, stored.start) == (kind, start.strip().decode())
    assert (stored.header("as2-from"), stored.header("none"), stored.body) == ("bob", "", b"body\n\n")
    assert len(stored.headers) == 3
    assert (stored.line_feeds, stored.chunked) == (False, False)


def test_an_editor_may_have_changed_the_line_ends() -> None:
    stored = read_stored((HEAD + b"\r\nbody").replace(b"\r\n", b"\n"))
    assert (stored.line_feeds, stored.header("as2-to"), stored.body) == (True, "alice", b"body")


def test_headers_may_be_folded_and_the_first_counts() -> None:
    stored = read_stored(b"MIME-Version: 1.0\r\nA: 1\r\n 2\r\n\t3\r\na: 4\r\n\r\n")
    assert stored.headers[1:] == ((b"A", b"1 2 3"), (b"a", b"4"))
    assert (stored.header("a"), stored.body) == ("1 2 3", b"")


def test_no_form_costs_more_than_its_length() -> None:
    """Each of these took seconds when it was read with a second look at every octet."""
    for data in (b"M" + b" " * 1_000_000 + b"!", b"-----BEGIN CMS-----\n" + b" " * 1_000_000 + b"!"):
        with pytest.raises(NotStored):
            read_stored(data)
    assert len(read_stored(b"MIME-Version: 1.0" + b"\r\n x" * 10_000 + b"\r\n\r\n").headers) == 1


def test_a_response_may_have_no_body() -> None:
    assert read_stored(b"HTTP/1.1 204 No Content\r\nServer: x").body == b""


@pytest.mark.parametrize(
    ("body", "taken_off"),
    [
        (b"4\r\nbody\r\n0\r\n\r\n", b"body"),
        (b"2;x=1\r\nbo\r\n2\r\ndy\r\n0\r\n", b"body"),
        (b"4\nbody\n0\n\n", b"body"),
        (b"0\r\n\r\n", b""),
    ],
)
def test_chunks_are_taken_off(body: bytes, taken_off: bytes) -> None:
    stored = read_stored(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + body)
    assert (stored.chunked, stored.body) == (True, taken_off)


@pytest.mark.parametrize(
    "body", [b"body", b"4\r\nbody", b"9\r\nbody\r\n0\r\n", b"fffffffff\r\nbody\r\n0\r\n", b""]
)
def test_what_is_not_in_chunks_stays_as_it_is(body: bytes) -> None:
    stored = read_stored(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + body)
    assert (stored.chunked, stored.body) == (False, body)


@pytest.mark.parametrize(
    "data",
    [
        CMS,
        base64.b64encode(CMS),
        base64.encodebytes(CMS),
        b"-----BEGIN CMS-----\n" + base64.encodebytes(CMS) + b"-----END CMS-----\n",
        b"-----BEGIN PKCS7-----\r\n" + base64.b64encode(CMS) + b"\r\n-----END PKCS7-----",
    ],
)
def test_cms_alone(data: bytes) -> None:
    stored = read_stored(data)
    assert (stored.kind, stored.body) == (Kind.CMS, CMS)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b" \r\n", "is empty"),
        (b"UNB+UNOA:1+A+B'", "is neither"),
        (b"0 is no CMS", "is neither"),
        (b"garbage\r\n\r\nbody", "is neither"),
        (b"A: 1\r\nno field\r\n\r\nbody", "is neither"),
        (b" A: 1\r\n\r\nbody", "is neither"),
        (b"-----BEGIN CMS-----\n!!!!\n-----END CMS-----", "is neither"),
        (b"-----BEGIN PRIVATE KEY-----\nMIID\n-----END PRIVATE KEY-----", "is neither"),
        (b"A: " + b"x" * 300_000, "is neither"),
        (bytes(range(256)) * 4, "is neither"),
    ],
)
def test_what_is_none_of_these(data: bytes, reason: str) -> None:
    with pytest.raises(NotStored, match=reason):
        read_stored(data)
