"""What routing and the books need to know of a declaration, taken out of it once."""

import enum
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from ..codecs.declaration import AdditionalDocument, Declaration, GovernmentAgencyGoodsItem, Response


class DeclarationType(enum.StrEnum):
    """The types that rules and service levels speak of: the keys of configuration and reports."""

    IMPORT = "import"
    EXPORT = "export"
    TRANSIT = "transit"
    SUPPLEMENTARY = "supplementary"
    OTHER = "other"


class Function(enum.Enum):
    """What a declaration wants done, whatever codes its administration writes that with."""

    ORIGINAL = "original"
    AMENDMENT = "amendment"
    CANCELLATION = "cancellation"
    REPLACEMENT = "replacement"
    PRESENTATION = "presentation"
    ADVANCE = "advance"
    REQUEST = "request"
    REPAYMENT = "repayment"
    OTHER = "other"


class Profile(enum.Enum):
    """Whose reading of function and type codes applies. PLAIN is UNTDID 1225 as it stands."""

    UK = "uk"
    DENMARK = "denmark"
    PLAIN = "plain"


# (profile, 017 function code, D013 type code; None: any). The UK spells out changes as 13 with a type,
# Denmark with the plain code or its own; neither pair means something else anywhere else.
FUNCTIONS: Mapping[tuple[Profile, str, str | None], Function] = {
    (Profile.UK, "13", "COR"): Function.AMENDMENT,
    (Profile.UK, "13", "INV"): Function.CANCELLATION,
    (Profile.UK, "13", "GPR"): Function.PRESENTATION,
    (Profile.DENMARK, "4", "COR"): Function.AMENDMENT,
    (Profile.DENMARK, "1", "INV"): Function.CANCELLATION,
    (Profile.DENMARK, "24", "GPR"): Function.PRESENTATION,
    (Profile.DENMARK, "34", "SUP"): Function.ORIGINAL,
    (Profile.DENMARK, "37", "RRA"): Function.REPAYMENT,
    (Profile.PLAIN, "9", None): Function.ORIGINAL,
    (Profile.PLAIN, "4", None): Function.AMENDMENT,
    (Profile.PLAIN, "1", None): Function.CANCELLATION,
    (Profile.PLAIN, "5", None): Function.REPLACEMENT,
    (Profile.PLAIN, "13", None): Function.REQUEST,
    (Profile.PLAIN, "14", None): Function.ADVANCE,
}
# UNTDID 1225 in a message that leaves it out: 9, original.
DEFAULT_FUNCTION_CODE = "9"
# These speak of a declaration lodged before: they go where it went.
FOLLOW_UPS = frozenset(
    {
        Function.AMENDMENT,
        Function.CANCELLATION,
        Function.REPLACEMENT,
        Function.PRESENTATION,
        Function.REPAYMENT,
    }
)

# D013 where the whole code tells, then its first two characters.
TYPES: Mapping[str, DeclarationType] = {
    "SUP": DeclarationType.SUPPLEMENTARY,
    "T": DeclarationType.TRANSIT,
    "T1": DeclarationType.TRANSIT,
    "T2": DeclarationType.TRANSIT,
    "T2F": DeclarationType.TRANSIT,
    "TIR": DeclarationType.TRANSIT,
    "TD": DeclarationType.TRANSIT,
    "IM": DeclarationType.IMPORT,
    "EX": DeclarationType.EXPORT,
}
# The third character of IM., EX. and CO.: the rest of a simplified declaration, or an entry in records.
SUPPLEMENTARY_LETTERS = frozenset("UVXYZ")
# The first digit of a customs procedure: goods that leave, else goods that come in.
EXPORT_PROCEDURES = frozenset("123")
IMPORT_PROCEDURES = frozenset("04567")

# A number is written out up to so many digits before or after the point; the data model's have 16. Beyond,
# a short text such as 1e999999 would become a long one.
LONGEST_PLAIN = 40

# Classification schemes that carry a tariff heading, best first; a scheme may also be left out.
TARIFF_SCHEMES = ("TSP", "HS", None)


class ItemFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One goods item, with what header and shipment say for all of them."""

    sequence: int | None = None
    hs: tuple[str, ...] = ()
    procedures: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    dangerous_goods: tuple[str, ...] = ()


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision may rest on. A declaration without goods items has one item of its header's facts."""

    type: DeclarationType
    function: Function
    type_code: str | None = None
    function_code: str | None = None
    declarant: str | None = None
    lrn: str | None = None
    mrn: str | None = None
    offices: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()
    authorisations: tuple[str, ...] = ()
    items: tuple[ItemFacts, ...] = ()

    @property
    def documents(self) -> tuple[str, ...]:
        """The documents of all items, category and type in one code (N851)."""
        return _distinct(code for item in self.items for code in item.documents)

    @property
    def hs_codes(self) -> tuple[str, ...]:
        """The tariff codes of all items."""
        return _distinct(code for item in self.items for code in item.hs)

    @property
    def procedures(self) -> tuple[str, ...]:
        """The procedures of all items, requested and previous in one code (4000)."""
        return _distinct(code for item in self.items for code in item.procedures)

    @property
    def countries(self) -> tuple[str, ...]:
        """The countries of origin, export and destination of all items."""
        return _distinct(code for item in self.items for code in item.countries)


