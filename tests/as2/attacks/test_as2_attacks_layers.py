"""Layers in orders and numbers that AS2 does not have, and content that is not what it is called."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from tidewaiter.gateway.as2 import Disposition, Received, Refused
from tidewaiter.gateway.as2.writing import Piece
from tidewaiter.security import DEFAULT_POLICY, Cipher, der
from tidewaiter.security.cms import compress, encrypt, sign

Forge = Any
MIB = 1024 * 1024
LEAVE = dataclasses.replace(DEFAULT_POLICY, allow_no_signed_attributes=True)


def opaque(forge: Forge, content: bytes) -> Piece:
    signer = forge.link.keys["bob"].signer
    data = sign(content, signer, detached=False, signing_time=forge.link.now)
    return forge.link.cms(data, "signed-data")  # type: ignore[no-any-return]


def deflated(forge: Forge, content: bytes) -> Piece:
    return forge.link.cms(compress(content), "compressed-data")  # type: ignore[no-any-return]


def closed(forge: Forge, content: bytes, cipher: Cipher = Cipher.AES256_GCM) -> Piece:
    certificate = forge.link.keys["alice"].certificate
    return forge.link.cms(encrypt(content, [certificate], cipher=cipher), "enveloped-data")  # type: ignore[no-any-return]


def detached(forge: Forge, content: bytes) -> Piece:
    signer = forge.link.keys["bob"].signer
    data = sign(content, signer, detached=True, signing_time=forge.link.now)
    # Each with a boundary of its own: layers of one kind stand in each other here.
    return forge.multipart(data, content, f"b{len(content)}")  # type: ignore[no-any-return]


LAYERS: dict[str, Callable[[Forge, bytes], Piece]] = {
    "signed": detached,
    "opaque": opaque,
    "compressed": deflated,
    "encrypted": closed,
}


def stacked(forge: Forge, *names: str, content: bytes = b"") -> Piece:
    """The document, or `content`, in layers; the innermost is named first."""
    content = content or forge.content
    piece = Piece((), ())
    for name in names:
        piece = LAYERS[name](forge, content)
        content = bytes(piece)
    return piece


ORDERS: dict[tuple[str, ...], Disposition] = {
    ("signed",): Disposition.PROCESSED,
    ("opaque",): Disposition.PROCESSED,
    ("compressed", "signed"): Disposition.PROCESSED,
    ("signed", "compressed"): Disposition.PROCESSED,
    ("compressed", "signed", "encrypted"): Disposition.PROCESSED,
    ("signed", "compressed", "encrypted"): Disposition.PROCESSED,
    ("opaque", "compressed", "encrypted"): Disposition.PROCESSED,
    ("signed", "signed"): Disposition.UNEXPECTED_PROCESSING_ERROR,
    ("opaque", "opaque"): Disposition.UNEXPECTED_PROCESSING_ERROR,
    ("signed", "opaque"): Disposition.UNEXPECTED_PROCESSING_ERROR,
    ("opaque", "signed"): Disposition.UNEXPECTED_PROCESSING_ERROR,
    ("compressed", "compressed", "signed"): Disposition.DECOMPRESSION_FAILED,
    ("signed", "compressed", "compressed"): Disposition.DECOMPRESSION_FAILED,
    ("compressed", "signed", "compressed"): Disposition.DECOMPRESSION_FAILED,
    ("encrypted", "signed"): Disposition.UNEXPECTED_PROCESSING_ERROR,
    ("encrypted", "opaque"): Disposition.UNEXPECTED_PROCESSING_ERROR,
    ("signed", "encrypted", "compressed"): Disposition.UNEXPECTED_PROCESSING_ERROR,
    ("signed", "encrypted", "encrypted"): Disposition.DECRYPTION_FAILED,
    ("encrypted", "encrypted"): Disposition.DECRYPTION_FAILED,
    ("compressed", "compressed", "encrypted"): Disposition.DECRYPTION_FAILED,
    ("signed", "compressed", "compressed", "encrypted"): Disposition.DECRYPTION_FAILED,
    # Once the signature holds the partner made what is inside, and the cause is told.
    ("signed", "signed", "encrypted"): Disposition.UNEXPECTED_PROCESSING_ERROR,
    ("compressed", "signed", "compressed", "encrypted"): Disposition.DECOMPRESSION_FAILED,
    ("encrypted", "signed", "encrypted"): Disposition.UNEXPECTED_PROCESSING_ERROR,
}


@pytest.mark.parametrize("names", ORDERS, ids=" in ".join)
def test_layers(forge: Forge, names: tuple[str, ...]) -> None:
    message = forge.link.http(stacked(forge, *names))
    result = forge.link.receive(message.headers, message.body, forge.link.alice(require_encrypted=False))
    assert result.disposition is ORDERS[names], result
    if isinstance(result, Refused):
        assert " " in result.reason
        assert result.concealed is (result.disposition is Disposition.DECRYPTION_FAILED)
        assert (result.mic is None) is result.concealed or not result.authenticated
    else:
        assert result.payload == forge.link.document
        assert result.compressed is ("compressed" in names)


def signed_attributes(forge: Forge) -> tuple[bytes, bytes]:
    """What a genuine signature of bob's covers, and that signature (RFC 5652 11): both are public."""
    covered = der.tlv(der.SET, *forge.usual())
    info = forge.info()
    outer = der.element_at(info, 0, len(info))
    fields = der.children(info, outer.start, outer.stop, limit=6)
    return covered, info[fields[-1].start : fields[-1].stop]


