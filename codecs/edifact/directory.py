"""Message directories: compact tables of facts in, compiled rules out.

A table is JSON and holds one release. `elements`, `composites`, `segments` and `notes` are as `definition`
describes; `codes` gives the values, separated by blanks, of the data elements that take no others; and
`messages` give the structure as nested lists in which a segment is `"RFF M 1"` (tag, status, repetitions)
and a group is a list that begins with its own `"SG1 C 99"`. Nothing is read or compiled before it is asked
for: a table is decoded with the first message of its release, a message compiled when it is first found.
"""

import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Self

import msgspec

from ..errors import DirectoryError
from .definition import (
    FIRST_VERSION_THAT_REPEATS,
    ComponentUse,
    Definitions,
    ElementUse,
    Format,
    Note,
    Place,
    SegmentRule,
)
from .structure import Structure, compile_structure

__all__ = [
    "ComponentUse",
    "Directory",
    "DirectoryError",
    "ElementUse",
    "Format",
    "MessageRule",
    "Note",
    "Place",
    "SegmentRule",
]

UN, DRAFT = "UN", "D"
# What was asked for is remembered, but not all that senders may think of.
MAX_REMEMBERED = 1000
# The releases that hold the service segments and messages of syntax versions 1 to 3, and of version 4.
SERVICE_3, SERVICE_4 = "D.3", "4.1"
_SERVICE_AGES = {SERVICE_3: "3", SERVICE_4: "4"}
# D.96B is of 1996. The first release in this form was D.93A (1993); S and 9x are older spellings.
_RELEASE = re.compile(r"(\d\d)([A-Z])")
_CENTURY_TURNS = 90


class MessageRule(msgspec.Struct, frozen=True, eq=False):
    """One message of a directory: its structure, and the rule of each of its segments."""

    type: str
    directory: str
    structure: Structure
    segments: Mapping[str, SegmentRule]
    also: tuple[str, ...] = ()

    def covers(self, version: str, release: str) -> bool:
        """True if the tables are those of `version` and `release` (D and 96B)."""
        return (name := f"{version}.{release}") == self.directory or name in self.also


class Table(msgspec.Struct, frozen=True, omit_defaults=True):
    """A table as it is kept. `also` are other names of the same release."""

    directory: str
    elements: dict[str, str]
    composites: dict[str, str]
    segments: dict[str, str]
    messages: dict[str, list[Any]]
    codes: dict[str, str] = {}
    notes: dict[str, list[str]] = {}
    also: tuple[str, ...] = ()


def read_table(data: bytes) -> Table:
    """Raises DirectoryError."""
    try:
        return msgspec.json.decode(data, type=Table)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DirectoryError(f"not a directory table: {error}") from error


class _Source:
    """One table, decoded when it is first needed. Two threads may both do it, and get the same."""

    def __init__(self, name: str, fetch: Callable[[], bytes]) -> None:
        self.name = name
        self._fetch = fetch
        self._table: Table | None = None
        self._parts: Definitions | None = None

    @property
    def table(self) -> Table:
        if self._table is None:
            try:
                table = read_table(self._fetch())
            except DirectoryError as error:
                raise DirectoryError(f"the table of {self.name}: {error}") from error
            if table.directory != self.name:
                raise DirectoryError(f"the table of {self.name} says it is of {table.directory}")
            self._table = table
        return self._table

    @property
    def parts(self) -> Definitions:
        if self._parts is None:
            t = self.table
            self._parts = Definitions(t.elements, t.composites, t.segments, t.codes, t.notes)
        return self._parts


