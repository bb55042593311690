"""Declarations that nobody has lodged before."""

import pytest

from tidewaiter.codecs.document import Reader
from tidewaiter.gateway import resources
from tidewaiter.loadtest.documents import MIX, Documents


@pytest.fixture(scope="module")
def reader() -> Reader:
    return resources.reader()


def test_each_is_valid_and_bears_its_own_names(reader: Reader) -> None:
    documents = Documents(reader, seed=1)
    made = [documents.new() for _ in range(12)]
    readings = [reader.read(document.payload) for document in made]
    assert all(reading.valid for reading in readings)
    declarations = [reading.documents[0].declaration for reading in readings]
    assert [d.functional_reference_id for d in declarations if d is not None] == [d.lrn for d in made]
    assert len({document.lrn for document in made}) == 12
    references = [reading.interchange.reference for reading in readings if reading.interchange is not None]
    assert len(set(references)) == len(references) > 0
    assert {document.sample for document in made} == set(MIX)


def test_a_seed_gives_one_sequence(reader: Reader) -> None:
    first, again = (Documents(reader, seed=3, token="AAAAAA") for _ in range(2))
    assert [first.new() for _ in range(9)] == [again.new() for _ in range(9)]


def test_two_runs_never_meet(reader: Reader) -> None:
    assert Documents(reader, seed=1).new().lrn != Documents(reader, seed=1).new().lrn
