"""Wycheproof through our own paths: signatures, key transport, key agreement, key wrap, content ciphers.

Where we answer otherwise than the vector, the reason stands in one table here, and the table is held to be
whole and without a reason that nothing needs.
"""

import dataclasses
import functools
import hashlib
import json
import pathlib
import tarfile
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from tidewaiter.security import DEFAULT_POLICY, Cipher, Digest, KeyTransport, SecurityError, Signature, der
from tidewaiter.security.algorithms import (
    CIPHER_OIDS,
    KEY_WRAP_OIDS,
    MGF1,
    P_SPECIFIED,
    RSA_OAEP,
    algorithm_identifier,
)
from tidewaiter.security.cms import recipients
from tidewaiter.security.cms.ciphers import read_algorithm, unseal
from tidewaiter.security.cms.declarations import KeyAgreeRecipientInfo, decode
from tidewaiter.security.cms.recipients import agreed_key, read_agreement, read_transport, rsa_key
from tidewaiter.security.cms.signature import check_signature

ARCHIVE = "security/wycheproof-cms-subset.tar.xz"
TESTS = 9_422
NULL = der.tlv(der.NULL)
KEY = bytes(range(32))
HASHES = {
    "SHA-1": "1.3.14.3.2.26",
    "SHA-224": "2.16.840.1.101.3.4.2.4",
    "SHA-256": "2.16.840.1.101.3.4.2.1",
    "SHA-384": "2.16.840.1.101.3.4.2.2",
    "SHA-512": "2.16.840.1.101.3.4.2.3",
    "SHA-512/224": "2.16.840.1.101.3.4.2.5",
    "SHA-512/256": "2.16.840.1.101.3.4.2.6",
}
DIGESTS = {name: Digest.from_micalg(name) for name in ("SHA-1", "SHA-256", "SHA-384", "SHA-512")}
# What an agreement could name at most.
POLICY = dataclasses.replace(
    DEFAULT_POLICY, digests=frozenset(Digest), key_transports=frozenset(KeyTransport), min_rsa_bits=1024
)
CBC = {16: Cipher.AES128_CBC, 24: Cipher.AES192_CBC, 32: Cipher.AES256_CBC}
GCM = {16: Cipher.AES128_GCM, 24: Cipher.AES192_GCM, 32: Cipher.AES256_GCM}

Group = dict[str, Any]
Test = dict[str, Any]
# True: our code did what the vector is about; False: it refused.
Check = Callable[[Group, Test], bool]


class UnusedError(Exception):
    """The group's key or digest has no place in this room: nothing can be tried."""


def octets(test: Test, name: str) -> bytes:
    return bytes.fromhex(test[name])


def hashed(name: str) -> bytes:
    return algorithm_identifier(der.oid(HASHES[name]), NULL)


def explicit(*fields: bytes) -> bytes:
    return der.tlv(der.SEQUENCE, *(der.tlv(0xA0 + number, field) for number, field in enumerate(fields)))


@functools.lru_cache(maxsize=8)
def public_key(encoded: str) -> Any:
    return serialization.load_der_public_key(bytes.fromhex(encoded))


@functools.lru_cache(maxsize=8)
def private_key(encoded: str) -> rsa.RSAPrivateKey:
    try:
        # The check of the primes takes longer than all else.
        key = serialization.load_der_private_key(
            bytes.fromhex(encoded), None, unsafe_skip_rsa_key_validation=True
        )
    except ValueError as error:
        raise UnusedError("the key cannot be loaded") from error
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


def signed(group: Group, test: Test, scheme: Signature, parameters: bytes) -> bool:
    digest = DIGESTS.get(group["sha"])
    if digest is None:
        raise UnusedError("the digest is in no table")
    key = public_key(group.get("publicKeyDer") or group["keyDer"])
    try:
        check_signature(
            key,
            scheme=scheme,
            digest=digest,
            parameters=parameters,
            signature=octets(test, "sig"),
            signed=octets(test, "msg"),
            policy=POLICY,
        )
    except SecurityError:
        return False
    return True


def rsa_signature(group: Group, test: Test) -> bool:
    return signed(group, test, Signature.RSA_PKCS1, NULL)


def ecdsa_signature(group: Group, test: Test) -> bool:
    return signed(group, test, Signature.ECDSA, b"")


def pss_signature(group: Group, test: Test) -> bool:
    """With the parameters (RFC 4055 3.1) that a SignerInfo would have."""
    if group["sha"] not in HASHES or group["mgf"] != "MGF1" or group["mgfSha"] not in HASHES:
        raise UnusedError("the mask generation has no name here")
    mask = algorithm_identifier(MGF1, hashed(group["mgfSha"]))
    salt = der.tlv(der.INTEGER, group["sLen"].to_bytes(2, "big").lstrip(b"\0") or b"\0")
    return signed(group, test, Signature.RSA_PSS, explicit(hashed(group["sha"]), mask, salt))


