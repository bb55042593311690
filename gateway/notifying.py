"""One try at pushing one notification over AS2, recorded."""

from collections.abc import Callable

import structlog

from ..codecs.document import Syntax
from ..routing.instant import Instant
from ..routing.lifecycle import EventKind, NotificationState
from ..security import KeyStoreError
from .answers import as2_url
from .attempts import Attempts, our_fault
from .ledger import Change, ClaimedNotification, EventRecord, Ledger, LedgerUnavailable, NotificationUpdate
from .outcomes import Failure, Mismatched, Outcome
from .parties import Parties, Party
from .sender import Sender
from .settling import Settling, Subject

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
        self._settling = Settling(attempts, now)
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
        except KeyStoreError as error:
            await self._settle(claim, party, our_fault(error), ())
        except Exception as error:
            # The border around one entry: it must not end the others.
            log.exception("notification_crashed", notification=claim.notification.id, partner=party.name)
            await self._settle(claim, party, our_fault(error), ())

    async def _try(self, claim: ClaimedNotification, party: Party) -> None:
        note = claim.notification
        started = self._now()
        wire = claim.wire
        if wire is None:
            syntax = Syntax.XML if "xml" in note.content_type else Syntax.EDIFACT
            wire = self._sender.compose(note.id, note.body, syntax, party, url=as2_url(party), as2=True)
            await self._ledger.keep_wire([(note.id, wire)])
        # The bytes are those of the first try; the address is the one in force now.
        result = await self._sender.send(wire, party, url=as2_url(party), as2=True)
        await self._settle(
            claim, party, result, (self._event(EventKind.NOTIFICATION_STARTED, claim, at=started),)
        )

    async def _settle(
        self, claim: ClaimedNotification, party: Party, outcome: Outcome, started: tuple[EventRecord, ...]
    ) -> None:
        note = claim.notification
        if isinstance(outcome, Mismatched):
            log.error("receipt_mismatch", notification=note.id, partner=party.name, reason=outcome.reason)
        elif isinstance(outcome, Failure):
            log.warning(
                "notification_failed", notification=note.id, partner=party.name, reason=outcome.reason
            )
        subject = Subject(note, party)
        await self._attempts.record(await self._settling.by_try(subject, outcome, started))

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
