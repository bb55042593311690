"""The canonical declaration: what both syntaxes are read into and written from."""

from typing import Annotated, ClassVar

from .documents import (
    UCR,
    AdditionalDocument,
    AdditionalInformation,
    Amendment,
    CurrencyExchange,
    CustomsValuation,
    Destination,
    ExitOffice,
    ExportCountry,
    Invoice,
    ObligationGuarantee,
    PresentationOffice,
    PreviousDocument,
    SupervisingOffice,
    TradeTerms,
    Warehouse,
)
from .element import Element, Node
from .goods import GovernmentAgencyGoodsItem
from .parties import (
    AEOMutualRecognitionParty,
    Agent,
    Authentication,
    AuthorisationHolder,
    Buyer,
    Consignee,
    Consignor,
    Declarant,
    DomesticDutyTaxParty,
    Exporter,
    Importer,
    Payer,
    Seller,
    Submitter,
    Surety,
)
from .transport import BorderTransportMeans, Consignment
from .values import Amount, DateTime, Quantity


class GoodsShipment(Node, frozen=True):
    """WCO class 67A, GoodsShipment."""

    WCO_CLASS: ClassVar[str] = "67A"

    exit_date_time: Annotated[DateTime | None, Element("ExitDateTime", "024", "an..35")] = None
    transaction_nature_code: Annotated[str | None, Element("TransactionNatureCode", "103", "n..2")] = None
    aeo_mutual_recognition_party: Annotated[
        tuple[AEOMutualRecognitionParty, ...], Element("AEOMutualRecognitionParty", "16C")
    ] = ()
    buyer: Annotated[Buyer | None, Element("Buyer", "16A")] = None
    consignee: Annotated[Consignee | None, Element("Consignee", "27A")] = None
    consignment: Annotated[Consignment | None, Element("Consignment", "28A")] = None
    consignor: Annotated[Consignor | None, Element("Consignor", "30A")] = None
    customs_valuation: Annotated[CustomsValuation | None, Element("CustomsValuation", "41A")] = None
    destination: Annotated[Destination | None, Element("Destination", "99B")] = None
    domestic_duty_tax_party: Annotated[
        tuple[DomesticDutyTaxParty, ...], Element("DomesticDutyTaxParty", "55B")
    ] = ()
    export_country: Annotated[ExportCountry | None, Element("ExportCountry", "95B")] = None
    government_agency_goods_item: Annotated[
        tuple[GovernmentAgencyGoodsItem, ...], Element("GovernmentAgencyGoodsItem", "68A")
    ] = ()
    importer: Annotated[Importer | None, Element("Importer", "74A")] = None
    invoice: Annotated[Invoice | None, Element("Invoice", "78A")] = None
    payer: Annotated[Payer | None, Element("Payer", "56B")] = None
    previous_document: Annotated[tuple[PreviousDocument, ...], Element("PreviousDocument", "99A")] = ()
    seller: Annotated[Seller | None, Element("Seller", "09B")] = None
    surety: Annotated[Surety | None, Element("Surety", "19B")] = None
    trade_terms: Annotated[TradeTerms | None, Element("TradeTerms", "22B")] = None
    ucr: Annotated[UCR | None, Element("UCR", "35B")] = None
    warehouse: Annotated[Warehouse | None, Element("Warehouse", "43B")] = None


class Declaration(Node, frozen=True):
    """WCO class 42A, Declaration."""

    WCO_CLASS: ClassVar[str] = "42A"

    acceptance_date_time: Annotated[DateTime | None, Element("AcceptanceDateTime", "023", "an..35")] = None
    function_code: Annotated[str | None, Element("FunctionCode", "017", "n..2")] = None
    functional_reference_id: Annotated[str | None, Element("FunctionalReferenceID", "D026", "an..35")] = None
    id: Annotated[str | None, Element("ID", "D014", "an..70")] = None
    issue_date_time: Annotated[DateTime | None, Element("IssueDateTime", "D011", "an..35")] = None
    issue_location_id: Annotated[str | None, Element("IssueLocationID", "D012", "an..5")] = None
    type_code: Annotated[str | None, Element("TypeCode", "D013", "an..3")] = None
    goods_item_quantity: Annotated[int | None, Element("GoodsItemQuantity", "228", "n..5")] = None
    declaration_office_id: Annotated[str | None, Element("DeclarationOfficeID", "065", "an..17")] = None
    invoice_amount: Annotated[Amount | None, Element("InvoiceAmount", "109", "n..16,3")] = None
    loading_list_quantity: Annotated[int | None, Element("LoadingListQuantity", "013", "n..5")] = None
    total_gross_mass_measure: Annotated[
        Quantity | None, Element("TotalGrossMassMeasure", "131", "n..16,6")
    ] = None
    total_package_quantity: Annotated[int | None, Element("TotalPackageQuantity", "146", "n..8")] = None
    specific_circumstances_code_code: Annotated[
        str | None, Element("SpecificCircumstancesCodeCode", "504", "an..3")
    ] = None
    authentication: Annotated[Authentication | None, Element("Authentication", "61B")] = None
    submitter: Annotated[Submitter | None, Element("Submitter", "17B")] = None
    additional_document: Annotated[tuple[AdditionalDocument, ...], Element("AdditionalDocument", "02A")] = ()
    additional_information: Annotated[
        tuple[AdditionalInformation, ...], Element("AdditionalInformation", "03A")
    ] = ()
    agent: Annotated[Agent | None, Element("Agent", "05A")] = None
    amendment: Annotated[tuple[Amendment, ...], Element("Amendment", "06A")] = ()
    authorisation_holder: Annotated[
        tuple[AuthorisationHolder, ...], Element("AuthorisationHolder", "17C")
    ] = ()
    border_transport_means: Annotated[BorderTransportMeans | None, Element("BorderTransportMeans", "15A")] = (
        None
    )
    consignment: Annotated[Consignment | None, Element("Consignment", "28A")] = None
    currency_exchange: Annotated[tuple[CurrencyExchange, ...], Element("CurrencyExchange", "40A")] = ()
    declarant: Annotated[Declarant | None, Element("Declarant", "57B")] = None
    exit_office: Annotated[ExitOffice | None, Element("ExitOffice", "56A")] = None
    exporter: Annotated[Exporter | None, Element("Exporter", "57A")] = None
    goods_shipment: Annotated[GoodsShipment | None, Element("GoodsShipment", "67A")] = None
    obligation_guarantee: Annotated[
        tuple[ObligationGuarantee, ...], Element("ObligationGuarantee", "90A")
    ] = ()
    presentation_office: Annotated[PresentationOffice | None, Element("PresentationOffice", "15C")] = None
    supervising_office: Annotated[SupervisingOffice | None, Element("SupervisingOffice", "97B")] = None
