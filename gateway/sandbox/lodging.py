"""One case of the demonstration lodged, and everything that came back gathered: receipt, answer, times."""

import pathlib
from collections.abc import Callable
from typing import Any

import anyio
import msgspec

from ...codecs import edifact
from ...codecs.document import Kind, Reader, Syntax
from ...routing.sla import Levels, levels_at
from ...routing.timeline import SlaEvent, Timing, timings
from .. import clock
from ..ledger import Ledger
from .as2_party import Sent
from .cases import Case, Observed
from .delivery_log import Entry, read_lines
from .samples import sample
from .trader import Notice, Trader

# For a business answer. The slowest agency of the sandbox takes a second and a half.
ANSWER_SECONDS = 15.0
# The history has the sending of a receipt a moment after it was sent.
HISTORY_SECONDS = 5.0
POLL_SECONDS = 0.05
# Rows of the history of one lodgement; a few dozen are usual.
EVENTS = 1000


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """What a document is called: its LRN, and the interchange it stands in."""

    lrn: str
    interchange: str


class Lodger:
    """Lodges cases as one trader and looks up, in the gateway's own history, how long each took."""

    def __init__(
        self, trader: Trader, ledger: Ledger, reader: Reader, levels: tuple[Levels, ...], books: pathlib.Path
    ) -> None:
        self._trader = trader
        self._ledger = ledger
        self._reader = reader
        self._levels = levels
        self._books = books
        self._sent: dict[str, Sent] = {}

    async def lodge(self, case: Case) -> Observed:
        """The case lodged and followed to its end. Raises TimeoutError where an answer does not come, and
        ClientError where the gateway does not.
        """
        payload = sample(case.sample)
        names = self._names(payload)
        if case.again:
            return await self._again(case, names)
        if case.channel == "as2":
            return await self._over_as2(case, names, payload)
        return await self._over_https(case, names, payload)

    async def _over_as2(self, case: Case, names: Names, payload: bytes) -> Observed:
        sent = self._sent[case.sample] = await self._trader.lodge_as2(payload)
        seen = Observed(receipt=_receipt_of(sent), receipted=sent.verified)
        with anyio.fail_after(ANSWER_SECONDS):
            notice = await self._trader.wait_for(_about(names))
        return await self._followed(seen, names.lrn, notice)

    async def _over_https(self, case: Case, names: Names, payload: bytes) -> Observed:
        lodged = await self._trader.lodge_https(payload)
        if lodged.status == 422:
            seen = Observed(receipt="none: 422, nothing taken", receipted=True, told="422")
            view = {**(await self._view(lodged.id) if lodged.id else {}), "findings": lodged.findings}
            return await self._measured(_from_status(seen, view), lodged.id)
        receipt = "verified: 202, signed, same digest" if lodged.verified else lodged.reason
        seen = Observed(receipt=receipt, receipted=lodged.verified)
        with anyio.fail_after(ANSWER_SECONDS):
            notice = await self._trader.look_for(_about(names))
        return await self._followed(seen, lodged.id, notice)

    async def _again(self, case: Case, names: Names) -> Observed:
        """The same octets once more: the same receipt, and nothing else anywhere."""
        first = self._sent[case.sample]
        sent = await self._trader.send_again(first.composed, what="declaration again")
        same = sent.answer == first.answer
        mine = [each for each in await self._trader.lodgements() if each["lrn"] == names.lrn]
        seen = _from_status(
            Observed(receipt=_receipt_of(sent), receipted=sent.verified), await self._view(names.lrn)
        )
        notes = []
        if len(mine) != 1:
            notes.append(f"{len(mine)} lodgements have this LRN, must be 1")
        if repeated := self._repeated_deliveries():
            notes.append(f"delivered again: {', '.join(repeated)}")
        answers = [notice for notice in self._trader.inbox if notice.lrn == names.lrn]
        if len(answers) != 1:
            notes.append(f"{len(answers)} answers were pushed, must be 1")
        told = "same MDN" if same else "another MDN"
        return msgspec.structs.replace(seen, told=told, notes=tuple(notes))

    def _repeated_deliveries(self) -> list[str]:
        """The agencies that were asked the same thing twice, by their own books."""
        return [
            f"{entry.reference} ({file.name})"
            for file in sorted(self._books.glob("*.deliveries.jsonl"))
            for entry in read_lines(file, Entry)
            if entry.duplicate
        ]

    async def _followed(self, seen: Observed, reference: str, notice: Notice) -> Observed:
        view = await self._view(reference)
        response = notice.response
        declaration = response.declaration if response is not None else None
        seen = msgspec.structs.replace(
            _from_status(seen, view),
            told=_told(notice),
            function=(response.function_code or "").zfill(2) if response is not None else "",
            mrn=(declaration.id or "") if declaration is not None else "",
        )
        return await self._measured(seen, view.get("id", ""))

    async def _view(self, reference: str) -> dict[str, Any]:
        return await self._trader.status(reference) or {}

    async def _measured(self, seen: Observed, lodgement: str) -> Observed:
        """`seen` with its e-document time and level, by the gateway's own events."""
        timing, seconds = None, None
        with anyio.move_on_after(HISTORY_SECONDS):
            while lodgement and seconds is None:
                timing = await self._timing(lodgement, seen.type)
                seconds = _seconds(timing, seen.told)
                await anyio.sleep(POLL_SECONDS if seconds is None else 0)
        if timing is None or seconds is None:
            return seen
        held = levels_at(self._levels, timing.type, clock.utc(timing.received).date())
        return msgspec.structs.replace(
            seen,
            seconds=seconds,
            share=min(timing.gateway, seconds),
            level=held.grade(seconds).value if held is not None else "no level",
        )

    async def _timing(self, lodgement: str, kind: str) -> Timing | None:
        events = await self._ledger.events(lodgement=lodgement, after=0, limit=EVENTS)
        folded = [
            SlaEvent(lodgement=lodgement, kind=event.kind, at=event.at, data=event.data) for event in events
        ]
        return next(iter(timings(folded, {lodgement: kind}, now=clock.instant())), None)

    def _names(self, payload: bytes) -> Names:
        reading = self._reader.read(payload)
        declaration = reading.documents[0].declaration
        interchange = reading.interchange
        return Names(
            lrn=(declaration.functional_reference_id or "") if declaration is not None else "",
            interchange=(interchange.reference or "") if interchange is not None else "",
        )


