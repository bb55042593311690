"""Supporting documents: what came beside a declaration in one AS2 message (RFC 6362).

They are kept with the message, in the transaction that takes it in, and told of in the standing and in the
history of the declaration. An agency gets them with its delivery where its agreement says so, and no other:
who competes for the goods need not see the invoice.

Nothing in them is read, and no name of theirs is a name here. A declaration is delivered once: documents that
follow come with an amendment, and whoever sends them with the same declaration again is told so.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence

from ..codecs.document import Kind, Reading
from ..codecs.finding import Finding
from .as2 import Part
from .ledger import Attached, AttachmentRecord

# Of a header value in the history and in what we send; a media type with its parameters is far shorter.
TYPE_KEPT = 200
UNTYPED = "application/octet-stream"
# A media type as it may stand in a header of ours (RFC 2045 5.1), with any parameters.
_MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+(?:[ \t]*;[\x20-\x7e\t]*)?", re.ASCII)
# What does not stand in a file name that is sent.
_UNWRITTEN = re.compile(r'[^ -~]|["\\]')


def kept(message: str, parts: Iterable[Part]) -> tuple[AttachmentRecord, ...]:
    """`parts` of `message` as they are kept, numbered from 1. How many they are, and how large together, is
    bounded by the limits of a message and of its parts."""
    return tuple(
        AttachmentRecord(
            message=message,
            position=position,
            filename=part.filename,
            content_type=part.content_type,
            digest=hashlib.sha256(part.content).hexdigest(),
            body=part.content,
        )
        for position, part in enumerate(parts, 1)
    )


def attached(record: AttachmentRecord) -> dict[str, str]:
    """What the history says of one."""
    data = {
        "position": str(record.position),
        "content-type": record.content_type[:TYPE_KEPT],
        "octets": str(len(record.body)),
        "sha-256": record.digest,
    }
    return data | ({"filename": record.filename} if record.filename is not None else {})


def attachment_view(one: Attached) -> dict[str, object]:
    """What the standing of a declaration says of one."""
    return {
        "position": one.position,
        "filename": one.filename,
        "content-type": one.content_type,
        "octets": one.octets,
        "sha-256": one.digest,
    }


def belonging(reading: Reading, attachments: Sequence[AttachmentRecord]) -> tuple[Finding, ...]:
    """A finding where it cannot be told which declaration `attachments` support: they came with several."""
    several = sum(document.kind is Kind.DECLARATION for document in reading.documents) > 1
    if not attachments or not several:
        return ()
    text = "supporting documents came with several declarations: send each in a message with its own"
    return (Finding(code="several-declarations", text=text),)


def late(given: Iterable[AttachmentRecord], before: Iterable[AttachmentRecord]) -> tuple[Finding, ...]:
    """A finding where any of `given` did not come with the declaration `before`, when it was lodged."""
    known = {record.digest for record in before}
    if all(record.digest in known for record in given):
        return ()
    text = "this declaration was lodged before without these documents: send them with an amendment"
    return (Finding(code="documents-late", text=text),)


def accompanying(attachments: Iterable[AttachmentRecord]) -> tuple[Part, ...]:
    """`attachments` as they are sent along: no two of one name, none with a type that is none."""
    parts: list[Part] = []
    taken: set[str] = set()
    for record in attachments:
        name = record.filename and _distinct(_UNWRITTEN.sub("_", record.filename), taken)
        given = record.content_type
        media_type = given if len(given) <= TYPE_KEPT and _MEDIA_TYPE.fullmatch(given) else UNTYPED
        parts.append(Part(content=record.body, content_type=media_type, filename=name))
    return tuple(parts)


def _distinct(name: str, taken: set[str]) -> str:
    """`name`, numbered before its suffix if it is `taken`; a receiver may keep them all in one folder."""
    stem, dot, suffix = name.rpartition(".")
    found, number = name, 1
    while found.lower() in taken:
        number += 1
        found = f"{stem}-{number}{dot}{suffix}" if stem else f"{name}-{number}"
    taken.add(found.lower())
    return found
