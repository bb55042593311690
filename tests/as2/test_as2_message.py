"""Receiving: what the MIC is over, what the headers alone refuse, and what is let pass with a note."""

import base64
import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from tidewaiter.gateway.as2 import Composed, Disposition, Mic, Received, Refused, Tolerance, mime
from tidewaiter.gateway.as2.multipart import split
from tidewaiter.gateway.as2.writing import Piece
from tidewaiter.security import Cipher, Digest
from tidewaiter.security.cms import Signer, encrypt, sign

OPEN = {"require_signed": False, "require_encrypted": False}


# What the MIC is over, computed here by hand.


def mic_of(data: bytes, name: str = "sha256") -> str:
    return base64.b64encode(hashlib.new(name, data).digest()).decode()


def entity(body: bytes) -> bytes:
    head = b"Content-Type: application/edifact\r\nContent-Transfer-Encoding: binary\r\n"
    return head + b'Content-Disposition: attachment; filename="p.edi"\r\n\r\n' + body


@pytest.mark.parametrize(
    ("changes", "source"),
    [
        ({"sign": False, "encrypt": False}, lambda document: document),
        ({"sign": False}, entity),
        ({"sign": False, "encrypt": False, "compress": True}, entity),
        ({"sign": False, "compress": True}, entity),
        ({}, entity),
        ({"encrypt": False}, entity),
        ({"compress": True, "compress_after_signing": True}, entity),
    ],
)
def test_what_the_mic_is_over(link: Any, changes: dict[str, Any], source: Callable[[bytes], bytes]) -> None:
    message = link.send(**changes)
    result = link.receive(message.headers, message.body, link.alice(**OPEN))
    assert result.mic.value == mic_of(source(link.document))


def test_compressed_inside_the_signature_the_mic_is_over_the_compressed_part(link: Any) -> None:
    message = link.send(compress=True, encrypt=False)
    part = split(mime.from_http(link.wire(message.headers), message.body)).parts[0]
    assert b"compressed-data" in part
    assert link.receive(message.headers, message.body, link.alice(**OPEN)).mic.value == mic_of(part)


def options(*micalgs: str) -> str:
    listed = "".join(f", {name}" for name in micalgs)
    return f"signed-receipt-protocol=required, pkcs7-signature; signed-receipt-micalg=required{listed}"


@pytest.mark.parametrize(
    ("micalgs", "digest"),
    [
        (("sha-512", "sha-256"), Digest.SHA512),
        (("sha1", "sha384"), Digest.SHA384),
        (("md5", "SHA2_512"), Digest.SHA512),
        ((), Digest.SHA256),
    ],
)
def test_the_first_algorithm_listed_and_allowed_is_used(
    link: Any, micalgs: tuple[str, ...], digest: Digest
) -> None:
    message = link.send(encrypt=False)
    headers = {**dict(message.headers), "Disposition-Notification-Options": options(*micalgs)}.items()
    result = link.receive(headers, message.body, link.alice(**OPEN))
    part = split(mime.from_http(link.wire(headers), message.body)).parts[0]
    assert result.mic == Mic.over(part, digest)
    other = Mic.over(part, Digest.SHA256)
    assert result.signature_mic == (other if digest is not Digest.SHA256 else None)


def test_without_a_list_a_signature_decides_the_algorithm(link: Any) -> None:
    bob = link.keys["bob"]
    message = link.send(signer=Signer(bob.certificate, bob.private_key, Digest.SHA384))
    headers = [pair for pair in message.headers if pair[0] != "Disposition-Notification-Options"]
    assert link.receive(headers, message.body).mic.digest is Digest.SHA384


def test_a_receipt_may_go_to_an_address_of_the_agreement(link: Any) -> None:
    message = link.send()
    headers = (*message.headers, ("Receipt-Delivery-Option", "http://bob.example/mdn?x=1"))
    terms = link.alice(receipt_addresses=("http://bob.example:80",))
    got = link.receive(headers, message.body, terms)
    assert got.disposition is Disposition.PROCESSED


