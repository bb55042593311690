"""Encryption made or changed by somebody who has not the key: one answer for all of it, and little work.

The changes of whole layers are in the concealment tests; here are those of the CMS around the content, and of
each block of it.
"""

import functools
import os
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers import Cipher as Engine
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC, GCM
from cryptography.hazmat.primitives.padding import PKCS7

from tidewaiter.gateway.as2 import Disposition, Received, Refused
from tidewaiter.security import Cipher, Digest, der
from tidewaiter.security.algorithms import (
    DIGEST_OIDS,
    MGF1,
    P_SPECIFIED,
    RSA_OAEP,
    algorithm_identifier,
)
from tidewaiter.security.cms import decryption, encrypt

Forge = Any
Build = Callable[[Forge], bytes]
BLOCK = 16
KEY, IV, NONCE = bytes(range(32)), bytes(range(16)), bytes(range(12))
NULL = der.tlv(der.NULL)
DATA = der.oid("1.2.840.113549.1.7.1")


def honest(forge: Forge) -> bytes:
    """What bob signed, as an entity."""
    return bytes(forge.link.signed_by("bob"))


def cbc(content: bytes, *, padded: bool = True) -> bytes:
    if padded:
        padder = PKCS7(128).padder()
        content = padder.update(content) + padder.finalize()
    engine = Engine(AES(KEY), CBC(IV)).encryptor()
    return engine.update(content) + engine.finalize()


def gcm(content: bytes, covered: bytes = b"") -> tuple[bytes, bytes]:
    engine = Engine(AES(KEY), GCM(NONCE)).encryptor()
    engine.authenticate_additional_data(covered)
    return engine.update(content) + engine.finalize(), engine.tag


def parameters(forge: Forge, size: int = 16) -> bytes:
    return bytes(forge.sequence(forge.octets(NONCE), forge.integer(size)))


def in_cbc(forge: Forge, *infos: bytes, encrypted: bytes | None = None) -> bytes:
    """An EnvelopedData of CBC; of the honest content to alice unless told otherwise."""
    encrypted = cbc(honest(forge)) if encrypted is None else encrypted
    given = infos or (forge.transported(KEY),)
    return bytes(
        forge.enveloped(*given, cipher=Cipher.AES256_CBC, parameters=forge.octets(IV), encrypted=encrypted)
    )


def tagged(
    forge: Forge, *, attributes: bytes = b"", shown: bytes | None = None, size: int = 16, keep: int = 16
) -> bytes:
    """An AuthEnvelopedData whose tag covers `attributes`, and that shows `shown` instead."""
    encrypted, tag = gcm(honest(forge), der.tlv(der.SET, attributes) if attributes else b"")
    shown = attributes if shown is None else shown
    authentic = [*([der.tlv(0xA1, shown)] if shown else []), forge.octets(tag[:keep])]
    return bytes(
        forge.enveloped(
            forge.transported(KEY),
            cipher=Cipher.AES256_GCM,
            parameters=parameters(forge, size),
            encrypted=encrypted,
            authentic=authentic,
        )
    )


def behind(forge: Forge, size: int, keep: int) -> bytes:
    """GCM in EnvelopedData, with `keep` octets of the tag behind the content."""
    encrypted, tag = gcm(honest(forge))
    return bytes(
        forge.enveloped(
            forge.transported(KEY),
            cipher=Cipher.AES256_GCM,
            parameters=parameters(forge, size),
            encrypted=encrypted + tag[:keep],
        )
    )


def oaep(forge: Forge, label: bytes | None, shown: bytes | None = None) -> bytes:
    """OAEP with SHA-256; `label` is used, `shown` named in the message."""
    pad = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), label)
    hashed = algorithm_identifier(DIGEST_OIDS[Digest.SHA256], NULL)
    named = label if shown is None else shown
    fields = [hashed, algorithm_identifier(MGF1, hashed)]
    if named is not None:
        fields.append(algorithm_identifier(P_SPECIFIED, forge.octets(named)))
    algorithm = algorithm_identifier(
        RSA_OAEP, forge.sequence(*(der.tlv(0xA0 + number, field) for number, field in enumerate(fields)))
    )
    return in_cbc(forge, forge.transported(KEY, pad=pad, algorithm=algorithm))


def attribute(forge: Forge, value: bytes = DATA) -> bytes:
    return bytes(forge.attribute("1.2.840.113549.1.9.3", value))


def pieces(forge: Forge, size: int) -> bytes:
    """As a streaming sender writes it, the content in strings of `size` octets."""
    encrypted = cbc(honest(forge))
    strings = (forge.octets(encrypted[n : n + size]) for n in range(0, len(encrypted), size))
    identifier = algorithm_identifier(der.oid("2.16.840.1.101.3.4.1.42"), forge.octets(IV))
    content = forge.indefinite(der.SEQUENCE, DATA, identifier, forge.indefinite(0xA0, *strings))
    infos = der.tlv(der.SET, forge.transported(KEY))
    structure = forge.indefinite(der.SEQUENCE, forge.integer(0), infos, content)
    kind = der.oid("1.2.840.113549.1.7.3")
    return bytes(forge.indefinite(der.SEQUENCE, kind, forge.indefinite(0xA0, structure)))


