"""XML Schema from bytes in memory, and what a document does wrong by it."""

import copy
from collections.abc import Collection, Mapping, Sequence
from posixpath import normpath
from typing import Any

from lxml import etree

from ..finding import Finding
from .faults import FAULTS, OTHER, findings
from .place import pointer
from .xml import SMALL_BYTES, parser

# The path of every error is computed by counting siblings, so that errors cost the square of their number.
# Errors times siblings up to which all are located: about a tenth of a second. A small document cannot exceed
# it by much and is not asked.
LOCATED_STEPS = 10_000_000
# Beyond that, only the first so many of equal siblings are validated again, with places.
SIBLINGS_KEPT = 50
# A set may declare hundreds of global elements; the first few tell which set it is.
MAX_ROOTS_SHOWN = 5

_MEMORY = "memory:///"
_UNCOUNTED = frozenset({"0", "1", "unbounded"})
_XS = "{http://www.w3.org/2001/XMLSchema}"


class SchemaError(ValueError):
    """A schema set that does not compile, with every complaint; the fault is of whoever supplied the set."""


class Schema:
    """A compiled schema.

    Compile in one thread before any other starts: libxml2 sets its built-in types up on first use, and a race
    there breaks every later compilation of the process. `check` reads a log that belongs to the object, so
    one object serves one thread at a time; it cannot be pickled.
    """

    def __init__(self, compiled: etree.XMLSchema, roots: frozenset[str], *, canonical_order: bool) -> None:
        self.roots = roots
        self._compiled = compiled
        self._canonical_order = canonical_order

    def check(self, root: etree._Element, data: bytes) -> tuple[Finding, ...]:
        """One finding a fault, at most MAX_FINDINGS; empty if the document follows the schema.

        `root` is the tree of `data`. libxml2 stops at the first misplaced child of an element, so what
        follows it there is checked once that is mended.
        """
        if root.tag not in self.roots:
            fault = FAULTS["SCHEMAV_CVC_ELT_1"]
            known = " | ".join(sorted(self.roots)[:MAX_ROOTS_SHOWN])
            return (Finding(code=fault.code, text=fault.text, pointer=pointer(root), expected=known),)
        if len(data) <= SMALL_BYTES:
            return self._located(root)
        faults = self._count(data)
        if faults == 0:
            return ()
        if faults * max(len(element) for element in root.iter()) > LOCATED_STEPS:
            root = _thinned(root)
        return self._located(root) or (_unlocated(faults),)

    def warm_up(self) -> None:
        """Validate once, so that the first document finds everything built."""
        self._compiled.validate(etree.Element("warm-up"))

    def _located(self, root: etree._Element) -> tuple[Finding, ...]:
        if self._compiled.validate(root):
            return ()
        log: Any = self._compiled.error_log
        return findings(root, log, canonical_order=self._canonical_order)

    def _count(self, data: bytes) -> int:
        """How many errors libxml2 sees, without their places: linear however many they are."""
        validating = parser(schema=self._compiled)
        try:
            etree.fromstring(data, validating)
        except etree.XMLSyntaxError:
            log: Any = validating.error_log
            return max(1, len(log))
        return 0


def compile_schema(
    files: Mapping[str, bytes],
    entry: str,
    *,
    roots: Collection[str] = (),
    canonical_order: bool = False,
) -> Schema:
    """The schema whose entry point is `files[entry]`; imports resolve within `files` and nowhere else.

    `roots` are the document elements, as `{namespace}name`, that it must declare. Set `canonical_order` if
    it orders elements as the canonical model does. Raises SchemaError where libxml2 has any complaint (it
    takes an import it cannot resolve for a matter of taste), where a root is absent, or where a sequence or
    choice is counted, which libxml2 validates wrongly and in exponential time.
    """
    if entry not in files:
        raise SchemaError(f"{entry}: no such file in the set")
    memory = _Memory(files)
    loader = parser()
    loader.resolvers.add(memory)
    try:
        document = etree.fromstring(files[entry], loader, base_url=_MEMORY + entry)
        compiled = etree.XMLSchema(document)
    except (etree.XMLSyntaxError, etree.XMLSchemaParseError) as error:
        raise SchemaError(f"{entry}: {error}") from error
    complaints: Any = compiled.error_log
    if memory.unknown or len(complaints):
        raise SchemaError("; ".join([*memory.unknown, *(str(each.message) for each in complaints)]))
    declared = _declared([document, *(etree.fromstring(files[name], loader) for name in memory.used)])
    if not declared or not declared.issuperset(roots):
        raise SchemaError(f"{entry}: not declared: {', '.join(sorted(set(roots) - declared)) or 'any root'}")
    return Schema(compiled, declared, canonical_order=canonical_order)


class _Memory(etree.Resolver):
    """Resolves a schemaLocation to one of the files given, and anything else to an error."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        super().__init__()
        self.files = files
        self.used: set[str] = set()
        self.unknown: list[str] = []

    def resolve(self, system_url: str, public_id: str, context: Any) -> Any:  # type: ignore[override]
        name = normpath(system_url.removeprefix(_MEMORY).lstrip("/"))
        content = self.files.get(name)
        if content is None:
            self.unknown.append(system_url)
            # An empty answer, not None: None would let libxml2 look for the file itself.
            return self.resolve_string(b"", context, base_url=system_url)
        self.used.add(name)
        return self.resolve_string(content, context, base_url=_MEMORY + name)


def _declared(documents: Sequence[etree._Element]) -> frozenset[str]:
    """The global elements of a schema set; it is refused where it counts a group of elements."""
    declared = set()
    own = documents[0].get("targetNamespace", "")
    for document in documents:
        # A file without a namespace takes that of the file that includes it.
        namespace = document.get("targetNamespace", own)
        for element in document.iterchildren(f"{_XS}element"):
            declared.add(f"{{{namespace}}}{element.get('name')}" if namespace else str(element.get("name")))
        for group in document.iter(f"{_XS}sequence", f"{_XS}choice"):
            if group.get("minOccurs", "1") not in {"0", "1"} or group.get("maxOccurs", "1") not in _UNCOUNTED:
                raise SchemaError(f"line {group.sourceline}: a counted sequence or choice")
    return frozenset(declared)


def _thinned(root: etree._Element) -> etree._Element:
    """A copy with only the first SIBLINGS_KEPT of siblings of one name, whose places stay the same."""
    thin = copy.deepcopy(root)
    for parent in list(thin.iter()):
        if len(parent) <= SIBLINGS_KEPT:
            continue
        seen: dict[str, int] = {}
        for child in list(parent):
            seen[child.tag] = seen.get(child.tag, 0) + 1
            if seen[child.tag] > SIBLINGS_KEPT:
                parent.remove(child)
    return thin


def _unlocated(faults: int) -> Finding:
    return Finding(
        code=OTHER.code, text=f"{OTHER.text}: {faults} faults, too many to give their places", pointer=None
    )
