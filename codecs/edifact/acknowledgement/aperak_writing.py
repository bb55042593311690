"""An APERAK to octets: as of D.96B, or of D.01B where it has documents or more references of one error."""

from collections.abc import Iterator

from ..envelope import Envelope
from ..writer import MessageName, OutSegment, segment, write_interchange
from .aperak import TYPE, Aperak, ApplicationError, Reference

# Repetitions: FTX and RFF at the head, DOC, ERC; within ERC its FTX, RFF and the FTX of an RFF.
_HEAD_TEXTS, _HEAD_REFERENCES, _DOCUMENTS, _ERRORS = 9, 9, 99, 99_999
_REFERENCES, _TEXTS = 9, 9
# C108 in FTX: five times 4440, an..70.
_LINE, _LINES = 70, 5
# 4451: general information, and description of an error.
_GENERAL, _ERROR = "AAI", "AAO"
_CODE, _NUMBER, _REFERENCE, _LINE_NUMBER, _ERROR_CODE = 3, 35, 35, 6, 8


def write_aperak(aperak: Aperak, envelope: Envelope) -> bytes:
    """One interchange of one APERAK, which `read_aperak` reads as the same value.

    Raises ValueError where a value is too long for its element or there are too many of something: nothing
    is cut. An error with several texts needs a reference for all but the first of them to belong to. Which
    codes go into which element is for the caller to know.
    """
    newer = bool(aperak.documents) or any(len(error.references) > 1 for error in aperak.errors)
    name = MessageName(TYPE, "D", "01B" if newer else "96B")
    return write_interchange(name, list(_segments(aperak)), envelope)


def _segments(aperak: Aperak) -> Iterator[OutSegment]:
    _few("texts", len(aperak.texts), _HEAD_TEXTS)
    _few("references", len(aperak.references), _HEAD_REFERENCES)
    _few("documents", len(aperak.documents), _DOCUMENTS)
    _few("errors", len(aperak.errors), _ERRORS)
    head = (_short(code, _CODE) for code in (aperak.function, aperak.response))
    yield segment("BGM", _short(aperak.document, _CODE), _short(aperak.number, _NUMBER), *head)
    for text in aperak.texts:
        yield _text(_GENERAL, text)
    for document in aperak.documents:
        yield segment("DOC", _short(document.qualifier, _CODE), _short(document.value, _NUMBER))
    for reference in aperak.references:
        yield _reference(reference)
    for error in aperak.errors:
        yield from _error(error)


def _error(error: ApplicationError) -> Iterator[OutSegment]:
    _few("references of an error", len(error.references), _REFERENCES)
    _few("texts of an error", len(error.texts), 1 + (_TEXTS if error.references else 0))
    yield segment("ERC", (_short(error.code, _ERROR_CODE) or "-", "", _short(error.agency, _CODE)))
    yield from (_text(_ERROR, text) for text in error.texts[:1])
    yield from (_reference(reference) for reference in error.references)
    yield from (_text(_ERROR, text) for text in error.texts[1:])


def _reference(reference: Reference) -> OutSegment:
    parts = ((reference.qualifier, _CODE), (reference.value, _REFERENCE), (reference.line, _LINE_NUMBER))
    return segment("RFF", [_short(value, longest) for value, longest in parts])


def _text(subject: str, text: str) -> OutSegment:
    lines = [text[at : at + _LINE] for at in range(0, len(text), _LINE)]
    _few("characters of a text", len(text), _LINE * _LINES)
    return segment("FTX", subject, "", "", lines)


def _short(value: str, longest: int) -> str:
    if len(value) > longest:
        raise ValueError(f"{value[:longest]!r} and more is longer than {longest} characters")
    return value


def _few(what: str, number: int, most: int) -> None:
    if number > most:
        raise ValueError(f"{number} {what}: at most {most} can be written")
