"""Content ciphers by their parameters: which forms of them are read, and which tags."""

import os
import tracemalloc
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers import Cipher as Engine
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC, GCM

from tidewaiter.security import (
    DEFAULT_POLICY,
    Cipher,
    DecryptionFailed,
    InsufficientSecurity,
    MalformedCms,
    der,
)
from tidewaiter.security.algorithms import CIPHER_OIDS, RSA_ENCRYPTION, algorithm_identifier
from tidewaiter.security.cms import ContentType, decrypt
from tidewaiter.security.cms.ciphers import Encryption, new_algorithm, read_algorithm, seal, unseal
from tidewaiter.security.cms.content import DATA, write
from tidewaiter.security.trust import facts

MIB = 1024 * 1024
CONTENT = b"Content-Type: application/edifact\r\n\r\nUNB+UNOC:3'\r\n"


def gcm(nonce: bytes, *size: int) -> bytes:
    """GCMParameters (RFC 5084 3.2)."""
    sizes = (der.tlv(der.INTEGER, bytes((one,))) for one in size)
    return der.tlv(der.SEQUENCE, der.tlv(der.OCTET_STRING, nonce), *sizes)


def bare(nonce: bytes) -> bytes:
    return der.tlv(der.OCTET_STRING, nonce)


def contents(cipher: Cipher, parameters: bytes) -> bytes:
    return CIPHER_OIDS[cipher] + parameters


@pytest.mark.parametrize("cipher", [Cipher.AES128_GCM, Cipher.AES192_GCM, Cipher.AES256_GCM])
@pytest.mark.parametrize(
    ("parameters", "nonce", "tag"),
    [
        (gcm(bytes(12), 16), 12, 16),
        (gcm(bytes(12), 12), 12, 12),
        (gcm(bytes(12)), 12, 12),  # the default of the ASN.1
        (gcm(bytes(16), 16), 16, 16),
        (bare(bytes(16)), 16, 16),  # PKI.js
        (bare(bytes(12)), 12, 16),
    ],
)
def test_parameters_of_gcm_that_are_read(cipher: Cipher, parameters: bytes, nonce: int, tag: int) -> None:
    found = read_algorithm(contents(cipher, parameters))
    assert (found.cipher, len(found.iv), found.tag_size) == (cipher, nonce, tag)


@pytest.mark.parametrize(
    "parameters",
    [
        *(gcm(bytes(12), size) for size in (0, 4, 8, 11, 13, 14, 15, 17, 127)),
        gcm(b"", 16),
        gcm(bytes(7), 16),
        gcm(bytes(129), 16),
        gcm(bytes(12), 16, 16),
        bare(b""),
        bare(bytes(7)),
        bare(bytes(16)) + b"\0",
        bare(bytes(16))[:-1],
        der.tlv(der.NULL),
        der.tlv(0x24, bare(bytes(16))),
        b"",
    ],
)
def test_parameters_of_gcm_that_are_refused(parameters: bytes) -> None:
    with pytest.raises(MalformedCms):
        read_algorithm(contents(Cipher.AES256_GCM, parameters))


@pytest.mark.parametrize(
    "parameters", [b"", bare(b""), bare(bytes(15)), bare(bytes(17)), bare(bytes(16)) + b"\0", gcm(bytes(16))]
)
def test_parameters_of_cbc_that_are_refused(parameters: bytes) -> None:
    with pytest.raises(MalformedCms):
        read_algorithm(contents(Cipher.AES256_CBC, parameters))


@pytest.mark.parametrize("oid", ["1.2.840.113549.3.2", "1.3.14.3.2.7", "2.16.840.1.101.3.4.1.7", "1.2.3"])
def test_a_cipher_that_is_in_no_table_is_refused(oid: str) -> None:
    """RC2, DES, AES-CCM, and none at all."""
    with pytest.raises(InsufficientSecurity):
        read_algorithm(der.oid(oid) + bare(bytes(8)))


