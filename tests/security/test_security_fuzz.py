"""The promise of the room: accept, or raise a SecurityError; nothing else, whatever the octets."""

import contextlib
import datetime
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidewaiter.security import DEFAULT_POLICY, Cipher, KeyTransport, SecurityError, Signature
from tidewaiter.security.cms import (
    Signer,
    compress,
    content_type,
    decompress,
    decrypt,
    encrypt,
    sign,
    verify,
)

CONTENT = b"Content-Type: application/edifact\r\n\r\nUNB+UNOC:3'\r\n"
Feed = Callable[[bytes], None]


@pytest.fixture(scope="module")
def feed(bob: Any, carol: Any, now: datetime.datetime) -> Feed:
    """Everything that reads octets of a peer."""
    certificates = [bob.certificate, carol.certificate]
    keys = [bob.decryption_key, carol.decryption_key]
    readers: list[Callable[[bytes], object]] = [
        content_type,
        lambda data: decompress(data, limit=10_000),
        lambda data: decrypt(data, keys, policy=DEFAULT_POLICY),
        lambda data: verify(data, None, certificates, policy=DEFAULT_POLICY, now=now),
        lambda data: verify(data, CONTENT, certificates, policy=DEFAULT_POLICY, now=now),
    ]

    def run(data: bytes) -> None:
        for reader in readers:
            with contextlib.suppress(SecurityError):
                reader(data)

    return run


@pytest.fixture(scope="module")
def valid(bob: Any, carol: Any, now: datetime.datetime) -> list[bytes]:
    """One message of each kind."""
    signers = [
        Signer(bob.certificate, bob.private_key),
        Signer(bob.certificate, bob.private_key, scheme=Signature.RSA_PSS),
        Signer(carol.certificate, carol.private_key),
    ]
    sealed = [
        (bob, Cipher.AES256_CBC, KeyTransport.RSA_PKCS1),
        (bob, Cipher.AES128_GCM, KeyTransport.RSA_OAEP_SHA256),
        (carol, Cipher.AES256_GCM, KeyTransport.ECDH_SHA256),
    ]
    return [
        compress(CONTENT),
        *(
            sign(CONTENT, signer, detached=detached, signing_time=now)
            for signer in signers
            for detached in (True, False)
        ),
        *(
            encrypt(CONTENT, [party.certificate], cipher=cipher, key_transport=how)
            for party, cipher, how in sealed
        ),
    ]


@given(data=st.binary(max_size=300))
@settings(deadline=None, max_examples=200, derandomize=True)
def test_any_octets(feed: Feed, data: bytes) -> None:
    feed(data)


@given(random=st.data())
@settings(deadline=None, max_examples=300, derandomize=True)
def test_valid_messages_with_octets_changed(feed: Feed, valid: list[bytes], random: st.DataObject) -> None:
    data = bytearray(random.draw(st.sampled_from(valid)))
    for _ in range(random.draw(st.integers(1, 4))):
        data[random.draw(st.integers(0, len(data) - 1))] = random.draw(st.integers(0, 255))
    feed(bytes(data))


@given(random=st.data())
@settings(deadline=None, max_examples=200, derandomize=True)
def test_valid_messages_cut_and_joined(feed: Feed, valid: list[bytes], random: st.DataObject) -> None:
    first, second = (random.draw(st.sampled_from(valid)) for _ in range(2))
    start = random.draw(st.integers(0, len(first)))
    stop = random.draw(st.integers(0, len(second)))
    feed(first[:start] + second[stop:])


def test_the_header_of_each_message_octet_by_octet(feed: Feed, valid: list[bytes]) -> None:
    """Tags and lengths of the outer layers, each set to the values that matter."""
    for data in valid:
        for place in range(min(len(data), 60)):
            for value in (0x00, 0x1F, 0x24, 0x7F, 0x80, 0x84, 0xA0, 0xFF):
                feed(data[:place] + bytes((value,)) + data[place + 1 :])
