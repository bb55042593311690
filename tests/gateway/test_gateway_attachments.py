"""Supporting documents: kept with their declaration, shown, and sent along to whom has agreed to get them."""

import hashlib
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from tidewaiter.codecs.document import sniff
from tidewaiter.gateway import clock
from tidewaiter.gateway.as2 import MdnKind, Part, Received, compose, identify, receive
from tidewaiter.gateway.attachments import accompanying, attached, kept
from tidewaiter.gateway.ledger import AttachmentRecord
from tidewaiter.routing.lifecycle import DeliveryState, LodgementState

Make = Callable[..., bytes]
INVOICE = Part(b"%PDF-1.7\x00\xff\r\ninvoice", "application/pdf", "invoice.pdf")
PACKING = Part("Kolli 1\u20144\n".encode(), "text/plain; charset=utf-8", "packing.txt")


def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def composed(
    bench: Any, payload: bytes, *parts: Part, message_id: str = "<1@trader.example>", **how: Any
) -> Any:
    """What the trader sends: a document, and others with it."""
    return compose(
        payload,
        how.pop("content_type", None) or sniff(payload).media_type,
        bench.terms(),
        message_id=message_id,
        now=clock.utc(bench.now()),
        boundary="b" * 24,
        attachments=parts,
        **how,
    )


async def lodged(bench: Any, payload: bytes, *parts: Part, **how: Any) -> Any:
    message = composed(bench, payload, *parts, **how)
    return bench.judged(message, await bench.post(message))


def got(bench: Any, wire: Any, agency: str = "customs") -> Received:
    """The message as `agency` receives it."""
    _, headers, body = wire
    fields = [(name.lower().encode(), value.encode()) for name, value in headers]
    found = receive(identify(fields), fields, body, bench.terms(agency), now=clock.utc(bench.now()))
    assert isinstance(found, Received)
    return found


@pytest.mark.anyio
async def test_they_are_kept_with_their_message_and_told_of(bench: Any, make_document: Make) -> None:
    mdn = await lodged(bench, make_document(), INVOICE, PACKING, filename="import 7.edi")
    assert mdn.kind is MdnKind.PROCESSED
    lodgement = (await bench.only()).lodgement
    records = await bench.ledger.attachments(lodgement.message)
    assert [(r.filename, r.content_type, r.body, r.digest) for r in records] == [
        (p.filename, p.content_type, p.content, sha256(p.content)) for p in (INVOICE, PACKING)
    ]
    view = await bench.get(f"/v1/declarations/{lodgement.id}")
    assert view["filename"] == "import 7.edi"
    assert view["attachments"] == [
        {
            "position": position,
            "filename": part.filename,
            "content-type": part.content_type,
            "octets": len(part.content),
            "sha-256": sha256(part.content),
        }
        for position, part in enumerate((INVOICE, PACKING), 1)
    ]
    told = [event for event in await bench.events(lodgement.id) if event.kind.value == "attached"]
    assert [event.data["sha-256"] for event in told] == [sha256(INVOICE.content), sha256(PACKING.content)]
    assert told[0].data == {
        "position": "1",
        "filename": "invoice.pdf",
        "content-type": "application/pdf",
        "octets": str(len(INVOICE.content)),
        "sha-256": sha256(INVOICE.content),
    }
    assert {event.message for event in told} == {lodgement.message}


@pytest.mark.anyio
async def test_a_declaration_without_any_says_so(bench: Any, make_document: Make) -> None:
    await bench.lodge(make_document())
    lodgement = (await bench.only()).lodgement
    view = await bench.get(f"/v1/declarations/{lodgement.id}")
    assert (view["filename"], view["attachments"]) == (None, [])
    assert "attached" not in await bench.kinds()


