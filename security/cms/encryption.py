"""EnvelopedData (RFC 5652 6) and AuthEnvelopedData (RFC 5083): making one."""

import os
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from .. import der
from ..algorithms import KEY_AGREEMENT_OIDS, Cipher, KeyTransport, Mode
from ..errors import KeyStoreError
from ..trust import facts
from .ciphers import new_algorithm, seal
from .content import DATA, ContentType, write
from .recipients import OAEP, agree, transport

_IMPLICIT_0_STRING = 0x80
_VERSIONS = {number: der.tlv(der.INTEGER, bytes((number,))) for number in (0, 2)}
_RSA = {KeyTransport.RSA_PKCS1, *OAEP.values()}


def encrypt(
    content: der.Buffer | Sequence[der.Buffer],
    certificates: Sequence[x509.Certificate],
    *,
    cipher: Cipher,
    key_transport: KeyTransport = KeyTransport.RSA_PKCS1,
    gcm_in_enveloped: bool = False,
) -> bytes:
    """`content`, whole or in pieces, encrypted to each of `certificates`, in DER.

    CBC gives EnvelopedData, GCM AuthEnvelopedData; `gcm_in_enveloped` is the dialect that puts GCM into
    EnvelopedData with the tag behind the content, for partners whose agreement says so. `key_transport` is
    for RSA certificates; EC certificates get ECDH with the SHA-256 derivation unless it names another ECDH.
    Raises KeyStoreError where there is no certificate or one cannot be encrypted to.
    """
    if not certificates:
        raise KeyStoreError("there is no certificate to encrypt to")
    key = os.urandom(cipher.key_size)
    algorithm, identifier = new_algorithm(cipher)
    pieces = [content] if isinstance(content, bytes | memoryview) else content
    parts, tag = seal(pieces, key, algorithm)
    infos = [_recipient(key, certificate, key_transport) for certificate in certificates]
    separate = cipher.mode is Mode.GCM and not gcm_in_enveloped
    encrypted: list[der.Buffer] = [*parts, *([] if separate else [tag])]
    structure: list[der.Buffer] = [
        der.set_of(infos),
        *der.nest(der.SEQUENCE, [DATA, identifier, *der.nest(_IMPLICIT_0_STRING, encrypted)]),
    ]
    if separate:  # RFC 5083 2.1: the version is always 0, and the tag stands last
        tagged = [_VERSIONS[0], *structure, der.tlv(der.OCTET_STRING, tag)]
        return write(ContentType.AUTH_ENVELOPED, tagged)
    # 6.1: 2 as soon as one recipient is not key transport by issuer and serial number.
    version = 0 if all(info[0] == der.SEQUENCE for info in infos) else 2
    return write(ContentType.ENVELOPED, [_VERSIONS[version], *structure])


def _recipient(key: bytes, certificate: x509.Certificate, how: KeyTransport) -> bytes:
    known = facts(certificate)
    try:
        match known.public_key:
            case rsa.RSAPublicKey() as public_key if how in _RSA:
                return transport(key, known, public_key, how)
            case ec.EllipticCurvePublicKey() as public_key:
                agreement = how if how in KEY_AGREEMENT_OIDS else KeyTransport.ECDH_SHA256
                return agree(key, known, public_key, agreement)
    except ValueError as error:
        raise KeyStoreError("a certificate's key cannot be encrypted to") from error
    raise KeyStoreError("a certificate's key cannot be encrypted to")
