"""Two peers joined in memory: every combination of protection, and each way to be refused."""

import base64
import hashlib
import itertools
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from tidewaiter.gateway.as2 import Composed, Disposition, Mic, Received, Refused, Tolerance, mime
from tidewaiter.gateway.as2.writing import Piece, signed
from tidewaiter.security import DEFAULT_POLICY, Cipher, Digest, KeyTransport
from tidewaiter.security.cms import Signer, compress, encrypt, sign

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
    header = dict(Piece((("Content-Disposition", _attachment(filename)),), b"").headers)[
        "Content-Disposition"
    ]
    assert header.isascii()
    assert header.isprintable()
    assert "/" not in header
    assert header.count('"') == 2


def _attachment(filename: str) -> str:
    from tidewaiter.gateway.as2.writing import attachment

    return attachment(filename)


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
    part = mime.split(mime.from_http(link.wire(message.headers), message.body)).parts[0]
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
    part = mime.split(mime.from_http(link.wire(headers), message.body)).parts[0]
    assert result.mic == Mic.over(part, digest)
    other = Mic.over(part, Digest.SHA256)
    assert result.signature_mic == (other if digest is not Digest.SHA256 else None)


def test_without_a_list_a_signature_decides_the_algorithm(link: Any) -> None:
    bob = link.keys["bob"]
    message = link.send(signer=Signer(bob.certificate, bob.private_key, Digest.SHA384))
    headers = [pair for pair in message.headers if pair[0] != "Disposition-Notification-Options"]
    assert link.receive(headers, message.body).mic.digest is Digest.SHA384


# Each failure and its disposition, outside encryption.


def http(piece: Piece, link: Any) -> Composed:
    """`piece` as the body of bob's message."""
    message = link.send(sign=False, encrypt=False)
    headers = [pair for pair in message.headers if not pair[0].startswith("Content-")]
    return Composed(
        headers=(*headers, *piece.headers), body=piece.body, mic=message.mic, message_id="<1@bob>"
    )


def cms(data: bytes, smime_type: str) -> Piece:
    return Piece((("Content-Type", f"application/pkcs7-mime; smime-type={smime_type}"),), data)


def signed_by(link: Any, name: str, content: bytes | None = None) -> Piece:
    return signed(content or entity(link.document), link.keys[name].signer, now=link.now, boundary="b1")


def tampered(link: Any) -> Piece:
    piece = signed_by(link, "bob")
    return Piece(piece.headers, piece.body.replace(b"UNB+UNOC", b"UNB+UNOX"))


def unsigned_multipart(link: Any) -> Piece:
    return Piece(
        (("Content-Type", "multipart/signed; boundary=b1"),), b"--b1\r\n\r\nonly one part\r\n--b1--\r\n"
    )


def zlib_bomb() -> bytes:
    return compress(b"Content-Type: a/b\r\n\r\n" + bytes(1_000_000))


def bad_zlib() -> bytes:
    good = compress(b"x" * 100)
    stream = zlib.compress(b"x" * 100)
    assert stream in good
    return good.replace(stream, b"\x78\x9c" + bytes(len(stream) - 2))


