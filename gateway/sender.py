"""One exchange with a peer: a document goes out, and what the peer said of it comes back as a value."""

import re
import secrets
import ssl
from collections.abc import Callable, Mapping, Sequence
from email.utils import parsedate_to_datetime

import anyio

from ..codecs.document import EDIFACT_MEDIA_TYPE, XML_MEDIA_TYPE, Syntax
from ..routing.instant import Instant
from . import clock
from .as2 import MdnKind, Part, compose, read_mdn
from .http import Client, ClientError, ClientResponse
from .ledger import Receipt, Wire
from .outcomes import Failure, Outcome, Received, Transferred, judged, mdn_of
from .parties import Party
from .resolution import NotReachable, Resolve, address_of, resolve

SEND_SECONDS = 30.0
# For a receipt: a name to resolve and a small request, to a server that only has to take it.
POST_SECONDS = 20.0
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


class Sender:
    """Composes and sends, over either channel."""

    def __init__(
        self,
        client: Client,
        domain: str,
        contexts: Mapping[str, ssl.SSLContext],
        now: Callable[[], Instant] = clock.instant,
        boundary: Callable[[], str] = lambda: secrets.token_hex(16),
        resolver: Resolve = resolve,
    ) -> None:
        self._client = client
        self._domain = domain
        self._contexts = contexts
        self._now = now
        self._boundary = boundary
        self._resolver = resolver

    def compose(
        self,
        reference: str,
        body: bytes,
        syntax: Syntax,
        party: Party,
        *,
        url: str,
        as2: bool,
        attachments: Sequence[Part] = (),
    ) -> Wire:
        """The message as it will be sent on every try: `reference` names it for ever. `attachments` go along
        over AS2 only."""
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
            attachments=attachments,
        )
        return Wire(
            message_id=message.message_id,
            url=url,
            headers=message.headers,
            body=message.body,
            mic=str(message.mic),
        )

    async def send(self, wire: Wire, party: Party, *, url: str, as2: bool) -> Outcome:
        """One try at `url`. Never raises for what the peer or the way there does."""
        agreed = party.settings.as2
        try:
            response = await self._client.request(
                "POST",
                url,
                wire.headers,
                wire.body,
                tls=self._contexts.get(party.name),
                timeout=SEND_SECONDS,
                chunked=as2 and agreed is not None and agreed.chunked,
            )
        except ClientError as error:
            return Failure(reason=error.reason)
        if not 200 <= response.status < 300:
            return self._refused(response, as2=as2)
        if as2:
            return self._receipted(wire, response, party)
        media_type = (response.headers.get(b"content-type") or b"").decode("latin-1")
        if response.status == ANSWERED_STATUS and _is_document(media_type, response.body):
            return Received(answer=response.body, answer_type=media_type)
        return Received()

    async def post(self, receipt: Receipt, party: Party, *, url: str) -> Transferred | Failure:
        """One try at posting an asynchronous receipt to `url`, which the agreement allows.

        The name is resolved once and the connection goes to what was looked at (`resolution`); nothing of the
        answer but its status is used. `poison`: the name leads where no receipt may go. Never raises for what
        the peer or the way there does.
        """
        agreed = party.settings.as2
        try:
            with anyio.fail_after(POST_SECONDS):
                address = await address_of(
                    url,
                    private=agreed is not None and agreed.private_addresses,
                    resolver=self._resolver,
                )
                response = await self._client.request(
                    "POST",
                    url,
                    receipt.headers,
                    receipt.body,
                    tls=self._contexts.get(party.name),
                    timeout=POST_SECONDS,
                    address=address,
                    chunked=agreed is not None and agreed.chunked,
                )
        except NotReachable as error:
            return Failure(reason=error.reason, poison=error.forbidden)
        except ClientError as error:
            return Failure(reason=error.reason)
        except TimeoutError:
            return Failure(reason="the name did not resolve in time")
        if 200 <= response.status < 300:
            return Transferred()
        return self._refused(response, as2=True)

    def _refused(self, response: ClientResponse, *, as2: bool) -> Failure:
        mendable = response.status >= 500 or response.status in MENDABLE or response.status < 400
        return Failure(
            reason=f"HTTP {response.status}",
            retry_after=self._retry_after(response),
            poison=not mendable,
            # The same octets get the same answer; over HTTPS a document is judged anew each time.
            final=as2 and not mendable,
        )

    def _receipted(self, wire: Wire, response: ClientResponse, party: Party) -> Outcome:
        """What a 2xx says. What was asked for stands in the message, whatever was agreed since."""
        assert party.terms is not None
        asked = {name.lower() for name, _ in wire.headers}
        if "disposition-notification-to" not in asked:
            return Received()
        result = read_mdn(
            response.headers,
            response.body,
            party.terms,
            message_id=wire.message_id,
            mic=wire.mic,
            now=clock.utc(self._now()),
        )
        if result.kind is MdnKind.MISSING and "receipt-delivery-option" in asked:
            return Transferred()
        return judged(result, mdn_of(result, response.headers, response.body, response.received))

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
