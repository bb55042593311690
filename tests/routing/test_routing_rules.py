"""Rules send a declaration where the operator meant, and say why."""

import random
from typing import Any

import pytest

from tidewaiter.routing.facts import DeclarationType, Facts, Function, ItemFacts
from tidewaiter.routing.rules import CONDITIONS, Match, Rule, RuleError, compile_rules


def rule(name: str, *agencies: str, **when: str) -> Rule:
    split = {key: tuple(values.split()) for key, values in when.items()}
    return Rule(name=name, agencies=agencies or (name,), when=split)


def given(*items: ItemFacts, **values: Any) -> Facts:
    values.setdefault("type", DeclarationType.IMPORT)
    values.setdefault("function", Function.ORIGINAL)
    return Facts(items=items or (ItemFacts(),), **values)


def names(facts: Facts, *rules: Rule) -> list[str]:
    return [match.agency for match in compile_rules(rules).match(facts)]


ROSES = ItemFacts(sequence=1, hs=("06031100",), procedures=("4000", "C07"), documents=("N851",))
RADIOS = ItemFacts(sequence=2, hs=("85271300",), procedures=("4000",), documents=("Y900",), countries=("CN",))


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ({}, True),
        ({"type": "import"}, True),
        ({"type": "export transit"}, False),
        ({"function": "original amendment"}, True),
        ({"function": "cancellation"}, False),
        ({"procedure": "4000"}, True),
        ({"procedure": "40*"}, True),
        ({"procedure": "40"}, False),
        ({"procedure": "C07"}, True),
        ({"hs_prefix": "06"}, True),
        ({"hs_prefix": "060311"}, True),
        ({"hs_prefix": "0604"}, False),
        ({"document": "N851"}, True),
        ({"document": "N8*"}, True),
        ({"document": "C640 N851"}, True),
        ({"document": "N853"}, False),
        ({"country": "CN"}, True),
        ({"country": "KP"}, False),
        ({"dangerous_goods": "3480"}, False),
        ({"office": "GB00*"}, True),
        ({"office": "GB000061"}, False),
        ({"location": "LHR*"}, True),
        ({"authorisation": "AEOC"}, True),
        # One item must fulfil all that is said of goods.
        ({"hs_prefix": "06", "document": "N851"}, True),
        ({"hs_prefix": "85", "document": "N851"}, False),
        ({"hs_prefix": "06", "country": "CN"}, False),
        ({"hs_prefix": "06", "not_document": "Y900"}, True),
        ({"hs_prefix": "85", "not_document": "Y900"}, False),
        ({"hs_prefix": "85", "not_document": "Y9*"}, False),
        ({"hs_prefix": "85", "not_document": "Y929"}, True),
        ({"not_document": "Y9* N8*"}, False),
        ({"type": "export", "document": "N851"}, False),
    ],
)
def test_conditions(when: dict[str, str], expected: bool) -> None:
    facts = given(
        ROSES, RADIOS, offices=("GB000060",), locations=("LHRLHRLHR",), authorisations=("CGU", "AEOC")
    )
    assert bool(names(facts, rule("r", **when))) is expected


def test_a_match_names_rule_agency_and_reason() -> None:
    rules = compile_rules(
        [
            rule("all", "customs"),
            rule("plants", "agriculture", type="import", hs_prefix="06", document="N851"),
        ]
    )
    assert rules.match(given(RADIOS, ROSES)) == (
        Match(rule="all", agency="customs", reason="every declaration"),
        Match(
            rule="plants",
            agency="agriculture",
            reason="type import, item 1, hs_prefix 06031100, document N851",
        ),
    )


def test_an_agency_is_named_once_by_the_first_rule_that_matches() -> None:
    rules = compile_rules([rule("a", "x", "y"), rule("b", "y", "z"), rule("c", "x")])
    assert [(m.rule, m.agency) for m in rules.match(given())] == [("a", "x"), ("a", "y"), ("b", "z")]


def test_no_rule_no_agency() -> None:
    assert compile_rules([]).match(given(ROSES)) == ()


