"""SignedData (RFC 5652 5): making one."""

import datetime
import functools
from collections.abc import Callable

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from .. import der
from ..algorithms import (
    DIGEST_OIDS,
    ECDSA_OIDS,
    MGF1,
    RSA_ENCRYPTION,
    RSA_PSS,
    Digest,
    Signature,
    algorithm_identifier,
)
from ..errors import KeyStoreError
from ..keystore import PrivateKey
from ..trust import facts
from .content import DATA, EXPLICIT_0, ContentType, encapsulate, parts_of

_VERSION_1 = der.tlv(der.INTEGER, b"\x01")
_IMPLICIT_0 = 0xA0
_NULL = der.tlv(der.NULL)
_UTC_TIME, _GENERALIZED_TIME = 0x17, 0x18
# 11.3: dates through the year 2049 are UTCTime, later ones GeneralizedTime.
_LAST_UTC_YEAR = 2049
# Signing times that are kept encoded: signatures of a moment share theirs.
_TIMES = 16

CONTENT_TYPE = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
SIGNING_TIME = "1.2.840.113549.1.9.5"


def _attribute(kind: str, value: bytes) -> bytes:
    return der.tlv(der.SEQUENCE, der.oid(kind), der.tlv(der.SET, value))


_CONTENT_TYPE_IS_DATA = _attribute(CONTENT_TYPE, DATA)


class Signer:
    """One key that signs, with everything computed that is the same in each signature.

    `scheme` is RSA PKCS#1 v1.5 or ECDSA by the kind of key unless RSA_PSS is asked for. Raises KeyStoreError
    where certificate, key and scheme do not belong together.
    """

    def __init__(
        self,
        certificate: x509.Certificate,
        private_key: PrivateKey,
        digest: Digest = Digest.SHA256,
        *,
        scheme: Signature | None = None,
    ) -> None:
        own = Signature.RSA_PKCS1 if isinstance(private_key, rsa.RSAPrivateKey) else Signature.ECDSA
        scheme = scheme or own
        if (scheme is Signature.ECDSA) is not (own is Signature.ECDSA):
            raise KeyStoreError("the signature scheme does not fit the private key")
        known = facts(certificate)
        if known.public_key != private_key.public_key():
            raise KeyStoreError("the private key is not the certificate's")
        self.certificate = certificate
        self.digest = digest
        self.scheme = scheme
        self._sign = _signing(private_key, scheme, digest)
        digest_algorithm = algorithm_identifier(DIGEST_OIDS[digest])
        self._digest_algorithms = der.tlv(der.SET, digest_algorithm)
        self._certificates = der.tlv(_IMPLICIT_0, certificate.public_bytes(serialization.Encoding.DER))
        self._before = _VERSION_1 + der.tlv(der.SEQUENCE, known.name) + digest_algorithm
        self._signature_algorithm = _signature_algorithm(scheme, digest)
        self._digest_head = _digest_head(digest)
        # Around attributes and signature of given sizes: a kind of key has one size of signature, or a few.
        self._frames: dict[tuple[int, int], tuple[bytes, bytes]] = {}

    def signed_data(
        self, message_digest: bytes, signing_time: datetime.datetime, content: der.Buffer | None
    ) -> bytes:
        """The SignedData of a content whose digest is `message_digest`; `content` None leaves it detached."""
        # In the order of DER (X.690 11.6): each is longer than the one before it.
        attributes = b"".join(
            (
                _CONTENT_TYPE_IS_DATA,
                _signing_time(
                    signing_time.replace(microsecond=0) if signing_time.microsecond else signing_time
                ),
                self._digest_head,
                message_digest,
            )
        )
        # 5.4: what is signed has the tag of SET OF, what is sent [0] IMPLICIT.
        signature = self._sign(der.tlv(der.SET, attributes))
        if content is not None:
            return b"".join(self._parts(attributes, signature, content))
        sizes = (len(attributes), len(signature))
        if (frame := self._frames.get(sizes)) is None:
            parts = self._parts(attributes, signature, None)
            frame = self._frames[sizes] = (b"".join(parts[:-4]), b"".join(parts[-3:-1]))
        before, between = frame
        return b"".join((before, attributes, between, signature))

    def _parts(self, attributes: bytes, signature: bytes, content: der.Buffer | None) -> list[der.Buffer]:
        """The whole ContentInfo; its last four parts are the attributes, two of their own, the signature."""
        info: list[der.Buffer] = [
            self._before,
            *der.nest(_IMPLICIT_0, [attributes]),
            self._signature_algorithm,
            *der.nest(der.OCTET_STRING, [signature]),
        ]
        infos = der.nest(der.SET, der.nest(der.SEQUENCE, info))
        fields = [_VERSION_1, self._digest_algorithms, *encapsulate(content), self._certificates, *infos]
        return parts_of(ContentType.SIGNED, fields)


