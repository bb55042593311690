"""What the inbound path is given, and what it comes to."""

import hashlib
from collections.abc import Callable
from typing import NamedTuple

from ..codecs.finding import Finding
from .http import Request
from .ledger import LodgementRecord, MessageRecord, Receipt
from .lodging import Source


class Offer(NamedTuple):
    """A payload that came in, with the names it is known by. `key` None: it cannot be recognised again.

    `receipt_url` is where the receipt is posted, as the agreement allows; None: it is the response.
    `unproven`: nobody has authenticated it, so its receipt is posted once at most.
    `duplicate` composes the response to what was taken before; None: it is the receipt it got then.
    """

    source: Source
    scope: str
    key: str | None
    digest: str
    mic: str | None
    headers: tuple[tuple[str, str], ...]
    body: bytes
    payload: bytes
    media_type: str
    reference: str | None = None
    receipt_url: str | None = None
    unproven: bool = False
    duplicate: Callable[[], Receipt] | None = None

    def record(self, receipt: Receipt, *, accepted: bool) -> MessageRecord:
        """It, as it is kept, with the receipt it is given."""
        return MessageRecord(
            id=self.source.message,
            channel=self.source.channel,
            party=self.source.party.name,
            scope=self.scope,
            key=self.key,
            accepted=accepted,
            raw_digest=self.digest,
            mic=self.mic,
            headers=self.headers,
            body=self.body,
            receipt=receipt,
            received=self.source.received,
        )


class Taking(NamedTuple):
    """What an offer came to. `findings` say why it was refused, `failed` that we failed."""

    lodgements: tuple[LodgementRecord, ...] = ()
    tied: tuple[LodgementRecord, ...] = ()
    answered: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    acknowledged: int = 0
    failed: bool = False


ComposeReceipt = Callable[[Taking], Receipt]


class Conflicting(Exception):  # noqa: N818 - a message of the same name with other content is no error of ours
    """The scope and key name another message, accepted before."""


def digest_of(body: bytes) -> str:
    """The SHA-256 of `body` in hex: how a message is known again."""
    return hashlib.sha256(body).hexdigest()


def headers_of(request: Request) -> tuple[tuple[str, str], ...]:
    """The request's headers as they are kept."""
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers)