def facts_of(declaration: Declaration, profile: Profile | None = None) -> Facts:
    """The facts of `declaration`; `profile` None reads its codes by every profile, PLAIN last.

    Nothing is raised: what the declaration leaves out is None, empty or OTHER.
    """
    shipment = declaration.goods_shipment
    items = _items(declaration)
    kind = declaration_type(declaration.type_code, (code for item in items for code in item.procedures))
    place = shipment and shipment.consignment and shipment.consignment.goods_location
    return Facts(
        type=kind,
        function=function(declaration.function_code, declaration.type_code, profile),
        type_code=declaration.type_code,
        function_code=declaration.function_code,
        declarant=_declarant(declaration, kind),
        lrn=declaration.functional_reference_id,
        mrn=declaration.id,
        offices=_distinct(_offices(declaration)),
        locations=_distinct((place.id, place.name)) if place else (),
        authorisations=_distinct(holder.category_code for holder in declaration.authorisation_holder),
        items=items,
    )


def function(function_code: str | None, type_code: str | None, profile: Profile | None = None) -> Function:
    """What a pair of codes asks for, OTHER where no table knows it."""
    code = (function_code or DEFAULT_FUNCTION_CODE).lstrip("0")
    for candidate in Profile if profile is None else (profile, Profile.PLAIN):
        found = FUNCTIONS.get((candidate, code, type_code)) or FUNCTIONS.get((candidate, code, None))
        if found is not None:
            return found
    return Function.OTHER


def declaration_type(type_code: str | None, procedures: Iterable[str]) -> DeclarationType:
    """The type by its code, else by the procedures (a correction names its own kind, not the goods' way)."""
    code = type_code or ""
    if code in TYPES:
        return TYPES[code]
    if len(code) == 3 and code[:2] in ("IM", "EX", "CO"):
        if code[2] in SUPPLEMENTARY_LETTERS:
            return DeclarationType.SUPPLEMENTARY
        if code[:2] in TYPES:
            return TYPES[code[:2]]
    for procedure in procedures:
        if procedure[0] in EXPORT_PROCEDURES:
            return DeclarationType.EXPORT
        if procedure[0] in IMPORT_PROCEDURES:
            return DeclarationType.IMPORT
    return DeclarationType.OTHER


def content_digest(document: Declaration | Response) -> str:
    """`sha256:` and the digest of the content: equal for equal documents, in whichever syntax they came."""
    plain = msgspec.to_builtins(document, builtin_types=(Decimal,))
    _spell(plain)
    content = msgspec.json.encode(plain, order="deterministic")
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _spell(node: dict[str, Any]) -> None:
    """Give each number in `node` its one spelling: 1.50 and 1.5 are the same mass."""
    for name, value in node.items():
        # In place and by exact type: most values are texts, and this runs for every declaration.
        kind = type(value)
        if kind is dict:
            _spell(value)
        elif kind is list:
            for inner in value:
                _spell(inner)
        elif kind is Decimal:
            node[name] = _number(value)


def _number(value: Decimal) -> str:
    if abs(value.adjusted()) > LONGEST_PLAIN:
        sign, digits, exponent = value.as_tuple()
        significant = "".join(map(str, digits)).lstrip("0")
        shortened = significant.rstrip("0")
        assert isinstance(exponent, int)
        power = exponent + len(significant) - len(shortened)
        return f"{'-' * sign}{shortened}e{power}" if shortened else "0"
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _declarant(declaration: Declaration, kind: DeclarationType) -> str | None:
    shipment = declaration.goods_shipment
    importer = shipment.importer if shipment else None
    exporter = declaration.exporter
    owners = (exporter, importer) if kind is DeclarationType.EXPORT else (importer, exporter)
    parties = (declaration.declarant, declaration.agent, declaration.submitter, *owners)
    return next((party.id for party in parties if party is not None and party.id), None)


def _offices(declaration: Declaration) -> Iterator[str | None]:
    yield declaration.declaration_office_id
    for office in (declaration.presentation_office, declaration.supervising_office, declaration.exit_office):
        if office is not None:
            yield office.id


def _items(declaration: Declaration) -> tuple[ItemFacts, ...]:
    shipment = declaration.goods_shipment
    shared = [_document(document) for document in declaration.additional_document]
    leaves = shipment.export_country.id if shipment and shipment.export_country else None
    reaches = shipment.destination.country_code if shipment and shipment.destination else None
    goods = shipment.government_agency_goods_item if shipment else ()
    if not goods:
        return (ItemFacts(documents=_distinct(shared), countries=_distinct((leaves, reaches))),)
    return tuple(_item(item, shared, leaves, reaches) for item in goods)


def _item(
    item: GovernmentAgencyGoodsItem, shared: list[str | None], leaves: str | None, reaches: str | None
) -> ItemFacts:
    own_leaves = item.export_country.id if item.export_country else None
    own_reaches = item.destination.country_code if item.destination else None
    origins = (origin.country_code for origin in item.origin)
    dangers = item.commodity.dangerous_goods if item.commodity else ()
    return ItemFacts(
        sequence=item.sequence_numeric,
        hs=_tariff(item),
        procedures=_distinct(
            f"{procedure.current_code or ''}{procedure.previous_code or ''}"
            for procedure in item.government_procedure
        ),
        documents=_distinct((*map(_document, item.additional_document), *shared)),
        countries=_distinct((*origins, own_leaves or leaves, own_reaches or reaches)),
        dangerous_goods=_distinct(danger.undgid for danger in dangers),
    )


def _tariff(item: GovernmentAgencyGoodsItem) -> tuple[str, ...]:
    """The tariff codes of the best scheme that is there; TARIC and national suffixes are not headings."""
    classifications = item.commodity.classification if item.commodity else ()
    for scheme in TARIFF_SCHEMES:
        found = _distinct(c.id for c in classifications if c.identification_type_code == scheme)
        if found:
            return found
    return ()


def _document(document: AdditionalDocument) -> str | None:
    return f"{document.category_code or ''}{document.type_code or ''}"


def _distinct(values: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values if value))
