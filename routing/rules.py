"""Which agencies a declaration concerns: the operator's rules, compiled once and matched per declaration.

A rule names agencies and conditions. All its conditions must hold, any one value is enough within a
condition. Conditions on goods must hold on ONE item together: a plant health document on the roses does not
send the radios to the plant health service.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

import msgspec

from .facts import DeclarationType, Facts, Function, ItemFacts

# A tariff prefix of fewer digits than a chapter would name half the tariff by accident.
SHORTEST_PREFIX = 2
WILDCARD = "*"


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rule as the operator writes it. CONDITIONS lists the keys of `when`; none: every declaration."""

    name: str
    agencies: tuple[str, ...]
    when: Mapping[str, tuple[str, ...]] = {}


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """One agency found competent, by which rule, and what in the declaration made it so."""

    rule: str
    agency: str
    reason: str


class RuleError(ValueError):
    """A rule that cannot be compiled: the operator's fault, told with the rule's name and the key."""

    def __init__(self, rule: str, key: str, text: str) -> None:
        super().__init__(f"rule {rule!r}: {key}: {text}")
        self.rule = rule
        self.key = key


class _Values:
    """One condition's values, split into those compared whole and those compared by their beginning."""

    __slots__ = ("negative", "prefixes", "whole")

    def __init__(self, key: str, values: Iterable[str]) -> None:
        prefixed = key in PREFIX_KEYS
        self.negative = key in NEGATIVE_KEYS
        self.whole = frozenset(v for v in values if not prefixed and not v.endswith(WILDCARD))
        self.prefixes = tuple(v.rstrip(WILDCARD) for v in values if prefixed or v.endswith(WILDCARD))

    def hit(self, candidates: Iterable[str]) -> str | None:
        """The first candidate that one of the values names."""
        for candidate in candidates:
            if candidate in self.whole or candidate.startswith(self.prefixes):
                return candidate
        return None

    def holds(self, candidates: Iterable[str]) -> tuple[bool, str | None]:
        """Whether the condition holds, and the candidate that shows it."""
        found = self.hit(candidates)
        return (found is None, None) if self.negative else (found is not None, found)


_HEADER: Mapping[str, Callable[[Facts], tuple[str, ...]]] = {
    "type": lambda facts: (facts.type.value,),
    "function": lambda facts: (facts.function.value,),
    "office": lambda facts: facts.offices,
    "location": lambda facts: facts.locations,
    "authorisation": lambda facts: facts.authorisations,
}
_ITEM: Mapping[str, Callable[[ItemFacts], tuple[str, ...]]] = {
    "procedure": lambda item: item.procedures,
    "hs_prefix": lambda item: item.hs,
    "document": lambda item: item.documents,
    "not_document": lambda item: item.documents,
    "country": lambda item: item.countries,
    "dangerous_goods": lambda item: item.dangerous_goods,
}
CONDITIONS = (*_HEADER, *_ITEM)
PREFIX_KEYS = frozenset({"hs_prefix"})
# "Not concerned" documents (Y900 not CITES, Y929 not organic) keep a rule from matching the item.
NEGATIVE_KEYS = frozenset({"not_document"})
_WILDCARD_KEYS = frozenset({"procedure", "document", "not_document", "office", "location"})
_CLOSED: Mapping[str, frozenset[str]] = {
    "type": frozenset(member.value for member in DeclarationType),
    "function": frozenset(member.value for member in Function),
}


class _Compiled:
    """A rule with its values split, header conditions apart from item conditions."""

    __slots__ = ("header", "item", "rule")

    def __init__(self, rule: Rule) -> None:
        split = {key: _Values(key, values) for key, values in rule.when.items()}
        self.rule = rule
        self.header = [(key, _HEADER[key], values) for key, values in split.items() if key in _HEADER]
        self.item = [(key, _ITEM[key], values) for key, values in split.items() if key in _ITEM]

    def reason(self, facts: Facts) -> str | None:
        """What in `facts` fulfils the rule, None if nothing does."""
        shown = []
        for key, select, values in self.header:
            holds, found = values.holds(select(facts))
            if not holds:
                return None
            shown.append(f"{key} {found}")
        if not self.item:
            return ", ".join(shown) or "every declaration"
        for item in facts.items:
            on_item = self._on(item)
            if on_item is not None:
                place = [] if item.sequence is None else [f"item {item.sequence}"]
                return ", ".join([*shown, *place, *on_item])
        return None

    def _on(self, item: ItemFacts) -> list[str] | None:
        shown = []
        for key, select, values in self.item:
            holds, found = values.holds(select(item))
            if not holds:
                return None
            if found is not None:
                shown.append(f"{key} {found}")
        return shown


