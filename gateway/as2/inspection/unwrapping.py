"""Looking through the layers of a stored message, as far as the keys at hand go.

Nothing here decides anything: receiving is done in `message`. Algorithms that no agreement allows are looked
through too, and a layer that cannot be opened says why, which a sender is never told.
"""

import contextlib
import dataclasses
import warnings
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from ....security import (
    DEFAULT_POLICY,
    Cipher,
    DecryptionFailed,
    Digest,
    InsufficientSecurity,
    IntegrityFailed,
    KeyTransport,
    SecurityError,
    Signature,
    fingerprint,
    valid_at,
)
from ....security.cms import decompress, decrypt
from ....security.inspection.certificates import show_certificate
from ....security.inspection.naming import distinguished_name
from ....security.inspection.structures import carried_certificates, carried_content
from ....security.inspection.structures import inspect as inspect_cms
from ....security.inspection.values import Shown, ShownCompressed, ShownEnvelope, ShownSigned
from ....security.trust import facts
from .. import mime
from ..disposition import read_disposition
from ..layers import unprotected
from ..mime import Entity
from ..multipart import split
from ..payload import UNKNOWN_TYPE, Part
from ..signature import Signed, parts_of, verify_detached, verify_opaque
from ..terms import Terms
from .values import Judged, Layer, Means, Notification, Over, Standing

# Layers within layers: an AS2 message has four, and a receipt in it three more.
MAX_DEPTH = 12
# Entities of one message: every part of a multipart is one.
MAX_ENTITIES = 256

_CMS_TYPES = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
_SIGNATURES = frozenset({"application/pkcs7-signature", "application/x-pkcs7-signature"})
_NOTIFICATION = "message/disposition-notification"
ANYTHING = dataclasses.replace(
    DEFAULT_POLICY,
    digests=frozenset(Digest),
    ciphers=frozenset(Cipher),
    key_transports=frozenset(KeyTransport),
    signatures=frozenset(Signature),
    min_rsa_bits=0,
    allow_no_signed_attributes=True,
)
# A MIC is over the innermost of these (RFC 4130 7.3.1, RFC 5402 4).
_RANKS = {Over.DECRYPTED: 1, Over.DECOMPRESSED: 2, Over.SIGNED: 3, Over.OPAQUE: 3}


class MicSource(NamedTuple):
    """The octets a MIC is over, and what they are."""

    octets: bytes
    over: Over


