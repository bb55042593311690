"""`validate` and `read`: what they say of a file, and the exit code a hook goes by."""

import io
import json
import pathlib
import sys

import msgspec
import pytest
from lxml import etree

from tidewaiter.codecs.declaration import Declaration
from tidewaiter.codecs.document import Reader
from tidewaiter.gateway import resources
from tidewaiter.gateway.cli import files

VALID, INVALID, UNREADABLE = 0, 1, 2


class Stdin:
    """Standard input that holds octets."""

    def __init__(self, data: bytes) -> None:
        self.buffer = io.BytesIO(data)


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("import.edi", VALID, "valid (CUSDEC:D:96B:UN)"),
        ("export.xml", VALID, "valid (MetaData)"),
        ("plants.xml", VALID, "valid (MetaData)"),
        ("fireworks.edi", VALID, "valid (CUSDEC:D:96B:UN)"),
        ("invalid.edi", INVALID, "invalid (CUSDEC:D:96B:UN)"),
        ("invalid.xml", INVALID, "invalid (MetaData)"),
    ],
)
def test_a_sample_has_its_code(
    samples: pathlib.Path, capsys: pytest.CaptureFixture[str], name: str, code: int, said: str
) -> None:
    file = str(samples / name)
    assert files.validate([file], as_json=False) == code
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{file}: {said}"
    assert (len(lines) > 1) == (code == INVALID)


