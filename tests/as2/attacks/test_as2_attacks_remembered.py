"""What is remembered of honest messages lets nothing else through.

Structures that came before are compared instead of read. Here each octet of a structure is changed after the
honest one was read, and the answer must be that of a process which has read nothing before.
"""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tidewaiter.security import (
    DEFAULT_POLICY,
    AuthenticationFailed,
    Cipher,
    DecryptionFailed,
    Digest,
    InsufficientSecurity,
    IntegrityFailed,
    KeyTransport,
    SecurityError,
    Signature,
    der,
)
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


def changed(data: bytes, upto: int, start: int) -> Iterator[bytes]:
    """Each octet with a bit changed, and octets put elsewhere: the length stays."""
    for at in range(start, upto):
        yield data[:at] + bytes((data[at] ^ (0x80 >> at % 8),)) + data[at + 1 :]
    for at in range(start, upto, 11):
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


def test_what_stands_behind_the_signature_is_held_to_its_form(forge: Forge) -> None:
    """Unsigned attributes: nobody reads them, and they must be attributes all the same."""
    bob = forge.link.keys["bob"]
    data = forge.signed(forge.info(tail=der.tlv(0xA1, forge.attribute("1.2.3", der.tlv(der.NULL)))))

    def read(octets: bytes) -> bytes:
        pinned = [bob.certificate]
        return verify(octets, forge.content, pinned, policy=DEFAULT_POLICY, now=forge.link.now).content

    differs_after_honest(read, data, len(data), len(data) - 20)


KEYS = [
    ("alice", KeyTransport.RSA_PKCS1),
    ("alice", KeyTransport.RSA_OAEP_SHA256),
    ("carol", KeyTransport.ECDH_SHA256),
]


@pytest.mark.parametrize(("name", "transport"), KEYS)
def test_a_changed_recipient_after_the_honest_one(forge: Forge, name: str, transport: KeyTransport) -> None:
    keys = forge.link.keys[name]
    data = encrypt(forge.content, [keys.certificate], cipher=Cipher.AES256_GCM, key_transport=transport)

    key = keys.decryption_key  # one object: by it things are remembered

    def read(octets: bytes) -> bytes:
        return decrypt(octets, [key], policy=DEFAULT_POLICY)

    differs_after_honest(read, data, len(data) - len(forge.content) - 16)


def differs_after_honest(read: Read, data: bytes, upto: int, start: int = 0) -> None:
    """Every change is answered alike by those who know the honest message and those who do not."""
    for octets in changed(data, upto, start):
        forget()
        fresh = outcome(read, octets)
        read(data)
        assert outcome(read, octets) == fresh, octets.hex()


WITHOUT = {
    "digest": ("digests", frozenset({Digest.SHA512}), InsufficientSecurity),
    "scheme": ("signatures", frozenset({Signature.RSA_PSS}), InsufficientSecurity),
    "size": ("min_rsa_bits", 4096, InsufficientSecurity),
}


@pytest.mark.parametrize("case", WITHOUT)
def test_another_policy_counts_for_a_signature_that_was_right(forge: Forge, case: str) -> None:
    field, value, error = WITHOUT[case]
    bob = forge.link.keys["bob"]
    data = sign(forge.content, bob.signer, detached=True, signing_time=forge.link.now)
    verify(data, forge.content, [bob.certificate], policy=DEFAULT_POLICY, now=forge.link.now)
    strict = dataclasses.replace(DEFAULT_POLICY, **{field: value})
    with pytest.raises(error):
        verify(data, forge.content, [bob.certificate], policy=strict, now=forge.link.now)


def test_another_moment_content_and_partner_count_for_a_signature_that_was_right(forge: Forge) -> None:
    bob, alice = (forge.link.keys[name] for name in ("bob", "alice"))
    now, content = forge.link.now, forge.content
    data = sign(content, bob.signer, detached=True, signing_time=now)

    def checked(content: bytes, certificate: Any, moment: Any) -> None:
        verify(data, content, [certificate], policy=DEFAULT_POLICY, now=moment)

    for _ in range(2):
        checked(content, bob.certificate, now)
        for years in (-1, 20):
            with pytest.raises(AuthenticationFailed):
                checked(content, bob.certificate, now.replace(year=now.year + years))
        with pytest.raises(IntegrityFailed):
            checked(content + b"\r\n", bob.certificate, now)
        with pytest.raises(AuthenticationFailed):
            checked(content, alice.certificate, now)


def test_another_policy_and_key_count_for_a_recipient_that_was_right(forge: Forge) -> None:
    for name, transport in KEYS:
        keys = forge.link.keys[name]
        key = keys.decryption_key
        data = encrypt(forge.content, [keys.certificate], cipher=Cipher.AES256_GCM, key_transport=transport)
        assert decrypt(data, [key], policy=DEFAULT_POLICY) == forge.content
        strict = dataclasses.replace(DEFAULT_POLICY, key_transports=frozenset(KeyTransport) - {transport})
        with pytest.raises(InsufficientSecurity):
            decrypt(data, [key], policy=strict)
        with pytest.raises(DecryptionFailed):
            decrypt(data, [forge.link.keys["bob"].decryption_key], policy=DEFAULT_POLICY)
        if name == "alice":
            longer = dataclasses.replace(DEFAULT_POLICY, min_rsa_bits=4096)
            with pytest.raises(InsufficientSecurity):
                decrypt(data, [key], policy=longer)
