"""The log of a gateway: JSON lines on standard error, with no word of a document in them.

Whoever logs binds names and numbers only. What remains are exceptions: the text of one may quote what it
could not read, so of an exception the log has its kind and the places it passed, and that text nowhere.
"""

import logging
import pathlib
import sys
import traceback
from collections.abc import Iterator

import msgspec
import structlog
from structlog.typing import EventDict, WrappedLogger

# Of a path: the room and the module.
_SHOWN_PARTS = 2


def log_to_stderr() -> None:
    """Log as a service does, from now on."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            without_words,
            structlog.processors.JSONRenderer(
                serializer=lambda value, **_: msgspec.json.encode(value).decode()
            ),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
    )


def without_words(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """A processor: `exc_info` becomes `exception`, a list with the exception and those it came from."""
    given = event.pop("exc_info", None)
    error = given if isinstance(given, BaseException) else sys.exc_info()[1] if given else None
    if error is not None:
        event["exception"] = list(_told(error))
    return event


def _told(error: BaseException | None) -> Iterator[str]:
    """Each as `KIND at ROOM/MODULE:LINE FUNCTION < ...`, the innermost place first."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        places = [
            f"{_shown(frame.f_code.co_filename)}:{line} {frame.f_code.co_qualname}"
            for frame, line in traceback.walk_tb(error.__traceback__)
        ]
        yield f"{type(error).__qualname__} at {' < '.join(reversed(places)) or 'no place'}"
        if isinstance(error, BaseExceptionGroup):
            for each in error.exceptions:
                yield from _told(each)
        error = error.__cause__ or error.__context__


def _shown(path: str) -> str:
    return "/".join(pathlib.PurePath(path).parts[-_SHOWN_PARTS:])
