"""Real messages of several products, from bob to alice, taken apart by hand."""

import base64
import datetime
import pathlib
import re

import pytest
from cryptography import x509

from tidewaiter.security import (
    DEFAULT_POLICY,
    DecryptionFailed,
    IntegrityFailed,
    load_certificates,
    load_private_key,
)
from tidewaiter.security.cms import (
    ContentType,
    DecryptionKey,
    Verified,
    content_type,
    decompress,
    decrypt,
    verify,
)

NOW = datetime.datetime(2026, 12, 1, tzinfo=datetime.UTC)
LIMIT = 1024 * 1024
PLAIN_MIC = "h4Et8xtoS6TPGnMQieMUAcQfqC7twOe+LUINTkbawmU="

SIGNED = [
    ("bc_signed", PLAIN_MIC),
    ("openssl_ecdsa_signed", PLAIN_MIC),
    ("openssl_authenveloped_aes256gcm", PLAIN_MIC),
    ("openssl_ber_indefinite", PLAIN_MIC),
    ("openssl_signed_enc_aes256cbc", PLAIN_MIC),
    ("openssl_comp_signed_enc", "h97Y4qhCabvjxCGgUmRLzdZ/iM+ZpgbkLLZQr+bKMCE="),
    # The digest that the message itself signs; a MIC over another form of the part would not verify.
    ("pyas2lib_signed", "M0kPT7qCLCk6UpTlZyyy3OrNHOD6rBPxZiRxCarR4q8="),
    ("libas2_signed", "ljIC2IyveQ+Oy6GQmVcJ4f3/Ry2GH/OHanAxsWPDSbs="),
]


@pytest.fixture
def messages(shared: pathlib.Path) -> pathlib.Path:
    return shared / "as2" / "messages"


def certificate(messages: pathlib.Path, name: str) -> x509.Certificate:
    return load_certificates((messages / f"{name}.cert.pem").read_bytes())[0]


def alice(messages: pathlib.Path) -> list[DecryptionKey]:
    return [
        DecryptionKey(
            certificate(messages, name),
            load_private_key((messages / f"{name}.key.pem").read_bytes()),
        )
        for name in ("alice.ec", "alice")
    ]


def entity(data: bytes) -> tuple[bytes, bytes]:
    head, _, body = data.partition(b"\r\n\r\n")
    return head, body


def parts(head: bytes, body: bytes) -> tuple[bytes, bytes]:
    """The signed part as it was sent, and the signature."""
    found = re.search(rb'boundary="([^"]+)"', head)
    assert found is not None
    line = b"--" + found[1]
    start = body.index(line) + len(line) + 2
    stop = body.index(b"\r\n" + line, start)
    second = stop + 2 + len(line) + 2
    inner, signature = entity(body[second : body.index(b"\r\n" + line, second)])
    return body[start:stop], base64.b64decode(signature) if b"base64" in inner.lower() else signature


def unwrapped(messages: pathlib.Path, name: str) -> tuple[bytes, bytes, list[ContentType]]:
    """Headers and body after every layer of encryption and compression, and which these were."""
    head, body = entity((messages / f"{name}.http").read_bytes())
    layers = []
    while b"pkcs7-mime" in head.lower():
        layers.append(content_type(body))
        if layers[-1] is ContentType.COMPRESSED:
            body = decompress(body, limit=LIMIT)
        else:
            body = decrypt(body, alice(messages), policy=DEFAULT_POLICY)
        head, body = entity(body)
    return head, body, layers


def verified(messages: pathlib.Path, name: str) -> Verified:
    head, body, _ = unwrapped(messages, name)
    content, signature = parts(head, body)
    partner = [certificate(messages, "bob"), certificate(messages, "bob.ec")]
    return verify(signature, content, partner, policy=DEFAULT_POLICY, now=NOW)


@pytest.mark.parametrize(("name", "mic"), SIGNED)
def test_signed_messages_verify(messages: pathlib.Path, name: str, mic: str) -> None:
    assert base64.b64encode(verified(messages, name).message_digest).decode("ascii") == mic


def test_the_layers_are_what_they_are(messages: pathlib.Path) -> None:
    assert unwrapped(messages, "openssl_authenveloped_aes256gcm")[2] == [ContentType.AUTH_ENVELOPED]
    assert unwrapped(messages, "openssl_encrypted_only")[2] == [ContentType.ENVELOPED]
    assert unwrapped(messages, "openssl_compressed_only")[2] == [ContentType.COMPRESSED]
    assert unwrapped(messages, "openssl_ber_indefinite")[2] == [ContentType.ENVELOPED]


def test_a_tampered_message_fails_its_integrity(messages: pathlib.Path) -> None:
    with pytest.raises(IntegrityFailed):
        verified(messages, "openssl_tampered")


def test_a_receipt_with_one_line_end_too_many(messages: pathlib.Path) -> None:
    head, body, _ = unwrapped(messages, "libas2_signed_mdn_crlf_bug")
    content, signature = parts(head, body)
    partner = [certificate(messages, "bob")]
    with pytest.raises(IntegrityFailed):
        verify(signature, content, partner, policy=DEFAULT_POLICY, now=NOW)
    verify(signature, content.removesuffix(b"\r\n"), partner, policy=DEFAULT_POLICY, now=NOW)


def test_without_the_key_there_is_nothing(messages: pathlib.Path) -> None:
    _, body = entity((messages / "openssl_signed_enc_aes256cbc.http").read_bytes())
    with pytest.raises(DecryptionFailed):
        decrypt(body, alice(messages)[:1], policy=DEFAULT_POLICY)
