"""The goods item: commodity, procedure, origin, packaging, duty."""

from decimal import Decimal
from typing import Annotated, ClassVar

from .documents import (
    UCR,
    AdditionalDocument,
    AdditionalInformation,
    CustomsValuation,
    Destination,
    ExportCountry,
    PreviousDocument,
)
from .element import Element, Node
from .parties import AEOMutualRecognitionParty, Buyer, Consignee, Consignor, DomesticDutyTaxParty, Seller
from .transport import TransportEquipment
from .values import Amount, Quantity


class Classification(Node, frozen=True):
    """WCO class 21A, Classification."""

    WCO_CLASS: ClassVar[str] = "21A"

    id: Annotated[str | None, Element("ID", "145", "an..18")] = None
    identification_type_code: Annotated[str | None, Element("IdentificationTypeCode", "", "an..3")] = None


class DangerousGoods(Node, frozen=True):
    """WCO class 12C, DangerousGoods."""

    WCO_CLASS: ClassVar[str] = "12C"

    undgid: Annotated[str | None, Element("UNDGID", "506", "n..4")] = None


class Payment(Node, frozen=True):
    """WCO class 94A, Payment."""

    WCO_CLASS: ClassVar[str] = "94A"

    method_code: Annotated[str | None, Element("MethodCode", "107", "a1")] = None
    tax_assessed_amount: Annotated[Amount | None, Element("TaxAssessedAmount", "120", "n..16,3")] = None
    payment_amount: Annotated[Amount | None, Element("PaymentAmount", "378", "n..16,3")] = None


class DutyTaxFee(Node, frozen=True):
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
    quota_order_id: Annotated[str | None, Element("QuotaOrderID", "401", "an..17")] = None
    payment: Annotated[Payment | None, Element("Payment", "94A")] = None


class GoodsMeasure(Node, frozen=True):
    """WCO class 65A, GoodsMeasure."""

    WCO_CLASS: ClassVar[str] = "65A"

    gross_mass_measure: Annotated[Quantity | None, Element("GrossMassMeasure", "126", "n..16,6")] = None
    net_net_weight_measure: Annotated[Quantity | None, Element("NetNetWeightMeasure", "128", "n..16,6")] = (
        None
    )
    tariff_quantity: Annotated[Quantity | None, Element("TariffQuantity", "130", "n..16,6")] = None


class InvoiceLine(Node, frozen=True):
    """WCO class 79A, InvoiceLine."""

    WCO_CLASS: ClassVar[str] = "79A"

    item_charge_amount: Annotated[Amount | None, Element("ItemChargeAmount", "112", "n..16,3")] = None


class Commodity(Node, frozen=True):
    """WCO class 23A, Commodity."""

    WCO_CLASS: ClassVar[str] = "23A"

    description: Annotated[str | None, Element("Description", "137", "an..512")] = None
    classification: Annotated[tuple[Classification, ...], Element("Classification", "21A")] = ()
    dangerous_goods: Annotated[tuple[DangerousGoods, ...], Element("DangerousGoods", "12C")] = ()
    duty_tax_fee: Annotated[tuple[DutyTaxFee, ...], Element("DutyTaxFee", "50A")] = ()
    goods_measure: Annotated[GoodsMeasure | None, Element("GoodsMeasure", "65A")] = None
    invoice_line: Annotated[InvoiceLine | None, Element("InvoiceLine", "79A")] = None
    transport_equipment: Annotated[tuple[TransportEquipment, ...], Element("TransportEquipment", "31B")] = ()


class GovernmentProcedure(Node, frozen=True):
    """WCO class 70A, GovernmentProcedure."""

    WCO_CLASS: ClassVar[str] = "70A"

    current_code: Annotated[str | None, Element("CurrentCode", "166", "an..7")] = None
    previous_code: Annotated[str | None, Element("PreviousCode", "161", "an..7")] = None


class Origin(Node, frozen=True):
    """WCO class 92A, Origin."""

    WCO_CLASS: ClassVar[str] = "92A"

    country_code: Annotated[str | None, Element("CountryCode", "063", "an..4")] = None
    region_id: Annotated[str | None, Element("RegionID", "066", "an..9")] = None
    type_code: Annotated[str | None, Element("TypeCode", "501", "an..3")] = None


