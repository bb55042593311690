"""What a declaration does wrong that no schema can say."""

from lxml import etree

from ..declaration import Declaration
from ..finding import Finding, Severity
from .place import pointer


def check_declaration(declaration: Declaration, element: etree._Element) -> tuple[Finding, ...]:
    """The findings on `declaration`, read from `element`.

    An absent LRN and a repeated item number are errors: no answer could name the declaration or the item.
    A total that is not the number of items is a warning, as the agency's rules say what it counts: each item
    stands there in full, and an amendment carries only those it changes.
    """
    return tuple(
        finding
        for finding in (
            _reference(declaration, element),
            _item_count(declaration, element),
            *_item_numbers(declaration, element),
        )
        if finding is not None
    )


def _reference(declaration: Declaration, element: etree._Element) -> Finding | None:
    if declaration.functional_reference_id is not None:
        return None
    return Finding(
        code="lrn-missing",
        text="the declaration carries no local reference number (LRN)",
        pointer=pointer(element, missing="FunctionalReferenceID"),
        expected="FunctionalReferenceID",
    )


def _item_count(declaration: Declaration, element: etree._Element) -> Finding | None:
    total = declaration.goods_item_quantity
    items = _items(element)
    if total is None or total == len(items):
        return None
    place = element.find("{*}GoodsItemQuantity")
    return Finding(
        severity=Severity.WARNING,
        code="item-count",
        text="the total number of items is not the number of items",
        pointer=pointer(element if place is None else place),
        value=str(total),
        expected=str(len(items)),
    )


def _item_numbers(declaration: Declaration, element: etree._Element) -> list[Finding]:
    shipment = declaration.goods_shipment
    if shipment is None:
        return []
    numbers = [item.sequence_numeric for item in shipment.government_agency_goods_item]
    if len(set(numbers)) == len(numbers):
        return []
    elements = _items(element)
    seen: set[int] = set()
    found = []
    for number, item in zip(numbers, elements, strict=False):
        if number is not None and number in seen:
            place = item.find("{*}SequenceNumeric")
            found.append(
                Finding(
                    code="item-number-repeated",
                    text="an earlier item has the same number",
                    pointer=pointer(item if place is None else place),
                    value=str(number),
                )
            )
        elif number is not None:
            seen.add(number)
    return found


def _items(element: etree._Element) -> list[etree._Element]:
    return element.findall("{*}GoodsShipment/{*}GovernmentAgencyGoodsItem")
