"""A certificate for a person to look at, read by its outer layers only: what a library would refuse, for a
serial number of zero or a name with a wrong letter, can be shown all the same."""

from datetime import UTC, datetime

from .. import der
from ..algorithms import RSA_ENCRYPTION, RSA_PSS, split_identifier
from ..errors import MalformedCms
from ..trust import fingerprint
from .naming import distinguished_name, dotted, name_of
from .values import ShownCertificate

_UTC_TIME, _GENERALIZED_TIME = 0x17, 0x18
# RFC 5280 4.1.2.5.1: years of two digits from 50 on are of the last century.
_PIVOT = 50
_FIELDS = 10
_BIT_STRING = 0x03


def show_certificate(data: bytes) -> ShownCertificate:
    """What the certificate `data` says. Never raises."""
    name, octets = fingerprint(data), len(data)
    try:
        outer = der.element_at(data, 0, len(data))
        tbs = der.element_at(data, outer.start, outer.stop)
        fields = der.children(data, tbs.start, tbs.stop, limit=_FIELDS)
        if fields and fields[0].tag != der.INTEGER:  # all versions but the first say theirs
            fields = fields[1:]
        serial, _, issuer, validity, subject, key = fields[:6]
        begin, end = der.children(data, validity.start, validity.stop, limit=2)
        return ShownCertificate(
            subject=distinguished_name(data[subject.header : subject.stop]),
            issuer=distinguished_name(data[issuer.header : issuer.stop]),
            serial=data[serial.start : serial.stop].hex(),
            not_before=read_time(data[begin.header : begin.stop]),
            not_after=read_time(data[end.header : end.stop]),
            key=_key(data[key.header : key.stop]),
            fingerprint=name,
            octets=octets,
        )
    except (MalformedCms, ValueError):
        return ShownCertificate(fingerprint=name, octets=octets, problem="cannot be read")


def read_time(element: der.Buffer) -> datetime | None:
    """The Time `element` (RFC 5280 4.1.2.5), None where it is none."""
    try:
        outer = der.element_at(element, 0, len(element))
        text = bytes(element[outer.start : outer.stop]).decode("ascii")
        if outer.tag == _UTC_TIME:
            text = f"{'19' if int(text[:2]) >= _PIVOT else '20'}{text}"
        elif outer.tag != _GENERALIZED_TIME:
            return None
        return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
    except (MalformedCms, ValueError):
        return None


def _key(data: bytes) -> str:
    """Kind and size of a SubjectPublicKeyInfo."""
    outer = der.element_at(data, 0, len(data))
    algorithm, key = der.children(data, outer.start, outer.stop, limit=2)
    oid, parameters = split_identifier(data[algorithm.start : algorithm.stop])
    name = name_of(dotted(oid))
    if oid in {RSA_ENCRYPTION, RSA_PSS} and key.tag == _BIT_STRING:
        inner = der.element_at(data, key.start + 1, key.stop)
        modulus = der.element_at(data, inner.start, inner.stop)
        bits = int.from_bytes(data[modulus.start : modulus.stop], "big").bit_length()
        return f"{name} {bits}"
    if parameters[:1] == bytes((der.OBJECT_IDENTIFIER,)):
        return f"{name} {name_of(dotted(parameters))}"
    return name
