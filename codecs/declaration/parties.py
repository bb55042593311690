"""The parties to a declaration: WCO party classes, and how to reach them."""

from typing import Annotated, ClassVar

from .element import Element, Node


class Address(Node, frozen=True):
    """WCO class 04A, Address."""

    WCO_CLASS: ClassVar[str] = "04A"

    type_code: Annotated[str | None, Element("TypeCode", "410", "an..3")] = None
    city_name: Annotated[str | None, Element("CityName", "241", "an..35")] = None
    country_code: Annotated[str | None, Element("CountryCode", "242", "a2")] = None
    country_sub_division_code: Annotated[str | None, Element("CountrySubDivisionCode", "244", "an..9")] = None
    country_sub_division_name: Annotated[str | None, Element("CountrySubDivisionName", "243", "an..35")] = (
        None
    )
    line: Annotated[str | None, Element("Line", "239", "an..70")] = None
    postcode_id: Annotated[str | None, Element("PostcodeID", "245", "an..9")] = None


class Contact(Node, frozen=True):
    """WCO class 34A, Contact."""

    WCO_CLASS: ClassVar[str] = "34A"

    name: Annotated[str | None, Element("Name", "246", "an..70")] = None


class Communication(Node, frozen=True):
    """WCO class 25A, Communication."""

    WCO_CLASS: ClassVar[str] = "25A"

    id: Annotated[str | None, Element("ID", "240", "an..50")] = None
    type_code: Annotated[str | None, Element("TypeCode", "253", "an..3")] = None


class Authenticator(Node, frozen=True):
    """WCO class 12A, Authenticator."""

    WCO_CLASS: ClassVar[str] = "12A"

    name: Annotated[str | None, Element("Name", "R007", "an..70")] = None


class Authentication(Node, frozen=True):
    """WCO class 61B, Authentication."""

    WCO_CLASS: ClassVar[str] = "61B"

    authentication: Annotated[str | None, Element("Authentication", "104", "an..256")] = None
    authenticator: Annotated[Authenticator | None, Element("Authenticator", "12A")] = None


class Submitter(Node, frozen=True):
    """WCO class 17B, Submitter."""

    WCO_CLASS: ClassVar[str] = "17B"

    name: Annotated[str | None, Element("Name", "R058", "an..70")] = None
    id: Annotated[str | None, Element("ID", "R059", "an..17")] = None
    address: Annotated[Address | None, Element("Address", "04A")] = None
    role_code: Annotated[str | None, Element("RoleCode", "R005", "an..3")] = None


class Agent(Node, frozen=True):
    """WCO class 05A, Agent."""

    WCO_CLASS: ClassVar[str] = "05A"

    name: Annotated[str | None, Element("Name", "R003", "an..70")] = None
    id: Annotated[str | None, Element("ID", "R004", "an..17")] = None
    function_code: Annotated[str | None, Element("FunctionCode", "102", "an..3")] = None
    address: Annotated[Address | None, Element("Address", "04A")] = None


class AuthorisationHolder(Node, frozen=True):
    """WCO class 17C, AuthorisationHolder."""

    WCO_CLASS: ClassVar[str] = "17C"

    id: Annotated[str | None, Element("ID", "R144", "an..17")] = None
    category_code: Annotated[str | None, Element("CategoryCode", "R145", "an..4")] = None


class Carrier(Node, frozen=True):
    """WCO class 18A, Carrier."""

    WCO_CLASS: ClassVar[str] = "18A"

    name: Annotated[str | None, Element("Name", "R011", "an..70")] = None
    id: Annotated[str | None, Element("ID", "R012", "an..17")] = None
    address: Annotated[Address | None, Element("Address", "04A")] = None
    communication: Annotated[Communication | None, Element("Communication", "25A")] = None


class Consignor(Node, frozen=True):
    """WCO class 30A, Consignor."""

    WCO_CLASS: ClassVar[str] = "30A"

    name: Annotated[str | None, Element("Name", "R020", "an..70")] = None
    id: Annotated[str | None, Element("ID", "R021", "an..17")] = None
    address: Annotated[Address | None, Element("Address", "04A")] = None


