"""The one canonical declaration and response, which both syntaxes read into and write from."""

from .content import Fault, Step, check_content
from .declaration import Declaration, GoodsShipment
from .documents import AdditionalDocument, AdditionalInformation, Amendment, Pointer, PreviousDocument
from .element import Element, Field, Node, fields, fields_by_tag
from .goods import (
    Classification,
    Commodity,
    DutyTaxFee,
    GovernmentAgencyGoodsItem,
    GovernmentProcedure,
    Packaging,
)
from .parties import Address
from .response import Error, Response, ResponseAdditionalInformation, ResponseDeclaration, Status
from .values import Amount, DateTime, Quantity

__all__ = [
    "AdditionalDocument",
    "AdditionalInformation",
    "Address",
    "Amendment",
    "Amount",
    "Classification",
    "Commodity",
    "DateTime",
    "Declaration",
    "DutyTaxFee",
    "Element",
    "Error",
    "Fault",
    "Field",
    "GoodsShipment",
    "GovernmentAgencyGoodsItem",
    "GovernmentProcedure",
    "Node",
    "Packaging",
    "Pointer",
    "PreviousDocument",
    "Quantity",
    "Response",
    "ResponseAdditionalInformation",
    "ResponseDeclaration",
    "Status",
    "Step",
    "check_content",
    "fields",
    "fields_by_tag",
]
