"""Asynchronous MDNs of our partners: what they say of what we sent, tied to it, verified, kept and settled.

The Original-Message-ID names a wire of ours, the AS2 names a partner; what does not fit together says
nothing, and neither does what is not signed as agreed. That is recorded, within the bounds of what strangers
may write, and changes nothing.
"""

from collections.abc import Callable
from typing import NamedTuple

import structlog
from msgspec.structs import replace

from ..routing.instant import Instant
from ..routing.lifecycle import DeliveryState, EventKind, NotificationState
from . import clock
from .as2 import MdnKind, MdnResult, read_mdn, read_name
from .http import Request, Response
from .ledger import Change, Committed, EventRecord, Ledger, LedgerUnavailable, MessageRecord, Wire
from .metrics import Metrics
from .offers import digest_of, headers_of
from .outcomes import NO_RECEIPT, Failure, Mdn, Mismatched, Received, judged, mdn_scope
from .parties import Parties, Party
from .settling import Settling, Subject
from .strangers import Strangers
from .views import problem

log = structlog.get_logger()

# The peer may have been answered and have answered at once: each round one of those that meet gets in.
ROUNDS = 20
# Octets of receipts that nobody believes, remembered so that each is recorded once.
SEEN = 1000
# What could be told of a message we sent cannot be told of this.
_SAYS_NOTHING = frozenset({MdnKind.UNVERIFIED, MdnKind.WRONG_MESSAGE, MdnKind.MISSING})
# With its recipient, as far as HTTP tells, and not receipted.
_TRANSFERRED = frozenset({DeliveryState.AWAITING, NotificationState.AWAITING})


class _Sent(NamedTuple):
    """What a receipt is for, and the message by which it was sent."""

    subject: Subject
    wire: Wire