@pytest.mark.anyio
async def test_a_message_that_comes_again_brings_nothing_again(bench: Any, make_document: Make) -> None:
    """Octet by octet, and wrapped anew."""
    first, second = (composed(bench, make_document(), INVOICE) for _ in range(2))
    for message in (first, first, second):
        assert bench.judged(message, await bench.post(message)).kind is MdnKind.PROCESSED
    status = await bench.only()
    assert len(status.attachments) == len(await bench.ledger.attachments(status.lodgement.message)) == 1
    assert (await bench.kinds()).count("attached") == 1


@pytest.mark.anyio
async def test_other_documents_under_the_same_name_are_another_message(
    bench: Any, make_document: Make
) -> None:
    await lodged(bench, make_document(), INVOICE)
    mdn = await lodged(bench, make_document(), INVOICE._replace(content=b"forged"))
    assert mdn.kind is not MdnKind.PROCESSED
    (one,) = (await bench.only()).attachments
    assert one.digest == sha256(INVOICE.content)


@pytest.mark.anyio
async def test_the_same_in_another_message_is_tied_to_the_first(bench: Any, make_document: Make) -> None:
    """Under whatever names: the octets are what counts."""
    await lodged(bench, make_document(), INVOICE, PACKING)
    again = INVOICE._replace(filename="again.pdf")
    await lodged(bench, make_document(reference="MT999"), again, message_id="<2@trader.example>")
    status = await bench.only()
    assert [one.filename for one in status.attachments] == ["invoice.pdf", "packing.txt"]
    assert len(status.deliveries) == 2
    (told,) = [e for e in await bench.events(status.lodgement.id) if e.data.get("filename") == "again.pdf"]
    assert told.message != status.lodgement.message
    (record,) = await bench.ledger.attachments(told.message)
    assert record.body == INVOICE.content


@pytest.mark.anyio
@pytest.mark.parametrize("reference", ["", "MT999"], ids=["same interchange", "another interchange"])
async def test_documents_that_come_later_go_nowhere_and_their_sender_is_told(
    bench: Any, make_document: Make, reference: str
) -> None:
    await lodged(bench, make_document(), INVOICE)
    first = (await bench.only()).lodgement
    mdn = await lodged(
        bench, make_document(reference=reference), INVOICE, PACKING, message_id="<2@trader.example>"
    )
    assert mdn.kind is MdnKind.PROCESSED
    second, same = await bench.ledger.lodgements(limit=9)
    assert (same.id, second.state) == (first.id, LodgementState.REJECTED)
    assert b"documents-late" in second.findings
    found = await bench.status(second.id)
    assert found.deliveries == ()
    assert [one.filename for one in found.attachments] == ["invoice.pdf", "packing.txt"]
    (note,) = await bench.notes()
    assert note.lodgement == second.id


def _agree(folder: Any) -> None:
    file = folder / "agencies/customs.toml"
    file.write_text(file.read_text().replace("[as2]\n", "[as2]\nattachments = true\n"))


@pytest.mark.anyio
async def test_an_agency_that_has_agreed_gets_them_with_its_delivery(
    folder: Any, open_bench: Any, make_document: Make
) -> None:
    _agree(folder)
    async with open_bench() as bench:
        await lodged(bench, make_document(), INVOICE, PACKING)
        bench.peer.will(bench.mdn("customs"))
        assert await bench.attempt("customs")
        assert (await bench.leg("customs")).state is DeliveryState.SENT
        (wire,) = bench.peer.requests
        found = got(bench, wire)
        assert found.attachments == (INVOICE, PACKING)
        assert found.payload.startswith(b"UNA")
        delivery = (await bench.leg("customs")).id
        assert found.filename == f"{delivery}.edi"
        # Health takes XML over HTTPS: it gets the document alone.
        bench.peer.will((202, (), b""))
        assert await bench.attempt("health")
        _, headers, body = bench.peer.requests[-1]
        assert dict(headers)["Content-Type"].startswith("application/xml")
        assert INVOICE.content not in body


@pytest.mark.anyio
async def test_an_agency_that_has_not_gets_the_declaration_alone(bench: Any, make_document: Make) -> None:
    await lodged(bench, make_document(), INVOICE)
    bench.peer.will(bench.mdn("customs"))
    assert await bench.attempt("customs")
    (wire,) = bench.peer.requests
    assert got(bench, wire).attachments == ()


