"""Every probe is refused for its own cause and for nothing else, and all have one size and one answer."""

from datetime import UTC, datetime

import pytest

from tidewaiter.benchmarks.as2.material import NOW, Partners, Suite, partners
from tidewaiter.benchmarks.as2.prober import Errors, answered
from tidewaiter.benchmarks.as2.probes import Cause, Probes
from tidewaiter.gateway.as2 import Disposition, Received, Refused, identify, receive

HEADERS = (
    (b"as2-from", b"bob"),
    (b"as2-to", b"alice"),
    (b"message-id", b"<1@bob>"),
    (b"content-type", b"application/pkcs7-mime; smime-type=enveloped-data"),
)
# What the log says, so that no two probes fail for one cause.
REASONS = {
    Cause.PADDING: "cannot be decrypted",
    Cause.KEY_FORM: "cannot be decrypted",
    Cause.OTHER_KEY: "cannot be decrypted",
    Cause.GARBAGE: "",
    Cause.UNSIGNED: "sign",
    Cause.STRANGER: "certificate",
    Cause.TAMPERED: "digest",
    Cause.BOMB: "inflates",
    Cause.TAG: "cannot be decrypted",
}


@pytest.fixture(scope="module")
def both() -> Partners:
    return partners(Suite("probes"))


@pytest.fixture(scope="module")
def probes(both: Partners) -> Probes:
    signer = both.terms_of_bob().signer
    assert signer is not None
    return Probes(both.alice.certificate, signer)


def received(both: Partners, body: bytes) -> Received | Refused:
    return receive(identify(HEADERS), HEADERS, body, both.terms_of_alice(), now=datetime.now(UTC))


@pytest.mark.parametrize("cause", Cause)
def test_each_is_refused_and_concealed(both: Partners, probes: Probes, cause: Cause) -> None:
    body = probes.new(cause)
    got = received(both, body)
    assert isinstance(got, Refused)
    assert (got.disposition, got.mic, got.concealed) == (Disposition.DECRYPTION_FAILED, None, True)
    assert REASONS[cause] in got.reason
    assert len(body) == len(probes.new(Cause.PADDING))


def test_without_a_fault_it_is_received(both: Partners, probes: Probes) -> None:
    assert isinstance(received(both, probes.good()), Received)
    assert NOW.tzinfo is UTC


ANSWER = (
    b"HTTP/1.1 200 OK\r\ndate: %b\r\nMessage-ID: <R1@gateway>\r\nconnection: keep-alive\r\n"
    b'content-type: multipart/signed; boundary="s-1"\r\n\r\n--s-1\r\nDisposition: processed/error: %b\r\n'
    b'--s-1\r\nfilename="smime.p7s"\r\n\r\n%b\r\n--s-1--\r\n'
)


def test_answers_are_compared_without_what_may_differ() -> None:
    one = answered(ANSWER % (b"now", b"decryption-failed", b"MIIa"))
    assert one == answered(ANSWER.replace(b"s-1", b"s-2") % (b"later", b"decryption-failed", b"MIIb+/="))
    assert one != answered(ANSWER % (b"now", b"integrity-check-failed", b"MIIa"))


def test_what_is_no_receipt_stops_the_run() -> None:
    with pytest.raises(Errors, match="503"):
        answered(b"HTTP/1.1 503 Service Unavailable\r\n\r\n")
