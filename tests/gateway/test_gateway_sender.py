"""One exchange with a peer: what goes out, and every way in which an answer can be understood."""

import dataclasses
import pathlib
import ssl
from collections.abc import Callable, Sequence
from typing import Any

import anyio
import pytest
from msgspec.structs import replace

from tidewaiter.codecs.document import Syntax
from tidewaiter.gateway import clock
from tidewaiter.gateway.as2 import Disposition, Terms, compose_mdn, identify, receive
from tidewaiter.gateway.as2 import Received as As2Received
from tidewaiter.gateway.as2.terms import Receipts
from tidewaiter.gateway.http import (
    BadResponse,
    ClientError,
    ClientResponse,
    ConnectFailed,
    Headers,
    PeerClosed,
    RequestTimeout,
)
from tidewaiter.gateway.ledger import Receipt, Wire
from tidewaiter.gateway.outcomes import Failure, Mismatched, Received, Transferred
from tidewaiter.gateway.parties import Parties, Party
from tidewaiter.gateway.sandbox.accounts import load_account
from tidewaiter.gateway.sender import POST_SECONDS, SEND_SECONDS, Sender
from tidewaiter.routing.instant import Instant
from tidewaiter.security import fingerprint

pytestmark = pytest.mark.anyio

# 2026-06-02, 12:00 UTC: a day after the keys were made.
NOW = Instant(utc_ns=1_780_401_600 * 10**9, monotonic_ns=5, process="test")
URL = "https://peer.example/in"
REFERENCE = "D0000000000001"
BODY = b"UNB+UNOC:3'UNZ+0+1'"
Fields = Sequence[tuple[str, str]]


class Peer:
    """In place of the client: keeps what it is asked, and gives the one answer it has."""

    def __init__(self) -> None:
        self.status, self.headers, self.body = 202, (), b""  # type: tuple[int, Fields, bytes]
        self.error: ClientError | None = None
        self.asked: list[tuple[str, str, Fields, bytes]] = []
        self.options: dict[str, Any] = {}

    def will(self, status: int, headers: Fields = (), body: bytes = b"") -> None:
        self.status, self.headers, self.body = status, headers, body

    async def request(
        self, method: str, url: str, headers: Fields, body: bytes, **options: Any
    ) -> ClientResponse:
        self.asked.append((method, url, headers, body))
        self.options = options
        if self.error is not None:
            raise self.error
        fields = Headers((name.lower().encode(), value.encode()) for name, value in self.headers)
        return ClientResponse(status=self.status, headers=fields, body=self.body, sent=NOW, received=NOW)


@pytest.fixture
def peer() -> Peer:
    return Peer()


@pytest.fixture
def tls() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@pytest.fixture
def sender(peer: Peer, tls: ssl.SSLContext) -> Sender:
    contexts = {"health": tls}
    return Sender(peer, "gateway.example", contexts, lambda: NOW, lambda: "b" * 32)  # type: ignore[arg-type]


@pytest.fixture
def health(parties: Parties) -> Party:
    return parties.agencies["health"]


@pytest.fixture
def customs(parties: Parties) -> Party:
    return parties.agencies["customs"]


@pytest.fixture(scope="module")
def theirs(starter: pathlib.Path) -> Terms:
    """The agreement as customs has it."""
    terms = load_account(starter, "customs").terms
    assert terms is not None
    return terms


def over_https(sender: Sender, health: Party) -> Wire:
    return sender.compose(REFERENCE, b"<a/>", Syntax.XML, health, url=URL, as2=False)


def over_as2(sender: Sender, customs: Party) -> Wire:
    return sender.compose(REFERENCE, BODY, Syntax.EDIFACT, customs, url=URL, as2=True)


