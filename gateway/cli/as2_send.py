"""`as2 send`: files sent as an agreement wants them, and what comes back told in words."""

import functools
import http
import mimetypes
import pathlib
import re
import secrets
import sys
from typing import Any, NamedTuple

import anyio
import msgspec

from ...security import KeyStoreError
from .. import clock
from ..as2 import Composed, MdnKind, MdnResult, Part, Receipts, compose, read_mdn, same_mic
from ..http import Client, ClientError, ClientResponse, ConnectFailed
from ..http.head import write_head
from ..http.outgoing import parse_url, write_request
from ..sandbox.wire import Message
from .as2_kept import Keeper
from .as2_means import Unusable, read_file
from .as2_speaker import Speaker, speaker_of
from .complaint import complain
from .console import say

OK, REFUSED, AWAITED = 0, 1, 3
SEND_SECONDS = 60.0
_POSITIVE = frozenset({MdnKind.PROCESSED, MdnKind.WARNING})
_TYPES = mimetypes.MimeTypes()
_FIRST = ((b"UNA", "application/edifact"), (b"UNB", "application/edifact"), (b"<", "application/xml"))
_UNKNOWN = "application/octet-stream"
MAX_ID = 998
# RFC 2045 5.1.
_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_MEDIA_TYPE = re.compile(rf'{_WORD}/{_WORD}(?:; *{_WORD}=(?:{_WORD}|"[ !#-\[\]-~]*"))*')

_Row = dict[str, Any]


class Wish(NamedTuple):
    """What `as2 send` was asked for."""

    files: list[pathlib.Path]
    attach: list[pathlib.Path]
    content_type: str
    message_id: str
    subject: str
    dry_run: bool


def send(
    folder: pathlib.Path,
    wish: Wish,
    *,
    to: str,
    as_partner: str,
    url: str,
    out: pathlib.Path | None,
    as_json: bool,
) -> int:
    """Send each file. 0: each has a verified positive receipt, or was taken where none was asked for; 3:
    each was taken, and a receipt comes later; 1: not so; 2: nothing was sent."""
    try:
        if len(wish.files) > 1 and (wish.attach or wish.message_id):
            raise Unusable("--attach and --message-id are for one FILE")
        if _is_no_id(wish.message_id):
            raise Unusable(f"--message-id {wish.message_id!r}: no spaces, ASCII, up to {MAX_ID} characters")
        if wish.content_type and not _MEDIA_TYPE.fullmatch(wish.content_type):
            raise Unusable(f"--content-type {wish.content_type!r} is no media type: application/edifact")
        if wish.dry_run and out is None:
            raise Unusable("--dry-run writes the message: say where, with --out")
        speaker = speaker_of(folder, to, as_partner, url)
        parts = [_part(file, wish.content_type) for file in wish.files]
        attachments = [_part(file, "") for file in wish.attach]
        messages = [_composed(speaker, part, attachments, wish) for part in parts]
        keeper = Keeper(out) if out is not None else None
        if wish.dry_run:
            assert keeper is not None
            rows = [_kept(speaker, message, keeper) for message in messages]
        else:
            rows = anyio.run(functools.partial(_send_all, speaker, messages, keeper), backend="trio")
    except (Unusable, KeyStoreError, ValueError) as error:
        return complain(error)
    for row, file in zip(rows, wish.files, strict=True):
        row["file"] = str(file)
    if as_json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(rows)).decode() + "\n")
    else:
        for row in rows:
            _show(row)
    return _code(rows)


def _is_no_id(message_id: str) -> bool:
    """Whether it is one that receivers refuse (RFC 4130 5.3.3). Controls are refused with all headers."""
    bare = message_id.removeprefix("<").removesuffix(">")
    return bool(message_id) and (not bare or " " in bare or not bare.isascii() or len(message_id) > MAX_ID)


