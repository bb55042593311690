"""Real interchanges: what is wrong with each is found, and nothing else."""

import pathlib

import pytest

from tidewaiter.codecs.edifact import Directory, read_cusdec, read_interchange
from tidewaiter.codecs.finding import Severity, is_valid

# File, number of segments of each message, codes of the errors of the envelope, and of the messages but 14 (a
# type not supported here).
SAMPLES = [
    ("au-ics/cusdec_exd_d99b.edi", [28], [], []),
    ("au-ics/cuscar_warrel_d99b.edi", [13], [], []),
    ("edifact-ls/cuscar-violation.edi", [4], [], ["29"]),
    ("edifact-ls/cusdec-conformant.edi", [5], [], []),
    ("edifact-ls/envelope-error.edi", [3], ["13"], []),
    ("edifact-ls/syntax-error.edi", [3], [], ["12"]),
    ("pydifact/invoice_with_colon_at_end.edi", [24], [], []),
    ("pydifact/order.edi", [16], ["13"], []),
    ("pydifact/wikipedia_de.edi", [9], ["28"], []),
    ("pydifact/messages/v4/aperak.edi", [7], [], ["29"]),
    ("smooks/edg_invoic_invoic.txt", [35], [], ["29"]),
    ("smooks/edg_paxlst_paxlst.txt", [16], [], []),
    ("staedi/empty-segment-example.edi", [5], [], []),
    ("staedi/invoic_d97b.edi", [24], [], []),
    ("staedi/invoic_d97b_una.edi", [24], [], []),
    ("staedi/orders-with-group.edi", [18], [], ["29"]),
    ("staedi/pnrgov.edi", [85], [], []),
    ("ts-edifact/iftmin_d01b_ean004.edi", [], ["13"], []),
]


def errors(findings: object) -> list[str]:
    return [f.code for f in findings if f.severity is Severity.ERROR]  # type: ignore[attr-defined]


@pytest.mark.parametrize(("name", "sizes", "envelope_errors", "message_errors"), SAMPLES)
def test_real_interchanges(
    shared: pathlib.Path, name: str, sizes: list[int], envelope_errors: list[str], message_errors: list[str]
) -> None:
    interchange = read_interchange((shared / "edifact" / "samples" / name).read_bytes())
    assert [len(message.segments) for message in interchange.messages] == sizes
    assert errors(interchange.findings) == envelope_errors
    found = [code for message in interchange.messages for code in errors(message.findings)]
    assert [code for code in found if code != "14"] == message_errors


def test_a_declaration_of_another_release(shared: pathlib.Path, directory: Directory) -> None:
    data = (shared / "edifact" / "samples" / "au-ics" / "cusdec_exd_d99b.edi").read_bytes()
    interchange = read_interchange(data)
    assert interchange.test
    assert interchange.acknowledgement_requested
    declaration, findings = read_cusdec(interchange, interchange.messages[0], directory)
    assert is_valid(findings)
    assert declaration is not None
    assert (declaration.type_code, declaration.functional_reference_id) == ("EXD", "200401270001")
    assert findings[0].code == "3"
    # What D.96B and the declaration have no field for is told, not dropped.
    assert {f.code for f in findings[1:-1]} == {"not-taken"}
    assert {f.severity for f in findings[1:-1]} == {Severity.INFO}
    assert (findings[-1].code, findings[-1].severity) == ("commodity-code", Severity.WARNING)


def test_the_least_declaration_lacks_what_a_declaration_needs(
    shared: pathlib.Path, directory: Directory
) -> None:
    data = (shared / "edifact" / "samples" / "edifact-ls" / "cusdec-conformant.edi").read_bytes()
    interchange = read_interchange(data)
    declaration, findings = read_cusdec(interchange, interchange.messages[0], directory)
    assert declaration is None
    assert errors(findings) == ["bad-value", "lrn-missing", "function-missing"]
