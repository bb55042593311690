"""Which schema judges which document."""

from tidewaiter.codecs.wco import MetaData, Profile, SchemaSet, Selector, compile_schema, load_schemas
from tidewaiter.codecs.wco.names import DECLARATION, METADATA
from tidewaiter.codecs.wco.schemas import Subject

ROOT = f"{{{METADATA}}}MetaData"


def subject(**codes: str) -> Subject:
    return Subject(root=ROOT, metadata=MetaData(country="GB", agency="HMRC", type_name="DEC"), **codes)


def chosen(schemas: SchemaSet, selector: Selector, asked: Subject) -> bool:
    national = Profile(name="national", selector=selector, schema=schemas.reference)
    other = compile_schema({"a.xsd": OTHER}, "a.xsd")
    return SchemaSet(reference=other).with_profiles([national]).select(asked) is schemas.reference


OTHER = (
    b'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">'
    b'<xs:element name="o" type="xs:string"/></xs:schema>'
)


def test_without_profiles_the_reference_judges(schemas: SchemaSet) -> None:
    assert schemas.select(subject()) is schemas.reference


def test_a_profile_is_chosen_by_everything_it_names(schemas: SchemaSet) -> None:
    assert chosen(schemas, Selector(), subject())
    assert chosen(schemas, Selector(country="GB", agency="HMRC", type_code="INV"), subject(type_code="INV"))
    assert not chosen(schemas, Selector(country="GB", type_code="INV"), subject(type_code="COR"))
    assert not chosen(schemas, Selector(country="DK"), subject())
    assert not chosen(schemas, Selector(function_code="13"), subject())
    assert chosen(schemas, Selector(root=ROOT), subject())


def test_a_bare_document_matches_no_envelope(schemas: SchemaSet) -> None:
    bare = Subject(root=f"{{{DECLARATION}}}Declaration")
    assert not chosen(schemas, Selector(country="GB"), bare)
    assert chosen(schemas, Selector(), bare)


def test_a_profile_that_does_not_know_the_root_is_passed_over(schemas: SchemaSet) -> None:
    other = Profile(name="other", selector=Selector(), schema=compile_schema({"a.xsd": OTHER}, "a.xsd"))
    assert schemas.with_profiles([other]).select(subject()) is schemas.reference


def test_profiles_added_later_are_asked_first(schemas: SchemaSet, reference: dict[str, bytes]) -> None:
    again = load_schemas(reference).reference
    first = Profile(name="first", selector=Selector(), schema=schemas.reference)
    second = Profile(name="second", selector=Selector(), schema=again)
    assert schemas.with_profiles([first]).with_profiles([second]).select(subject()) is again
