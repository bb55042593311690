"""One try at pushing one notification over AS2, recorded."""

from collections.abc import Callable

import structlog

from ..codecs.document import Syntax
from ..routing.instant import Instant
from ..routing.lifecycle import EventKind, NotificationState
from .answers import as2_url
from .attempts import Attempts, failure_data, our_fault
from .ledger import Change, ClaimedNotification, EventRecord, Ledger, LedgerUnavailable, NotificationUpdate
from .parties import Parties, Party
from .sender import Failure, Received, Sender

log = structlog.get_logger()


class Notifying:
    """Pushes notifications to the parties that have an AS2 address."""

    def __init__(
        self, ledger: Ledger, parties: Parties, sender: Sender, attempts: Attempts, now: Callable[[], Instant]
    ) -> None:
        self._ledger = ledger
        self._parties = parties
        self._sender = sender
        self._attempts = attempts
        self._now = now

    async def run(self, claim: ClaimedNotification) -> None:
        """One try, recorded. Raises LedgerUnavailable only."""
        party = self._parties.named(claim.notification.partner)
        if not as2_url(party):
            log.error("partner_without_address", partner=party.name, notification=claim.notification.id)
            event = self._event(EventKind.DEAD_LETTERED, claim, {"reason": "the partner has no AS2 address"})
            await self._attempts.record(Change(notification_updates=(self._closed(claim),), events=(event,)))
            return
        try:
            await self._try(claim, party)
        except LedgerUnavailable:
            raise
        except Exception as error:
            # The border around one entry: it must not end the others.
            log.exception("notification_crashed", notification=claim.notification.id, partner=party.name)
            events: list[EventRecord] = []
            update = self._failed(claim, party, our_fault(error), events)
            await self._attempts.record(Change(notification_updates=(update,), events=tuple(events)))

    async def _try(self, claim: ClaimedNotification, party: Party) -> None:
        note = claim.notification
        started = self._now()
        events = [self._event(EventKind.NOTIFICATION_STARTED, claim, at=started)]
        wire = claim.wire
        if wire is None:
            syntax = Syntax.XML if "xml" in note.content_type else Syntax.EDIFACT
            wire = self._sender.compose(note.id, note.body, syntax, party, url=as2_url(party), as2=True)
            await self._ledger.keep_wire([(note.id, wire)])
        # The bytes are those of the first try; the address is the one in force now.
        result = await self._sender.send(wire, party, url=as2_url(party), as2=True)
        if isinstance(result, Received):
            events.append(self._event(EventKind.NOTIFICATION_DELIVERED, claim))
            update = NotificationUpdate(
                id=note.id,
                expected=(NotificationState.SENDING, NotificationState.PENDING),
                state=NotificationState.DELIVERED,
                attempts=note.attempts + 1,
            )
        else:
            log.warning("notification_failed", notification=note.id, partner=party.name, reason=result.reason)
            update = self._failed(claim, party, result, events)
        await self._attempts.record(Change(notification_updates=(update,), events=tuple(events)))

    def _failed(
        self, claim: ClaimedNotification, party: Party, failure: Failure, events: list[EventRecord]
    ) -> NotificationUpdate:
        note = claim.notification
        retry = self._attempts.after(failure, party.settings.retry, note.attempts, note.first_attempt_ns)
        events.append(self._event(EventKind.NOTIFICATION_FAILED, claim, failure_data(failure)))
        if retry.due_ns is None:
            events.append(self._event(EventKind.DEAD_LETTERED, claim, {"reason": failure.reason}))
        return NotificationUpdate(
            id=note.id,
            expected=(NotificationState.SENDING,),
            state=NotificationState.DEAD if retry.due_ns is None else NotificationState.PENDING,
            due_ns=retry.due_ns,
            attempts=retry.attempts,
            first_attempt_ns=retry.first_ns,
        )

    def _closed(self, claim: ClaimedNotification) -> NotificationUpdate:
        """A partner that has no address any more reads its log: a dead letter for whoever looks after it."""
        return NotificationUpdate(
            id=claim.notification.id, expected=(NotificationState.SENDING,), state=NotificationState.DEAD
        )

    def _event(
        self,
        kind: EventKind,
        claim: ClaimedNotification,
        data: dict[str, str] | None = None,
        at: Instant | None = None,
    ) -> EventRecord:
        note = claim.notification
        named = {"notification": note.id, **(data or {})}
        return EventRecord(kind=kind, at=at or self._now(), lodgement=note.lodgement, data=named)
