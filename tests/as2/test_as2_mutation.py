"""Messages with octets changed, left out, put in, and cut: the same meaning comes of it, or a due refusal.

The places are seeded, so that a failure comes again; each run of the suite tries the same.
"""

import contextlib
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tidewaiter.gateway.as2 import BadRequest, Composed, Disposition, Received, Refused
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
from tidewaiter.security.inspection.structures import carried_certificates, inspect

SEED = 20_261_122
# The octet flips of one message; the primes walk through all offsets of a structure of powers of two.
EVERY, CUT_EVERY = 7, 17

FORMS: dict[str, dict[str, Any]] = {
    "CBC": {},
    "GCM": {"cipher": Cipher.AES256_GCM},
    "GCM, the other dialect": {"cipher": Cipher.AES128_GCM, "gcm_in_enveloped": True},
    "OAEP, opaque": {"key_transport": KeyTransport.RSA_OAEP_SHA256, "opaque": True},
    "compressed": {"compress": True},
    "compressed after signing": {"compress": True, "compress_after_signing": True},
    "base64": {"base64": True},
    "signed only": {"encrypt": False},
    "signed, compressed": {"encrypt": False, "compress": True, "compress_after_signing": True},
}
DOCUMENTED = set(Disposition) - {Disposition.PROCESSED, Disposition.UNEXPECTED_PROCESSING_ERROR}


def mutations(data: bytes, every: int = EVERY) -> Iterator[bytes]:
    """One octet in `every` with a bit flipped, a value of its own, left out, doubled; cuts; pieces moved."""
    choose = random.Random(SEED)
    for start in range(0, len(data), every):
        at = min(start + choose.randrange(every), len(data) - 1)
        for octet in (data[at] ^ 1 << choose.randrange(8), choose.randrange(256)):
            yield data[:at] + bytes((octet,)) + data[at + 1 :]
        yield data[:at] + data[at + 1 :]
        yield data[: at + 1] + data[at:]
    for length in range(0, len(data), CUT_EVERY):
        yield data[:length]
        yield data[length:]
    for _ in range(20):
        first, second = sorted(choose.sample(range(len(data)), 2))
        yield data[:first] + data[second:]
        yield data[:first] + data[first:second] * 2 + data[second:]


def is_in_order(link: Any, result: Received | Refused, message: Composed) -> bool:
    """The same meaning, or a refusal that was meant."""
    if isinstance(result, Received):
        same = (result.payload, result.filename, result.content_type, result.mic)
        return result.signed and same == (link.document, "p.edi", "application/edifact", message.mic)
    # A reason is a sentence; the name of an exception is what nobody foresaw.
    foreseen = " " in result.reason.removeprefix("inside encryption: ")
    told = (Disposition.DECRYPTION_FAILED, None) if result.concealed else (result.disposition, result.mic)
    return result.disposition in DOCUMENTED and foreseen and told == (result.disposition, result.mic)


@pytest.mark.parametrize("form", FORMS)
def test_a_mutated_message_means_the_same_or_is_refused(link: Any, form: str) -> None:
    message = link.send(**FORMS[form])
    terms = link.alice(require_encrypted=False)
    # What is right may be remembered, and must make nothing else right.
    assert isinstance(link.receive(message.headers, message.body, terms), Received)
    for body in mutations(message.body, EVERY):
        result = link.receive(message.headers, body, terms)
        assert is_in_order(link, result, message), (form, result, body)


@pytest.mark.parametrize("name", ["Content-Type", "Message-ID", "AS2-Version", "Content-Transfer-Encoding"])
def test_a_header_with_any_value_is_answered(link: Any, name: str) -> None:
    message = link.send(encrypt=False)
    choose = random.Random(SEED)
    values = [dict(message.headers).get(name, "binary")]
    values += [
        "".join(mutated)
        for mutated in (choose.choices('"=;/,\\\t ab1-%*()\x80\xff', k=30) for _ in range(60))
    ]
    value = values[0]
    values += [value[:n] for n in range(0, len(value), 3)] + [
        value + extra for extra in (";", '"', "; a*0=b", "\\")
    ]
    for changed in values:
        headers = {**dict(message.headers), name: changed}.items()
        with contextlib.suppress(BadRequest):
            result = link.receive(headers, message.body, link.alice(require_encrypted=False))
            assert isinstance(result, Received | Refused)
            if isinstance(result, Received):
                assert result.payload == link.document


@pytest.fixture(scope="module")
def readers(link: Any) -> dict[str, tuple[bytes, Callable[[bytes], object], object]]:
    """A structure of each kind, what reads it, and what it reads."""
    content = link.entity(link.document)
    bob, alice, carol = (link.keys[name] for name in ("bob", "alice", "carol"))
    keys = (alice.decryption_key, carol.decryption_key)
    pinned = (bob.certificate, carol.certificate)
    pss = Signer(bob.certificate, bob.private_key, scheme=Signature.RSA_PSS)

    def opened(data: bytes) -> bytes:
        return decrypt(data, keys, policy=DEFAULT_POLICY)

    def verified(data: bytes) -> bytes:
        return verify(data, None, pinned, policy=DEFAULT_POLICY, now=link.now).content

    def beside(data: bytes) -> bytes:
        return verify(data, content, pinned, policy=DEFAULT_POLICY, now=link.now).content

    return {
        "compressed": (compress(content), lambda data: decompress(data, limit=10_000), content),
        "opaque": (sign(content, bob.signer, detached=False, signing_time=link.now), verified, content),
        "PSS": (sign(content, pss, detached=True, signing_time=link.now), beside, content),
        "ECDSA": (sign(content, carol.signer, detached=True, signing_time=link.now), beside, content),
        "GCM by RSA": (encrypt(content, [alice.certificate], cipher=Cipher.AES256_GCM), opened, content),
        "GCM by ECDH": (encrypt(content, [carol.certificate], cipher=Cipher.AES128_GCM), opened, content),
    }


@pytest.mark.parametrize("kind", ["compressed", "opaque", "PSS", "ECDSA", "GCM by RSA", "GCM by ECDH"])
def test_a_mutated_structure_reads_the_same_or_raises_a_security_error(
    readers: dict[str, tuple[bytes, Callable[[bytes], object], object]], kind: str
) -> None:
    """All of these are authenticated, or hold a checksum."""
    data, read, expected = readers[kind]
    assert read(data) == expected
    for changed in mutations(data):
        with contextlib.suppress(SecurityError):
            assert read(changed) == expected
        for look in (content_type, inspect, carried_certificates):
            with contextlib.suppress(SecurityError):
                look(changed)


def test_every_octet_of_the_outer_layers(link: Any) -> None:
    """Each octet before the encrypted content, each with the values that matter to DER."""
    message = link.send()
    assert isinstance(link.receive(message.headers, message.body), Received)
    for at in range(90):
        for octet in {0x00, 0x1F, 0x24, 0x30, 0x80, 0x84, 0xA0, 0xFF, message.body[at] ^ 1} - {
            message.body[at]
        }:
            body = message.body[:at] + bytes((octet,)) + message.body[at + 1 :]
            assert is_in_order(link, link.receive(message.headers, body), message), (at, octet)
