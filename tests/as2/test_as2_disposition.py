"""Dispositions: the words on the wire, and reading everybody else's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidewaiter.gateway.as2 import Disposition, Outcome, read_disposition

MODE = "automatic-action/MDN-sent-automatically; "

WORDS = {
    Disposition.PROCESSED: "processed",
    Disposition.DUPLICATE_DOCUMENT: "processed/warning: duplicate-document",
    Disposition.AUTHENTICATION_WARNING: "processed/warning: authentication-failed, processing continued",
    Disposition.DECRYPTION_FAILED: "processed/error: decryption-failed",
    Disposition.INTEGRITY_CHECK_FAILED: "processed/error: integrity-check-failed",
    Disposition.AUTHENTICATION_FAILED: "processed/error: authentication-failed",
    Disposition.DECOMPRESSION_FAILED: "processed/error: decompression-failed",
    Disposition.INSUFFICIENT_MESSAGE_SECURITY: "processed/error: insufficient-message-security",
    Disposition.UNKNOWN_TRADING_PARTNER: "processed/error: unknown-trading-partner",
    Disposition.INVALID_MESSAGE_ID: "processed/error: invalid-message-id",
    Disposition.ILLEGAL_FILENAME: "processed/error: illegal-filename",
    Disposition.DUPLICATE_FILENAME: "processed/error: duplicate-filename",
    Disposition.UNEXPECTED_PROCESSING_ERROR: "processed/error: unexpected-processing-error",
    Disposition.SENDER_EQUALS_RECEIVER: "failed/failure: sender-equals-receiver",
    Disposition.UNSUPPORTED_MIC_ALGORITHMS: "failed/failure: unsupported MIC-algorithms",
    Disposition.UNSUPPORTED_FORMAT: "failed/failure: unsupported format",
    Disposition.ASYNCHRONOUS_RECEIPT: "failed/failure: receipt-delivery-option not agreed",
}


def test_the_table_is_whole() -> None:
    assert set(WORDS) == set(Disposition)
    assert len({member.text for member in Disposition}) == len(Disposition)


@pytest.mark.parametrize(("member", "words"), WORDS.items())
def test_a_disposition_is_written_and_read(member: Disposition, words: str) -> None:
    assert member.text == words
    read = read_disposition(MODE + words)
    assert read is not None
    assert (read.known, read.outcome, read.text) == (member, member.outcome, words)


@pytest.mark.parametrize(
    ("field", "member"),
    [
        ("automatic-action/MDN-sent-automatically;processed", Disposition.PROCESSED),
        ("Automatic-Action / mdn-sent-automatically ;  PROCESSED ", Disposition.PROCESSED),
        ("manual-action/MDN-sent-manually; processed", Disposition.PROCESSED),
        (MODE + "processed/Error:Decryption-Failed", Disposition.DECRYPTION_FAILED),
        (MODE + "processed / error : \r\n\t decryption-failed", Disposition.DECRYPTION_FAILED),
        (MODE + "processed/error: decompresion-failed", Disposition.DECOMPRESSION_FAILED),
        (MODE + "processed/error: signed-message-required", Disposition.INSUFFICIENT_MESSAGE_SECURITY),
        (MODE + "processed/error: unknown-trading-relationship", Disposition.UNKNOWN_TRADING_PARTNER),
        (MODE + "failed/Failure: unsupported mic-algorithms", Disposition.UNSUPPORTED_MIC_ALGORITHMS),
    ],
)
def test_other_spellings_are_read(field: str, member: Disposition) -> None:
    read = read_disposition(field)
    assert read is not None
    assert read.known is member


@pytest.mark.parametrize(
    ("field", "outcome", "token"),
    [
        ("processed/error", Outcome.ERROR, None),
        ("processed/warning", Outcome.WARNING, None),
        ("failed", Outcome.FAILED, None),
        ("failed/failure: out of paper", Outcome.FAILED, "out of paper"),
        ("failed/failure=as one product: writes it", Outcome.FAILED, "as one product: writes it"),
        ("processed/error: our-own-word", Outcome.ERROR, "our-own-word"),
    ],
)
def test_an_unknown_token_keeps_its_outcome_and_text(field: str, outcome: Outcome, token: str | None) -> None:
    read = read_disposition(MODE + field)
    assert read is not None
    assert (read.known, read.outcome) == (None, outcome)
    assert read.text == outcome.value + ("" if token is None else f": {token}")


def test_a_token_under_another_outcome_is_not_the_known_one() -> None:
    read = read_disposition(MODE + "processed/warning: decryption-failed")
    assert read is not None
    assert (read.known, read.outcome) == (None, Outcome.WARNING)


@pytest.mark.parametrize(
    ("field", "outcome", "text"),
    [
        ("processed/warning,error", Outcome.ERROR, "processed/error"),
        ("processed/warning, error: decryption-failed", Outcome.ERROR, "processed/error: decryption-failed"),
        ("processed/error,warning", Outcome.ERROR, "processed/error"),
        ("processed/warning , failure", Outcome.FAILED, "failed/failure"),
        ("processed (all is well)", Outcome.PROCESSED, "processed"),
        ("processed/error, as one product: writes", Outcome.ERROR, "processed/error: as one product: writes"),
    ],
)
def test_of_several_modifiers_the_worst_counts(field: str, outcome: Outcome, text: str) -> None:
    read = read_disposition(MODE + field)
    assert read is not None
    assert (read.outcome, read.text) == (outcome, text)


@pytest.mark.parametrize(
    "field", ["", "processed", MODE, MODE + "displayed", MODE + "deleted/error", ";;", "; 7"]
)
def test_what_does_not_say_processed_or_failed_says_nothing(field: str) -> None:
    assert read_disposition(field) is None


@given(st.text())
def test_reading_never_raises(field: str) -> None:
    read_disposition(field)
    read_disposition(MODE + "processed/error: " + field)
