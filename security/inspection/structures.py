"""Looking into CMS without a key: everything that stands in the open, also of what would be refused.

No algorithm is used and nothing is believed. What a part of a structure is not, that part says; only what is
no ContentInfo at all raises.
"""

from collections.abc import Iterator

from .. import der
from ..algorithms import CIPHERS, Mode, split_identifier
from ..cms.ciphers import gcm_parameters
from ..cms.content import ContentType, content_type, encapsulated, fields
from ..errors import MalformedCms
from .certificates import show_certificate
from .naming import dotted, name_of
from .parts import MAX_LISTED, digest_text, required
from .recipients import show_recipients
from .signers import show_signer
from .values import Form, Shown, ShownCompressed, ShownEnvelope, ShownOther, ShownSigned

_CONTEXT_0, _CONTEXT_1 = 0xA0, 0xA1
_STRING_IN_PIECES = 0xA0


def inspect(data: bytes) -> Shown:
    """What the ContentInfo `data`, in DER or BER, shows to everybody. Raises MalformedCms if it is none."""
    whole = der.to_der(data)
    form = Form.DER if whole is data else Form.BER
    try:
        kind = content_type(whole)
    except MalformedCms:
        outer = der.element_at(whole, 0, len(whole))
        named = der.element_at(whole, outer.start, outer.stop)
        name = name_of(dotted(whole[named.header : named.stop]))
        return ShownOther(content_type=name, form=form, octets=len(data))
    match kind:
        case ContentType.SIGNED:
            return _signed(whole, form, len(data))
        case ContentType.COMPRESSED:
            return _compressed(whole, form, len(data))
        case _:
            return _envelope(whole, kind, form, len(data))


def carried_certificates(data: bytes) -> tuple[bytes, ...]:
    """The certificates, in DER, that the SignedData `data` carries. Raises MalformedCms if it is none."""
    whole = der.to_der(data)
    return tuple(_certificates(whole, fields(whole, ContentType.SIGNED, limit=6)))


def carried_content(data: bytes) -> bytes | None:
    """The content inside the SignedData `data`, of which nothing is verified; None where it is detached.

    Raises MalformedCms if it is none.
    """
    whole = der.to_der(data)
    _, content = encapsulated(whole, required(fields(whole, ContentType.SIGNED, limit=6), 3)[2])
    return bytes(content) if content is not None else None


def _envelope(data: bytes, kind: ContentType, form: Form, octets: int) -> ShownEnvelope:
    found = fields(data, kind, limit=7)
    if len(found) > 1 and found[1].tag == _CONTEXT_0:  # OriginatorInfo
        del found[1]
    _, infos, encrypted = required(found, 3)[:3]
    parts = required(der.children(data, encrypted.start, encrypted.stop, limit=3), 2)
    oid, parameters = split_identifier(data[parts[1].start : parts[1].stop])
    cipher = CIPHERS.get(oid)
    iv, tag = _parameters(parameters, cipher.mode if cipher is not None else None)
    content, pieces = _content(data, parts[2]) if len(parts) > 2 else (0, 0)
    behind = kind is ContentType.ENVELOPED and tag > 0
    return ShownEnvelope(
        type=kind,
        form=Form.BER if pieces else form,
        octets=octets,
        cipher=cipher.value if cipher is not None else name_of(dotted(oid)),
        mode=cipher.mode.value if cipher is not None else "",
        iv=iv,
        tag=tag,
        tag_behind=behind,
        content=max(0, content - tag) if behind else content,
        pieces=pieces,
        recipients=tuple(
            recipient
            for info in der.children(data, infos.start, infos.stop, limit=MAX_LISTED)
            for recipient in show_recipients(data[info.header : info.stop])
        )[:MAX_LISTED],
    )


def _parameters(parameters: bytes, mode: Mode | None) -> tuple[int, int]:
    """Octets of the initialisation vector or nonce, and of the tag."""
    try:
        if mode is Mode.GCM:
            nonce, tag = gcm_parameters(parameters)
            return len(nonce), tag
        vector = der.element_at(parameters, 0, len(parameters))
        return (vector.stop - vector.start if vector.tag == der.OCTET_STRING else 0), 0
    except MalformedCms:
        return 0, 0


def _content(data: bytes, element: der.Element) -> tuple[int, int]:
    """Octets of an encrypted content, and how many strings they are in (0: one)."""
    if element.tag != _STRING_IN_PIECES:
        return element.stop - element.start, 0
    size = element.stop - element.start
    limit = der.FREE_ELEMENTS + size // der.OCTETS_PER_ELEMENT
    pieces = der.children(data, element.start, element.stop, limit=limit)
    return sum(piece.stop - piece.start for piece in pieces), len(pieces)


def _signed(data: bytes, form: Form, octets: int) -> ShownSigned:
    found = fields(data, ContentType.SIGNED, limit=6)
    _, digests, content = required(found, 3)[:3]
    kind, inside = encapsulated(data, content)
    infos = found[-1] if found[-1].tag == der.SET and len(found) > 3 else None
    signers = der.children(data, infos.start, infos.stop, limit=MAX_LISTED) if infos else []
    revocations = sum(1 for one in found[3:] if one.tag == _CONTEXT_1)
    return ShownSigned(
        type=ContentType.SIGNED,
        form=form,
        octets=octets,
        content_type=name_of(dotted(kind)),
        content=len(inside) if inside is not None else None,
        digests=tuple(
            digest_text(data[one.start : one.stop])
            for one in der.children(data, digests.start, digests.stop, limit=MAX_LISTED)
        ),
        certificates=tuple(map(show_certificate, _certificates(data, found))),
        revocations=revocations,
        signers=tuple(show_signer(data[info.header : info.stop]) for info in signers),
    )


def _certificates(data: bytes, found: list[der.Element]) -> Iterator[bytes]:
    for one in found[3:]:
        if one.tag == _CONTEXT_0:
            for certificate in der.children(data, one.start, one.stop, limit=MAX_LISTED):
                yield data[certificate.header : certificate.stop]


def _compressed(data: bytes, form: Form, octets: int) -> ShownCompressed:
    _, algorithm, content = required(fields(data, ContentType.COMPRESSED, limit=3), 3)
    oid, _ = split_identifier(data[algorithm.start : algorithm.stop])
    _, inside = encapsulated(data, content)
    return ShownCompressed(
        type=ContentType.COMPRESSED,
        form=form,
        octets=octets,
        algorithm=name_of(dotted(oid)),
        content=len(inside) if inside is not None else 0,
    )
