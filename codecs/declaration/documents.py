"""Documents, references, offices, terms and guarantees of a declaration."""

from decimal import Decimal
from typing import Annotated, ClassVar

from .element import Element, Node
from .parties import Submitter
from .values import Amount, DateTime, Quantity


class Pointer(Node, frozen=True):
    """WCO class 97A, Pointer."""

    WCO_CLASS: ClassVar[str] = "97A"

    sequence_numeric: Annotated[int | None, Element("SequenceNumeric", "006", "n..5")] = None
    document_section_code: Annotated[str | None, Element("DocumentSectionCode", "375", "an..3")] = None
    tag_id: Annotated[str | None, Element("TagID", "381", "an..4")] = None


class Amendment(Node, frozen=True):
    """WCO class 06A, Amendment."""

    WCO_CLASS: ClassVar[str] = "06A"

    change_reason_code: Annotated[str | None, Element("ChangeReasonCode", "099", "an..3")] = None
    pointer: Annotated[tuple[Pointer, ...], Element("Pointer", "97A")] = ()


class AdditionalInformation(Node, frozen=True):
    """WCO class 03A, AdditionalInformation."""

    WCO_CLASS: ClassVar[str] = "03A"

    statement_code: Annotated[str | None, Element("StatementCode", "226", "an..17")] = None
    statement_description: Annotated[str | None, Element("StatementDescription", "225", "an..512")] = None
    statement_type_code: Annotated[str | None, Element("StatementTypeCode", "369", "an..3")] = None
    pointer: Annotated[tuple[Pointer, ...], Element("Pointer", "97A")] = ()


class PreviousDocument(Node, frozen=True):
    """WCO class 99A, PreviousDocument."""

    WCO_CLASS: ClassVar[str] = "99A"

    category_code: Annotated[str | None, Element("CategoryCode", "D031", "an..3")] = None
    id: Annotated[str | None, Element("ID", "D018", "an..70")] = None
    type_code: Annotated[str | None, Element("TypeCode", "D019", "an..3")] = None
    line_numeric: Annotated[int | None, Element("LineNumeric", "171", "n..5")] = None


class UCR(Node, frozen=True):
    """WCO class 35B, UCR."""

    WCO_CLASS: ClassVar[str] = "35B"

    id: Annotated[str | None, Element("ID", "016", "an..35")] = None
    trader_assigned_reference_id: Annotated[
        str | None, Element("TraderAssignedReferenceID", "009", "an..35")
    ] = None


class WriteOff(Node, frozen=True):
    """WCO class 22C, WriteOff."""

    WCO_CLASS: ClassVar[str] = "22C"

    quantity_quantity: Annotated[Quantity | None, Element("QuantityQuantity", "502", "n..16,6")] = None
    amount_amount: Annotated[Amount | None, Element("AmountAmount", "503", "n..16,3")] = None


class AdditionalDocument(Node, frozen=True):
    """WCO class 02A, AdditionalDocument."""

    WCO_CLASS: ClassVar[str] = "02A"

    category_code: Annotated[str | None, Element("CategoryCode", "D031", "an..3")] = None
    effective_date_time: Annotated[DateTime | None, Element("EffectiveDateTime", "276", "an..35")] = None
    id: Annotated[str | None, Element("ID", "D005", "an..70")] = None
    name: Annotated[str | None, Element("Name", "D028", "an..35")] = None
    type_code: Annotated[str | None, Element("TypeCode", "D006", "an..3")] = None
    lpco_exemption_code: Annotated[str | None, Element("LPCOExemptionCode", "360", "an..3")] = None
    submitter: Annotated[Submitter | None, Element("Submitter", "17B")] = None
    write_off: Annotated[WriteOff | None, Element("WriteOff", "22C")] = None


class ChargeDeduction(Node, frozen=True):
    """WCO class 58B, ChargeDeduction."""

    WCO_CLASS: ClassVar[str] = "58B"

    charges_type_code: Annotated[str | None, Element("ChargesTypeCode", "371", "an..3")] = None
    other_charge_deduction_amount: Annotated[
        Amount | None, Element("OtherChargeDeductionAmount", "181", "n..16,3")
    ] = None


