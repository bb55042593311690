"""An inspection for a person: a layer within a layer, each with what can be seen of it."""

from collections.abc import Iterator, Sequence

from ...security.inspection.values import (
    Holder,
    ShownCertificate,
    ShownCompressed,
    ShownEnvelope,
    ShownOther,
    ShownRecipient,
    ShownSigned,
    ShownSigner,
)
from ..as2 import Identity
from ..as2.inspection.messages import notifications
from ..as2.inspection.values import Inspection, Judged, Layer, Notification, Standing
from .as2_documents import Written
from .paint import ELLIPSIS, Paint, Style, printable

INDENT = "  "
# A header may be of any length; nobody reads more of one.
MAX_LINE = 4096
_STANDINGS = {
    Standing.HOLDS: ("the signature holds", None),
    Standing.UNTRUSTED: (
        "the signature fits, by a certificate that only the message vouches for",
        Style.YELLOW,
    ),
    Standing.UNCHECKED: ("the signature was not checked", Style.YELLOW),
    Standing.REFUSED: ("the signature is of a kind that no agreement can allow", Style.RED),
    Standing.FAILS: ("the signature does not hold", Style.RED),
}


class View:
    """The lines of an inspection, in order."""

    def __init__(self, paint: Paint = Paint()) -> None:
        self._paint = paint

    def lines(self, inspection: Inspection, agreement: str, written: Sequence[Written]) -> Iterator[str]:
        """All of it; `agreement` is the name of whose agreement it was judged by."""
        yield from self._head(inspection)
        yield ""
        yield from self._layer(inspection.root, 0)
        yield ""
        if inspection.mic is not None and inspection.over is not None:
            yield self._line(0, f"MIC {inspection.mic}", Style.BOLD)
            yield self._line(1, f"over {inspection.over.value}")
        yield self._line(0, f"judged as of {inspection.at:%Y-%m-%d %H:%M:%S} UTC, by {inspection.dated_by}")
        yield from self._verdict(inspection, agreement)
        for one in written:
            called = f', "{one.name}" of its sender' if one.name else ""
            yield self._line(0, f"wrote {one.file}: {one.octets:,} octets, {one.content_type}{called}")

    def _head(self, inspection: Inspection) -> Iterator[str]:
        stored = inspection.stored
        start = f" {stored.start}" if stored.start else ""
        yield self._line(
            0, f"{stored.kind.value}{start}, {_octets(len(stored.body))} in its body", Style.BOLD
        )
        if stored.line_feeds:
            yield self._line(1, "its lines end with LF: something has changed this file", Style.YELLOW)
        if stored.chunked:
            yield self._line(1, "the body was stored in its chunks, which were taken off")
        if inspection.problem:
            yield self._line(1, f"no AS2 message by its headers: {inspection.problem}", Style.YELLOW)
        if inspection.identity is not None:
            is_receipt = next(notifications(inspection.root), None) is not None
            yield from (self._line(1, text) for text in _facts(inspection.identity, is_receipt=is_receipt))

    def _layer(self, layer: Layer, depth: int) -> Iterator[str]:
        called = f', "{layer.filename}"' if layer.filename else ""
        encoding = f", {layer.encoding}" if layer.encoding else ""
        kind = layer.content_type or ("no MIME headers" if layer.bare else "no content type")
        yield self._line(depth, f"{kind}: {_octets(layer.octets)}{encoding}{called}", Style.BOLD)
        if layer.cms is not None:
            for below, text in _cms(layer.cms):
                yield self._line(depth + 1 + below, text, Style.DIM if below else None)
        if layer.signature is not None:
            yield self._signature(layer.signature, depth + 1)
        if layer.notification is not None:
            yield from (self._line(depth + 1, text) for text in _notification(layer.notification))
        if layer.opened_by:
            yield self._line(depth + 1, f"decrypted with the key of {layer.opened_by}")
        if layer.opened is not None:
            yield self._line(depth + 1, f"{_octets(layer.opened)} inside")
        if layer.problem:
            yield self._line(depth + 1, layer.problem, Style.YELLOW if layer.locked else Style.RED)
        for inner in layer.inside:
            yield from self._layer(inner, depth + 1)

    def _signature(self, judged: Judged, depth: int) -> str:
        text, style = _STANDINGS[judged.standing]
        who = f": {judged.signer} ({judged.fingerprint})" if judged.fingerprint else ""
        why = f"; {judged.reason}" if judged.reason else ""
        tolerance = f"; {judged.tolerance.value}" if judged.tolerance is not None else ""
        return self._line(depth, f"{text}{who}{why}{tolerance}", style)

    def _verdict(self, inspection: Inspection, agreement: str) -> Iterator[str]:
        verdict = inspection.verdict
        if verdict is None:
            return
        why = f" ({verdict.reason})" if verdict.reason else ""
        hidden = "; all that fails inside encryption is answered so" if verdict.concealed else ""
        whose = f"the agreement with {agreement}" if agreement else "this configuration"
        text = f"by {whose}: {verdict.disposition}{why}{hidden}"
        yield self._line(0, text, None if verdict.good else Style.RED)

    def _line(self, depth: int, text: str, style: Style | None = None) -> str:
        """Not cut to a terminal: what is looked for may stand at the end of a name."""
        shown = printable(text)
        shown = shown if len(shown) <= MAX_LINE else shown[:MAX_LINE] + ELLIPSIS
        return f"{INDENT * depth}{self._paint(shown, style)}"