class Walk:
    """One message being looked through. Its attributes are what has been found so far."""

    def __init__(self, means: Means, at: datetime) -> None:
        self._means = means
        self._at = at
        self._entities = 0
        self._settled = False
        self._room = means.max_payload
        self.documents: list[Part] = []
        self.digest: Digest | None = None
        """Of the outermost signature."""
        self.mic_source: MicSource | None = None

    def entity(self, entity: Entity, depth: int = 0) -> Layer:
        """`entity`, and everything in it. Never raises for what a sender sends."""
        self._entities += 1
        layer = Layer(
            media_type=entity.media_type,
            content_type=entity.headers.get("content-type", ""),
            encoding=entity.headers.get("content-transfer-encoding", ""),
            filename=mime.filename(entity) or "",
            octets=len(entity.raw) - entity.body_at,
            bare=entity.bare,
        )
        if depth >= MAX_DEPTH or self._entities > MAX_ENTITIES:
            return dataclasses.replace(layer, problem="more layers or parts than are looked into")
        try:
            if entity.media_type == "multipart/signed":
                return self._signed(entity, layer, depth)
            if entity.media_type in _CMS_TYPES:
                return self._cms(mime.decode_cms(entity), layer, depth)
            return self._content(entity, layer, depth)
        except (SecurityError, mime.MimeError) as error:
            return dataclasses.replace(layer, problem=str(error))
        # The border for what nobody foresaw in hostile bytes: the layers around it are still to be seen.
        except Exception as error:
            return dataclasses.replace(layer, problem=f"cannot be looked into ({type(error).__name__})")

    def _content(self, entity: Entity, layer: Layer, depth: int) -> Layer:
        if self.mic_source is None:
            over = Over.RELATED if entity.media_type == "multipart/related" else Over.BODY
            self.mic_source = MicSource(unprotected(entity, entity.media_type), over)
        self._settled = True
        if entity.media_type in _SIGNATURES:
            return dataclasses.replace(layer, cms=inspect_cms(mime.decode_cms(entity)))
        if entity.media_type.startswith("multipart/"):
            parts = map(mime.read_entity, split(entity).parts)
            return dataclasses.replace(layer, inside=tuple(self.entity(part, depth + 1) for part in parts))
        content = mime.decode(entity)
        kind = layer.content_type or UNKNOWN_TYPE
        self.documents.append(Part(content=content, content_type=kind, filename=layer.filename or None))
        if entity.media_type == _NOTIFICATION:
            return dataclasses.replace(layer, notification=read_notification(content))
        return layer

    def _signed(self, entity: Entity, layer: Layer, depth: int) -> Layer:
        content, data, *_ = parts_of(entity)
        try:
            layer = dataclasses.replace(layer, cms=self._noted(data))
            found = self._judge(data, content)
        except SecurityError as error:
            found = _Found(None, Judged(standing=Standing.FAILS, reason=str(error)))
        content = found.signed.content if found.signed is not None else content
        self._take(content, Over.SIGNED)
        return self._within(dataclasses.replace(layer, signature=found.judged), content, depth)

    def _cms(self, data: bytes, layer: Layer, depth: int) -> Layer:
        shown = self._noted(data)
        layer = dataclasses.replace(layer, cms=shown)
        try:
            match shown:
                case ShownEnvelope():
                    return self._decrypted(data, shown, layer, depth)
                case ShownCompressed():
                    content = decompress(data, limit=self._room)
                    self._room -= len(content)  # in all: a message may hold many bombs
                    self._take(content, Over.DECOMPRESSED)
                    return self._within(dataclasses.replace(layer, opened=len(content)), content, depth)
                case ShownSigned():
                    return self._opaque(data, layer, depth)
                case _:
                    return dataclasses.replace(layer, problem="a type of CMS that AS2 does not use")
        except SecurityError as error:
            return dataclasses.replace(layer, problem=str(error))

    def _opaque(self, data: bytes, layer: Layer, depth: int) -> Layer:
        inside = carried_content(data)
        if inside is None:
            return dataclasses.replace(layer, problem="a signature alone: what was signed is not in it")
        found = self._judge(data, None)
        self._take(inside, Over.OPAQUE)
        return self._within(dataclasses.replace(layer, signature=found.judged), inside, depth)

    def _decrypted(self, data: bytes, shown: ShownEnvelope, layer: Layer, depth: int) -> Layer:
        for key in self._means.keys:
            with contextlib.suppress(DecryptionFailed):
                content = decrypt(data, [key], policy=ANYTHING)
                self._take(content, Over.DECRYPTED)
                name = fingerprint(key.certificate)
                opened = dataclasses.replace(layer, opened_by=name, opened=len(content))
                return self._within(opened, content, depth)
        return dataclasses.replace(layer, locked=True, problem=f"encrypted: {self._why_locked(shown)}")

    def _why_locked(self, shown: ShownEnvelope) -> str:
        if not self._means.keys:
            return "it takes a key"
        holders = [one.holder for one in shown.recipients]
        for key in self._means.keys:
            own = show_certificate(key.certificate.public_bytes(Encoding.DER))
            identifier = facts(key.certificate).key_identifier.hex()
            if any(
                one.key_identifier == identifier or (one.issuer, one.serial) == (own.issuer, own.serial)
                for one in holders
            ):
                return f"it is for {own.fingerprint}, whose key does not open it: it was changed, or made so"
        return "it is for none of the keys at hand"

    def _within(self, layer: Layer, content: bytes, depth: int) -> Layer:
        return dataclasses.replace(layer, inside=(self.entity(mime.read_entity(content), depth + 1),))

    def _take(self, content: bytes, over: Over) -> None:
        if self._settled:
            return
        if self.mic_source is None or _RANKS[over] > _RANKS[self.mic_source.over]:
            self.mic_source = MicSource(content, over)

    def _noted(self, data: bytes) -> Shown:
        shown = inspect_cms(data)
        if isinstance(shown, ShownSigned) and shown.signers and self.digest is None and not self._settled:
            self.digest = Digest.from_micalg(shown.signers[0].digest)
        return shown

    def _judge(self, data: bytes, content: bytes | None) -> "_Found":
        """What was signed, where a signature holds by anybody, and what that is worth."""
        reason, standing = "no certificate was given to compare with", Standing.UNCHECKED
        if self._means.certificates or self._means.authorities is not None:
            try:
                return _found(_verified(data, content, self._means, self._at), Standing.HOLDS)
            except InsufficientSecurity as error:
                return _Found(None, Judged(standing=Standing.REFUSED, reason=str(error)))
            except SecurityError as error:
                reason, standing = str(error), Standing.FAILS
        for certificate in _loaded(data):
            moment = self._at if valid_at(certificate, self._at) else certificate.not_valid_before_utc
            try:
                signed = _verified(data, content, Means(certificates=(certificate,)), moment)
                return _found(signed, Standing.UNTRUSTED, reason)
            except IntegrityFailed as error:
                # Whoever signed, this is not what was signed: that is worth more than who is not known, and
                # every other certificate of this name would cost as much.
                return _Found(None, Judged(standing=Standing.FAILS, reason=str(error)))
            except InsufficientSecurity as error:
                return _Found(None, Judged(standing=Standing.REFUSED, reason=str(error)))
            except SecurityError:
                continue
        return _Found(None, Judged(standing=standing, reason=reason))