@pytest.mark.parametrize(
    ("rules", "name", "key"),
    [
        ([rule("a"), rule("a")], "a", "name"),
        ([Rule(name="", agencies=("x",))], "", "name"),
        ([Rule(name="a", agencies=())], "a", "agencies"),
        ([rule("a", "elsewhere")], "a", "agencies"),
        ([Rule(name="a", agencies=("x",), when={"colour": ("red",)})], "a", "colour"),
        ([Rule(name="a", agencies=("x",), when={"document": ()})], "a", "document"),
        ([Rule(name="a", agencies=("x",), when={"document": ("",)})], "a", "document"),
        ([Rule(name="a", agencies=("x",), when={"document": (" N851",)})], "a", "document"),
        ([rule("a", "x", document="*")], "a", "document"),
        ([rule("a", "x", document="N*1")], "a", "document"),
        ([rule("a", "x", country="C*")], "a", "country"),
        ([rule("a", "x", hs_prefix="6")], "a", "hs_prefix"),
        ([rule("a", "x", hs_prefix="06*")], "a", "hs_prefix"),
        ([rule("a", "x", type="imports")], "a", "type"),
        ([rule("a", "x", function="4")], "a", "function"),
    ],
)
def test_a_wrong_rule_is_refused_by_name_and_key(rules: list[Rule], name: str, key: str) -> None:
    with pytest.raises(RuleError) as caught:
        compile_rules(rules, agencies={"a", "x"})
    assert (caught.value.rule, caught.value.key) == (name, key)
    assert repr(name) in str(caught.value)


def _plain_match(rules: list[Rule], facts: Facts) -> dict[str, str]:
    """The same question answered rule by rule, without an index."""
    found: dict[str, str] = {}
    for one in rules:
        if compile_rules([one]).rules and _plainly(one, facts):
            for agency in one.agencies:
                found.setdefault(agency, one.name)
    return found


def _plainly(one: Rule, facts: Facts) -> bool:
    def within(key: str, have: tuple[str, ...]) -> bool:
        wanted = one.when.get(key)
        if wanted is None:
            return True
        hit = any(
            h.startswith(w.rstrip("*")) if w.endswith("*") or key == "hs_prefix" else h == w
            for w in wanted
            for h in have
        )
        return hit is not (key == "not_document")

    return within("type", (facts.type.value,)) and any(
        within("hs_prefix", i.hs)
        and within("document", i.documents)
        and within("not_document", i.documents)
        and within("procedure", i.procedures)
        for i in facts.items
    )


VALUES = {
    "type": ["import", "export"],
    "hs_prefix": ["06", "0603", "85", "01022"],
    "document": ["N851", "C4*", "C400", "Y900"],
    "not_document": ["Y9*", "Y900", "C640"],
    "procedure": ["4000", "40*", "1040"],
}


@pytest.mark.parametrize("seed", range(60))
def test_the_index_changes_no_match(seed: int) -> None:
    chance = random.Random(seed)
    rules = []
    for number in range(20):
        keys = chance.sample(list(VALUES), chance.randint(0, 3))
        when = {key: tuple(chance.sample(VALUES[key], chance.randint(1, 2))) for key in keys}
        rules.append(Rule(name=f"r{number}", agencies=(f"a{chance.randint(0, 9)}",), when=when))
    compiled = compile_rules(rules)
    for _ in range(10):
        items = tuple(
            ItemFacts(
                sequence=number,
                hs=(chance.choice(["06031100", "06049000", "85171300", "01022910", "99"]),),
                documents=tuple(
                    chance.sample(["N851", "C400", "C401", "C640", "Y900", "Y929"], chance.randint(0, 3))
                ),
                procedures=(chance.choice(["4000", "4071", "1040"]),),
            )
            for number in range(chance.randint(1, 3))
        )
        facts = given(*items, type=chance.choice([DeclarationType.IMPORT, DeclarationType.EXPORT]))
        assert {m.agency: m.rule for m in compiled.match(facts)} == _plain_match(rules, facts)


def test_every_condition_is_tried_above() -> None:
    assert set(CONDITIONS) >= set(VALUES)
    assert len(CONDITIONS) == 11
