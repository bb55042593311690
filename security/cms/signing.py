"""SignedData (RFC 5652 5): making one."""

import datetime

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
from .content import DATA, EXPLICIT_0, ContentType, encapsulate, write

_VERSION_1 = der.tlv(der.INTEGER, b"\x01")
_IMPLICIT_0 = 0xA0
_NULL = der.tlv(der.NULL)
_UTC_TIME, _GENERALIZED_TIME = 0x17, 0x18
# 11.3: dates through the year 2049 are UTCTime, later ones GeneralizedTime.
_LAST_UTC_YEAR = 2049

CONTENT_TYPE = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
SIGNING_TIME = "1.2.840.113549.1.9.5"


def _attribute(kind: str, value: bytes) -> bytes:
    return der.tlv(der.SEQUENCE, der.oid(kind), der.tlv(der.SET, value))


_CONTENT_TYPE_IS_DATA = _attribute(CONTENT_TYPE, DATA)
_MESSAGE_DIGEST_OID = der.oid(MESSAGE_DIGEST)
_SIGNING_TIME_OID = der.oid(SIGNING_TIME)


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
        if facts(certificate).public_key != private_key.public_key():
            raise KeyStoreError("the private key is not the certificate's")
        self.certificate = certificate
        self.digest = digest
        self.scheme = scheme
        self._key = private_key
        digest_algorithm = algorithm_identifier(DIGEST_OIDS[digest])
        encoded = certificate.public_bytes(serialization.Encoding.DER)
        self._digest_algorithms = der.tlv(der.SET, digest_algorithm)
        self._certificates = der.tlv(_IMPLICIT_0, encoded)
        self._before = _VERSION_1 + der.tlv(der.SEQUENCE, facts(certificate).name) + digest_algorithm
        self._signature_algorithm = _signature_algorithm(scheme, digest)

    def signer_info(self, message_digest: bytes, signing_time: datetime.datetime) -> bytes:
        """The SignerInfo of a content whose digest is `message_digest`."""
        attributes = b"".join(
            sorted(
                (
                    _CONTENT_TYPE_IS_DATA,
                    der.tlv(der.SEQUENCE, _SIGNING_TIME_OID, der.tlv(der.SET, _time(signing_time))),
                    der.tlv(
                        der.SEQUENCE,
                        _MESSAGE_DIGEST_OID,
                        der.tlv(der.SET, der.tlv(der.OCTET_STRING, message_digest)),
                    ),
                )
            )
        )
        # 5.4: what is signed has the tag of SET OF, what is sent [0] IMPLICIT.
        signature = self._sign(der.tlv(der.SET, attributes))
        return der.tlv(
            der.SEQUENCE,
            self._before,
            der.tlv(_IMPLICIT_0, attributes),
            self._signature_algorithm,
            der.tlv(der.OCTET_STRING, signature),
        )

    def signed_data(
        self, message_digest: bytes, signing_time: datetime.datetime, content: der.Buffer | None
    ) -> bytes:
        """The SignedData of a content whose digest is `message_digest`; `content` None leaves it detached."""
        info = self.signer_info(message_digest, signing_time)
        fields: list[der.Buffer] = [_VERSION_1, self._digest_algorithms, *encapsulate(content)]
        return write(ContentType.SIGNED, [*fields, self._certificates, der.tlv(der.SET, info)])

    def _sign(self, data: bytes) -> bytes:
        algorithm = self.digest.algorithm
        if isinstance(self._key, ec.EllipticCurvePrivateKey):
            return self._key.sign(data, ec.ECDSA(algorithm))
        if self.scheme is Signature.RSA_PSS:
            return self._key.sign(data, padding.PSS(padding.MGF1(algorithm), self.digest.size), algorithm)
        return self._key.sign(data, padding.PKCS1v15(), algorithm)


def sign(content: der.Buffer, signer: Signer, *, detached: bool, signing_time: datetime.datetime) -> bytes:
    """A SignedData of `content` in DER, with the signer's certificate and signed attributes.

    `detached` leaves the content out, for multipart/signed. `signing_time` is aware.
    """
    running = signer.digest.new()
    running.update(content)
    return signer.signed_data(running.digest(), signing_time, None if detached else content)


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


def _time(moment: datetime.datetime) -> bytes:
    utc = moment.astimezone(datetime.UTC)
    if utc.year > _LAST_UTC_YEAR:
        return der.tlv(_GENERALIZED_TIME, utc.strftime("%Y%m%d%H%M%SZ").encode("ascii"))
    return der.tlv(_UTC_TIME, utc.strftime("%y%m%d%H%M%SZ").encode("ascii"))
