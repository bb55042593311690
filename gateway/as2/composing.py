"""Composing an AS2 message: compress, sign, encrypt. All of it is bytes, so that every try sends the same."""

from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from ...security import Digest
from ...security.cms import ContentType, compress, encrypt
from ...security.cms import content_type as read_content_type
from .identity import MAX_MESSAGE_ID
from .mic import Mic
from .names import write_name
from .terms import Terms
from .writing import Piece, attachment, one_line, signed

AS2_VERSION = "1.2"
# RFC 6362: what we read. Unknown features are ignored by rule, so it is always sent.
FEATURES = "multiple-attachments"


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
) -> Composed:
    """`payload` as the terms want it sent. Host, User-Agent and Content-Length are the client's to add.

    `message_id` gets angle brackets if it has none. `boundary` must not occur in the payload: take it from a
    good random source. Raises ValueError for a header value that cannot stand on one line.
    """
    message_id = message_id if message_id.startswith("<") else f"<{message_id}>"
    if len(message_id) > MAX_MESSAGE_ID:
        raise ValueError("the Message-ID is too long")
    piece = _document(payload, content_type, filename)
    # RFC 4130 7.3.1: over the body alone if nothing is done to it, else over the entity with its headers.
    mic_source = bytes(piece) if terms.sign or terms.encrypt or terms.compress else payload
    if terms.compress and not (terms.sign and terms.compress_after_signing):
        piece = _compressed(piece)
    if terms.sign:
        assert terms.signer is not None
        mic_source = bytes(piece)
        piece = signed(mic_source, terms.signer, now=now, boundary=boundary)
        if terms.compress and terms.compress_after_signing:
            piece = _compressed(piece)
    if terms.encrypt:
        piece = _encrypted(piece, terms)
    headers = (
        *_headers(terms, message_id, now, subject),
        *((name, value) for name, value in piece.headers if name != "Content-Transfer-Encoding"),
    )
    return Composed(
        headers=tuple((name, one_line(name, value)) for name, value in headers),
        body=piece.body,
        mic=Mic.over(mic_source, _mic_digest(terms)),
        message_id=message_id,
    )


def _headers(
    terms: Terms, message_id: str, now: datetime, subject: str | None
) -> tuple[tuple[str, str], ...]:
    micalg = _mic_digest(terms).micalg
    options = (
        f"signed-receipt-protocol=required, pkcs7-signature; signed-receipt-micalg=required, {micalg}"
        if terms.signed_receipts
        else None
    )
    headers = (
        ("AS2-Version", AS2_VERSION),
        ("EDIINT-Features", FEATURES),
        ("AS2-From", write_name(terms.our_name)),
        ("AS2-To", write_name(terms.their_name)),
        ("Message-ID", message_id),
        ("Date", format_datetime(now)),
        ("Subject", subject),
        ("MIME-Version", "1.0"),
        # Only a flag (RFC 4130 7.3): the receipt comes in the response.
        ("Disposition-Notification-To", write_name(terms.our_name)),
        ("Disposition-Notification-Options", options),
    )
    return tuple((name, value) for name, value in headers if value is not None)


def _mic_digest(terms: Terms) -> Digest:
    """Some receivers go by the list, others by the signature (RFC 4130 7.4.3): so the two are made to
    agree.
    """
    return terms.signer.digest if terms.sign and terms.signer is not None else terms.digest


def _document(payload: bytes, content_type: str, filename: str | None) -> Piece:
    headers = [("Content-Type", content_type), ("Content-Transfer-Encoding", "binary")]
    if filename is not None:
        headers.append(("Content-Disposition", attachment(filename)))
    return Piece(tuple(headers), payload)


def _cms(data: bytes, smime_type: str, name: str) -> Piece:
    """A part that holds CMS. Some products find nothing in it unless its encoding is named."""
    return Piece(
        (
            ("Content-Type", f'application/pkcs7-mime; smime-type={smime_type}; name="{name}"'),
            ("Content-Transfer-Encoding", "binary"),
            ("Content-Disposition", attachment(name)),
        ),
        data,
    )


def _compressed(piece: Piece) -> Piece:
    return _cms(compress(bytes(piece)), "compressed-data", "smime.p7z")


def _encrypted(piece: Piece, terms: Terms) -> Piece:
    assert terms.their_encryption is not None
    data = encrypt(
        bytes(piece), [terms.their_encryption], cipher=terms.cipher, key_transport=terms.key_transport
    )
    authenticated = read_content_type(data) is ContentType.AUTH_ENVELOPED
    return _cms(data, "authEnveloped-data" if authenticated else "enveloped-data", "smime.p7m")
