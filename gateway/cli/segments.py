"""`read --segments`: what a file of interchanges holds, segment by segment, as it is read."""

import contextlib
import pathlib
import sys
from collections.abc import Iterator
from typing import TextIO

from ...codecs.document import Syntax
from ...codecs.edifact import (
    Directory,
    Ended,
    GroupEnded,
    GroupStarted,
    Message,
    Package,
    Profile,
    Started,
)
from ...codecs.errors import DirectoryError
from .. import resources
from ..home import home
from .check import Checked, Step, follow, outcome_of
from .complaint import UNUSABLE, complain
from .intake import FileError, Intake, taken_in
from .outcome import Outcome
from .paint import paint_for
from .segment_places import Places
from .segment_records import Records
from .segment_tree import Tree

Listing = Tree | Records


def list_segments(name: str, *, out: str | None = None, as_json: bool = False, utf8: bool = False) -> int:
    """Print every segment of the interchanges in a file (`-`: standard input), message by message, with its
    place and its findings. The code is that of `validate`."""
    try:
        with taken_in(name) as intake:
            if intake.syntax is Syntax.XML:
                return complain(f"{name}: XML has no segments")
            with _written_to(out) as target:
                listing = Records() if as_json else Tree(paint_for(target))
                return _listed(intake, listing, target, utf8=utf8)
    except FileError as error:
        sys.stderr.write(f"{error}\n")
    except DirectoryError as error:
        complain(f"{error}; add the release again: tidewaiter directory add")
    return UNUSABLE


def _listed(intake: Intake, listing: Listing, target: TextIO, *, utf8: bool) -> Outcome:
    folder = home()
    directory = resources.directory(folder)
    checked: list[Checked] = []
    for step in follow(intake.pieces, resources.reader(folder=folder), Profile(utf8=utf8)):
        if not checked or checked[-1] is not step.checked:
            checked.append(step.checked)
        target.writelines(f"{line}\n" for line in _lines(step, listing, directory))
    target.flush()
    return outcome_of(checked)


def _lines(step: Step, listing: Listing, directory: Directory) -> Iterator[str]:
    """What is printed of one event."""
    event = step.event
    match event:
        case Started():
            return listing.started(event.interchange)
        case GroupStarted():
            return listing.group_started(event.group, event.findings)
        case Message():
            assert step.document is not None
            places = Places(step.checked.interchange, event, directory, step.document.findings)
            return listing.message(event, step.document, places)
        case Package():
            return listing.package(event)
        case GroupEnded():
            return listing.group_ended(event.group, event.findings)
        case Ended():
            return listing.ended(event.interchange)


@contextlib.contextmanager
def _written_to(out: str | None) -> Iterator[TextIO]:
    """The file, or standard output. Raises FileError where the file cannot be written."""
    if out is None:
        yield sys.stdout
        return
    try:
        with pathlib.Path(out).open("w", encoding="utf-8") as file:
            yield file
    except (OSError, ValueError) as error:
        raise FileError(out, error) from error
