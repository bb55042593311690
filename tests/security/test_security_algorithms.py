"""Names, identifiers and policy."""

import dataclasses

import pytest
from cryptography import x509

from tidewaiter.security import (
    DEFAULT_POLICY,
    Cipher,
    Digest,
    InsufficientSecurity,
    KeyTransport,
    MalformedCms,
    Signature,
    algorithms,
    der,
)

SPELLINGS = {
    Digest.SHA1: ("sha1", "SHA-1", "SHA1", "sha_1", "rsa-sha1", "RSA-SHA1", '"sha1"', "sha"),
    Digest.SHA256: (
        "sha-256",
        "sha256",
        "SHA256",
        "SHA-256",
        "sha2_256",
        "sha2-256",
        " sha-256 ",
        "rsa-sha256",
    ),
    Digest.SHA384: ("sha-384", "SHA384", "sha2_384"),
    Digest.SHA512: ("sha-512", "SHA512", "sha2_512"),
}


@pytest.mark.parametrize(
    ("name", "digest"), [(name, digest) for digest, names in SPELLINGS.items() for name in names]
)
def test_every_spelling_of_a_digest(name: str, digest: Digest) -> None:
    assert Digest.from_micalg(name) is digest


@pytest.mark.parametrize("name", ["", "md5", "sha-224", "sha3-256", "sha1024", "ßha1", "256"])
def test_other_names_are_no_digest(name: str) -> None:
    assert Digest.from_micalg(name) is None


@pytest.mark.parametrize(
    ("digest", "name", "size"),
    [
        (Digest.SHA1, "sha1", 20),
        (Digest.SHA256, "sha-256", 32),
        (Digest.SHA384, "sha-384", 48),
        (Digest.SHA512, "sha-512", 64),
    ],
)
def test_the_name_and_value_of_a_digest(digest: Digest, name: str, size: int) -> None:
    running = digest.new(memoryview(b"a"))
    running.update(b"bc")
    assert (digest.micalg, digest.size, len(running.digest())) == (name, size, size)
    assert running.digest() == digest.new(b"abc").digest()


@pytest.mark.parametrize(("cipher", "key", "block"), [(Cipher.AES128_GCM, 16, 16), (Cipher.DES3_CBC, 24, 8)])
def test_the_sizes_of_a_cipher(cipher: Cipher, key: int, block: int) -> None:
    assert (cipher.key_size, cipher.block) == (key, block)


@pytest.mark.parametrize("weak", [Digest.SHA1, Cipher.DES3_CBC], ids=lambda weak: weak.value)
def test_the_default_refuses_what_is_weak(weak: Digest | Cipher) -> None:
    with pytest.raises(InsufficientSecurity, match=weak.value):
        DEFAULT_POLICY.require(weak)


@pytest.mark.parametrize("sound", [Digest.SHA256, Cipher.AES128_CBC, KeyTransport.ECDH_SHA1, Signature.ECDSA])
def test_the_default_allows_what_is_sound(sound: Digest | Cipher | KeyTransport | Signature) -> None:
    DEFAULT_POLICY.require(sound)


def test_a_policy_allows_what_it_names() -> None:
    agreed = dataclasses.replace(DEFAULT_POLICY, digests=frozenset({Digest.SHA1}), min_rsa_bits=1024)
    agreed.require(Digest.SHA1)
    agreed.require_rsa_bits(1024)
    for refused in (lambda: agreed.require(Digest.SHA256), lambda: agreed.require_rsa_bits(1023)):
        with pytest.raises(InsufficientSecurity):
            refused()
    with pytest.raises(InsufficientSecurity):
        DEFAULT_POLICY.require_rsa_bits(2047)


def test_each_algorithm_has_an_identifier() -> None:
    assert set(algorithms.DIGEST_OIDS) == set(Digest)
    assert set(algorithms.CIPHER_OIDS) == set(Cipher)
    assert set(algorithms.ECDSA_OIDS) == set(Digest)


@pytest.mark.parametrize(
    ("oid", "digest"),
    [
        (x509.SignatureAlgorithmOID.RSA_WITH_SHA1, Digest.SHA1),
        (x509.SignatureAlgorithmOID.RSA_WITH_SHA256, Digest.SHA256),
        (x509.SignatureAlgorithmOID.ECDSA_WITH_SHA384, Digest.SHA384),
        (x509.SignatureAlgorithmOID.RSASSA_PSS, None),
    ],
)
def test_identifiers_of_signatures(oid: x509.ObjectIdentifier, digest: Digest | None) -> None:
    assert algorithms.SIGNATURES[der.oid(oid.dotted_string)][1] is digest


def test_parameters_null_and_absent_are_one() -> None:
    oid = algorithms.DIGEST_OIDS[Digest.SHA256]
    assert algorithms.digest_of(oid) is Digest.SHA256
    assert algorithms.digest_of(oid + der.tlv(der.NULL)) is Digest.SHA256
    with pytest.raises(InsufficientSecurity):
        algorithms.digest_of(der.oid("1.2.840.113549.2.5"))
    with pytest.raises(MalformedCms):
        algorithms.digest_of(b"")
