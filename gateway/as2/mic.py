"""The message integrity check: one digest over what was sent, computed on both sides and compared."""

import binascii
from typing import NamedTuple

from ...security import Digest


class Mic(NamedTuple):
    """A MIC as in Received-Content-MIC: base64 `value` and the digest it was made with."""

    value: str
    digest: Digest

    @classmethod
    def over(cls, data: bytes | memoryview, digest: Digest) -> "Mic":
        """The MIC of `data`."""
        return cls.of_digest(digest.new(data).digest(), digest)

    @classmethod
    def of_digest(cls, value: bytes, digest: Digest) -> "Mic":
        """The MIC whose digest value is already known."""
        return cls(binascii.b2a_base64(value, newline=False).decode("ascii"), digest)

    @classmethod
    def of_value(cls, value: str) -> "Mic | None":
        """The MIC of this base64 `value`, as it was kept: each digest has a length of its own."""
        octets = _value(value) or b""
        return next((cls(value, digest) for digest in Digest if digest.size == len(octets)), None)

    def __str__(self) -> str:
        return f"{self.value}, {self.digest.micalg}"


def same_mic(sent: Mic | str, returned: str) -> bool:
    """True if two MIC texts hold the same digest value. Only the value is compared: the algorithm is spelled
    in many ways, the space after the comma may be missing, and a long value may have been folded.
    """
    ours, theirs = _value(str(sent)), _value(returned)
    return ours is not None and ours == theirs


def _value(text: str) -> bytes | None:
    encoded = "".join(text.partition(",")[0].split())
    try:
        return binascii.a2b_base64(encoded.encode("ascii"), strict_mode=True) or None
    except (binascii.Error, UnicodeEncodeError):
        return None
