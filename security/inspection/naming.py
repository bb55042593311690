"""What identifiers and names are called, for a person who looks at a message. Nothing is decided by it."""

from .. import der
from ..errors import MalformedCms

# A name of a certificate has some 100 octets. A larger one is told by its size.
MAX_NAME = 4096
_MAX_PARTS = 64
_MAX_OID = 64

_KNOWN = {
    # Content types (RFC 5652, RFC 3161).
    "1.2.840.113549.1.7.1": "data",
    "1.2.840.113549.1.7.2": "signed-data",
    "1.2.840.113549.1.7.3": "enveloped-data",
    "1.2.840.113549.1.7.5": "digested-data",
    "1.2.840.113549.1.7.6": "encrypted-data",
    "1.2.840.113549.1.9.16.1.2": "authenticated-data",
    "1.2.840.113549.1.9.16.1.4": "time-stamp",
    "1.2.840.113549.1.9.16.1.9": "compressed-data",
    "1.2.840.113549.1.9.16.1.23": "authenveloped-data",
    # Attributes (RFC 5652 11, 8551 2.5, 5035, 6211).
    "1.2.840.113549.1.9.3": "content-type",
    "1.2.840.113549.1.9.4": "message-digest",
    "1.2.840.113549.1.9.5": "signing-time",
    "1.2.840.113549.1.9.6": "countersignature",
    "1.2.840.113549.1.9.15": "smime-capabilities",
    "1.2.840.113549.1.9.52": "algorithm-protection",
    "1.2.840.113549.1.9.16.2.4": "content-hint",
    "1.2.840.113549.1.9.16.2.11": "encryption-key-preference",
    "1.2.840.113549.1.9.16.2.12": "signing-certificate",
    "1.2.840.113549.1.9.16.2.14": "time-stamp-token",
    "1.2.840.113549.1.9.16.2.47": "signing-certificate-v2",
    "1.3.6.1.4.1.311.16.4": "encryption-key-preference (Microsoft)",
    # Algorithms that are never used here: what a refused message has may be one of them.
    "1.2.840.113549.2.2": "md2",
    "1.2.840.113549.2.5": "md5",
    "2.16.840.1.101.3.4.2.4": "sha-224",
    "2.16.840.1.101.3.4.2.8": "sha3-256",
    "2.16.840.1.101.3.4.2.9": "sha3-384",
    "2.16.840.1.101.3.4.2.10": "sha3-512",
    "1.2.840.113549.1.1.4": "rsa-md5",
    "1.2.840.113549.1.1.14": "rsa-sha-224",
    "1.2.840.10040.4.1": "dsa",
    "1.2.840.10040.4.3": "dsa-sha1",
    "2.16.840.1.101.3.4.3.2": "dsa-sha-256",
    "1.3.101.110": "x25519",
    "1.3.101.112": "ed25519",
    "1.3.101.113": "ed448",
    "1.2.840.113549.3.2": "rc2-cbc",
    "1.2.840.113549.3.4": "rc4",
    "1.3.14.3.2.7": "des-cbc",
    "1.2.840.113549.1.9.16.3.18": "chacha20-poly1305",
    "2.16.840.1.101.3.4.1.7": "aes128-ccm",
    "2.16.840.1.101.3.4.1.27": "aes192-ccm",
    "2.16.840.1.101.3.4.1.47": "aes256-ccm",
    "1.2.392.200011.61.1.1.1.2": "camellia128-cbc",
    "1.2.392.200011.61.1.1.1.3": "camellia192-cbc",
    "1.2.392.200011.61.1.1.1.4": "camellia256-cbc",
    "1.2.840.113549.1.9.16.3.6": "3des-wrap",
    "1.2.840.113549.1.9.16.3.5": "dh-static-ephemeral",
    "1.2.840.113549.1.9.16.3.8": "zlib",
    # Keys and curves (RFC 5480, RFC 5639).
    "1.2.840.113549.1.1.1": "RSA",
    "1.2.840.113549.1.1.10": "RSA-PSS",
    "1.2.840.10045.2.1": "EC",
    "1.2.840.10045.3.1.1": "P-192",
    "1.2.840.10045.3.1.7": "P-256",
    "1.3.132.0.33": "P-224",
    "1.3.132.0.34": "P-384",
    "1.3.132.0.35": "P-521",
    "1.3.132.0.10": "secp256k1",
    "1.3.36.3.3.2.8.1.1.7": "brainpoolP256r1",
    "1.3.36.3.3.2.8.1.1.11": "brainpoolP384r1",
    "1.3.36.3.3.2.8.1.1.13": "brainpoolP512r1",
}
# RFC 4514 3, and those that certificates of traders have beside them.
_ATTRIBUTES = {
    "2.5.4.3": "CN",
    "2.5.4.4": "SN",
    "2.5.4.5": "serialNumber",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.9": "street",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.12": "title",
    "2.5.4.42": "GN",
    "2.5.4.97": "organizationIdentifier",
    "0.9.2342.19200300.100.1.1": "UID",
    "0.9.2342.19200300.100.1.25": "DC",
    "1.2.840.113549.1.9.1": "emailAddress",
}
_CODECS = {0x0C: "utf-8", 0x1C: "utf-32-be", 0x1E: "utf-16-be"}
_TO_ESCAPE = frozenset('\\,+"<>;=')


def dotted(element: der.Buffer) -> str:
    """The whole OBJECT IDENTIFIER `element` in numbers (X.690 8.19). Raises MalformedCms."""
    outer = der.element_at(element, 0, len(element))
    if outer.tag != der.OBJECT_IDENTIFIER or not 0 < outer.stop - outer.start <= _MAX_OID:
        raise MalformedCms("not an object identifier")
    arcs, arc = [], 0
    for octet in element[outer.start : outer.stop]:
        arc = arc << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(arc)
            arc = 0
    if not arcs:
        raise MalformedCms("not an object identifier")
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


def name_of(oid: str) -> str:
    """What the object identifier is called; the numbers themselves where it is not known."""
    return _KNOWN.get(oid, oid)


def distinguished_name(data: der.Buffer) -> str:
    """The Name `data` (a whole element) in the order it is written, escaped as in RFC 4514. Never raises."""
    if len(data) > MAX_NAME:
        return f"a name of {len(data):,} octets"
    try:
        outer = der.element_at(data, 0, len(data))
        sets = der.children(data, outer.start, outer.stop, limit=_MAX_PARTS)
        return ",".join("+".join(_values(data, one)) for one in sets)
    except (MalformedCms, ValueError):
        return "a name that cannot be read"


def _values(data: der.Buffer, one: der.Element) -> list[str]:
    found = []
    for pair in der.children(data, one.start, one.stop, limit=_MAX_PARTS):
        kind, value = der.children(data, pair.start, pair.stop, limit=2)
        oid = dotted(data[kind.header : kind.stop])
        text = bytes(data[value.start : value.stop]).decode(_CODECS.get(value.tag, "latin-1"), "replace")
        escaped = "".join(f"\\{c}" if c in _TO_ESCAPE else c for c in text)
        found.append(f"{_ATTRIBUTES.get(oid, oid)}={escaped}")
    return found
