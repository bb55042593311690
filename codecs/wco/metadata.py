"""The envelope of a WCO document: which version, whose customisation."""

import msgspec

# The envelope's elements in schema order, and the field each is.
METADATA_FIELDS = {
    "WCODataModelVersionCode": "version",
    "WCOTypeName": "type_name",
    "ResponsibleCountryCode": "country",
    "ResponsibleAgencyName": "agency",
    "AgencyAssignedCustomizationCode": "customization",
    "AgencyAssignedCustomizationVersionCode": "customization_version",
}


class MetaData(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """WCO class DocumentMetaData: a value is None where the element is absent or empty.

    `type_name` is DEC or RES; `country` is ISO 3166; `customization_version` is the agency's own.
    """

    version: str | None = None
    type_name: str | None = None
    country: str | None = None
    agency: str | None = None
    customization: str | None = None
    customization_version: str | None = None
