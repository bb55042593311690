"""One exchange with a peer: a document goes out, and what the peer said of it comes back as a value."""

import re
import secrets
import ssl
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime

import msgspec

from ..codecs.document import EDIFACT_MEDIA_TYPE, XML_MEDIA_TYPE, Syntax
from ..routing.instant import Instant
from . import clock
from .as2 import MdnKind, compose, read_mdn
from .http import Client, ClientError, ClientResponse
from .ledger import Wire
from .parties import Party

SEND_SECONDS = 30.0
DELIVERY_HEADER = "Tidewaiter-Delivery"
# The status of a response that may bring an answer.
ANSWERED_STATUS = 200
# Statuses that say nothing about the document: the peer, the way there or the agreement is out of order, and
# that can be mended. Every other 4xx is about what was sent.
MENDABLE = frozenset({401, 403, 404, 405, 407, 408, 425, 429})
# The media types of a document, as they are taken over HTTPS too.
DOCUMENT_TYPES = frozenset({EDIFACT_MEDIA_TYPE, XML_MEDIA_TYPE, "text/xml"})
# How an answer begins whatever its media type says; a page for people does not.
_ANSWER = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:UN[AB][^A-Za-z0-9]|<[^\x00]{0,1024}?(?:MetaData|Response)\b)")


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """The peer took it. `answer` is a document that came back with the response, if one did."""

    answer: bytes = b""
    answer_type: str = ""


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """The peer did not take it. `poison`: it refuses this document, and trying again will not help for long.

    `alarm`: the peer's receipt does not match what was sent, which a person must see.
    """

    reason: str
    retry_after: float | None = None
    poison: bool = False
    alarm: bool = False


class Sender:
    """Composes and sends, over either channel."""

    def __init__(
        self,
        client: Client,
        domain: str,
        contexts: Mapping[str, ssl.SSLContext],
        now: Callable[[], Instant] = clock.instant,
        boundary: Callable[[], str] = lambda: secrets.token_hex(16),
    ) -> None:
        self._client = client
        self._domain = domain
        self._contexts = contexts
        self._now = now
        self._boundary = boundary

    def compose(
        self, reference: str, body: bytes, syntax: Syntax, party: Party, *, url: str, as2: bool
    ) -> Wire:
        """The message as it will be sent on every try: `reference` names it for ever."""
        if not as2:
            headers = (
                ("Content-Type", syntax.media_type),
                ("Idempotency-Key", reference),
                (DELIVERY_HEADER, reference),
            )
            return Wire(message_id=reference, url=url, headers=headers, body=body)
        assert party.terms is not None
        message = compose(
            body,
            syntax.media_type,
            party.terms,
            message_id=f"<{reference}@{self._domain}>",
            now=clock.utc(self._now()),
            boundary=self._boundary(),
            filename=f"{reference}.{'xml' if syntax is Syntax.XML else 'edi'}",
            subject="Customs document",
        )
        return Wire(
            message_id=message.message_id,
            url=url,
            headers=message.headers,
            body=message.body,
            mic=str(message.mic),
        )

    async def send(self, wire: Wire, party: Party, *, url: str, as2: bool) -> Received | Failure:
        """One try at `url`. Never raises for what the peer or the way there does."""
        try:
            response = await self._client.request(
                "POST",
                url,
                wire.headers,
                wire.body,
                tls=self._contexts.get(party.name),
                timeout=SEND_SECONDS,
            )
        except ClientError as error:
            return Failure(reason=error.reason)
        if not 200 <= response.status < 300:
            mendable = response.status >= 500 or response.status in MENDABLE or response.status < 400
            return Failure(
                reason=f"HTTP {response.status}",
                retry_after=self._retry_after(response),
                poison=not mendable,
            )
        if as2:
            return self._receipt(wire, response, party)
        media_type = (response.headers.get(b"content-type") or b"").decode("latin-1")
        if response.status == ANSWERED_STATUS and _is_document(media_type, response.body):
            return Received(answer=response.body, answer_type=media_type)
        return Received()

    def _receipt(self, wire: Wire, response: ClientResponse, party: Party) -> Received | Failure:
        assert party.terms is not None
        mdn = read_mdn(
            response.headers,
            response.body,
            party.terms,
            message_id=wire.message_id,
            mic=wire.mic,
            now=clock.utc(self._now()),
        )
        if mdn.kind in {MdnKind.PROCESSED, MdnKind.WARNING}:
            return Received()
        refused = mdn.kind in {MdnKind.ERROR, MdnKind.FAILED}
        alarm = mdn.kind in {MdnKind.MIC_MISMATCH, MdnKind.UNVERIFIED, MdnKind.WRONG_MESSAGE}
        return Failure(
            reason=f"MDN {mdn.kind.value}: {mdn.disposition or mdn.detail}", poison=refused, alarm=alarm
        )

    def _retry_after(self, response: ClientResponse) -> float | None:
        value = (response.headers.get(b"retry-after") or b"").decode("latin-1")
        if not value:
            return None
        if value.isdecimal():
            return float(value)
        try:
            return max(0.0, (parsedate_to_datetime(value) - clock.utc(self._now())).total_seconds())
        except (ValueError, TypeError, OverflowError):
            return None


def _is_document(media_type: str, body: bytes) -> bool:
    """Whether `body` is to be read as an answer: by its media type, else by how it begins."""
    if not body.strip():
        return False
    return (
        media_type.split(";", maxsplit=1)[0].strip().lower() in DOCUMENT_TYPES
        or _ANSWER.match(body) is not None
    )
