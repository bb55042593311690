"""Documents of an inspected message as files. A name is made of what a document is and its place in the
message: no name out of a message becomes one of a file."""

import pathlib
from collections.abc import Sequence
from typing import NamedTuple

from ..as2 import Part
from .as2_means import Unusable

_SUFFIXES = {
    "application/edifact": "edi",
    "application/edi-consent": "edi",
    "application/edi-x12": "x12",
    "application/xml": "xml",
    "text/xml": "xml",
    "text/plain": "txt",
    "text/csv": "csv",
    "message/disposition-notification": "txt",
    "application/json": "json",
    "application/pdf": "pdf",
    "application/zip": "zip",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/tiff": "tif",
}
# Where the sender gives no type that is known: how a document begins.
_FIRST = ((b"UNA", "edi"), (b"UNB", "edi"), (b"<", "xml"), (b"%PDF", "pdf"))


class Written(NamedTuple):
    """A document, and the file it was written to; `name` is what its sender calls it."""

    file: str
    name: str
    content_type: str
    octets: int


def write_documents(folder: pathlib.Path, documents: Sequence[Part]) -> list[Written]:
    """Write each document to a new file in `folder`, which is made. Raises Unusable; a file that is there
    already is left as it is."""
    written: list[Written] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number, part in enumerate(documents):
            stem = "document" if number == 0 else f"attachment-{number}"
            file = folder / f"{stem}.{_suffix(part)}"
            with file.open("xb") as target:
                target.write(part.content)
            written.append(Written(str(file), part.filename or "", part.content_type, len(part.content)))
    except OSError as error:
        raise Unusable(f"{error.filename or folder}: {error.strerror}") from None
    return written


def _suffix(part: Part) -> str:
    media_type = part.content_type.partition(";")[0].strip().lower()
    if known := _SUFFIXES.get(media_type):
        return known
    start = part.content[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    return next((suffix for first, suffix in _FIRST if start.startswith(first)), "bin")
