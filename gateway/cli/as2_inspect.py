"""`as2 inspect`: what is inside a stored message. It reads; nothing is executed, trusted or kept unless
asked."""

import dataclasses
import pathlib
import sys
from datetime import UTC, datetime

import msgspec

from ..as2 import Disposition
from ..as2.inspection.messages import inspect, layers
from ..as2.inspection.stored import Kind, NotStored, Stored, read_stored
from ..as2.inspection.values import Inspection, Layer, Means, Standing, Verdict
from .as2_documents import write_documents
from .as2_means import Unusable, configured_means, given_means, read_moment, together
from .as2_records import record
from .as2_view import View
from .complaint import complain
from .intake import STDIN
from .paint import paint_for

FINE, WRONG = 0, 1
_STRANGERS = Verdict(
    good=False,
    disposition=Disposition.UNKNOWN_TRADING_PARTNER.text,
    reason="there is no agreement between the two names",
)
# A message with its attachments; the gateway takes 10 MB as it is set up at first.
MAX_FILE = 256 * 1024 * 1024


def inspect_message(
    name: str,
    *,
    keys: list[pathlib.Path],
    certificates: list[pathlib.Path],
    partner: str,
    folder: pathlib.Path | None,
    at: str,
    out: pathlib.Path | None,
    as_json: bool,
) -> int:
    """Print what is inside the file `name` (`-`: standard input). 0: all of it is as it should be, as far as
    can be seen; 1: something is not; 2: it cannot be read."""
    try:
        stored = read_message(name)
        means, agreement = _means(stored, keys, certificates, partner, folder)
        inspection = inspect(stored, means, now=datetime.now(UTC), at=read_moment(at))
        if folder is not None and not agreement and inspection.identity is not None:
            inspection = dataclasses.replace(inspection, verdict=_STRANGERS)
        written = write_documents(out, inspection.documents) if out is not None else []
    except Unusable as error:
        return complain(error)
    told = record(name, inspection, agreement, written)
    if as_json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(told)).decode() + "\n")
    else:
        view = View(paint_for(sys.stdout))
        sys.stdout.writelines(f"{line}\n" for line in view.lines(inspection, agreement, written))
    return WRONG if _is_wrong(inspection, means) else FINE


def read_message(name: str) -> Stored:
    """The stored message `name`. Raises Unusable."""
    try:
        if name == STDIN:
            data = sys.stdin.buffer.read(MAX_FILE + 1)
        else:
            with pathlib.Path(name).open("rb") as file:
                data = file.read(MAX_FILE + 1)
        if len(data) > MAX_FILE:
            raise Unusable(f"{name}: larger than {MAX_FILE:,} octets")
        return read_stored(data)
    except NotStored as error:
        raise Unusable(f"{name}: {error}") from None
    except (OSError, ValueError) as error:
        raise Unusable(f"{name}: {getattr(error, 'strerror', None) or error}") from None


def _means(
    stored: Stored,
    keys: list[pathlib.Path],
    certificates: list[pathlib.Path],
    partner: str,
    folder: pathlib.Path | None,
) -> tuple[Means, str]:
    given = given_means(keys, certificates)
    if folder is None:
        return given, ""
    configured, agreement = configured_means(folder, partner, stored)
    return together(configured, given), agreement


def _is_wrong(inspection: Inspection, means: Means) -> bool:
    """Whether anything is not as it should be; what takes a key, and none was given, may well be."""
    verdict = inspection.verdict
    found = list(layers(inspection.root))
    known = bool(means.certificates) or means.authorities is not None
    return (
        (verdict is not None and not verdict.good)
        or (bool(inspection.problem) and inspection.stored.kind is Kind.REQUEST)
        or any(_fails(layer, known=known) for layer in found)
        or any(layer.problem and (means.keys or not layer.locked) for layer in found)
    )


def _fails(layer: Layer, *, known: bool) -> bool:
    judged = layer.signature
    if judged is None:
        return False
    return judged.standing in {Standing.FAILS, Standing.REFUSED} or (
        judged.standing is Standing.UNTRUSTED and known
    )