class MdnTaking:
    """Takes the MDNs that partners post to us."""

    def __init__(
        self,
        ledger: Ledger,
        parties: Parties,
        settling: Settling,
        metrics: Metrics,
        wake: Callable[[], None],
        now: Callable[[], Instant] = clock.instant,
    ) -> None:
        self._ledger = ledger
        self._parties = parties
        self._settling = settling
        self._metrics = metrics
        self._wake = wake
        self._now = now
        self._strangers = Strangers()
        self._seen: set[str] = set()

    async def take(self, request: Request, original: str) -> Response:
        """The response to a POST that is an MDN for `original`: 200 for what speaks of something we sent, 404
        for what does not."""
        party = self._party(request)
        sent = await self._sent(party, original) if party is not None else None
        if party is None or party.terms is None or sent is None:
            await self._unbelieved(request, party, {"reason": "an MDN for nothing that was sent"})
            return problem(404, "Not found", "nothing was sent under this Original-Message-ID")
        result = read_mdn(
            request.headers,
            request.body,
            party.terms,
            message_id=sent.wire.message_id,
            mic=sent.wire.mic,
            now=clock.utc(request.last_byte),
        )
        if result.kind in _SAYS_NOTHING:
            told = {"alarm": "receipt-unverified", "reason": f"MDN {result.kind.value}: {result.detail}"}
            if await self._unbelieved(
                request, party, sent.subject.named | told, sent.subject.record.lodgement
            ):
                log.error("receipt_unverified", party=party.name, reason=result.detail, **sent.subject.named)
            return Response(status=200)
        await self._settle(request, party, sent, result)
        return Response(status=200)

    def _party(self, request: Request) -> Party | None:
        names = [
            (request.headers.get(name) or b"").decode("latin-1").strip() for name in (b"as2-from", b"as2-to")
        ]
        try:
            sender, recipient = map(read_name, names)
        except ValueError:
            return None
        return self._parties.by_as2_names(sender, recipient)

    async def _sent(self, party: Party, original: str) -> _Sent | None:
        """What `party` was sent under `original`. Our ids begin with the reference of what they carry."""
        bare = original.strip().removeprefix("<").removesuffix(">")
        reference = bare.partition("@")[0]
        delivery = await self._ledger.find_delivery(reference)
        note = await self._ledger.find_notification(reference) if delivery is None else None
        wire = await self._ledger.find_wire(reference)
        if wire is None or wire.message_id.removeprefix("<").removesuffix(">") != bare:
            return None
        if delivery is not None and delivery.agency == party.name:
            return _Sent(Subject(delivery, party), wire)
        if note is not None and note.partner == party.name:
            return _Sent(Subject(note, party), wire)
        return None

    async def _settle(self, request: Request, party: Party, sent: _Sent, result: MdnResult) -> None:
        """Write what a believed receipt makes of what was sent, with its bytes, in one transaction."""
        mdn = self._mdn(request, result)
        outcome = judged(result, mdn)
        if isinstance(outcome, Mismatched):
            log.error("receipt_mismatch", party=party.name, reason=outcome.reason, **sent.subject.named)
        scope, key, subject = mdn_scope(party.name), digest_of(request.body), sent.subject
        for _ in range(ROUNDS):
            known = await self._ledger.find_message(scope, key)
            if known is not None and not _counts_again(subject, outcome):
                break
            change = await self._settling.by_mdn(subject, outcome)
            if known is not None:
                change = _kept_before(change, known.message)
            elif change.message is not None:
                change = replace(change, message=replace(change.message, key=key))
            if change.message is None and not (change.delivery_updates or change.notification_updates):
                # What anybody can make: it changes nothing and is not written.
                break
            (written,) = await self._ledger.commit([change])
            if isinstance(written, Committed):
                self._metrics.committed(change.events)
                break
            subject = await self._current(subject)
        else:
            raise LedgerUnavailable("what this changes is changed by others all the time")
        self._metrics.receipt("as2-mdn", result.kind.value)
        self._wake()
        log.info("mdn_taken", party=party.name, disposition=result.disposition, **subject.named)

    def _mdn(self, request: Request, result: MdnResult) -> Mdn | None:
        """What is kept of a receipt. Where the agreement has unsigned ones anybody can make them, and None
        says that their share of the hour is used up."""
        headers, body, at = headers_of(request), request.body, request.last_byte
        if result.signer is None:
            kept = self._strangers.keep(request.client, at, headers, body, digest_of(body), 0)
            if kept is None or kept.body != body:
                return None
            headers = kept.headers
        return Mdn(
            headers=headers, body=body, received=at, disposition=result.disposition, signer=result.signer
        )

    async def _current(self, subject: Subject) -> Subject:
        reference = subject.record.id
        found = await self._ledger.find_delivery(reference) or await self._ledger.find_notification(reference)
        return subject._replace(record=found) if found is not None else subject

    async def _unbelieved(
        self, request: Request, party: Party | None, told: dict[str, str], lodgement: str | None = None
    ) -> bool:
        """Recorded once, as far as strangers may write, and counted. Gives whether it was recorded: the
        log must not grow in place of the ledger."""
        self._metrics.receipt("as2-mdn", "unbelieved")
        digest = digest_of(request.body)
        if digest in self._seen:
            return False
        kept = self._strangers.keep(
            request.client, request.last_byte, headers_of(request), request.body, digest, 0
        )
        if kept is None:
            return False
        if len(self._seen) >= SEEN:
            self._seen.clear()
        self._seen.add(digest)
        record = MessageRecord(
            id=clock.new_id("M"),
            channel="as2",
            party=party.name if party is not None else None,
            scope=mdn_scope(party.name if party is not None else ""),
            key=None,
            accepted=False,
            raw_digest=digest,
            headers=kept.headers,
            body=kept.body,
            receipt=NO_RECEIPT,
            received=request.last_byte,
        )
        kind = EventKind.ALARM if "alarm" in told else EventKind.REFUSED
        data = {"channel": "as2", **told, **kept.told}
        event = EventRecord(kind=kind, at=self._now(), lodgement=lodgement, message=record.id, data=data)
        await self._ledger.commit([Change(message=record, events=(event,))])
        return True


def _counts_again(subject: Subject, outcome: Received | Mismatched | Failure) -> bool:
    """Whether a receipt counts whose octets were kept, and counted, before.

    Anybody who saw it can post it again, and what it said was of an earlier try: it refuses no later one, and
    takes nothing that a person queued anew. Only where the message has been transferred once more, its
    recipient may have the receipt posted that it stored (RFC 4130 leaves it no other).
    """
    return isinstance(outcome, Received) and subject.record.state in _TRANSFERRED


def _kept_before(change: Change, message: str) -> Change:
    """`change` for a receipt that is kept already, as `message`."""
    events = tuple(
        replace(event, message=message) if event.message is not None else event for event in change.events
    )
    return replace(change, message=None, events=events)
