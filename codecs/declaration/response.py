"""The canonical response: an agency's answer, and the answer to the trader."""

from decimal import Decimal
from typing import Annotated, ClassVar

from .documents import Amendment, ObligationGuarantee, Pointer
from .element import Element, Node
from .parties import Communication
from .values import Amount, DateTime, Quantity


class ResponseAdditionalInformation(Node, frozen=True):
    """WCO class 03A, AdditionalInformation."""

    WCO_CLASS: ClassVar[str] = "03A"

    statement_code: Annotated[str | None, Element("StatementCode", "226", "an..17")] = None
    statement_description: Annotated[str | None, Element("StatementDescription", "225", "an..512")] = None
    limit_date_time: Annotated[DateTime | None, Element("LimitDateTime", "264", "an..35")] = None
    statement_type_code: Annotated[str | None, Element("StatementTypeCode", "369", "an..3")] = None
    pointer: Annotated[tuple[Pointer, ...], Element("Pointer", "97A")] = ()


class AppealOffice(Node, frozen=True):
    """WCO class 07A, AppealOffice."""

    WCO_CLASS: ClassVar[str] = "07A"

    id: Annotated[str | None, Element("ID", "G001", "an..17")] = None


class Bank(Node, frozen=True):
    """WCO class 14A, Bank."""

    WCO_CLASS: ClassVar[str] = "14A"

    reference_id: Annotated[str | None, Element("ReferenceID", "R069", "an..17")] = None
    id: Annotated[str | None, Element("ID", "372", "an..35")] = None


class ContactOffice(Node, frozen=True):
    """WCO class 35A, ContactOffice."""

    WCO_CLASS: ClassVar[str] = "35A"

    id: Annotated[str | None, Element("ID", "G002", "an..17")] = None
    communication: Annotated[tuple[Communication, ...], Element("Communication", "25A")] = ()


class Error(Node, frozen=True):
    """WCO class 53A, Error."""

    WCO_CLASS: ClassVar[str] = "53A"

    description: Annotated[str | None, Element("Description", "488", "an..512")] = None
    validation_code: Annotated[str | None, Element("ValidationCode", "377", "an..8")] = None
    pointer: Annotated[tuple[Pointer, ...], Element("Pointer", "97A")] = ()


class Status(Node, frozen=True):
    """WCO class 12B, Status."""

    WCO_CLASS: ClassVar[str] = "12B"

    effective_date_time: Annotated[DateTime | None, Element("EffectiveDateTime", "380", "an..35")] = None
    name_code: Annotated[str | None, Element("NameCode", "379", "an..3")] = None
    release_date_time: Annotated[DateTime | None, Element("ReleaseDateTime", "277", "an..35")] = None
    pointer: Annotated[tuple[Pointer, ...], Element("Pointer", "97A")] = ()


class ResponsePayment(Node, frozen=True):
    """WCO class 94A, Payment."""

    WCO_CLASS: ClassVar[str] = "94A"

    reference_id: Annotated[str | None, Element("ReferenceID", "014", "an..35")] = None
    tax_assessed_amount: Annotated[Amount | None, Element("TaxAssessedAmount", "120", "n..16,3")] = None
    due_date_time: Annotated[DateTime | None, Element("DueDateTime", "376", "an..35")] = None
    payment_amount: Annotated[Amount | None, Element("PaymentAmount", "378", "n..16,3")] = None
    obligation_guarantee: Annotated[
        tuple[ObligationGuarantee, ...], Element("ObligationGuarantee", "90A")
    ] = ()