@pytest.mark.parametrize("syntax", list(Syntax))
def test_over_https_the_reference_is_the_name(sender: Sender, health: Party, syntax: Syntax) -> None:
    wire = sender.compose(REFERENCE, BODY, syntax, health, url=URL, as2=False)
    assert wire == Wire(
        message_id=REFERENCE,
        url=URL,
        headers=(
            ("Content-Type", syntax.media_type),
            ("Idempotency-Key", REFERENCE),
            ("Tidewaiter-Delivery", REFERENCE),
        ),
        body=BODY,
    )


@pytest.mark.parametrize(("syntax", "end"), [(Syntax.EDIFACT, "edi"), (Syntax.XML, "xml")])
def test_over_as2_the_reference_is_the_message_id(
    sender: Sender, customs: Party, theirs: Terms, syntax: Syntax, end: str
) -> None:
    """Signed and encrypted; the MIC we keep is the one the receiver works out."""
    wire = sender.compose(REFERENCE, BODY, syntax, customs, url=URL, as2=True)
    assert (wire.message_id, wire.url) == (f"<{REFERENCE}@gateway.example>", URL)
    assert BODY not in wire.body
    fields = [(name.lower().encode(), value.encode()) for name, value in wire.headers]
    got = receive(identify(fields), fields, wire.body, theirs, now=clock.utc(NOW))
    assert isinstance(got, As2Received)
    assert (got.payload, got.content_type, got.filename) == (BODY, syntax.media_type, f"{REFERENCE}.{end}")
    assert (got.signed, got.encrypted, str(got.mic)) == (True, True, wire.mic)
    assert ("AS2-From", "TIDEWAITER") in wire.headers
    assert ("AS2-To", "CUSTOMS") in wire.headers


async def test_what_is_sent_is_the_wire(
    sender: Sender, peer: Peer, health: Party, tls: ssl.SSLContext
) -> None:
    """To the address in force, over the TLS of this peer and no other, within the time agreed."""
    wire = over_https(sender, health)
    assert await sender.send(wire, health, url="https://new.example/in", as2=False) == Received()
    assert peer.asked == [("POST", "https://new.example/in", wire.headers, wire.body)]
    assert peer.options == {"tls": tls, "timeout": SEND_SECONDS, "chunked": False}


async def test_a_peer_without_a_context_gets_none(sender: Sender, peer: Peer, customs: Party) -> None:
    await sender.send(over_as2(sender, customs), customs, url=URL, as2=True)
    assert peer.options["tls"] is None


@pytest.mark.parametrize("kind", [ConnectFailed, PeerClosed, RequestTimeout, BadResponse])
@pytest.mark.parametrize("sent", [True, False])
async def test_no_answer_is_a_failure_that_is_tried_again(
    sender: Sender, peer: Peer, health: Party, kind: type[ClientError], sent: bool
) -> None:
    """Also where it may have been taken: it is sent again under the same name."""
    peer.error = kind("gone", sent=sent)
    result = await sender.send(over_https(sender, health), health, url=URL, as2=False)
    assert result == Failure(reason="gone")


@pytest.mark.parametrize(
    ("status", "poison"),
    [
        *((status, True) for status in (400, 409, 410, 413, 415, 422, 451)),
        *((status, False) for status in (401, 403, 404, 405, 407, 408, 425, 429)),
        *((status, False) for status in (301, 304, 500, 501, 503, 599)),
    ],
)
@pytest.mark.parametrize("as2", [True, False])
async def test_a_status_that_is_no_success(
    sender: Sender, peer: Peer, health: Party, customs: Party, as2: bool, status: int, poison: bool
) -> None:
    """Whatever the body says: an MDN with 500 is a 500."""
    peer.will(status, (("Content-Type", "application/xml"),), b"<a/>")
    party, wire = (customs, over_as2(sender, customs)) if as2 else (health, over_https(sender, health))
    result = await sender.send(wire, party, url=URL, as2=as2)
    assert result == Failure(reason=f"HTTP {status}", poison=poison, final=poison and as2)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        ("9" * 400, float("inf")),
        ("Tue, 02 Jun 2026 12:00:30 GMT", 30.0),
        ("Tue, 02 Jun 2026 14:00:30 +0200", 30.0),
        ("Tue, 02 Jun 2026 11:00:00 GMT", 0.0),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("Tue, 02 Jun 2026 12:00:30", None),
        ("Tue, 02 Jun 2026 12:00:30 +99999999999999999999", None),
        ("Tue, 99 Jun 2026 12:00:30 GMT", None),
        ("\xb2", None),
        ("", None),
    ],
)
async def test_when_the_peer_asks_to_be_asked_again(
    sender: Sender, peer: Peer, health: Party, value: str, seconds: float | None
) -> None:
    """RFC 9110 10.2.3: seconds or a date. What is neither counts as not said, and never as our own fault."""
    peer.will(503, (("Retry-After", value),))
    result = await sender.send(over_https(sender, health), health, url=URL, as2=False)
    assert result == Failure(reason="HTTP 503", retry_after=seconds)


