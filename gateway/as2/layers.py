"""Opening a message: encryption, compression and signature come off one by one, by what the CMS says it is.

What is inside may tell a stranger nothing. With CBC (RFC 8551 6) anybody can change a message encrypted to us
and send it again; an answer that says how far we got would tell good padding from bad, and octet by octet the
content. So from the moment decryption is tried until a signature of the partner holds, every failure is the
same `decryption-failed`: bad padding, bad MIME, bad compression, a stranger's or a weak or a broken
signature, layers in the wrong order, and under CBC also no signature at all where the terms ask for one. No
MIC goes with it.

A signature that holds is an answer too, if there is room beside what it covers: blocks put behind the closing
delimiter, or into a header of the multipart, would be `processed` where they decrypt to something harmless
and refused where not. So under CBC that room is closed: nothing behind the delimiter, and plain text in every
header and before the first delimiter. Blocks moved within CBC bring random ones with them, which are not
plain text. A signature that is text itself, as base64, leaves no room; one that is binary must not carry what
is skipped or taken apart and not covered (`security.cms.verify`, `malleable`).

Two failures have their own answer. An algorithm against the policy is read off identifiers that everybody can
see, before a key of ours is used. And in AuthEnvelopedData whose tag has held, no signature where the terms
ask for one: whoever made the tag knew the content key, so the content was the sender's own and the answer
tells nothing new; a changed message never gets that far, and an RSA key of the wrong form becomes a random
one, under which no tag holds. The sender of an honest message that lacks its signature learns what is wrong
with it. GCM inside EnvelopedData is not told from CBC here, and gets no exception.

Once the partner's signature holds, the partner made everything inside, and failures are told as they are.
"""

from datetime import datetime

from ...security import (
    AuthenticationFailed,
    DecompressionFailed,
    DecryptionFailed,
    InsufficientSecurity,
    IntegrityFailed,
    SecurityError,
)
from ...security.cms import ContentType, content_type, decompress, decrypt
from . import mime
from .disposition import Disposition
from .mime import Entity
from .payload import Payload, read_payload
from .signature import Signed, Tolerance, parts_of, verify_detached, verify_opaque
from .terms import Terms

# Encryption, compression and a signature, each once, and the payload; a step more would be refused in any
# case.
MAX_LAYERS = 4

_CMS_TYPES = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
_ENCRYPTED = frozenset({ContentType.ENVELOPED, ContentType.AUTH_ENVELOPED})
_BY_ERROR: tuple[tuple[type[SecurityError], Disposition], ...] = (
    (DecryptionFailed, Disposition.DECRYPTION_FAILED),
    (IntegrityFailed, Disposition.INTEGRITY_CHECK_FAILED),
    (AuthenticationFailed, Disposition.AUTHENTICATION_FAILED),
    (InsufficientSecurity, Disposition.INSUFFICIENT_MESSAGE_SECURITY),
    (DecompressionFailed, Disposition.DECOMPRESSION_FAILED),
)
# What is not the CMS it claims to be fails as the layer it claims to be; one that makes no claim as
# encryption.
_BY_CONTENT_TYPE = {
    ContentType.ENVELOPED: Disposition.DECRYPTION_FAILED,
    ContentType.AUTH_ENVELOPED: Disposition.DECRYPTION_FAILED,
    ContentType.COMPRESSED: Disposition.DECOMPRESSION_FAILED,
    ContentType.SIGNED: Disposition.INTEGRITY_CHECK_FAILED,
}
_BY_SMIME_TYPE = {
    "compressed-data": Disposition.DECOMPRESSION_FAILED,
    "signed-data": Disposition.INTEGRITY_CHECK_FAILED,
}


class Refusal(Exception):  # noqa: N818  an outcome of opening, not a fault of ours
    """A message that ends here. `reason` is for our log only.

    `public`: it may be told although the message is encrypted. `concealed`: it stands in for another.
    """

    def __init__(
        self, disposition: Disposition, reason: str, *, public: bool = False, concealed: bool = False
    ) -> None:
        super().__init__(reason)
        self.disposition = disposition
        self.reason = reason
        self.public = public
        self.concealed = concealed


