"""The comparison is fair: every reader sees the same characters, and one that does not stops the run."""

import pathlib

import pytest

from tidewaiter.benchmarks.edifact import cases, material, memory, ours, peers
from tidewaiter.codecs import edifact
from tidewaiter.gateway import resources

SIZE = 30_000


@pytest.fixture(scope="module")
def directory() -> edifact.Directory:
    return resources.directory()


@pytest.mark.parametrize("charset", material.CHARSETS, ids=lambda charset: charset.level)
def test_all_see_the_same_characters(charset: material.Charset, directory: edifact.Directory) -> None:
    data = material.interchange(SIZE, charset)
    total = peers.parsed(data.decode(charset.codec))
    assert total > len(data) / 2
    assert ours.whole(data) == total
    assert ours.validated(data, directory) == total
    pieces = [data[at : at + 1000] for at in range(0, len(data), 1000)]
    assert ours.streamed(pieces) == total
    assert ours.streamed(pieces, directory, ours.by_element) == total


def test_a_difference_stops_the_run(monkeypatch: pytest.MonkeyPatch, directory: edifact.Directory) -> None:
    assert cases.single(1, directory)
    monkeypatch.setattr(peers, "parsed", lambda _: 1)
    with pytest.raises(cases.UnequalError, match="same characters"):
        cases.single(1, directory)


def test_the_same_segments_are_written_alike() -> None:
    (row,) = cases.segments(1)
    assert row.against == cases.SERIALIZED
    assert row.ratio == row.against_s / row.ours_s


def test_a_declaration_is_read_and_written(directory: edifact.Directory) -> None:
    assert [row.against for row in cases.declarations(1, directory)] == [cases.PEER, cases.SERIALIZED]


@pytest.mark.parametrize(
    ("good", "bad"),
    [(b"CST+1+", b"CST+x+"), (b"UNS+D'", b""), (b"UNZ+1+", b"UNZ+2+"), (b"'MOA+40:", b"'MOA+??:")],
)
def test_a_finding_stops_the_run(good: bytes, bad: bytes, directory: edifact.Directory) -> None:
    data = material.one_message(3000)
    assert good in data
    with pytest.raises(ours.FoundError):
        ours.validated(data.replace(good, bad, 1), directory)


def test_pydifact_writes_what_it_read() -> None:
    text = material.one_message(3000).decode("latin-1")
    written = peers.serialized(peers.segments(text))
    assert written.partition("UNB")[2] == text.partition("UNB")[2]


def test_memory_is_that_of_another_process(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "some.edi"
    file.write_bytes(material.interchange(SIZE))
    assert b"".join(memory.pieces(file)) == file.read_bytes()
    held = bytes(50_000_000)
    assert memory.highest() > len(held)
    assert 1_000_000 < memory.above_the_interpreter(file, validate=False) < 45_000_000
