"""Every disposition of an AS2 receipt, as a table: what is written on the wire and what is read from it.

RFC 4130 7.4.3 and 7.5; the names that it does not define are the field's own or those of its modernisation.
"""

import enum
import re
from dataclasses import dataclass

from .header_values import without_comments

# Enough to recognise what a partner says; its text is never trusted further.
MAX_TEXT = 200


class Outcome(enum.Enum):
    """What a disposition says of the message, whatever its detail."""

    PROCESSED = "processed"
    WARNING = "processed/warning"
    ERROR = "processed/error"
    FAILED = "failed/failure"


class Disposition(enum.Enum):
    """Outcome, token and the sentence a person reads. The sentence is fixed for each: a receipt that varied
    with the cause would be an oracle for what happened inside encryption.
    """

    PROCESSED = (
        Outcome.PROCESSED,
        "",
        "The message was received: its sender is authenticated, its content intact and stored. "
        "This says nothing of the document inside, which is answered on its own.",
    )
    DUPLICATE_DOCUMENT = (Outcome.WARNING, "duplicate-document", "The same message had been received before.")
    AUTHENTICATION_WARNING = (
        Outcome.WARNING,
        "authentication-failed, processing continued",
        "The sender could not be authenticated; the agreement lets processing go on.",
    )
    DECRYPTION_FAILED = (
        Outcome.ERROR,
        "decryption-failed",
        "The message could not be decrypted and verified.",
    )
    INTEGRITY_CHECK_FAILED = (
        Outcome.ERROR,
        "integrity-check-failed",
        "The content is not what was signed.",
    )
    AUTHENTICATION_FAILED = (
        Outcome.ERROR,
        "authentication-failed",
        "The signature is not by a certificate agreed upon and valid now.",
    )
    DECOMPRESSION_FAILED = (
        Outcome.ERROR,
        "decompression-failed",
        "The content could not be decompressed, or is larger than agreed.",
    )
    INSUFFICIENT_MESSAGE_SECURITY = (
        Outcome.ERROR,
        "insufficient-message-security",
        "The message lacks a signature, encryption or an algorithm that the agreement asks for.",
    )
    UNKNOWN_TRADING_PARTNER = (
        Outcome.ERROR,
        "unknown-trading-partner",
        "There is no agreement between the names in AS2-From and AS2-To.",
    )
    INVALID_MESSAGE_ID = (
        Outcome.ERROR,
        "invalid-message-id",
        "The Message-ID holds a space or control character.",
    )
    ILLEGAL_FILENAME = (Outcome.ERROR, "illegal-filename", "The file name cannot be accepted.")
    DUPLICATE_FILENAME = (Outcome.ERROR, "duplicate-filename", "The file name was received before.")
    UNEXPECTED_PROCESSING_ERROR = (
        Outcome.ERROR,
        "unexpected-processing-error",
        "The message could not be processed.",
    )
    SENDER_EQUALS_RECEIVER = (
        Outcome.FAILED,
        "sender-equals-receiver",
        "AS2-From and AS2-To hold the same name.",
    )
    UNSUPPORTED_MIC_ALGORITHMS = (
        Outcome.FAILED,
        "unsupported MIC-algorithms",
        "None of the MIC algorithms asked for is available; the message was not processed.",
    )
    UNSUPPORTED_FORMAT = (
        Outcome.FAILED,
        "unsupported format",
        "A receipt in the format asked for cannot be given; the message was not processed.",
    )
    ASYNCHRONOUS_RECEIPT = (
        Outcome.FAILED,
        "receipt-delivery-option not agreed",
        "A receipt is posted to addresses of the agreement only; the message was not processed.",
    )

    def __init__(self, outcome: Outcome, token: str, sentence: str) -> None:
        self.outcome = outcome
        self.token = token
        self.sentence = sentence
        self.text = f"{outcome.value}: {token}" if token else outcome.value
        """As in the Disposition field after its mode: `processed/error: decryption-failed`."""


@dataclass(frozen=True, slots=True)
class ReadDisposition:
    """A Disposition field as read: `known` is None for a token of the partner's own, kept in `text`."""

    outcome: Outcome
    text: str
    known: Disposition | None


# What other products write for the same thing. One of them misspells its own token; the one on signatures is
# not of any standard; the modernised standard renames two.
_OTHER_SPELLINGS = {
    "decompresion-failed": Disposition.DECOMPRESSION_FAILED,
    "signed-message-required": Disposition.INSUFFICIENT_MESSAGE_SECURITY,
    "unknown-trading-relationship": Disposition.UNKNOWN_TRADING_PARTNER,
    "unsupported-mic-algorithm": Disposition.UNSUPPORTED_MIC_ALGORITHMS,
    "unsupported-mic-algorithms": Disposition.UNSUPPORTED_MIC_ALGORITHMS,
    "unsupported-format": Disposition.UNSUPPORTED_FORMAT,
}
_BY_TOKEN = {member.token.lower(): member for member in Disposition} | _OTHER_SPELLINGS
_OUTCOMES = {
    ("processed", ""): Outcome.PROCESSED,
    ("processed", "warning"): Outcome.WARNING,
    ("processed", "error"): Outcome.ERROR,
    # RFC 8098 3.2.6.2 has "failure" as an extension of any type; a failure is a failure.
    ("processed", "failure"): Outcome.FAILED,
    ("failed", ""): Outcome.FAILED,
    ("failed", "failure"): Outcome.FAILED,
    ("failed", "error"): Outcome.FAILED,
    ("failed", "warning"): Outcome.FAILED,
}
_FIELD = re.compile(
    r"[^;]*;\s*([a-z-]+)\s*(?:/\s*([a-z-]+(?:\s*,\s*(?:error|warning|failure)\b)*)\s*)?(?:[:,=]\s*(.*))?",
    re.IGNORECASE | re.DOTALL,
)
# The worst first.
_SEVERITY = (Outcome.FAILED, Outcome.ERROR, Outcome.WARNING, Outcome.PROCESSED)


def read_disposition(field: str) -> ReadDisposition | None:
    """The value of an unfolded Disposition field in any case and spacing; None if it is not one.

    Of several modifiers (RFC 8098 3.2.6) the worst counts. An outcome that is none of this protocol
    (`displayed`, `deleted`, `processed/superseded`) is None too: it does not say that the message was
    processed.
    """
    match = _FIELD.fullmatch(without_comments(field).strip())
    if not match:
        return None
    kind = match[1].lower()
    modifiers = [modifier.strip().lower() for modifier in (match[2] or "").split(",")]
    token = " ".join((match[3] or "").split())
    outcomes = [_OUTCOMES.get((kind, modifier)) for modifier in modifiers]
    if None in outcomes:
        return None
    outcome = min((each for each in outcomes if each is not None), key=_SEVERITY.index)
    known = _BY_TOKEN.get(token.lower())
    if known is None or known.outcome is not outcome:
        known = None
    text = f"{outcome.value}: {token}" if token else outcome.value
    return ReadDisposition(outcome, text[:MAX_TEXT], known)
