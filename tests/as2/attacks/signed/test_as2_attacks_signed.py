"""What `verify` makes of signatures that are not what they seem, and what their sender is told.

Each vector of the conftest beside this is tried as bare CMS, as the signature of a message, around the
message, as that of a receipt, and inside encryption, where nothing but `decryption-failed` may be told.
"""

import dataclasses
from typing import Any

import pytest

from tidewaiter.gateway.as2 import (
    Composed,
    Disposition,
    MdnKind,
    Received,
    Refused,
    compose,
    compose_mdn,
    identify,
    mime,
    read_mdn,
)
from tidewaiter.gateway.as2.disposition import Outcome
from tidewaiter.gateway.as2.multipart import split
from tidewaiter.security import (
    AuthenticationFailed,
    Cipher,
    InsufficientSecurity,
    IntegrityFailed,
    MalformedCms,
    SecurityError,
)
from tidewaiter.security.cms import encrypt, verify

Forge = Any

TOLD = {
    MalformedCms: Disposition.INTEGRITY_CHECK_FAILED,
    IntegrityFailed: Disposition.INTEGRITY_CHECK_FAILED,
    AuthenticationFailed: Disposition.AUTHENTICATION_FAILED,
    InsufficientSecurity: Disposition.INSUFFICIENT_MESSAGE_SECURITY,
}
# What is called encrypted fails as encryption does, whatever the header says of it.
OTHER_TYPES = {"another content type"}
NOT_FOR_BER = {
    "a nested attribute that nobody reads",
    "the same, indefinite",
    "thousands of certificates",
    "BER",
    "lengths not minimal",
}


def test_what_verifies_and_what_does_not(forge: Forge, vector: Any, pinned: Any) -> None:
    """Twice, and after an honest message of the same signer: what was read before changes no answer."""
    data = vector.build(forge)

    def verified(data: bytes) -> bytes:
        return verify(data, forge.content, [pinned], policy=vector.policy, now=forge.link.now).content

    if vector.pinned == "bob":
        assert verified(forge.signed(forge.info())) == forge.content
    for _ in range(2):
        if vector.error is None:
            assert verified(data) == forge.content
        else:
            with pytest.raises(vector.error):
                verified(data)


def test_the_same_in_ber(forge: Forge, vector: Any, pinned: Any, case: str) -> None:
    """Made DER first, a message says what it said."""
    data = vector.build(forge)
    if vector.error is MalformedCms or case in NOT_FOR_BER:
        return  # It is not one element of DER, or has more of them, or deeper, than BER may have.
    try:
        verify(forge.in_ber(data), forge.content, [pinned], policy=vector.policy, now=forge.link.now)
    except SecurityError as error:
        found: type[SecurityError] | None = type(error)
    else:
        found = None
    assert found is vector.error


def test_what_the_sender_is_told(forge: Forge, vector: Any, pinned: Any) -> None:
    message = forge.link.http(forge.multipart(vector.build(forge)))
    terms = forge.link.alice(require_encrypted=False, their_signing=(pinned,), policy=vector.policy)
    result, mdn = forge.link.answer(message.headers, message.body, terms)
    if vector.error is None:
        assert isinstance(result, Received)
        assert result.payload == forge.link.document
        return
    assert isinstance(result, Refused)
    assert (result.disposition, result.authenticated, result.concealed) == (TOLD[vector.error], False, False)
    assert result.disposition.outcome is not Outcome.PROCESSED
    assert " " in result.reason
    assert b"automatic-action/MDN-sent-automatically; processed\r\n" not in mdn.body


def test_the_same_with_the_content_inside(forge: Forge, vector: Any, pinned: Any, case: str) -> None:
    data = vector.build(dataclasses.replace(forge, inside=True))
    message = forge.link.http(forge.link.cms(data, "signed-data"))
    terms = forge.link.alice(require_encrypted=False, their_signing=(pinned,), policy=vector.policy)
    result = forge.link.receive(message.headers, message.body, terms)
    if vector.error is None:
        assert isinstance(result, Received)
        assert result.payload == forge.link.document
    elif case in OTHER_TYPES:
        assert result.disposition is Disposition.DECRYPTION_FAILED
    else:
        assert result.disposition is TOLD[vector.error]
        assert " " in result.reason


def reply(forge: Forge, body: bytes, terms: Any) -> tuple[Received | Refused, tuple[object, ...]]:
    result, mdn = forge.link.answer(forge.link.send().headers, body, terms)
    return result, tuple(mdn)


@pytest.fixture(scope="module")
def untold(forge: Forge) -> tuple[object, ...]:
    """The reply to what was encrypted to somebody else."""
    bob = forge.link.keys["bob"].certificate
    stranger = encrypt(forge.content, [bob], cipher=Cipher.AES128_CBC)
    return reply(forge, stranger, forge.link.alice())[1]


def test_inside_encryption_nothing_is_told(forge: Forge, untold: Any, vector: Any, pinned: Any) -> None:
    inner = bytes(forge.multipart(vector.build(forge)))
    body = encrypt(inner, [forge.link.keys["alice"].certificate], cipher=Cipher.AES128_CBC)
    terms = forge.link.alice(their_signing=(pinned,), policy=vector.policy)
    result, mdn = reply(forge, body, terms)
    if vector.error is None and not vector.in_the_open_only:
        assert isinstance(result, Received)
    else:
        assert isinstance(result, Refused)
        assert mdn == untold
        assert (result.disposition, result.mic) == (Disposition.DECRYPTION_FAILED, None)
        assert result.concealed
        # A reason is a sentence; the name of an exception is what nobody foresaw.
        assert " " in result.reason.removeprefix("inside encryption: "), result.reason


@pytest.fixture(scope="module")
def asked(forge: Forge) -> tuple[Composed, bytes]:
    """A message of alice's, and what bob would sign to receipt it."""
    link = forge.link
    message = compose(
        link.document,
        "application/edifact",
        link.alice(),
        message_id="<2@alice>",
        now=link.now,
        boundary="0f1e2d3c",
    )
    identity = identify(link.wire(message.headers))
    ids = {"message_id": "<r@bob>", "now": link.now, "boundary": "a1b2c3"}
    mdn = compose_mdn(identity, Disposition.PROCESSED, message.mic, link.bob(), **ids)
    return message, bytes(split(mime.from_http(link.wire(mdn.headers), mdn.body)).parts[0])


def test_a_receipt_so_signed_proves_nothing(
    forge: Forge, asked: tuple[Composed, bytes], vector: Any, pinned: Any
) -> None:
    """Whoever can forge a receipt can make a declaration disappear."""
    message, report = asked
    forged = dataclasses.replace(forge, said=report)
    piece = forged.multipart(vector.build(forged), report)
    result = read_mdn(
        forge.link.wire(piece.headers),
        piece.body,
        forge.link.alice(their_signing=(pinned,), policy=vector.policy),
        message_id=message.message_id,
        mic=message.mic,
        now=forge.link.now,
    )
    if vector.error is None:
        assert (result.kind, result.signed) == (MdnKind.PROCESSED, True), result
    else:
        assert result.kind in {MdnKind.UNVERIFIED, MdnKind.MISSING}, result
        assert not result.signed
        assert " " in result.detail, result.detail
