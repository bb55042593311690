"""Who sends what to whom, and which receipt is wanted: all that the headers of an AS2 message say."""

import re
from collections.abc import Iterable, Mapping

import msgspec

from .disposition import Disposition
from .mime import first_of
from .names import read_name
from .remembering import remembered

# RFC 5322 2.1.1: no line is longer, and the id is echoed on one line.
MAX_MESSAGE_ID = 998
# What a receipt request may list; the known algorithms are four.
MAX_MICALGS = 16

_VERSION = re.compile(r"1\.([0-9]{1,3})")
# From AS2-Version 1.3 on a Message-ID has no spaces; ids of older products are made of names that have them.
_STRICT_MESSAGE_ID = 3
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_SPACE_OR_CONTROL = re.compile(r"[\x00-\x20\x7f]")
_SIGNED_PROTOCOLS = frozenset({"pkcs7-signature", "x-pkcs7-signature", "pkcs7"})
_IMPORTANCES = frozenset({"required", "optional"})


class BadRequest(Exception):  # noqa: N818  the name of the HTTP status
    """The request is no AS2 message: answer `status` with `reason`, which is safe to show, and no receipt."""

    def __init__(self, reason: str, status: int = 400) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status


class ReceiptRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The receipt asked for. `micalgs` are the names as sent, in order of preference."""

    signed: bool = False
    signature_required: bool = False
    micalgs: tuple[str, ...] = ()
    async_url: str | None = None
    unknown_format: bool = False
    """A signed receipt is required in a format that is not S/MIME."""


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """An AS2 message as its headers name it. `as2_from` and `as2_to` are unquoted and compare as they are;
    the `_raw` forms and `message_id` are exactly as received, for the receipt (latin-1, so without loss).
    """

    as2_from: str
    as2_to: str
    as2_from_raw: str
    as2_to_raw: str
    message_id: str
    version: str = "1.0"
    features: tuple[str, ...] = ()
    receipt: ReceiptRequest | None = None

    @property
    def wants_mdn(self) -> bool:
        return self.receipt is not None

    @property
    def wants_signed(self) -> bool:
        return self.receipt is not None and self.receipt.signed

    @property
    def micalgs(self) -> tuple[str, ...]:
        return self.receipt.micalgs if self.receipt else ()

    @property
    def async_url(self) -> str | None:
        """Where the sender would like its receipt posted: not authenticated, so only if the terms allow."""
        return self.receipt.async_url if self.receipt else None

    @property
    def objection(self) -> Disposition | None:
        """What refuses this message by its headers alone, or None."""
        if self.as2_from == self.as2_to:
            return Disposition.SENDER_EQUALS_RECEIVER
        if _SPACE_OR_CONTROL.search(self.message_id) and int(self.version[2:]) >= _STRICT_MESSAGE_ID:
            return Disposition.INVALID_MESSAGE_ID
        if self.receipt is not None and self.receipt.unknown_format:
            return Disposition.UNSUPPORTED_FORMAT
        return None


def identify(headers: Iterable[tuple[bytes, bytes]]) -> Identity:
    """The identity in the HTTP headers of a request; names in any case, the first of each counts.

    Raises BadRequest if AS2-From, AS2-To or Message-ID is missing or cannot be one, or AS2-Version is not
    1.x: without them there is nobody to receipt to, and nothing to know a resend by.
    """
    first = first_of(headers)
    version = _text(first, b"as2-version") if b"as2-version" in first else "1.0"
    if not _VERSION.fullmatch(version):
        raise BadRequest("AS2-Version is not 1.x")
    as2_from_raw, as2_to_raw = _text(first, b"as2-from"), _text(first, b"as2-to")
    message_id = _text(first, b"message-id")
    if not (as2_from_raw and as2_to_raw and message_id) or _CONTROL.search(
        as2_from_raw + as2_to_raw + message_id
    ):
        raise _unnamed(((as2_from_raw, "AS2-From"), (as2_to_raw, "AS2-To"), (message_id, "Message-ID")))
    if len(message_id) > MAX_MESSAGE_ID or message_id == "<>":
        raise BadRequest(f"Message-ID is empty or longer than {MAX_MESSAGE_ID}")
    return Identity(
        as2_from=_name(as2_from_raw, "AS2-From"),
        as2_to=_name(as2_to_raw, "AS2-To"),
        as2_from_raw=as2_from_raw,
        as2_to_raw=as2_to_raw,
        message_id=message_id,
        version=version,
        features=_features(_text(first, b"ediint-features")),
        receipt=_receipt(first),
    )


def _text(first: Mapping[bytes, bytes], name: bytes) -> str:
    """The value of a header; empty where it is missing."""
    return first.get(name, b"").decode("latin-1").strip(" \t")


def _unnamed(named: Iterable[tuple[str, str]]) -> BadRequest:
    """Which of the three that name a message is missing, or cannot be echoed."""
    wrong = next((value, name) for value, name in named if not value or _CONTROL.search(value))
    return BadRequest(f"{wrong[1]} " + ("holds a control character" if wrong[0] else "is missing"))


@remembered
def _features(value: str) -> tuple[str, ...]:
    return tuple(feature.strip() for feature in value.split(",") if feature.strip())


def _name(value: str, header: str) -> str:
    try:
        return read_name(value)
    except ValueError as error:
        raise BadRequest(f"{header}: {error}") from None


def _receipt(first: Mapping[bytes, bytes]) -> ReceiptRequest | None:
    """RFC 4130 7.3. Disposition-Notification-To is only a flag: its value is not read at all."""
    if b"disposition-notification-to" not in first:
        return None
    request = _requested(_text(first, b"disposition-notification-options"))
    if async_url := _text(first, b"receipt-delivery-option"):
        return msgspec.structs.replace(request, async_url=async_url)
    return request


@remembered
def _requested(value: str) -> ReceiptRequest:
    options = _options(value)
    importance, protocols = options.get("signed-receipt-protocol", ("", ()))
    _, micalgs = options.get("signed-receipt-micalg", ("", ()))
    is_smime = any(protocol.lower() in _SIGNED_PROTOCOLS for protocol in protocols)
    return ReceiptRequest(
        # A MIC algorithm without a protocol: some products leave the protocol out, there being one only.
        signed=is_smime or (not protocols and bool(micalgs)),
        signature_required=importance == "required",
        micalgs=micalgs[:MAX_MICALGS],
        unknown_format=bool(protocols) and not is_smime and importance == "required",
    )


def _options(value: str) -> dict[str, tuple[str, tuple[str, ...]]]:
    """`attribute=importance, value, value; ...` as importance and values by attribute (RFC 4130 7.3)."""
    options: dict[str, tuple[str, tuple[str, ...]]] = {}
    for option in value.split(";"):
        attribute, _, rest = option.partition("=")
        values = [item.strip(' \t"') for item in rest.split(",")]
        importance = values.pop(0).lower() if values[0].lower() in _IMPORTANCES else ""
        options.setdefault(attribute.strip().lower(), (importance, tuple(item for item in values if item)))
    return options
