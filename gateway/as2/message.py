"""Receiving an AS2 message: from the bytes of a request to a payload, or to the disposition that refuses
it.
"""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from ...security import Digest
from . import mime
from .addresses import is_allowed_address
from .disposition import Disposition
from .identity import Identity
from .layers import Opening, Refusal
from .mic import Mic
from .payload import Part, Payload
from .remembering import remembered
from .signature import Tolerance
from .terms import Terms

_digest_named = remembered(Digest.from_micalg)


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """A message that is the partner's and intact. Store it, then compose the MDN with `disposition` and
    `mic`.

    `content_type` is the payload's header value as sent; `filename` is for showing only, it is no path;
    `signature_mic` is the MIC by the signature's own digest where the sender asked for another.
    """

    payload: bytes
    content_type: str
    filename: str | None
    mic: Mic
    signature_mic: Mic | None
    signed: bool
    encrypted: bool
    compressed: bool
    signer: str | None
    """Fingerprint of the certificate whose signature holds."""
    tolerances: tuple[Tolerance, ...] = ()
    attachments: tuple[Part, ...] = ()

    @property
    def disposition(self) -> Disposition:
        return Disposition.PROCESSED


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """A message that ends here. `reason` is for the log and never for the peer.

    `concealed`: the cause is hidden behind `decryption-failed`; the answer must not vary, also not in when it
    is sent, with anything but ids. `authenticated`: a signature of the partner held, so it is the partner's.
    """

    disposition: Disposition
    mic: Mic | None
    reason: str
    concealed: bool = False
    authenticated: bool = False


def receive(
    identity: Identity,
    headers: Iterable[tuple[bytes, bytes]],
    body: bytes,
    terms: Terms | None,
    *,
    now: datetime,
) -> Received | Refused:
    """Open the message that came with `headers` and `body`, by the `terms` between its two names (None: there
    are none). Pure, and never raises for what a peer sends.
    """
    if (objection := _objection(identity, terms)) is not None:
        return Refused(disposition=objection, mic=None, reason="refused by its headers")
    assert terms is not None
    opening = Opening(terms, now)
    try:
        payload = opening.open(mime.from_http(headers, body))
    except Refusal as refusal:
        return Refused(
            disposition=refusal.disposition,
            mic=_mic(identity, terms, opening),
            reason=refusal.reason,
            concealed=refusal.concealed,
            authenticated=opening.signed is not None,
        )
    mic = _mic(identity, terms, opening)
    assert mic is not None  # whatever opens has something to be digested
    return _received(payload, opening, mic)


def _objection(identity: Identity, terms: Terms | None) -> Disposition | None:
    """What refuses the message before it is opened (RFC 4130 7.3, 7.5.3)."""
    objection = identity.objection
    if objection is Disposition.SENDER_EQUALS_RECEIVER:
        return objection
    if terms is None or (identity.as2_from, identity.as2_to) != (terms.their_name, terms.our_name):
        return Disposition.UNKNOWN_TRADING_PARTNER
    if objection is not None:
        return objection
    receipt = identity.receipt
    if receipt is None:
        return None
    if receipt.async_url is not None and not is_allowed_address(receipt.async_url, terms.receipt_addresses):
        return Disposition.ASYNCHRONOUS_RECEIPT
    if not receipt.signed:
        return None
    if receipt.signature_required and terms.signer is None:
        return Disposition.UNSUPPORTED_FORMAT
    # RFC 4130 7.3: only what is listed may be used, so nothing weaker than the policy and nothing else
    # instead.
    if receipt.micalgs and _requested_digest(identity, terms) is None:
        return Disposition.UNSUPPORTED_MIC_ALGORITHMS
    return None


def _requested_digest(identity: Identity, terms: Terms) -> Digest | None:
    """The first digest the sender lists that we may use."""
    for name in identity.micalgs:
        if (digest := _digest_named(name)) in terms.policy.digests:
            return digest
    return None


def _mic(identity: Identity, terms: Terms, opening: Opening) -> Mic | None:
    """The MIC of what could be opened. Where the sender lists no algorithm it is the signature's (RFC 4130
    7.4.3); they normally agree, and where not, products go by the list.
    """
    if opening.mic_source is None:
        return None
    verified = opening.signed.verified if opening.signed else None
    digest = _requested_digest(identity, terms) or (verified.digest if verified else terms.digest)
    if verified and verified.digest is digest:
        return Mic.of_digest(verified.message_digest, digest)
    return Mic.over(opening.mic_source, digest)


def _received(payload: Payload, opening: Opening, mic: Mic) -> Received:
    verified = opening.signed.verified if opening.signed else None
    return Received(
        payload=payload.document.content,
        content_type=payload.document.content_type,
        filename=payload.document.filename,
        mic=mic,
        signature_mic=(
            Mic.of_digest(verified.message_digest, verified.digest)
            if verified and verified.digest is not mic.digest
            else None
        ),
        signed=verified is not None,
        encrypted=opening.encrypted,
        compressed=opening.compressed,
        signer=verified.fingerprint if verified else None,
        tolerances=tuple(opening.tolerances),
        attachments=payload.attachments,
    )