def _signing(key: PrivateKey, scheme: Signature, digest: Digest) -> Callable[[bytes], bytes]:
    """What signs octets with `key`."""
    algorithm = digest.algorithm
    if isinstance(key, ec.EllipticCurvePrivateKey):
        ecdsa = ec.ECDSA(algorithm)
        return lambda data: key.sign(data, ecdsa)
    pad: padding.AsymmetricPadding = padding.PKCS1v15()
    if scheme is Signature.RSA_PSS:
        pad = padding.PSS(padding.MGF1(algorithm), digest.size)
    return lambda data: key.sign(data, pad, algorithm)


def sign(content: der.Buffer, signer: Signer, *, detached: bool, signing_time: datetime.datetime) -> bytes:
    """A SignedData of `content` in DER, with the signer's certificate and signed attributes.

    `detached` leaves the content out, for multipart/signed. `signing_time` is aware.
    """
    return signer.signed_data(
        signer.digest.new(content).digest(), signing_time, None if detached else content
    )


def _signature_algorithm(scheme: Signature, digest: Digest) -> bytes:
    match scheme:
        case Signature.RSA_PKCS1:  # RFC 3370 3.2: NULL must be there
            return algorithm_identifier(RSA_ENCRYPTION, _NULL)
        case Signature.ECDSA:  # RFC 5754 3.3: parameters absent
            return algorithm_identifier(ECDSA_OIDS[digest])
        case Signature.RSA_PSS:
            return algorithm_identifier(RSA_PSS, _pss_parameters(digest))


def _pss_parameters(digest: Digest) -> bytes:
    """RFC 4055 3.1: each value written out but the trailer, whose default is the only one there is."""
    hashed = algorithm_identifier(DIGEST_OIDS[digest], _NULL)
    mask = algorithm_identifier(MGF1, hashed)
    salt = der.tlv(der.INTEGER, bytes((digest.size,)))
    fields = (der.tlv(EXPLICIT_0 + number, value) for number, value in enumerate((hashed, mask, salt)))
    return der.tlv(der.SEQUENCE, *fields)


def _digest_head(digest: Digest) -> bytes:
    """The message-digest attribute but for the digest at its end."""
    attribute = _attribute(MESSAGE_DIGEST, der.tlv(der.OCTET_STRING, bytes(digest.size)))
    return attribute[: -digest.size]


@functools.lru_cache(maxsize=_TIMES)
def _signing_time(moment: datetime.datetime) -> bytes:
    """The signing-time attribute of a whole second."""
    utc = moment.astimezone(datetime.UTC)
    if utc.year > _LAST_UTC_YEAR:
        time = der.tlv(_GENERALIZED_TIME, utc.strftime("%Y%m%d%H%M%SZ").encode("ascii"))
    else:
        time = der.tlv(_UTC_TIME, utc.strftime("%y%m%d%H%M%SZ").encode("ascii"))
    return _attribute(SIGNING_TIME, time)
