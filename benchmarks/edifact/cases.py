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
# Ours and the floor are called so often in a round that it lasts like the peer's: who is done in a moment
# would meet a quiet machine more often, and come out better than it is.
CALLS = {
    1: {"read": 8, "elements": 5, "checked": 5, "held": 5, "floor": 20},
    10: {"read": 2, "elements": 2, "checked": 2, "held": 2, "floor": 5},
}
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
            "elements": lambda: ours.streamed([data], length=ours.by_element),
            "checked": lambda: ours.streamed([data], directory),
            "held": lambda: ours.whole(data),
            "floor": lambda: peers.plain_split(data),
            "peer": lambda: peers.parsed(text),
        },
        rounds,
        CALLS[megabytes],
    )
    equal({name: each.result for name, each in timed.items() if name != "floor"})
    peer, floor = timed["peer"], timed["floor"]
    name = f"{megabytes} MB: read"
    also = f"{name} + validated"
    return [
        _row(name, timed["read"], PEER, peer, goal=">= 14, aim 25"),
        _row(f"{name}, element by element", timed["elements"], PEER, peer),
        _row(f"{name}, all messages held", timed["held"], PEER, peer),
        _row(also, timed["checked"], PEER, peer, goal=">= 12, aim 20"),
        beside_floor(name, timed["read"].best, FLOOR, floor.best, spread=floor.spread),
        beside_floor(also, timed["checked"].best, FLOOR, floor.best, spread=floor.spread),
    ]


def charsets(rounds: int, directory: edifact.Directory) -> list[Result]:
    """1 MB under the other levels, read and validated."""
    rows = []
    for charset in material.CHARSETS:
        if charset is not material.LATIN:
            name = f"1 MB {charset.level}:{charset.version}: read + validated"
            data = material.interchange(material.MEGABYTE, charset)
            rows.append(_beside_parsing(name, data, charset, rounds, {"ours": 6}, directory))
    return rows


def single(rounds: int, directory: edifact.Directory) -> list[Result]:
    """One declaration of 5 KB."""
    data = material.one_message(MESSAGE)
    name = f"one message of {len(data):,} octets: read + validated"
    calls = {"ours": 40, "peer": 4}
    return [_beside_parsing(name, data, material.LATIN, rounds, calls, directory, goal="<= 0.5 ms")]


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
        {"read": 5, "parse": 4, "write": 5, "serialize": 30},
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


def _beside_parsing(
    name: str,
    data: bytes,
    charset: material.Charset,
    rounds: int,
    calls: Mapping[str, int],
    directory: edifact.Directory,
    *,
    goal: str = "",
) -> Result:
    text = data.decode(charset.codec)
    ways: dict[str, Callable[[], object]] = {
        "ours": lambda: ours.validated(data, directory),
        "peer": lambda: peers.parsed(text),
    }
    timed = in_turns(ways, rounds, calls)
    equal({way: each.result for way, each in timed.items()})
    return _row(name, timed["ours"], PEER, timed["peer"], goal=goal)


def _row(case: str, our: Timed, against: str, peer: Timed, *, goal: str = "") -> Result:
    return beside_peer(case, our.best, against, peer.best, goal=goal, spread=our.spread)


def _declaration(data: bytes, directory: edifact.Directory) -> Declaration:
    interchange = edifact.read_interchange(data)
    declaration, _ = edifact.read_cusdec(interchange, interchange.messages[0], directory)
    assert declaration is not None
    return declaration