class Opening:
    """One message being opened. Every attribute is what is known so far, also after a refusal."""

    def __init__(self, terms: Terms, now: datetime) -> None:
        self._terms = terms
        self._now = now
        self._tag_held = False
        self.encrypted = False
        self.compressed = False
        self.signed: Signed | None = None
        self.tolerances: list[Tolerance] = []
        self.mic_source: bytes | None = None
        """What the MIC is over, once known (RFC 4130 7.3.1, RFC 5402 4)."""

    def open(self, entity: Entity) -> Payload:
        """The payload in the HTTP entity `entity`, protected as the terms ask.

        Raises Refusal; its disposition is already the one that may be told.
        """
        try:
            inner = self._unwrap(entity)
            self._require_protection()
            return read_payload(inner, entity)
        except Refusal as refusal:
            raise self._told(refusal) from None
        except mime.MimeError as error:
            raise self._told(Refusal(Disposition.UNEXPECTED_PROCESSING_ERROR, str(error))) from None
        # The border for what nobody foresaw in hostile bytes: inside encryption a crash would be an answer
        # too.
        except Exception as error:
            disposition = Disposition.UNEXPECTED_PROCESSING_ERROR
            raise self._told(Refusal(disposition, type(error).__name__)) from error

    def _told(self, refusal: Refusal) -> Refusal:
        """What may be told of `refusal`: see the head of this module."""
        if not self.encrypted or self.signed is not None or refusal.public:
            return refusal
        self.mic_source = None
        reason = f"inside encryption: {refusal.reason}"
        return Refusal(Disposition.DECRYPTION_FAILED, reason, concealed=True)

    def _unwrap(self, entity: Entity) -> Entity:
        for _ in range(MAX_LAYERS):
            media_type = entity.media_type
            if media_type == "multipart/signed":
                inner = self._open_signed(entity)
            elif media_type in _CMS_TYPES:
                inner = self._open_cms(entity)
            else:
                if self.mic_source is None:
                    self.mic_source = unprotected(entity, media_type)
                return entity
            entity = mime.read_entity(inner)
            if entity.bare:
                self.tolerances.append(Tolerance.NO_MIME_HEADERS)
        raise Refusal(Disposition.UNEXPECTED_PROCESSING_ERROR, "too many layers")

    def _open_signed(self, entity: Entity) -> bytes:
        self._once(self.signed is not None)
        try:
            # What anybody may have changed is not decoded as a whole: its own head would go unseen.
            whole = entity if self._is_malleable else mime.decoded_multipart(entity)
            content, signature, closed, binary = parts_of(whole)
        except mime.MimeError as error:
            raise Refusal(Disposition.INTEGRITY_CHECK_FAILED, str(error)) from None
        self._nothing_unsigned(closed)
        self.mic_source = content
        try:
            malleable = binary and self._is_malleable
            return self._keep(
                verify_detached(content, signature, self._terms, self._now, malleable=malleable)
            )
        except SecurityError as error:
            raise _refusal(error, Disposition.INTEGRITY_CHECK_FAILED) from None

    def _open_cms(self, entity: Entity) -> bytes:
        smime_type = (entity.parameter("content-type", "smime-type") or "").lower()
        malformed = _BY_SMIME_TYPE.get(smime_type, Disposition.DECRYPTION_FAILED)
        try:
            self._nothing_unsigned(mime.is_plain_text(entity.head))
            data = mime.decode_cms(entity)
            kind = content_type(data)
            malformed = _BY_CONTENT_TYPE[kind]
            if kind in _ENCRYPTED:
                return self._decrypt(data, kind)
            if kind is ContentType.COMPRESSED:
                return self._decompress(data)
            self._once(self.signed is not None)
            malleable = self._is_malleable and mime.is_binary(entity)
            return self._keep(verify_opaque(data, self._terms, self._now, malleable=malleable))
        except mime.MimeError as error:
            raise Refusal(malformed, str(error)) from None
        except SecurityError as error:
            raise _refusal(error, malformed) from None

    def _decrypt(self, data: bytes, kind: ContentType) -> bytes:
        # Only the outermost layer is encryption: nothing in AS2 encrypts inside a signature (RFC 4130 4.2).
        self._once(self.encrypted or self.compressed or self.signed is not None)
        self.encrypted = True
        try:
            content = decrypt(data, self._terms.decryption_keys, policy=self._terms.policy)
        except InsufficientSecurity as error:
            disposition = Disposition.INSUFFICIENT_MESSAGE_SECURITY
            raise Refusal(disposition, str(error), public=True) from None
        self._tag_held = kind is ContentType.AUTH_ENVELOPED
        self.mic_source = content
        return content

    def _decompress(self, data: bytes) -> bytes:
        if self.compressed:
            raise Refusal(Disposition.DECOMPRESSION_FAILED, "compressed twice")
        self.compressed = True
        content = decompress(data, limit=self._terms.max_payload)
        if self.signed is None:
            self.mic_source = content
        return content

    @property
    def _is_malleable(self) -> bool:
        """Whether anybody can change what was decrypted: under CBC."""
        return self.encrypted and not self._tag_held

    def _nothing_unsigned(self, closed: bool) -> None:
        """Under CBC, refuse what could hold changed blocks beside the signed content and still be
        accepted.
        """
        if self._is_malleable and not closed:
            raise Refusal(Disposition.INTEGRITY_CHECK_FAILED, "octets that no signature covers")

    def _keep(self, signed: Signed) -> bytes:
        self.signed = signed
        self.mic_source = signed.content
        if signed.tolerance is not None:
            self.tolerances.append(signed.tolerance)
        return signed.content

    def _once(self, opened: bool) -> None:
        if opened:
            raise Refusal(
                Disposition.UNEXPECTED_PROCESSING_ERROR, "layers in an order that AS2 does not have"
            )

    def _require_protection(self) -> None:
        if self._terms.require_signed and self.signed is None:
            disposition = Disposition.INSUFFICIENT_MESSAGE_SECURITY
            raise Refusal(disposition, "not signed", public=self._tag_held)
        if self._terms.require_encrypted and not self.encrypted:
            raise Refusal(Disposition.INSUFFICIENT_MESSAGE_SECURITY, "not encrypted")


def unprotected(entity: Entity, media_type: str) -> bytes:
    """What the MIC of a message is over that is neither signed, encrypted nor compressed: HTTP's headers are
    on no side of it (RFC 4130 7.3.1), but for the one that holds several parts together (RFC 6362 3).
    """
    if media_type != "multipart/related":
        return entity.body
    content_type = entity.headers["content-type"].encode("latin-1")
    return b"Content-Type: %b\r\n\r\n%b" % (content_type, entity.body)


def _refusal(error: SecurityError, malformed: Disposition) -> Refusal:
    for kind, disposition in _BY_ERROR:
        if isinstance(error, kind):
            return Refusal(disposition, str(error))
    return Refusal(malformed, str(error))
