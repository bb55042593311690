"""What the package ships is found, whole, and compiled once."""

import pathlib
import threading

import pytest

from tidewaiter.codecs.document import Kind
from tidewaiter.gateway import resources
from tidewaiter.gateway.sandbox.samples import SAMPLES, sample

REFERENCE = resources.shipped("schemas", "reference")


def test_what_is_shipped_is_there_wherever_the_process_runs(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = resources.shipped("starter", "gateway.toml")
    assert file.is_absolute()
    assert resources.shipped_bytes("starter", "gateway.toml") == file.read_bytes()
    assert resources.shipped("nothing").exists() is False
    with pytest.raises(FileNotFoundError):
        resources.shipped_bytes("schemas", "none.xsd")


def test_tables_and_schemas_are_compiled_once() -> None:
    assert resources.directory() is resources.directory()
    assert resources.schemas() is resources.schemas()


def test_nothing_lies_beside_what_is_read() -> None:
    """A table that is shipped and never read would be one that nobody checks by."""
    for folder, end in ((resources.shipped("directories"), ".json"), (REFERENCE, ".xsd")):
        files = [file.suffix for file in folder.iterdir() if file.is_file()]
        assert files
        assert set(files) == {end}


def test_a_warm_reader_has_compiled_everything() -> None:
    """Before any thread starts, as libxml2 wants; a cold one compiles what it turns out to need."""
    parts = (resources.directory_of, resources.schemas_of)
    for part in parts:
        part.cache_clear()
    resources.reader()
    assert [part.cache_info().currsize for part in parts] == [0, 0]
    resources.reader(warm=True)
    assert [part.cache_info().currsize for part in parts] == [1, 1]


@pytest.mark.parametrize("warm", [True, False])
def test_a_reader_of_both_syntaxes(warm: bool) -> None:
    reader = resources.reader(warm=warm)
    for name in SAMPLES:
        (document,) = reader.read(sample(name)).documents
        assert document.kind is Kind.DECLARATION
        assert document.valid is not name.startswith("invalid")
    assert not reader.read(b"<a/>").valid
    assert not reader.read(b"UNB").valid


def test_each_thread_has_schemas_of_its_own() -> None:
    """What libxml2 finds wrong stands in the compiled set: two threads with one would mix findings up."""
    resources.schemas()
    found: list[object] = []
    thread = threading.Thread(target=lambda: found.append(resources.schemas()))
    thread.start()
    thread.join()
    assert found[0] is not resources.schemas()
