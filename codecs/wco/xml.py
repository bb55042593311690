"""Bytes to an XML tree, hardened: nothing is fetched or expanded, and size is known before a tree exists."""

import re
from typing import Any

from lxml import etree

from ..finding import Finding, XmlPointer, shown

# A declaration of 999 items, the most the data model allows, measures 2.4 MB with 54,000 elements.
MAX_BYTES = 16 * 1024 * 1024
# An element costs libxml2 about 120 octets and an attribute twice that, so both limits together keep a tree
# of nothing but markup under 48 MiB.
MAX_ELEMENTS = 150_000
MAX_ATTRIBUTES = 100_000
# One for each date of a declaration of 999 items, three times over.
MAX_NAMESPACES = 20_000
# The widest element has nine; validation reports each unknown one.
MAX_ATTRIBUTES_OF_ELEMENT = 64
# A document of this size cannot reach any of the limits above, so nothing in it need be counted.
SMALL_BYTES = 64 * 1024
# Enough for a byte order mark and an XML declaration with comfortable spacing.
XML_DECLARATION_BYTES = 512

_UTF8_MARK = b"\xef\xbb\xbf"
_UTF16 = {
    b"\xff\xfe": "utf-16-le",
    b"\xfe\xff": "utf-16-be",
    b"<\0": "utf-16-le",
    b"\0<": "utf-16-be",
}
_UTF32 = (b"\xff\xfe\0\0", b"\0\0\xfe\xff", b"<\0\0\0", b"\0\0\0<")
_ENCODING = re.compile(rb"""<\?xml\s[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
# In each of these markup is ASCII, which the counts below rest on. UTF-7 and EBCDIC are left out for that.
_ENCODINGS = re.compile(rb"utf-?8|us-ascii|iso-8859-\d{1,2}|windows-125\d", re.IGNORECASE)
# What may stand before a document type declaration (XML 1.0, productions 22 and 27).
_DOCTYPE = re.compile(rb"(?:[ \t\r\n]++|<\?.*?\?>|<!--.*?-->)*+<!DOCTYPE", re.DOTALL)
_TOO_WIDE = etree.XPath(f"boolean(//*[count(@*) > {MAX_ATTRIBUTES_OF_ELEMENT}])")

_REASONS = {
    etree.ErrorTypes.ERR_DOCUMENT_EMPTY: "the document is empty",
    etree.ErrorTypes.ERR_DOCUMENT_END: "something follows the document element: a file holds one document",
    etree.ErrorTypes.ERR_TAG_NAME_MISMATCH: "an end tag does not match its start tag",
    etree.ErrorTypes.ERR_TAG_NOT_FINISHED: "the document ends before its elements do",
    etree.ErrorTypes.ERR_GT_REQUIRED: "a tag is not closed",
    etree.ErrorTypes.ERR_LT_REQUIRED: "markup was expected",
    etree.ErrorTypes.ERR_INVALID_CHAR: "a character XML does not allow",
    etree.ErrorTypes.ERR_INVALID_ENCODING: "octets that do not follow the declared encoding",
    etree.ErrorTypes.ERR_UNDECLARED_ENTITY: "a reference to an undeclared entity",
    etree.ErrorTypes.ERR_ATTRIBUTE_REDEFINED: "an attribute is given twice",
    etree.ErrorTypes.ERR_NAME_REQUIRED: "a name was expected",
    etree.ErrorTypes.ERR_NAME_TOO_LONG: "a name is too long",
    etree.ErrorTypes.ERR_RESOURCE_LIMIT: "a limit of the parser is exceeded",
    etree.ErrorTypes.ERR_RESERVED_XML_NAME: (
        "an XML declaration stands after the beginning of the file: nothing may stand before it, and a file "
        "holds one document"
    ),
    etree.ErrorTypes.NS_ERR_UNDEFINED_NAMESPACE: "a namespace prefix is not declared",
}


def parser(encoding: str | None = None, schema: etree.XMLSchema | None = None) -> etree.XMLParser:
    """A parser with every door shut. `schema` validates while parsing: in linear time, but without places."""
    return etree.XMLParser(
        encoding=encoding,
        schema=schema,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        recover=False,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
    )


_PARSER = parser()


def parse(data: bytes) -> etree._Element | Finding:
    """The document element of `data` without comments and processing instructions, or what is wrong.

    Any document type declaration is refused, in any encoding, and with it every entity. Refused before a
    tree exists: more than MAX_BYTES, MAX_ELEMENTS, MAX_ATTRIBUTES, MAX_NAMESPACES, an encoding outside a
    short list. libxml2 itself refuses more than 256 levels and 10 MB in one text. Never raises on what
    `data` holds. The names of elements and attributes stay in memory until the thread ends, as libxml2 keeps
    them for the next document: a process that reads the inventions of strangers is to be renewed some time.
    """
    refused = _too_large(data)
    if refused is not None:
        return refused
    text = _as_ascii_superset(data)
    if isinstance(text, Finding):
        return text
    # A document type declaration is kept from libxml2 altogether: its declarations alone can fill memory.
    if _DOCTYPE.match(text.removeprefix(_UTF8_MARK)):
        return _doctype()
    try:
        # Only what was UTF-16 is another object by now, and its XML declaration no longer speaks of it.
        root = etree.fromstring(text, _PARSER if text is data else parser("utf-8"))
    except etree.XMLSyntaxError as error:
        reason = _REASONS.get(getattr(error, "code", 0), "this is not well-formed XML")
        line, column = error.position
        if line:
            reason = f"{reason} (line {line}, column {column})"
        return refusal("xml-syntax", reason, line=line or None)
    return _refused_tree(root, text) or root


def refusal(code: str, text: str, *, value: str | None = None, line: int | None = None) -> Finding:
    """A finding on the document as a whole; `line` where the reading stopped."""
    return Finding(code=code, text=text, value=value, pointer=XmlPointer(xpath="/", line=line))


def _too_large(data: bytes) -> Finding | None:
    if len(data) > MAX_BYTES:
        return refusal("xml-size", f"larger than {MAX_BYTES} octets", value=str(len(data)))
    if len(data) <= SMALL_BYTES:
        return None
    # Comments and CDATA sections are counted with the elements, which errs on the safe side.
    if data.count(b"<") - data.count(b"</") > MAX_ELEMENTS:
        return refusal("xml-elements", f"more than {MAX_ELEMENTS} elements")
    if data.count(b"=") > MAX_ATTRIBUTES:
        return refusal("xml-attributes", f"more than {MAX_ATTRIBUTES} attributes")
    if data.count(b"xmlns") > MAX_NAMESPACES:
        return refusal("xml-attributes", f"more than {MAX_NAMESPACES} namespace declarations")
    return None


def _as_ascii_superset(data: bytes) -> bytes | Finding:
    """`data` itself, or UTF-16 re-encoded as UTF-8, so that a later look at the octets means what it says."""
    if data.startswith(_UTF32):
        return refusal("xml-encoding", "UTF-32 is not accepted")
    codec = _UTF16.get(data[:2])
    if codec is not None:
        try:
            return data.decode(codec).removeprefix("\ufeff").encode()
        except UnicodeDecodeError:
            return refusal("xml-encoding", "the octets are not UTF-16")
    head = data[:XML_DECLARATION_BYTES].removeprefix(_UTF8_MARK)
    if not head.lstrip(b" \t\r\n").startswith(b"<"):
        return refusal("xml-syntax", "this is not XML", line=1)
    declared = _ENCODING.match(head)
    if declared is not None and _ENCODINGS.fullmatch(declared[1]) is None:
        name = shown(declared[1].decode("ascii"))
        return refusal("xml-encoding", "this encoding is not accepted", value=name, line=1)
    return data


def _refused_tree(root: etree._Element, data: bytes) -> Finding | None:
    """What only the tree can tell for certain."""
    info: Any = root.getroottree().docinfo
    if info.internalDTD is not None or info.doctype:
        return _doctype()
    if data.count(b"=") > MAX_ATTRIBUTES_OF_ELEMENT and _TOO_WIDE(root):
        return refusal("xml-attributes", f"an element with more than {MAX_ATTRIBUTES_OF_ELEMENT} attributes")
    return None


def _doctype() -> Finding:
    return refusal("xml-doctype", "a document type declaration is not accepted")
