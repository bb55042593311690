"""A stored message looked into: its layers, whether its signature holds, its MIC, and what an agreement would
make of it.

Meant for the side that keeps the message. The result says why a layer cannot be opened, which `receive`
tells nobody: never let it reach the sender.
"""

import email.utils
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from ....security import Digest
from ....security.inspection.values import ShownSigned
from .. import mime
from ..identity import BadRequest, Identity, identify
from ..mdn_reading import MdnKind, read_mdn
from ..message import Received, receive
from ..mic import Mic
from ..terms import Terms
from .stored import Kind, Stored
from .unwrapping import MicSource, Walk
from .values import Inspection, Layer, Means, Notification, Verdict

_GOOD = frozenset({MdnKind.PROCESSED, MdnKind.WARNING})


class Moment(NamedTuple):
    """When a message is judged, and what says so."""

    at: datetime
    dated_by: str


def inspect(stored: Stored, means: Means, *, now: datetime, at: datetime | None = None) -> Inspection:
    """Everything that can be seen of `stored` with `means`.

    Certificates are judged as of `at`, else as of when the message was signed, else of its Date, else of
    `now`. Pure, and never raises for what a sender sends.
    """
    moment = moment_of(stored, now=now, at=at)
    identity, problem = _identity(stored)
    moment, walk, root = _walked(stored, means, moment, settled=at is not None)
    receipt = next(notifications(root), None)
    source = None if receipt is not None or stored.kind is Kind.CMS else walk.mic_source
    return Inspection(
        stored=stored,
        identity=identity,
        problem=problem,
        at=moment.at,
        dated_by=moment.dated_by,
        root=root,
        mic=_mic(source, identity, walk.digest) if source is not None else None,
        over=source.over if source is not None else None,
        verdict=_verdict(stored, identity, receipt, means.terms, moment.at),
        documents=tuple(walk.documents),
    )


def _walked(stored: Stored, means: Means, moment: Moment, *, settled: bool) -> tuple[Moment, Walk, Layer]:
    """The layers, judged as of when a signature in them says; one more walk where it says another time."""
    walk = Walk(means, moment.at)
    root = walk.entity(mime.from_http(stored.headers, stored.body))
    signed = next(signing_times(root), None)
    if settled or signed is None:
        return moment, walk, root
    if signed == moment.at:
        return Moment(signed, SIGNED_AT), walk, root
    walk = Walk(means, signed)
    return Moment(signed, SIGNED_AT), walk, walk.entity(mime.from_http(stored.headers, stored.body))


SIGNED_AT, DATED, GIVEN, NOW = "the signature", "the Date header", "the time given", "the clock"


def moment_of(stored: Stored, *, now: datetime, at: datetime | None = None) -> Moment:
    """When `stored` is from, as far as its headers say: `at` if given, else its Date, else `now`."""
    if at is not None:
        return Moment(at, GIVEN)
    dated = read_date(stored.header("date"))
    return Moment(dated, DATED) if dated is not None else Moment(now, NOW)


def read_date(text: str) -> datetime | None:
    """A Date header; one without a zone is taken for UTC. None for what is none."""
    try:
        moment = email.utils.parsedate_to_datetime(text)
        moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def layers(root: Layer) -> Iterator[Layer]:
    """`root` and every layer in it, outermost first."""
    yield root
    for inner in root.inside:
        yield from layers(inner)


def notifications(root: Layer) -> Iterator[Notification]:
    """What receipts there are in `root`."""
    return (layer.notification for layer in layers(root) if layer.notification is not None)


def signing_times(root: Layer) -> Iterator[datetime]:
    """When the signatures in `root` say that they were made."""
    for layer in layers(root):
        if isinstance(layer.cms, ShownSigned):
            yield from (one.signing_time for one in layer.cms.signers if one.signing_time is not None)


def mic_source(stored: Stored, means: Means, at: datetime) -> MicSource | None:
    """The octets the MIC of `stored` is over; None where `means` do not open it that far."""
    walk = Walk(means, at)
    walk.entity(mime.from_http(stored.headers, stored.body))
    return walk.mic_source


def _identity(stored: Stored) -> tuple[Identity | None, str]:
    if stored.kind is Kind.CMS:
        return None, ""
    try:
        return identify(stored.headers), ""
    except BadRequest as error:
        return None, error.reason


def _mic(source: MicSource, identity: Identity | None, signed_with: Digest | None) -> Mic:
    """By the first algorithm asked for that is known, else the signature's, else SHA-256."""
    asked = (Digest.from_micalg(name) for name in (identity.micalgs if identity is not None else ()))
    digest = next((one for one in asked if one is not None), None) or signed_with or Digest.SHA256
    return Mic.over(source.octets, digest)


def _verdict(
    stored: Stored, identity: Identity | None, receipt: Notification | None, terms: Terms | None, at: datetime
) -> Verdict | None:
    if terms is None or stored.kind is Kind.CMS:
        return None
    if receipt is not None:
        original = receipt.original_message_id
        mdn = read_mdn(stored.headers, stored.body, terms, message_id=original, mic=None, now=at)
        said = mdn.disposition or mdn.kind.value
        return Verdict(good=mdn.kind in _GOOD, disposition=said, reason=mdn.detail)
    if identity is None:
        return None
    got = receive(identity, stored.headers, stored.body, terms, now=at)
    if isinstance(got, Received):
        return Verdict(good=True, disposition=got.disposition.text)
    return Verdict(good=False, disposition=got.disposition.text, reason=got.reason, concealed=got.concealed)
