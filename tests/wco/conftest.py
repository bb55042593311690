"""The reference schema, compiled once, and documents around a body."""

import pathlib
from collections.abc import Callable

import pytest

from tidewaiter.codecs.wco import SchemaSet, WcoDocument, load_schemas, read
from tidewaiter.codecs.wco.names import DECLARATION, DECLARATION_DATES, METADATA, RESPONSE, RESPONSE_DATES

REFERENCE = pathlib.Path(__file__).resolve().parents[2] / "conf" / "schemas" / "reference"


@pytest.fixture(scope="session")
def reference() -> dict[str, bytes]:
    """The files of the reference schema by name."""
    return {path.name: path.read_bytes() for path in REFERENCE.glob("*.xsd")}


@pytest.fixture(scope="session")
def schemas(reference: dict[str, bytes]) -> SchemaSet:
    return load_schemas(reference)


@pytest.fixture(scope="session")
def declaration() -> Callable[[str], bytes]:
    """A declaration in its envelope; `ds:` is the namespace of its dates."""

    def build(body: str) -> bytes:
        return (
            f'<md:MetaData xmlns:md="{METADATA}" xmlns="{DECLARATION}" xmlns:ds="{DECLARATION_DATES}">'
            f"<md:WCOTypeName>DEC</md:WCOTypeName>\n<Declaration>{body}</Declaration></md:MetaData>"
        ).encode()

    return build


@pytest.fixture(scope="session")
def response() -> Callable[[str], bytes]:
    """Responses in their envelope."""

    def build(bodies: str) -> bytes:
        return (
            f'<md:MetaData xmlns:md="{METADATA}" xmlns="{RESPONSE}" xmlns:ds="{RESPONSE_DATES}">'
            f"<md:WCOTypeName>RES</md:WCOTypeName>\n{bodies}</md:MetaData>"
        ).encode()

    return build


@pytest.fixture(scope="session")
def reading(schemas: SchemaSet) -> Callable[[bytes], WcoDocument]:
    return lambda data: read(data, schemas)


@pytest.fixture(scope="session")
def samples(shared: pathlib.Path) -> Callable[..., list[pathlib.Path]]:
    """The real documents of the folders named."""

    def listed(*folders: str) -> list[pathlib.Path]:
        root = shared / "wco" / "samples" / "hmrc-cds"
        found = [path for folder in folders for path in sorted((root / folder).iterdir())]
        return [path for path in found if path.suffix.lower() == ".xml"]

    return listed
