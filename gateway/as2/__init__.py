"""AS2 (RFC 4130) without input and output: bytes and terms in, values and bytes out."""

from .composing import AS2_VERSION, Composed, compose
from .disposition import Disposition, Outcome, ReadDisposition, read_disposition
from .header_values import safe_filename
from .identity import BadRequest, Identity, ReceiptRequest, identify
from .mdn import Mdn, compose_mdn
from .mdn_reading import MdnKind, MdnResult, read_mdn, reported_message
from .message import Received, Refused, receive
from .mic import Mic, same_mic
from .mime import MimeError
from .names import read_name, write_name
from .payload import Part
from .signature import Tolerance
from .terms import Receipts, Terms

__all__ = [
    "AS2_VERSION",
    "BadRequest",
    "Composed",
    "Disposition",
    "Identity",
    "Mdn",
    "MdnKind",
    "MdnResult",
    "Mic",
    "MimeError",
    "Outcome",
    "Part",
    "ReadDisposition",
    "ReceiptRequest",
    "Receipts",
    "Received",
    "Refused",
    "Terms",
    "Tolerance",
    "compose",
    "compose_mdn",
    "identify",
    "read_disposition",
    "read_mdn",
    "read_name",
    "receive",
    "reported_message",
    "safe_filename",
    "same_mic",
    "write_name",
]
