"""The whole inbound path on one screen: from the bytes of a request to a receipt that is durable.

    as2       identify -> stored receipt? -> receive -> read -> take -> compose MDN -> commit -> MDN
    https     stored receipt? -> read -> take -> sign receipt -> commit -> 202 or 422

The receipt is composed before the commit, because it is part of it; it leaves after.
"""

from collections.abc import Callable, Mapping

import anyio
import anyio.to_thread
import structlog

from ..codecs.document import Reader, Reading
from ..codecs.finding import is_valid
from ..routing.instant import Instant
from ..routing.lifecycle import EventKind
from . import clock
from .answers import Answers
from .changes import noted
from .decisions import ROUNDS, Decisions, merged
from .history import History
from .http import Response
from .intake import LARGE, Intake
from .ledger import (
    Change,
    ChangeRefused,
    Committed,
    Conflict,
    ConflictKind,
    Duplicate,
    EventRecord,
    Ledger,
    LedgerUnavailable,
    LodgementRecord,
    Receipt,
    Result,
)
from .mdn_queue import MdnQueue
from .metrics import Metrics
from .offers import ComposeReceipt, Conflicting, Offer, Taking

log = structlog.get_logger()

# A receipt of this status or above took nothing in.
HTTP_REFUSALS = 400
# The response to a message whose receipt is posted: empty, and it says that its octets are durable.
TAKEN = 200