def _part(file: pathlib.Path, content_type: str) -> Part:
    """A file, its type by what it is told to be, else by how it begins, else by its name."""
    content = read_file(file)
    start = content[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    begins = (kind for first, kind in _FIRST if start.startswith(first))
    kind = content_type or next(begins, None) or _TYPES.guess_type(file.name)[0] or _UNKNOWN
    return Part(content=content, content_type=kind, filename=file.name)


def _composed(speaker: Speaker, part: Part, attachments: list[Part], wish: Wish) -> Composed:
    return compose(
        part.content,
        part.content_type,
        speaker.terms,
        message_id=wish.message_id or f"<{clock.new_id('T')}@{speaker.domain}>",
        now=clock.utc(clock.instant()),
        boundary=secrets.token_hex(16),
        filename=part.filename,
        subject=wish.subject or None,
        attachments=attachments,
    )


def _kept(speaker: Speaker, message: Composed, keeper: Keeper) -> _Row:
    """Of a message that is written and not sent."""
    file = keeper.request(_request(speaker, message), _line(speaker, message, "message"))
    return {"result": "written", "message": message.message_id, "mic": str(message.mic), "kept": [str(file)]}


def _request(speaker: Speaker, message: Composed) -> bytes:
    """The request as it is kept: its body in one piece, however it is sent."""
    return write_request("POST", parse_url(speaker.url), message.headers, message.body)


async def _send_all(speaker: Speaker, messages: list[Composed], keeper: Keeper | None) -> list[_Row]:
    async with Client(clock=clock.instant) as client:
        return [await _sent(speaker, message, keeper, client) for message in messages]


async def _sent(speaker: Speaker, message: Composed, keeper: Keeper | None, client: Client) -> _Row:
    kept = []
    if keeper is not None:
        kept.append(keeper.request(_request(speaker, message), _line(speaker, message, "message")))
    begun = clock.instant()
    row: _Row = {"message": message.message_id, "mic": str(message.mic), "url": speaker.url}
    try:
        response = await client.request(
            "POST",
            speaker.url,
            message.headers,
            message.body,
            tls=speaker.tls,
            timeout=SEND_SECONDS,
            chunked=speaker.chunked,
        )
    except ClientError as error:
        reason = f"not reached: {error.reason}" if isinstance(error, ConnectFailed) else error.reason
        return {"result": "no answer", **row, "reason": reason, "kept": list(map(str, kept))}
    if keeper is not None:
        kept.append(keeper.response(_stored(response), _line(speaker, message, "receipt", back=True)))
    seconds = (response.received.monotonic_ns - begun.monotonic_ns) / 1e9
    told = _judged(speaker, message, response)
    return {
        **told,
        **row,
        "http": response.status,
        "seconds": round(seconds, 3),
        "kept": list(map(str, kept)),
    }


def _judged(speaker: Speaker, message: Composed, response: ClientResponse) -> _Row:
    """What the response comes to, by what the agreement asks for."""
    taken = 200 <= response.status < 300
    terms = speaker.terms
    if not taken:
        return {"result": "refused", "reason": f"HTTP {response.status}"}
    if terms.receipts is Receipts.NONE:
        return {"result": "taken", "receipt": "none is asked for"}
    mdn = read_mdn(
        response.headers,
        response.body,
        terms,
        message_id=message.message_id,
        mic=message.mic,
        now=clock.utc(response.received),
    )
    if terms.receipts is Receipts.ASYNC and mdn.kind is MdnKind.MISSING:
        return {"result": "taken", "receipt": f"comes later, to {terms.receipt_url}"}
    return _receipted(message, mdn)


def _receipted(message: Composed, mdn: MdnResult) -> _Row:
    row: _Row = {
        "result": "receipted" if mdn.kind in _POSITIVE else "refused",
        "receipt": mdn.kind.value,
        "disposition": mdn.disposition,
        "signature": f"verified, by {mdn.signer}" if mdn.signed else "none that holds",
        "same-mic": "no MIC in it" if not mdn.mic else "same MIC",
    }
    if mdn.mic and not same_mic(message.mic, mdn.mic):
        row["same-mic"] = f"another MIC: {mdn.mic}"
    return row | ({"reason": mdn.detail} if mdn.detail else {})


def _stored(response: ClientResponse) -> bytes:
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers]
    try:
        phrase = http.HTTPStatus(response.status).phrase
    except ValueError:
        phrase = ""
    return write_head(f"HTTP/1.1 {response.status} {phrase}", headers) + response.body


def _line(speaker: Speaker, message: Composed, what: str, *, back: bool = False) -> Message:
    sender, recipient = (speaker.to, speaker.name) if back else (speaker.name, speaker.to)
    terms = speaker.terms
    return Message(
        file="",
        at=clock.instant().utc_ns,
        direction=f"{sender} to {recipient}",
        channel="as2",
        what=what,
        message_id=message.message_id,
        mic="" if back else str(message.mic),
        signed_by=sender if (terms.signed_receipts if back else terms.sign) else "",
        encrypted_to=recipient if terms.encrypt and not back else "",
    )


def _code(rows: list[_Row]) -> int:
    if not all(row["result"] in {"receipted", "taken", "written"} for row in rows):
        return REFUSED
    later = any(row.get("receipt", "").startswith("comes later") for row in rows)
    return AWAITED if later else OK


def _show(row: _Row) -> None:
    good = row["result"] in {"receipted", "taken", "written"}
    say((f"{row['result']:<9}", "green" if good else "red"), f" {row['file']}  {row['message']}")
    say(f"    MIC {row['mic']}")
    if "url" in row:
        answer = f"HTTP {row['http']} in {row['seconds']:.3f} s" if "http" in row else "no answer"
        say(f"    {answer}, {row['url']}")
    if "disposition" in row:
        said = row["disposition"] or "says nothing"
        said += "" if row["result"] == "receipted" else f" ({row['receipt']})"
        say(f"    receipt: {said}; signature {row['signature']}; {row['same-mic']}")
    elif "receipt" in row:
        say(f"    receipt: {row['receipt']}")
    if "reason" in row:
        say(f"    {row['reason']}")
    if row.get("kept"):
        say(f"    kept {', '.join(row['kept'])}")
