"""What the package ships is found, whole, and compiled once."""

from tidewaiter.gateway import resources


def test_what_is_shipped_is_there() -> None:
    assert resources.shipped("starter", "gateway.toml").is_file()
    assert resources.shipped_bytes("starter", "sla.toml").startswith(b"#")
    assert resources.shipped("nothing").exists() is False


def test_tables_and_schemas_are_compiled_once() -> None:
    assert resources.directory() is resources.directory()
    assert resources.schemas() is resources.schemas()


def test_a_reader_of_both_syntaxes() -> None:
    reader = resources.reader(warm=True)
    assert not reader.read(b"<a/>").valid
    assert not reader.read(b"UNB").valid