@pytest.mark.parametrize(
    ("status", "media_type", "body", "answer"),
    [
        (200, "application/xml", b"<r/>", True),
        (200, "Application/XML; charset=utf-8", b"<r/>", True),
        (200, "application/edifact", b"UNB", True),
        (200, "application/xml", b"", False),
        (200, "application/json", b"{}", False),
        (200, "text/html", b"<r/>", False),
        (200, "", b"<r/>", False),
        (200, "text/xml", b"<r/>", True),
        (200, "", b'<?xml version="1.0"?><md:MetaData xmlns:md="u">', True),
        (200, "text/plain", b"\xef\xbb\xbfUNA:+.? 'UNB+", True),
        (200, "text/plain", b"UNABLE", False),
        (200, "text/plain", b" ", False),
        (202, "application/xml", b"<r/>", False),
        (204, "", b"", False),
    ],
)
async def test_a_document_in_a_200_may_be_the_answer(
    sender: Sender, peer: Peer, health: Party, status: int, media_type: str, body: bytes, answer: bool
) -> None:
    """202 says that the answer comes later: its body is none."""
    peer.will(status, (("Content-Type", media_type),) if media_type else (), body)
    result = await sender.send(over_https(sender, health), health, url=URL, as2=False)
    assert result == (Received(answer=body, answer_type=media_type) if answer else Received())


def receipt(
    wire: Wire, terms: Terms, disposition: Disposition, *, original: str = "", tampered: bool = False
) -> tuple[Fields, bytes]:
    """The MDN of the other side over what `wire` holds, or over another message."""
    fields = [(name.lower().encode(), value.encode()) for name, value in wire.headers]
    got = receive(identify(fields), fields, wire.body, terms, now=clock.utc(NOW))
    assert isinstance(got, As2Received)
    if original:
        fields = [(name, original.encode() if name == b"message-id" else value) for name, value in fields]
    mdn = compose_mdn(
        identify(fields),
        disposition,
        got.mic,
        terms,
        message_id="<r@customs>",
        now=clock.utc(NOW),
        boundary="m" * 24,
    )
    return mdn.headers, mdn.body.replace(b"Final-Recipient", b"final-Recipient", 1) if tampered else mdn.body


@pytest.mark.parametrize("status", [200, 202])
@pytest.mark.parametrize("disposition", [Disposition.PROCESSED, Disposition.DUPLICATE_DOCUMENT])
async def test_a_signed_receipt_over_our_mic_is_success(
    sender: Sender, peer: Peer, customs: Party, theirs: Terms, disposition: Disposition, status: int
) -> None:
    """A warning too: the duplicate is the try whose receipt was lost. The receipt is kept as it came."""
    wire = over_as2(sender, customs)
    peer.will(status, *receipt(wire, theirs, disposition))
    result = await sender.send(wire, customs, url=URL, as2=True)
    assert isinstance(result, Received)
    assert result.mdn is not None
    assert (result.mdn.body, result.mdn.disposition) == (peer.body, disposition.text)
    assert result.mdn.headers == tuple((name.lower(), value) for name, value in peer.headers)
    assert result.mdn.signer == fingerprint(theirs.signer.certificate)


