"""The envelope of what is written: who sends it to whom, under which references."""

from datetime import datetime

import msgspec

from ..declaration import DateTime

# UNB and UNH references are an..14, S002 0004 and S003 0010 are an..35 (ISO 9735, annex C).
MAX_REFERENCE = 14
MAX_PARTY = 35


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """Everything of UNB and UNH that is not content; references and time come from outside.

    Raises ValueError where a reference or an identification is empty or too long for its element.
    """

    sender: str
    recipient: str
    reference: str
    prepared: datetime
    test: bool = False
    message_reference: str = "1"
    sender_qualifier: str = ""
    recipient_qualifier: str = ""
    acknowledgement: bool = False

    def __post_init__(self) -> None:
        for name, value, longest in (
            ("sender", self.sender, MAX_PARTY),
            ("recipient", self.recipient, MAX_PARTY),
            ("reference", self.reference, MAX_REFERENCE),
            ("message_reference", self.message_reference, MAX_REFERENCE),
        ):
            if not value or len(value) > longest or not value.isprintable():
                raise ValueError(f"{name} must have 1 to {longest} printable characters")


def date_time(moment: datetime) -> DateTime:
    """A moment as DTM and WCO XML carry it: to the second, format 204."""
    return DateTime(moment.strftime("%Y%m%d%H%M%S"), "204")
