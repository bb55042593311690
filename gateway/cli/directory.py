"""What `directory add`, `directory list` and `directory show` do."""

import os
import pathlib
import sys
import tempfile
from typing import Any

import msgspec

from ...codecs.edifact.directory import Directory, Table, read_table
from ...codecs.edifact.unece import ArchiveError, Compiled, compile_archive
from ...codecs.edifact.unece.archive import MAX_ARCHIVE
from ...codecs.errors import DirectoryError
from .. import resources
from .complaint import complain
from .directory_view import NotHeldError, print_view, view

OK, NOT_FOUND = 0, 1
# So many names are listed; of more, their number.
MAX_LISTED = 12


def add(folder: pathlib.Path, archive: pathlib.Path, only: str, *, as_json: bool) -> int:
    """Compile an archive into `folder`, in place of the same release added before. 2: it is no directory."""
    wanted = [name for name in only.upper().replace(",", " ").split() if name]
    try:
        if archive.stat().st_size > MAX_ARCHIVE:
            return complain(f"{archive}: the archive is larger than {MAX_ARCHIVE >> 20} MB")
        compiled = compile_archive(archive.read_bytes(), wanted or None)
        file = folder / resources.ADDED / f"{compiled.table.directory.lower()}.json"
        dropped = _dropped(file, compiled)
        _write(file, compiled.encode())
        resources.directory_of.cache_clear()
    except ArchiveError as error:
        return complain(f"{archive}: {error}")
    except OSError as error:
        return complain(f"{error.filename or archive}: {error.strerror or error}")
    absent = sorted(set(wanted) - compiled.table.messages.keys() - compiled.left_out.keys())
    report = _report(compiled, file, absent) | {"no-longer-held": dropped}
    if as_json:
        _print_json(report)
    else:
        _print_report(report)
    return OK


def _dropped(file: pathlib.Path, compiled: Compiled) -> list[str]:
    """The messages of the table that is replaced which the new one does not have."""
    try:
        return sorted(read_table(file.read_bytes()).messages.keys() - compiled.table.messages.keys())
    except (FileNotFoundError, DirectoryError):
        return []


def _write(file: pathlib.Path, data: bytes) -> None:
    """All of it or nothing: a gateway may be reading the table that is replaced."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=".", suffix=".new")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
        pathlib.Path(name).chmod(0o644)
        pathlib.Path(name).replace(file)
    except OSError:
        pathlib.Path(name).unlink(missing_ok=True)
        raise


def _report(compiled: Compiled, file: pathlib.Path, absent: list[str]) -> dict[str, Any]:
    table = compiled.table
    return {
        "release": table.directory,
        "file": str(file),
        "messages": sorted(table.messages),
        "segments": len(table.segments),
        "composites": len(table.composites),
        "elements": len(table.elements),
        "code-lists": len(table.codes),
        "ambiguous": list(compiled.ambiguous),
        "interactive": list(compiled.interactive),
        "left-out": dict(compiled.left_out) | dict.fromkeys(absent, "is not in this release"),
    }


def _print_report(report: dict[str, Any]) -> None:
    names = report["messages"]
    listed = f" ({' '.join(names)})" if len(names) <= MAX_LISTED else ""
    out = sys.stdout.write
    out(
        f"{report['release']}: {len(names)} messages{listed}, {report['segments']} segments, "
        f"{report['composites']} composites, {report['elements']} data elements, "
        f"{report['code-lists']} code lists\n"
    )
    if report["ambiguous"]:
        doubted = ", ".join(report["ambiguous"])
        out(f"  {doubted}: some segments could stand in two places; the first is taken\n")
    if report["interactive"]:
        out(f"  {', '.join(report['interactive'])}: left out, interactive messages are not read\n")
    for name, reason in report["left-out"].items():
        out(f"  {name}: left out, {reason}\n")
    if dropped := report["no-longer-held"]:
        names = " ".join(dropped) if len(dropped) <= MAX_LISTED else f"{len(dropped)} messages"
        out(f"  no longer held, since the same release was added before with more: {names}\n")
    out(f"  written to {report['file']}\n")


def list_tables(folder: pathlib.Path, *, as_json: bool) -> int:
    """Print the releases held, oldest first. 2: a table cannot be used; the others are printed."""
    held, unusable = _held(folder)
    order = Directory((table.directory, bytes) for table, _ in held).releases()
    held.sort(key=lambda entry: (order.index(entry[0].directory), entry[1] is not None))
    if as_json:
        _print_json(
            [
                {
                    "release": table.directory,
                    "also": list(table.also),
                    "from": "shipped" if file is None else str(file),
                    "messages": sorted(table.messages),
                }
                for table, file in held
            ]
        )
        return _complain_of(unusable)
    width = max(len(table.directory) for table, _ in held)
    for table, file in held:
        names = sorted(table.messages)
        told = " ".join(names) if len(names) <= MAX_LISTED else f"{len(names)} messages"
        sys.stdout.write(f"{table.directory.ljust(width)}  {told}  ({file or 'shipped'})\n")
    return _complain_of(unusable)


def _complain_of(unusable: list[str]) -> int:
    return max([OK, *(complain(text) for text in unusable)])


def show(folder: pathlib.Path, name: str, *, as_json: bool) -> int:
    """Print what a directory says of a message, segment, composite or data element.

    1: it is not held. 2: a table cannot be used; what the others say is printed.
    """
    held, unusable = _held(folder)
    try:
        found = view(name, [table for table, _ in reversed(held)], resources.directory(folder))
    except NotHeldError as error:
        _complain_of(unusable)
        sys.stderr.write(f"tidewaiter: {error}\n")
        return NOT_FOUND
    except DirectoryError as error:
        return complain(error)
    if as_json:
        _print_json(found)
    else:
        print_view(found)
    return _complain_of(unusable)


def _held(folder: pathlib.Path) -> tuple[list[tuple[Table, pathlib.Path | None]], list[str]]:
    """Every table, with the file of one that was added; and what is wrong with those that cannot be used."""
    shipped = len(resources.tables())
    held: list[tuple[Table, pathlib.Path | None]] = []
    unusable: list[str] = []
    for number, file in enumerate(resources.tables(folder)):
        try:
            table = read_table(file.read_bytes())
        except DirectoryError as error:
            unusable.append(f"{file}: {error}")
        except OSError as error:
            unusable.append(f"{file}: {error.strerror or error}")
        else:
            if table.directory == file.stem.upper():
                held.append((table, file if number >= shipped else None))
            else:
                unusable.append(f"{file}: the table is of {table.directory}, and its name says otherwise")
    return held, unusable


def _print_json(found: object) -> None:
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(found)).decode() + "\n")
