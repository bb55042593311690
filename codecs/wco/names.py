"""The names of WCO XML: namespaces, roots, and the prefixes pointers and written documents use."""

import enum

WCO = "urn:wco:datamodel:"
METADATA = "urn:wco:datamodel:WCO:DocumentMetaData-DMS:2"
DECLARATION = "urn:wco:datamodel:WCO:DEC-DMS:2"
DECLARATION_DATES = "urn:wco:datamodel:WCO:Declaration_DS:DMS:2"
RESPONSE = "urn:wco:datamodel:WCO:RES-DMS:2"
RESPONSE_DATES = "urn:wco:datamodel:WCO:Response_DS:DMS:2"

# Prefixes for the XPath of a pointer; a namespace outside this list gets ns1, ns2 and so on.
PREFIXES = {
    METADATA: "md",
    DECLARATION: "dec",
    DECLARATION_DATES: "decds",
    RESPONSE: "res",
    RESPONSE_DATES: "resds",
}


class DocumentKind(enum.Enum):
    """What a document carries; the value is the local name of the element that carries it."""

    DECLARATION = "Declaration"
    RESPONSE = "Response"


def split(tag: str) -> tuple[str, str]:
    """The namespace (empty if none) and the local name of an ElementTree tag."""
    if tag.startswith("{"):
        namespace, _, local = tag[1:].partition("}")
        return namespace, local
    return "", tag