@pytest.mark.anyio
async def test_one_that_has_agreed_gets_none_where_none_came(
    folder: Any, open_bench: Any, make_document: Make
) -> None:
    _agree(folder)
    async with open_bench() as bench:
        await lodged(bench, make_document())
        bench.peer.will(bench.mdn("customs"))
        assert await bench.attempt("customs")
        assert got(bench, bench.peer.requests[0]).attachments == ()


@pytest.mark.anyio
async def test_an_amendment_takes_documents_of_its_own_along(
    folder: Any, open_bench: Any, make_document: Make
) -> None:
    _agree(folder)
    async with open_bench() as bench:
        await lodged(bench, make_document(), INVOICE)
        amendment = make_document(reference="MT2", change=(b"+9'", b"+4'"))
        assert amendment != make_document(reference="MT2")
        await lodged(bench, amendment, PACKING, message_id="<2@trader.example>")
        bench.peer.will(bench.mdn("customs"))
        while await bench.attempt("customs"):
            pass
        sent = [got(bench, wire).attachments for wire in bench.peer.requests]
        assert sent == [(INVOICE,), (PACKING,)]


@pytest.mark.anyio
async def test_documents_of_several_declarations_cannot_be_told_apart(
    bench: Any, make_document: Make, make_interchange: Make
) -> None:
    """Each agency would get those of declarations that are not for it, or none would get any."""
    both = make_interchange(make_document("import.edi"), make_document("fireworks.edi"))
    mdn = await lodged(bench, both, INVOICE)
    assert mdn.kind is MdnKind.PROCESSED
    status = await bench.only()
    assert status.lodgement.state is LodgementState.REJECTED
    assert b"several-declarations" in status.lodgement.findings
    assert status.deliveries == ()
    assert len(status.attachments) == 1
    (note,) = await bench.notes()
    assert b"supporting documents came with several" in note.body
    # Without documents the very same is lodged: no name of it was used up.
    await lodged(bench, both, message_id="<2@trader.example>")
    states = [one.state for one in await bench.ledger.lodgements(limit=9)]
    assert states.count(LodgementState.ACCEPTED) == 2


@pytest.mark.anyio
async def test_where_the_document_itself_is_missing(bench: Any) -> None:
    """The first part is the document, whatever it is: no other is looked at in its stead."""
    mdn = await lodged(bench, INVOICE.content, PACKING, content_type="application/pdf")
    assert mdn.kind is MdnKind.PROCESSED
    status = await bench.only()
    assert status.lodgement.state is LodgementState.REJECTED
    assert [one.filename for one in status.attachments] == ["packing.txt"]
    assert len(await bench.notes()) == 1


@pytest.mark.anyio
async def test_what_comes_with_an_invalid_declaration_is_kept_with_it(
    bench: Any, make_document: Make
) -> None:
    await lodged(bench, make_document("invalid.edi"), INVOICE)
    status = await bench.only()
    assert status.lodgement.state is LodgementState.REJECTED
    assert [one.digest for one in status.attachments] == [sha256(INVOICE.content)]


