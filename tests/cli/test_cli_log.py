"""What the log says of an exception: its kind and its places, and not a word of its text."""

from typing import Any

from tidewaiter.gateway.cli.log import without_words

WORDS = "a document"


def _logged(error: BaseException) -> list[str]:
    event: dict[str, Any] = {"event": "e", "exc_info": error}
    told = without_words(None, "error", event)
    assert "exc_info" not in told
    assert WORDS not in str(told)
    found = told["exception"]
    assert isinstance(found, list)
    return found


def _raised(error: BaseException, cause: BaseException | None = None) -> BaseException:
    try:
        raise error from cause
    except BaseException as caught:
        return caught


def test_an_exception_is_its_kind_and_its_places_the_innermost_first() -> None:
    try:
        _raised_below()
    except ValueError as error:
        (told,) = _logged(error)
    kind, _, places = told.partition(" at ")
    assert kind == "ValueError"
    first, second = places.split(" < ")
    assert first.startswith("cli/test_cli_log.py:")
    assert first.endswith(" _raised_below")
    assert second.endswith(" test_an_exception_is_its_kind_and_its_places_the_innermost_first")


def _raised_below() -> None:
    raise ValueError(WORDS)


def test_what_it_came_from_is_told_and_so_are_those_in_a_group() -> None:
    group = _raised(ExceptionGroup(WORDS, [KeyError(WORDS), OSError(WORDS)]), _raised(TypeError(WORDS)))
    kinds = [line.partition(" ")[0] for line in _logged(group)]
    assert kinds == ["ExceptionGroup", "KeyError", "OSError", "TypeError"]


def test_a_circle_of_causes_ends() -> None:
    first, second = ValueError(WORDS), KeyError(WORDS)
    first.__cause__, second.__cause__ = second, first
    assert [line.partition(" ")[0] for line in _logged(first)] == ["ValueError", "KeyError"]


def test_the_exception_at_hand_is_meant_where_none_is_given() -> None:
    try:
        _raised_below()
    except ValueError:
        told = without_words(None, "error", {"event": "e", "exc_info": True})
    assert told["exception"][0].startswith("ValueError at ")


def test_a_line_without_an_exception_stays_as_it_is() -> None:
    assert without_words(None, "info", {"event": "e", "party": "x"}) == {"event": "e", "party": "x"}
    assert without_words(None, "error", {"event": "e", "exc_info": True}) == {"event": "e"}