def _seconds(timing: Timing | None, told: str) -> float | None:
    """The e-document time; where the HTTP response was the business answer, that of the response."""
    if timing is None:
        return None
    return timing.receipt if told == "422" else timing.processing


def _about(names: Names) -> Callable[[Notice], bool]:
    """Whether a notice speaks of the document: by its LRN, or as the CONTRL of its interchange."""

    def wanted(notice: Notice) -> bool:
        return notice.lrn == names.lrn or control_reference(notice) == names.interchange

    return wanted


def control_reference(notice: Notice) -> str | None:
    """The interchange a CONTRL speaks of; None for what is no CONTRL."""
    interchange = notice.reading.interchange
    if interchange is None or notice.name != "CONTRL":
        return None
    control = edifact.read_contrl(interchange, interchange.messages[0])
    return control.reference if control is not None else None


def _told(notice: Notice) -> str:
    if notice.reading.syntax is Syntax.XML and notice.response is not None:
        return "RES"
    document = notice.reading.documents[0] if notice.reading.documents else None
    return notice.name if document is not None and document.kind is not Kind.UNKNOWN else ""


def _receipt_of(sent: Sent) -> str:
    if not sent.verified:
        return f"HTTP {sent.status}, MDN {sent.mdn.kind.value} {sent.mdn.detail}".rstrip()
    return "verified: MDN processed, signed, same MIC"


def _from_status(seen: Observed, view: dict[str, Any]) -> Observed:
    decision = view.get("decision")
    return msgspec.structs.replace(
        seen,
        syntax=view.get("syntax", ""),
        type=view.get("type", ""),
        findings=tuple((f["code"], f.get("where", "")) for f in view.get("findings", [])),
        asked={
            leg["agency"]: leg["answers"][-1]["outcome"] if leg["answers"] else leg["state"]
            for leg in view.get("agencies", [])
        },
        decision=decision["outcome"] if decision is not None else "",
    )
