"""Rows of the CUSDEC tables by kind of segment: what a LOC, an RFF or a NAD of this mapping looks like."""

from .rules import ANY, Rule
from .slots import slot
from .special import Moment, Place, Transport
from .special_items import Charges, Previous

OWN = (1, 3, "ZZZ")


def location(key: str, path: str, *more: str, group: str = "", base: str = "", limit: int = 99) -> Rule:
    """LOC: 3225 the code, and further slots as pairs of path and components."""
    slots = [slot(path, "2.1/25"), *(slot(more[n], more[n + 1]) for n in range(0, len(more), 2))]
    return Rule(group, "LOC", key, *slots, base=base, fixed={(1, 1): key}, pool="LOC", limit=limit)


def reference(group: str, key: str, path: str, *, limit: int) -> Rule:
    """RFF: 1154, going on in 4000 beyond 35 characters."""
    return Rule(group, "RFF", key, slot(path, "1.2/35>1.4/35"), fixed={(1, 1): key}, pool="RFF", limit=limit)


def role(group: str, wco: str, path: str, code: str, *, limit: int) -> Rule:
    """RFF+ZZZ: a party that is a reference and a role only."""
    return Rule(
        group,
        "RFF",
        f"ZZZ/{wco}",
        slot("id", "1.2/35"),
        slot(code, "1.3/6"),
        base=path,
        many=True,
        fixed={(1, 1): "ZZZ", (1, 4): wco},
        pool="RFF",
        limit=limit,
    )


def tax_party(group: str, path: str, *, limit: int) -> Rule:
    """RFF+VA: a party known by its tax number."""
    slots = (slot("id", "1.2/35"), slot("role_code", "1.3/6"))
    return Rule(
        group, "RFF", "VA", *slots, base=path, many=True, fixed={(1, 1): "VA"}, pool="RFF", limit=limit
    )


def indicator(group: str, wco: str, path: str) -> Rule:
    """GIS: a coded field by its WCO id."""
    fixed = {(1, 1): wco, (1, 3): "ZZZ"}
    return Rule(group, "GIS", f"ZZZ/{wco}", slot(path, "1.4/17"), fixed=fixed, pool="GIS", limit=25)


def mass(group: str, key: str, qualifier: str, path: str, *, limit: int) -> Rule:
    """MEA+WT: a mass, in kilograms where no unit is given."""
    return Rule(
        group,
        "MEA",
        key,
        slot(f"{path}:value", "3.2/18"),
        slot(f"{path}:unit", "3.1/3", assume="KGM"),
        fixed={(1, 1): "WT", (2, 1): qualifier},
        pool="MEA",
        limit=limit,
    )


def amount(group: str, key: str, path: str, *, aliases: tuple[str, ...] = (), limit: int = 25) -> Rule:
    """MOA: an amount and its currency."""
    slots = (slot(f"{path}:value", "1.2/18"), slot(f"{path}:currency", "1.3/3"))
    return Rule(group, "MOA", key, *slots, aliases=aliases, fixed={(1, 1): key}, pool="MOA", limit=limit)


def charges(group: str, base: str) -> Rule:
    """MOA with the type of an addition or deduction."""
    path = "other_charge_deduction_amount"
    slots = (
        slot("charges_type_code", "1.1/3"),
        slot(f"{path}:value", "1.2/18"),
        slot(f"{path}:currency", "1.3/3"),
    )
    return Charges(group, "MOA", ANY, *slots, base=base, many=True, needs=(1, 1), pool="MOA", limit=25)


def date(group: str, key: str, path: str, *, limit: int = 2) -> Rule:
    """DTM: 2380 and the 2379 of its format."""
    slots = (slot(f"{path}:text", "1.2/35"), slot(f"{path}:format", "1.3/3"))
    return Moment(group, "DTM", key, *slots, fixed={(1, 1): key}, pool="DTM", limit=limit)


NAME = slot("name", "4.1/35 4.2/35 4.3/35 4.4/35 4.5/35")
ADDRESS = (
    slot("address.line", "5.1/35 5.2/35 5.3/35 5.4/35"),
    slot("address.city_name", "6.1/35"),
    slot("address.country_sub_division_code", "7.1/9"),
    slot("address.postcode_id", "8.1/9"),
    slot("address.country_code", "9.1/3"),
)
CONTACT = Rule("SG6", "CTA", ANY, slot("contact.name", "2.2/35"), fixed={(1, 1): "IC"})
COMMUNICATION = Rule(
    "SG6",
    "COM",
    ANY,
    slot("communication.id", "1.1/512"),
    slot("communication.type_code", "1.2/3", blank="ZZ"),
    needs=(1, 1),
)


def party(
    key: str,
    base: str,
    *subs: Rule,
    group: str = "SG6",
    limit: int = 10,
    bare: bool = False,
    aliases: tuple[str, ...] = (),
) -> Rule:
    """NAD: identification, name and address; `bare` is for a party that is an identification only."""
    slots = (slot("id", "2.1/35"),) if bare else (slot("id", "2.1/35"), NAME, *ADDRESS)
    return Rule(
        group,
        "NAD",
        key,
        *slots,
        base=base,
        aliases=aliases,
        fixed={(1, 1): key},
        pool="NAD",
        limit=limit,
        subs=subs,
    )


def document(group: str, limit: int, *subs: Rule) -> Rule:
    """DOC: an additional document."""
    slots = (
        slot("type_code", "1.1/3"),
        slot("category_code", "1.2/3", when=OWN),
        slot("name", "1.4/35"),
        slot("id", "2.1/35>2.3/35"),
        slot("lpco_exemption_code", "2.2/3"),
    )
    return Rule(
        group,
        "DOC",
        ANY,
        *slots,
        base="additional_document",
        many=True,
        fixed={(1, 3): "ZZZ"},
        pool="DOC",
        limit=limit,
        subs=subs,
    )


def previous(group: str, base: str, limit: int) -> Rule:
    """DOC+998: a previous document."""
    number = slot("id", "2.1/35>2.3/35")
    return Previous(
        group, "DOC", "998", number, base=base, many=True, fixed={(1, 1): "998"}, pool="DOC", limit=limit
    )


def transport(key: str, base: str, *nationality: str, aliases: tuple[str, ...] = ()) -> Rule:
    """TDT: a means of transport."""
    slots = [
        slot("mode_code", "3.1/3"),
        slot("type_code", "4.1/8"),
        slot("id", "8.1/9"),
        slot("identification_type_code", "8.2/3"),
        *(slot(path, "8.5/3") for path in nationality),
    ]
    place = Place("SG4", "TPL", ANY)
    return Transport(
        "SG4",
        "TDT",
        key,
        *slots,
        base=base,
        aliases=aliases,
        fixed={(1, 1): key},
        pool="TDT",
        limit=5,
        subs=(place,),
    )


# TAX: what CUSDEC and CUSRES have in common.
DUTY_SLOTS = (
    slot("type_code", "2.1/3"),
    slot("ad_valorem_tax_base_amount:value", "4.1/15"),
    slot("ad_valorem_tax_base_amount:currency", "5.1/7"),
    slot("tax_rate_numeric", "5.4/17"),
    slot("specific_tax_base_quantity:value", "5.5/12"),
    slot("specific_tax_base_quantity:unit", "5.6/3"),
    slot("duty_regime_code", "6.1/3"),
)
