"""Signatures that are not what they seem, each with what `verify` makes of it, and some in order."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding

from tidewaiter.security import (
    DEFAULT_POLICY,
    AuthenticationFailed,
    Digest,
    InsufficientSecurity,
    IntegrityFailed,
    MalformedCms,
    Policy,
    SecurityError,
    der,
)
from tidewaiter.security.algorithms import (
    DIGEST_OIDS,
    ECDSA_OIDS,
    MGF1,
    RSA_ENCRYPTION,
    RSA_PSS,
    algorithm_identifier,
)
from tidewaiter.security.trust import facts

Forge = Any
Build = Callable[[Forge], bytes]
CONTENT_TYPE, MESSAGE_DIGEST = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4"
PROTECTION, COUNTERSIGNATURE = "1.2.840.113549.1.9.52", "1.2.840.113549.1.9.6"
DATA, TIME_STAMP = "1.2.840.113549.1.7.1", "1.2.840.113549.1.9.16.1.4"
NULL = der.tlv(der.NULL)
SHA256, SHA512 = (algorithm_identifier(DIGEST_OIDS[one]) for one in (Digest.SHA256, Digest.SHA512))
SHA1 = algorithm_identifier(DIGEST_OIDS[Digest.SHA1])
MD5 = algorithm_identifier(der.oid("1.2.840.113549.2.5"), NULL)
SHA224 = algorithm_identifier(der.oid("2.16.840.1.101.3.4.2.4"), NULL)
BARE = dataclasses.replace(DEFAULT_POLICY, allow_no_signed_attributes=True)


class Vector(NamedTuple):
    """A signature over the forge's content; `error` None is one that counts. `pinned`: whose it should be."""

    build: Build
    error: type[SecurityError] | None
    policy: Policy = DEFAULT_POLICY
    pinned: str = "bob"
    # It is taken where nobody can have changed it; as binary inside CBC not.
    in_the_open_only: bool = False


def one(error: type[SecurityError] | None, **fields: Any) -> Vector:
    """One SignerInfo of bob's with other fields; callables are given the forge."""

    def build(forge: Forge) -> bytes:
        late = {key: value(forge) for key, value in fields.items() if callable(value) and key != "sign"}
        return bytes(forge.signed(forge.info(**{**fields, **late})))

    return Vector(build, error)


def with_hash(scheme: hashes.HashAlgorithm) -> Callable[[Any, bytes], bytes]:
    return lambda key, data: bytes(key.sign(data, padding.PKCS1v15(), scheme))


def ecdsa(key: Any, data: bytes) -> bytes:
    return bytes(key.sign(data, ec.ECDSA(hashes.SHA256())))


def rsa_with(number: int) -> bytes:
    """sha1WithRSAEncryption and its like."""
    return algorithm_identifier(der.oid(f"1.2.840.113549.1.1.{number}"), NULL)


def protection(forge: Forge, digest: bytes, signature: bytes) -> bytes:
    """CMSAlgorithmProtection (RFC 6211 2)."""
    inner = forge.sequence(digest, der.tlv(0xA1, signature))
    return bytes(forge.attribute(PROTECTION, inner))


def digest_attribute(forge: Forge, *values: bytes) -> bytes:
    return bytes(forge.attribute(MESSAGE_DIGEST, *map(forge.octets, values)))


def digest_of(forge: Forge) -> bytes:
    return Digest.SHA256.new(forge.content).digest()


def twin(forge: Forge) -> Any:
    """Another key with a certificate of the same issuer and serial number."""
    bob = forge.link.keys["bob"].certificate
    key = forge.link.keys["alice"].private_key
    made = forge.certify(key, "bob", forge.link.now, bob.serial_number)
    assert facts(made).name == facts(bob).name
    return dataclasses.replace(forge.link.keys["bob"], certificate=made, private_key=key)


def countersigned(forge: Forge) -> bytes:
    """Unsigned attributes: a stranger's countersignature."""
    inner = forge.info(forge.link.keys["alice"])
    return bytes(der.tlv(0xA1, forge.attribute(COUNTERSIGNATURE, inner)))


def by_identifier(forge: Forge) -> bytes:
    return der.tlv(0x80, facts(forge.link.keys["bob"].certificate).key_identifier)


