"""Messages that other products made: their MICs are known, and none of them was made by this code."""

import pathlib
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs7

from tidewaiter.gateway.as2 import (
    Disposition,
    MdnKind,
    Received,
    Refused,
    Terms,
    Tolerance,
    identify,
    mime,
    read_mdn,
    receive,
)
from tidewaiter.gateway.as2.multipart import split
from tidewaiter.security import Digest, load_certificates, load_private_key
from tidewaiter.security.cms import DecryptionKey
from tidewaiter.security.der import to_der

NOW = datetime(2026, 12, 1, tzinfo=UTC)
SIGNED_MIC = "h4Et8xtoS6TPGnMQieMUAcQfqC7twOe+LUINTkbawmU="

Message = tuple[tuple[tuple[bytes, bytes], ...], bytes]


@pytest.fixture(scope="session")
def messages(shared: pathlib.Path) -> pathlib.Path:
    return shared / "as2" / "messages"


def load(folder: pathlib.Path, name: str) -> Message:
    """A recorded request: header lines, an empty line, the body."""
    head, _, body = (folder / f"{name}.http").read_bytes().partition(b"\r\n\r\n")
    lines = (line.partition(b":") for line in head.split(b"\r\n"))
    return tuple((name.strip().lower(), value.strip()) for name, _, value in lines), body


def certificates(folder: pathlib.Path, *names: str) -> tuple[x509.Certificate, ...]:
    return tuple(load_certificates((folder / f"{name}.cert.pem").read_bytes())[0] for name in names)


def alice(folder: pathlib.Path, **changes: object) -> Terms:
    keys = tuple(
        DecryptionKey(
            certificates(folder, name)[0], load_private_key((folder / f"{name}.key.pem").read_bytes())
        )
        for name in ("alice", "alice.ec")
    )
    values: dict[str, object] = {
        "our_name": "alice",
        "their_name": "bob",
        "decryption_keys": keys,
        "their_signing": certificates(folder, "bob", "bob.ec"),
        "require_encrypted": False,
        "sign": False,
        "encrypt": False,
    }
    return Terms(**{**values, **changes})  # type: ignore[arg-type]


def take(message: Message, terms: Terms, now: datetime = NOW) -> Received | Refused:
    headers, body = message
    # The receipt's signature is not the matter here, and the terms have no key for one.
    headers = tuple(
        (name, value.replace(b"protocol=required", b"protocol=optional")) for name, value in headers
    )
    return receive(identify(headers), headers, body, terms, now=now)


@pytest.mark.parametrize(
    ("name", "mic", "encrypted", "compressed"),
    [
        ("bc_signed", SIGNED_MIC, False, False),
        ("openssl_ecdsa_signed", SIGNED_MIC, False, False),
        ("openssl_signed_enc_aes256cbc", SIGNED_MIC, True, False),
        ("openssl_ber_indefinite", SIGNED_MIC, True, False),
        ("openssl_authenveloped_aes256gcm", SIGNED_MIC, True, False),
        ("openssl_comp_signed_enc", "h97Y4qhCabvjxCGgUmRLzdZ/iM+ZpgbkLLZQr+bKMCE=", True, True),
        # The digest that its own signature holds, and that libas2 returned for the same part (below).
        ("pyas2lib_signed", "M0kPT7qCLCk6UpTlZyyy3OrNHOD6rBPxZiRxCarR4q8=", False, False),
    ],
)
def test_the_mic_is_what_the_sender_computed(
    messages: pathlib.Path, name: str, mic: str, encrypted: bool, compressed: bool
) -> None:
    result = take(load(messages, name), alice(messages))
    assert isinstance(result, Received), result
    assert str(result.mic) == f"{mic}, sha-256"
    assert result.disposition is Disposition.PROCESSED
    assert (result.signed, result.encrypted, result.compressed) == (True, encrypted, compressed)
    assert result.signature_mic is None
    assert result.tolerances == ()
    assert result.payload.startswith(b"UNB+UNOA")
    assert result.content_type == "application/edifact"
    assert result.filename == "p.edi"


def test_base64_payload_is_decoded_and_digested_encoded(messages: pathlib.Path) -> None:
    result = take(load(messages, "libas2_signed"), alice(messages))
    assert isinstance(result, Received), result
    assert result.payload.startswith(b"UNB+UNOA")
    assert result.payload.endswith(b"UNZ+1+5'\n")
    # As `openssl cms -verify` finds it signed.
    assert str(result.mic) == "ljIC2IyveQ+Oy6GQmVcJ4f3/Ry2GH/OHanAxsWPDSbs=, sha-256"
    assert (result.filename, result.tolerances) == ("p.edi", ())


