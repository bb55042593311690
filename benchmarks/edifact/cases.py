"""The cases: what is timed beside what. Each returns its rows."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from tidewaiter.benchmarks.edifact import material, ours, peers
from tidewaiter.benchmarks.results import Result, beside_floor, beside_peer
from tidewaiter.benchmarks.rounds import Timed, in_turns
from tidewaiter.codecs import edifact
from tidewaiter.codecs.declaration import Declaration

PEER, SERIALIZED = "pydifact parsing", "pydifact serializing"
FLOOR = "bytes.split on ' + :"
# What a declaration of a usual shipment weighs.
MESSAGE = 5_000
_SENDER, _RECIPIENT, _REFERENCE = "MERIDIAN", "TIDEWAITER", "MT26112200001"
_ENVELOPE = peers.ENVELOPE | {"UNH", "UNT"}
_PREPARED = datetime(2026, 11, 22, 9, 15, tzinfo=UTC)


class UnequalError(Exception):
    """Two libraries read the same octets and did not see the same characters."""


def bulk(megabytes: int, rounds: int, directory: edifact.Directory) -> list[Result]:
    """A large interchange: read, read and validated, beside pydifact and the floor."""
    data = material.interchange(megabytes * material.MEGABYTE)
    text = data.decode(material.LATIN.codec)
    timed = in_turns(
        {
            "read": lambda: ours.streamed([data]),
            "checked": lambda: ours.streamed([data], directory),
            "held": lambda: ours.read(data),
            "floor": lambda: peers.plain_split(data),
            "peer": lambda: peers.parsed(text),
        },
        rounds,
    )
    equal({name: each.result for name, each in timed.items() if name != "floor"})
    read, checked, held, floor, peer = (timed[name] for name in ("read", "checked", "held", "floor", "peer"))
    name = f"{megabytes} MB: read"
    also = f"{name} + validated"
    whole = f"{name}, all messages held"
    return [
        beside_peer(name, read.best, PEER, peer.best, goal=">= 14, aim 25", spread=read.spread),
        beside_peer(also, checked.best, PEER, peer.best, goal=">= 12, aim 20", spread=checked.spread),
        beside_peer(whole, held.best, PEER, peer.best, spread=held.spread),
        beside_floor(name, read.best, FLOOR, floor.best, spread=floor.spread),
        beside_floor(also, checked.best, FLOOR, floor.best, spread=floor.spread),
    ]


def charsets(rounds: int, directory: edifact.Directory) -> list[Result]:
    """1 MB under the other levels, read and validated."""
    rows = []
    for charset in material.CHARSETS:
        if charset is material.LATIN:
            continue
        data = material.interchange(material.MEGABYTE, charset)
        text = data.decode(charset.codec)
        timed = in_turns(_pair(data, text, directory), rounds)
        equal({name: each.result for name, each in timed.items()})
        name = f"1 MB {charset.level}:{charset.version}: read + validated"
        rows.append(
            beside_peer(name, timed["ours"].best, PEER, timed["peer"].best, spread=timed["ours"].spread)
        )
    return rows


def single(rounds: int, directory: edifact.Directory) -> list[Result]:
    """One declaration of 5 KB."""
    data = material.one_message(MESSAGE)
    text = data.decode(material.LATIN.codec)
    timed = in_turns(_pair(data, text, directory), rounds, {"ours": 20, "peer": 2})
    equal({name: each.result for name, each in timed.items()})
    ours, peer = timed["ours"], timed["peer"]
    name = f"one message of {len(data):,} octets: read + validated"
    return [beside_peer(name, ours.best, PEER, peer.best, goal="<= 0.5 ms", spread=ours.spread)]


def declarations(rounds: int, directory: edifact.Directory) -> list[Result]:
    """One declaration of 5 KB to the canonical form and back, beside pydifact's parsing and serializing."""
    data = material.one_message(MESSAGE)
    text = data.decode(material.LATIN.codec)
    declaration = _declaration(data, directory)
    envelope = edifact.Envelope(
        sender=_SENDER, recipient=_RECIPIENT, reference=_REFERENCE, prepared=_PREPARED
    )
    written, _ = edifact.write_cusdec(declaration, envelope)
    segments = peers.segments(written.decode(material.LATIN.codec))
    timed = in_turns(
        {
            "read": lambda: _declaration(data, directory),
            "parse": lambda: peers.parsed(text),
            "write": lambda: edifact.write_cusdec(declaration, envelope),
            "serialize": lambda: peers.serialized(segments),
        },
        rounds,
        {"read": 5, "parse": 2, "write": 5, "serialize": 10},
    )
    reading, writing = f"CUSDEC of {len(data):,} octets", f"CUSDEC of {len(written):,} octets"
    return [
        _row(f"{reading}: read_cusdec", timed["read"], PEER, timed["parse"]),
        _row(f"{writing}: write_cusdec", timed["write"], SERIALIZED, timed["serialize"]),
    ]


def segments(rounds: int) -> list[Result]:
    """One message of 5 KB written from the same segments by both."""
    text = material.one_message(MESSAGE).decode(material.LATIN.codec)
    read = peers.segments(text)
    contents = [(each.tag, *each.elements) for each in read if each.tag not in _ENVELOPE]
    heading = edifact.Heading(
        sender=_SENDER,
        recipient=_RECIPIENT,
        reference=_REFERENCE,
        prepared=_PREPARED,
        service=edifact.ServiceString(explicit=True),
    )

    def compose() -> bytes:
        message = edifact.OutMessage(reference="1", name="CUSDEC:D:96B:UN", segments=contents)
        return edifact.compose(heading, [message])

    timed = in_turns(
        {"ours": compose, "peer": lambda: peers.serialized(read)}, rounds, {"ours": 10, "peer": 10}
    )
    theirs = str(timed["peer"].result)
    if compose().decode(material.LATIN.codec).partition("UNH")[2] != theirs.partition("UNH")[2]:
        raise UnequalError("the same segments are not written alike")
    return [_row(f"{len(contents)} segments written", timed["ours"], SERIALIZED, timed["peer"])]


def equal(totals: Mapping[str, object]) -> None:
    """Raise UnequalError unless every reader saw as many characters."""
    if len(set(totals.values())) != 1:
        raise UnequalError(f"readers do not see the same characters: {dict(totals)}")


def _row(case: str, ours_: Timed, against: str, peer: Timed) -> Result:
    return beside_peer(case, ours_.best, against, peer.best, spread=ours_.spread)


def _declaration(data: bytes, directory: edifact.Directory) -> Declaration:
    interchange = edifact.read_interchange(data)
    declaration, _ = edifact.read_cusdec(interchange, interchange.messages[0], directory)
    assert declaration is not None
    return declaration


def _pair(data: bytes, text: str, directory: edifact.Directory) -> dict[str, Callable[[], object]]:
    return {
        "ours": lambda: ours.validated(data, directory),
        "peer": lambda: peers.parsed(text),
    }