FAILURES: dict[str, tuple[Callable[[Any], Piece], dict[str, Any], Disposition, bool]] = {
    "plain": (
        lambda link: Piece((("Content-Type", "application/edifact"),), link.document),
        {},
        Disposition.INSUFFICIENT_MESSAGE_SECURITY,
        True,
    ),
    "signed where encryption is agreed": (
        lambda link: signed_by(link, "bob"),
        {},
        Disposition.INSUFFICIENT_MESSAGE_SECURITY,
        True,
    ),
    "compressed only": (
        lambda link: cms(compress(entity(link.document)), "compressed-data"),
        {},
        Disposition.INSUFFICIENT_MESSAGE_SECURITY,
        True,
    ),
    "tampered": (tampered, {}, Disposition.INTEGRITY_CHECK_FAILED, True),
    "multipart/signed without a signature": (
        unsigned_multipart,
        {},
        Disposition.INTEGRITY_CHECK_FAILED,
        False,
    ),
    "signed by a stranger": (
        lambda link: signed_by(link, "carol"),
        {},
        Disposition.AUTHENTICATION_FAILED,
        True,
    ),
    "signed by us": (lambda link: signed_by(link, "alice"), {}, Disposition.AUTHENTICATION_FAILED, True),
    "expired certificate": (
        lambda link: signed_by(link, "dave"),
        {"their_signing": "dave"},
        Disposition.AUTHENTICATION_FAILED,
        True,
    ),
    "no certificate agreed": (
        lambda link: signed_by(link, "bob"),
        {"their_signing": ()},
        Disposition.AUTHENTICATION_FAILED,
        True,
    ),
    "signed with SHA-1": (
        lambda link: signed(
            entity(link.document),
            Signer(link.keys["bob"].certificate, link.keys["bob"].private_key, Digest.SHA1),
            now=link.now,
            boundary="b1",
        ),
        {},
        Disposition.INSUFFICIENT_MESSAGE_SECURITY,
        True,
    ),
    "not zlib": (lambda _: cms(bad_zlib(), "compressed-data"), {}, Disposition.DECOMPRESSION_FAILED, False),
    "over the cap": (
        lambda _: cms(zlib_bomb(), "compressed-data"),
        {"max_payload": 10_000},
        Disposition.DECOMPRESSION_FAILED,
        False,
    ),
    "not compressed at all": (
        lambda _: cms(b"\x30\x03\x02\x01\x00", "compressed-data"),
        {},
        Disposition.DECOMPRESSION_FAILED,
        False,
    ),
    "compressed twice": (
        lambda link: cms(
            compress(bytes(cms(compress(entity(link.document)), "compressed-data"))), "compressed-data"
        ),
        OPEN,
        Disposition.DECOMPRESSION_FAILED,
        True,
    ),
    "a payload that is not its encoding": (
        lambda link: signed_by(
            link, "bob", b"Content-Type: a/b\r\nContent-Transfer-Encoding: base64\r\n\r\n***"
        ),
        OPEN,
        Disposition.UNEXPECTED_PROCESSING_ERROR,
        True,
    ),
    "signed twice": (
        lambda link: signed_by(link, "bob", bytes(signed_by(link, "bob")).replace(b"b1", b"b2")),
        OPEN,
        Disposition.UNEXPECTED_PROCESSING_ERROR,
        True,
    ),
    "encrypted inside the signature": (
        lambda link: signed_by(
            link,
            "bob",
            bytes(
                cms(
                    encrypt(
                        entity(link.document), [link.keys["alice"].certificate], cipher=Cipher.AES256_CBC
                    ),
                    "enveloped-data",
                )
            ),
        ),
        OPEN,
        Disposition.UNEXPECTED_PROCESSING_ERROR,
        True,
    ),
    "no CMS where it says so": (
        lambda _: cms(b"not CMS", "enveloped-data"),
        {},
        Disposition.DECRYPTION_FAILED,
        False,
    ),
    "opaque signature of a stranger": (
        lambda link: cms(
            sign(entity(link.document), link.keys["carol"].signer, detached=False, signing_time=link.now),
            "signed-data",
        ),
        {},
        Disposition.AUTHENTICATION_FAILED,
        False,
    ),
    "weak cipher": (
        lambda link: cms(
            encrypt(entity(link.document), [link.keys["alice"].certificate], cipher=Cipher.DES3_CBC),
            "enveloped-data",
        ),
        {},
        Disposition.INSUFFICIENT_MESSAGE_SECURITY,
        False,
    ),
    "encrypted to somebody else": (
        lambda link: cms(
            encrypt(entity(link.document), [link.keys["bob"].certificate], cipher=Cipher.AES256_CBC),
            "enveloped-data",
        ),
        {},
        Disposition.DECRYPTION_FAILED,
        False,
    ),
    "no signature inside an authenticated envelope": (
        lambda link: cms(
            encrypt(entity(link.document), [link.keys["alice"].certificate], cipher=Cipher.AES256_GCM),
            "authEnveloped-data",
        ),
        {},
        Disposition.INSUFFICIENT_MESSAGE_SECURITY,
        True,
    ),
}


