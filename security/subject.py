"""The subject that an agreement names, as people and programs write it, and whether a certificate bears it.

RFC 4514 writes a name from its end: the common name first. OpenSSL writes it from its beginning unless it is
asked for `rfc2253`, and so do some programs write the certificate itself. Therefore a name counts in both
directions, as a whole: what is turned round has the same parts, all of them, certified by the same authority.
"""

import re

from cryptography import x509
from cryptography.x509.oid import NameOID

# How to have a name written as an agreement wants it.
COMMAND = "openssl x509 -noout -subject -nameopt rfc2253 -in FILE"

_Name = tuple[frozenset[tuple[x509.ObjectIdentifier, str | bytes]], ...]

# Short names beside those of RFC 4514, as OpenSSL and others write them.
_TYPES = {
    "CN": NameOID.COMMON_NAME,
    "L": NameOID.LOCALITY_NAME,
    "ST": NameOID.STATE_OR_PROVINCE_NAME,
    "S": NameOID.STATE_OR_PROVINCE_NAME,
    "O": NameOID.ORGANIZATION_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "C": NameOID.COUNTRY_NAME,
    "STREET": NameOID.STREET_ADDRESS,
    "DC": NameOID.DOMAIN_COMPONENT,
    "UID": NameOID.USER_ID,
    "EMAILADDRESS": NameOID.EMAIL_ADDRESS,
    "E": NameOID.EMAIL_ADDRESS,
    "SERIALNUMBER": NameOID.SERIAL_NUMBER,
    "SN": NameOID.SURNAME,
    "GN": NameOID.GIVEN_NAME,
    "TITLE": NameOID.TITLE,
    "POSTALCODE": NameOID.POSTAL_CODE,
    "BUSINESSCATEGORY": NameOID.BUSINESS_CATEGORY,
    "ORGANIZATIONIDENTIFIER": NameOID.ORGANIZATION_IDENTIFIER,
}
_TYPE = r"[A-Za-z][A-Za-z0-9-]*|[0-9]+(?:\.[0-9]+)+"
# A type, an equals sign and a value up to a separator that no backslash stands before.
_PART = re.compile(rf" *({_TYPE}) *= *((?:\\.|[^\\,+])*?) *([,+]|\Z)", re.DOTALL)
_SLASH = re.compile(rf"/({_TYPE})=")


class AgreedSubject:
    """A whole name or, where `text` has no `=`, a common name alone. Raises ValueError, which says how a name
    is written, for what is neither."""

    def __init__(self, text: str) -> None:
        self._common = "" if "=" in text else text.strip()
        self._name: _Name = () if self._common else _read(text)

    def is_of(self, certificate: x509.Certificate) -> bool:
        """Whether `certificate` bears it. A common name stands once; a whole name has the same parts and no
        others, in the same order or turned round."""
        try:
            subject = certificate.subject
        except ValueError:
            return False
        if self._common:  # never a whole name, or one could be made to look like a common name
            names = subject.get_attributes_for_oid(NameOID.COMMON_NAME)
            return len(names) == 1 and names[0].value == self._common
        return _parts(subject) in (self._name, self._name[::-1])


def _parts(name: x509.Name) -> _Name:
    return tuple(frozenset((one.oid, one.value) for one in part) for part in name.rdns)


def _read(text: str) -> _Name:
    try:
        plain = _from_slashes(text) if text.startswith("/") else _tightened(text)
        return _parts(x509.Name.from_rfc4514_string(plain))
    except (ValueError, LookupError):
        raise ValueError(
            f"{text!r} is not a name: CN=AS2,O=Acme,C=NL, as `{COMMAND}` writes it, or the common name alone"
        ) from None


def _tightened(text: str) -> str:
    """RFC 4514 without the spaces beside separators, and types by their numbers."""
    found, at = "", 0
    while True:
        part = _PART.match(text, at)
        if part is None:
            raise ValueError
        kind, value, separator = part.groups()
        if value.startswith("#"):  # the octets of an unknown kind of value
            raise ValueError
        found += f"{_number(kind)}={value}{separator}"
        at = part.end()
        if not separator:
            return found


def _from_slashes(text: str) -> str:
    """The form of OpenSSL's `-nameopt compat`, `/C=NL/O=Acme/CN=AS2`, as RFC 4514 has it."""
    pieces = _SLASH.split(text)
    if pieces[0] or any(kind.upper() not in _TYPES for kind in pieces[1::2]) or "\\" in text:
        raise ValueError
    pairs = list(zip(pieces[1::2], pieces[2::2], strict=True))
    return ",".join(f"{_number(kind)}={re.sub(_SPECIAL, _escaped, value)}" for kind, value in reversed(pairs))


_SPECIAL = re.compile(r'^[ #]| \Z|[,+"<>;=]')


def _escaped(found: re.Match[str]) -> str:
    return "\\" + found[0]


def _number(kind: str) -> str:
    return kind if kind[0].isdigit() else _TYPES[kind.upper()].dotted_string
