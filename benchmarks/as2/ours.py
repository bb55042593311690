"""Our two ways: a message received and receipted, and a message composed, as the gateway calls them."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from tidewaiter.benchmarks.as2.material import NOW, RECEIPT_ID, Partners, boundary, wire
from tidewaiter.codecs.document import EDIFACT_MEDIA_TYPE
from tidewaiter.gateway.as2 import Composed, Mdn, Received, compose, compose_mdn, identify, receive

# Those of one case: more than its rounds call for.
MESSAGES = 1000


class RefusedError(Exception):
    """A message of the benchmark was not taken."""


def receiving(partners: Partners, messages: Sequence[Composed]) -> Callable[[], tuple[Received, Mdn]]:
    """Who sends, what it holds, and the signed receipt for it: of the next of `messages`, so that nothing of
    one is known from the time before. Raises RefusedError if it is refused."""
    terms = partners.terms_of_alice()
    coming = itertools.cycle([(wire(each), each.body, boundary(n)) for n, each in enumerate(messages)])

    def received() -> tuple[Received, Mdn]:
        headers, body, mark = next(coming)
        identity = identify(headers)
        got = receive(identity, headers, body, terms, now=NOW)
        if not isinstance(got, Received):
            raise RefusedError(got.reason)
        mdn = compose_mdn(
            identity, got.disposition, got.mic, terms, message_id=RECEIPT_ID, now=NOW, boundary=mark
        )
        return got, mdn

    return received


def composing(partners: Partners, payload: bytes) -> Callable[[], Composed]:
    """`payload` signed and encrypted, with the MIC to hold the receipt against."""
    terms = partners.terms_of_bob()
    coming = itertools.cycle([(f"<bench-{n}@bob.example>", boundary(n)) for n in range(MESSAGES)])

    def composed() -> Composed:
        message_id, mark = next(coming)
        return compose(payload, EDIFACT_MEDIA_TYPE, terms, message_id=message_id, now=NOW, boundary=mark)

    return composed


def opened(partners: Partners, headers: Mapping[str, str], body: bytes) -> Received:
    """What somebody else composed, opened as alice. Raises RefusedError if it is refused."""
    wired = tuple((name.lower().encode(), value.encode("latin-1")) for name, value in headers.items())
    got = receive(identify(wired), wired, body, partners.terms_of_alice(), now=datetime.now(UTC))
    if not isinstance(got, Received):
        raise RefusedError(got.reason)
    return got
