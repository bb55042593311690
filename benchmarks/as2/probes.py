"""Messages that fail inside encryption, one for each cause, all of one size.

The size of a request is public and the answer's moment may follow from it, so only messages of one size say
whether anything else shows. Each comes as an EnvelopedData under the trader's name; who made it, or changed
it on its way, the gateway cannot know.
"""

import enum
import os
from collections.abc import Callable
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tidewaiter.codecs.document import EDIFACT_MEDIA_TYPE
from tidewaiter.gateway.as2 import mime
from tidewaiter.security import Cipher, load_certificates, load_private_key, make_self_signed
from tidewaiter.security.cms import Signer, compress, encrypt, sign

# Of the document inside the first of them; a bomb of _BOMB octets needs most of it.
DOCUMENT = 28_000
# More than any of them takes to grow or shrink to the size of the first.
_TRIES = 32
_ENCRYPTED_KEY = bytes.fromhex("04820100")  # an OCTET STRING of 256: the content key under RSA-2048
_MODULUS, _BLOCK = 256, 16
# More than a document may have (`limits.payload`).
_BOMB = 21_000_000
_BOUNDARY = b"b-6f1d0d1cbd2f4c3f"


class Cause(enum.Enum):
    """Why a message is refused; the value is for people."""

    PADDING = "bad padding"
    KEY_FORM = "RSA key of wrong form"
    OTHER_KEY = "another content key"
    GARBAGE = "decrypts to garbage"
    UNSIGNED = "unsigned"
    STRANGER = "a stranger's signature"
    TAMPERED = "tampered"
    BOMB = "bomb inside"
    TAG = "bad tag of GCM in EnvelopedData"


class Probes:
    """Makes them, to the gateway that has `certificate` and knows `signer` as the trader's."""

    def __init__(self, certificate: x509.Certificate, signer: Signer) -> None:
        self._certificate = certificate
        self._signer = signer
        self._now = datetime.now(UTC).replace(microsecond=0)
        stranger, key = make_self_signed("trader (Tidewaiter starter)", now=self._now, days=30)
        self._stranger = Signer(load_certificates(stranger)[0], load_private_key(key))
        self._bomb = bytes(_BOMB)
        self._make: dict[Cause, Callable[[int], bytes]] = {
            Cause.PADDING: lambda size: _flipped(self._encrypted(self._good(size)), -_BLOCK - 1),
            Cause.KEY_FORM: lambda size: self._with_key(size, b"\0" + os.urandom(_MODULUS - 1)),
            Cause.OTHER_KEY: lambda size: self._with_key(size, self._wrapped(os.urandom(32))),
            Cause.GARBAGE: lambda size: self._encrypted(os.urandom(size)),
            Cause.UNSIGNED: lambda size: self._encrypted(_entity(size)),
            Cause.STRANGER: lambda size: self._encrypted(self._signed(_entity(size), self._stranger)),
            Cause.TAMPERED: lambda size: self._encrypted(self._good(size).replace(b"UNH", b"UNX", 1)),
            Cause.BOMB: lambda size: self._encrypted(self._compressed(size)),
            Cause.TAG: lambda size: _flipped(self._encrypted(self._good(size), Cipher.AES256_GCM), -1),
        }
        self._size = len(self._make[Cause.PADDING](DOCUMENT))

    def new(self, cause: Cause) -> bytes:
        """The body of another message that is refused for `cause`."""
        size = DOCUMENT
        for _ in range(_TRIES):
            body = self._make[cause](size)
            if len(body) == self._size:
                return body
            size += self._size - len(body)
        raise ValueError(f"no message for {cause.value!r} has {self._size} octets")

    def good(self) -> bytes:
        """The same without any fault: it is received."""
        return self._encrypted(self._good(DOCUMENT))

    def _good(self, size: int) -> bytes:
        return self._signed(_entity(size), self._signer)

    def _signed(self, entity: bytes, signer: Signer) -> bytes:
        signature = mime.to_base64(sign(entity, signer, detached=True, signing_time=self._now))
        return (
            b'Content-Type: multipart/signed; protocol="application/pkcs7-signature"; micalg=sha-256; '
            b'boundary="%b"\r\n\r\n--%b\r\n%b\r\n--%b\r\nContent-Type: application/pkcs7-signature\r\n'
            b"Content-Transfer-Encoding: base64\r\n\r\n%b\r\n--%b--\r\n"
        ) % (_BOUNDARY, _BOUNDARY, entity, _BOUNDARY, signature.rstrip(b"\r\n"), _BOUNDARY)

    def _compressed(self, size: int) -> bytes:
        head = b"Content-Type: application/pkcs7-mime; smime-type=compressed-data\r\n\r\n"
        room = max(0, size - _BOMB // 1000)
        return head + compress(self._bomb + os.urandom(room))

    def _encrypted(self, content: bytes, cipher: Cipher = Cipher.AES256_CBC) -> bytes:
        return encrypt(content, [self._certificate], cipher=cipher, gcm_in_enveloped=True)

    def _wrapped(self, key: bytes) -> bytes:
        public = self._certificate.public_key()
        assert isinstance(public, rsa.RSAPublicKey)
        return public.encrypt(key, padding.PKCS1v15())

    def _with_key(self, size: int, encrypted_key: bytes) -> bytes:
        body = self._encrypted(self._good(size))
        at = body.index(_ENCRYPTED_KEY) + len(_ENCRYPTED_KEY)
        return body[:at] + encrypted_key + body[at + _MODULUS :]


def _entity(size: int) -> bytes:
    return (
        b"Content-Type: %b\r\n\r\n" % EDIFACT_MEDIA_TYPE.encode() + (b"UNH+1+CUSDEC:D:96B:UN'" * size)[:size]
    )


def _flipped(body: bytes, at: int) -> bytes:
    changed = bytearray(body)
    changed[at] ^= 0x80
    return bytes(changed)