def agreed_many(forge: Forge, count: int) -> bytes:
    """One key agreement with `count` keys for strangers."""
    stranger = forge.sequence(forge.named(forge.link.keys["carol"]), forge.octets(bytes(40)))
    point = der.tlv(0xA1, forge.sequence(der.oid("1.2.840.10045.2.1")), der.tlv(0x03, b"\0\4" + bytes(64)))
    how = forge.sequence(der.oid("1.3.132.1.11.1"), forge.sequence(der.oid("2.16.840.1.101.3.4.1.45")))
    return bytes(
        der.tlv(0xA1, forge.integer(3), der.tlv(0xA0, point), how, forge.sequence(*[stranger] * count))
    )


OPENED: dict[str, Build] = {
    "CBC": in_cbc,
    "GCM with its tag beside": tagged,
    "GCM with its tag behind": lambda f: behind(f, 16, 16),
    "a tag of the default length": lambda f: tagged(f, size=12, keep=12),
    "authenticated attributes": lambda f: tagged(f, attributes=attribute(f)),
    "OAEP with a label": lambda f: oaep(f, b"label"),
    "in pieces": lambda f: pieces(f, 1000),
    "in pieces of one octet": lambda f: pieces(f, 1),
    "after strangers": lambda f: in_cbc(f, *[f.transported(KEY, "bob")] * 60, f.transported(KEY)),
}
CHANGED: dict[str, Build] = {
    "no recipient": lambda f: in_cbc(f, b""),
    "a stranger's": lambda f: in_cbc(f, f.transported(KEY, "bob")),
    "a key too short": lambda f: in_cbc(f, f.transported(KEY[:16])),
    "a key too long": lambda f: in_cbc(f, f.transported(KEY + KEY)),
    "an empty key": lambda f: in_cbc(f, f.transported(b"")),
    "another key": lambda f: in_cbc(f, f.transported(bytes(32))),
    "thousands of recipients": lambda f: in_cbc(f, *[f.transported(KEY)] * 2000),
    "a RecipientInfo of 100 KB": lambda f: in_cbc(f, f.transported(KEY), agreed_many(f, 2000)),
    "no content": lambda f: in_cbc(f, encrypted=b""),
    "no whole block": lambda f: in_cbc(f, encrypted=cbc(honest(f))[:-1]),
    "no padding": lambda f: in_cbc(f, encrypted=cbc(bytes(64), padded=False)),
    "a padding beyond the block": lambda f: in_cbc(f, encrypted=cbc(b"\x11" * 64, padded=False)),
    "padding only": lambda f: in_cbc(f, encrypted=cbc(b"")),
    "octets behind": lambda f: in_cbc(f) + b"\0",
    "other attributes": lambda f: tagged(f, attributes=attribute(f), shown=attribute(f, NULL)),
    "attributes removed": lambda f: tagged(f, attributes=attribute(f), shown=b""),
    "attributes added": lambda f: tagged(f, shown=attribute(f)),
    "no tag": lambda f: tagged(f, keep=0),
    "a label that is not shown": lambda f: oaep(f, b"label", b""),
    "another label": lambda f: oaep(f, b"label", b"other"),
    **{
        f"a tag of {keep} octets, {size} named": lambda f, size=size, keep=keep: tagged(
            f, size=size, keep=keep
        )  # type: ignore[misc]
        for size, keep in ((16, 15), (16, 12), (15, 15), (13, 13), (12, 16), (8, 8), (4, 4), (1, 1), (0, 0))
    },
    **{
        f"a tag of {keep} octets behind, {size} named": functools.partial(behind, size=size, keep=keep)
        for size, keep in ((16, 12), (12, 16), (8, 8), (4, 4), (1, 1), (0, 0))
    },
}


def reply(forge: Forge, body: bytes) -> tuple[Received | Refused, tuple[object, ...]]:
    result, mdn = forge.link.answer(forge.link.send().headers, body)
    return result, tuple(mdn)


@pytest.fixture(scope="module")
def refused(forge: Forge) -> tuple[object, ...]:
    """The reply to what was encrypted to somebody else."""
    stranger = encrypt(honest(forge), [forge.link.keys["bob"].certificate], cipher=Cipher.AES256_CBC)
    return reply(forge, stranger)[1]