def within(data: bytes, extra: bytes) -> bytes:
    """`extra` at the end of the innermost structure of a ContentInfo."""
    outer = der.element_at(data, 0, len(data))
    kind, wrapped = der.children(data, outer.start, outer.stop, limit=2)
    inner = der.element_at(data, wrapped.start, wrapped.stop)
    grown = der.tlv(der.SEQUENCE, data[inner.start : inner.stop], extra)
    return der.tlv(der.SEQUENCE, data[kind.header : kind.stop], der.tlv(0xA0, grown))


def low_exponent(forge: Forge) -> bytes:
    """A cube that begins like a padded digest, garbage behind it (Bleichenbacher 2006), under e = 3."""
    keys = forge.weak["rsa e=3"]
    digest = Digest.SHA256.new(der.tlv(der.SET, *forge.usual())).digest()
    info = forge.sequence(algorithm_identifier(DIGEST_OIDS[Digest.SHA256], NULL), forge.octets(digest))
    size = keys.private_key.key_size // 8
    wanted = (b"\0\1" + b"\xff" * 8 + b"\0" + info).ljust(size, b"\0")
    root = _cube_root(int.from_bytes(wanted, "big")) + 1
    assert (root**3).to_bytes(size, "big").startswith(wanted[: 11 + len(info)])
    return bytes(forge.signed(forge.info(keys, signature=root.to_bytes(size, "big"))))