class Packaging(Node, frozen=True):
    """WCO class 93A, Packaging."""

    WCO_CLASS: ClassVar[str] = "93A"

    sequence_numeric: Annotated[int | None, Element("SequenceNumeric", "006", "n..5")] = None
    marks_numbers_id: Annotated[str | None, Element("MarksNumbersID", "142", "an..512")] = None
    quantity_quantity: Annotated[int | None, Element("QuantityQuantity", "144", "n..8")] = None
    type_code: Annotated[str | None, Element("TypeCode", "141", "an..2")] = None
    packing_material_description: Annotated[
        str | None, Element("PackingMaterialDescription", "344", "an..256")
    ] = None
    length_measure: Annotated[Quantity | None, Element("LengthMeasure", "367", "n..15")] = None
    width_measure: Annotated[Quantity | None, Element("WidthMeasure", "368", "n..15")] = None
    height_measure: Annotated[Quantity | None, Element("HeightMeasure", "402", "n..15")] = None
    volume_measure: Annotated[Quantity | None, Element("VolumeMeasure", "395", "n..16,6")] = None


class ValuationAdjustment(Node, frozen=True):
    """WCO class 39B, ValuationAdjustment."""

    WCO_CLASS: ClassVar[str] = "39B"

    addition_code: Annotated[str | None, Element("AdditionCode", "188", "an..4")] = None


class GovernmentAgencyGoodsItem(Node, frozen=True):
    """WCO class 68A, GovernmentAgencyGoodsItem."""

    WCO_CLASS: ClassVar[str] = "68A"

    customs_value_amount: Annotated[Amount | None, Element("CustomsValueAmount", "108", "n..16,3")] = None
    sequence_numeric: Annotated[int | None, Element("SequenceNumeric", "006", "n..5")] = None
    statistical_value_amount: Annotated[
        Amount | None, Element("StatisticalValueAmount", "114", "n..16,3")
    ] = None
    transaction_nature_code: Annotated[str | None, Element("TransactionNatureCode", "103", "n..2")] = None
    additional_document: Annotated[tuple[AdditionalDocument, ...], Element("AdditionalDocument", "02A")] = ()
    additional_information: Annotated[
        tuple[AdditionalInformation, ...], Element("AdditionalInformation", "03A")
    ] = ()
    aeo_mutual_recognition_party: Annotated[
        tuple[AEOMutualRecognitionParty, ...], Element("AEOMutualRecognitionParty", "16C")
    ] = ()
    buyer: Annotated[Buyer | None, Element("Buyer", "16A")] = None
    commodity: Annotated[Commodity | None, Element("Commodity", "23A")] = None
    consignee: Annotated[Consignee | None, Element("Consignee", "27A")] = None
    consignor: Annotated[Consignor | None, Element("Consignor", "30A")] = None
    customs_valuation: Annotated[CustomsValuation | None, Element("CustomsValuation", "41A")] = None
    destination: Annotated[Destination | None, Element("Destination", "99B")] = None
    domestic_duty_tax_party: Annotated[
        tuple[DomesticDutyTaxParty, ...], Element("DomesticDutyTaxParty", "55B")
    ] = ()
    export_country: Annotated[ExportCountry | None, Element("ExportCountry", "95B")] = None
    government_procedure: Annotated[
        tuple[GovernmentProcedure, ...], Element("GovernmentProcedure", "70A")
    ] = ()
    origin: Annotated[tuple[Origin, ...], Element("Origin", "92A")] = ()
    packaging: Annotated[tuple[Packaging, ...], Element("Packaging", "93A")] = ()
    previous_document: Annotated[tuple[PreviousDocument, ...], Element("PreviousDocument", "99A")] = ()
    seller: Annotated[Seller | None, Element("Seller", "09B")] = None
    ucr: Annotated[UCR | None, Element("UCR", "35B")] = None
    valuation_adjustment: Annotated[ValuationAdjustment | None, Element("ValuationAdjustment", "39B")] = None
