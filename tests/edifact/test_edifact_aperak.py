"""APERAK of any release: whether it accepts, what it is about, and each error with its line."""

import pathlib
from collections.abc import Callable

import pytest

from tidewaiter.codecs.edifact import Directory, Interchange, read_aperak, read_interchange
from tidewaiter.codecs.edifact.acknowledgement.aperak import Aperak, ApplicationError, Reference

Make = Callable[..., Interchange]


def read(make: Make, directory: Directory, *segments: str, name: str = "APERAK:D:96B:UN") -> Aperak:
    interchange = make(*segments, name=name)
    aperak, _ = read_aperak(interchange, interchange.messages[0], directory)
    assert aperak is not None
    return aperak


def test_an_error_report_as_of_d_96b(make: Make, directory: Directory) -> None:
    aperak = read(
        make,
        directory,
        "BGM+963+AP1+9+RE",
        "FTX+AAI+++Two errors",
        "RFF+ACW:D0123456789ABC",
        "DTM+171:20260504:102",
        "NAD+MS+CUSTOMS",
        "ERC+E12::ZZZ",
        "FTX+AAO+++Value is :too low",
        "RFF+LI:3",
        "ERC+E13",
        "RFF+ABT:DOC9:2",
        "FTX+AAO++W7::86",
    )
    assert (aperak.document, aperak.number, aperak.function, aperak.response) == ("963", "AP1", "9", "RE")
    assert aperak.references == (Reference(qualifier="ACW", value="D0123456789ABC"),)
    assert aperak.texts == ("Two errors",)
    assert aperak.acknowledged == ("D0123456789ABC", "AP1")
    assert aperak.rejected
    assert aperak.errors == (
        ApplicationError(
            code="E12",
            agency="ZZZ",
            texts=("Value is too low",),
            references=(Reference(qualifier="LI", value="3"),),
        ),
        ApplicationError(
            code="E13",
            texts=("W7",),
            references=(Reference(qualifier="ABT", value="DOC9", line="2"),),
        ),
    )
    assert [str(error) for error in aperak.errors] == ["E12 (line 3): Value is too low", "E13 (line 2): W7"]


def test_a_document_is_named_by_doc_in_newer_releases(make: Make, directory: Directory) -> None:
    aperak = read(make, directory, "BGM+312+AP2+29", "DOC+929+LRN-1", "RFF+ABE:LRN-1", name="APERAK:D:01B:UN")
    assert aperak.documents == (Reference(qualifier="929", value="LRN-1"),)
    assert aperak.acknowledged == ("LRN-1", "AP2")
    assert not aperak.rejected


@pytest.mark.parametrize(
    ("head", "erc", "rejected"),
    [
        ("BGM+305+A+9+AP", True, False),
        ("BGM+305+A+9+RE", False, True),
        ("BGM+305+A+29+RE", False, True),
        ("BGM+305+A+27", False, True),
        ("BGM+305+A+29", True, False),
        ("BGM+313+A+9", False, True),
        ("BGM+312+A+9", True, False),
        ("BGM+312+A+27", False, True),
        ("BGM+305+A+9+AJ", False, False),
        ("BGM+305+A+9+AJ", True, True),
        ("BGM", False, False),
        ("BGM+27+APERAK004+9", True, True),
    ],
)
def test_what_decides(make: Make, directory: Directory, head: str, erc: bool, rejected: bool) -> None:
    """4343 before 1225 before 1001; where none of them decides, whether there is an error."""
    segments = [head, "RFF+ACW:X", *(["ERC+1"] if erc else [])]
    assert read(make, directory, *segments).rejected is rejected


def test_without_bgm_it_says_nothing(make: Make, directory: Directory) -> None:
    interchange = make("RFF+ACW:X", "ERC+1", name="APERAK:D:96B:UN")
    aperak, findings = read_aperak(interchange, interchange.messages[0], directory)
    assert aperak is None
    assert findings


def test_very_many_errors_take_linear_time(make: Make, directory: Directory) -> None:
    aperak = read(make, directory, "BGM+313+A", *["ERC+1"] * 5_000, *["FTX+AAO+++x"] * 5_000)
    assert (len(aperak.errors), len(aperak.errors[-1].texts)) == (5_000, 5_000)


def test_a_real_one(shared: pathlib.Path, directory: Directory) -> None:
    path = shared / "edifact" / "samples" / "pydifact" / "messages" / "v4" / "aperak.edi"
    if not path.is_file():
        pytest.skip("the sample is not beside this checkout")
    interchange = read_interchange(path.read_bytes())
    aperak, findings = read_aperak(interchange, interchange.messages[0], directory)
    assert aperak is not None
    assert aperak.references == (Reference(qualifier="ACW", value="PO123456"),)
    assert [str(error) for error in aperak.errors] == ["1: Message accepted"]
    assert "29" in {finding.code for finding in findings}


def test_one_that_is_right_has_no_findings(make: Make, directory: Directory) -> None:
    segments = ["BGM+963+AP1+9+RE", "RFF+ACW:D1", "ERC+E1", "FTX+AAO+++Wrong", "RFF+LI:3", "FTX+AAO+++Line"]
    interchange = make(*segments, name="APERAK:D:96B:UN")
    assert read_aperak(interchange, interchange.messages[0], directory)[1] == ()
    interchange = make(*segments[:1], "DOC+929+L1", *segments[1:], name="APERAK:D:01B:UN")
    assert read_aperak(interchange, interchange.messages[0], directory)[1] == ()
