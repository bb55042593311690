"""The AS2 channel: a POST comes in, an MDN goes out, and in between the inbound path.

The MDN is the response, or it is posted to an address that the sender names and the agreement allows: then
the response is empty, and the MDN is queued with the message in one transaction. A POST that is an MDN itself
is for `MdnTaking`.
"""

import functools
import secrets
from collections.abc import Callable
from typing import TypeVar

import anyio
import anyio.to_thread
import structlog

from ..routing.instant import Instant
from ..routing.lifecycle import EventKind
from . import clock
from .as2 import (
    BadRequest,
    Disposition,
    Identity,
    Mic,
    Refused,
    Terms,
    compose_mdn,
    identify,
    receive,
    reported_message,
)
from .as2.addresses import is_allowed_address
from .attachments import kept
from .concealment import Concealment
from .http import Request, Response
from .inbound import Inbound
from .ledger import Change, EventRecord, Ledger, MessageRecord, Receipt
from .lodging import Source
from .mdn_taking import MdnTaking
from .metrics import Metrics
from .offers import Conflicting, Offer, Taking, digest_of, headers_of
from .parties import Parties, Party
from .strangers import Kept, Quota, Strangers
from .views import problem

T = TypeVar("T")

log = structlog.get_logger()

# Between the AS2 names in a scope: a control character, which no AS2 name may hold.
_SEPARATOR = "\x1f"
# MDNs posted in an hour to one partner for messages that are not proven to be its own: enough to show it what
# is wrong with its messages, too few to be of use to whoever sends them in its name. Beyond that the MDN is
# in the response.
UNPROVEN_MDNS = 60
# Octets of a body that would hold up everybody else: some 20 ms of opening, if it is of the worst kind.
LARGE = 1_000_000


