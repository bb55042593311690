"""The HTTPS channel and the one handler of both listeners: who asks, what for, and what they get.

POST /as2                       AS2, for traders and agencies
POST /v1/declarations           a trader lodges
GET  /v1/declarations           the trader's newest lodgements
GET  /v1/declarations/{ref}     how one stands
GET  /v1/notifications?after=N  the log
POST /v1/answers                an agency answers
GET  /v1/openapi.json           this, for programs
"""

from collections.abc import Callable
from urllib.parse import parse_qs, unquote

import structlog

from ..codecs.document import EDIFACT_MEDIA_TYPE, XML_MEDIA_TYPE
from ..routing.instant import Instant
from ..routing.lifecycle import NOTIFICATION, EventKind, NotificationState, NotificationTrigger
from . import clock
from .as2_channel import As2Channel
from .http import Request, RequestHead, Response
from .inbound import Inbound
from .ledger import (
    Change,
    EventRecord,
    Ledger,
    LedgerUnavailable,
    NotificationRecord,
    NotificationUpdate,
    Receipt,
)
from .lodging import Source
from .offers import Conflicting, Offer, Taking, digest_of, headers_of
from .openapi import OPENAPI
from .parties import Parties, Party
from .receipts import Receipts
from .sender import DELIVERY_HEADER
from .views import json_response, notification_view, problem, status_view, summary_view

log = structlog.get_logger()

RETRY_AFTER = (("Retry-After", "5"),)
# A page of the log, and the most one request can ask for.
PAGE, MAX_PAGE = 100, 1000
# An Idempotency-Key is a name, not a document.
MAX_KEY = 255
_MEDIA_TYPES = {
    EDIFACT_MEDIA_TYPE: EDIFACT_MEDIA_TYPE,
    XML_MEDIA_TYPE: XML_MEDIA_TYPE,
    "text/xml": XML_MEDIA_TYPE,
}

_ALLOWED = {
    "/as2": ("POST", "HEAD"),
    "/v1/declarations": ("GET", "HEAD", "POST"),
    "/v1/notifications": ("GET", "HEAD"),
    "/v1/answers": ("POST",),
    "/v1/openapi.json": ("GET", "HEAD"),
}