class Inbound:
    """Takes payloads of either channel into the ledger."""

    def __init__(
        self,
        ledger: Ledger,
        reader: Reader,
        intake: Intake,
        decisions: Decisions,
        answers: Answers,
        metrics: Metrics,
        history: History,
        wake: Callable[[], None],
        mdns: MdnQueue,
        now: Callable[[], Instant] = clock.instant,
    ) -> None:
        self._ledger = ledger
        self._reader = reader
        self._intake = intake
        self._decisions = decisions
        self._answers = answers
        self._metrics = metrics
        self._history = history
        self._wake = wake
        self._mdns = mdns
        self._now = now
        self._large = anyio.CapacityLimiter(1)

    async def take(self, offer: Offer, compose: ComposeReceipt, *, whole: bool) -> Response:
        """Take `offer` and answer with the receipt that is durable now: the one `compose` makes of it, or the
        stored one when it was accepted before.

        With `whole`, what is refused is recorded but not accepted, and its key stays free. Raises Conflicting
        when the key names something else, LedgerUnavailable when nothing could be made durable.
        """
        taken: tuple[LodgementRecord, ...] = ()
        read: list[Reading] = []
        for _ in range(ROUNDS):
            taking, change = await self._taken(offer, read, taken, whole=whole)
            receipt = compose(taking)
            # A refusal leaves the key free, whether it has findings or there was nothing to take.
            refused = whole and (bool(taking.findings) or receipt.status >= HTTP_REFUSALS)
            accepted = not taking.failed and not refused
            try:
                result = await self._commit(offer, receipt, change, accepted=accepted)
            except ChangeRefused:
                return await self._quarantined(offer, compose)
            if isinstance(result, Committed):
                self._committed(offer, taking, change, receipt)
                return self._response(receipt, offer, taking.lodgements)
            if isinstance(result, Duplicate):
                return await self.again(offer, result)
            taken = await self._met(result, taken)
        # Others changed the same things each time: nothing is wrong with this message, and it may come again.
        log.error("rounds_ran_out", message=offer.source.message, party=offer.source.party.name)
        raise LedgerUnavailable("what this changes is changed by others all the time")

    async def _quarantined(self, offer: Offer, compose: ComposeReceipt) -> Response:
        """What the ledger cannot write is our fault: the message is kept with its bytes, and answered."""
        log.error("change_refused", message=offer.source.message)
        receipt = compose(Taking(failed=True))
        event = EventRecord(kind=EventKind.QUARANTINED, at=self._now(), message=offer.source.message)
        await self._commit(offer, receipt, Change(events=(event,)), accepted=False)
        return self._response(receipt, offer)

    async def _commit(self, offer: Offer, receipt: Receipt, change: Change, *, accepted: bool) -> Result:
        """Write the message with its receipt and what it came to, all or nothing."""
        record = offer.record(receipt, accepted=accepted)
        whole = merged([self._mdns.first(record, offer.receipt_url, once=offer.unproven), change])
        if offer.receipt_url is not None:
            return await self._mdns.commit(record.id, whole)
        (result,) = await self._ledger.commit([whole])
        return result

    async def _met(
        self, conflict: Conflict, taken: tuple[LodgementRecord, ...]
    ) -> tuple[LodgementRecord, ...]:
        """The lodgements that bear the interchange's reference, all of them once `conflict` ran into one."""
        if conflict.kind is not ConflictKind.INTERCHANGE_TAKEN or conflict.existing is None:
            return taken
        status = await self._ledger.status(conflict.existing)
        if status is None:
            return taken
        one = status.lodgement
        found = await self._ledger.find_interchange(one.partner, one.sender or "", one.reference or "")
        return tuple(found)

    async def again(self, offer: Offer, stored: Duplicate) -> Response:
        """The stored receipt for a message that came again. Raises Conflicting if it is not the same one."""
        same = stored.raw_digest == offer.digest or (offer.mic is not None and stored.mic == offer.mic)
        kind = EventKind.DUPLICATE if same else EventKind.CONFLICT
        events = tuple(
            EventRecord(
                kind=kind,
                at=self._now(),
                lodgement=lodgement,
                message=stored.message,
                data={"channel": offer.source.channel},
            )
            for lodgement in stored.lodgements or (None,)
        )
        await self._ledger.commit([Change(events=events)])
        self._metrics.receipt(offer.source.channel, kind.value)
        if not same:
            log.error("message_id_reused", party=offer.source.party.name, message=stored.message)
            raise Conflicting
        if offer.receipt_url is not None:
            await self._mdns.again(stored, offer.source.party.name, offer.receipt_url)
            self._wake()
            offer = offer._replace(source=offer.source._replace(message=stored.message))
        elif offer.duplicate is not None:
            return self._response(offer.duplicate(), offer)
        return self._response(stored.receipt, offer)

    async def refuse(
        self, offer: Offer, receipt: Receipt, reason: str, told: Mapping[str, str] | None = None
    ) -> Response:
        """Record a message that is not taken, with its bytes and its answer; its key stays free. `told` is
        what the history says of it besides."""
        data = {"reason": reason, "channel": offer.source.channel, **(told or {})}
        event = EventRecord(kind=EventKind.REFUSED, at=self._now(), message=offer.source.message, data=data)
        await self._commit(offer, receipt, Change(events=(event,)), accepted=False)
        self._metrics.receipt(offer.source.channel, "refused")
        self._wake()
        return self._response(receipt, offer)

    async def _taken(
        self, offer: Offer, read: list[Reading], known: tuple[LodgementRecord, ...], *, whole: bool
    ) -> tuple[Taking, Change]:
        """What `offer` comes to now. It is read in the first round, and kept in `read` for the others."""
        try:
            if not read:
                read.append(await self._read(offer))
            (reading,) = read
            if offer.source.party.is_agency:
                return await self._answer(offer, reading, whole=whole)
            taken = await self._intake.take(reading, offer.source, whole=whole, taken=known)
        except LedgerUnavailable:
            # No fault of the document's: nothing is recorded, and it may come again.
            raise
        except Exception:
            # The border around one document: that it defeats our own code must not take the others with it.
            # It is kept with its bytes, and answered.
            log.exception("document_quarantined", message=offer.source.message)
            event = EventRecord(kind=EventKind.QUARANTINED, at=self._now(), message=offer.source.message)
            return Taking(failed=True), Change(events=(event,))
        told = len(taken.acknowledged)
        return Taking(taken.lodgements, taken.tied, (), taken.findings, told), taken.change

    async def _read(self, offer: Offer) -> Reading:
        """What the payload says. A large one is read in a thread, one at a time, while the others go on."""
        profile = offer.source.party.profile
        if len(offer.payload) <= LARGE:
            return self._reader.read(offer.payload, offer.media_type, profile)
        return await anyio.to_thread.run_sync(
            self._reader.read,
            offer.payload,
            offer.media_type,
            profile,
            limiter=self._large,
            abandon_on_cancel=True,
        )

    async def _answer(self, offer: Offer, reading: Reading, *, whole: bool) -> tuple[Taking, Change]:
        source = offer.source
        answered = await self._decisions.take(reading, source.party.name, source.received, offer.reference)
        party, channel, findings = source.party, source.channel, answered.findings
        if not findings and not answered.lodgements and reading.documents == ():
            findings = reading.findings
        if whole:
            findings = (*findings, *answered.unknown)
        if is_valid(findings):
            note = self._answers.acknowledgement(reading, party, channel)
            change = merged([answered.change, noted(note, "acknowledgement")])
            return Taking(answered=answered.lodgements, acknowledged=answered.tied), change
        data = {"agency": party.name, "findings": str(len(findings))}
        event = EventRecord(kind=EventKind.REJECTED, at=self._now(), message=source.message, data=data)
        if whole:
            note = self._answers.acknowledgement(reading, party, channel, findings=findings)
            return Taking(findings=findings), merged(
                [Change(events=(event,)), noted(note, "acknowledgement")]
            )
        note = self._answers.rejection(reading, findings, party, channel, sent_as=offer.key or "")
        change = merged([Change(events=(event,)), noted(note, "rejection")])
        # Each answer stands for itself: what can be taken is, and the rest is reported.
        return Taking(findings=findings), merged([answered.change, change])

    def _response(
        self, receipt: Receipt, offer: Offer, lodgements: tuple[LodgementRecord, ...] = ()
    ) -> Response:
        if offer.receipt_url is not None:
            message = offer.source.message
            return Response(status=TAKEN, on_sent=lambda _: self._mdns.release(message))

        def sent(at: Instant) -> None:
            for lodgement in lodgements:
                self._history.note(
                    EventRecord(
                        kind=EventKind.RECEIPT_SENT,
                        at=at,
                        lodgement=lodgement.id,
                        message=offer.source.message,
                    )
                )

        return Response(status=receipt.status, headers=receipt.headers, body=receipt.body, on_sent=sent)

    def _committed(self, offer: Offer, taking: Taking, change: Change, receipt: Receipt) -> None:
        outcome = "failed" if taking.failed else "rejected" if taking.findings else "accepted"
        self._metrics.receipt(offer.source.channel, outcome)
        self._metrics.committed(change.events)
        self._wake()
        log.info(
            "message_taken",
            message=offer.source.message,
            party=offer.source.party.name,
            channel=offer.source.channel,
            outcome=outcome,
            status=receipt.status,
            lodgements=[lodgement.id for lodgement in taking.lodgements],
        )
