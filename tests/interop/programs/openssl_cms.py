"""CMS by the openssl command line, and the MIME around it, written by hand.

Not every build of openssl has zlib: CompressedData, which is one frame around a zlib stream, is written here
and found by asn1parse.
"""

import base64
import quopri
import re
import subprocess
import zlib
from typing import NamedTuple


class RefusedError(Exception):
    """openssl says no."""


class Entity(NamedTuple):
    """A MIME entity: what its header block says, the block as it stands, the body."""

    headers: dict[str, str]
    head: bytes
    body: bytes

    def __bytes__(self) -> bytes:
        return self.head + b"\r\n" + self.body

    @property
    def kind(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].lower()

    def parameter(self, header: str, name: str) -> str | None:
        found = re.search(rf';\s*{name}="?([^";]+)', self.headers.get(header, ""), re.IGNORECASE)
        return found[1] if found else None


def openssl(*arguments: str, data: bytes = b"") -> bytes:
    """What the command prints. Raises RefusedError with what it complains about."""
    done = subprocess.run(["openssl", *arguments], input=data, capture_output=True, check=False)
    if done.returncode:
        raise RefusedError(f"openssl {' '.join(arguments[:2])}: {done.stderr.decode()}")
    return done.stdout


def tlv(tag: int, contents: bytes) -> bytes:
    """One element of DER."""
    size = len(contents)
    if size < 0x80:
        return bytes((tag, size)) + contents
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + contents


def compressed(data: bytes) -> bytes:
    """CompressedData, RFC 3274."""
    oid = {
        name: tlv(6, bytes.fromhex(value))
        for name, value in {
            "compressed": "2a864886f70d0109100109",
            "zlib": "2a864886f70d0109100308",
            "data": "2a864886f70d010701",
        }.items()
    }
    inner = tlv(0x30, oid["data"] + tlv(0xA0, tlv(4, zlib.compress(data))))
    whole = tlv(0x30, tlv(2, b"\0") + tlv(0x30, oid["zlib"]) + inner)
    return tlv(0x30, oid["compressed"] + tlv(0xA0, whole))


def inflated(data: bytes) -> bytes:
    """What is in CompressedData: the last OCTET STRING that asn1parse finds."""
    found = re.findall(r"^ *(\d+):d=\d+ +hl=(\d+) l= *(\d+) prim: OCTET STRING", parsed(data), re.MULTILINE)
    offset, header, length = map(int, found[-1])
    return zlib.decompress(data[offset + header : offset + header + length])


def parsed(data: bytes) -> str:
    """What asn1parse makes of it."""
    return openssl("asn1parse", "-inform", "DER", data=data).decode()


def entity(content_type: str, body: bytes, encoding: str | None, *more: str) -> bytes:
    """A MIME entity; `encoding` None: no Content-Transfer-Encoding, the body as it is."""
    lines = [f"Content-Type: {content_type}", *more]
    if encoding is not None:
        lines.insert(1, f"Content-Transfer-Encoding: {encoding}")
    if encoding == "base64":
        body = b"".join(base64.b64encode(body[at : at + 57]) + b"\r\n" for at in range(0, len(body), 57))
    elif encoding == "quoted-printable":
        body = quopri.encodestring(body).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n" + body


def read(raw: bytes) -> Entity:
    """The entity in `raw`."""
    head, _, body = raw.partition(b"\r\n\r\n")
    return Entity(fields(head.decode("latin-1")), head + b"\r\n", body)


def fields(text: str) -> dict[str, str]:
    """Header fields by lower-case name, unfolded."""
    lines = re.sub(r"\r?\n[ \t]+", " ", text).splitlines()
    pairs = (line.partition(":") for line in lines)
    return {name.lower(): value.strip() for name, _, value in pairs}


def parts(made: Entity) -> list[bytes]:
    """The parts of a multipart."""
    boundary = made.parameter("content-type", "boundary")
    assert boundary is not None
    pieces = (b"\r\n" + made.body).split(b"\r\n--" + boundary.encode())
    assert pieces[-1].startswith(b"--")
    return [piece.removeprefix(b"\r\n") for piece in pieces[1:-1]]


def decoded(made: Entity) -> bytes:
    """The body without its transfer encoding."""
    match made.headers.get("content-transfer-encoding", "").lower():
        case "base64":
            return base64.b64decode(made.body)
        case "quoted-printable":
            return quopri.decodestring(made.body)
    return made.body
