"""Composing: every combination of protection arrives, and its MIC is the one the receiver computes."""

import itertools
from typing import Any

import pytest

from tidewaiter.gateway.as2 import Disposition, Part, Receipts, Received, compose
from tidewaiter.gateway.as2.writing import attachment
from tidewaiter.security import Cipher, Digest, KeyTransport
from tidewaiter.security.cms import Signer

OPEN = {"require_signed": False, "require_encrypted": False}


@pytest.mark.parametrize(
    ("sign", "encrypt", "compress", "after"), list(itertools.product((False, True), repeat=4))
)
def test_what_is_sent_arrives(link: Any, sign: bool, encrypt: bool, compress: bool, after: bool) -> None:
    message = link.send(sign=sign, encrypt=encrypt, compress=compress, compress_after_signing=after)
    result = link.receive(message.headers, message.body, link.alice(**OPEN))
    assert isinstance(result, Received), result
    assert (result.payload, result.filename) == (link.document, "p.edi")
    assert result.content_type == "application/edifact"
    assert (result.signed, result.encrypted, result.compressed) == (sign, encrypt, compress)
    assert result.mic == message.mic
    assert result.disposition is Disposition.PROCESSED
    assert (result.signer is not None) is sign
    assert result.tolerances == ()


@pytest.mark.parametrize("cipher", [c for c in Cipher if c is not Cipher.DES3_CBC])
@pytest.mark.parametrize("transport", [KeyTransport.RSA_PKCS1, KeyTransport.RSA_OAEP_SHA256])
def test_every_cipher_arrives(link: Any, cipher: Cipher, transport: KeyTransport) -> None:
    message = link.send(cipher=cipher, key_transport=transport)
    assert isinstance(link.receive(message.headers, message.body), Received)


def test_elliptic_curves_arrive(link: Any) -> None:
    carol = link.keys["carol"]
    message = link.send(signer=carol.signer, their_encryption=carol.certificate)
    terms = link.alice(decryption_keys=(carol.decryption_key,), their_signing=(carol.certificate,))
    assert isinstance(link.receive(message.headers, message.body, terms), Received)


def test_no_header_is_folded_and_the_version_is_sent(link: Any) -> None:
    headers = dict(link.send().headers)
    assert headers["AS2-Version"] == "1.2"
    assert not any(set(value) & set("\r\n") for value in headers.values())


def test_names_that_need_quotes_get_them(link: Any) -> None:
    message = link.send(our_name="bob and sons")
    assert dict(message.headers)["AS2-From"] == '"bob and sons"'
    result = link.receive(message.headers, message.body, link.alice(their_name="bob and sons"))
    assert isinstance(result, Received)


def test_what_is_composed_is_the_same_bytes_on_each_try(link: Any) -> None:
    plain = {"encrypt": False, "compress": True}
    assert link.send(**plain) == link.send(**plain)
    assert isinstance(link.send().body, bytes)


@pytest.mark.parametrize("filename", ["../../a.edi", 'q"uote.edi', "\u00e9.edi", "a\r\nX-Evil: 1", ""])
def test_a_file_name_cannot_leave_its_header(link: Any, filename: str) -> None:
    header = attachment(filename)
    assert header.isascii()
    assert header.isprintable()
    assert "/" not in header
    assert header.count('"') == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"message_id": "<" + "x" * 997 + ">"},
        {"message_id": "<a\r\nBcc: x>"},
        {"subject": "a\nb"},
        {"boundary": "b b"},
        {"filename": "p.edi", "content_type": "a/b\r\nX: y"},
    ],
)
def test_what_would_break_the_message_is_refused(link: Any, changes: dict[str, str]) -> None:
    values = {"message_id": "1@bob", "boundary": "b1", "content_type": "a/b", **changes}
    content_type = values.pop("content_type")
    with pytest.raises(ValueError):
        compose(link.document, content_type, link.bob(encrypt=False), now=link.now, **values)


def test_an_id_gets_its_angle_brackets(link: Any) -> None:
    message = compose(b"x", "a/b", link.bob(), message_id="1@bob", now=link.now, boundary="b1")
    assert message.message_id == "<1@bob>"
    assert dict(message.headers)["Message-ID"] == "<1@bob>"