class Directory:
    """The messages that can be checked, of every release held."""

    def __init__(self, sources: Iterable[tuple[str, Callable[[], bytes]]]) -> None:
        """`sources` are releases (`D.96B`) and what gives the table of each. Of two of the same release the
        later one is asked first."""
        self._sources: dict[str, list[_Source]] = {}
        for name, fetch in sources:
            self._sources.setdefault(name, []).insert(0, _Source(name, fetch))
        self._rules: dict[tuple[str, str], MessageRule] = {}
        self._found: dict[tuple[str, str, str], MessageRule | None] = {}
        self._service: dict[bool, Mapping[str, SegmentRule]] = {}

    @classmethod
    def load(cls, *tables: bytes) -> Self:
        """A directory of these tables. Raises DirectoryError where one is not a table."""
        return cls([(read_table(data).directory, functools.partial(bytes, data)) for data in tables])

    def check(self, release: str | None = None) -> None:
        """Compile everything, or all of one release. Raises DirectoryError where a table is not well made: a
        part that is not defined, a bad format, or a structure that is none."""
        for type_, name in self.names(release):
            self._rule(type_, name)
        for source in self._each(release):
            for tag in source.parts.tags():
                source.parts.segment(tag)

    def names(self, release: str | None = None) -> list[tuple[str, str]]:
        """Every (message type, release) held, or those of one release."""
        held = ((type_, source.name) for source in self._each(release) for type_ in source.table.messages)
        return sorted(set(held))

    def releases(self) -> list[str]:
        """The releases held, oldest first; no table is read for it."""
        return sorted(self._sources, key=_age)

    def find(self, type_: str, version: str, release: str, agency: str = UN) -> MessageRule | None:
        """The rule for a message: of its very release if that is held, else of the newest held that is not
        newer, else of the oldest; `covers` tells. Releases of the same version (D) go before others.

        None if no release held has the message, or if it is another agency's: then it is another message.
        Raises DirectoryError where the table of that release is not well made.
        """
        if agency not in {UN, ""}:
            return None
        key = (type_, version, release)
        if key not in self._found:
            found = next((self._rule(type_, name) for name in self._nearest(type_, version, release)), None)
            if len(self._found) >= MAX_REMEMBERED:
                return found
            self._found[key] = found
        return self._found[key]

    def service(self, syntax_version: int) -> Mapping[str, SegmentRule]:
        """The service segments (UNA apart) of this syntax version, by tag; empty if they are not held."""
        newer = syntax_version >= FIRST_VERSION_THAT_REPEATS
        if newer not in self._service:
            sources = self._sources.get(SERVICE_4 if newer else SERVICE_3, [])
            rules = {tag: s.parts.segment(tag) for s in reversed(sources) for tag in s.parts.tags()}
            self._service[newer] = MappingProxyType(rules)
        return self._service[newer]

    @functools.cached_property
    def messages(self) -> Mapping[str, MessageRule]:
        """Each message type, of the oldest release that has it."""
        types = sorted({type_ for type_, _ in self.names()})
        oldest = {type_: self.find(type_, "", "") for type_ in types}
        return MappingProxyType({type_: rule for type_, rule in oldest.items() if rule is not None})

    def _each(self, release: str | None = None) -> Iterator[_Source]:
        for name, sources in self._sources.items():
            if release is None or name == release:
                yield from sources

    def _nearest(self, type_: str, version: str, release: str) -> Iterator[str]:
        """The releases that hold `type_`, best first."""
        exact = f"{version}.{release}"
        if any(type_ in source.table.messages for source in self._sources.get(exact, ())):
            yield exact
            return
        holding = [
            name
            for name, sources in self._sources.items()
            if any(type_ in source.table.messages for source in sources)
        ]
        wanted = _age(exact)
        for name in holding:
            if any(exact in source.table.also for source in self._sources[name]):
                yield name
        alike = [name for name in holding if _version(name) == _version(exact)]
        same = alike or [name for name in holding if _version(name) == DRAFT] or holding
        older = [name for name in same if _age(name) <= wanted]
        yield from sorted(older, key=_age, reverse=True)
        yield from sorted(same, key=_age)

    def _rule(self, type_: str, directory: str) -> MessageRule:
        rule = self._rules.get((type_, directory))
        if rule is None:
            source = next(s for s in self._sources[directory] if type_ in s.table.messages)
            try:
                structure = compile_structure(source.table.messages[type_])
                tags = {position.tag for position in structure.positions}
                segments = {tag: self._segment(source, tag) for tag in sorted(tags)}
            except DirectoryError as error:
                raise DirectoryError(f"{type_} of {directory}: {error}") from error
            rule = MessageRule(type_, directory, structure, segments, source.table.also)
            self._rules[type_, directory] = rule
        return rule

    def _segment(self, source: _Source, tag: str) -> SegmentRule:
        """Of the table itself; UNH, UNS and UNT are in no release but in the service directories, and are
        those of the interchange's syntax version in CONTRL and AUTACK, too."""
        newer, older = self.service(FIRST_VERSION_THAT_REPEATS).get(tag), self.service(1).get(tag)
        if tag.startswith("UN") and newer is not None and older is not None:
            return newer._replace(older=older)
        if tag in source.parts:
            return source.parts.segment(tag)
        if (only := newer or older) is None:
            raise DirectoryError(f"{tag} is used and not defined")
        return only


def _version(directory: str) -> str:
    """S (a standard, until 1995) had the same releases as D (a draft)."""
    version = directory.partition(".")[0]
    return DRAFT if version == "S" else version


def _age(directory: str) -> tuple[int, str]:
    if directory in _SERVICE_AGES:
        return 0, _SERVICE_AGES[directory]
    found = _RELEASE.fullmatch(directory.rpartition(".")[2])
    if found is None:
        return 0, directory
    year = int(found[1])
    return year + (1900 if year >= _CENTURY_TURNS else 2000), found[2]
