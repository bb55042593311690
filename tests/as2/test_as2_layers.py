"""Every way to be refused when the layers come off, outside encryption."""

import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tidewaiter.gateway.as2 import Disposition, Received, Refused
from tidewaiter.gateway.as2.writing import Piece
from tidewaiter.security import DEFAULT_POLICY, Cipher, Digest
from tidewaiter.security.cms import Signer, compress, encrypt, sign

OPEN = {"require_signed": False, "require_encrypted": False}


def tampered(link: Any) -> Piece:
    piece = link.signed_by("bob")
    return Piece(piece.headers, (piece.body.replace(b"UNB+UNOC", b"UNB+UNOX"),))


def unsigned_multipart(link: Any) -> Piece:
    return Piece(
        (("Content-Type", "multipart/signed; boundary=b1"),), (b"--b1\r\n\r\nonly one part\r\n--b1--\r\n",)
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
        lambda link: Piece((("Content-Type", "application/edifact"),), (link.document,)),
        {},
        Disposition.INSUFFICIENT_MESSAGE_SECURITY,
        True,
    ),
    "signed where encryption is agreed": (
        lambda link: link.signed_by("bob"),
        {},
        Disposition.INSUFFICIENT_MESSAGE_SECURITY,
        True,
    ),
    "compressed only": (
        lambda link: link.cms(compress(link.entity(link.document)), "compressed-data"),
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
        lambda link: link.signed_by("carol"),
        {},
        Disposition.AUTHENTICATION_FAILED,
        True,
    ),
    "signed by us": (lambda link: link.signed_by("alice"), {}, Disposition.AUTHENTICATION_FAILED, True),
    "expired certificate": (
        lambda link: link.signed_by("dave"),
        {"their_signing": "dave"},
        Disposition.AUTHENTICATION_FAILED,
        True,
    ),
    "no certificate agreed": (
        lambda link: link.signed_by("bob"),
        {"their_signing": ()},
        Disposition.AUTHENTICATION_FAILED,
        True,
    ),
    "signed with SHA-1": (
        lambda link: link.signed_by("bob", digest=Digest.SHA1),
        {},
        Disposition.INSUFFICIENT_MESSAGE_SECURITY,
        True,
    ),
    "not zlib": (
        lambda link: link.cms(bad_zlib(), "compressed-data"),
        {},
        Disposition.DECOMPRESSION_FAILED,
        False,
    ),
    "over the cap": (
        lambda link: link.cms(zlib_bomb(), "compressed-data"),
        {"max_payload": 10_000},
        Disposition.DECOMPRESSION_FAILED,
        False,
    ),
    "not compressed at all": (
        lambda link: link.cms(b"\x30\x03\x02\x01\x00", "compressed-data"),
        {},
        Disposition.DECOMPRESSION_FAILED,
        False,
    ),
    "compressed twice": (
        lambda link: link.cms(
            compress(bytes(link.cms(compress(link.entity(link.document)), "compressed-data"))),
            "compressed-data",
        ),
        OPEN,
        Disposition.DECOMPRESSION_FAILED,
        True,
    ),
    "a payload that is not its encoding": (
        lambda link: link.signed_by(
            "bob", b"Content-Type: a/b\r\nContent-Transfer-Encoding: base64\r\n\r\n***"
        ),
        OPEN,
        Disposition.UNEXPECTED_PROCESSING_ERROR,
        True,
    ),
    "signed twice": (
        lambda link: link.signed_by("bob", bytes(link.signed_by("bob")).replace(b"b1", b"b2")),
        OPEN,
        Disposition.UNEXPECTED_PROCESSING_ERROR,
        True,
    ),
    "encrypted inside the signature": (
        lambda link: link.signed_by(
            "bob",
            bytes(
                link.cms(
                    encrypt(
                        link.entity(link.document), [link.keys["alice"].certificate], cipher=Cipher.AES256_CBC
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
        lambda link: link.cms(b"not CMS", "enveloped-data"),
        {},
        Disposition.DECRYPTION_FAILED,
        False,
    ),
    "opaque signature of a stranger": (
        lambda link: link.cms(
            sign(
                link.entity(link.document), link.keys["carol"].signer, detached=False, signing_time=link.now
            ),
            "signed-data",
        ),
        {},
        Disposition.AUTHENTICATION_FAILED,
        False,
    ),
    "weak cipher": (
        lambda link: link.cms(
            encrypt(link.entity(link.document), [link.keys["alice"].certificate], cipher=Cipher.DES3_CBC),
            "enveloped-data",
        ),
        {},
        Disposition.INSUFFICIENT_MESSAGE_SECURITY,
        False,
    ),
    "encrypted to somebody else": (
        lambda link: link.cms(
            encrypt(link.entity(link.document), [link.keys["bob"].certificate], cipher=Cipher.AES256_CBC),
            "enveloped-data",
        ),
        {},
        Disposition.DECRYPTION_FAILED,
        False,
    ),
    "no signature inside an authenticated envelope": (
        lambda link: link.cms(
            encrypt(link.entity(link.document), [link.keys["alice"].certificate], cipher=Cipher.AES256_GCM),
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
    message = link.http(make(link))
    result, mdn = link.answer(message.headers, message.body, link.alice(**changes))
    assert isinstance(result, Refused), result
    assert result.disposition is disposition, result
    # A signed receipt was asked for: the MIC is in it wherever there is something to digest.
    assert (result.mic is not None) is has_mic
    assert (b"Received-Content-MIC: " in mdn.body) is has_mic


def test_an_agreement_may_name_weak_algorithms(link: Any) -> None:
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
