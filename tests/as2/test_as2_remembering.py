"""Short texts are read once, as many as there is room for; long ones each time."""

import pytest

from tidewaiter.gateway.as2 import remembering
from tidewaiter.gateway.as2.remembering import remembered


def test_a_text_is_read_once() -> None:
    asked: list[str] = []

    @remembered
    def read(text: str) -> int:
        asked.append(text)
        return len(text)

    assert [read("one"), read("one"), read("three")] == [3, 3, 5]
    assert asked == ["one", "three"]


def test_what_is_long_or_wrong_is_read_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembering, "LONGEST", 3)
    asked: list[str] = []

    @remembered
    def read(text: str) -> int:
        asked.append(text)
        return int(text)

    assert read("1234") == read("1234") == 1234
    for _ in range(2):
        with pytest.raises(ValueError, match="x"):
            read("x")
    assert asked == ["1234", "1234", "x", "x"]


def test_there_are_never_more_than_agreed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembering, "KEPT", 2)
    asked: list[bytes] = []

    @remembered
    def read(text: bytes) -> bytes:
        asked.append(text)
        return text.upper()

    for text in (b"a", b"b", b"c", b"c", b"a"):
        assert read(text) == text.upper()
    assert asked == [b"a", b"b", b"c", b"a"]
