"""The AS2 side of a trader or an agency: sends and judges the receipt, takes and gives one."""

import hashlib
import secrets
from collections.abc import Awaitable, Callable

import anyio.abc
import msgspec
import structlog

from ...routing.instant import Instant
from .. import clock
from ..as2 import (
    BadRequest,
    Composed,
    Disposition,
    Identity,
    Mdn,
    MdnKind,
    MdnResult,
    Mic,
    Received,
    Refused,
    Terms,
    compose,
    compose_mdn,
    identify,
    read_mdn,
    receive,
)
from ..as2.addresses import is_allowed_address
from ..http import Client, ClientError, Request, Response, problem
from .accounts import Account
from .wire import About, Recorder

log = structlog.get_logger()

SEND_SECONDS = 30.0
# Receipts kept to be repeated, some 3 KB each: a retry comes soon after, never ten thousand messages later.
REMEMBERED = 10_000

# Takes a payload: (what was received, its Message-ID, the request) -> what the receipt says.
Taker = Callable[[Received, str, Request], Awaitable[Disposition]]


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """One exchange: what was sent, and what came back as a receipt. `answer` are the receipt's own octets."""

    composed: Composed
    status: int
    mdn: MdnResult
    answer: bytes

    @property
    def verified(self) -> bool:
        """True if the gateway signed that it took exactly this."""
        return self.status == 200 and self.mdn.kind is MdnKind.PROCESSED and self.mdn.signed


class As2Party:
    """Speaks AS2 as one account does. Remembers what it took by Message-ID, and repeats the receipt.

    With `tasks` a receipt is posted where the gateway asks for that, once for each time its message comes;
    without, it is the response.
    """

    def __init__(
        self,
        account: Account,
        client: Client,
        *,
        recorder: Recorder | None = None,
        now: Callable[[], Instant] = clock.instant,
    ) -> None:
        if account.terms is None:
            raise ValueError(f"{account.name} has no AS2 agreement")
        self._terms: Terms = account.terms
        self._account = account
        self._client = client
        self._recorder = recorder
        self._now = now
        self._taken: dict[str, tuple[str, Mdn]] = {}
        self.tasks: anyio.abc.TaskGroup | None = None

    def compose(self, payload: bytes, media_type: str, *, message_id: str | None = None) -> Composed:
        """`payload` signed, encrypted and compressed as agreed; send it as often as needed."""
        return compose(
            payload,
            media_type,
            self._terms,
            message_id=message_id or f"<{clock.new_id('T')}@{self._account.name}.example>",
            now=clock.utc(self._now()),
            boundary=secrets.token_hex(16),
        )

    async def send(self, composed: Composed, *, what: str) -> Sent:
        """One try. Raises ClientError where no answer comes; `what` names the message in a recording."""
        url = self._account.as2_url
        response = await self._client.request(
            "POST", url, composed.headers, composed.body, tls=self._account.client_tls, timeout=SEND_SECONDS
        )
        if self._recorder is not None:
            about = self._about(composed.message_id, what, str(composed.mic))
            self._recorder.sent(about, ("POST", url, composed.headers, composed.body), response)
        mdn = read_mdn(
            response.headers,
            response.body,
            self._terms,
            message_id=composed.message_id,
            mic=composed.mic,
            now=clock.utc(self._now()),
        )
        return Sent(composed=composed, status=response.status, mdn=mdn, answer=response.body)

    async def take(self, request: Request, taker: Taker, *, what: str) -> Response:
        """Answer an AS2 message with its receipt; `taker` sees each message once, however often it comes."""
        try:
            identity = identify(request.headers)
        except BadRequest as error:
            return problem(error.status, error.reason)
        digest = hashlib.sha256(request.body).hexdigest()
        known = self._taken.get(identity.message_id)
        mic = ""
        if known is not None and known[0] == digest:
            mdn = known[1]
        else:
            mdn, mic = await self._first(identity, request, taker)
            self._taken[identity.message_id] = (digest, mdn)
            if len(self._taken) > REMEMBERED:
                del self._taken[next(iter(self._taken))]
        response = self._answer(identity, mdn)
        if self._recorder is not None:
            about = self._about(identity.message_id, what, mic, received=True)
            self._recorder.served(about, request, response, self._now())
        return response

    def _answer(self, identity: Identity, mdn: Mdn) -> Response:
        url, tasks = identity.async_url, self.tasks
        if url is None or tasks is None or not is_allowed_address(url, self._terms.receipt_addresses):
            return Response(status=200, headers=mdn.headers, body=mdn.body)

        def sent(_: Instant) -> None:
            tasks.start_soon(self._post, url, mdn)

        # Never before the response: the gateway would know it all the same, other products would not.
        return Response(status=200, on_sent=sent)

    async def _post(self, url: str, mdn: Mdn) -> None:
        """One try. Where it fails the gateway sends its message again, and has the receipt posted again."""
        try:
            response = await self._client.request(
                "POST", url, mdn.headers, mdn.body, tls=self._account.client_tls, timeout=SEND_SECONDS
            )
        except ClientError as error:
            log.warning("receipt_not_posted", reason=error.reason)
        else:
            log.info("receipt_posted", status=response.status)

    async def _first(self, identity: Identity, request: Request, taker: Taker) -> tuple[Mdn, str]:
        got = receive(identity, request.headers, request.body, self._terms, now=clock.utc(request.last_byte))
        if isinstance(got, Refused):
            return self._mdn(identity, got.disposition, got.mic), str(got.mic or "")
        disposition = await taker(got, identity.message_id, request)
        return self._mdn(identity, disposition, got.mic), str(got.mic)

    def _mdn(self, identity: Identity, disposition: Disposition, mic: Mic | None) -> Mdn:
        return compose_mdn(
            identity,
            disposition,
            mic,
            self._terms,
            message_id=f"<{clock.new_id('R')}@{self._account.name}.example>",
            now=clock.utc(self._now()),
            boundary=secrets.token_hex(16),
        )

    def _about(self, message_id: str, what: str, mic: str, *, received: bool = False) -> About:
        us, them = self._account.name, "gateway"
        sender, recipient = (them, us) if received else (us, them)
        return About(
            sender=sender,
            recipient=recipient,
            channel="as2",
            what=what,
            back="MDN",
            message_id=message_id,
            mic=mic,
            signed_by=sender,
            encrypted_to=recipient,
            back_signed_by=recipient,
        )