@pytest.mark.parametrize("agreed", [False, True])
def test_signed_attributes_sent_as_content(forge: Forge, agreed: bool) -> None:
    """The attack on signatures without attributes: what was signed once is the message now."""
    covered, signature = signed_attributes(forge)
    data = forge.signed(forge.info(attributes=None, signature=signature), content=covered)
    policy = LEAVE if agreed else DEFAULT_POLICY
    expected = Disposition.INTEGRITY_CHECK_FAILED if agreed else Disposition.INSUFFICIENT_MESSAGE_SECURITY
    terms = forge.link.alice(require_encrypted=False, policy=policy)
    beside = forge.signed(forge.info(attributes=None, signature=signature))
    for piece in (forge.link.cms(data, "signed-data"), forge.multipart(beside, covered)):
        message = forge.link.http(piece)
        assert forge.link.receive(message.headers, message.body, terms).disposition is expected


@pytest.mark.parametrize(
    "content", [b"", b"\x31\x00", b"\x31\x80\0\0", b"\x31\x03\4\1a\r\n", b"\x31\x81\x03\4\1a"]
)
def test_content_that_could_be_attributes(forge: Forge, content: bytes) -> None:
    """Only what is one SET from end to end could have been signed as attributes."""
    data = forge.signed(forge.info(attributes=None, signed=content), content=content)
    message = forge.link.http(forge.link.cms(data, "signed-data"))
    terms = forge.link.alice(require_encrypted=False, policy=LEAVE)
    result = forge.link.receive(message.headers, message.body, terms)
    if content.startswith(b"\x31\x00"):
        assert result.disposition is Disposition.INTEGRITY_CHECK_FAILED
    if isinstance(result, Received):
        assert result.payload in {content, content.removesuffix(b"\r\n")}


@pytest.mark.parametrize(
    "names", [("compressed",), ("compressed", "signed"), ("compressed", "signed", "encrypted")]
)
def test_a_bomb_at_any_depth(forge: Forge, names: tuple[str, ...]) -> None:
    message = forge.link.http(stacked(forge, *names, content=forge.link.entity(bytes(64 * MIB))))
    terms = forge.link.alice(require_encrypted=False, require_signed=False, max_payload=1024 * MIB)
    result = forge.link.receive(message.headers, message.body, terms)
    assert result.disposition is Disposition.DECOMPRESSION_FAILED


CALLED: dict[str, tuple[str, Callable[[Forge], bytes], Disposition]] = {
    "a signature called compressed": (
        "compressed-data",
        lambda f: opaque(f, f.content).body,
        Disposition.PROCESSED,
    ),
    "a signature called encrypted": (
        "enveloped-data",
        lambda f: opaque(f, f.content).body,
        Disposition.PROCESSED,
    ),
    "noise called compressed": ("compressed-data", lambda _: b"\x30noise", Disposition.DECOMPRESSION_FAILED),
    "noise called signed": ("signed-data", lambda _: b"\x30noise", Disposition.INTEGRITY_CHECK_FAILED),
    "noise called encrypted": ("enveloped-data", lambda _: b"\x30noise", Disposition.DECRYPTION_FAILED),
    "certificates only": (
        "certs-only",
        lambda f: f.signed(certificates=[f.link.keys["bob"].certificate]),
        Disposition.INTEGRITY_CHECK_FAILED,
    ),
    "certificates only, with content": (
        "certs-only",
        lambda f: f.signed(certificates=[f.link.keys["bob"].certificate], content=f.content),
        Disposition.AUTHENTICATION_FAILED,
    ),
    "another type of content": (
        "signed-data",
        lambda f: f.content_info("1.2.840.113549.1.7.5", f.sequence(f.integer(0))),
        Disposition.INTEGRITY_CHECK_FAILED,
    ),
    "a signature with content elsewhere": (
        "signed-data",
        lambda f: f.signed(f.info()),
        Disposition.INTEGRITY_CHECK_FAILED,
    ),
}


@pytest.mark.parametrize("case", CALLED)
def test_what_a_layer_is_called_decides_nothing(forge: Forge, case: str) -> None:
    name, build, expected = CALLED[case]
    message = forge.link.http(forge.link.cms(build(forge), name))
    result = forge.link.receive(message.headers, message.body, forge.link.alice(require_encrypted=False))
    assert result.disposition is expected, result


def test_the_part_beside_a_signature_counts_and_not_a_copy_inside(forge: Forge) -> None:
    """A SignedData with content of its own, sent as if detached: what counts is what stands beside it."""
    other = forge.content.replace(b"261122", b"991122")
    signature = forge.signed(forge.info(), content=forge.content)
    message = forge.link.http(forge.multipart(signature, other))
    result = forge.link.receive(message.headers, message.body, forge.link.alice(require_encrypted=False))
    assert result.disposition is Disposition.INTEGRITY_CHECK_FAILED