@pytest.mark.parametrize(
    "content",
    [b"", b"garbage", b"<a><b>", b"<!DOCTYPE a []><a/>", b"UNA:+.? 'UNX+1'", b"\x00" * 100, b"\xff\xfe<\x00"],
)
def test_what_cannot_be_read_has_code_2_and_a_reason(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    assert files.validate([str(file)], as_json=False) == UNREADABLE
    said = capsys.readouterr().out
    assert said.startswith(f"{file}: unreadable (nothing that can be read)\n  error ")


def test_a_file_that_is_not_there_has_code_2_and_its_name(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert files.validate([str(tmp_path / "none"), str(tmp_path)], as_json=False) == UNREADABLE
    assert capsys.readouterr().err.splitlines() == [
        f"{tmp_path / 'none'}: No such file or directory",
        f"{tmp_path}: Is a directory",
    ]


def test_of_many_files_the_worst_code_counts(
    samples: pathlib.Path, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad, none = (str(samples / "export.xml"), str(samples / "invalid.xml"), str(tmp_path / "none"))
    assert files.validate([good, good], as_json=False) == VALID
    assert files.validate([bad, good], as_json=False) == INVALID
    assert files.validate([none, bad, good], as_json=False) == UNREADABLE
    assert capsys.readouterr().out.count(f"{good}: valid") == 4


def test_a_dash_is_standard_input(
    samples: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", Stdin((samples / "invalid.edi").read_bytes()))
    assert files.validate(["-"], as_json=False) == INVALID
    assert capsys.readouterr().out.startswith("-: invalid (CUSDEC:D:96B:UN)\n  error 29, at UNT[19]")
    monkeypatch.setattr(sys, "stdin", Stdin((samples / "import.edi").read_bytes()))
    assert files.read("-") == VALID
    assert json.loads(capsys.readouterr().out)[0]["kind"] == "declaration"


def test_a_finding_says_where_what_and_what_was_expected(
    samples: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files.validate([str(samples / "invalid.edi")], as_json=False)
    assert (
        "  error 29, at UNT[19]/1/1 @481: 0074 does not match the number of instances received; found '22'; "
        "expected 19\n"
    ) in capsys.readouterr().out
    files.validate([str(samples / "invalid.xml")], as_json=False)
    assert ", line " in capsys.readouterr().out


def test_json_holds_every_file_and_every_finding(
    samples: pathlib.Path, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad, none = (str(samples / "export.xml"), str(samples / "invalid.edi"), str(tmp_path / "none"))
    assert files.validate([good, bad, none], as_json=True) == UNREADABLE
    report = json.loads(capsys.readouterr().out)
    assert [(row["file"], row["result"]) for row in report] == [
        (good, "valid"),
        (bad, "invalid"),
        (none, "unreadable"),
    ]
    assert report[0]["findings"] == []
    assert report[1]["documents"] == ["CUSDEC:D:96B:UN"]
    first = report[1]["findings"][0]
    assert (first["severity"], first["code"], first["where"]) == ("error", "29", "UNT[19]/1/1 @481")
    assert first["pointer"]["syntax"] == "edifact"
    assert first["pointer"]["segment"] == 19


@pytest.mark.parametrize("name", ["import.edi", "export.xml"])
def test_read_prints_the_canonical_declaration(
    samples: pathlib.Path, reader: Reader, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert files.read(str(samples / name)) == VALID
    printed = capsys.readouterr()
    (document,) = json.loads(printed.out)
    assert (document["kind"], document["responses"]) == ("declaration", [])
    assert document["syntax"] == ("edifact" if name.endswith("edi") else "xml")
    meant = reader.read((samples / name).read_bytes()).documents[0].declaration
    assert msgspec.convert(document["declaration"], Declaration, strict=False) == meant
    assert printed.err == ""


def test_read_puts_findings_on_standard_error(
    samples: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(samples / "invalid.xml")
    assert files.read(file) == INVALID
    printed = capsys.readouterr()
    assert json.loads(printed.out)[0]["kind"] == "declaration"
    assert all(line.startswith(f"{file}: error ") for line in printed.err.splitlines())


def test_read_of_nothing_is_an_empty_list(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_bytes(b"garbage")
    assert files.read(str(tmp_path / "file")) == UNREADABLE
    assert json.loads(capsys.readouterr().out) == []
    assert files.read(str(tmp_path / "none")) == UNREADABLE


def test_read_writes_to_a_file(
    samples: pathlib.Path, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files.read(str(samples / "plants.xml"))
    printed = capsys.readouterr().out
    out = tmp_path / "out.json"
    assert files.read(str(samples / "plants.xml"), out=str(out)) == VALID
    assert out.read_text(encoding="utf-8") == printed
    assert capsys.readouterr().out == ""


def test_read_says_so_where_it_cannot_write(
    samples: pathlib.Path, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "none" / "out.json"
    assert files.read(str(samples / "plants.xml"), out=str(out)) == UNREADABLE
    assert capsys.readouterr().err == f"{out}: No such file or directory\n"


def test_a_real_declaration_is_valid(shared: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = shared / "wco/samples/hmrc-cds/import/TT_IM001a__Step1_TT_IM001a.xml"
    assert files.validate([str(file)], as_json=True) == VALID
    assert json.loads(capsys.readouterr().out)[0]["findings"] == []


# What each was broken by, as an element name.
BROKEN = {
    "element_order.xml": "SequenceNumeric",
    "fraction_digits.xml": "GrossMassMeasure",
    "missing_mandatory.xml": "Declaration",
    "unknown_element.xml": "Foo",
    "wrong_namespace.xml": "Declaration",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_declaration_is_invalid_and_the_pointer_selects_the_place(
    shared: pathlib.Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    file = shared / "wco/samples/hmrc-cds/mutated-invalid" / name
    assert files.validate([str(file)], as_json=True) == INVALID
    (row,) = json.loads(capsys.readouterr().out)
    assert row["result"] == "invalid"
    tree = etree.parse(file)
    selected = set()
    for finding in row["findings"]:
        found = tree.xpath(finding["pointer"]["xpath"], namespaces=finding["pointer"]["namespaces"])
        assert isinstance(found, list)
        assert len(found) == 1
        assert isinstance(found[0], etree._Element)
        assert found[0].sourceline == finding["pointer"]["line"]
        selected.add(etree.QName(found[0]).localname)
    assert selected == {BROKEN[name]}


def test_every_mutated_file_is_known_here(shared: pathlib.Path) -> None:
    assert {file.name for file in (shared / "wco/samples/hmrc-cds/mutated-invalid").iterdir()} == set(BROKEN)


def test_a_cusdec_of_another_release_is_read_or_refused_with_a_reason(
    shared: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = shared / "edifact/samples/au-ics/cusdec_exd_d99b.edi"
    assert files.validate([str(file)], as_json=True) in {VALID, INVALID}
    (row,) = json.loads(capsys.readouterr().out)
    assert row["documents"] == ["CUSDEC:D:99B:UN"]
    assert any("D.96B" in finding["text"] and finding["value"] == "D.99B" for finding in row["findings"])


def test_the_reader_is_the_shipped_one(samples: pathlib.Path) -> None:
    assert resources.reader().read((samples / "export.xml").read_bytes()).valid
