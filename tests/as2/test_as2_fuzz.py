"""Whatever comes, it is answered: `receive` and `read_mdn` never raise."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tidewaiter.gateway.as2 import MdnResult, Received, Refused, read_mdn
from tidewaiter.gateway.as2.disposition import Disposition

TYPES = (
    "application/pkcs7-mime; smime-type=enveloped-data",
    "application/pkcs7-mime; smime-type=compressed-data",
    "application/pkcs7-mime",
    "multipart/signed; boundary=b1",
    "multipart/signed",
    "multipart/related; boundary=b1",
    "multipart/report; boundary=b1",
    "message/disposition-notification",
    "application/edifact",
    "",
)
PIECES = (
    b"--b1\r\n",
    b"--b1--",
    b"\r\n\r\n",
    b"Content-Type: multipart/signed; boundary=b1\r\n\r\n",
    b"\x30\x80",
    b"MII",
)
FUZZ = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

bodies = st.one_of(
    st.binary(max_size=300),
    st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=20)), max_size=20).map(b"".join),
)


@FUZZ
@given(content_type=st.sampled_from(TYPES), body=bodies, strict=st.booleans())
def test_any_bytes_are_answered(link: Any, content_type: str, body: bytes, strict: bool) -> None:
    headers = {**dict(link.send(encrypt=False).headers), "Content-Type": content_type}.items()
    terms = link.alice(require_signed=strict, require_encrypted=strict)
    result, mdn = link.answer(headers, body, terms)
    assert isinstance(result, Refused if strict else Received | Refused)
    assert mdn.body


@pytest.fixture(scope="module")
def messages(link: Any) -> list[Any]:
    """One of each form."""
    return [
        link.send(),
        link.send(encrypt=False),
        link.send(encrypt=False, compress=True, compress_after_signing=True),
        link.send(sign=False, encrypt=False, compress=True),
    ]


@FUZZ
@given(which=st.integers(0, 3), where=st.floats(0, 1), what=st.binary(max_size=8), cut=st.integers(0, 8))
def test_a_mutated_message_is_refused_or_the_same(
    link: Any, messages: list[Any], which: int, where: float, what: bytes, cut: int
) -> None:
    message = messages[which]
    at = int(where * len(message.body))
    body = message.body[:at] + what + message.body[at + cut :]
    result = link.receive(message.headers, body, link.alice(require_encrypted=False))
    if isinstance(result, Received):
        assert result.signed
        assert result.payload == link.document
    else:
        assert result.disposition is not Disposition.UNEXPECTED_PROCESSING_ERROR


@FUZZ
@given(content_type=st.sampled_from(TYPES), body=bodies)
def test_any_response_is_judged(link: Any, content_type: str, body: bytes) -> None:
    headers = link.wire([("Content-Type", content_type)])
    result = read_mdn(headers, body, link.bob(), message_id="<1@bob>", mic="x", now=link.now)
    assert isinstance(result, MdnResult)


@FUZZ
@given(where=st.floats(0, 1), what=st.binary(max_size=8), cut=st.integers(0, 8))
def test_a_mutated_receipt_is_not_believed_to_say_something_else(
    link: Any, messages: list[Any], where: float, what: bytes, cut: int
) -> None:
    message = messages[0]
    mdn = link.mdn(message.headers, Disposition.DECRYPTION_FAILED, None)
    at = int(where * len(mdn.body))
    result = read_mdn(
        link.wire(mdn.headers),
        mdn.body[:at] + what + mdn.body[at + cut :],
        link.bob(),
        message_id=message.message_id,
        mic=message.mic,
        now=link.now,
    )
    assert not result.signed or result.known is Disposition.DECRYPTION_FAILED