class Api:
    """Answers every request of the trader and agency ports."""

    def __init__(
        self,
        as2: As2Channel,
        inbound: Inbound,
        ledger: Ledger,
        parties: Parties,
        receipts: Receipts,
        has_room: Callable[[], bool],
        now: Callable[[], Instant] = clock.instant,
    ) -> None:
        self._as2 = as2
        self._inbound = inbound
        self._ledger = ledger
        self._parties = parties
        self._receipts = receipts
        self._has_room = has_room
        self._now = now

    def admit(self, head: RequestHead, certificate: bytes | None) -> Response | None:
        """The refusal of a request by its head alone, before its body is read; None lets it in."""
        allowed = _ALLOWED.get(head.path) or (
            ("GET", "HEAD") if head.path.startswith("/v1/declarations/") else None
        )
        if allowed is None:
            return problem(404, "Not found", "there is nothing at this path; see /v1/openapi.json")
        if head.method not in allowed:
            return problem(
                405,
                "Method not allowed",
                f"use {' or '.join(allowed)}",
                headers=(("Allow", ", ".join(allowed)),),
            )
        if head.path.startswith("/v1/") and head.path != "/v1/openapi.json":
            refusal = self._unauthorised(head.path, certificate)
            if refusal is not None:
                return refusal
        if head.method == "POST" and not self._has_room():
            return problem(
                503, "Not taking in", "the disk is at its reserve; nothing was read", headers=RETRY_AFTER
            )
        return None

    async def handle(self, request: Request) -> Response:
        """The response to one request that was admitted."""
        try:
            return await self._route(request)
        except LedgerUnavailable:
            return problem(
                503, "Not taking in", "nothing could be made durable; send it again", headers=RETRY_AFTER
            )

    async def _route(self, request: Request) -> Response:
        if request.path == "/as2":
            if request.method == "HEAD":
                return Response(status=200, headers=(), body=b"")
            return await self._as2.handle(request)
        if request.path == "/v1/openapi.json":
            return json_response(200, OPENAPI)
        party = self._party(request.peer_certificate)
        assert party is not None
        if request.path == "/v1/answers":
            return await self._post(request, party)
        if request.path == "/v1/notifications":
            return await self._notifications(request, party)
        if request.path == "/v1/declarations":
            if request.method == "POST":
                return await self._post(request, party)
            newest = await self._ledger.lodgements(limit=PAGE, partner=party.name)
            return json_response(200, {"declarations": [summary_view(lodgement) for lodgement in newest]})
        return await self._status(unquote(request.path.removeprefix("/v1/declarations/")), party)

    def _unauthorised(self, path: str, certificate: bytes | None) -> Response | None:
        if certificate is None:
            return problem(401, "Who are you?", "this needs a TLS client certificate that we know")
        party = self._party(certificate)
        if party is None:
            return problem(401, "Who are you?", "this certificate is nobody's here")
        if path == "/v1/answers" and not party.is_agency:
            return problem(403, "Not for you", "only agencies answer")
        if path.startswith("/v1/declarations") and party.is_agency:
            return problem(403, "Not for you", "only traders lodge")
        return None

    def _party(self, certificate: bytes | None) -> Party | None:
        return None if certificate is None else self._parties.by_certificate(certificate)

    async def _post(self, request: Request, party: Party) -> Response:
        media_type = _MEDIA_TYPES.get(_header(request, b"content-type").split(";")[0].strip().lower())
        if media_type is None:
            accepted = " or ".join((EDIFACT_MEDIA_TYPE, XML_MEDIA_TYPE))
            return problem(415, "Unsupported media type", f"Content-Type must be {accepted}")
        key = _header(request, b"idempotency-key") or None
        if key is not None and not (0 < len(key) <= MAX_KEY and key.isprintable()):
            return problem(400, "Bad Idempotency-Key", f"1 to {MAX_KEY} printable characters")
        source = Source(party, "https", clock.new_id("M"), request.last_byte)
        offer = Offer(
            source=source,
            scope=f"https\x1f{party.name}",
            key=key,
            digest=digest_of(request.body),
            mic=None,
            headers=headers_of(request),
            body=request.body,
            payload=request.body,
            media_type=media_type,
            reference=_header(request, DELIVERY_HEADER.encode()) or None,
        )
        stored = await self._ledger.find_message(offer.scope, key) if key is not None else None
        try:
            if stored is not None:
                return await self._inbound.again(offer, stored)
            return await self._inbound.take(offer, lambda taking: self._receipt(offer, taking), whole=True)
        except Conflicting:
            detail = "this Idempotency-Key names another document, which was accepted; use a new key"
            return problem(409, "Idempotency-Key in use", detail)

    def _receipt(self, offer: Offer, taking: Taking) -> Receipt:
        if taking.failed:
            refused = problem(
                500,
                "Unexpected processing error",
                "the document is kept; we look into it",
                message=offer.source.message,
            )
        elif taking.findings:
            refused = self._rejection(offer, taking)
        elif offer.source.party.is_agency:
            return self._receipts.answered(
                taking.answered, offer.digest, len(offer.body), offer.source, taking.acknowledged
            )
        elif taking.acknowledged and not (taking.lodgements or taking.tied):
            return self._receipts.acknowledged(
                taking.acknowledged, offer.digest, len(offer.body), offer.source
            )
        elif not (taking.lodgements or taking.tied):
            refused = problem(
                422, "Nothing to lodge", "the interchange holds no declaration", message=offer.source.message
            )
        else:
            return self._receipts.lodged(
                taking.lodgements, taking.tied, offer.digest, len(offer.body), offer.source
            )
        return Receipt(status=refused.status, headers=refused.headers, body=refused.body)

    def _rejection(self, offer: Offer, taking: Taking) -> Response:
        errors = sum(finding.severity.value == "error" for finding in taking.findings)
        detail = f"{errors} error{'s' if errors != 1 else ''}; nothing was lodged"
        # Only what acknowledges nothing that we know is refused without being a lodgement.
        trader = not offer.source.party.is_agency
        title = "Nothing to lodge" if trader and not taking.lodgements else "The document is not valid"
        return problem(
            422,
            title,
            detail,
            findings=taking.findings,
            message=offer.source.message,
            id=taking.lodgements[0].id if taking.lodgements else None,
        )

    async def _status(self, reference: str, party: Party) -> Response:
        # What was refused without an LRN is not found under the lack of one.
        status = await self._ledger.status(reference, partner=party.name) if reference else None
        if status is None:
            return problem(404, "Not found", "you have lodged nothing under this reference")
        return json_response(200, status_view(status))

    async def _notifications(self, request: Request, party: Party) -> Response:
        query = parse_qs(request.query)
        numbers = [query.get(name, [default])[-1] for name, default in (("after", "0"), ("limit", str(PAGE)))]
        if not all(number.isascii() and number.isdecimal() and len(number) < 19 for number in numbers):
            return problem(400, "Bad query", "after and limit are whole numbers")
        after, limit = int(numbers[0]), min(max(int(numbers[1]), 1), MAX_PAGE)
        notes = await self._ledger.notifications(party.name, after=after, limit=limit)
        # On a full disk it is read all the same, and its delivery is recorded when it is read again.
        if self._ledger.can_finish():
            await self._pulled([note for note in notes if note.state is NotificationState.STORED])
        last = notes[-1].number if notes else after
        return json_response(
            200, {"notifications": [notification_view(note) for note in notes], "last": last}
        )

    async def _pulled(self, notes: list[NotificationRecord]) -> None:
        """The first time an entry is read is its delivery; reading it again writes nothing."""
        changes = [
            Change(
                notification_updates=(
                    NotificationUpdate(
                        id=note.id,
                        expected=(note.state,),
                        state=NOTIFICATION.after(note.state, NotificationTrigger.PULL),
                    ),
                ),
                events=(
                    EventRecord(
                        kind=EventKind.NOTIFICATION_PULLED,
                        at=self._now(),
                        lodgement=note.lodgement,
                        data={"notification": note.id},
                    ),
                ),
            )
            for note in notes
        ]
        if changes:
            await self._ledger.commit(changes)


def _header(request: Request, name: bytes) -> str:
    return (request.headers.get(name) or b"").decode("latin-1")