@pytest.mark.parametrize(
    "disposition",
    [Disposition.DECRYPTION_FAILED, Disposition.UNEXPECTED_PROCESSING_ERROR, Disposition.UNSUPPORTED_FORMAT],
)
async def test_a_negative_receipt_is_about_this_message(
    sender: Sender, peer: Peer, customs: Party, theirs: Terms, disposition: Disposition
) -> None:
    wire = over_as2(sender, customs)
    peer.will(200, *receipt(wire, theirs, disposition))
    result = await sender.send(wire, customs, url=URL, as2=True)
    assert isinstance(result, Failure)
    troubled = disposition is Disposition.UNEXPECTED_PROCESSING_ERROR
    assert (result.poison, result.final, result.alarm) == (not troubled, not troubled, False)
    assert result.troubled is troubled
    assert disposition.token in result.reason
    assert result.mdn is not None


async def test_a_receipt_that_was_changed_is_an_alarm(
    sender: Sender, peer: Peer, customs: Party, theirs: Terms
) -> None:
    wire = over_as2(sender, customs)
    peer.will(200, *receipt(wire, theirs, Disposition.PROCESSED, tampered=True))
    result = await sender.send(wire, customs, url=URL, as2=True)
    assert isinstance(result, Failure)
    assert (result.poison, result.alarm) == (False, True)
    assert result.reason.startswith("MDN unverified")


async def test_a_receipt_for_other_octets_is_an_alarm(
    sender: Sender, peer: Peer, customs: Party, theirs: Terms
) -> None:
    wire = over_as2(sender, customs)
    other = sender.compose(REFERENCE, b"other", Syntax.EDIFACT, customs, url=URL, as2=True)
    peer.will(200, *receipt(other, theirs, Disposition.PROCESSED))
    result = await sender.send(wire, customs, url=URL, as2=True)
    assert isinstance(result, Mismatched)
    assert result.reason.startswith("MDN mic-mismatch")
    assert result.mdn is not None


async def test_a_receipt_for_another_message_is_an_alarm(
    sender: Sender, peer: Peer, customs: Party, theirs: Terms
) -> None:
    wire = over_as2(sender, customs)
    peer.will(200, *receipt(wire, theirs, Disposition.PROCESSED, original="<other@gateway.example>"))
    result = await sender.send(wire, customs, url=URL, as2=True)
    assert isinstance(result, Failure)
    assert (result.poison, result.alarm) == (False, True)
    assert result.reason.startswith("MDN wrong-message")


@pytest.mark.parametrize("body", [b"", b"ok", b"\x00\xff" * 50, b"Content-Type: multipart/report\r\n\r\n"])
async def test_a_200_without_a_receipt_is_no_success(
    sender: Sender, peer: Peer, customs: Party, body: bytes
) -> None:
    """The same bytes go again: nothing says that they were taken, nothing that they were refused."""
    wire = over_as2(sender, customs)
    peer.will(200, (("Content-Type", "text/plain"),), body)
    result = await sender.send(wire, customs, url=URL, as2=True)
    assert isinstance(result, Failure)
    assert (result.poison, result.alarm) == (False, False)
    assert result.reason.startswith("MDN missing")


async def test_a_document_in_an_as2_response_is_no_answer(
    sender: Sender, peer: Peer, customs: Party, theirs: Terms, make_cusres: Callable[..., bytes]
) -> None:
    """Over AS2 the response is the receipt; an answer comes as a message of its own."""
    wire = over_as2(sender, customs)
    peer.will(200, (("Content-Type", "application/edifact"),), make_cusres(REFERENCE, "08"))
    result = await sender.send(wire, customs, url=URL, as2=True)
    assert isinstance(result, Failure)
    assert result.reason.startswith("MDN missing")


