"""The content rules of the data model, with the places of an XML document."""

from lxml import etree

from ..declaration import DateTime, Declaration, Fault, Node, check_content
from ..finding import Finding, XmlPointer, shown
from .names import split
from .place import pointer

# The attribute that carries a part of a value.
_ATTRIBUTES = {"currency": "currencyID", "unit": "unitCode", "format": "formatCode"}
_DATES = frozenset({"DateTimeString", "DateTime"})


def check_declaration(declaration: Declaration, element: etree._Element) -> tuple[Finding, ...]:
    """The findings on `declaration`, read from `element`: see `check_content`."""
    return tuple(_finding(fault, element) for fault in check_content(declaration))


def _finding(fault: Fault, element: etree._Element) -> Finding:
    return Finding(
        severity=fault.severity,
        code=fault.code,
        text=f"{fault.path[-1].field.tag} {fault.text}",
        pointer=_place(fault, element),
        value=None if fault.value is None else shown(fault.value),
        expected=fault.expected,
    )


def _place(fault: Fault, element: etree._Element) -> XmlPointer:
    """The node at fault; for a child that is absent its parent."""
    namespace = split(element.tag)[0]
    here = element
    for field, index in fault.path:
        tag = f"{{{namespace}}}{field.tag}" if namespace else field.tag
        children = here.findall(tag)
        if not children or (index is None and field.many and issubclass(field.kind, Node)):
            return pointer(here, missing=field.tag)
        here = children[index or 0]
    if fault.path[-1].field.kind is DateTime:
        here = next((child for child in here if split(child.tag)[1] in _DATES), here)
    name = _ATTRIBUTES.get(fault.part)
    return pointer(here, attribute=name if name is not None and here.get(name) is not None else None)
