"""A place in a document: the XPath that selects a node, and its WCO pointer chain."""

import re
from typing import Any, NamedTuple

from lxml import etree

from ..declaration import Declaration, Field, Node, Response, fields_by_tag
from ..finding import XmlPointer
from .names import PREFIXES, split

ROOTS: dict[str, type[Node]] = {"Declaration": Declaration, "Response": Response}

# One step of the path libxml2 reports: `*` stands for an element in a default namespace and counts all
# siblings, a name counts its namesakes.
_STEP = re.compile(r"(\*|[^\[\]/:]+(?::[^\[\]/:]+)?)(?:\[(\d+)\])?")


class _Known(NamedTuple):
    """An element the data model knows: its id there, its class or its format, whether it repeats."""

    node: etree._Element
    wco: str
    kind: type[Node] | None
    many: bool
    format: str = ""


def pointer(
    element: etree._Element,
    *,
    attribute: str | None = None,
    missing: str | None = None,
    line: int | None = None,
) -> XmlPointer:
    """The place of `element`, of its `attribute`, or of its `missing` child.

    The XPath names a node that exists: for a missing child that is the parent, while the WCO chain goes on
    to the child. `line` replaces the element's own.
    """
    lineage = _lineage(element)
    namespaces: dict[str, str] = {}
    steps = [_step(node, namespaces) for node in lineage]
    if attribute is not None:
        steps.append("@" + _prefixed(attribute, namespaces))
    return XmlPointer(
        xpath="/" + "/".join(steps),
        line=line or _line(element),
        wco=_chain(lineage, missing),
        namespaces=namespaces,
    )


def node_class(element: etree._Element) -> type[Node] | None:
    """The canonical class `element` stands for, None outside the data model and for simple elements."""
    known = _known(_lineage(element))
    return known[-1].kind if known and known[-1].node is element else None


def format_of(element: etree._Element) -> str | None:
    """The format of a simple element as the data model writes it (`an..35`), None where it knows none."""
    known = _known(_lineage(element))
    return (known[-1].format or None) if known and known[-1].node is element else None


def located(root: etree._Element, path: str | None) -> etree._Element | None:
    """The element at the path libxml2 gave (without its attribute step), None where it leads nowhere.

    The steps are walked here instead of being evaluated: prefixes may be declared anywhere below the root.
    """
    steps = (path or "").split("/")[1:]
    if not steps or _STEP.fullmatch(steps[0]) is None:
        return None
    here = root
    for step in steps[1:]:
        if step.startswith("@"):
            break
        parsed = _STEP.fullmatch(step)
        found = None if parsed is None else _child(here, parsed[1], int(parsed[2] or 1))
        if found is None:
            return None
        here = found
    return here


def _child(parent: etree._Element, name: str, position: int) -> etree._Element | None:
    if name == "*":
        return parent[position - 1] if position <= len(parent) else None
    prefix, _, local = name.rpartition(":")
    for child in parent.iterchildren(f"{{*}}{local}"):
        if (child.prefix or "") == prefix:
            position -= 1
            if position == 0:
                return child
    return None


def _step(element: etree._Element, namespaces: dict[str, str]) -> str:
    name = _prefixed(element.tag, namespaces)
    before = sum(1 for _ in element.itersiblings(element.tag, preceding=True))
    repeated = before or next(element.itersiblings(element.tag), None) is not None
    return f"{name}[{before + 1}]" if repeated else name


def _prefixed(tag: str, namespaces: dict[str, str]) -> str:
    namespace, local = split(tag)
    if not namespace:
        return local
    for prefix, known in namespaces.items():
        if known == namespace:
            return f"{prefix}:{local}"
    prefix = PREFIXES.get(namespace) or f"ns{len(namespaces) + 1}"
    namespaces[prefix] = namespace
    return f"{prefix}:{local}"


def _line(element: etree._Element) -> int | None:
    line: Any = element.sourceline
    return line or None


def _lineage(element: etree._Element) -> list[etree._Element]:
    lineage = [element, *element.iterancestors()]
    lineage.reverse()
    return lineage


def _known(lineage: list[etree._Element]) -> list[_Known]:
    """The part of `lineage` that the data model knows, from its innermost root on.

    The innermost, because a Response may carry a corrected Declaration in the declaration's own namespace.
    """
    known: list[_Known] = []
    for node in lineage:
        namespace, local = split(node.tag)
        root = ROOTS.get(local)
        if root is not None and (not known or split(known[-1].node.tag)[0] != namespace):
            known = [_Known(node, root.WCO_CLASS, root, _has_namesake(node))]
            continue
        if not known:
            continue
        kind = known[-1].kind
        field = None if kind is None else fields_by_tag(kind).get(local)
        if field is None:
            break
        known.append(_Known(node, field.wco, _class(field), field.many, field.format))
    return known


def _chain(lineage: list[etree._Element], missing: str | None) -> str | None:
    """`42A / 67A / 68A#1:006`: class ids, numbered where the class repeats, and a last element id."""
    known = _known(lineage)
    if not known:
        return None
    classes = [_numbered(step) for step in known if step.kind is not None]
    last = known[-1]
    ending = "" if last.kind is not None else last.wco
    field = None if last.kind is None else fields_by_tag(last.kind).get(missing or "")
    if field is not None and _class(field) is not None:
        classes.append(field.wco)
    elif field is not None:
        ending = field.wco
    return " / ".join(classes) + (f":{ending}" if ending else "")


def _class(field: Field) -> type[Node] | None:
    return field.kind if issubclass(field.kind, Node) else None


def _numbered(step: _Known) -> str:
    if not step.many:
        return step.wco
    return f"{step.wco}#{sum(1 for _ in step.node.itersiblings(step.node.tag, preceding=True)) + 1}"


def _has_namesake(node: etree._Element) -> bool:
    return any(next(node.itersiblings(node.tag, preceding=way), None) is not None for way in (True, False))