class RuleSet:
    """Compiled rules. `match` looks only at rules whose rarest condition the declaration touches."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules = tuple(_Compiled(rule) for rule in rules)
        self._always: list[int] = []
        self._by_document: dict[str, list[int]] = defaultdict(list)
        self._by_chapter: dict[str, list[int]] = defaultdict(list)
        for number, compiled in enumerate(self._rules):
            self._file(number, compiled)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules in the operator's order."""
        return tuple(compiled.rule for compiled in self._rules)

    def match(self, facts: Facts) -> tuple[Match, ...]:
        """One Match for each competent agency, in the order of the rules; its first rule gives the reason."""
        found: dict[str, Match] = {}
        for number in sorted(set(self._candidates(facts))):
            compiled = self._rules[number]
            if all(agency in found for agency in compiled.rule.agencies):
                continue
            reason = compiled.reason(facts)
            if reason is None:
                continue
            for agency in compiled.rule.agencies:
                found.setdefault(agency, Match(rule=compiled.rule.name, agency=agency, reason=reason))
        return tuple(found.values())

    def _file(self, number: int, compiled: _Compiled) -> None:
        conditions = {key: values for key, _, values in compiled.item}
        documents = conditions.get("document")
        if documents is not None and not documents.prefixes:
            for document in documents.whole:
                self._by_document[document].append(number)
        elif "hs_prefix" in conditions:
            for prefix in conditions["hs_prefix"].prefixes:
                self._by_chapter[prefix[:SHORTEST_PREFIX]].append(number)
        else:
            self._always.append(number)

    def _candidates(self, facts: Facts) -> Iterator[int]:
        yield from self._always
        for item in facts.items:
            for document in item.documents:
                yield from self._by_document.get(document, ())
            for code in item.hs:
                yield from self._by_chapter.get(code[:SHORTEST_PREFIX], ())


def compile_rules(rules: Iterable[Rule], agencies: Collection[str] | None = None) -> RuleSet:
    """The rules made ready to match. Raises RuleError for the first one that is wrong.

    With `agencies` given, a rule may name only those.
    """
    kept = tuple(rules)
    names: set[str] = set()
    for rule in kept:
        if not rule.name or rule.name in names:
            raise RuleError(rule.name, "name", "must be given, and only once")
        names.add(rule.name)
        if not rule.agencies:
            raise RuleError(rule.name, "agencies", "at least one must be named")
        for agency in rule.agencies:
            if agencies is not None and agency not in agencies:
                raise RuleError(rule.name, "agencies", f"{agency!r} is not an agency of this gateway")
        for key, values in rule.when.items():
            _check(rule.name, key, values)
    return RuleSet(kept)


def _check(rule: str, key: str, values: tuple[str, ...]) -> None:
    if key not in CONDITIONS:
        raise RuleError(rule, key, f"not a condition; there are {', '.join(CONDITIONS)}")
    if not values:
        raise RuleError(rule, key, "at least one value is expected")
    for value in values:
        fault = _fault(key, value)
        if fault is not None:
            raise RuleError(rule, key, f"{value!r} {fault}")


def _fault(key: str, value: str) -> str | None:
    if not value or value != value.strip():
        return "is empty or has blanks around it"
    if key in PREFIX_KEYS and not (value.isascii() and value.isdigit() and len(value) >= SHORTEST_PREFIX):
        return f"is not a tariff prefix of {SHORTEST_PREFIX} digits or more"
    if key in _CLOSED and value not in _CLOSED[key]:
        return f"is unknown; there are {', '.join(sorted(_CLOSED[key]))}"
    body = value[:-1] if key in _WILDCARD_KEYS and value.endswith(WILDCARD) else value
    if not body or WILDCARD in body:
        return "may have a * only at its end, after something, and only where codes have families"
    return None