def agreed(customs: Party, terms: dict[str, Any], **settings: Any) -> Party:
    """Customs with another agreement."""
    assert customs.terms is not None
    assert customs.settings.as2 is not None
    as2 = replace(customs.settings.as2, **settings)
    return customs._replace(
        terms=dataclasses.replace(customs.terms, **terms), settings=replace(customs.settings, as2=as2)
    )


async def test_a_receipt_that_comes_by_itself_is_no_failure(
    sender: Sender, peer: Peer, customs: Party, theirs: Terms
) -> None:
    party = agreed(customs, {"receipts": Receipts.ASYNC, "receipt_url": "https://ours.example/as2"})
    wire = over_as2(sender, party)
    assert ("Receipt-Delivery-Option", "https://ours.example/as2") in wire.headers
    for status, body in ((200, b""), (202, b"thanks"), (204, b"")):
        peer.will(status, (), body)
        assert await sender.send(wire, party, url=URL, as2=True) == Transferred()
    theirs = dataclasses.replace(theirs, receipt_addresses=("https://ours.example",))
    peer.will(200, *receipt(wire, theirs, Disposition.PROCESSED))
    assert isinstance(await sender.send(wire, party, url=URL, as2=True), Received)
    peer.will(200, *receipt(wire, theirs, Disposition.PROCESSED, tampered=True))
    result = await sender.send(wire, party, url=URL, as2=True)
    assert isinstance(result, Failure)
    assert result.alarm


async def test_where_no_receipt_is_agreed_a_2xx_is_all(sender: Sender, peer: Peer, customs: Party) -> None:
    party = agreed(customs, {"receipts": Receipts.NONE})
    wire = over_as2(sender, party)
    peer.will(200, (("Content-Type", "text/html"),), b"<p>thanks")
    assert await sender.send(wire, party, url=URL, as2=True) == Received()
    peer.will(503)
    assert isinstance(await sender.send(wire, party, url=URL, as2=True), Failure)


async def test_chunked_by_agreement(sender: Sender, peer: Peer, customs: Party) -> None:
    party = agreed(customs, {}, chunked=True)
    await sender.send(over_as2(sender, party), party, url=URL, as2=True)
    assert peer.options["chunked"]


async def test_a_receipt_is_posted_to_the_address_that_was_looked_at(
    peer: Peer, tls: ssl.SSLContext, customs: Party
) -> None:
    async def resolver(host: str, port: int) -> list[str]:
        return ["198.41.0.4"]

    sender = Sender(peer, "gateway.example", {"customs": tls}, lambda: NOW, resolver=resolver)  # type: ignore[arg-type]
    mdn = Receipt(status=200, headers=(("AS2-From", "US"),), body=b"mdn")
    peer.will(202, (), b"anything")
    assert await sender.post(mdn, customs, url=URL) == Transferred()
    assert peer.asked == [("POST", URL, mdn.headers, mdn.body)]
    assert peer.options == {
        "tls": tls,
        "timeout": POST_SECONDS,
        "address": "198.41.0.4",
        "chunked": False,
    }
    peer.will(503, (("Retry-After", "7"),), b"secret")
    assert await sender.post(mdn, customs, url=URL) == Failure(reason="HTTP 503", retry_after=7)
    peer.will(410)
    assert await sender.post(mdn, customs, url=URL) == Failure(reason="HTTP 410", poison=True, final=True)
    peer.error = PeerClosed("gone", sent=True)
    assert await sender.post(mdn, customs, url=URL) == Failure(reason="gone")


async def test_a_name_that_does_not_resolve_in_time(
    peer: Peer, customs: Party, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def resolver(host: str, port: int) -> list[str]:
        await anyio.sleep_forever()
        raise AssertionError

    monkeypatch.setattr("tidewaiter.gateway.sender.POST_SECONDS", 0)
    sender = Sender(peer, "gateway.example", {}, lambda: NOW, resolver=resolver)  # type: ignore[arg-type]
    result = await sender.post(Receipt(status=200, headers=(), body=b"mdn"), customs, url=URL)
    assert result == Failure(reason="the name did not resolve in time")
    assert peer.asked == []
