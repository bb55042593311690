"""The books of an agency: every delivery a line, each known again, also after a crash."""

import pathlib

import pytest

from tidewaiter.gateway.sandbox.delivery_log import DeliveryLog, DifferentDocument, Entry, read_lines
from tidewaiter.gateway.sandbox.script import Taken, Verdict


def entry(reference: str, sha256: str = "aa") -> Entry:
    taken = Taken(reference=reference, verdict=Verdict.RELEASE)
    return Entry(
        reference=reference,
        sha256=sha256,
        accepted_at="2026-11-22T09:00:00.000Z",
        duplicate=False,
        key=f"<{reference}@gateway>",
        taken=taken,
    )


def lines(folder: pathlib.Path) -> list[tuple[str, bool]]:
    return [(e.reference, e.duplicate) for e in read_lines(folder / "customs.deliveries.jsonl", Entry)]


def test_what_comes_again_is_a_line_too_and_marked(tmp_path: pathlib.Path) -> None:
    books = DeliveryLog(tmp_path, "customs")
    first = entry("D1")
    assert books.take(first) is first
    assert books.take(entry("D1")) is first
    books.close()
    assert lines(tmp_path) == [("D1", False), ("D1", True)]


def test_it_is_known_again_by_another_process(tmp_path: pathlib.Path) -> None:
    books = DeliveryLog(tmp_path, "customs")
    books.take(entry("D1"))
    # No close: the process was killed.
    again = DeliveryLog(tmp_path, "customs")
    assert again.take(entry("D1")) == entry("D1")
    assert lines(tmp_path) == [("D1", False), ("D1", True)]
    books.close()
    again.close()


def test_the_same_key_for_another_document_is_refused_and_not_written(tmp_path: pathlib.Path) -> None:
    books = DeliveryLog(tmp_path, "customs")
    books.take(entry("D1"))
    with pytest.raises(DifferentDocument):
        books.take(entry("D1", sha256="bb"))
    books.close()
    assert lines(tmp_path) == [("D1", False)]


def test_what_was_not_answered_is_left_for_the_next_run(tmp_path: pathlib.Path) -> None:
    books = DeliveryLog(tmp_path, "customs")
    for reference in ("D1", "D2", "D3"):
        books.take(entry(reference))
    books.answered("D2", "2026-11-22T09:00:01.000Z")
    books.answered("D2", "2026-11-22T09:00:02.000Z")
    books.close()
    assert (tmp_path / "customs.answers.jsonl").read_bytes().count(b"\n") == 1
    again = DeliveryLog(tmp_path, "customs")
    assert [taken.reference for taken in again.unanswered()] == ["D1", "D3"]
    again.close()


def test_a_line_cut_off_by_a_crash_is_none(tmp_path: pathlib.Path) -> None:
    books = DeliveryLog(tmp_path, "customs")
    books.take(entry("D1"))
    books.close()
    with (tmp_path / "customs.deliveries.jsonl").open("ab") as file:
        file.write(b'{"reference":"D2"')
    assert lines(tmp_path) == [("D1", False)]
    again = DeliveryLog(tmp_path, "customs")
    again.take(entry("D2"))
    again.close()
    assert lines(tmp_path) == [("D1", False), ("D2", False)]
