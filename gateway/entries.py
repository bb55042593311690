"""Entries of a log that are acknowledged or rejected by whoever they were for."""

from ..codecs import edifact
from ..codecs.document import Document, Syntax
from ..codecs.finding import Finding
from ..routing.lifecycle import EventKind
from .ledger import Change, EventRecord, Ledger, NotificationRecord
from .lodging import Source
from .said import (
    Said,
    Tied,
    event,
    not_known,
    not_readable,
    other_parties,
    places,
    reason,
    said_by,
    said_of,
    shown,
)


class Entries:
    """Finds what a CONTRL or an APERAK of a party speaks of in the party's log."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def take(self, document: Document, source: Source) -> Tied:
        """What to write for one of a trader."""
        said, partner = said_by(document), source.party.name
        if said is None:
            finding = not_readable(document)
            return Tied(Change(events=(_refusal(source, finding, {}),)), (finding,))
        named = {"reference": shown(said)} | said_of(said)
        note, sent, wrong = await self.find(said, partner)
        if note is None:
            return Tied(Change(events=(_refusal(source, wrong[0], named),)), wrong)
        data = {"notification": note.id, "partner": partner} | named
        if not said.rejected:
            return Tied(event(EventKind.ACKNOWLEDGED, note.lodgement, data, source.received), (), note.id)
        faults = places(document.control, sent) or said.faults
        data |= reason(said._replace(faults=faults))
        return Tied(event(EventKind.ALARM, note.lodgement, data, source.received), (), note.id)

    async def find(
        self, said: Said, party: str
    ) -> tuple[NotificationRecord | None, edifact.Interchange | None, tuple[Finding, ...]]:
        """The entry of `party`'s log that `said` speaks of, and what was sent of it where that is EDIFACT; or
        why there is none."""
        for name in said.references:
            note = await self._ledger.find_notification(name)
            if note is not None and note.partner == party:
                sent = _read(note)
                wrong = other_parties(said, None if sent is None else (sent.sender, sent.recipient))
                return (None, None, wrong) if wrong else (note, sent, ())
        return None, None, (not_known(said),)


def _read(note: NotificationRecord) -> edifact.Interchange | None:
    if note.content_type != Syntax.EDIFACT.media_type:
        return None
    return edifact.read_interchange(note.body)


def _refusal(source: Source, why: Finding, data: dict[str, str]) -> EventRecord:
    told = {"reason": why.text, "channel": source.channel, "partner": source.party.name} | data
    return EventRecord(kind=EventKind.REFUSED, at=source.received, message=source.message, data=told)
