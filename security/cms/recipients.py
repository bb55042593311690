"""How the content key travels: RSA key transport and ECDH key agreement (RFC 5652 6.2, 3560, 5753).

Keys of our own are RSA or on a NIST curve; X25519 (RFC 8418) is in no AS2 product, and its certificates are
refused where they are configured. Of key wraps there is AES (RFC 3394): that of Triple DES (RFC 3217), which
OpenSSL uses for a Triple DES key and an elliptic curve, would join the oldest cipher and the newest keys.
"""

import functools
import os
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import HashAlgorithm
from cryptography.hazmat.primitives.kdf.x963kdf import X963KDF
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from .. import der
from ..algorithms import (
    DIGEST_OIDS,
    KEY_AGREEMENT_OIDS,
    KEY_AGREEMENTS,
    KEY_WRAP_OIDS,
    KEY_WRAPS,
    MGF1,
    P_SPECIFIED,
    RSA_ENCRYPTION,
    RSA_OAEP,
    Digest,
    KeyTransport,
    Policy,
    algorithm_identifier,
    split_identifier,
)
from ..errors import InsufficientSecurity, MalformedCms
from ..trust import Facts
from .content import EXPLICIT_0
from .declarations import KeyAgreeRecipientInfo, OaepParameters, OriginatorPublicKey, decode
from .signature import hash_named

OAEP = {
    Digest.SHA1: KeyTransport.RSA_OAEP_SHA1,
    Digest.SHA256: KeyTransport.RSA_OAEP_SHA256,
    Digest.SHA384: KeyTransport.RSA_OAEP_SHA384,
    Digest.SHA512: KeyTransport.RSA_OAEP_SHA512,
}

_PKCS1 = padding.PKCS1v15()
_ECDH = ec.ECDH()
_NULL = der.tlv(der.NULL)
_DEFAULTS = der.tlv(der.SEQUENCE)
_VERSION_0 = der.tlv(der.INTEGER, b"\0")
_VERSION_3 = der.tlv(der.INTEGER, b"\x03")
_BIT_STRING = 0x03
# Without material of the sender's there is one for each key wrap.
_SHARED = 16
_EC_PUBLIC_KEY = der.oid("1.2.840.10045.2.1")
_KEY_AGREEMENT = 0xA1  # RecipientInfo [1], and OriginatorIdentifierOrKey [1]
_EXPLICIT_2 = 0xA2


def rsa_key(
    private_key: rsa.RSAPrivateKey, encrypted: bytes, pad: padding.AsymmetricPadding, size: int
) -> bytes:
    """The key of `size` octets in `encrypted`, or a random one where there is none.

    RFC 3218 2.3.2: whoever sends altered keys must not learn which of them had good padding. A random key
    fails later, in the same way as a wrong one. (The library may itself answer bad padding with random octets
    of another length.)
    """
    spare = os.urandom(size)
    try:
        key = private_key.decrypt(encrypted, pad)
    except ValueError:
        key = b""
    return key if len(key) == size else spare


def read_transport(contents: bytes, policy: Policy) -> padding.AsymmetricPadding:
    """The padding that a key transport's AlgorithmIdentifier asks for, if `policy` allows it.

    Raises InsufficientSecurity, MalformedCms.
    """
    oid, parameters = split_identifier(contents)
    if oid == RSA_ENCRYPTION:
        policy.require(KeyTransport.RSA_PKCS1)
        return _PKCS1
    if oid != RSA_OAEP:
        raise InsufficientSecurity("the key transport algorithm is not supported")
    # RFC 4055 4.1 wants the parameters there; pyas2lib leaves them out, which can only mean the defaults.
    oaep = decode(OaepParameters, _DEFAULTS if parameters in {b"", _NULL} else parameters)
    digest = hash_named(oaep.digest)
    policy.require(OAEP[digest])
    mask = Digest.SHA1
    if oaep.mask is not None:
        if der.oid(oaep.mask.algorithm.dotted_string) != MGF1:
            raise InsufficientSecurity("the mask generation is not supported")
        mask = hash_named(oaep.mask.digest)
    label = oaep.label.label if oaep.label is not None else None
    if oaep.label is not None and der.oid(oaep.label.algorithm.dotted_string) != P_SPECIFIED:
        raise InsufficientSecurity("the OAEP label is not supported")
    return _oaep(digest, mask, label)


def _oaep(digest: Digest, mask: Digest, label: bytes | None) -> padding.OAEP:
    return padding.OAEP(padding.MGF1(mask.algorithm), digest.algorithm, label)


