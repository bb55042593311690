"""XML Schema from bytes in memory, and what a document does wrong by it."""

import copy
from collections.abc import Collection, Mapping, Sequence
from posixpath import normpath
from typing import Any

from lxml import etree

from ..finding import Finding
from .faults import FAULTS, OTHER, findings
from .place import pointer
from .xml import parser

# The path of every error is computed by counting siblings, so that errors cost the square of their number.
# With so many elements or fewer the worst is about a tenth of a second.
DIRECT_ELEMENTS = 6_000
# For more, errors times siblings up to which all errors are located: again about a tenth of a second.
LOCATED_STEPS = 10_000_000
# Beyond that, only the first so many of equal siblings are validated again, with places.
SIBLINGS_KEPT = 50
# A set may declare hundreds of global elements; the first few tell which set it is.
MAX_ROOTS_SHOWN = 5

# The same namespace from a second place: what the first lacked fails to compile anyway.
_ALREADY_IMPORTED = etree.ErrorTypes.SCHEMAP_WARN_SKIP_SCHEMA
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

    def __init__(self, compiled: etree.XMLSchema, roots: frozenset[str], names: frozenset[str]) -> None:
        self.roots = roots
        self._compiled = compiled
        self._names = names

    def check(self, root: etree._Element, data: bytes) -> tuple[Finding, ...]:
        """One finding a fault, at most MAX_FINDINGS; empty if the document follows the schema.

        `root` is the tree of `data`. libxml2 stops at the first misplaced child of an element, so what
        follows it there is checked once that is mended.
        """
        if root.tag not in self.roots:
            fault = FAULTS["SCHEMAV_CVC_ELT_1"]
            known = " | ".join(sorted(self.roots)[:MAX_ROOTS_SHOWN])
            return (Finding(code=fault.code, text=fault.text, pointer=pointer(root), expected=known),)
        if data.count(b"<") - data.count(b"</") <= DIRECT_ELEMENTS:
            return self._located(root)
        faults = self._count(data)
        if faults == 0:
            return ()
        if faults * max(len(element) for element in root.iter()) > LOCATED_STEPS:
            root = _thinned(root)
        return self._located(root) or (_unlocated(root, faults),)

    def warm_up(self) -> None:
        """Validate once, so that the first document finds everything built."""
        self._compiled.validate(etree.Element("warm-up"))

    def _located(self, root: etree._Element) -> tuple[Finding, ...]:
        if self._compiled.validate(root):
            return ()
        log: Any = self._compiled.error_log
        return findings(root, log, self._names)

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
) -> Schema:
    """The schema whose entry point is `files[entry]`; imports resolve within `files` and nowhere else.

    `roots` are the document elements, as `{namespace}name`, that it must declare. Raises SchemaError where
    libxml2 has any complaint (for it an import it cannot resolve is no more than that; only a second import
    of a namespace is let pass), where a root is absent, or where a sequence or choice is counted, which
    libxml2 validates wrongly and in exponential time.
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
        raise SchemaError("; ".join([*memory.missing, f"{entry}: {error}"])) from error
    log: Any = compiled.error_log
    complaints = [str(each.message) for each in log if each.type != _ALREADY_IMPORTED]
    if memory.missing or complaints:
        raise SchemaError("; ".join([*memory.missing, *complaints]))
    documents = [document, *(etree.fromstring(files[name], loader) for name in sorted(memory.used))]
    declared = _global_elements(documents)
    if not declared or not declared.issuperset(roots):
        raise SchemaError(f"{entry}: not declared: {', '.join(sorted(set(roots) - declared)) or 'any root'}")
    names = {element.get("name", "") for each in documents for element in each.iter(f"{_XS}element")}
    return Schema(compiled, declared, frozenset(names))


class _Memory(etree.Resolver):
    """Resolves a schemaLocation to one of the files given, and anything else to an error."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        super().__init__()
        self.files = files
        self.used: set[str] = set()
        self.missing: list[str] = []

    def resolve(self, system_url: str, public_id: str, context: Any) -> Any:  # type: ignore[override]
        name = normpath(system_url.removeprefix(_MEMORY).lstrip("/"))
        content = self.files.get(name)
        if content is None:
            self.missing.append(f"{name}: no such file in the set")
            # An empty answer, not None: None would let libxml2 look for the file itself.
            return self.resolve_string(b"", context, base_url=system_url)
        self.used.add(name)
        return self.resolve_string(content, context, base_url=_MEMORY + name)


def _global_elements(documents: Sequence[etree._Element]) -> frozenset[str]:
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


def _unlocated(root: etree._Element, faults: int) -> Finding:
    text = f"{OTHER.text}: {faults} faults, too many and too far down to give their places"
    return Finding(code=OTHER.code, text=text, pointer=pointer(root))
