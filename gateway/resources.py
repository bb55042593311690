"""The one loader: what the package ships in `conf/`, as bytes or compiled once."""

import functools
import importlib.resources
from importlib.resources.abc import Traversable

from ..codecs.edifact import Directory
from ..codecs.wco import SchemaSet, load_schemas


def shipped(*parts: str) -> Traversable:
    """A file or folder below `conf/`."""
    return importlib.resources.files(__package__.rpartition(".")[0]).joinpath("conf", *parts)


def shipped_bytes(*parts: str) -> bytes:
    """The content of a file below `conf/`."""
    return shipped(*parts).read_bytes()


@functools.cache
def directory() -> Directory:
    """The EDIFACT message directory the package ships."""
    return Directory.load([entry.read_bytes() for entry in _files("directories", ".json")])


@functools.cache
def schemas() -> SchemaSet:
    """The reference schemas, compiled: call it once before any thread starts, as libxml2 wants."""
    return load_schemas({entry.name: entry.read_bytes() for entry in _files("schemas/reference", ".xsd")})


def _files(folder: str, ending: str) -> list[Traversable]:
    entries = [entry for entry in shipped(*folder.split("/")).iterdir() if entry.name.endswith(ending)]
    return sorted(entries, key=lambda entry: entry.name)
