"""WCO Data Model XML: hardened reading, schema validation with pointers, writing."""

from .metadata import MetaData
from .names import DocumentKind
from .reader import WcoDocument, read
from .schema import Schema, SchemaError, compile_schema
from .schemas import Profile, SchemaSet, Selector, load_schemas
from .writer import UnwritableError, write_declaration, write_response

__all__ = [
    "DocumentKind",
    "MetaData",
    "Profile",
    "Schema",
    "SchemaError",
    "SchemaSet",
    "Selector",
    "UnwritableError",
    "WcoDocument",
    "compile_schema",
    "load_schemas",
    "read",
    "write_declaration",
    "write_response",
]
