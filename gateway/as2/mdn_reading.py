"""Reading a receipt: what a partner says of a message we sent, and whether that can be believed."""

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from ...security import SecurityError
from ...security.cms import ContentType, content_type
from ...security.inspection import carried_content
from . import mime
from .disposition import Disposition, Outcome, ReadDisposition, read_disposition
from .header_values import without_comments
from .mic import Mic, same_mic
from .mime import Entity
from .multipart import split
from .names import read_name
from .signature import Signed, Tolerance, parts_of, verify_detached, verify_opaque
from .terms import Terms

# What a partner's text may put into our log.
MAX_TEXT = 500
# Octets of a notification in which its fields are looked for: real ones have a few hundred. Whether a request
# is a receipt is asked before a name is looked at, and a line of one costs 50 times what reading it costs.
MAX_FIELDS = 64 * 1024
# A receipt signed opaquely; what is longer is not looked into before its sender is known.
MAX_OPAQUE = 1_000_000

_CMS_TYPES = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
_NOTIFICATION = "message/disposition-notification"
_REPORT = "multipart/report"
_ASKS = b"disposition-notification-to"
_OUTERMOST = frozenset({"multipart/signed", _REPORT, _NOTIFICATION})


class MdnKind(enum.Enum):
    """What a response was as a receipt. Only the first two are success; a 2xx with any other is not."""

    PROCESSED = "processed"
    WARNING = "warning"
    """Taken, with a remark: a duplicate, as a rule."""
    ERROR = "error"
    """The partner refuses the message."""
    FAILED = "failed"
    """The partner cannot give the receipt we asked for."""
    UNVERIFIED = "unverified"
    """Not signed as agreed, or by somebody else, or changed on the way: it proves nothing, whatever it
    says.
    """
    MIC_MISMATCH = "mic-mismatch"
    """The partner took something else than we sent, or does not say what: an alarm."""
    WRONG_MESSAGE = "wrong-message"
    """A receipt for another message, or between other names."""
    MISSING = "missing"
    """No receipt in the response: send the same bytes again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MdnResult:
    """What a response says of the message that was sent.

    `disposition` is its text (of the partner's own wording where `known` is None), empty without one;
    `detail` is for our log. The rest is as received; of an UNVERIFIED receipt nothing of it is proven.
    """

    kind: MdnKind
    disposition: str = ""
    known: Disposition | None = None
    detail: str = ""
    mic: str = ""
    original_message_id: str = ""
    message_id: str = ""
    signed: bool = False
    signer: str | None = None
    """Fingerprint of the certificate whose signature holds."""
    tolerances: tuple[Tolerance, ...] = ()


_KINDS = {
    Outcome.PROCESSED: MdnKind.PROCESSED,
    Outcome.WARNING: MdnKind.WARNING,
    Outcome.ERROR: MdnKind.ERROR,
    Outcome.FAILED: MdnKind.FAILED,
}


def reported_message(headers: Iterable[tuple[bytes, bytes]], body: bytes) -> str | None:
    """The Original-Message-ID of a request that is a receipt, empty if it has none; None if it is no receipt.

    Nothing is verified: it says only with what `read_mdn` must be asked. Never raises.
    """
    headers = tuple(headers)
    outer = mime.from_http(headers, body)
    if outer.media_type not in _OUTERMOST | _CMS_TYPES:
        return None
    try:
        report = _carried_report(outer, headers) if outer.media_type in _CMS_TYPES else outer
        if outer.media_type == "multipart/signed":
            report = mime.read_entity(split(outer).parts[0])
        if report is None or report.media_type not in {_REPORT, _NOTIFICATION}:
            return None
        return (_notification(report) or {}).get("original-message-id", "")
    except mime.MimeError:
        return None if outer.media_type == "multipart/signed" else ""


def _carried_report(outer: Entity, headers: Iterable[tuple[bytes, bytes]]) -> Entity | None:
    """The report inside an opaque signature, of which nothing is verified; None if there is none.

    A request that asks for a receipt of its own is a message, and so is what is too long for a receipt.
    """
    if len(outer.body) > MAX_OPAQUE or any(name.lower() == _ASKS for name, _ in headers):
        return None
    try:
        data = mime.decode_cms(outer)
        content = carried_content(data) if content_type(data) is ContentType.SIGNED else None
        report = mime.read_entity(content) if content is not None else None
        return report if report is not None and report.media_type in {_REPORT, _NOTIFICATION} else None
    except (mime.MimeError, SecurityError):
        return None


def read_mdn(
    headers: Iterable[tuple[bytes, bytes]],
    body: bytes,
    terms: Terms,
    *,
    message_id: str,
    mic: Mic | str | None,
    now: datetime,
) -> MdnResult:
    """Judge the response to the message `message_id`, whose MIC was `mic` (None: it was not kept, any will
    do).

    Pure, and never raises for what a peer sends.
    """
    outer = mime.from_http(headers, body)
    try:
        return _read(outer, terms, message_id, mic, now)
    # The border for what nobody foresaw in hostile bytes: a receipt that cannot be read is none.
    except Exception as error:
        detail = str(error) if isinstance(error, mime.MimeError) else type(error).__name__
        return MdnResult(kind=MdnKind.MISSING, detail=detail)


def _read(outer: Entity, terms: Terms, message_id: str, mic: Mic | str | None, now: datetime) -> MdnResult:
    signed, report, refusal = _opened(outer, terms, now)
    fields = _notification(report)
    said = read_disposition(fields.get("disposition", "")) if fields is not None else None
    if fields is None or said is None:
        return MdnResult(kind=MdnKind.MISSING, detail=refusal or "there is no disposition in the response")
    kind, detail = _judge(outer, fields, said, terms, message_id=message_id, mic=mic)
    if refusal is not None:
        kind, detail = MdnKind.UNVERIFIED, refusal
    return MdnResult(
        kind=kind,
        disposition=said.text,
        known=said.known,
        detail=detail[:MAX_TEXT],
        mic=fields.get("received-content-mic", "")[:MAX_TEXT],
        original_message_id=fields.get("original-message-id", ""),
        message_id=outer.headers.get("message-id", ""),
        signed=signed is not None,
        signer=signed.verified.fingerprint if signed else None,
        tolerances=(signed.tolerance,) if signed and signed.tolerance else (),
    )


def _opened(outer: Entity, terms: Terms, now: datetime) -> tuple[Signed | None, Entity, str | None]:
    """Signature, report, and why it proves nothing (None: it is as agreed)."""
    try:
        if outer.media_type == "multipart/signed":
            content, signature, *_ = parts_of(outer)
            try:
                signed = verify_detached(content, signature, terms, now)
            except SecurityError as error:
                return None, mime.read_entity(content), str(error)
        elif outer.media_type in _CMS_TYPES:
            signed = _opaque(mime.decode_cms(outer), terms, now)
        else:
            return None, outer, "the receipt is not signed" if terms.signed_receipts else None
    except SecurityError as error:
        raise mime.MimeError(str(error)) from None
    return signed, mime.read_entity(signed.content), None


def _opaque(data: bytes, terms: Terms, now: datetime) -> Signed:
    if content_type(data) is not ContentType.SIGNED:
        raise mime.MimeError("the response is CMS but not signed")
    return verify_opaque(data, terms, now)


def _notification(report: Entity) -> dict[str, str] | None:
    """The fields of the first disposition notification in a multipart/report; None if there is none."""
    if report.media_type == _NOTIFICATION:
        return _fields(report)
    if not report.media_type.startswith("multipart/"):
        return None
    for part in map(mime.read_entity, split(report).parts):
        if part.media_type == _NOTIFICATION:
            return _fields(part)
    return None


def _fields(notification: Entity) -> dict[str, str]:
    return mime.read_fields(mime.decode(notification)[:MAX_FIELDS])


def _judge(
    outer: Entity,
    fields: dict[str, str],
    said: ReadDisposition,
    terms: Terms,
    *,
    message_id: str,
    mic: Mic | str | None,
) -> tuple[MdnKind, str]:
    """What the receipt means if it is believed, with a detail for the log."""
    original = fields.get("original-message-id", "")
    if _bare_id(original) != _bare_id(message_id):
        return MdnKind.WRONG_MESSAGE, "the receipt is for another message"
    for header, name in (("as2-from", terms.their_name), ("as2-to", terms.our_name)):
        if not _is_name(outer.headers.get(header), name):
            return MdnKind.WRONG_MESSAGE, f"{header} of the receipt is another name"
    kind = _KINDS[said.outcome]
    returned = fields.get("received-content-mic", "")
    if mic is None or kind not in {MdnKind.PROCESSED, MdnKind.WARNING}:
        return kind, ""
    if not returned:
        # RFC 4130 7.3.1: a signed receipt always has it; an unsigned one may leave it out.
        return (MdnKind.MIC_MISMATCH, "the receipt has no MIC") if terms.signed_receipts else (kind, "no MIC")
    if not same_mic(mic, returned):
        return MdnKind.MIC_MISMATCH, "the MIC is not that of the message sent"
    return kind, ""


def _bare_id(message_id: str) -> str:
    """Some products drop or add the angle brackets."""
    return without_comments(message_id).strip().removeprefix("<").removesuffix(">")


def _is_name(value: str | None, name: str) -> bool:
    """True for a header that is absent, as it is in receipts of some products, or names `name`."""
    if value is None:
        return True
    try:
        return read_name(value) == name
    except ValueError:
        return False