class As2Channel:
    """Answers AS2 messages."""

    def __init__(
        self,
        inbound: Inbound,
        ledger: Ledger,
        parties: Parties,
        metrics: Metrics,
        domain: str,
        concealment: Concealment,
        mdns: MdnTaking,
        now: Callable[[], Instant] = clock.instant,
    ) -> None:
        self._inbound = inbound
        self._ledger = ledger
        self._parties = parties
        self._metrics = metrics
        self._domain = domain
        self._concealment = concealment
        self._now = now
        self._mdns = mdns
        self._strangers = Strangers()
        self._unproven = Quota(UNPROVEN_MDNS)
        # Of its own: a partner's documents do not wait for a thread that strangers keep busy.
        self._large = anyio.CapacityLimiter(1)

    async def handle(self, request: Request) -> Response:
        """The response to one POST: 200 with an MDN (or none, where that is posted) for all that reached AS2,
        400 for what is none."""
        octets = len(request.body)
        asking = functools.partial(reported_message, request.headers, request.body)
        original = await self._aside(asking, octets)
        if original is not None:
            return await self._mdns.take(request, original)
        try:
            identity = identify(request.headers)
        except BadRequest as error:
            return problem(error.status, "Not an AS2 message", error.reason)
        party = self._parties.by_as2_names(identity.as2_from, identity.as2_to)
        if party is None or party.terms is None:
            return await self._unknown(request, identity)
        source = Source(party, "as2", clock.new_id("M"), request.last_byte, identity.message_id)
        offer = Offer(
            source=source,
            scope=_SEPARATOR.join(("as2", identity.as2_from, identity.as2_to)),
            key=identity.message_id,
            digest=await self._aside(functools.partial(digest_of, request.body), octets),
            mic=None,
            headers=headers_of(request),
            body=request.body,
            payload=b"",
            media_type="",
            receipt_url=_posted_to(identity, party.terms),
        )
        stored = await self._ledger.find_message(offer.scope, identity.message_id)
        same = stored is not None and stored.raw_digest == offer.digest
        # Whoever asks for its receipt where it may not go is refused, also with a message taken before.
        if stored is not None and same and offer.receipt_url == identity.async_url:
            # Not opened again: the key or certificate that it was accepted with may be gone since.
            mic = Mic.of_value(stored.mic or "")
            return await self._inbound.again(self._warned(offer, identity, party.terms, mic), stored)
        return await self._received(request, identity, offer, party.terms)

    def _warned(self, offer: Offer, identity: Identity, terms: Terms, mic: Mic | None) -> Offer:
        """`offer` with the receipt that it gets as a duplicate, where the agreement has one of its own."""
        if not terms.duplicate_warning:
            return offer
        token = Disposition.DUPLICATE_DOCUMENT
        return offer._replace(duplicate=lambda: self._mdn(identity, token, mic, terms))

    async def _received(self, request: Request, identity: Identity, offer: Offer, terms: Terms) -> Response:
        now = clock.utc(request.last_byte)
        opening = functools.partial(receive, identity, request.headers, request.body, terms, now=now)
        got = await self._aside(opening, len(request.body))
        if isinstance(got, Refused):
            try:
                return await self._refused(request, identity, offer, terms, got)
            finally:
                # Also where the ledger fails: a 503 at another moment would tell as much.
                if got.concealed:
                    await self._concealment.release(request.last_byte, len(request.body))
        source = offer.source._replace(
            filename=got.filename, attachments=kept(offer.source.message, got.attachments)
        )
        offer = offer._replace(
            source=source, mic=got.mic.value, payload=got.payload, media_type=got.content_type
        )
        offer = self._warned(offer, identity, terms, got.mic)

        def compose(taking: Taking) -> Receipt:
            token = Disposition.UNEXPECTED_PROCESSING_ERROR if taking.failed else Disposition.PROCESSED
            return self._mdn(identity, token, got.mic, terms)

        try:
            return await self._inbound.take(offer, compose, whole=False)
        except Conflicting:
            receipt = self._mdn(identity, Disposition.UNEXPECTED_PROCESSING_ERROR, got.mic, terms)
            return await self._inbound.refuse(offer, receipt, "the Message-ID names another message")

    async def _aside(self, work: Callable[[], T], octets: int) -> T:
        """The result of `work` over so many octets. Over many it is done in a thread, one at a time, while
        the others go on: anybody can send them, also under a partner's name."""
        if octets <= LARGE:
            return work()
        return await anyio.to_thread.run_sync(work, limiter=self._large, abandon_on_cancel=True)

    async def _refused(
        self, request: Request, identity: Identity, offer: Offer, terms: Terms, got: Refused
    ) -> Response:
        """Record a message that is refused, as far as it is to be kept, and answer."""
        log.warning(
            "as2_refused",
            party=offer.source.party.name,
            disposition=got.disposition.name,
            reason=got.reason,
            message_id=identity.message_id,
            client=request.client,
        )
        # A date within the receipt must not say how long opening took, not even by a turn of the second.
        at = request.last_byte if got.concealed else None
        receipt = self._mdn(identity, got.disposition, got.mic, terms, at)
        if got.authenticated or self._is_shown(request, offer.source.party):
            return await self._inbound.refuse(offer, receipt, got.reason)
        if offer.receipt_url and not self._unproven.take(offer.source.party.name, request.last_byte):
            offer = offer._replace(receipt_url=None)
        kept = self._kept(request, offer.digest, offer.headers, receipt)
        if kept is None:
            return self._unrecorded(receipt, "refused")
        offer = offer._replace(headers=kept.headers, body=kept.body, unproven=True)
        return await self._inbound.refuse(offer, receipt, got.reason, kept.told)

    async def _unknown(self, request: Request, identity: Identity) -> Response:
        """Nobody we know: an unsigned MDN says so, and nothing of the message is looked at."""
        refused = receive(identity, (), b"", None, now=clock.utc(request.last_byte))
        assert isinstance(refused, Refused)
        receipt = self._mdn(identity, refused.disposition, None, None)
        digest = await self._aside(functools.partial(digest_of, request.body), len(request.body))
        kept = self._kept(request, digest, headers_of(request), receipt)
        if kept is None:
            return self._unrecorded(receipt, "unknown")
        record = MessageRecord(
            id=clock.new_id("M"),
            channel="as2",
            party=None,
            scope="as2",
            key=None,
            accepted=False,
            raw_digest=digest,
            headers=kept.headers,
            body=kept.body,
            receipt=receipt,
            received=request.last_byte,
        )
        data = {"reason": "unknown trading partner", "channel": "as2", **kept.told}
        event = EventRecord(kind=EventKind.REFUSED, at=self._now(), message=record.id, data=data)
        await self._ledger.commit([Change(message=record, events=(event,))])
        self._metrics.receipt("as2", "unknown")
        names = {"as2_from": identity.as2_from, "as2_to": identity.as2_to}
        log.warning("as2_unknown_partner", client=request.client, **names, message_id=identity.message_id)
        return Response(status=receipt.status, headers=receipt.headers, body=receipt.body)

    def _is_shown(self, request: Request, party: Party) -> bool:
        """Whether the connection itself is `party`'s, by the certificate it was made with."""
        certificate = request.peer_certificate
        shown = self._parties.by_certificate(certificate) if certificate is not None else None
        return shown is not None and shown.name == party.name  # a reload makes other values of the same party

    def _kept(
        self, request: Request, digest: str, headers: tuple[tuple[str, str], ...], receipt: Receipt
    ) -> Kept | None:
        """What is kept of a message that may be anybody's; None when its share of the hour is used up."""
        was_spent = self._strangers.spent
        answer = len(receipt.body) + sum(len(name) + len(value) for name, value in receipt.headers)
        kept = self._strangers.keep(request.client, request.last_byte, headers, request.body, digest, answer)
        if kept is None and not was_spent:
            # Once an hour: the log must not grow in place of the ledger.
            log.error("strangers_unrecorded", client=request.client)
        return kept

    def _unrecorded(self, receipt: Receipt, outcome: str) -> Response:
        """Answered and counted, and no more."""
        self._metrics.receipt("as2", f"{outcome}-unrecorded")
        return Response(status=receipt.status, headers=receipt.headers, body=receipt.body)

    def _mdn(
        self,
        identity: Identity,
        token: Disposition,
        mic: Mic | None,
        terms: Terms | None,
        at: Instant | None = None,
    ) -> Receipt:
        """The receipt, dated `at`, or now."""
        if not identity.wants_mdn:
            return Receipt(status=200, headers=(), body=b"")
        mdn = compose_mdn(
            identity,
            token,
            mic,
            terms,
            message_id=f"<{clock.new_id('R')}@{self._domain}>",
            now=clock.utc(at or self._now()),
            boundary=secrets.token_hex(16),
        )
        return Receipt(status=200, headers=mdn.headers, body=mdn.body)


def _posted_to(identity: Identity, terms: Terms) -> str | None:
    """Where the receipt is posted; None: nowhere, it is not asked for or the agreement does not allow it."""
    url = identity.async_url
    return url if url is not None and is_allowed_address(url, terms.receipt_addresses) else None
