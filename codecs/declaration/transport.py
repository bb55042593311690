"""Consignment, means of transport, equipment and places."""

from typing import Annotated, ClassVar

from .element import Element, Node
from .parties import Address, Carrier, Consignor


class Seal(Node, frozen=True):
    """WCO class 44B, Seal."""

    WCO_CLASS: ClassVar[str] = "44B"

    sequence_numeric: Annotated[int | None, Element("SequenceNumeric", "006", "n..5")] = None
    id: Annotated[str | None, Element("ID", "165", "an..35")] = None


class TransportEquipment(Node, frozen=True):
    """WCO class 31B, TransportEquipment."""

    WCO_CLASS: ClassVar[str] = "31B"

    sequence_numeric: Annotated[int | None, Element("SequenceNumeric", "006", "n..5")] = None
    id: Annotated[str | None, Element("ID", "159", "an..17")] = None
    seal: Annotated[tuple[Seal, ...], Element("Seal", "44B")] = ()


class ArrivalTransportMeans(Node, frozen=True):
    """WCO class 10A, ArrivalTransportMeans."""

    WCO_CLASS: ClassVar[str] = "10A"

    name: Annotated[str | None, Element("Name", "T001", "an..35")] = None
    id: Annotated[str | None, Element("ID", "T002", "an..35")] = None
    identification_type_code: Annotated[str | None, Element("IdentificationTypeCode", "T034", "an..17")] = (
        None
    )
    type_code: Annotated[str | None, Element("TypeCode", "T008", "an..4")] = None
    mode_code: Annotated[str | None, Element("ModeCode", "T020", "n1")] = None


class DepartureTransportMeans(Node, frozen=True):
    """WCO class 46A, DepartureTransportMeans."""

    WCO_CLASS: ClassVar[str] = "46A"

    name: Annotated[str | None, Element("Name", "T003", "an..35")] = None
    id: Annotated[str | None, Element("ID", "T004", "an..35")] = None
    identification_type_code: Annotated[str | None, Element("IdentificationTypeCode", "T029", "an..17")] = (
        None
    )
    type_code: Annotated[str | None, Element("TypeCode", "T009", "an..4")] = None
    mode_code: Annotated[str | None, Element("ModeCode", "T021", "n1")] = None


class BorderTransportMeans(Node, frozen=True):
    """WCO class 15A, BorderTransportMeans."""

    WCO_CLASS: ClassVar[str] = "15A"

    name: Annotated[str | None, Element("Name", "T005", "an..35")] = None
    id: Annotated[str | None, Element("ID", "T006", "an..35")] = None
    identification_type_code: Annotated[str | None, Element("IdentificationTypeCode", "T018", "an..17")] = (
        None
    )
    type_code: Annotated[str | None, Element("TypeCode", "T010", "an..4")] = None
    registration_nationality_code: Annotated[
        str | None, Element("RegistrationNationalityCode", "T014", "a2")
    ] = None
    mode_code: Annotated[str | None, Element("ModeCode", "T022", "n1")] = None


class GoodsLocation(Node, frozen=True):
    """WCO class 64A, GoodsLocation."""

    WCO_CLASS: ClassVar[str] = "64A"

    name: Annotated[str | None, Element("Name", "L016", "an..256")] = None
    id: Annotated[str | None, Element("ID", "L017", "an..17")] = None
    type_code: Annotated[str | None, Element("TypeCode", "L110", "an..3")] = None
    address: Annotated[Address | None, Element("Address", "04A")] = None


class LoadingLocation(Node, frozen=True):
    """WCO class 83A, LoadingLocation."""

    WCO_CLASS: ClassVar[str] = "83A"

    name: Annotated[str | None, Element("Name", "L009", "an..256")] = None
    id: Annotated[str | None, Element("ID", "L010", "an..17")] = None


class Freight(Node, frozen=True):
    """WCO class 62A, Freight."""

    WCO_CLASS: ClassVar[str] = "62A"

    payment_method_code: Annotated[str | None, Element("PaymentMethodCode", "098", "an..3")] = None


class Itinerary(Node, frozen=True):
    """WCO class 81A, Itinerary."""

    WCO_CLASS: ClassVar[str] = "81A"

    sequence_numeric: Annotated[int | None, Element("SequenceNumeric", "006", "n..5")] = None
    routing_country_code: Annotated[str | None, Element("RoutingCountryCode", "064", "a2")] = None


class ConsignmentItem(Node, frozen=True):
    """WCO class 29A, ConsignmentItem."""

    WCO_CLASS: ClassVar[str] = "29A"

    sequence_numeric: Annotated[int | None, Element("SequenceNumeric", "006", "n..5")] = None
    consignor: Annotated[Consignor | None, Element("Consignor", "30A")] = None
    freight: Annotated[Freight | None, Element("Freight", "62A")] = None


class Consignment(Node, frozen=True):
    """WCO class 28A, Consignment."""

    WCO_CLASS: ClassVar[str] = "28A"

    carrier: Annotated[Carrier | None, Element("Carrier", "18A")] = None
    consignment_item: Annotated[tuple[ConsignmentItem, ...], Element("ConsignmentItem", "29A")] = ()
    consignor: Annotated[Consignor | None, Element("Consignor", "30A")] = None
    freight: Annotated[Freight | None, Element("Freight", "62A")] = None
    itinerary: Annotated[tuple[Itinerary, ...], Element("Itinerary", "81A")] = ()
    container_code: Annotated[str | None, Element("ContainerCode", "096", "an..3")] = None
    arrival_transport_means: Annotated[
        ArrivalTransportMeans | None, Element("ArrivalTransportMeans", "10A")
    ] = None
    departure_transport_means: Annotated[
        DepartureTransportMeans | None, Element("DepartureTransportMeans", "46A")
    ] = None
    goods_location: Annotated[GoodsLocation | None, Element("GoodsLocation", "64A")] = None
    loading_location: Annotated[LoadingLocation | None, Element("LoadingLocation", "83A")] = None
    transport_equipment: Annotated[tuple[TransportEquipment, ...], Element("TransportEquipment", "31B")] = ()
