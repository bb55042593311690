"""CUSDEC D.96B and the canonical declaration: one row for each segment, in the order of the message.

Where the WCO to CUSDEC cross-references leave a choice, this is what was decided:

* the LRN is BGM 1004; RFF+ABE is read where that is empty, and as the trader's reference where it is not;
* documents: DOC 1001 type, 1131 category with 3055 = ZZZ, 1000 name, 1373 status, 1004 number (beyond 35
  characters it goes on in 1366). `DOC+853:N:ZZZ` is N853. DOC+998 is a previous one, DOC+380 the invoice;
* coded fields without a segment of their own: GIS with 7365 = WCO id, 3055 = ZZZ and the value in 7187;
* parties without a name: RFF+ZZZ with the WCO class in 4000 (16C, 17C), RFF+VA for 55B; their role in 1156;
  a UN dangerous goods number: RFF+ZZZ with 506 in 4000;
* statements: FTX with 4451 = the statement's type, ZZZ where it has none; amendments: FTX+CHG; a pointer is
  text, `42A/67A/68A#1:006`;
* duties: TAX 5305 regime, 3446 quota, 5279 currency of the base in 5286, 5273 and 1131 the specific base;
* sequence numbers of packages, equipment, seals and routing countries follow from their order;
* masses without a unit are written as KGM, other measures as ZZ.
"""

from .rows import (
    COMMUNICATION,
    CONTACT,
    amount,
    charges,
    date,
    document,
    indicator,
    location,
    mass,
    party,
    previous,
    reference,
    role,
    tax_party,
    transport,
)
from .rules import ANY, Rule
from .slots import slot
from .special import Begin, Seals
from .special_items import Currencies, Lrn
from .texts import CHANGES, Changes, Statements

SHIPMENT = "goods_shipment"
CONSIGNMENT = "goods_shipment.consignment"

_RATE = Rule(
    "SG9",
    "CUX",
    ANY,
    slot("currency_type_code", "1.2/3"),
    slot("rate_numeric", "3.1/12"),
    base="currency_exchange",
    many=True,
    fixed={(1, 1): "2"},
)

