"""Our two ways: a message received and receipted, and a message composed, as the gateway calls them."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from tidewaiter.benchmarks.as2.material import BOUNDARY, MESSAGE_ID, NOW, RECEIPT_ID, Partners, wire
from tidewaiter.codecs.document import EDIFACT_MEDIA_TYPE
from tidewaiter.gateway.as2 import Composed, Mdn, Received, compose, compose_mdn, identify, receive


class RefusedError(Exception):
    """A message of the benchmark was not taken."""


def receiving(partners: Partners, message: Composed) -> Callable[[], tuple[Received, Mdn]]:
    """Who sends, what it holds, and the signed receipt for it. Raises RefusedError if it is refused."""
    headers, body, terms = wire(message), message.body, partners.terms_of_alice()

    def received() -> tuple[Received, Mdn]:
        identity = identify(headers)
        got = receive(identity, headers, body, terms, now=NOW)
        if not isinstance(got, Received):
            raise RefusedError(got.reason)
        mdn = compose_mdn(
            identity, got.disposition, got.mic, terms, message_id=RECEIPT_ID, now=NOW, boundary=BOUNDARY
        )
        return got, mdn

    return received


def composing(partners: Partners, payload: bytes) -> Callable[[], Composed]:
    """`payload` signed and encrypted, with the MIC to hold the receipt against."""
    terms = partners.terms_of_bob()

    def composed() -> Composed:
        return compose(payload, EDIFACT_MEDIA_TYPE, terms, message_id=MESSAGE_ID, now=NOW, boundary=BOUNDARY)

    return composed


def opened(partners: Partners, headers: Mapping[str, str], body: bytes) -> Received:
    """What somebody else composed, opened as alice. Raises RefusedError if it is refused."""
    wired = tuple((name.lower().encode(), value.encode("latin-1")) for name, value in headers.items())
    got = receive(identify(wired), wired, body, partners.terms_of_alice(), now=datetime.now(UTC))
    if not isinstance(got, Received):
        raise RefusedError(got.reason)
    return got
