"""Which schema judges a document: the reference profile, or a national set an operator installed."""

from collections.abc import Mapping, Sequence

import msgspec

from .metadata import MetaData
from .names import DECLARATION, METADATA, RESPONSE
from .schema import Schema, compile_schema

# The entry point of the reference set.
REFERENCE_ENTRY = "metadata.xsd"
_ROOTS = (f"{{{METADATA}}}MetaData", f"{{{DECLARATION}}}Declaration", f"{{{RESPONSE}}}Response")


class Selector(msgspec.Struct, frozen=True, kw_only=True):
    """The documents a national schema set is for. A namespace does not name a schema: two customs share one
    with different contents, so the envelope and the codes decide. None matches anything.
    """

    root: str | None = None
    country: str | None = None
    agency: str | None = None
    type_name: str | None = None
    customization_version: str | None = None
    type_code: str | None = None
    function_code: str | None = None


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a document before it is read in full."""

    root: str
    metadata: MetaData | None = None
    type_code: str | None = None
    function_code: str | None = None


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """A schema and the documents it is for."""

    name: str
    selector: Selector
    schema: Schema


class SchemaSet(msgspec.Struct, frozen=True, kw_only=True):
    """The schemas of one reader. It serves one thread at a time, as `Schema` does."""

    reference: Schema
    profiles: tuple[Profile, ...] = ()

    def with_profiles(self, profiles: Sequence[Profile]) -> "SchemaSet":
        """A set that asks `profiles`, in this order, before its own."""
        return SchemaSet(reference=self.reference, profiles=(*profiles, *self.profiles))

    def select(self, subject: Subject) -> Schema:
        """The first profile that is for `subject`, else the reference."""
        for profile in self.profiles:
            if subject.root in profile.schema.roots and _matches(profile.selector, subject):
                return profile.schema
        return self.reference


def load_schemas(files: Mapping[str, bytes]) -> SchemaSet:
    """The set of the reference profile alone, from its files by relative name; compiled and warmed up.

    Call it in the main thread before others start (see Schema). Raises SchemaError.
    """
    reference = compile_schema(files, REFERENCE_ENTRY, roots=_ROOTS)
    reference.warm_up()
    return SchemaSet(reference=reference)


def _matches(selector: Selector, subject: Subject) -> bool:
    metadata = subject.metadata or MetaData()
    known = {
        "root": subject.root,
        "country": metadata.country,
        "agency": metadata.agency,
        "type_name": metadata.type_name,
        "customization_version": metadata.customization_version,
        "type_code": subject.type_code,
        "function_code": subject.function_code,
    }
    wanted = msgspec.structs.asdict(selector)
    return all(value is None or known[name] == value for name, value in wanted.items())