HEADER: tuple[Rule, ...] = (
    Begin("", "BGM", ANY, slot("functional_reference_id", "2.1/35"), slot("function_code", "3.1/3")),
    location("96", "declaration_office_id"),
    location("91", "issue_location_id"),
    location("43", "presentation_office.id"),
    location("42", "exit_office.id"),
    location("22", "supervising_office.id"),
    location("35", f"{SHIPMENT}.export_country.id"),
    location("28", f"{SHIPMENT}.destination.country_code", f"{SHIPMENT}.destination.region_id", "3.1/25"),
    location("9", "id", "name", "2.4/70>3.4/70>4.4/70", base=f"{CONSIGNMENT}.loading_location"),
    Rule(
        "",
        "LOC",
        "14",
        slot("id", "2.1/25"),
        slot("name", "2.4/70"),
        slot("address.country_code", "3.1/25"),
        slot("address.type_code", "3.2/3"),
        slot("address.line", "3.4/70"),
        slot("type_code", "4.1/25"),
        slot("address.city_name", "4.4/70"),
        base=f"{CONSIGNMENT}.goods_location",
        fixed={(1, 1): "14"},
        pool="LOC",
        limit=99,
    ),
    location("18", "id", "type_code", "4.1/25", base=f"{SHIPMENT}.warehouse"),
    Rule(
        "",
        "LOC",
        "49",
        slot("routing_country_code", "2.1/25"),
        base="consignment.itinerary",
        many=True,
        ordinal="sequence_numeric",
        fixed={(1, 1): "49"},
        pool="LOC",
        limit=99,
    ),
    date("", "137", "issue_date_time", limit=15),
    date("", "148", "acceptance_date_time", limit=15),
    indicator("", "102", "agent.function_code"),
    indicator("", "504", "specific_circumstances_code_code"),
    indicator("", "103", f"{SHIPMENT}.transaction_nature_code"),
    indicator("", "096", f"{CONSIGNMENT}.container_code"),
    indicator("", "098", "consignment.freight.payment_method_code"),
    indicator("", "106", f"{SHIPMENT}.trade_terms.country_relationship_code"),
    indicator("", "122", f"{SHIPMENT}.customs_valuation.method_code"),
    mass("", "/AAD", "AAD", "total_gross_mass_measure", limit=5),
    Rule(
        "",
        "EQD",
        ANY,
        slot("id", "2.1/17"),
        base=f"{CONSIGNMENT}.transport_equipment",
        many=True,
        ordinal="sequence_numeric",
        always=True,
        fixed={(1, 1): "CN"},
        pool="EQD",
        limit=999,
    ),
    Seals(
        "",
        "SEL",
        ANY,
        base=f"{CONSIGNMENT}.transport_equipment",
        ordinal="sequence_numeric",
        pool="SEL",
        limit=999,
    ),
    Changes("", "FTX", CHANGES, base="amendment", pool="FTX", limit=99),
    Statements("", "FTX", ANY, base="additional_information", pool="FTX", limit=99),
    reference("SG1", "ABT", "id", limit=99),
    Lrn("SG1", "RFF", "ABE"),
    reference("SG1", "UCN", f"{SHIPMENT}.ucr.id", limit=99),
    reference("SG1", "ABO", f"{SHIPMENT}.ucr.trader_assigned_reference_id", limit=99),
    Rule(
        "SG1",
        "RFF",
        "ABL",
        slot("reference_id", "1.2/35"),
        slot("security_details_code", "1.3/6"),
        slot("id", "1.4/35"),
        base="obligation_guarantee",
        many=True,
        fixed={(1, 1): "ABL"},
        pool="RFF",
        limit=99,
    ),
    role("SG1", "17C", "authorisation_holder", "category_code", limit=99),
    role("SG1", "16C", f"{SHIPMENT}.aeo_mutual_recognition_party", "role_code", limit=99),
    tax_party("SG1", f"{SHIPMENT}.domestic_duty_tax_party", limit=99),
    transport("11", "border_transport_means", "registration_nationality_code"),
    transport("12", f"{CONSIGNMENT}.departure_transport_means"),
    transport("13", f"{CONSIGNMENT}.arrival_transport_means", aliases=("1",)),
    Rule(
        "SG5",
        "DOC",
        "380",
        slot("id", "2.1/35>2.3/35"),
        base=f"{SHIPMENT}.invoice",
        fixed={(1, 1): "380"},
        pool="DOC",
        limit=10,
        subs=(date("SG5", "3", "issue_date_time"),),
    ),
    previous("SG5", f"{SHIPMENT}.previous_document", 10),
    document("SG5", 10, date("SG5", "7", "effective_date_time")),
    party("MS", "submitter"),
    party("DT", "declarant", CONTACT, COMMUNICATION),
    party("AE", "agent", aliases=("CB", "AG")),
    party("IM", f"{SHIPMENT}.importer", CONTACT, COMMUNICATION),
    party("EX", "exporter", CONTACT, COMMUNICATION),
    party("CZ", f"{SHIPMENT}.consignor"),
    party("CN", f"{SHIPMENT}.consignee"),
    party("SE", f"{SHIPMENT}.seller", CONTACT, COMMUNICATION),
    party("BY", f"{SHIPMENT}.buyer", CONTACT, COMMUNICATION),
    party("CA", "consignment.carrier", COMMUNICATION),
    party("PR", f"{SHIPMENT}.payer"),
    party("SY", f"{SHIPMENT}.surety"),
    Rule(
        "SG7",
        "TOD",
        ANY,
        slot("condition_code", "3.1/3"),
        slot("description", "3.4/70"),
        base=f"{SHIPMENT}.trade_terms",
        pool="TOD",
        subs=(
            Rule(
                "SG7",
                "LOC",
                "1",
                slot("location_id", "2.1/25"),
                slot("location_name", "2.4/70>3.4/70>4.4/70"),
                fixed={(1, 1): "1"},
            ),
        ),
    ),
    Currencies(
        "SG8",
        "MOA",
        "39",
        slot("invoice_amount:value", "1.2/18"),
        slot("invoice_amount:currency", "1.3/3"),
        fixed={(1, 1): "39"},
        pool="MOA",
        limit=25,
        subs=(_RATE,),
    ),
    amount("SG8", "64", f"{SHIPMENT}.customs_valuation.freight_charge_amount"),
    charges("SG8", f"{SHIPMENT}.customs_valuation.charge_deduction"),
)

SUMMARY: tuple[Rule, ...] = (
    *(
        Rule("", "CNT", key, slot(path, "1.2/18"), fixed={(1, 1): key}, pool="CNT", limit=5)
        for key, path in (
            ("5", "goods_item_quantity"),
            ("11", "total_package_quantity"),
            ("13", "loading_list_quantity"),
        )
    ),
    Rule("SG50", "AUT", ANY, slot("authentication.authentication", "1.1/35")),
)
