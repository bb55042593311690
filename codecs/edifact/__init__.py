"""UN/EDIFACT: octets to values and values to octets (ISO 9735, D.96B CUSDEC and CUSRES, CONTRL)."""

from .aperak import Aperak, ApplicationError, read_aperak
from .composer import Composer, compose
from .contrl import Action, Control, Fault, GroupVerdict, Place, Verdict, owed, requested
from .control_read import read_contrl, reported
from .control_write import write_contrl
from .cusdec import read_cusdec, write_cusdec
from .cusres import read_cusres, write_cusres
from .directory import Directory
from .envelope import Envelope, date_time
from .interchange import Group, Interchange, Message, Party
from .outgoing import Heading, MessageName, OutGroup, OutMessage, OutPackage
from .pen import OutSegment, Repeat, segment
from .reader import read_interchange, read_interchanges
from .scanner import RawSegment, Segment, scan
from .service import ServiceString
from .validation import Validated, validate

__all__ = [
    "Action",
    "Aperak",
    "ApplicationError",
    "Composer",
    "Control",
    "Directory",
    "Envelope",
    "Fault",
    "Group",
    "GroupVerdict",
    "Heading",
    "Interchange",
    "Message",
    "MessageName",
    "OutGroup",
    "OutMessage",
    "OutPackage",
    "OutSegment",
    "Party",
    "Place",
    "RawSegment",
    "Repeat",
    "Segment",
    "ServiceString",
    "Validated",
    "Verdict",
    "compose",
    "date_time",
    "owed",
    "read_aperak",
    "read_contrl",
    "read_cusdec",
    "read_cusres",
    "read_interchange",
    "read_interchanges",
    "reported",
    "requested",
    "scan",
    "segment",
    "validate",
    "write_contrl",
    "write_cusdec",
    "write_cusres",
]
