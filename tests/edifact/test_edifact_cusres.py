"""The response through CUSRES and back."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from tidewaiter.codecs.declaration import (
    Amendment,
    Amount,
    DateTime,
    Error,
    Node,
    Pointer,
    Quantity,
    Response,
    ResponseDeclaration,
    Status,
    fields,
)
from tidewaiter.codecs.declaration.response import (
    ContactOffice,
    ResponseAdditionalInformation,
    ResponseCommodity,
    ResponseDutyTaxFee,
    ResponseGoodsShipment,
    ResponseGovernmentAgencyGoodsItem,
    ResponsePayment,
)
from tidewaiter.codecs.edifact import (
    Directory,
    Envelope,
    Interchange,
    read_cusres,
    read_interchange,
    write_cusres,
)
from tidewaiter.codecs.finding import Finding, Severity, is_valid

SAMPLES: dict[Any, Any] = {
    int: 1,
    Decimal: Decimal("12.5"),
    Amount: Amount(Decimal("1234.50"), "EUR"),
    Quantity: Quantity(Decimal("7.25"), "KGM"),
    DateTime: DateTime("20260504130709", "204"),
}


def leaves(cls: type[Node], path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    for field in fields(cls):
        if isinstance(field.kind, type) and issubclass(field.kind, Node):
            yield from leaves(field.kind, (*path, field))
        else:
            yield (*path, field)


def build(cls: type[Node], path: tuple[Any, ...]) -> Any:
    head, *rest = path
    if rest:
        value = build(head.kind, tuple(rest))
    elif head.kind is str:
        value = "01" if head.wco == "017" else "ABCDEFGHI" * 60
        value = value[: int("".join(c for c in head.format if c.isdigit()) or "3")]
    else:
        value = SAMPLES[head.kind]
    return cls(**{head.name: (value,) if head.many else value})


def round_trip(
    response: Response, envelope: Envelope, directory: Directory
) -> tuple[Response | None, tuple[Finding, ...], tuple[Finding, ...]]:
    data, written = write_cusres(response, envelope)
    interchange = read_interchange(data)
    assert interchange.valid
    read, found = read_cusres(interchange, interchange.messages[0], directory)
    return read, written, found


def test_no_field_is_lost_in_silence(directory: Directory, envelope: Envelope) -> None:
    for path in leaves(Response):
        given = build(Response, path)
        read, written, found = round_trip(given, envelope, directory)
        name = ".".join(field.name for field in path)
        assert is_valid([f for f in found if f.code.isdecimal()]), name
        if not written:
            assert read == given, name


def test_a_full_response_comes_back_as_it_was(directory: Directory, envelope: Envelope) -> None:
    duty = ResponseDutyTaxFee(
        type_code="A00",
        duty_regime_code="100",
        tax_rate_numeric=Decimal("2.5"),
        ad_valorem_tax_base_amount=Amount(Decimal(1000), "GBP"),
        deduct_amount=Amount(Decimal(1), "GBP"),
        payment=ResponsePayment(
            tax_assessed_amount=Amount(Decimal(25), "GBP"), payment_amount=Amount(Decimal(24))
        ),
    )
    item = ResponseGovernmentAgencyGoodsItem(
        sequence_numeric=1, commodity=ResponseCommodity(duty_tax_fee=(duty, duty))
    )
    given = Response(
        function_code="03",
        functional_reference_id="N0123456789ABC",
        issue_date_time=DateTime("20260504130709", "204"),
        additional_information=(
            ResponseAdditionalInformation(statement_type_code="AES", statement_description="see\nbelow"),
        ),
        amendment=(Amendment(change_reason_code="32", pointer=(Pointer(document_section_code="42A"),)),),
        contact_office=(ContactOffice(id="GB000001"),),
        error=(
            Error(
                validation_code="CDS12005",
                description="Relation error: " + "x" * 400,
                pointer=(
                    Pointer(document_section_code="42A"),
                    Pointer(document_section_code="68A", sequence_numeric=3),
                    Pointer(tag_id="006"),
                ),
            ),
            Error(validation_code="CDS1"),
            Error(description="only a text"),
        ),
        status=(Status(name_code="39"), Status(name_code="A1")),
        declaration=ResponseDeclaration(
            functional_reference_id="LRN-0001",
            id="26GB000000000000A1",
            version_id="2",
            acceptance_date_time=DateTime("20260504130700", "204"),
            duty_tax_fee=(duty,),
            goods_shipment=ResponseGoodsShipment(government_agency_goods_item=(item,)),
        ),
    )
    read, written, found = round_trip(given, envelope, directory)
    assert written == ()
    assert found == ()
    assert read == given


@pytest.mark.parametrize(
    ("code", "segment"),
    [
        ("01", "GIS+1:::01'"),
        ("02", "GIS+9:::02'"),
        ("03", "GIS+2:::03'"),
        ("05", "GIS+5:::05'"),
        ("06", "GIS+6:::06'"),
        ("08", "GIS+4:::08'"),
        ("09", "GIS+4:::09'"),
        ("11", "GIS+ZZZ:::11'"),
        ("50", "GIS+ZZZ:::50'"),
    ],
)
def test_functions_written(code: str, segment: str, directory: Directory, envelope: Envelope) -> None:
    given = Response(function_code=code)
    data, _ = write_cusres(given, envelope)
    assert segment in data.decode()
    assert ("BGM+963" in data.decode()) is (code == "03")
    assert round_trip(given, envelope, directory) == (given, (), ())


@pytest.mark.parametrize(
    ("indicator", "code"),
    [("1", "01"), ("2", "03"), ("3", "03"), ("4", "08"), ("5", "05"), ("6", "06"), ("7", "05"), ("9", "02")],
)
def test_indicators_read(
    indicator: str, code: str, make: Callable[..., Interchange], directory: Directory
) -> None:
    interchange = make(
        "BGM+961+R1", f"GIS+{indicator}", "RFF+ABE:LRN1", "RFF+ABT:MRN1", name="CUSRES:D:96B:UN"
    )
    response, findings = read_cusres(interchange, interchange.messages[0], directory)
    assert findings == ()
    assert response == Response(
        function_code=code,
        functional_reference_id="R1",
        declaration=ResponseDeclaration(functional_reference_id="LRN1", id="MRN1"),
    )


def test_a_response_that_answers_nothing_is_an_error(
    make: Callable[..., Interchange], directory: Directory
) -> None:
    interchange = make("BGM+961+R1", "GIS+24", name="CUSRES:D:96B:UN")
    response, findings = read_cusres(interchange, interchange.messages[0], directory)
    assert response == Response(functional_reference_id="R1")
    assert [(f.code, f.severity) for f in findings] == [
        ("bad-value", Severity.WARNING),
        ("function-missing", Severity.ERROR),
    ]


def test_another_message_is_no_response(make: Callable[..., Interchange], directory: Directory) -> None:
    interchange = make("BGM+929+L+9", "UNS+D", "UNS+S")
    assert read_cusres(interchange, interchange.messages[0], directory) == (None, ())


def test_more_errors_than_the_message_takes_are_told(directory: Directory, envelope: Envelope) -> None:
    given = Response(function_code="03", error=tuple(Error(validation_code=f"E{n}") for n in range(101)))
    read, written, _ = round_trip(given, envelope, directory)
    assert read is not None
    assert len(read.error) == 99
    assert [f.code for f in written] == ["35", "35"]