def transported(group: Group, test: Test) -> bool:
    """RSA PKCS#1 v1.5: what comes is the key, or one of the same size that tells nothing."""
    message = octets(test, "msg")
    size = len(message) or 1
    found = rsa_key(private_key(group["privateKeyPkcs8"]), octets(test, "ct"), padding.PKCS1v15(), size)
    assert len(found) == size
    if not message:  # No key: one of its own size is made up.
        return test["result"] == "valid"
    return found == message


def oaep(group: Group, test: Test) -> bool:
    label = algorithm_identifier(P_SPECIFIED, der.tlv(der.OCTET_STRING, octets(test, "label")))
    if group["sha"] not in HASHES or group["mgfSha"] not in HASHES:
        raise UnusedError("the digest has no name here")
    mask = algorithm_identifier(MGF1, hashed(group["mgfSha"]))
    key = private_key(group["privateKeyPkcs8"])
    message = octets(test, "msg")
    try:
        pad = read_transport(RSA_OAEP + explicit(hashed(group["sha"]), mask, label), POLICY)
    except SecurityError:
        return False
    size = len(message) or 1
    found = rsa_key(key, octets(test, "ct"), pad, size)
    assert len(found) == size
    if not message:
        return test["result"] == "valid"
    return found == message


def agreed(group: Group, test: Test) -> bool:
    """The vector's secret wraps a key; its public key is the originator's: it opens if the two agree."""
    spki = octets(test, "public")
    try:
        outer = der.element_at(spki, 0, len(spki))
        point = spki[der.children(spki, outer.start, outer.stop, limit=2)[1].header : outer.stop]
    except (SecurityError, IndexError):
        return False
    curve = ec.SECP256R1() if group["curve"] == "secp256r1" else ec.SECP384R1()
    ours = ec.derive_private_key(int(test["private"], 16), curve)
    wrap = algorithm_identifier(KEY_WRAP_OIDS[32])
    bits = der.tlv(0xA2, der.tlv(der.OCTET_STRING, (256).to_bytes(4, "big")))
    info = der.tlv(der.SEQUENCE, wrap, bits)
    derived = hashlib.sha256(octets(test, "shared") + b"\0\0\0\1" + info).digest()
    originator = der.tlv(0xA1, algorithm_identifier(der.oid("1.2.840.10045.2.1")), point)
    sequence = der.tlv(
        der.SEQUENCE,
        der.tlv(der.INTEGER, b"\3"),
        der.tlv(0xA0, originator),
        algorithm_identifier(der.oid("1.3.132.1.11.1"), wrap),
        der.tlv(der.SEQUENCE),
    )
    try:
        agreement, sent = read_agreement(decode(KeyAgreeRecipientInfo, sequence))
        return agreed_key(agreement, sent, aes_key_wrap(derived, KEY), ours) == KEY
    except SecurityError:
        return False