def sealed(party: Any, parameters: bytes, nonce: bytes, keep: int, *, separate: bool) -> bytes:
    """CONTENT under GCM, with `keep` octets of its tag: separate (RFC 5083) or behind the content."""
    key = os.urandom(32)
    engine = Engine(AES(key), GCM(nonce)).encryptor()
    encrypted = engine.update(CONTENT) + engine.finalize()
    tag = engine.tag[:keep]
    info = der.tlv(
        der.SEQUENCE,
        der.tlv(der.INTEGER, b"\0"),
        der.tlv(der.SEQUENCE, facts(party.certificate).name),
        algorithm_identifier(RSA_ENCRYPTION, der.tlv(der.NULL)),
        der.tlv(der.OCTET_STRING, party.private_key.public_key().encrypt(key, padding.PKCS1v15())),
    )
    identifier = algorithm_identifier(CIPHER_OIDS[Cipher.AES256_GCM], parameters)
    string = der.tlv(0x80, encrypted if separate else encrypted + tag)
    fields = [
        der.tlv(der.INTEGER, b"\0"),
        der.tlv(der.SET, info),
        der.tlv(der.SEQUENCE, DATA, identifier, string),
    ]
    if separate:
        return write(ContentType.AUTH_ENVELOPED, [*fields, der.tlv(der.OCTET_STRING, tag)])
    return write(ContentType.ENVELOPED, list(fields))


NONCE = bytes(range(12))


def test_the_nonce_alone_with_the_tag_behind_the_content(bob: Any) -> None:
    """As PKI.js writes it."""
    nonce = bytes(range(16))
    data = sealed(bob, bare(nonce), nonce, 16, separate=False)
    assert decrypt(data, [bob.decryption_key], policy=DEFAULT_POLICY) == CONTENT
    changed = data[:-1] + bytes((data[-1] ^ 1,))
    with pytest.raises(DecryptionFailed):
        decrypt(changed, [bob.decryption_key], policy=DEFAULT_POLICY)


@pytest.mark.parametrize("separate", [True, False])
@pytest.mark.parametrize(
    ("parameters", "keep", "opens"),
    [
        (gcm(NONCE, 16), 16, True),
        (gcm(NONCE, 12), 12, True),
        (gcm(NONCE), 12, True),
        *((gcm(NONCE, size), size, False) for size in (1, 4, 8, 11, 13, 15)),
        (gcm(NONCE, 16), 12, False),
        (bare(NONCE), 12, False),
    ],
)
def test_a_tag_is_whole_or_of_the_default_length(
    *, bob: Any, separate: bool, parameters: bytes, keep: int, opens: bool
) -> None:
    data = sealed(bob, parameters, NONCE, keep, separate=separate)
    if opens:
        assert decrypt(data, [bob.decryption_key], policy=DEFAULT_POLICY) == CONTENT
    else:
        with pytest.raises(DecryptionFailed):
            decrypt(data, [bob.decryption_key], policy=DEFAULT_POLICY)


@pytest.mark.parametrize(
    ("cipher", "size"), [(Cipher.AES128_CBC, 0), (Cipher.AES128_CBC, 15), (Cipher.DES3_CBC, 7)]
)
def test_no_whole_blocks_are_no_content(cipher: Cipher, size: int) -> None:
    algorithm = read_algorithm(contents(cipher, bare(bytes(cipher.block))))
    assert unseal(memoryview(bytes(size)), os.urandom(cipher.key_size), algorithm, b"", b"") is None


def cbc(content: bytes) -> tuple[memoryview, bytes, Encryption]:
    """`content` as it is under CBC, its key and its algorithm; padded only if it pads itself."""
    key, algorithm = os.urandom(32), read_algorithm(contents(Cipher.AES256_CBC, bare(bytes(16))))
    engine = Engine(AES(key), CBC(bytes(16))).encryptor()
    return memoryview(engine.update(content) + engine.finalize()), key, algorithm


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, MIB - 1, MIB, MIB + 1])
def test_padding_comes_off_and_no_more(size: int) -> None:
    content = os.urandom(size)
    missing = 16 - size % 16
    sealed_content, key, algorithm = cbc(content + bytes((missing,)) * missing)
    assert unseal(sealed_content, key, algorithm, b"", b"") == content


@pytest.mark.parametrize(
    "tail", [b"\0", b"\x11" * 17, b"\xff", b"\x01\x02", b"\x03\x02\x03", b"\x0f" + b"\x10" * 15]
)
def test_any_other_padding_is_none(tail: bytes) -> None:
    sealed_content, key, algorithm = cbc(bytes(32 - len(tail)) + tail)
    assert unseal(sealed_content, key, algorithm, b"", b"") is None


@pytest.mark.parametrize("cipher", [Cipher.AES256_CBC, Cipher.AES256_GCM])
def test_a_large_content_exists_once(cipher: Cipher) -> None:
    content, key = bytes(16 * MIB), os.urandom(32)
    algorithm, _ = new_algorithm(cipher)
    pieces, tag = seal([content], key, algorithm)
    whole = memoryview(b"".join(pieces))
    tracemalloc.start()
    try:
        assert unseal(whole, key, algorithm, tag, b"") == content
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1.2 * len(content) + 3 * MIB
