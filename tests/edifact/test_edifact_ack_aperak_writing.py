"""An APERAK that is written is read as the same value, and valid by our own tables."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidewaiter.codecs.edifact import (
    Aperak,
    ApplicationError,
    Directory,
    Envelope,
    read_aperak,
    read_interchange,
    write_aperak,
)
from tidewaiter.codecs.edifact.acknowledgement.aperak import Reference

RICH = Aperak(
    document="963",
    number="AP1",
    function="9",
    response="RE",
    references=(Reference(qualifier="ACW", value="D0123456789ABC"),),
    texts=("What is wrong: " + "it's a long story + more? " * 9,),
    errors=(
        ApplicationError(code="E12", agency="86", texts=("Too low",), references=()),
        ApplicationError(
            code="E13",
            texts=("First", "Second"),
            references=(Reference(qualifier="LI", value="3", line="4"),),
        ),
    ),
)


def again(aperak: Aperak, envelope: Envelope, directory: Directory) -> tuple[Aperak | None, object, str]:
    interchange = read_interchange(write_aperak(aperak, envelope))
    assert interchange.findings == ()
    (message,) = interchange.messages
    return *read_aperak(interchange, message, directory), message.release


def test_it_comes_back_as_it_was(envelope: Envelope, directory: Directory) -> None:
    assert again(RICH, envelope, directory) == (RICH, (), "96B")


def test_documents_need_a_newer_release(envelope: Envelope, directory: Directory) -> None:
    errors = (
        ApplicationError(
            code="E1",
            references=(Reference(qualifier="LI", value="1"), Reference(qualifier="LI", value="2")),
        ),
    )
    for aperak in (
        Aperak(document="963", documents=(Reference(qualifier="929", value="LRN-1"),)),
        Aperak(document="963", errors=errors),
    ):
        assert again(aperak, envelope, directory) == (aperak, (), "01B")


@pytest.mark.parametrize(
    "aperak",
    [
        Aperak(document="1234"),
        Aperak(number="N" * 36),
        Aperak(references=(Reference(qualifier="ACW", value="x"),) * 10),
        Aperak(texts=("x" * 351,)),
        Aperak(errors=(ApplicationError(code="E" * 9),)),
        Aperak(errors=(ApplicationError(code="E", texts=("a", "b")),)),
        Aperak(errors=(ApplicationError(code="E", references=(Reference(qualifier="LI", value="1"),) * 10),)),
    ],
)
def test_what_does_not_fit_is_refused(aperak: Aperak, envelope: Envelope) -> None:
    with pytest.raises(ValueError, match=r"than|at most"):
        write_aperak(aperak, envelope)


WORDS = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_categories=("C",)), min_size=1)
REFERENCES = st.builds(
    Reference,
    qualifier=st.just("ACW"),
    value=st.text("A1+:'?", min_size=1, max_size=9),
    line=st.text("19", max_size=6),
)


@settings(max_examples=60, deadline=None)
@given(
    texts=st.lists(WORDS, max_size=3),
    references=st.lists(REFERENCES, max_size=3),
    errors=st.lists(st.tuples(st.lists(WORDS, max_size=1), st.lists(REFERENCES, max_size=2)), max_size=3),
)
def test_any_words_come_back(
    texts: list[str],
    references: list[Reference],
    errors: list[tuple[list[str], list[Reference]]],
    envelope: Envelope,
    directory: Directory,
) -> None:
    found = tuple(
        ApplicationError(code="E1", texts=tuple(words), references=tuple(about)) for words, about in errors
    )
    aperak = Aperak(document="963", texts=tuple(texts), references=tuple(references), errors=found)
    read, _, _ = again(aperak, envelope, directory)
    assert read == aperak
