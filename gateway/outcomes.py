"""What one exchange with a peer came to, as values; and what a receipt of theirs amounts to."""

import hashlib
from collections.abc import Iterable

import msgspec

from ..routing.instant import Instant
from . import clock
from .as2 import Disposition, MdnKind, MdnResult
from .ledger import MessageRecord, Receipt

# A receipt is a few lines and a signature with its certificates. What is longer is not kept, unless its
# signature holds: then it is the proof, however much the partner writes into it.
MDN_OCTETS = 256 * 1024
# What nobody is answered with: a receipt is the end of an exchange (RFC 4130 7.2).
NO_RECEIPT = Receipt(status=200, headers=(), body=b"")


class Mdn(msgspec.Struct, frozen=True, kw_only=True):
    """A receipt we were given, as it came: with the bytes of the message it is the proof that they arrived.

    `signer` is the fingerprint of the certificate whose signature holds, None where it is not signed.
    """

    headers: tuple[tuple[str, str], ...]
    body: bytes
    received: Instant
    disposition: str = ""
    signer: str | None = None

    def told(self) -> dict[str, str]:
        """What an event says of it."""
        return {"disposition": self.disposition} | ({"signer": self.signer} if self.signer else {})

    def record(self, party: str, *, accepted: bool = True, key: str | None = None) -> MessageRecord:
        """To be kept as a message of `party`."""
        return MessageRecord(
            id=clock.new_id("M"),
            channel="as2",
            party=party,
            scope=mdn_scope(party),
            key=key,
            accepted=accepted,
            raw_digest=hashlib.sha256(self.body).hexdigest(),
            headers=self.headers,
            body=self.body,
            receipt=NO_RECEIPT,
            received=self.received,
        )


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """The peer took it. `answer` is a document that came back with the response, if one did."""

    answer: bytes = b""
    answer_type: str = ""
    mdn: Mdn | None = None


class Transferred(msgspec.Struct, frozen=True, kw_only=True):
    """The peer's server took the octets, and the receipt is to come by itself."""


class Mismatched(msgspec.Struct, frozen=True, kw_only=True):
    """The peer took something else than was sent: sending it again mends nothing, and a person must look."""

    reason: str
    mdn: Mdn | None = None


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """The peer did not take it. `poison`: it refuses this document, and trying again will not help for long;
    `final`: it will not help at all.

    `alarm`: the peer's receipt cannot be believed, which a person must see. `troubled`: the peer is there,
    and says that it had trouble of its own, which may pass.
    """

    reason: str
    retry_after: float | None = None
    poison: bool = False
    final: bool = False
    alarm: bool = False
    troubled: bool = False
    mdn: Mdn | None = None


Outcome = Received | Transferred | Mismatched | Failure


def mdn_scope(party: str) -> str:
    """Under which the receipts of `party` are kept, apart from its messages."""
    return f"as2-mdn\x1f{party}"


def mdn_of(
    result: MdnResult, headers: Iterable[tuple[bytes, bytes]], body: bytes, received: Instant
) -> Mdn | None:
    """What is to be kept of a response or request that is `result` as a receipt; None: nothing."""
    if result.kind is MdnKind.MISSING or (result.signer is None and len(body) > MDN_OCTETS):
        return None
    return Mdn(
        headers=tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers),
        body=body,
        received=received,
        disposition=result.disposition,
        signer=result.signer,
    )


def judged(result: MdnResult, mdn: Mdn | None) -> Received | Mismatched | Failure:
    """What a receipt that says `result` makes of the message it is for."""
    if result.kind in {MdnKind.PROCESSED, MdnKind.WARNING}:
        return Received(mdn=mdn)
    reason = f"MDN {result.kind.value}: {result.disposition or result.detail}"
    if result.kind is MdnKind.MIC_MISMATCH:
        return Mismatched(reason=f"MDN {result.kind.value}: {result.detail}", mdn=mdn)
    refused = result.kind in {MdnKind.ERROR, MdnKind.FAILED}
    troubled = refused and result.known is Disposition.UNEXPECTED_PROCESSING_ERROR
    return Failure(
        reason=reason,
        poison=refused and not troubled,
        # Signed, it is the partner's last word.
        final=refused and not troubled and result.signed,
        troubled=troubled,
        alarm=result.kind in {MdnKind.UNVERIFIED, MdnKind.WRONG_MESSAGE},
        mdn=mdn,
    )
