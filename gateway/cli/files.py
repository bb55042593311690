"""Commands on files: `validate`, `read`. They need no configuration and no running gateway."""

import pathlib
import sys

import msgspec

from ...codecs.document import Kind, Reading
from ...codecs.errors import DirectoryError
from ...codecs.finding import XmlPointer
from .. import resources
from ..finding_view import finding_line, finding_view
from ..home import home

VALID, INVALID, UNREADABLE = 0, 1, 2


def validate(names: list[str], *, as_json: bool) -> int:
    """Print the findings of each file (`-`: standard input). 0: valid, 1: not valid, 2: cannot be read."""
    reader = resources.reader(folder=home())
    worst = VALID
    report: list[dict[str, object]] = []
    for name in names:
        data = _bytes_of(name)
        if data is None:
            worst = UNREADABLE
            report.append({"file": name, "result": "unreadable", "documents": [], "findings": []})
            continue
        try:
            reading = reader.read(data)
        except DirectoryError as error:
            return _unusable(error)
        worst = max(worst, _code(reading))
        if as_json:
            report.append(_json(name, reading))
        else:
            _print(name, reading)
    if as_json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(report)).decode() + "\n")
    return worst


def read(name: str, *, out: str | None = None) -> int:
    """Print the canonical JSON of what a file holds; findings go to standard error."""
    data = _bytes_of(name)
    if data is None:
        return UNREADABLE
    try:
        reading = resources.reader(folder=home()).read(data)
    except DirectoryError as error:
        return _unusable(error)
    documents = [
        {
            "kind": document.kind.value,
            "syntax": document.syntax.value,
            "name": document.name,
            "declaration": document.declaration,
            "responses": document.responses,
        }
        for document in reading.documents
    ]
    text = msgspec.json.format(msgspec.json.encode(documents)).decode() + "\n"
    if out is None:
        sys.stdout.write(text)
    elif not _written(out, text):
        return UNREADABLE
    for finding in reading.all_findings:
        sys.stderr.write(f"{name}: {finding}\n")
    return UNREADABLE if not documents else _code(reading)


def _unusable(error: DirectoryError) -> int:
    """A table that the operator added, and something changed."""
    sys.stderr.write(f"tidewaiter: {error}; add the release again: tidewaiter directory add\n")
    return UNREADABLE


def _bytes_of(name: str) -> bytes | None:
    try:
        return sys.stdin.buffer.read() if name == "-" else pathlib.Path(name).read_bytes()
    except OSError as error:
        sys.stderr.write(f"{name}: {error.strerror}\n")
        return None


def _written(name: str, text: str) -> bool:
    try:
        pathlib.Path(name).write_text(text, encoding="utf-8")
    except OSError as error:
        sys.stderr.write(f"{name}: {error.strerror or error}\n")
        return False
    return True


def _code(reading: Reading) -> int:
    if reading.valid:
        return VALID
    known = any(document.kind is not Kind.UNKNOWN for document in reading.documents)
    return INVALID if known or _points_inside(reading) else UNREADABLE


def _points_inside(reading: Reading) -> bool:
    """XML was read if a finding points at one of its elements, even where no declaration was found in it."""
    pointers = (finding.pointer for finding in reading.findings)
    return any(isinstance(pointer, XmlPointer) and pointer.xpath != "/" for pointer in pointers)


def _print(name: str, reading: Reading) -> None:
    kinds = ", ".join(document.name for document in reading.documents) or "nothing that can be read"
    verdict = ("valid", "invalid", "unreadable")[_code(reading)]
    sys.stdout.write(f"{name}: {verdict} ({kinds})\n")
    for finding in reading.all_findings:
        sys.stdout.write(f"  {finding_line(finding_view(finding))}\n")


def _json(name: str, reading: Reading) -> dict[str, object]:
    return {
        "file": name,
        "result": ("valid", "invalid", "unreadable")[_code(reading)],
        "documents": [document.name for document in reading.documents],
        "findings": [finding_view(finding) for finding in reading.all_findings],
    }
