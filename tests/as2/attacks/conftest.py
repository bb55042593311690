"""What an attacker has: writers of CMS in which every field can be anything, and keys too weak to use."""

import dataclasses
import datetime
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from tidewaiter.gateway.as2.writing import Piece
from tidewaiter.security import Digest, der
from tidewaiter.security.algorithms import (
    CIPHER_OIDS,
    DIGEST_OIDS,
    RSA_ENCRYPTION,
    Cipher,
    algorithm_identifier,
)
from tidewaiter.security.trust import facts

CONTENT_TYPE, MESSAGE_DIGEST, SIGNING_TIME = (f"1.2.840.113549.1.9.{n}" for n in (3, 4, 5))
DATA, SIGNED, ENVELOPED = (f"1.2.840.113549.1.7.{n}" for n in (1, 2, 3))
AUTH_ENVELOPED = "1.2.840.113549.1.9.16.1.23"
SHA256 = algorithm_identifier(DIGEST_OIDS[Digest.SHA256])
RSA = algorithm_identifier(RSA_ENCRYPTION, der.tlv(der.NULL))
PLAIN_RSA: Callable[..., bytes] = lambda key, data: key.sign(data, padding.PKCS1v15(), hashes.SHA256())  # noqa: E731


def integer(value: int) -> bytes:
    return der.tlv(der.INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def octets(value: bytes) -> bytes:
    return der.tlv(der.OCTET_STRING, value)


def sequence(*parts: bytes) -> bytes:
    return der.tlv(der.SEQUENCE, *parts)


def content_info(kind: str, structure: bytes) -> bytes:
    """A ContentInfo (RFC 5652 3)."""
    return sequence(der.oid(kind), der.tlv(0xA0, structure))


def attribute(kind: str, *values: bytes) -> bytes:
    return sequence(der.oid(kind), der.tlv(der.SET, *values))


def indefinite(tag: int, *parts: bytes) -> bytes:
    """One element of BER that does not say how long it is (X.690 8.1.3.6)."""
    return bytes((tag, 0x80)) + b"".join(parts) + b"\0\0"


def nested(depth: int, *, definite: bool) -> bytes:
    """Sequences in sequences."""
    if not definite:
        return b"\x30\x80" * depth + der.tlv(der.NULL) + b"\0\0" * depth
    body = der.tlv(der.NULL)
    for _ in range(depth):
        body = der.tlv(der.SEQUENCE, body)
    return body


def in_ber(data: bytes) -> bytes:
    """`data`, one element, with its outer header of indefinite length, so that all of it is converted."""
    outer = der.element_at(data, 0, len(data))
    return indefinite(der.SEQUENCE, data[outer.start :])


def certify(key: Any, name: str, now: datetime.datetime, serial: int | None = None) -> x509.Certificate:
    """A certificate for any key, however weak; by a key that is fit to sign one."""
    named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return (
        x509.CertificateBuilder()
        .subject_name(named)
        .issuer_name(named)
        .public_key(key.public_key())
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    )


@dataclasses.dataclass(frozen=True)
class Forge:
    """Writers of SignedData and EnvelopedData around bob, alice and whoever else is given."""

    link: Any
    weak: dict[str, Any]
    said: bytes = b""
    inside: bool = False  # the content stands in the SignedData
    # Test modules cannot import from here: what they need besides is reached through the value.
    integer = staticmethod(integer)
    octets = staticmethod(octets)
    sequence = staticmethod(sequence)
    content_info = staticmethod(content_info)
    attribute = staticmethod(attribute)
    indefinite = staticmethod(indefinite)
    certify = staticmethod(certify)
    in_ber = staticmethod(in_ber)
    nested = staticmethod(nested)

    @property
    def content(self) -> bytes:
        """What bob signs when he means it: a document, unless `said` is something else."""
        return self.said or bytes(self.link.entity(self.link.document))

    def usual(self, content: bytes | None = None) -> list[bytes]:
        """The attributes of an honest message."""
        digest = Digest.SHA256.new(self.content if content is None else content).digest()
        return [attribute(CONTENT_TYPE, der.oid(DATA)), attribute(MESSAGE_DIGEST, octets(digest))]

    def named(self, keys: Any) -> bytes:
        return sequence(facts(keys.certificate).name)

    def info(
        self,
        keys: Any = None,
        *,
        attributes: Sequence[bytes] | None = (),
        signed: bytes | None = None,
        signer: bytes | None = None,
        digest: bytes = SHA256,
        algorithm: bytes = RSA,
        sign: Callable[[Any, bytes], bytes] = PLAIN_RSA,
        signature: bytes | None = None,
        version: int = 1,
        tail: bytes = b"",
    ) -> bytes:
        """A SignerInfo. Empty `attributes` are the usual ones, None none; `signed` is signed instead."""
        keys = keys or self.link.keys["bob"]
        joined = None if attributes is None else b"".join(attributes or self.usual())
        covered = (
            signed if signed is not None else self.content if joined is None else der.tlv(der.SET, joined)
        )
        return sequence(
            integer(version),
            signer or self.named(keys),
            digest,
            b"" if joined is None else der.tlv(0xA0, joined),
            algorithm,
            octets(sign(keys.private_key, covered) if signature is None else signature),
            tail,
        )

    def signed(
        self,
        *infos: bytes,
        content: bytes | None = None,
        kind: str = DATA,
        certificates: Sequence[x509.Certificate] = (),
        version: int = 1,
        tail: bytes = b"",
    ) -> bytes:
        """A SignedData, detached unless `content` is given, or the forge puts it inside."""
        if content is None and self.inside:
            content = self.content
        encoded = [one.public_bytes(serialization.Encoding.DER) for one in certificates]
        inner = b"" if content is None else der.tlv(0xA0, octets(content))
        structure = sequence(
            integer(version),
            der.tlv(der.SET, SHA256),
            sequence(der.oid(kind), inner),
            der.tlv(0xA0, *encoded) if encoded else b"",
            der.tlv(der.SET, *infos),
            tail,
        )
        return content_info(SIGNED, structure)

    def multipart(self, signature: bytes, content: bytes | None = None, boundary: str = "b1") -> Piece:
        """A multipart/signed (RFC 1847) of `signature` over `content`."""
        kind = b"Content-Type: application/pkcs7-signature\r\nContent-Transfer-Encoding: binary\r\n\r\n"
        parts = (self.content if content is None else content, kind + signature)
        mark = boundary.encode()
        body = b"".join(b"--%b\r\n%b\r\n" % (mark, part) for part in parts) + b"--%b--\r\n" % mark
        value = 'multipart/signed; protocol="application/pkcs7-signature"; micalg=sha-256; boundary='
        return Piece((("Content-Type", value + boundary),), (body,))

    def transported(self, key: bytes, name: str = "alice", pad: Any = None, algorithm: bytes = RSA) -> bytes:
        """A KeyTransRecipientInfo."""
        keys = self.link.keys[name]
        encrypted = keys.private_key.public_key().encrypt(key, pad or padding.PKCS1v15())
        return sequence(integer(0), self.named(keys), algorithm, octets(encrypted))

    def enveloped(
        self,
        *infos: bytes,
        cipher: Cipher,
        parameters: bytes,
        encrypted: bytes,
        authentic: Sequence[bytes] = (),
    ) -> bytes:
        """An EnvelopedData, or with `authentic` (attributes, tag) an AuthEnvelopedData."""
        identifier = algorithm_identifier(CIPHER_OIDS[cipher], parameters)
        content = sequence(der.oid(DATA), identifier, der.tlv(0x80, encrypted))
        structure = sequence(integer(0), der.tlv(der.SET, *infos), content, *authentic)
        return content_info(AUTH_ENVELOPED if authentic else ENVELOPED, structure)


@pytest.fixture(scope="session")
def forge(link: Any) -> Forge:
    """The keys of `weak` are partners' that are agreed upon, and all the same too weak."""
    made = {
        "rsa1024": rsa.generate_private_key(65537, 1024),
        "rsa e=3": rsa.generate_private_key(3, 2048),
        "p192": ec.generate_private_key(ec.SECP192R1()),
        "p224": ec.generate_private_key(ec.SECP224R1()),
    }
    bob = link.keys["bob"]
    weak = {
        name: dataclasses.replace(bob, certificate=certify(key, name, link.now), private_key=key)
        for name, key in made.items()
    }
    return Forge(link, weak)
