"""Commands on files: `validate`, `read`. They need no configuration and no running gateway."""

import pathlib
import sys
from typing import TYPE_CHECKING, Any

import msgspec

from ...codecs.document import Kind, Reader, Reading, Syntax
from ...codecs.errors import DirectoryError
from ...codecs.finding import Finding, XmlPointer
from .. import resources
from ..finding_view import finding_line, finding_view
from ..home import home
from .intake import FileError, Intake, taken_in
from .outcome import Outcome

if TYPE_CHECKING:
    # XML is read without the other codec, which is imported with the first interchange.
    from .check import Checked

_Report = dict[str, Any]


def validate(names: list[str], *, as_json: bool, utf8: bool = False) -> int:
    """Print the findings of each file (`-`: standard input). 0: valid, 1: not valid, 2: cannot be read.

    A file is read message by message, and of its findings the first are told. With `utf8`, EDIFACT in UTF-8
    is read whatever UNB declares."""
    reader = resources.reader(folder=home())
    worst = Outcome.VALID
    report: list[_Report] = []
    for name in names:
        try:
            with taken_in(name) as intake:
                outcome, view = _validated(name, intake, reader, utf8=utf8, as_json=as_json)
        except FileError as error:
            sys.stderr.write(f"{error}\n")
            outcome = Outcome.UNREADABLE
            view = {"file": name, "result": outcome.word, "documents": [], "findings": []}
        except DirectoryError as error:
            return _unusable(error)
        worst = max(worst, outcome)
        report.append(view)
    if as_json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(report)).decode() + "\n")
    return worst


def _validated(
    name: str, intake: Intake, reader: Reader, *, utf8: bool, as_json: bool
) -> tuple[Outcome, _Report]:
    """What a file comes to, printed unless it goes into the JSON report."""
    if intake.syntax is Syntax.XML:
        reading = reader.read(b"".join(intake.pieces))
        if not as_json:
            _print(name, reading)
        return _code(reading), _json(name, reading) if as_json else {}
    from ...codecs.edifact import Profile
    from .check import check, outcome_of, word_of

    checked = check(intake.pieces, reader, Profile(utf8=utf8))
    outcome, word = outcome_of(checked), word_of(checked)
    if as_json:
        return outcome, _json_interchanges(name, word, checked)
    if len(checked) == 1:
        sys.stdout.write(f"{name}: {word} ({checked[0].kinds})\n")
        _print_findings(checked[0], "  ")
        return outcome, {}
    sys.stdout.write(f"{name}: {word} ({len(checked):,} interchanges)\n")
    for each in checked:
        sys.stdout.write(f"  {each.title}: {each.word} ({each.kinds})\n")
        _print_findings(each, "    ")
    return outcome, {}


def _print_findings(checked: "Checked", indent: str) -> None:
    _print_lines(checked.findings, indent)
    if checked.more:
        sys.stdout.write(f"{indent}and {checked.more:,} more findings\n")


def _print_lines(findings: tuple[Finding, ...], indent: str) -> None:
    for finding in findings:
        sys.stdout.write(f"{indent}{finding_line(finding_view(finding))}\n")


def _json_interchanges(name: str, word: str, checked: "list[Checked]") -> _Report:
    return {
        "file": name,
        "result": word,
        "documents": [document for each in checked for document in each.documents],
        "findings": [finding_view(finding) for each in checked for finding in each.findings],
        "more": sum(each.more for each in checked),
        "interchanges": [each.view() for each in checked],
    }


def read(name: str, *, out: str | None = None) -> int:
    """Print the canonical JSON of what a file holds; findings go to standard error."""
    data = _bytes_of(name)
    if data is None:
        return Outcome.UNREADABLE
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
        return Outcome.UNREADABLE
    for finding in reading.all_findings:
        sys.stderr.write(f"{name}: {finding}\n")
    return Outcome.UNREADABLE if not documents else _code(reading)


def _unusable(error: DirectoryError) -> int:
    """A table that the operator added, and something changed."""
    sys.stderr.write(f"tidewaiter: {error}; add the release again: tidewaiter directory add\n")
    return Outcome.UNREADABLE


def _bytes_of(name: str) -> bytes | None:
    try:
        with taken_in(name) as intake:
            return b"".join(intake.pieces)
    except FileError as error:
        sys.stderr.write(f"{error}\n")
        return None


def _written(name: str, text: str) -> bool:
    try:
        pathlib.Path(name).write_text(text, encoding="utf-8")
    except OSError as error:
        sys.stderr.write(f"{name}: {error.strerror or error}\n")
        return False
    return True


def _code(reading: Reading) -> Outcome:
    if reading.valid:
        return Outcome.VALID
    known = any(document.kind is not Kind.UNKNOWN for document in reading.documents)
    return Outcome.INVALID if known or _points_inside(reading) else Outcome.UNREADABLE


def _points_inside(reading: Reading) -> bool:
    """XML was read if a finding points at one of its elements, even where no declaration was found in it."""
    pointers = (finding.pointer for finding in reading.findings)
    return any(isinstance(pointer, XmlPointer) and pointer.xpath != "/" for pointer in pointers)


def _print(name: str, reading: Reading) -> None:
    kinds = ", ".join(document.name for document in reading.documents) or "nothing that can be read"
    sys.stdout.write(f"{name}: {_code(reading).word} ({kinds})\n")
    _print_lines(reading.all_findings, "  ")


def _json(name: str, reading: Reading) -> _Report:
    return {
        "file": name,
        "result": _code(reading).word,
        "documents": [document.name for document in reading.documents],
        "findings": [finding_view(finding) for finding in reading.all_findings],
    }
