"""Which algorithms exist, by what identifiers, and which of them a policy allows.

An algorithm that stands in no table here (MD5, RC2, DES, ...) cannot be allowed at all; one that stands here
is used only where the policy in force names it.
"""

import dataclasses
import enum
import functools
import hashlib
from collections.abc import Callable
from typing import Protocol

from cryptography.hazmat.primitives import hashes

from . import der
from .errors import InsufficientSecurity


class Hash(Protocol):
    """What hashlib gives."""

    def update(self, data: bytes | memoryview, /) -> None: ...
    def digest(self) -> bytes: ...


# A SHA-1 that an agreement names is used as agreed: the policy has decided, not the constructor.
_DIGESTS: dict[str, tuple[hashes.HashAlgorithm, Callable[..., Hash]]] = {
    "sha1": (hashes.SHA1(), functools.partial(hashlib.sha1, usedforsecurity=False)),  # noqa: S303
    "sha-256": (hashes.SHA256(), hashlib.sha256),
    "sha-384": (hashes.SHA384(), hashlib.sha384),
    "sha-512": (hashes.SHA512(), hashlib.sha512),
}


class _Algorithm(enum.Enum):
    """An identifier: its members are single, so they are told apart by what they are, at no cost."""

    __hash__ = object.__hash__


class Digest(_Algorithm):
    """A message digest; the value is its RFC 5751 name, as in `micalg` and `Received-Content-MIC`."""

    SHA1 = "sha1"
    SHA256 = "sha-256"
    SHA384 = "sha-384"
    SHA512 = "sha-512"

    def __init__(self, name: str) -> None:
        self.micalg = name
        """The name RFC 5751 gives it."""
        self.algorithm, self._new = _DIGESTS[name]
        """The same digest, as `cryptography` wants it."""
        self.size = self.algorithm.digest_size
        """Octets of a value."""

    @classmethod
    def from_micalg(cls, name: str) -> "Digest | None":
        """The digest that `name` means in any spelling seen in the field, or None.

        `sha1`, `SHA-1`, `sha-256`, `SHA256`, `sha2_256`, `sha2-256`, `rsa-sha1` and quoted forms are known.
        """
        plain = "".join(c for c in name.lower() if c.isascii() and c.isalnum()).removeprefix("rsa")
        return _MICALGS.get(plain)

    def new(self, data: bytes | memoryview = b"") -> Hash:
        """A running digest, fed with `data`."""
        return self._new(data)


_MICALGS = {
    spelling: digest
    for digest, spellings in {
        Digest.SHA1: ("sha1", "sha"),
        Digest.SHA256: ("sha256", "sha2256"),
        Digest.SHA384: ("sha384", "sha2384"),
        Digest.SHA512: ("sha512", "sha2512"),
    }.items()
    for spelling in spellings
}


class Mode(enum.Enum):
    """How a block cipher is chained."""

    CBC = "cbc"
    GCM = "gcm"


class Cipher(_Algorithm):
    """A content encryption algorithm."""

    AES128_CBC = "aes128-cbc"
    AES192_CBC = "aes192-cbc"
    AES256_CBC = "aes256-cbc"
    AES128_GCM = "aes128-gcm"
    AES192_GCM = "aes192-gcm"
    AES256_GCM = "aes256-gcm"
    DES3_CBC = "des3-cbc"

    def __init__(self, name: str) -> None:
        is_des = name == "des3-cbc"
        self.key_size = 24 if is_des else int(name[3:6]) // 8
        """Octets of a key."""
        self.mode = Mode.GCM if name.endswith("gcm") else Mode.CBC
        """How it is chained; GCM also authenticates."""
        self.block = 8 if is_des else 16
        """Octets of a block, and of the initialisation vector under CBC."""


class KeyTransport(_Algorithm):
    """How the content key reaches a recipient: RSA (RFC 3370, 3560) or ephemeral-static ECDH (RFC 5753)."""

    RSA_PKCS1 = "rsa-pkcs1"
    RSA_OAEP_SHA1 = "rsa-oaep-sha1"
    RSA_OAEP_SHA256 = "rsa-oaep-sha256"
    RSA_OAEP_SHA384 = "rsa-oaep-sha384"
    RSA_OAEP_SHA512 = "rsa-oaep-sha512"
    ECDH_SHA1 = "ecdh-sha1"
    ECDH_SHA256 = "ecdh-sha256"
    ECDH_SHA384 = "ecdh-sha384"
    ECDH_SHA512 = "ecdh-sha512"

    @property
    def digest(self) -> Digest:
        """The digest inside OAEP, or of the ECDH key derivation."""
        return _TRANSPORT_DIGESTS[self]


