"""Pointers select their node and name it in the data model's own terms."""

import json
import pathlib

from lxml import etree

from tidewaiter.codecs.declaration import Commodity, Declaration, Node, Response, fields
from tidewaiter.codecs.wco.names import DECLARATION, METADATA, RESPONSE
from tidewaiter.codecs.wco.place import located, node_class, pointer

DOCUMENT = etree.fromstring(
    f"""<m:MetaData xmlns:m="{METADATA}" xmlns="{DECLARATION}">
  <Declaration>
    <FunctionCode>9</FunctionCode>
    <GoodsShipment>
      <GovernmentAgencyGoodsItem/>
      <GovernmentAgencyGoodsItem>
        <Commodity>
          <Classification><ID>1</ID></Classification>
          <Classification><ID listID="x">2</ID><z:Odd xmlns:z="urn:odd"/></Classification>
        </Commodity>
      </GovernmentAgencyGoodsItem>
    </GoodsShipment>
  </Declaration>
</m:MetaData>"""
)
NAMES = {"d": DECLARATION, "r": RESPONSE, "z": "urn:odd"}


def one(path: str, root: etree._Element = DOCUMENT) -> etree._Element:
    (found,) = root.xpath(path, namespaces=NAMES)
    return found


def test_a_simple_element_ends_the_chain_with_its_id() -> None:
    element = one("(//d:ID)[2]")
    place = pointer(element)
    assert place.wco == "42A / 67A / 68A#2 / 23A / 21A#2:145"
    assert place.line == 9
    assert DOCUMENT.xpath(place.xpath, namespaces=place.namespaces) == [element]
    assert place.xpath == (
        "/md:MetaData/dec:Declaration/dec:GoodsShipment/dec:GovernmentAgencyGoodsItem[2]"
        "/dec:Commodity/dec:Classification[2]/dec:ID"
    )


def test_a_class_is_numbered_only_where_it_repeats() -> None:
    assert pointer(one("//d:GoodsShipment")).wco == "42A / 67A"
    assert pointer(one("//d:GovernmentAgencyGoodsItem[1]")).wco == "42A / 67A / 68A#1"


def test_outside_the_data_model_the_chain_stops_or_is_absent() -> None:
    odd = one("//z:Odd")
    place = pointer(odd)
    assert place.wco == "42A / 67A / 68A#2 / 23A / 21A#2"
    assert DOCUMENT.xpath(place.xpath, namespaces=place.namespaces) == [odd]
    assert pointer(DOCUMENT).wco is None


def test_a_missing_child_is_pointed_to_through_its_parent() -> None:
    parent = one("//d:GovernmentAgencyGoodsItem[1]")
    assert pointer(parent, missing="SequenceNumeric").wco == "42A / 67A / 68A#1:006"
    assert pointer(parent, missing="Commodity").wco == "42A / 67A / 68A#1 / 23A"
    place = pointer(parent, missing="SequenceNumeric")
    assert DOCUMENT.xpath(place.xpath, namespaces=place.namespaces) == [parent]


def test_an_attribute_is_selected_as_one() -> None:
    place = pointer(one("(//d:ID)[2]"), attribute="listID")
    assert DOCUMENT.xpath(place.xpath, namespaces=place.namespaces) == ["x"]


def test_responses_are_numbered_and_a_corrected_declaration_starts_anew() -> None:
    root = etree.fromstring(
        f'<m:MetaData xmlns:m="{METADATA}" xmlns="{RESPONSE}"><Response/><Response><Declaration><ID/>'
        f'</Declaration><c:Declaration xmlns:c="{DECLARATION}"><c:TypeCode/></c:Declaration>'
        "</Response></m:MetaData>"
    )
    assert pointer(one("//r:ID", root)).wco == "07B#2 / 42A:D014"
    assert pointer(one("//d:TypeCode", root)).wco == "42A:D013"
    assert node_class(one("//r:Response[1]", root)) is Response


def test_the_class_of_an_element() -> None:
    assert node_class(one("//d:Commodity")) is Commodity
    assert node_class(one("(//d:ID)[1]")) is None
    assert node_class(one("//z:Odd")) is None
    assert node_class(DOCUMENT) is None


def test_the_paths_of_libxml2_lead_to_their_elements() -> None:
    for element in DOCUMENT.iter():
        assert located(DOCUMENT, DOCUMENT.getroottree().getpath(element)) is element


def test_a_path_that_leads_nowhere_gives_nothing() -> None:
    for path in (None, "", "/", "/m:MetaData/*[9]", "/m:MetaData/q:Declaration", "/m:MetaData/*[1]/a'b"):
        assert located(DOCUMENT, path) is None
    assert located(DOCUMENT, "/m:MetaData/@x") is DOCUMENT


def test_the_published_pointers_of_an_agency_are_ours(shared: pathlib.Path) -> None:
    """All but those of two classes the element table does not have (59B, 86A)."""
    published = json.loads((shared / "wco" / "codelists" / "pointer_paths.json").read_text(encoding="utf-8"))
    paths = {path for each in published["pointers"] for path in each} - {"42A/42A"}

    def chains(kind: type[Node], path: str) -> set[str]:
        found = {path}
        for field in fields(kind):
            below = f"{path}/{field.wco}"
            found |= chains(field.kind, below) if issubclass(field.kind, Node) else {below}
        return found

    unknown = paths - chains(Declaration, "42A")
    assert all(path.startswith(("42A/67A/68A/59B", "42A/67A/68A/86A")) for path in unknown)
