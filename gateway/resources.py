"""The one loader: what the package ships in `conf/`, as bytes or compiled once."""

import functools
import pathlib
import threading
from typing import TYPE_CHECKING

from ..codecs.document import Reader
from ..codecs.errors import DirectoryError

if TYPE_CHECKING:
    from ..codecs.edifact import Directory
    from ..codecs.wco import SchemaSet

# A folder beside the code. The package is never run from an archive: it ships SQL and schemas, too.
_CONF = pathlib.Path(__file__).parent.parent / "conf"

# Which algorithms are allowed; a file of this name in a configuration folder stands in for the one shipped.
ALGORITHMS = "algorithms.toml"
# Where a configuration folder keeps the directory tables its operator added.
ADDED = "directories"


def shipped(*parts: str) -> pathlib.Path:
    """A file or folder below `conf/`."""
    return _CONF.joinpath(*parts)


def shipped_bytes(*parts: str) -> bytes:
    """The content of a file below `conf/`."""
    return shipped(*parts).read_bytes()


def algorithms(folder: pathlib.Path | None = None) -> pathlib.Path:
    """The file that says which algorithms are allowed: the operator's in `folder`, else the one shipped."""
    own = None if folder is None else folder / ALGORITHMS
    return own if own is not None and own.exists() else shipped(ALGORITHMS)


def tables(folder: pathlib.Path | None = None) -> list[pathlib.Path]:
    """The directory tables shipped, and then those added in the configuration folder `folder`: each is named
    after its release, `d.96b.json`."""
    added = [] if folder is None else sorted(folder.joinpath(ADDED).glob("*.json"))
    return [*sorted(shipped("directories").glob("*.json")), *added]


@functools.cache
def directory_of(folder: pathlib.Path | None) -> "Directory":
    """The directory of a configuration folder, made once; each message is compiled when it first comes in."""
    from ..codecs.edifact import Directory  # noqa: PLC0415 - imported with the first document that needs it

    return Directory([(file.stem.upper(), file.read_bytes) for file in tables(folder)])


def directory(folder: pathlib.Path | None = None) -> "Directory":
    """The EDIFACT message directories the package ships, and those added in `folder`, which go before."""
    return directory_of(folder)


def check_tables(folder: pathlib.Path) -> None:
    """Compile every table added in `folder`; raises ConfigError, while no message waits for one of them."""
    from ..codecs.edifact import Directory  # noqa: PLC0415 - see above
    from .toml import ConfigError  # noqa: PLC0415 - `validate` reads no configuration

    for file in tables(folder)[len(tables()) :]:
        beside = [(name.stem.upper(), name.read_bytes) for name in tables()]
        try:
            Directory([*beside, (file.stem.upper(), file.read_bytes)]).check(file.stem.upper())
        except DirectoryError as error:
            raise ConfigError(file, str(error)) from None
        except OSError as error:
            raise ConfigError(file, error.strerror or "cannot be read") from None


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


def reader(*, warm: bool = False, folder: pathlib.Path | None = None) -> Reader:
    """A reader of both syntaxes with what the package ships and what is added in `folder`. `warm` makes ready
    what every message needs, and raises ConfigError where a table added cannot be used."""
    if warm:
        if folder is not None:
            check_tables(folder)
        directory(folder)
        schemas()
    return Reader(functools.partial(directory, folder), schemas)