class CustomsValuation(Node, frozen=True):
    """WCO class 41A, CustomsValuation."""

    WCO_CLASS: ClassVar[str] = "41A"

    freight_charge_amount: Annotated[Amount | None, Element("FreightChargeAmount", "117", "n..16,3")] = None
    method_code: Annotated[str | None, Element("MethodCode", "122", "an..3")] = None
    charge_deduction: Annotated[tuple[ChargeDeduction, ...], Element("ChargeDeduction", "58B")] = ()


class Destination(Node, frozen=True):
    """WCO class 99B, Destination."""

    WCO_CLASS: ClassVar[str] = "99B"

    country_code: Annotated[str | None, Element("CountryCode", "465", "a2")] = None
    region_id: Annotated[str | None, Element("RegionID", "477", "an..9")] = None


class ExportCountry(Node, frozen=True):
    """WCO class 95B, ExportCountry."""

    WCO_CLASS: ClassVar[str] = "95B"

    id: Annotated[str | None, Element("ID", "062", "a2")] = None


class ExitOffice(Node, frozen=True):
    """WCO class 56A, ExitOffice."""

    WCO_CLASS: ClassVar[str] = "56A"

    id: Annotated[str | None, Element("ID", "G005", "an..17")] = None


class PresentationOffice(Node, frozen=True):
    """WCO class 15C, PresentationOffice."""

    WCO_CLASS: ClassVar[str] = "15C"

    id: Annotated[str | None, Element("ID", "G015", "an..17")] = None


class SupervisingOffice(Node, frozen=True):
    """WCO class 97B, SupervisingOffice."""

    WCO_CLASS: ClassVar[str] = "97B"

    id: Annotated[str | None, Element("ID", "G012", "an..17")] = None


class GuaranteeOffice(Node, frozen=True):
    """WCO class 14C, GuaranteeOffice."""

    WCO_CLASS: ClassVar[str] = "14C"

    id: Annotated[str | None, Element("ID", "G014", "an..17")] = None


class ObligationGuarantee(Node, frozen=True):
    """WCO class 90A, ObligationGuarantee."""

    WCO_CLASS: ClassVar[str] = "90A"

    amount_amount: Annotated[Amount | None, Element("AmountAmount", "492", "n..16,3")] = None
    id: Annotated[str | None, Element("ID", "D014", "an..70")] = None
    reference_id: Annotated[str | None, Element("ReferenceID", "100", "an..35")] = None
    security_details_code: Annotated[str | None, Element("SecurityDetailsCode", "101", "an..3")] = None
    access_code: Annotated[str | None, Element("AccessCode", "499", "an..4")] = None
    guarantee_office: Annotated[GuaranteeOffice | None, Element("GuaranteeOffice", "14C")] = None


class CurrencyExchange(Node, frozen=True):
    """WCO class 40A, CurrencyExchange."""

    WCO_CLASS: ClassVar[str] = "40A"

    currency_type_code: Annotated[str | None, Element("CurrencyTypeCode", "135", "a3")] = None
    rate_numeric: Annotated[Decimal | None, Element("RateNumeric", "118", "n..12,5")] = None


class Invoice(Node, frozen=True):
    """WCO class 78A, Invoice."""

    WCO_CLASS: ClassVar[str] = "78A"

    id: Annotated[str | None, Element("ID", "D016", "an..70")] = None
    issue_date_time: Annotated[DateTime | None, Element("IssueDateTime", "D015", "an..35")] = None


class TradeTerms(Node, frozen=True):
    """WCO class 22B, TradeTerms."""

    WCO_CLASS: ClassVar[str] = "22B"

    condition_code: Annotated[str | None, Element("ConditionCode", "090", "a3")] = None
    country_relationship_code: Annotated[str | None, Element("CountryRelationshipCode", "106", "an..3")] = (
        None
    )
    description: Annotated[str | None, Element("Description", "089", "an..70")] = None
    location_id: Annotated[str | None, Element("LocationID", "L002", "an..17")] = None
    location_name: Annotated[str | None, Element("LocationName", "L001", "an..256")] = None


class Warehouse(Node, frozen=True):
    """WCO class 43B, Warehouse."""

    WCO_CLASS: ClassVar[str] = "43B"

    id: Annotated[str | None, Element("ID", "L019", "an..35")] = None
    type_code: Annotated[str | None, Element("TypeCode", "L112", "an..3")] = None
