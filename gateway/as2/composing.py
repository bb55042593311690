"""Composing an AS2 message: compress, sign, encrypt. All of it is bytes, so that every try sends the same."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ...security import Digest
from ...security.algorithms import Mode
from ...security.cms import compress, encrypt
from . import mime
from .identity import MAX_MESSAGE_ID
from .mic import Mic
from .names import write_name
from .payload import Part
from .terms import Receipts, Terms
from .writing import Headers, Piece, attachment, date, joined, on_one_line, signed

AS2_VERSION = "1.2"
# RFC 6362: what we read. Unknown features are ignored by rule, so it is always sent.
FEATURES = "multiple-attachments"
_BINARY = ("Content-Transfer-Encoding", "binary")
_BASE64 = ("Content-Transfer-Encoding", "base64")


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """A message ready to send. Store it whole, with `mic`, before the first try; send the same bytes on every
    one (the receiver knows a retry by its Message-ID and bytes).
    """

    headers: tuple[tuple[str, str], ...]
    body: bytes
    mic: Mic
    message_id: str


def compose(
    payload: bytes,
    content_type: str,
    terms: Terms,
    *,
    message_id: str,
    now: datetime,
    boundary: str,
    filename: str | None = None,
    subject: str | None = None,
    attachments: Sequence[Part] = (),
) -> Composed:
    """`payload` as the terms want it sent. Host, User-Agent and Content-Length are the client's to add.

    `message_id` gets angle brackets if it has none. `boundary` must not occur in the payload: take it from a
    good random source. With `attachments` the document is the first part of a multipart/related (RFC 6362
    3). Raises ValueError for a header value that cannot stand on one line.
    """
    message_id = message_id if message_id.startswith("<") else f"<{message_id}>"
    if len(message_id) > MAX_MESSAGE_ID:
        raise ValueError("the Message-ID is too long")
    now = now.replace(microsecond=0)
    piece = _part(payload, content_type, filename)
    if attachments:
        piece = _related(piece, content_type, attachments, f"m-{boundary}")
    # RFC 4130 7.3.1: over the body alone if nothing is done to it, else over the entity with its headers;
    # several parts are digested whole with their header (RFC 6362 3).
    protected = terms.sign or terms.encrypt or terms.compress or bool(attachments)
    covered = piece.entity if protected else (payload,)
    if terms.compress and not (terms.sign and terms.compress_after_signing):
        piece = _compressed(covered, terms)
        if terms.sign:
            covered = piece.entity
    mic_digest = _mic_digest(terms)
    digest = _digest(covered, mic_digest)
    if terms.sign:
        piece = _signed(covered, digest, terms, now, boundary)
        if terms.compress and terms.compress_after_signing:
            piece = _compressed(piece.entity, terms)
    if terms.encrypt:
        piece = _encrypted(piece, terms)
    return Composed(
        headers=_headers(terms, message_id, now, subject, piece.headers),
        body=piece.body,
        mic=Mic.of_digest(digest, mic_digest),
        message_id=message_id,
    )


def _headers(
    terms: Terms, message_id: str, now: datetime, subject: str | None, of_piece: Headers
) -> tuple[tuple[str, str], ...]:
    our_name = write_name(terms.our_name)
    headers = [
        ("AS2-Version", AS2_VERSION),
        ("EDIINT-Features", FEATURES),
        ("AS2-From", our_name),
        ("AS2-To", write_name(terms.their_name)),
        ("Message-ID", message_id),
        ("Date", date(now)),
        ("MIME-Version", "1.0"),
    ]
    if subject is not None:
        headers.append(("Subject", subject))
    if terms.receipts is not Receipts.NONE:
        # Only a flag (RFC 4130 7.3): where the receipt goes is said by Receipt-Delivery-Option.
        headers.append(("Disposition-Notification-To", our_name))
        if terms.signed_receipts:
            headers.append(("Disposition-Notification-Options", _options(_mic_digest(terms))))
        if terms.receipts is Receipts.ASYNC:
            headers.append(("Receipt-Delivery-Option", terms.receipt_url))
    # HTTP bodies are binary (RFC 4130 5.2.1 has the header useless there): it is said only where it is not.
    headers += [each for each in of_piece if each != _BINARY]
    return on_one_line(tuple(headers))


def _options(digest: Digest) -> str:
    return (
        f"signed-receipt-protocol=required, pkcs7-signature; signed-receipt-micalg=required, {digest.micalg}"
    )


def _mic_digest(terms: Terms) -> Digest:
    """Some receivers go by the list, others by the signature (RFC 4130 7.4.3): so the two are made to
    agree.
    """
    return terms.signer.digest if terms.sign and terms.signer is not None else terms.digest


def _digest(pieces: Iterable[bytes], digest: Digest) -> bytes:
    running = digest.new()
    for piece in pieces:
        running.update(piece)
    return running.digest()


def _part(content: bytes, content_type: str, filename: str | None) -> Piece:
    if filename is None:
        return Piece((("Content-Type", content_type), _BINARY), (content,))
    disposition = ("Content-Disposition", attachment(filename))
    return Piece((("Content-Type", content_type), _BINARY, disposition), (content,))


def _related(document: Piece, content_type: str, attachments: Sequence[Part], boundary: str) -> Piece:
    """RFC 6362 3, RFC 2387 3.1: `type` is that of the document, which comes first."""
    others = (_part(part.content, part.content_type, part.filename) for part in attachments)
    media_type = content_type.partition(";")[0].strip()
    entities = (piece.entity for piece in (document, *others))
    return joined(entities, f'multipart/related; type="{media_type}"', boundary)


def _cms(pieces: tuple[bytes, ...], smime_type: str, name: str, terms: Terms) -> Piece:
    """A part that holds CMS. Some products find nothing in it unless its encoding is named."""
    return Piece(
        (
            ("Content-Type", f'application/pkcs7-mime; smime-type={smime_type}; name="{name}"'),
            _BASE64 if terms.base64 else _BINARY,
            ("Content-Disposition", f'attachment; filename="{name}"'),
        ),
        (mime.to_base64(b"".join(pieces)),) if terms.base64 else pieces,
    )


def _compressed(entity: tuple[bytes, ...], terms: Terms) -> Piece:
    return _cms((compress(b"".join(entity)),), "compressed-data", "smime.p7z", terms)


def _signed(entity: tuple[bytes, ...], digest: bytes, terms: Terms, now: datetime, boundary: str) -> Piece:
    assert terms.signer is not None
    if not terms.opaque:
        return signed(entity, terms.signer, digest, now=now, boundary=boundary)
    data = terms.signer.signed_data(digest, now, b"".join(entity))
    return _cms((data,), "signed-data", "smime.p7m", terms)


def _encrypted(piece: Piece, terms: Terms) -> Piece:
    assert terms.their_encryption is not None
    data = encrypt(
        piece.entity,
        [terms.their_encryption],
        cipher=terms.cipher,
        key_transport=terms.key_transport,
        gcm_in_enveloped=terms.gcm_in_enveloped,
    )
    separate = terms.cipher.mode is Mode.GCM and not terms.gcm_in_enveloped
    return _cms((data,), "authEnveloped-data" if separate else "enveloped-data", "smime.p7m", terms)
