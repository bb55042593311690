"""Bytes to a declaration or responses: parse, choose the schema, check, read, check the content."""

from collections.abc import Sequence

import msgspec
from lxml import etree

from ..declaration import Declaration, Response
from ..finding import MAX_FINDINGS, Finding, Severity, XmlPointer
from .content import check_declaration
from .metadata import METADATA_FIELDS, MetaData
from .names import WCO, DocumentKind, split
from .schemas import SchemaSet, Subject
from .walk import Walk, text_of
from .xml import parse


class WcoDocument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A document as read.

    `kind` is None where it carries neither a declaration nor a response. `root` and `namespace` name the
    document element. `responses` are in order; `corrections` stands beside them: the declaration as the
    agency corrected it, where a response carries one. With an error among `findings` the values hold what
    could be read, for an answer to name the document by, and are not to be acted on.
    """

    kind: DocumentKind | None = None
    root: str = ""
    namespace: str = ""
    metadata: MetaData | None = None
    declaration: Declaration | None = None
    responses: tuple[Response, ...] = ()
    corrections: tuple[Declaration | None, ...] = ()
    findings: tuple[Finding, ...] = ()


def read(data: bytes, schemas: SchemaSet) -> WcoDocument:
    """`data` as a document: MetaData around a Declaration or Responses, or either of those bare.

    Never raises on what `data` holds; an unreadable document has an error among its findings and nothing
    else. Linear in the size of `data`.
    """
    parsed = parse(data)
    if isinstance(parsed, Finding):
        return WcoDocument(findings=(parsed,))
    namespace, root = split(parsed.tag)
    metadata, bodies = _opened(parsed)
    schema = schemas.select(_subject(parsed, metadata, bodies))
    faults = schema.check(parsed, data)
    walk = Walk()
    declaration: Declaration | None = None
    responses: list[Response] = []
    corrections: list[Declaration | None] = []
    content: tuple[Finding, ...] = ()
    for body in bodies:
        if split(body.tag)[1] == DocumentKind.RESPONSE.value:
            response, correction = _response(walk, body)
            responses.append(response)
            corrections.append(correction)
        elif declaration is None:
            declaration = walk.node(Declaration, body)
            content = check_declaration(declaration, body)
    kind = DocumentKind.RESPONSE if responses else DocumentKind.DECLARATION if declaration else None
    return WcoDocument(
        kind=kind,
        root=root,
        namespace=namespace,
        metadata=metadata,
        declaration=declaration,
        responses=tuple(responses),
        corrections=tuple(corrections),
        findings=_merged(_merged(faults, walk.findings), content),
    )


def _opened(root: etree._Element) -> tuple[MetaData | None, list[etree._Element]]:
    """The envelope, if there is one, and the elements of a WCO namespace that carry the content."""
    if split(root.tag)[1] != "MetaData":
        return None, [root] if _is_body(root) else []
    values: dict[str, str] = {}
    bodies = []
    for child in root:
        name = METADATA_FIELDS.get(split(child.tag)[1])
        if name is not None:
            value = text_of(child)
            if value is not None:
                values.setdefault(name, value)
        elif _is_body(child):
            bodies.append(child)
    return MetaData(**values), bodies


def _is_body(element: etree._Element) -> bool:
    namespace, local = split(element.tag)
    return namespace.startswith(WCO) and local in {kind.value for kind in DocumentKind}


def _subject(root: etree._Element, metadata: MetaData | None, bodies: list[etree._Element]) -> Subject:
    codes: dict[str, str | None] = {}
    for child in bodies[0] if bodies else ():
        codes.setdefault(split(child.tag)[1], text_of(child))
    return Subject(
        root=root.tag,
        metadata=metadata,
        type_code=codes.get("TypeCode"),
        function_code=codes.get("FunctionCode"),
    )


def _response(walk: Walk, element: etree._Element) -> tuple[Response, Declaration | None]:
    """A response, and the corrected Declaration it carries in the declaration's own namespace, if any."""
    namespace = split(element.tag)[0]
    correction = None
    for child in element.iterchildren(f"{{*}}{DocumentKind.DECLARATION.value}"):
        if split(child.tag)[0] != namespace and _is_body(child) and correction is None:
            walk.apart = child
            correction = walk.node(Declaration, child)
    return walk.node(Response, element), correction


def _merged(faults: tuple[Finding, ...], noted: Sequence[Finding]) -> tuple[Finding, ...]:
    """Both, without what was noted about a node, or about a child it lacks, that has an error already."""
    places = {_place(fault) for fault in faults if fault.severity is Severity.ERROR} - {None}
    rest = [each for each in noted if _place(each) not in places]
    return (*faults, *rest)[:MAX_FINDINGS]


def _place(finding: Finding) -> tuple[str, str | None] | None:
    at = finding.pointer
    return (at.xpath, at.wco) if isinstance(at, XmlPointer) else None
