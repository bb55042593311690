"""What is measured with is what it says: valid, of about 5 KB, and never the same twice."""

from tidewaiter.benchmarks.floor import Floor
from tidewaiter.benchmarks.material import Declarations
from tidewaiter.gateway import resources


def test_declarations_are_valid_and_differ_in_their_names() -> None:
    reader = resources.reader()
    declarations = Declarations(reader)
    payloads = [declarations.new(), declarations.new()]
    readings = [reader.read(payload) for payload in payloads]
    assert all(reading.valid for reading in readings)
    assert all(4_500 < len(payload) < 5_500 for payload in payloads)
    names = {reading.documents[0].declaration.functional_reference_id for reading in readings}  # type: ignore[union-attr]
    references = {reading.interchange.reference for reading in readings if reading.interchange is not None}
    assert len(names) == len(references) == 2


def test_the_floor_does_its_work() -> None:
    Floor()()