def test_a_changed_message_fails_its_integrity_check(messages: pathlib.Path) -> None:
    message = load(messages, "openssl_tampered")
    result = take(message, alice(messages))
    assert isinstance(result, Refused)
    assert result.disposition is Disposition.INTEGRITY_CHECK_FAILED
    assert result.mic is not None
    assert result.mic.value != SIGNED_MIC


@pytest.mark.parametrize("name", ["openssl_compressed_only", "openssl_encrypted_only"])
def test_unsigned_messages_are_refused_unless_agreed(messages: pathlib.Path, name: str) -> None:
    message = load(messages, name)
    assert isinstance(take(message, alice(messages)), Refused)
    result = take(message, alice(messages, require_signed=False))
    assert isinstance(result, Received), result
    # Both are over the inner entity with its headers, which is the part the signed messages sign.
    assert result.mic.value == SIGNED_MIC
    assert result.payload.startswith(b"UNB+UNOA")


def test_an_encrypted_unsigned_message_is_told_nothing(messages: pathlib.Path) -> None:
    result = take(load(messages, "openssl_encrypted_only"), alice(messages))
    assert isinstance(result, Refused)
    assert (result.disposition, result.mic, result.concealed) == (Disposition.DECRYPTION_FAILED, None, True)


def test_mendelson(messages: pathlib.Path) -> None:
    message = load(messages, "mendelson_signed")
    signature = split(mime.from_http(*message)).parts[1]
    # As if the partner had given us its certificate: the one inside the message never counts by itself.
    pinned = pkcs7.load_der_pkcs7_certificates(to_der(mime.decode_cms(mime.read_entity(signature))))
    terms = alice(messages, our_name="pyas2lib", their_name="mecas2", their_signing=pinned)
    result = take(message, terms, datetime(2022, 1, 5, tzinfo=UTC))
    assert isinstance(result, Received), result
    assert result.mic.value == "G6PhshLOERWJEIfypIh6Q3sno6cBUWJBDky1igJvDMo="
    assert result.mic.digest is Digest.SHA256
    assert (result.content_type, result.filename) == ("application/EDI-Consent", "payload.txt")

    stranger = take(message, alice(messages, our_name="pyas2lib", their_name="mecas2"))
    assert isinstance(stranger, Refused)
    assert stranger.disposition is Disposition.AUTHENTICATION_FAILED
    assert stranger.mic == result.mic


def test_a_receipt_whose_last_line_end_was_not_signed(messages: pathlib.Path) -> None:
    headers, body = load(messages, "libas2_signed_mdn_crlf_bug")
    mdn = read_mdn(
        headers,
        body,
        alice(messages),
        message_id="<179532770005.23546.14427933765892155279@loopback>",
        mic="M0kPT7qCLCk6UpTlZyyy3OrNHOD6rBPxZiRxCarR4q8=, sha256",
        now=NOW,
    )
    assert mdn.kind is MdnKind.PROCESSED, mdn
    assert mdn.tolerances == (Tolerance.TRAILING_CRLF,)
    assert mdn.signed
    assert mdn.known is Disposition.PROCESSED


# Whatever is recorded has a test above, by name.
NAMED = frozenset(
    {
        "bc_signed",
        "libas2_signed",
        "libas2_signed_mdn_crlf_bug",
        "mendelson_signed",
        "openssl_authenveloped_aes256gcm",
        "openssl_ber_indefinite",
        "openssl_comp_signed_enc",
        "openssl_compressed_only",
        "openssl_ecdsa_signed",
        "openssl_encrypted_only",
        "openssl_signed_enc_aes256cbc",
        "openssl_tampered",
        "pyas2lib_signed",
    }
)


def test_every_recorded_message_is_tested(messages: pathlib.Path) -> None:
    assert {file.stem for file in messages.glob("*.http")} == NAMED


PROTECTED = frozenset(
    {
        "openssl_authenveloped_aes256gcm",
        "openssl_ber_indefinite",
        "openssl_comp_signed_enc",
        "openssl_signed_enc_aes256cbc",
    }
)


@pytest.mark.parametrize("name", sorted(NAMED - {"mendelson_signed", "libas2_signed_mdn_crlf_bug"}))
def test_the_usual_terms_want_signature_and_encryption(messages: pathlib.Path, name: str) -> None:
    result = take(load(messages, name), alice(messages, require_encrypted=True))
    assert isinstance(result, Received) is (name in PROTECTED)