class ResponseDutyTaxFee(Node, frozen=True):
    """WCO class 50A, DutyTaxFee."""

    WCO_CLASS: ClassVar[str] = "50A"

    ad_valorem_tax_base_amount: Annotated[
        Amount | None, Element("AdValoremTaxBaseAmount", "116", "n..16,3")
    ] = None
    deduct_amount: Annotated[Amount | None, Element("DeductAmount", "111", "n..16,3")] = None
    duty_regime_code: Annotated[str | None, Element("DutyRegimeCode", "164", "an..3")] = None
    specific_tax_base_quantity: Annotated[
        Quantity | None, Element("SpecificTaxBaseQuantity", "129", "n..16,6")
    ] = None
    tax_rate_numeric: Annotated[Decimal | None, Element("TaxRateNumeric", "115", "an..17,3")] = None
    type_code: Annotated[str | None, Element("TypeCode", "113", "an..3")] = None
    payment: Annotated[ResponsePayment | None, Element("Payment", "94A")] = None


class ResponseCommodity(Node, frozen=True):
    """WCO class 23A, Commodity."""

    WCO_CLASS: ClassVar[str] = "23A"

    duty_tax_fee: Annotated[tuple[ResponseDutyTaxFee, ...], Element("DutyTaxFee", "50A")] = ()


class ResponseGovernmentAgencyGoodsItem(Node, frozen=True):
    """WCO class 68A, GovernmentAgencyGoodsItem."""

    WCO_CLASS: ClassVar[str] = "68A"

    sequence_numeric: Annotated[int | None, Element("SequenceNumeric", "006", "n..5")] = None
    commodity: Annotated[ResponseCommodity | None, Element("Commodity", "23A")] = None


class ResponseGoodsShipment(Node, frozen=True):
    """WCO class 67A, GoodsShipment."""

    WCO_CLASS: ClassVar[str] = "67A"

    government_agency_goods_item: Annotated[
        tuple[ResponseGovernmentAgencyGoodsItem, ...], Element("GovernmentAgencyGoodsItem", "68A")
    ] = ()


class ResponseDeclaration(Node, frozen=True):
    """WCO class 42A, Declaration."""

    WCO_CLASS: ClassVar[str] = "42A"

    acceptance_date_time: Annotated[DateTime | None, Element("AcceptanceDateTime", "023", "an..35")] = None
    cancellation_date_time: Annotated[DateTime | None, Element("CancellationDateTime", "373", "an..35")] = (
        None
    )
    functional_reference_id: Annotated[str | None, Element("FunctionalReferenceID", "D026", "an..35")] = None
    id: Annotated[str | None, Element("ID", "D014", "an..70")] = None
    rejection_date_time: Annotated[DateTime | None, Element("RejectionDateTime", "374", "an..35")] = None
    version_id: Annotated[str | None, Element("VersionID", "383", "an..9")] = None
    duty_tax_fee: Annotated[tuple[ResponseDutyTaxFee, ...], Element("DutyTaxFee", "50A")] = ()
    goods_shipment: Annotated[ResponseGoodsShipment | None, Element("GoodsShipment", "67A")] = None


class Response(Node, frozen=True):
    """WCO class 07B, Response."""

    WCO_CLASS: ClassVar[str] = "07B"

    function_code: Annotated[str | None, Element("FunctionCode", "017", "n..2")] = None
    functional_reference_id: Annotated[str | None, Element("FunctionalReferenceID", "D026", "an..35")] = None
    issue_date_time: Annotated[DateTime | None, Element("IssueDateTime", "D029", "an..35")] = None
    additional_information: Annotated[
        tuple[ResponseAdditionalInformation, ...], Element("AdditionalInformation", "03A")
    ] = ()
    amendment: Annotated[tuple[Amendment, ...], Element("Amendment", "06A")] = ()
    appeal_office: Annotated[AppealOffice | None, Element("AppealOffice", "07A")] = None
    bank: Annotated[Bank | None, Element("Bank", "14A")] = None
    contact_office: Annotated[tuple[ContactOffice, ...], Element("ContactOffice", "35A")] = ()
    error: Annotated[tuple[Error, ...], Element("Error", "53A")] = ()
    status: Annotated[tuple[Status, ...], Element("Status", "12B")] = ()
    declaration: Annotated[ResponseDeclaration | None, Element("Declaration", "42A")] = None
