"""UN/EDIFACT (ISO 9735): octets to values and values to octets, any message held against its directory;
CUSDEC and CUSRES as the canonical declaration and response, CONTRL and APERAK as values.

`docs/edifact.md` shows how it is used.
"""

from ..errors import DirectoryError
from .acknowledgement.aperak import Aperak, ApplicationError, read_aperak
from .acknowledgement.aperak_writing import write_aperak
from .acknowledgement.contrl import Action, Control, Fault, GroupVerdict, Place, Verdict, owed, requested
from .acknowledgement.reading import read_contrl, reported
from .acknowledgement.writing import write_contrl
from .composer import Composer, compose
from .definition import ComponentUse, ElementUse, Format, SegmentRule
from .directory import Directory, MessageRule
from .envelope import Envelope, date_time
from .interchange import Group, Interchange, Message, Package, Party
from .mapping.cusdec import read_cusdec, write_cusdec
from .mapping.cusres import read_cusres, write_cusres
from .nesting import GroupEnded, GroupStarted
from .outgoing import Heading, MessageName, OutGroup, OutMessage, OutPackage
from .pen import OutSegment, Repeat, segment
from .reader import read_interchange, read_interchanges
from .report import Code
from .rewriter import contents_of, write
from .scanner import Segment
from .service import ServiceString
from .stream import Ended, Event, Started, Stream, read_stream
from .text import Profile
from .validation import Validated, validate

__all__ = [
    "Action",
    "Aperak",
    "ApplicationError",
    "Code",
    "ComponentUse",
    "Composer",
    "Control",
    "Directory",
    "DirectoryError",
    "ElementUse",
    "Ended",
    "Envelope",
    "Event",
    "Fault",
    "Format",
    "Group",
    "GroupEnded",
    "GroupStarted",
    "GroupVerdict",
    "Heading",
    "Interchange",
    "Message",
    "MessageName",
    "MessageRule",
    "OutGroup",
    "OutMessage",
    "OutPackage",
    "OutSegment",
    "Package",
    "Party",
    "Place",
    "Profile",
    "Repeat",
    "Segment",
    "SegmentRule",
    "ServiceString",
    "Started",
    "Stream",
    "Validated",
    "Verdict",
    "compose",
    "contents_of",
    "date_time",
    "owed",
    "read_aperak",
    "read_contrl",
    "read_cusdec",
    "read_cusres",
    "read_interchange",
    "read_interchanges",
    "read_stream",
    "reported",
    "requested",
    "segment",
    "validate",
    "write",
    "write_aperak",
    "write_contrl",
    "write_cusdec",
    "write_cusres",
]