def told_nothing(forge: Forge, body: bytes, refused: tuple[object, ...]) -> None:
    result, mdn = reply(forge, body)
    assert isinstance(result, Refused), result
    assert (result.disposition, result.mic) == (Disposition.DECRYPTION_FAILED, None)
    assert mdn == refused
    # A reason is a sentence; the name of an exception is what nobody foresaw.
    assert " " in result.reason.removeprefix("inside encryption: "), result.reason


@pytest.mark.parametrize("case", OPENED)
def test_what_opens(forge: Forge, case: str) -> None:
    result, _ = reply(forge, OPENED[case](forge))
    assert isinstance(result, Received), result
    assert result.payload == forge.link.document


@pytest.mark.parametrize("case", CHANGED)
def test_what_does_not_open(forge: Forge, refused: Any, case: str) -> None:
    told_nothing(forge, CHANGED[case](forge), refused)


def changed_blocks(data: bytes, every: int) -> Iterator[bytes]:
    """One bit of one block in `every`, and of the last two: it becomes noise, and the next has the bit."""
    count = len(data) // BLOCK
    for block in sorted({*range(0, count, every), count - 2, count - 1}):
        changed = bytearray(data)
        changed[block * BLOCK + block % BLOCK] ^= 1 << block % 8
        yield bytes(changed)


def test_a_bit_of_every_block(forge: Forge, refused: Any) -> None:
    """EFAIL: wherever the gadget begins, in the headers, the signed part or the signature."""
    data = cbc(honest(forge))
    for encrypted in changed_blocks(data, 3):
        told_nothing(forge, in_cbc(forge, encrypted=encrypted), refused)


def test_a_bit_of_the_vector(forge: Forge, refused: Any) -> None:
    """It changes the first line and nothing else: `content-type` in other letters is the same header."""
    body = in_cbc(forge)
    at = body.index(der.tlv(der.OCTET_STRING, IV)) + 2
    for place in range(0, BLOCK, 3):
        changed = bytearray(body)
        changed[at + place] ^= 0x01
        told_nothing(forge, bytes(changed), refused)


def test_blocks_repeated_and_left_out(forge: Forge, refused: Any) -> None:
    data = cbc(honest(forge))
    for at in range(0, len(data), 23 * BLOCK):
        told_nothing(forge, in_cbc(forge, encrypted=data[:at] + data[at : at + BLOCK] + data[at:]), refused)
        told_nothing(forge, in_cbc(forge, encrypted=data[:at] + data[at + BLOCK :]), refused)


def test_a_tag_cut_off_and_cbc_named_instead(forge: Forge, refused: Any) -> None:
    """The key fits both modes: an answer that varied would decrypt GCM block by block."""
    encrypted, _ = gcm(honest(forge))
    whole = len(encrypted) // BLOCK * BLOCK
    for start in range(0, whole, 11 * BLOCK):
        told_nothing(forge, in_cbc(forge, encrypted=encrypted[start:whole]), refused)
        told_nothing(forge, in_cbc(forge, encrypted=encrypted[start : start + 2 * BLOCK]), refused)


def test_cbc_named_gcm(forge: Forge, refused: Any) -> None:
    body = forge.enveloped(
        forge.transported(KEY),
        cipher=Cipher.AES256_GCM,
        parameters=parameters(forge),
        encrypted=cbc(honest(forge)),
    )
    told_nothing(forge, body, refused)


def test_a_message_cut_anywhere(forge: Forge, refused: Any) -> None:
    body = in_cbc(forge)
    for length in range(0, len(body), 37):
        told_nothing(forge, body[:length], refused)


@pytest.mark.parametrize("count", [1, 64])
def test_one_private_key_operation_a_message(
    forge: Forge, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """However many recipients are ours: an RSA decryption is what costs, and what an oracle is asked for."""
    calls: list[int] = []
    original = decryption.rsa_key

    def counted(*arguments: Any) -> bytes:
        calls.append(1)
        return original(*arguments)

    monkeypatch.setattr(decryption, "rsa_key", counted)
    infos = [forge.transported(os.urandom(32)) for _ in range(count)]
    reply(forge, in_cbc(forge, *infos))
    assert len(calls) == 1


@pytest.mark.parametrize(
    "build",
    [
        lambda _: b"\x30\x80" * 500_000,
        lambda _: b"\x24\x80" * 500_000,
        lambda _: b"\x30\x80" + b"\4\0" * 500_000,
        lambda f: f.content_info("1.2.840.113549.1.7.3", f.sequence(*[NULL] * 500_000)),
        lambda f: f.content_info(
            "1.2.840.113549.1.7.3", f.sequence(f.integer(0), der.tlv(der.SET, NULL * 500_000))
        ),
    ],
)
def test_a_megabyte_of_nothing_takes_few(forge: Forge, refused: Any, build: Build) -> None:
    """Elements are counted before they are kept."""
    body = build(forge)
    tracemalloc.start()
    try:
        told_nothing(forge, body, refused)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 12 * len(body)
