"""The one loader: what the package ships in `conf/`, as bytes or compiled once."""

import functools
import pathlib
import threading
from typing import TYPE_CHECKING

from ..codecs.document import Reader

if TYPE_CHECKING:
    from ..codecs.edifact import Directory
    from ..codecs.wco import SchemaSet

# A folder beside the code. The package is never run from an archive: it ships SQL and schemas, too.
_CONF = pathlib.Path(__file__).parent.parent / "conf"


def shipped(*parts: str) -> pathlib.Path:
    """A file or folder below `conf/`."""
    return _CONF.joinpath(*parts)


def shipped_bytes(*parts: str) -> bytes:
    """The content of a file below `conf/`."""
    return shipped(*parts).read_bytes()


@functools.cache
def directory() -> "Directory":
    """The EDIFACT message directory the package ships."""
    from ..codecs.edifact import Directory  # noqa: PLC0415 - imported with the first document that needs it

    files = sorted(shipped("directories").glob("*.json"))
    return Directory([(file.stem.upper(), file.read_bytes) for file in files])


@functools.cache
def schemas_of(thread: int) -> "SchemaSet":
    """The reference schemas for the thread of this identity, compiled once."""
    from ..codecs.wco import load_schemas  # noqa: PLC0415 - imported with the first document that needs it

    files = sorted(shipped("schemas", "reference").glob("*.xsd"))
    return load_schemas({file.name: file.read_bytes() for file in files})


def schemas() -> "SchemaSet":
    """The reference schemas of this thread. A set of libxml2's keeps what it finds wrong in itself, so two
    threads that shared one would mix up their findings. Call it in the main thread first."""
    return schemas_of(threading.get_ident())


def reader(*, warm: bool = False) -> Reader:
    """A reader of both syntaxes with what the package ships. `warm` compiles all of it now."""
    if warm:
        directory()
        schemas()
    return Reader(directory, schemas)