@pytest.mark.parametrize("case", FAILURES)
def test_each_failure_has_its_disposition(link: Any, case: str) -> None:
    make, changes, disposition, has_mic = FAILURES[case]
    if changes.get("their_signing") == "dave":
        changes = {"their_signing": (link.keys["dave"].certificate,)}
    message = http(make(link), link)
    result, mdn = link.answer(message.headers, message.body, link.alice(**changes))
    assert isinstance(result, Refused), result
    assert result.disposition is disposition, result
    # A signed receipt was asked for: the MIC is in it wherever there is something to digest.
    assert (result.mic is not None) is has_mic
    assert (b"Received-Content-MIC: " in mdn.body) is has_mic


HEADERS: dict[str, tuple[dict[str, str], dict[str, Any], Disposition]] = {
    "to ourselves": ({"AS2-From": "alice"}, {}, Disposition.SENDER_EQUALS_RECEIVER),
    "from a stranger": ({"AS2-From": "mallory"}, {}, Disposition.UNKNOWN_TRADING_PARTNER),
    "to somebody else": ({"AS2-To": "Alice"}, {}, Disposition.UNKNOWN_TRADING_PARTNER),
    "asynchronous": (
        {"Receipt-Delivery-Option": "http://10.0.0.1/"},
        {},
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


def test_an_agreement_may_name_weak_algorithms(link: Any) -> None:
    from dataclasses import replace

    bob = link.keys["bob"]
    message = link.send(signer=Signer(bob.certificate, bob.private_key, Digest.SHA1), cipher=Cipher.DES3_CBC)
    policy = replace(
        DEFAULT_POLICY,
        digests=DEFAULT_POLICY.digests | {Digest.SHA1},
        ciphers=DEFAULT_POLICY.ciphers | {Cipher.DES3_CBC},
    )
    result = link.receive(message.headers, message.body, link.alice(policy=policy))
    assert isinstance(result, Received)
    assert str(result.mic).endswith(", sha1")


# What is let pass, and noted.


def resigned(link: Any, signed_form: bytes, sent_form: bytes) -> Composed:
    """A message whose signature is over other bytes than are sent."""
    piece = signed(signed_form, link.keys["bob"].signer, now=link.now, boundary="b1")
    assert signed_form in piece.body
    return http(Piece(piece.headers, piece.body.replace(signed_form, sent_form)), link)


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
    message = http(cms(data, "enveloped-data"), link)
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
    message = http(cms(data, "signed-data"), link)
    result = link.receive(message.headers, message.body, link.alice(require_encrypted=False))
    assert isinstance(result, Received), result
    assert (result.payload, result.mic.value) == (link.document, mic_of(content))


def test_attachments(link: Any) -> None:
    related = (
        b'Content-Type: multipart/related; boundary=r; type="application/edifact"; start="<main>"\r\n\r\n'
        b"--r\r\nContent-Type: image/png\r\nContent-Disposition: attachment; filename=../s.png\r\n\r\nPNG\r\n"
        b"--r\r\nContent-Type: application/edifact\r\nContent-ID: <main>\r\n\r\nUNB'\r\n--r--\r\n"
    )
    message = http(signed_by(link, "bob", related), link)
    result = link.receive(message.headers, message.body, link.alice(require_encrypted=False))
    assert isinstance(result, Received), result
    assert (result.payload, result.content_type) == (b"UNB'", "application/edifact")
    assert result.mic.value == mic_of(related)
    assert [(a.content, a.content_type, a.filename) for a in result.attachments] == [
        (b"PNG", "image/png", "s.png")
    ]


@pytest.mark.parametrize("name", ["../../etc/passwd", "C:\\x\\passwd", "/abs/passwd"])
def test_a_file_name_from_the_wire_is_no_path(link: Any, name: str) -> None:
    content = entity(link.document).replace(b"p.edi", name.encode())
    message = http(signed_by(link, "bob", content), link)
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


@pytest.mark.parametrize(
    "changes",
    [
        {"our_name": ""},
        {"their_name": "\u00e9"},
        {"signer": None},
        {"their_encryption": None},
        {"max_payload": 0},
    ],
)
def test_terms_that_cannot_be_kept_are_not_made(link: Any, changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        link.alice(**changes)
