"""Signatures over MIME: the first octets tried are those that came; what else may be tried is listed here."""

import enum
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from ...security import IntegrityFailed
from ...security.cms import Verified, verify
from . import mime
from .multipart import split
from .terms import Terms


class Tolerance(enum.Enum):
    """A departure from the standard that was let pass. It is recorded with the message."""

    TRAILING_CRLF = "the signature holds without the last line end of the signed part"
    HEADER_LINE_ENDS = "the signature holds with the part's header lines ended by CRLF"
    ALL_LINE_ENDS = "the signature holds with all lines of the part ended by CRLF"
    NO_MIME_HEADERS = "the content is a document with no MIME headers"


class Signed(NamedTuple):
    """Content whose signature holds: `content` is what was signed, octet for octet, with its MIME headers."""

    content: bytes
    verified: Verified
    tolerance: Tolerance | None = None


def _without_last_line_end(content: bytes) -> bytes:
    return content.removesuffix(b"\r\n")


# What products write after the line of the closing delimiter.
_EPILOGUES = (b"", b"\n", b"\r\n")

# In this order; none changes what the payload says, and each is tried only where it differs from what came.
_SECOND_TRIES: tuple[tuple[Tolerance, Callable[[bytes], bytes]], ...] = (
    (Tolerance.TRAILING_CRLF, _without_last_line_end),
    (Tolerance.HEADER_LINE_ENDS, mime.with_crlf_headers),
    (Tolerance.ALL_LINE_ENDS, mime.to_crlf),
)


def verify_detached(
    content: bytes, signature: bytes, terms: Terms, now: datetime, *, malleable: bool = False
) -> Signed:
    """`content` as the partner signed it. Raises SecurityError as `security.verify` does."""
    try:
        return Signed(content, _verify(signature, content, terms, now, malleable))
    except IntegrityFailed:
        for tolerance, form in _SECOND_TRIES:
            if (other := form(content)) != content:
                try:
                    return Signed(other, _verify(signature, other, terms, now, malleable), tolerance)
                except IntegrityFailed:
                    continue
        raise


def verify_opaque(data: bytes, terms: Terms, now: datetime, *, malleable: bool = False) -> Signed:
    """The content inside a SignedData. Raises SecurityError as `security.verify` does."""
    verified = _verify(data, None, terms, now, malleable)
    return Signed(verified.content, verified)


def _verify(data: bytes, content: bytes | None, terms: Terms, now: datetime, malleable: bool) -> Verified:
    return verify(
        data,
        content,
        terms.their_signing,
        policy=terms.policy,
        now=now,
        authorities=terms.their_authorities,
        malleable=malleable,
    )


class SignedParts(NamedTuple):
    """A multipart/signed taken apart (RFC 1847 2.1): the signed part, raw, and the CMS octets of its
    signature.

    `closed`: around the two there is nothing but plain text before and the last line end behind. `binary`:
    the signature is no text either.
    """

    content: bytes
    signature: bytes
    closed: bool
    binary: bool


def parts_of(entity: mime.Entity) -> SignedParts:
    """The parts of the multipart/signed `entity`. Raises MimeError if it does not have the two."""
    multipart = split(entity)
    if len(multipart.parts) < 2:
        raise mime.MimeError("a multipart/signed without a signature")
    signature = mime.read_entity(multipart.parts[1])
    closed = (
        len(multipart.parts) == 2
        and multipart.epilogue in _EPILOGUES
        and mime.is_plain_text(entity.head + multipart.preamble + signature.head)
    )
    return SignedParts(multipart.parts[0], mime.decode_cms(signature), closed, mime.is_binary(signature))