class _Found(NamedTuple):
    signed: Signed | None
    judged: Judged


def _found(signed: Signed, standing: Standing, reason: str = "") -> _Found:
    certificate = signed.verified.certificate
    judged = Judged(
        standing=standing,
        signer=_subject(certificate),
        fingerprint=fingerprint(certificate),
        reason=reason,
        tolerance=signed.tolerance,
    )
    return _Found(signed, judged)


def _verified(data: bytes, content: bytes | None, means: Means, now: datetime) -> Signed:
    """The content whose signature is by the certificates of `means`, whatever algorithms it has."""
    terms = Terms(
        our_name="us",
        their_name="them",
        their_signing=means.certificates,
        their_authorities=means.authorities,
        policy=ANYTHING,
        sign=False,
        encrypt=False,
    )
    if content is None:
        return verify_opaque(data, terms, now)
    return verify_detached(content, data, terms, now)


def _loaded(data: bytes) -> Iterator[x509.Certificate]:
    """The certificates a signature carries, as far as the library reads them."""
    for encoded in carried_certificates(data):
        # It warns of what products write (a serial number of zero); here nothing hangs on it.
        with warnings.catch_warnings(), contextlib.suppress(ValueError, x509.InvalidVersion):
            warnings.simplefilter("ignore")
            yield x509.load_der_x509_certificate(encoded)


def _subject(certificate: x509.Certificate) -> str:
    with contextlib.suppress(ValueError):
        return distinguished_name(certificate.subject.public_bytes())
    return ""


def read_notification(content: bytes) -> Notification:
    """The fields of a message/disposition-notification, and what its disposition means."""
    fields = mime.read_fields(content)
    disposition = fields.get("disposition", "")
    said = read_disposition(disposition)
    return Notification(
        disposition=disposition,
        understood=said.text if said is not None else "",
        original_message_id=fields.get("original-message-id", ""),
        mic=fields.get("received-content-mic", ""),
        final_recipient=fields.get("final-recipient", ""),
        reporting_ua=fields.get("reporting-ua", ""),
    )