def unwrapped(group: Group, test: Test) -> bool:
    """The derivation is left out: the vector gives the key that wraps."""
    if group["keySize"] // 8 not in KEY_WRAP_OIDS:
        raise UnusedError("no such wrap")
    ours = ec.derive_private_key(2, ec.SECP256R1())
    point = ours.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    wrap = algorithm_identifier(KEY_WRAP_OIDS[group["keySize"] // 8])
    originator = der.tlv(0xA1, algorithm_identifier(der.oid("1.2.840.10045.2.1")), der.tlv(3, b"\0", point))
    sequence = der.tlv(
        der.SEQUENCE,
        der.tlv(der.INTEGER, b"\3"),
        der.tlv(0xA0, originator),
        algorithm_identifier(der.oid("1.3.132.1.11.1"), wrap),
        der.tlv(der.SEQUENCE),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recipients, "_derive", lambda *_: octets(test, "key"))
        agreement, sent = read_agreement(decode(KeyAgreeRecipientInfo, sequence))
        return agreed_key(agreement, sent, octets(test, "ct"), ours) == octets(test, "msg")


def cbc(_: Group, test: Test) -> bool:
    key = octets(test, "key")
    vector = der.tlv(der.OCTET_STRING, octets(test, "iv"))
    try:
        algorithm = read_algorithm(CIPHER_OIDS[CBC[len(key)]] + vector)
    except SecurityError:
        return False
    return unseal(memoryview(octets(test, "ct")), key, algorithm, b"", b"") == octets(test, "msg")


def gcm(group: Group, test: Test) -> bool:
    key = octets(test, "key")
    size = der.tlv(der.INTEGER, bytes((group["tagSize"] // 8,)))
    parameters = der.tlv(der.SEQUENCE, der.tlv(der.OCTET_STRING, octets(test, "iv")), size)
    try:
        algorithm = read_algorithm(CIPHER_OIDS[GCM[len(key)]] + parameters)
    except SecurityError:
        return False
    plain = unseal(memoryview(octets(test, "ct")), key, algorithm, octets(test, "tag"), octets(test, "aad"))
    return plain == octets(test, "msg")


CHECKS: dict[str, Check] = {
    "RSASSA-PKCS1-v1_5": rsa_signature,
    "RSASSA-PSS": pss_signature,
    "ECDSA": ecdsa_signature,
    "RSAES-PKCS1-v1_5": transported,
    "RSAES-OAEP": oaep,
    "ECDH": agreed,
    "AES-WRAP": unwrapped,
    "AES-CBC-PKCS5": cbc,
    "AES-GCM": gcm,
}

NOT_OURS = {
    "ed25519_test": "Ed25519 signs nothing in CMS here",
    "hmac_sha256_test": "AuthenticatedData is not read",
    "pbes2_hmacsha256_aes_256_test": "password recipients are passed over",
    "primality_test": "primes are the library's business",
}
NONCES = "a nonce below 8 octets is met again, one above 128 is nobody's: refused by its parameters"
CURVES = "parameters of the originator's key are not read: its point counts, on our own curve only"
SHA224 = "SHA-224 stands in no table"
PRIMES = "a key of three primes is not loaded, and would be refused where it is configured"
# Reason, file and the numbers of its tests in which we answer otherwise.
OTHERWISE = (
    (NONCES, "aes_gcm_test", "268 272 276-284 287-294 299-306"),
    (CURVES, "ecdh_secp256r1_test", "352-353 358-359 361 363"),
    (CURVES, "ecdh_secp384r1_test", "792-793 798-799 801 803"),
    (SHA224, "rsa_pkcs1_2048_sig_gen_test", "73-80"),
    (SHA224, "rsa_pss_misc_test", "7-12 31-60 67-72 97-102 127-132"),
    (SHA224, "rsa_pss_misc_params_test", "7-12 31-60 67-72 97-102 127-132"),
    (
        SHA224,
        "rsa_oaep_misc_test",
        "4-6 16-30 34-36 49-51 61-75 79-81 94-96 109-111 124-126 136-150 154-156 169-171 184-186 199-201 "
        "214-216 229-231 244-246 259-261 274-276 289-291 304-306 316-330 334-336 349-351 364-366",
    ),
    (PRIMES, "rsa_three_primes_oaep_2048_sha1_mgf1sha1_test", "1-11 21-22 33-36"),
    (PRIMES, "rsa_three_primes_oaep_3072_sha224_mgf1sha224_test", "1-11 21-22 33-38"),
    (PRIMES, "rsa_three_primes_oaep_4096_sha256_mgf1sha256_test", "1-11 21-22 32-36"),
)


def numbers(text: str) -> Iterator[int]:
    for item in text.split():
        first, _, last = item.partition("-")
        yield from range(int(first), int(last or first) + 1)


class File(NamedTuple):
    """One file of vectors."""

    name: str
    algorithm: str
    groups: list[Group]

    @property
    def size(self) -> int:
        return sum(len(group["tests"]) for group in self.groups)


@pytest.fixture(scope="session")
def files(shared: pathlib.Path) -> dict[str, list[File]]:
    """The files of each algorithm."""
    found: dict[str, list[File]] = {}
    with tarfile.open(shared / ARCHIVE) as archive:
        for member in archive:
            path = pathlib.PurePath(member.name)
            if path.parent.name == "testvectors_v1" and path.suffix == ".json":
                opened = archive.extractfile(member)
                assert opened is not None
                read = json.load(opened)
                file = File(path.stem, read["algorithm"], read["testGroups"])
                found.setdefault(file.algorithm, []).append(file)
    return found


def test_the_vectors_are_all_there(files: dict[str, list[File]]) -> None:
    everything = [file for some in files.values() for file in some]
    assert sum(file.size for file in everything) == TESTS
    names = {file.name for file in everything}
    assert {file.name for file in everything if file.algorithm not in CHECKS} == NOT_OURS.keys()
    assert {name for _, name, _ in OTHERWISE} <= names


def otherwise(file: File) -> set[int]:
    """The tests in which we do not answer as the vector has it; what is `acceptable` is either way."""
    found = set()
    check = CHECKS[file.algorithm]
    for group in file.groups:
        for test in group["tests"]:
            try:
                done = check(group, test)
            except UnusedError:
                done = False
            if test["result"] != "acceptable" and done is not (test["result"] == "valid"):
                found.add(test["tcId"])
    return found


@pytest.mark.parametrize("algorithm", CHECKS)
def test_each_vector_is_answered_or_explained(files: dict[str, list[File]], algorithm: str) -> None:
    for file in files[algorithm]:
        explained = {n for _, name, text in OTHERWISE if name == file.name for n in numbers(text)}
        assert otherwise(file) == explained, file.name