def transport(key: bytes, recipient: Facts, public_key: rsa.RSAPublicKey, how: KeyTransport) -> bytes:
    """A KeyTransRecipientInfo (6.2.1) with `key` for the certificate of `recipient`."""
    pad: padding.AsymmetricPadding = padding.PKCS1v15()
    identifier = algorithm_identifier(RSA_ENCRYPTION, _NULL)
    if how is not KeyTransport.RSA_PKCS1:
        pad = _oaep(how.digest, how.digest, None)
        hashed = algorithm_identifier(DIGEST_OIDS[how.digest], _NULL)
        mask = algorithm_identifier(MGF1, hashed)
        # DER leaves defaults out (RFC 4055 4.1: SHA-1).
        fields = (
            () if how.digest is Digest.SHA1 else (der.tlv(EXPLICIT_0, hashed), der.tlv(EXPLICIT_0 + 1, mask))
        )
        identifier = algorithm_identifier(RSA_OAEP, der.tlv(der.SEQUENCE, *fields))
    return der.tlv(
        der.SEQUENCE,
        _VERSION_0,
        der.tlv(der.SEQUENCE, recipient.name),
        identifier,
        der.tlv(der.OCTET_STRING, public_key.encrypt(key, pad)),
    )


class Agreement(NamedTuple):
    """How a key is agreed upon (6.2.2): `wrap` is the identifier of the key wrap as it is sent, `size` the
    octets of the key that wraps.
    """

    how: KeyTransport
    wrap: bytes
    size: int
    material: bytes | None


def read_agreement(info: KeyAgreeRecipientInfo) -> tuple[Agreement, bytes]:
    """How the key is agreed upon, and the ephemeral point. Raises MalformedCms, InsufficientSecurity."""
    oid, wrap = split_identifier(bytes(info.algorithm.data))
    how = KEY_AGREEMENTS.get(oid)
    if how is None:
        raise InsufficientSecurity("the key agreement algorithm is not supported")
    outer = der.element_at(wrap, 0, len(wrap))
    size = KEY_WRAPS.get(split_identifier(wrap[outer.start : outer.stop])[0])
    if size is None:
        raise InsufficientSecurity("the key wrap algorithm is not supported")
    if info.originator.tag_bytes[0] != _KEY_AGREEMENT:
        raise MalformedCms("the originator's key is not in the message")
    key = decode(OriginatorPublicKey, der.tlv(der.SEQUENCE, info.originator.data))
    return Agreement(how, wrap, size, info.user_material), key.public_key.as_bytes()


def agreed_key(
    agreement: Agreement, point: bytes, wrapped: bytes, private_key: ec.EllipticCurvePrivateKey
) -> bytes | None:
    """The content key that `wrapped` holds for our static key, or None where it does not unwrap.

    `point` must lie on our own curve.
    """
    how, wrap, size, material = agreement
    try:
        public_key = ec.EllipticCurvePublicKey.from_encoded_point(private_key.curve, point)
        shared = private_key.exchange(_ECDH, public_key)
        return aes_key_unwrap(_derive(shared, how.digest.algorithm, wrap, material, size), wrapped)
    except (ValueError, InvalidUnwrap):
        return None


def _derive(shared: bytes, digest: HashAlgorithm, wrap: bytes, material: bytes | None, size: int) -> bytes:
    """The X9.63 derivation over ECC-CMS-SharedInfo (RFC 5753 7.2); `wrap` is the identifier as it is sent."""
    return X963KDF(digest, size, _shared_info(wrap, material, size)).derive(shared)


@functools.lru_cache(maxsize=_SHARED)
def _shared_info(wrap: bytes, material: bytes | None, size: int) -> bytes:
    parts = [wrap]
    if material is not None:
        parts.append(der.tlv(EXPLICIT_0, der.tlv(der.OCTET_STRING, material)))
    bits = (8 * size).to_bytes(4, "big")
    parts.append(der.tlv(_EXPLICIT_2, der.tlv(der.OCTET_STRING, bits)))
    return der.tlv(der.SEQUENCE, *parts)


def agree(key: bytes, recipient: Facts, public_key: ec.EllipticCurvePublicKey, how: KeyTransport) -> bytes:
    """A KeyAgreeRecipientInfo (6.2.2) with `key`, under a fresh ephemeral key of the recipient's curve."""
    ephemeral = ec.generate_private_key(public_key.curve)
    point = ephemeral.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    # RFC 5753 7.1.2: the wrap is at least as strong as the key it carries; there is no wrap key of 40 bits.
    size = len(key) if len(key) in KEY_WRAP_OIDS else max(KEY_WRAP_OIDS)
    wrap = algorithm_identifier(KEY_WRAP_OIDS[size])
    derived = _derive(ephemeral.exchange(ec.ECDH(), public_key), how.digest.algorithm, wrap, None, size)
    originator = der.tlv(
        _KEY_AGREEMENT, algorithm_identifier(_EC_PUBLIC_KEY), der.tlv(_BIT_STRING, b"\0", point)
    )
    encrypted = der.tlv(
        der.SEQUENCE,
        der.tlv(der.SEQUENCE, recipient.name),
        der.tlv(der.OCTET_STRING, aes_key_wrap(derived, key)),
    )
    return der.tlv(
        _KEY_AGREEMENT,
        _VERSION_3,
        der.tlv(EXPLICIT_0, originator),
        algorithm_identifier(KEY_AGREEMENT_OIDS[how], wrap),
        der.tlv(der.SEQUENCE, encrypted),
    )