def _cube_root(value: int) -> int:
    low, high = 0, 1 << (value.bit_length() // 3 + 1)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**3 <= value else (low, middle - 1)
    return low


def pss(
    forge: Forge,
    *,
    digest: bytes = SHA256,
    mask: bytes = SHA256,
    salt: int = 32,
    trailer: int | None = None,
    used: padding.PSS | None = None,
) -> bytes:
    """Signed by `used`, RSASSA-PSS as it should be unless given, and declared as the other fields say."""
    fields = [digest, algorithm_identifier(MGF1, mask), forge.integer(salt)]
    if trailer is not None:
        fields.append(forge.integer(trailer))
    parameters = forge.sequence(*(der.tlv(0xA0 + number, field) for number, field in enumerate(fields)))
    used = used or padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    algorithm = algorithm_identifier(RSA_PSS, parameters)
    info = forge.info(algorithm=algorithm, sign=lambda key, data: key.sign(data, used, hashes.SHA256()))
    return bytes(forge.signed(info))


def with_nested(forge: Forge, *, definite: bool) -> bytes:
    """An attribute that nobody reads, and that nests beyond all measure."""
    extra = forge.attribute("1.2.3", forge.nested(1000, definite=definite))
    return bytes(forge.signed(forge.info(attributes=[*forge.usual(), extra])))


def weak_signature(forge: Forge, name: str) -> bytes:
    keys = forge.weak[name]
    algorithm = algorithm_identifier(ECDSA_OIDS[Digest.SHA256])
    if name.startswith("rsa"):
        return bytes(forge.signed(forge.info(keys)))
    return bytes(forge.signed(forge.info(keys, algorithm=algorithm, sign=ecdsa)))


GOOD: dict[str, Vector] = {
    "as usual": one(None),
    "by key identifier": one(None, version=3, signer=by_identifier),
    "by key identifier, version 1": one(None, signer=by_identifier),
    "unsigned attributes": one(None, tail=countersigned),
    "the algorithms once more": one(
        None, attributes=lambda f: [*f.usual(), protection(f, SHA256, RSA_ENCRYPTION + NULL)]
    ),
    "digest parameters NULL": one(None, digest=algorithm_identifier(DIGEST_OIDS[Digest.SHA256], NULL)),
    "digest in the signature's name": one(None, algorithm=rsa_with(11)),
    "a stranger signed, too": Vector(
        lambda f: f.signed(f.info(f.link.keys["alice"]), f.info()), None, in_the_open_only=True
    ),
    "a twin's certificate is carried": Vector(
        lambda f: f.signed(f.info(), certificates=[twin(f).certificate]), None
    ),
    "thousands of certificates": Vector(
        lambda f: f.signed(f.info(), certificates=[f.link.keys["alice"].certificate] * 2000), None
    ),
    "a nested attribute that nobody reads": Vector(lambda f: with_nested(f, definite=True), None),
    "the same, indefinite": Vector(lambda f: with_nested(f, definite=False), None),
    "BER": Vector(lambda f: f.in_ber(f.signed(f.info())), None),
    "lengths not minimal": Vector(lambda f: _long_lengths(f.signed(f.info())), None),
    "PSS": Vector(pss, None),
    "PSS trailer written out": Vector(lambda f: pss(f, trailer=1), None),
    "PSS mask digest of its own": Vector(
        lambda f: pss(f, mask=SHA512, used=padding.PSS(padding.MGF1(hashes.SHA512()), 32)), None
    ),
    "no attributes, agreed": Vector(lambda f: f.signed(f.info(attributes=None)), None, BARE),
    "exponent 3": Vector(lambda f: weak_signature(f, "rsa e=3"), None, pinned="rsa e=3"),
}


def _long_lengths(data: bytes) -> bytes:
    """The outer header with a length of four octets where two would do."""
    outer = der.element_at(data, 0, len(data))
    return b"\x30\x84" + (outer.stop - outer.start).to_bytes(4, "big") + data[outer.start :]


def attributes(build: Callable[[Forge], Sequence[bytes]]) -> Vector:
    return one(IntegrityFailed, attributes=build)


FORGED: dict[str, Vector] = {
    "zero signers": Vector(lambda f: f.signed(), AuthenticationFailed),
    "a stranger": Vector(lambda f: f.signed(f.info(f.link.keys["alice"])), AuthenticationFailed),
    "a twin": Vector(
        lambda f: f.signed(f.info(twin(f)), certificates=[twin(f).certificate]), AuthenticationFailed
    ),
    "a twin who shows nothing": Vector(lambda f: f.signed(f.info(twin(f))), IntegrityFailed),
    "content type twice": attributes(lambda f: [*f.usual(), f.attribute(CONTENT_TYPE, der.oid(DATA))]),
    "content type of two values": attributes(
        lambda f: [f.attribute(CONTENT_TYPE, der.oid(DATA), der.oid(DATA)), digest_attribute(f, digest_of(f))]
    ),
    "content type missing": attributes(lambda f: [digest_attribute(f, digest_of(f))]),
    "content type wrong": attributes(
        lambda f: [f.attribute(CONTENT_TYPE, der.oid(TIME_STAMP)), digest_attribute(f, digest_of(f))]
    ),
    "digest missing": attributes(lambda f: f.usual()[:1]),
    "digest twice": attributes(lambda f: [*f.usual(), digest_attribute(f, digest_of(f))]),
    "digest wrong, then right": attributes(
        lambda f: [f.usual()[0], digest_attribute(f, bytes(32), digest_of(f))]
    ),
    "digest empty": attributes(lambda f: [f.usual()[0], digest_attribute(f, b"")]),
    "digest of no value": attributes(lambda f: [f.usual()[0], digest_attribute(f)]),
    "digest cut": attributes(lambda f: [f.usual()[0], digest_attribute(f, digest_of(f)[:16])]),
    "digest of something else": attributes(lambda f: f.usual(b"something else")),
    "attributes replaced": one(
        IntegrityFailed,
        signed=lambda f: der.tlv(der.SET, *f.usual(b"something else")),
        attributes=lambda f: f.usual(),
    ),
    "other algorithms are signed": attributes(
        lambda f: [*f.usual(), protection(f, SHA512, RSA_ENCRYPTION + NULL)]
    ),
    "another scheme is signed": attributes(lambda f: [*f.usual(), protection(f, SHA256, RSA_PSS)]),
    "another digest is signed for the signature": attributes(
        lambda f: [*f.usual(), protection(f, SHA256, rsa_with(13)[2:])]
    ),
    "no document": Vector(
        lambda f: f.signed(
            f.info(attributes=[f.attribute(CONTENT_TYPE, der.oid(TIME_STAMP)), f.usual()[1]]), kind=TIME_STAMP
        ),
        IntegrityFailed,
    ),
    "octets behind": Vector(lambda f: f.signed(f.info()) + b"\0", MalformedCms),
    "octets behind, many": Vector(lambda f: f.signed(f.info()) + b"\r\n" * 100, MalformedCms),
    "octets inside": Vector(lambda f: within(f.signed(f.info()), NULL), MalformedCms),
    "octets in the SignerInfo": one(MalformedCms, tail=NULL),
    "cut off": Vector(lambda f: f.signed(f.info())[:-1], MalformedCms),
    "signature of another digest": one(IntegrityFailed, sign=with_hash(hashes.SHA512())),
    "signature named after another digest": one(IntegrityFailed, algorithm=rsa_with(13)),
    "signature with SHA-1 by name": one(
        InsufficientSecurity, algorithm=rsa_with(5), sign=with_hash(hashes.SHA1())
    ),
    "signature with MD5 by name": one(
        InsufficientSecurity, algorithm=rsa_with(4), sign=with_hash(hashes.MD5())
    ),
    "SHA-1": one(InsufficientSecurity, digest=SHA1, sign=with_hash(hashes.SHA1())),
    "MD5": one(InsufficientSecurity, digest=MD5, sign=with_hash(hashes.MD5())),
    "SHA-224": one(InsufficientSecurity, digest=SHA224, sign=with_hash(hashes.SHA224())),
    "ECDSA under an RSA key": one(
        AuthenticationFailed, algorithm=algorithm_identifier(ECDSA_OIDS[Digest.SHA256])
    ),
    "no attributes": Vector(lambda f: f.signed(f.info(attributes=None)), InsufficientSecurity),
    "no attributes, agreed, another kind": Vector(
        lambda f: f.signed(f.info(attributes=None), kind=TIME_STAMP), IntegrityFailed, BARE
    ),
    "RSA of 1024 bits": Vector(
        lambda f: weak_signature(f, "rsa1024"), InsufficientSecurity, pinned="rsa1024"
    ),
    "P-192": Vector(lambda f: weak_signature(f, "p192"), InsufficientSecurity, pinned="p192"),
    "P-224": Vector(lambda f: weak_signature(f, "p224"), InsufficientSecurity, pinned="p224"),
    "a cube": Vector(low_exponent, IntegrityFailed, pinned="rsa e=3"),
    "PSS salt beyond any key": Vector(lambda f: pss(f, salt=60_000), MalformedCms),
    "PSS salt below zero": Vector(lambda f: pss(f, salt=-1), MalformedCms),
    "PSS salt of another length": Vector(lambda f: pss(f, salt=20), IntegrityFailed),
    "PSS trailer 2": Vector(lambda f: pss(f, trailer=2), MalformedCms),
    "PSS mask with SHA-1": Vector(
        lambda f: pss(f, mask=SHA1, used=padding.PSS(padding.MGF1(hashes.SHA1()), 32)), InsufficientSecurity
    ),
    "PSS mask of another digest": Vector(lambda f: pss(f, mask=SHA512), IntegrityFailed),
    "PSS with PKCS#1 inside": one(IntegrityFailed, algorithm=algorithm_identifier(RSA_PSS)),
    "an empty signature": one(IntegrityFailed, signature=b""),
    "a signature of zeros": one(IntegrityFailed, signature=bytes(256)),
    "a signature too long": one(IntegrityFailed, signature=bytes(4096)),
    "thousands of signers": Vector(lambda f: f.signed(*[f.info(signature=bytes(256))] * 4000), MalformedCms),
    "a SignerInfo of 100 KB": one(
        MalformedCms, tail=lambda f: der.tlv(0xA1, f.attribute("1.2.3", bytes(100_000)))
    ),
    "nothing but nesting": Vector(lambda f: f.nested(10_000, definite=True), MalformedCms),
    "nothing but nesting, indefinite": Vector(lambda f: f.nested(10_000, definite=False), MalformedCms),
    "a nested attribute in BER": Vector(lambda f: f.in_ber(with_nested(f, definite=True)), MalformedCms),
    "a length of 4 GiB": Vector(lambda f: b"\x30\x84\xff\xff\xff\xff" + f.signed(f.info())[4:], MalformedCms),
    "a length of 2**64": Vector(lambda f: b"\x30\x88" + b"\xff" * 8 + f.signed(f.info())[4:], MalformedCms),
    "a length of 126 octets": Vector(
        lambda f: b"\x30\xfe" + b"\xff" * 126 + f.signed(f.info()), MalformedCms
    ),
    "a length without octets": Vector(lambda f: b"\x30\xff" + f.signed(f.info())[4:], MalformedCms),
    "another content type": Vector(
        lambda f: f.content_info("1.2.840.113549.1.7.3", f.signed(f.info())[19:]), MalformedCms
    ),
    "octets only": Vector(lambda f: bytes(range(256)) * 40, MalformedCms),
    "nothing": Vector(lambda f: b"", MalformedCms),
}
ALL = GOOD | FORGED


@pytest.fixture(params=ALL)
def case(request: pytest.FixtureRequest) -> str:
    """Every test runs with each of them."""
    return str(request.param)


@pytest.fixture
def vector(case: str) -> Vector:
    return ALL[case]


@pytest.fixture
def pinned(forge: Forge, vector: Vector) -> Any:
    """The certificate that the agreement names, in the case at hand."""
    return (forge.link.keys | forge.weak)[vector.pinned].certificate