HEADERS: dict[str, tuple[dict[str, str], dict[str, Any], Disposition]] = {
    "to ourselves": ({"AS2-From": "alice"}, {}, Disposition.SENDER_EQUALS_RECEIVER),
    "from a stranger": ({"AS2-From": "mallory"}, {}, Disposition.UNKNOWN_TRADING_PARTNER),
    "to somebody else": ({"AS2-To": "Alice"}, {}, Disposition.UNKNOWN_TRADING_PARTNER),
    "asynchronous": (
        {"Receipt-Delivery-Option": "http://10.0.0.1/"},
        {},
        Disposition.ASYNCHRONOUS_RECEIPT,
    ),
    "asynchronous, to another port than agreed": (
        {"Receipt-Delivery-Option": "http://bob.example:8080/mdn"},
        {"receipt_addresses": ("http://bob.example",)},
        Disposition.ASYNCHRONOUS_RECEIPT,
    ),
    "only weak MICs": (
        {"Disposition-Notification-Options": options("md5", "sha1")},
        {},
        Disposition.UNSUPPORTED_MIC_ALGORITHMS,
    ),
    "a signed receipt that cannot be signed": (
        {},
        {"signer": None, "sign": False},
        Disposition.UNSUPPORTED_FORMAT,
    ),
    "spaces in the id": (
        {"AS2-Version": "1.3", "Message-ID": "<a b>"},
        {},
        Disposition.INVALID_MESSAGE_ID,
    ),
}


@pytest.mark.parametrize("case", HEADERS)
def test_headers_that_refuse_the_message(link: Any, case: str) -> None:
    changed, terms, disposition = HEADERS[case]
    message = link.send()
    result = link.receive({**dict(message.headers), **changed}.items(), message.body, link.alice(**terms))
    assert isinstance(result, Refused)
    assert (result.disposition, result.mic, result.concealed) == (disposition, None, False)


# What is let pass, and noted.


def resigned(link: Any, signed_form: bytes, sent_form: bytes) -> Composed:
    """A message whose signature is over other bytes than are sent."""
    piece = link.signed_by("bob", signed_form)
    assert signed_form in piece.body
    return link.http(Piece(piece.headers, (piece.body.replace(signed_form, sent_form),)))


@pytest.mark.parametrize(
    ("signed_form", "sent_form", "tolerance"),
    [
        (entity(b"UNB'"), entity(b"UNB'\r\n"), Tolerance.TRAILING_CRLF),
        (entity(b"a\nb"), entity(b"a\nb").replace(b"\r\n", b"\n"), Tolerance.HEADER_LINE_ENDS),
        (entity(b"a\r\nb"), entity(b"a\nb"), Tolerance.ALL_LINE_ENDS),
    ],
)
def test_line_ends_changed_by_the_sender_are_forgiven(
    link: Any, signed_form: bytes, sent_form: bytes, tolerance: Tolerance
) -> None:
    message = resigned(link, signed_form, sent_form)
    result = link.receive(message.headers, message.body, link.alice(**OPEN))
    assert isinstance(result, Received), result
    assert result.tolerances == (tolerance,)
    assert result.payload == mime.read_entity(signed_form).body
    assert result.mic.value == mic_of(signed_form)


def test_a_document_encrypted_without_mime_headers(link: Any) -> None:
    document = b"UNA:+.? 'UNB+UNOC:3+BOB+ALICE+261122:1200+1'UNZ+0+1'"
    data = encrypt(document, [link.keys["alice"].certificate], cipher=Cipher.AES256_CBC)
    message = link.http(link.cms(data, "enveloped-data"))
    result = link.receive(message.headers, message.body, link.alice(**OPEN))
    assert isinstance(result, Received), result
    assert result.payload == document
    assert result.content_type == "application/octet-stream"
    assert result.mic.value == mic_of(document)
    assert result.tolerances == (Tolerance.NO_MIME_HEADERS,)


@pytest.mark.parametrize("label", ["binary", "base64", None])
@pytest.mark.parametrize("encoded", [False, True])
def test_any_label_on_the_outer_encoding(link: Any, label: str | None, encoded: bool) -> None:
    message = link.send()
    body = mime.to_base64(message.body) if encoded else message.body
    headers = [*message.headers, *([("Content-Transfer-Encoding", label)] if label else [])]
    assert isinstance(link.receive(headers, body), Received)


