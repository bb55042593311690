"""A stored MDN as a proof: who signed it, when, and of which message."""

import pathlib
import re
from datetime import UTC, datetime
from typing import Any, NamedTuple

from cryptography import x509

from ...security import Digest
from ..as2 import MdnKind, Mic, Terms, read_mdn, read_name, same_mic
from ..as2.inspection.messages import GIVEN, NOW, inspect, mic_source, notifications
from ..as2.inspection.stored import NotStored, Stored, read_stored
from ..as2.inspection.values import Inspection, Means
from .as2_means import Unusable, read_keys

MATCHES, ANOTHER, NO_MIC = "matches", "is another one", "is not a MIC"
WITHOUT_MIC = "cannot be told: the receipt has no MIC"
SAME_ID = "the receipt has no MIC; the Message-ID is that of the message"
NOT_THE_PART = (
    "cannot be told: the MIC covers the MIME part, not the file alone: give that, --message or --mic"
)
LOCKED = "cannot be told: the message cannot be opened down to what the MIC is over: give --key"
# What begins with a header is a MIME part.
_PART = re.compile(rb"(?:Content|MIME)-[A-Za-z-]+:", re.IGNORECASE)
# What a believed receipt may say; that the message failed is proven no less.
_REFUSED = frozenset({MdnKind.ERROR, MdnKind.FAILED})
_SAID = frozenset({MdnKind.PROCESSED, MdnKind.WARNING}) | _REFUSED


class Unreadable(Exception):  # noqa: N818  it says what the file is
    """The file is no receipt; the text says why."""


class Sent(NamedTuple):
    """What the receipt is to be compared with: a document or MIME part, a stored request with the keys that
    may open it, or a MIC that was kept."""

    document: bytes | None = None
    message: bytes | None = None
    name: str = ""
    """Of the file the request is from."""
    keys: tuple[pathlib.Path, ...] = ()
    mic: str = ""


def mdn_receipt(
    data: bytes, pinned: tuple[x509.Certificate, ...], sent: Sent, at: datetime | None
) -> dict[str, Any]:
    """What the stored MDN `data` proves, by the certificates `pinned`.

    `verified` is of its signature: that the message was refused (`says`) is proven, too.

    It is judged as of when it says it was signed, which its signature covers; else of its Date; else of `at`;
    else of now. Raises Unreadable.
    """
    stored = _stored(data)
    names = _names(stored)
    inspection = inspect(stored, Means(certificates=pinned), now=datetime.now(UTC))
    moment, dated_by = inspection.at, inspection.dated_by
    if dated_by == NOW and at is not None:
        moment, dated_by = at, GIVEN
    terms = Terms(our_name=names[1], their_name=names[0], their_signing=pinned, sign=False, encrypt=False)
    original = _original(inspection)
    mdn = read_mdn(stored.headers, stored.body, terms, message_id=original, mic=None, now=moment)
    verified = mdn.signed and mdn.kind in _SAID
    told: dict[str, Any] = {
        "kind": "MDN",
        "message": mdn.original_message_id,
        "disposition": mdn.disposition,
        "mic": mdn.mic,
        "verified": verified,
        "judged": f"as of {moment.isoformat()}, by {dated_by}",
    }
    told |= {"signer": mdn.signer} if verified else {"reason": mdn.detail or mdn.kind.value}
    if verified and mdn.kind in _REFUSED:
        told["says"] = f"refused: {mdn.disposition}"
    if sent.mic:
        told["same-mic"] = _compared_mic(sent.mic, mdn.mic)
    if sent.document is not None:
        told["document"] = _compared(sent.document, mdn.mic)
    if sent.message is not None:
        told["document"] = _compared_message(sent, pinned, original, mdn.mic, moment)
    return told


def _stored(data: bytes) -> Stored:
    try:
        return read_stored(data)
    except NotStored:
        raise Unreadable("is neither a JSON receipt nor an MDN with its headers") from None


def _names(stored: Stored) -> tuple[str, str]:
    """Who gives the receipt, and to whom."""
    sender, recipient = stored.header("as2-from"), stored.header("as2-to")
    if not sender and not recipient:
        raise Unreadable("is neither a JSON receipt nor an MDN with its headers")
    try:
        return read_name(sender), read_name(recipient)
    except ValueError as error:
        raise Unreadable(f"has AS2 names that are none: {error}") from None


def _original(inspection: Inspection) -> str:
    """The id the MDN says it is about: whose receipt it is, is what is asked here."""
    receipt = next(notifications(inspection.root), None)
    if receipt is None or not receipt.original_message_id:
        raise Unreadable("is an MDN about no message")
    return receipt.original_message_id


def _digest(mic: str) -> Digest | None:
    return Digest.from_micalg(mic.partition(",")[2].strip() or "sha-256")


def _compared_mic(kept: str, mic: str) -> str:
    """Whether the MIC is the one that was kept."""
    if not same_mic(kept, kept):
        return NO_MIC
    if not mic:
        return WITHOUT_MIC
    return MATCHES if same_mic(kept, mic) else ANOTHER


def _compared(document: bytes, mic: str) -> str:
    """Whether the MIC is over these octets."""
    if not mic:
        return WITHOUT_MIC
    digest = _digest(mic)
    if digest is not None and same_mic(Mic.over(document, digest), mic):
        return MATCHES
    return ANOTHER if _PART.match(document) else NOT_THE_PART


def _compared_message(
    sent: Sent, pinned: tuple[x509.Certificate, ...], original: str, mic: str, moment: datetime
) -> str:
    """Whether the MIC is that of a stored request, which is opened as far as the keys go."""
    assert sent.message is not None
    try:
        stored = read_stored(sent.message)
    except NotStored:
        raise Unusable(f"{sent.name}: is no stored message") from None
    if _bare(stored.header("message-id")) != _bare(original):
        return f"{ANOTHER}: its Message-ID is not the one in the receipt"
    keys, _ = read_keys(sent.keys, pinned)
    if not mic:
        return SAME_ID
    source = mic_source(stored, Means(keys=keys), moment)
    digest = _digest(mic)
    if source is None or digest is None:
        return LOCKED
    return MATCHES if same_mic(Mic.over(source.octets, digest), mic) else ANOTHER


def _bare(message_id: str) -> str:
    return message_id.strip().removeprefix("<").removesuffix(">")