@pytest.mark.anyio
async def test_empty_ones_and_such_of_one_name_are_taken_and_told_apart(
    folder: Any, open_bench: Any, make_document: Make
) -> None:
    _agree(folder)
    parts = (
        Part(b"", "application/pdf", "a.pdf"),
        Part(b"2", "application/pdf", "A.pdf"),
        Part(b"3", "application/pdf", "a.pdf"),
        Part(b"4", "application/octet-stream", None),
        Part(b"5", "application/octet-stream", None),
    )
    async with open_bench() as bench:
        mdn = await lodged(bench, make_document(), *parts)
        assert mdn.kind is MdnKind.PROCESSED
        status = await bench.only()
        assert [(one.filename, one.octets) for one in status.attachments] == [
            ("a.pdf", 0),
            ("A.pdf", 1),
            ("a.pdf", 1),
            (None, 1),
            (None, 1),
        ]
        bench.peer.will(bench.mdn("customs"))
        assert await bench.attempt("customs")
        sent = got(bench, bench.peer.requests[0]).attachments
        assert [part.filename for part in sent] == ["a.pdf", "A-2.pdf", "a-3.pdf", None, None]
        assert [part.content for part in sent] == [b"", b"2", b"3", b"4", b"5"]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (b"../../../etc/passwd", "passwd"),
        (b"C:\\\\temp\\\\x.pdf", "x.pdf"),
        (b"..", None),
        (b"x\x1b[31m.pdf", "x[31m.pdf"),
        (b"a" * 500 + b".pdf", "a" * 120),
    ],
)
async def test_an_illegal_name_is_tolerated_and_shown_safe(
    bench: Any, make_document: Make, given: bytes, shown: str | None
) -> None:
    """Written by hand: what we compose has no such name."""
    terms = bench.terms()
    boundary = b"r" * 20
    parts = (
        b"Content-Type: application/edifact\r\n\r\n" + make_document(),
        b'Content-Type: application/pdf\r\nContent-Disposition: attachment; filename="'
        + given
        + b'"\r\n\r\nX',
    )
    body = (
        b"".join(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts) + b"--" + boundary + b"--\r\n"
    )
    message = compose(
        body,
        f'multipart/related; type="application/edifact"; boundary="{boundary.decode()}"',
        terms,
        message_id="<1@x>",
        now=clock.utc(bench.now()),
        boundary="b" * 24,
    )
    mdn = bench.judged(message, await bench.post(message))
    assert mdn.kind is MdnKind.PROCESSED
    (one,) = (await bench.only()).attachments
    assert one.filename == shown
    assert one.octets == 1


@pytest.mark.anyio
async def test_more_parts_than_a_message_may_have_are_refused_with_it(
    bench: Any, make_document: Make
) -> None:
    mdn = await lodged(bench, make_document(), *[INVOICE] * 64)
    assert mdn.kind is not MdnKind.PROCESSED
    assert await bench.ledger.lodgements(limit=9) == []


def record(**fields: Any) -> AttachmentRecord:
    (made,) = kept("M1", [INVOICE])
    return msgspec.structs.replace(made, **fields)


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("application/pdf", "application/pdf"),
        ('text/plain; charset="utf-8"; name=x', 'text/plain; charset="utf-8"; name=x'),
        ("", "application/octet-stream"),
        ("pdf", "application/octet-stream"),
        ("text/plain\r\nX: y", "application/octet-stream"),
        ("text/plain\n", "application/octet-stream"),
        ("text/pl\u00e4in", "application/octet-stream"),
        ("a/" + "b" * 400, "application/octet-stream"),
    ],
)
def test_only_a_media_type_is_sent_as_one(given: str, sent: str) -> None:
    (part,) = accompanying([record(content_type=given)])
    assert part.content_type == sent


def test_names_that_become_one_on_the_wire_are_told_apart() -> None:
    names = ("\u00e9.pdf", "\u00e8.pdf", 'x"y', "x\\y", "noext", "noext", ".hidden", ".hidden")
    parts = accompanying([record(filename=name) for name in names])
    assert [part.filename for part in parts] == [
        "_.pdf",
        "_-2.pdf",
        "x_y",
        "x_y-2",
        "noext",
        "noext-2",
        ".hidden",
        ".hidden-2",
    ]


def test_a_name_that_looks_numbered_already_is_no_obstacle() -> None:
    parts = accompanying([record(filename=name) for name in ("a-2.pdf", "a.pdf", "a.pdf")])
    assert [part.filename for part in parts] == ["a-2.pdf", "a.pdf", "a-3.pdf"]


def test_the_history_has_no_long_type_and_no_name_where_there_is_none() -> None:
    data = attached(record(content_type="a/" + "b" * 5000, filename=None))
    assert len(data["content-type"]) == 200
    assert "filename" not in data