def _facts(identity: Identity, *, is_receipt: bool) -> Iterator[str]:
    yield f"from {identity.as2_from} to {identity.as2_to}, AS2 {identity.version}, {identity.message_id}"
    receipt = identity.receipt
    if receipt is None and not is_receipt:
        yield "no receipt is asked for"
    elif receipt is not None:
        signed = "signed" if receipt.signed else "unsigned"
        required = ", required" if receipt.signature_required else ""
        by = f", MIC by {', '.join(receipt.micalgs)}" if receipt.micalgs else ""
        where = f", to be posted to {receipt.async_url}" if receipt.async_url else ", in the response"
        yield f"asks for a receipt: {signed}{required}{by}{where}"
    if identity.features:
        yield f"features: {', '.join(identity.features)}"


def _notification(said: Notification) -> Iterator[str]:
    understood = said.understood or "no disposition that is known"
    yield f"receipt for {said.original_message_id or 'no message'}: {understood}"
    yield f"disposition: {said.disposition or '-'}"
    yield f"MIC: {said.mic or 'none'}"
    if said.final_recipient:
        yield f"final recipient: {said.final_recipient}"
    if said.reporting_ua:
        yield f"by {said.reporting_ua}"


def _cms(
    shown: ShownEnvelope | ShownSigned | ShownCompressed | ShownOther,
) -> Iterator[tuple[int, str]]:
    """Lines, each with how far it stands below."""
    match shown:
        case ShownEnvelope():
            yield 0, _envelope(shown)
            yield from ((1, f"recipient: {_recipient(one)}") for one in shown.recipients)
        case ShownSigned():
            content = f"{_octets(shown.content)} inside" if shown.content is not None else "detached"
            digests = f", {', '.join(shown.digests)}" if shown.digests else ""
            yield 0, f"signed-data, {shown.form.value}, of {shown.content_type}, {content}{digests}"
            for signer in shown.signers:
                yield 1, f"signer: {_signer(signer)}"
                yield from ((2, text) for text in _signed(signer))
            if not shown.signers:
                yield 1, "no signer"
            yield from ((1, f"certificate: {_certificate(one)}") for one in shown.certificates)
            if shown.revocations:
                yield 1, "revocation lists are carried, too"
        case ShownCompressed():
            yield 0, f"compressed-data, {shown.form.value}, {shown.algorithm}: {_octets(shown.content)}"
        case ShownOther():
            yield 0, f"{shown.content_type}, {shown.form.value}: {_octets(shown.octets)}"


def _envelope(shown: ShownEnvelope) -> str:
    place = "behind the content" if shown.tag_behind else "in its field"
    tag = f", a tag of {_octets(shown.tag)} {place}" if shown.tag else ""
    pieces = f" in {shown.pieces:,} pieces" if shown.pieces else ""
    vector = f", a vector of {_octets(shown.iv)}" if shown.iv else ""
    kind = f"{shown.type.value}, {shown.form.value}: {shown.cipher}"
    return f"{kind}{vector}{tag}, {_octets(shown.content)} encrypted{pieces}"


def _recipient(one: ShownRecipient) -> str:
    how = [one.algorithm, one.digest, one.mask, one.wrap]
    by = " ".join(part for part in how if part) or one.keying.value
    facts = [_holder(one.holder), one.key, by]
    problem = f" ({one.problem})" if one.problem else ""
    return ", ".join(fact for fact in facts if fact) + problem


def _signer(one: ShownSigner) -> str:
    if one.problem:
        return one.problem
    scheme = f"{one.scheme} with {one.hashed_with or one.digest}"
    if one.pss is not None and not one.pss.absent:
        scheme = f"{one.scheme} with {one.pss.digest}, {one.pss.mask}, a salt of {one.pss.salt}"
    elif one.pss is not None:
        scheme = f"{one.scheme} without parameters"
    return f"{_holder(one.holder)}, {one.digest}, {scheme}"


def _signed(one: ShownSigner) -> Iterator[str]:
    if one.problem:
        return
    if one.attributes is None:
        yield "no signed attributes: the signature is over the content itself"
        return
    yield f"signed attributes: {', '.join(one.attributes)}"
    if one.signing_time is not None:
        yield f"signed at {one.signing_time:%Y-%m-%d %H:%M:%S} UTC"
    if one.message_digest:
        yield f"digest {one.message_digest}"
    if one.unsigned:
        yield f"not signed: {', '.join(one.unsigned)}"


def _certificate(one: ShownCertificate) -> str:
    if one.problem:
        return f"{one.fingerprint}, {one.problem}"
    begin = f"{one.not_before:%Y-%m-%d}" if one.not_before else "?"
    end = f"{one.not_after:%Y-%m-%d}" if one.not_after else "?"
    by = "self-signed" if one.issuer == one.subject else f"by {one.issuer}"
    return f"{one.subject} {by}, serial {one.serial}, {one.key}, {begin} to {end}, {one.fingerprint}"


def _holder(holder: Holder) -> str:
    if holder.key_identifier:
        return f"key identifier {holder.key_identifier}"
    return f"issued by {holder.issuer}, serial {holder.serial}" if holder.serial else ""


def _octets(count: int) -> str:
    return f"{count:,} octet{'' if count == 1 else 's'}"