@pytest.mark.parametrize("media_type", ["application/pkcs7-mime", "Application/X-PKCS7-MIME; name=smime.p7m"])
def test_layers_are_known_by_what_they_are(link: Any, media_type: str) -> None:
    message = link.send(compress=True)
    headers = {**dict(message.headers), "Content-Type": media_type}.items()
    assert isinstance(link.receive(headers, message.body), Received)


def test_an_opaque_signature(link: Any) -> None:
    content = entity(link.document)
    data = sign(content, link.keys["bob"].signer, detached=False, signing_time=link.now)
    message = link.http(link.cms(data, "signed-data"))
    result = link.receive(message.headers, message.body, link.alice(require_encrypted=False))
    assert isinstance(result, Received), result
    assert (result.payload, result.mic.value) == (link.document, mic_of(content))


@pytest.mark.parametrize("start", ["<main>", "main", "<main> (x)"])
def test_attachments(link: Any, start: str) -> None:
    related = (
        b'Content-Type: multipart/related; boundary=r; type="application/edifact"; start="%b"\r\n\r\n'
        b"--r\r\nContent-Type: image/png\r\nContent-Disposition: attachment; filename=../s.png\r\n\r\nPNG\r\n"
        b"--r\r\nContent-Type: application/edifact\r\nContent-ID: <main> (x)\r\n\r\nUNB'\r\n--r--\r\n"
    ) % start.encode()
    message = link.http(link.signed_by("bob", related))
    result = link.receive(message.headers, message.body, link.alice(require_encrypted=False))
    assert isinstance(result, Received), result
    assert (result.payload, result.content_type) == (b"UNB'", "application/edifact")
    assert result.mic.value == mic_of(related)
    assert [(a.content, a.content_type, a.filename) for a in result.attachments] == [
        (b"PNG", "image/png", "s.png")
    ]


def test_a_start_that_names_no_part_makes_no_other_part_the_document(link: Any) -> None:
    related = (
        b"Content-Type: multipart/related; boundary=r; start=other\r\n\r\n"
        b"--r\r\nContent-Type: application/edifact\r\nContent-ID: <main>\r\n\r\nUNB'\r\n--r--\r\n"
    )
    message = link.http(link.signed_by("bob", related))
    result = link.receive(message.headers, message.body, link.alice(require_encrypted=False))
    assert result.disposition is Disposition.UNEXPECTED_PROCESSING_ERROR


@pytest.mark.parametrize("name", ["../../etc/passwd", "C:\\x\\passwd", "/abs/passwd"])
def test_a_file_name_from_the_wire_is_no_path(link: Any, name: str) -> None:
    content = entity(link.document).replace(b"p.edi", name.encode())
    message = link.http(link.signed_by("bob", content))
    result = link.receive(message.headers, message.body, link.alice(require_encrypted=False))
    assert isinstance(result, Received)
    assert result.filename == "passwd"


def test_the_next_certificate_counts_as_much_as_the_current_one(link: Any) -> None:
    carol = link.keys["carol"]
    both = (link.keys["bob"].certificate, carol.certificate)
    for signer in (link.keys["bob"].signer, carol.signer):
        message = link.send(signer=signer)
        assert isinstance(
            link.receive(message.headers, message.body, link.alice(their_signing=both)), Received
        )


@pytest.mark.parametrize("sign", [True, False])
def test_a_wrong_label_on_the_whole_is_passed_over(link: Any, sign: bool) -> None:
    """Gateways on the way are known to add one."""
    message = link.send(sign=sign, encrypt=False)
    headers = (*message.headers, ("Content-Transfer-Encoding", "base64"))
    terms = link.alice(require_signed=False, require_encrypted=False)
    got = link.receive(headers, message.body, terms)
    assert isinstance(got, Received)
    assert (got.payload, got.mic) == (link.document, message.mic)


def test_a_right_label_on_the_whole_is_followed(link: Any) -> None:
    message = link.send(encrypt=False)
    headers = (*message.headers, ("Content-Transfer-Encoding", "base64"))
    got = link.receive(headers, base64.encodebytes(message.body), link.alice(require_encrypted=False))
    assert isinstance(got, Received)
    assert (got.payload, got.mic) == (link.document, message.mic)
