"""Real declarations and notifications, read, checked and written back; broken ones, and where they break."""

import pathlib

import pytest
from tidewaiter.codecs.wco import (
    SchemaSet,
    WcoDocument,
    load_schemas,
    read,
    write_declaration,
    write_response,
)

REFERENCE = pathlib.Path(__file__).resolve().parents[2] / "conf" / "schemas" / "reference"
VALID = ("import", "export", "amendment", "cancellation", "goods-presentation", "notification")


@pytest.fixture(scope="module")
def schemas() -> SchemaSet:
    return load_schemas({path.name: path.read_bytes() for path in REFERENCE.glob("*.xsd")})


def samples(shared: pathlib.Path, *folders: str) -> list[pathlib.Path]:
    root = shared / "wco" / "samples" / "hmrc-cds"
    found = [path for folder in folders for path in sorted((root / folder).iterdir())]
    return [path for path in found if path.suffix.lower() == ".xml"]


def written(document: WcoDocument) -> bytes:
    assert document.metadata is not None
    if document.declaration is not None:
        return write_declaration(document.declaration, document.metadata)
    return write_response(document.responses, document.metadata, document.corrections)


@pytest.mark.parametrize("folder", [*VALID, "notification-ns-restored"])
def test_real_documents_are_valid_and_come_back_as_they_were(
    shared: pathlib.Path, schemas: SchemaSet, folder: str
) -> None:
    paths = samples(shared, folder)
    assert paths
    for path in paths:
        document = read(path.read_bytes(), schemas)
        assert document.findings == (), path.name
        assert document.kind is not None
        again = read(written(document), schemas)
        assert again == document, path.name
