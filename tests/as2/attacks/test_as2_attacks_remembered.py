"""What is remembered of honest messages lets nothing else through.

Structures that came before are compared instead of read. Here each octet of a structure is changed after the
honest one was read, and the answer must be that of a process which has read nothing before.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tidewaiter.security import DEFAULT_POLICY, Cipher, KeyTransport, SecurityError, Signature
from tidewaiter.security.cms import (
    Signer,
    attributes,
    decrypt,
    decryption,
    encrypt,
    sign,
    verification,
    verify,
)

Forge = Any
Read = Callable[[bytes], bytes]


def forget() -> None:
    """As in a process that has read nothing."""
    for remembered in (
        attributes._usual,
        verification._usual,
        decryption._transports,
        decryption._agreements,
    ):
        remembered._known.clear()


def outcome(read: Read, data: bytes) -> object:
    """The content, or the kind of refusal."""
    try:
        return read(data)
    except SecurityError as error:
        return type(error)


def changed(data: bytes, upto: int) -> Iterator[bytes]:
    """Each octet with a bit changed, and octets put elsewhere: the length stays."""
    for at in range(upto):
        yield data[:at] + bytes((data[at] ^ (0x80 >> at % 8),)) + data[at + 1 :]
    for at in range(0, upto, 11):
        yield data[:at] + data[at + 1 :] + data[at : at + 1]


SIGNERS = [("bob", Signature.RSA_PKCS1), ("bob", Signature.RSA_PSS), ("carol", Signature.ECDSA)]


@pytest.mark.parametrize(("name", "scheme"), SIGNERS)
def test_a_changed_signature_after_the_honest_one(forge: Forge, name: str, scheme: Signature) -> None:
    keys = forge.link.keys[name]
    signer = Signer(keys.certificate, keys.private_key, scheme=scheme)
    content = forge.content
    data = sign(content, signer, detached=True, signing_time=forge.link.now)

    def read(octets: bytes) -> bytes:
        return verify(octets, content, [keys.certificate], policy=DEFAULT_POLICY, now=forge.link.now).content

    differs_after_honest(read, data, len(data))


KEYS = [
    ("alice", KeyTransport.RSA_PKCS1),
    ("alice", KeyTransport.RSA_OAEP_SHA256),
    ("carol", KeyTransport.ECDH_SHA256),
]


@pytest.mark.parametrize(("name", "transport"), KEYS)
def test_a_changed_recipient_after_the_honest_one(forge: Forge, name: str, transport: KeyTransport) -> None:
    keys = forge.link.keys[name]
    data = encrypt(forge.content, [keys.certificate], cipher=Cipher.AES256_GCM, key_transport=transport)

    def read(octets: bytes) -> bytes:
        return decrypt(octets, [keys.decryption_key], policy=DEFAULT_POLICY)

    differs_after_honest(read, data, len(data) - len(forge.content) - 16)


def differs_after_honest(read: Read, data: bytes, upto: int) -> None:
    """Every change is answered alike by those who know the honest message and those who do not."""
    for octets in changed(data, upto):
        forget()
        fresh = outcome(read, octets)
        read(data)
        assert outcome(read, octets) == fresh, octets.hex()