def test_the_mic_asked_for_is_that_of_the_signature(link: Any) -> None:
    """Receivers go by the one or by the other, and must come to the same."""
    bob = link.keys["bob"]
    message = link.send(signer=Signer(bob.certificate, bob.private_key, Digest.SHA512), digest=Digest.SHA256)
    assert message.mic.digest is Digest.SHA512
    assert dict(message.headers)["Disposition-Notification-Options"].endswith("=required, sha-512")
    assert link.send(sign=False, digest=Digest.SHA384).mic.digest is Digest.SHA384


ATTACHMENTS = (
    Part(content=b"%PDF-1.7\r\n\x00\xff", content_type="application/pdf", filename="invoice.pdf"),
    Part(content=b"UNA:+.? '", content_type="application/edifact", filename=None),
)


@pytest.mark.parametrize(
    "terms",
    [
        {},
        {"opaque": True},
        {"compress": True},
        {"compress": True, "compress_after_signing": True},
        {"base64": True},
        {"sign": False},
        {"sign": False, "encrypt": False},
        {"cipher": Cipher.AES256_GCM, "gcm_in_enveloped": True},
    ],
    ids=str,
)
def test_attachments_arrive_as_they_are_in_every_form(link: Any, terms: dict[str, Any]) -> None:
    message = compose(
        link.document,
        "application/edifact; charset=utf-8",
        link.bob(**terms),
        message_id="<1@bob>",
        now=link.now,
        boundary="0f1e2d3c",
        filename="declaration.edi",
        attachments=ATTACHMENTS,
    )
    open_terms = link.alice(require_signed=False, require_encrypted=False)
    got = link.receive(message.headers, message.body, open_terms)
    assert isinstance(got, Received)
    assert (got.payload, got.content_type) == (link.document, "application/edifact; charset=utf-8")
    assert got.filename == "declaration.edi"
    assert [(part.content, part.content_type, part.filename) for part in got.attachments] == [
        (part.content, part.content_type, part.filename) for part in ATTACHMENTS
    ]
    assert got.mic == message.mic


def test_the_type_of_several_parts_is_that_of_the_document(link: Any) -> None:
    message = compose(
        link.document,
        "application/xml",
        link.bob(sign=False, encrypt=False),
        message_id="<1@bob>",
        now=link.now,
        boundary="0f1e2d3c",
        attachments=ATTACHMENTS,
    )
    content_type = dict(message.headers)["Content-Type"]
    assert content_type == 'multipart/related; type="application/xml"; boundary="m-0f1e2d3c"'


def test_a_boundary_in_an_attachment_is_refused(link: Any) -> None:
    part = Part(content=b"x\r\n--m-0f1e2d3c\r\n", content_type="text/plain", filename=None)
    with pytest.raises(ValueError, match="boundary"):
        compose(
            link.document,
            "application/xml",
            link.bob(),
            message_id="<1@bob>",
            now=link.now,
            boundary="0f1e2d3c",
            attachments=[part],
        )


@pytest.mark.parametrize(
    ("receipts", "asked", "address"),
    [
        (Receipts.SYNC, True, None),
        (Receipts.ASYNC, True, "https://bob.example/as2"),
        (Receipts.NONE, False, None),
    ],
)
def test_a_receipt_is_asked_for_as_agreed(
    link: Any, receipts: Receipts, asked: bool, address: str | None
) -> None:
    message = link.send(receipts=receipts, receipt_url="https://bob.example/as2")
    headers = dict(message.headers)
    assert ("Disposition-Notification-To" in headers) is asked
    assert ("Disposition-Notification-Options" in headers) is asked
    assert headers.get("Receipt-Delivery-Option") == address


def test_cms_as_base64_says_so(link: Any) -> None:
    message = link.send(base64=True)
    assert dict(message.headers)["Content-Transfer-Encoding"] == "base64"
    assert message.body.isascii()
    assert isinstance(link.receive(message.headers, message.body), Received)


@pytest.mark.parametrize("name", ["Rechnung Größe.pdf", "счёт №1.xml", "明細書.edi"])
def test_a_name_in_any_alphabet_is_preserved(link: Any, name: str) -> None:
    message = compose(
        link.document,
        "application/edifact",
        link.bob(),
        message_id="<1@bob>",
        now=link.now,
        boundary="0f1e2d3c",
        filename=name,
    )
    assert all(value.isascii() for _, value in message.headers)
    got = link.receive(message.headers, message.body)
    assert isinstance(got, Received)
    assert got.filename == name