class Consignee(Node, frozen=True):
    """WCO class 27A, Consignee."""

    WCO_CLASS: ClassVar[str] = "27A"

    name: Annotated[str | None, Element("Name", "R014", "an..70")] = None
    id: Annotated[str | None, Element("ID", "R015", "an..17")] = None
    address: Annotated[Address | None, Element("Address", "04A")] = None


class Declarant(Node, frozen=True):
    """WCO class 57B, Declarant."""

    WCO_CLASS: ClassVar[str] = "57B"

    name: Annotated[str | None, Element("Name", "R124", "an..70")] = None
    id: Annotated[str | None, Element("ID", "R123", "an..17")] = None
    address: Annotated[Address | None, Element("Address", "04A")] = None
    contact: Annotated[Contact | None, Element("Contact", "34A")] = None
    communication: Annotated[Communication | None, Element("Communication", "25A")] = None


class Exporter(Node, frozen=True):
    """WCO class 57A, Exporter."""

    WCO_CLASS: ClassVar[str] = "57A"

    name: Annotated[str | None, Element("Name", "R031", "an..70")] = None
    id: Annotated[str | None, Element("ID", "R032", "an..17")] = None
    address: Annotated[Address | None, Element("Address", "04A")] = None
    contact: Annotated[Contact | None, Element("Contact", "34A")] = None
    communication: Annotated[Communication | None, Element("Communication", "25A")] = None


class Importer(Node, frozen=True):
    """WCO class 74A, Importer."""

    WCO_CLASS: ClassVar[str] = "74A"

    name: Annotated[str | None, Element("Name", "R037", "an..70")] = None
    id: Annotated[str | None, Element("ID", "R038", "an..17")] = None
    address: Annotated[Address | None, Element("Address", "04A")] = None
    contact: Annotated[Contact | None, Element("Contact", "34A")] = None
    communication: Annotated[Communication | None, Element("Communication", "25A")] = None


class AEOMutualRecognitionParty(Node, frozen=True):
    """WCO class 16C, AEOMutualRecognitionParty."""

    WCO_CLASS: ClassVar[str] = "16C"

    id: Annotated[str | None, Element("ID", "R143", "an..17")] = None
    role_code: Annotated[str | None, Element("RoleCode", "R005", "an..3")] = None


class Buyer(Node, frozen=True):
    """WCO class 16A, Buyer."""

    WCO_CLASS: ClassVar[str] = "16A"

    name: Annotated[str | None, Element("Name", "R009", "an..70")] = None
    id: Annotated[str | None, Element("ID", "R010", "an..17")] = None
    address: Annotated[Address | None, Element("Address", "04A")] = None
    contact: Annotated[Contact | None, Element("Contact", "34A")] = None
    communication: Annotated[Communication | None, Element("Communication", "25A")] = None


class Seller(Node, frozen=True):
    """WCO class 09B, Seller."""

    WCO_CLASS: ClassVar[str] = "09B"

    name: Annotated[str | None, Element("Name", "R050", "an..70")] = None
    id: Annotated[str | None, Element("ID", "R051", "an..17")] = None
    address: Annotated[Address | None, Element("Address", "04A")] = None
    contact: Annotated[Contact | None, Element("Contact", "34A")] = None
    communication: Annotated[Communication | None, Element("Communication", "25A")] = None


class DomesticDutyTaxParty(Node, frozen=True):
    """WCO class 55B, DomesticDutyTaxParty."""

    WCO_CLASS: ClassVar[str] = "55B"

    id: Annotated[str | None, Element("ID", "R119", "an..17")] = None
    role_code: Annotated[str | None, Element("RoleCode", "R005", "an..3")] = None


class Payer(Node, frozen=True):
    """WCO class 56B, Payer."""

    WCO_CLASS: ClassVar[str] = "56B"

    name: Annotated[str | None, Element("Name", "R120", "an..70")] = None
    id: Annotated[str | None, Element("ID", "R121", "an..17")] = None
    address: Annotated[Address | None, Element("Address", "04A")] = None


class Surety(Node, frozen=True):
    """WCO class 19B, Surety."""

    WCO_CLASS: ClassVar[str] = "19B"

    name: Annotated[str | None, Element("Name", "R054", "an..70")] = None
    id: Annotated[str | None, Element("ID", "R055", "an..17")] = None
    address: Annotated[Address | None, Element("Address", "04A")] = None
