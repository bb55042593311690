"""Real interchanges: what is wrong with each is found and nothing else, and every value is read as sent."""

import pathlib
import tomllib
from collections.abc import Iterable

import pytest

from tidewaiter.codecs.edifact import (
    Directory,
    Interchange,
    Profile,
    ServiceString,
    read_cusdec,
    read_interchange,
    read_interchanges,
    validate,
)
from tidewaiter.codecs.edifact.unece import compile_archive
from tidewaiter.codecs.finding import EdifactPointer, Finding, Severity, is_valid

OUTCOMES = tomllib.loads(pathlib.Path(__file__).with_name("outcomes.toml").read_text(encoding="utf-8"))[
    "sample"
]
TABLES = pathlib.Path(__file__).resolve().parents[2] / "conf" / "directories"
BY_FILE = pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda outcome: outcome["file"])


def sample(shared: pathlib.Path, name: str) -> bytes:
    path = shared / "edifact" / "samples" / name
    if not path.is_file():
        pytest.skip("the sample is not beside this checkout")
    return path.read_bytes()


def told(findings: Iterable[Finding]) -> list[str]:
    """`error 29 UNT 5` for each finding."""
    lines = []
    for finding in findings:
        assert isinstance(finding.pointer, EdifactPointer), finding
        lines.append(
            f"{finding.severity.value} {finding.code} {finding.pointer.tag} {finding.pointer.segment}"
        )
    return lines


def contained(interchange: Interchange) -> list[str]:
    return told(finding for message in interchange.messages for finding in message.findings)


def test_every_sample_has_its_outcome(shared: pathlib.Path) -> None:
    folder = shared / "edifact" / "samples"
    if not folder.is_dir():
        pytest.skip("the samples are not beside this checkout")
    files = {str(path.relative_to(folder)) for path in folder.rglob("*.*") if path.suffix != ".md"}
    assert files == {outcome["file"] for outcome in OUTCOMES}


@BY_FILE
def test_the_outcome_of_a_sample(shared: pathlib.Path, outcome: dict[str, list[str]]) -> None:
    data = sample(shared, str(outcome["file"]))
    (interchange,) = read_interchanges(data)
    assert [[m.identifier, len(m.segments)] for m in interchange.messages] == outcome["messages"]
    assert told(interchange.findings) == outcome.get("envelope", [])
    assert contained(interchange) == outcome.get("container", [])
    assert interchange == read_interchange(data)


@BY_FILE
def test_the_outcome_for_a_partner_who_may_send_utf_8(
    shared: pathlib.Path, outcome: dict[str, list[str]]
) -> None:
    (interchange,) = read_interchanges(sample(shared, str(outcome["file"])), Profile(utf8=True))
    assert told(interchange.findings) == outcome.get("envelope", [])
    assert contained(interchange) == outcome.get("tolerant", outcome.get("container", []))


# Releases an operator would add for these samples, and the messages taken from them.
ARCHIVES = {
    "d96b": ["INVOIC", "ORDERS"],
    "d99b": ["CUSCAR", "CUSDEC"],
    "d01b": ["IFTMIN"],
    "d03a": ["INVOIC", "PAXLST"],
}


@pytest.fixture(scope="module")
def releases(shared: pathlib.Path) -> Directory:
    """The shipped tables, and those of the archives."""
    tables = [path.read_bytes() for path in sorted(TABLES.glob("*.json"))]
    for name, only in ARCHIVES.items():
        path = shared / "edifact" / "directories" / f"{name}.zip"
        if not path.is_file():
            pytest.skip("the directory archives are not beside this checkout")
        tables.append(compile_archive(path.read_bytes(), only).encode())
    return Directory.load(*tables)


@BY_FILE
def test_a_sample_against_its_directory(
    shared: pathlib.Path, releases: Directory, outcome: dict[str, list[str]]
) -> None:
    interchange = read_interchange(sample(shared, str(outcome["file"])))
    (message,) = interchange.messages
    found = validate(interchange, message, releases).findings
    assert found[: len(message.findings)] == message.findings
    assert told(found[len(message.findings) :]) == outcome.get("checked", [])


@BY_FILE
def test_every_value_of_a_sample(shared: pathlib.Path, outcome: dict[str, list[str]]) -> None:
    data = sample(shared, str(outcome["file"]))
    (interchange,) = read_interchanges(data)
    expected = [
        segment
        for segment in taken_apart(data.decode(), interchange.service, interchange.syntax_version)
        if segment[0][0][0] not in {"UNA", "UNB", "UNG", "UNE", "UNZ"}
    ]
    found = [segment for message in interchange.messages for segment in message.segments]
    assert [segment.tag for segment in found] == [segment[0][0][0] for segment in expected]
    for segment, elements in zip(found, expected, strict=True):
        assert len(segment) == len(elements) - 1
        for number, occurrences in enumerate(elements[1:], 1):
            wanted = [] if occurrences == [[""]] else occurrences
            assert [list(part) for part in segment.repetitions(number)] == wanted
            assert list(segment.components(number)) == (wanted[0] if wanted else [])


def taken_apart(text: str, service: ServiceString, version: int) -> list[list[list[list[str]]]]:
    """Every segment as elements of occurrences of components, read one character at a time."""
    repetition = service.repetition if version > 3 else ""
    segments, elements, occurrences, components, value = [], [], [], [], ""  # type: ignore[var-annotated]
    released = False
    for char in text[9 if text.startswith("UNA") else 0 :]:
        ends = "" if released else char
        released = not released and bool(service.release) and char == service.release
        if released or (char in "\r\n" and not (elements or components or value)):
            continue
        if ends == "" or ends not in {service.component, repetition, service.element, service.terminator}:
            value += char
            continue
        components.append(value)
        value = ""
        if ends != service.component:
            occurrences.append(components)
            components = []
        if ends in {service.element, service.terminator}:
            elements.append(occurrences)
            occurrences = []
        if ends == service.terminator:
            segments.append(elements)
            elements = []
    return segments


def test_a_declaration_of_another_release(shared: pathlib.Path, directory: Directory) -> None:
    interchange = read_interchange(sample(shared, "au-ics/cusdec_exd_d99b.edi"))
    assert interchange.test
    assert interchange.acknowledgement_requested
    declaration, findings = read_cusdec(interchange, interchange.messages[0], directory)
    assert is_valid(findings)
    assert declaration is not None
    assert (declaration.type_code, declaration.functional_reference_id) == ("EXD", "200401270001")
    # Its own release finds nothing. What D.96B and the declaration have no field for is told, not dropped.
    told_of = {(f.code, f.severity) for f in findings[:-1]}
    assert told_of == {("3", Severity.INFO), ("not-taken", Severity.INFO)}
    assert (findings[-1].code, findings[-1].severity) == ("commodity-code", Severity.WARNING)


def test_the_least_declaration_lacks_what_a_declaration_needs(
    shared: pathlib.Path, directory: Directory
) -> None:
    interchange = read_interchange(sample(shared, "edifact-ls/cusdec-conformant.edi"))
    declaration, findings = read_cusdec(interchange, interchange.messages[0], directory)
    assert declaration is None
    errors = [f.code for f in findings if f.severity is Severity.ERROR]
    assert errors == ["bad-value", "lrn-missing", "function-missing"]