_TRANSPORT_DIGESTS = {
    KeyTransport.RSA_OAEP_SHA1: Digest.SHA1,
    KeyTransport.RSA_OAEP_SHA256: Digest.SHA256,
    KeyTransport.RSA_OAEP_SHA384: Digest.SHA384,
    KeyTransport.RSA_OAEP_SHA512: Digest.SHA512,
    KeyTransport.ECDH_SHA1: Digest.SHA1,
    KeyTransport.ECDH_SHA256: Digest.SHA256,
    KeyTransport.ECDH_SHA384: Digest.SHA384,
    KeyTransport.ECDH_SHA512: Digest.SHA512,
}


class Signature(_Algorithm):
    """A signature scheme."""

    RSA_PKCS1 = "rsa-pkcs1"
    RSA_PSS = "rsa-pss"
    ECDSA = "ecdsa"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What one agreement allows. Whatever is not named is refused with InsufficientSecurity.

    `min_rsa_bits` holds for the peer's keys and for our own. `allow_no_signed_attributes` accepts a signature
    made directly over the content, as some older products make it, under the guard of RFC 5652 11 (content
    that reads as signed attributes is refused even then).
    """

    digests: frozenset[Digest]
    ciphers: frozenset[Cipher]
    key_transports: frozenset[KeyTransport]
    signatures: frozenset[Signature]
    min_rsa_bits: int = 2048
    allow_no_signed_attributes: bool = False

    _allowed: frozenset[Digest | Cipher | KeyTransport | Signature] = dataclasses.field(
        init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        allowed = (*self.digests, *self.ciphers, *self.key_transports, *self.signatures)
        object.__setattr__(self, "_allowed", frozenset(allowed))

    def require(self, algorithm: Digest | Cipher | KeyTransport | Signature) -> None:
        """Raise InsufficientSecurity unless `algorithm` is allowed."""
        if algorithm not in self._allowed:
            raise InsufficientSecurity(f"{algorithm.value} is not allowed")

    def require_rsa_bits(self, bits: int) -> None:
        """Raise InsufficientSecurity for an RSA key that is too short."""
        if bits < self.min_rsa_bits:
            raise InsufficientSecurity(f"an RSA key of {bits} bits is too short")


# What `conf/algorithms.toml` says; a test holds the two equal. OAEP with SHA-1 stands: it is the default of
# RFC 8017 and what most products send under the name of OAEP. So does ECDH with the SHA-1 derivation, which
# the command line of OpenSSL and others send: the security of neither rests on collisions, and neither is
# ever sent unless asked for (`KEY_AGREEMENT_OIDS` has no ECDH with SHA-1 at all).
DEFAULT_POLICY = Policy(
    digests=frozenset(Digest) - {Digest.SHA1},
    ciphers=frozenset(Cipher) - {Cipher.DES3_CBC},
    key_transports=frozenset(KeyTransport),
    signatures=frozenset(Signature),
)

# Identifiers as whole DER elements, so that reading is one look-up in what was received.
RSA_ENCRYPTION = der.oid("1.2.840.113549.1.1.1")
RSA_OAEP = der.oid("1.2.840.113549.1.1.7")
MGF1 = der.oid("1.2.840.113549.1.1.8")
P_SPECIFIED = der.oid("1.2.840.113549.1.1.9")
RSA_PSS = der.oid("1.2.840.113549.1.1.10")

DIGESTS = {
    der.oid("1.3.14.3.2.26"): Digest.SHA1,
    der.oid("2.16.840.1.101.3.4.2.1"): Digest.SHA256,
    der.oid("2.16.840.1.101.3.4.2.2"): Digest.SHA384,
    der.oid("2.16.840.1.101.3.4.2.3"): Digest.SHA512,
}
DIGEST_OIDS = {digest: oid for oid, digest in DIGESTS.items()}
NULL = der.tlv(der.NULL)
# The contents of nearly every identifier there is: with NULL, and without.
WHOLE_DIGESTS = DIGESTS | {oid + NULL: digest for oid, digest in DIGESTS.items()}

CIPHERS = {
    der.oid("2.16.840.1.101.3.4.1.2"): Cipher.AES128_CBC,
    der.oid("2.16.840.1.101.3.4.1.22"): Cipher.AES192_CBC,
    der.oid("2.16.840.1.101.3.4.1.42"): Cipher.AES256_CBC,
    der.oid("2.16.840.1.101.3.4.1.6"): Cipher.AES128_GCM,
    der.oid("2.16.840.1.101.3.4.1.26"): Cipher.AES192_GCM,
    der.oid("2.16.840.1.101.3.4.1.46"): Cipher.AES256_GCM,
    der.oid("1.2.840.113549.3.7"): Cipher.DES3_CBC,
}
CIPHER_OIDS = {cipher: oid for oid, cipher in CIPHERS.items()}

# A signature identifier that names no digest leaves it to the SignerInfo's digestAlgorithm.
SIGNATURES: dict[bytes, tuple[Signature, Digest | None]] = {
    RSA_ENCRYPTION: (Signature.RSA_PKCS1, None),
    der.oid("1.3.14.3.2.29"): (Signature.RSA_PKCS1, Digest.SHA1),
    der.oid("1.2.840.113549.1.1.5"): (Signature.RSA_PKCS1, Digest.SHA1),
    der.oid("1.2.840.113549.1.1.11"): (Signature.RSA_PKCS1, Digest.SHA256),
    der.oid("1.2.840.113549.1.1.12"): (Signature.RSA_PKCS1, Digest.SHA384),
    der.oid("1.2.840.113549.1.1.13"): (Signature.RSA_PKCS1, Digest.SHA512),
    RSA_PSS: (Signature.RSA_PSS, None),
    der.oid("1.2.840.10045.2.1"): (Signature.ECDSA, None),
    der.oid("1.2.840.10045.4.1"): (Signature.ECDSA, Digest.SHA1),
    der.oid("1.2.840.10045.4.3.2"): (Signature.ECDSA, Digest.SHA256),
    der.oid("1.2.840.10045.4.3.3"): (Signature.ECDSA, Digest.SHA384),
    der.oid("1.2.840.10045.4.3.4"): (Signature.ECDSA, Digest.SHA512),
}
WHOLE_SIGNATURES = SIGNATURES | {oid + NULL: found for oid, found in SIGNATURES.items()}
ECDSA_OIDS = {
    digest: oid for oid, (scheme, digest) in SIGNATURES.items() if scheme is Signature.ECDSA and digest
}

# dhSinglePass-stdDH and -cofactorDH, which are one for the prime curves used here (their cofactor is 1).
KEY_AGREEMENTS = {
    der.oid("1.3.133.16.840.63.0.2"): KeyTransport.ECDH_SHA1,
    der.oid("1.3.133.16.840.63.0.3"): KeyTransport.ECDH_SHA1,
    der.oid("1.3.132.1.11.1"): KeyTransport.ECDH_SHA256,
    der.oid("1.3.132.1.14.1"): KeyTransport.ECDH_SHA256,
    der.oid("1.3.132.1.11.2"): KeyTransport.ECDH_SHA384,
    der.oid("1.3.132.1.14.2"): KeyTransport.ECDH_SHA384,
    der.oid("1.3.132.1.11.3"): KeyTransport.ECDH_SHA512,
    der.oid("1.3.132.1.14.3"): KeyTransport.ECDH_SHA512,
}
KEY_AGREEMENT_OIDS = {
    KeyTransport.ECDH_SHA256: der.oid("1.3.132.1.11.1"),
    KeyTransport.ECDH_SHA384: der.oid("1.3.132.1.11.2"),
    KeyTransport.ECDH_SHA512: der.oid("1.3.132.1.11.3"),
}
# AES key wrap (RFC 3394): octets of the key that wraps.
KEY_WRAPS = {
    der.oid("2.16.840.1.101.3.4.1.5"): 16,
    der.oid("2.16.840.1.101.3.4.1.25"): 24,
    der.oid("2.16.840.1.101.3.4.1.45"): 32,
}
KEY_WRAP_OIDS = {size: oid for oid, size in KEY_WRAPS.items()}


def algorithm_identifier(oid: bytes, parameters: bytes = b"") -> bytes:
    """An AlgorithmIdentifier of two whole elements."""
    return der.tlv(der.SEQUENCE, oid, parameters)


def split_identifier(contents: bytes) -> tuple[bytes, bytes]:
    """The identifier and the parameters (empty if absent) in the contents of an AlgorithmIdentifier."""
    oid = der.element_at(contents, 0, len(contents))
    return contents[: oid.stop], contents[oid.stop :]


def digest_of(contents: bytes) -> Digest:
    """The digest that the contents of an AlgorithmIdentifier name.

    Parameters that are NULL and parameters that are absent mean the same (RFC 5754 2).
    Raises InsufficientSecurity for a digest that is in no table, MalformedCms for no AlgorithmIdentifier.
    """
    digest = WHOLE_DIGESTS.get(contents) or DIGESTS.get(split_identifier(contents)[0])
    if digest is None:
        raise InsufficientSecurity("the digest algorithm is not supported")
    return digest
