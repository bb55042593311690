"""The receipt of the HTTPS channel: what it says, and that anybody with our certificate can check it."""

import base64
import itertools
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from tidewaiter.gateway import clock
from tidewaiter.gateway.config import GatewaySettings
from tidewaiter.gateway.ledger import LodgementRecord, Receipt
from tidewaiter.gateway.lodging import Source
from tidewaiter.gateway.parties import Parties
from tidewaiter.gateway.receipts import SIGNATURE_HEADER, Receipts
from tidewaiter.routing.instant import Instant
from tidewaiter.routing.lifecycle import LodgementState
from tidewaiter.security import DEFAULT_POLICY, AuthenticationFailed, IntegrityFailed, load_certificates
from tidewaiter.security.cms import verify

RECEIVED = Instant(utc_ns=1_780_401_600_123_456_789, monotonic_ns=5, process="test")
ISSUED = Instant(utc_ns=1_780_401_601_000_000_000, monotonic_ns=6, process="test")
DIGEST = "ab" * 32
_NUMBERS = itertools.count(1)


def lodgement(lrn: str = "LRN-1") -> LodgementRecord:
    identity = f"L{next(_NUMBERS):013}"
    return LodgementRecord(
        id=identity,
        message="M0000000000001",
        position=0,
        partner="trader",
        channel="https",
        syntax="xml",
        type="import",
        function="original",
        declarant="EORI",
        lrn=lrn,
        root=identity,
        claims_lrn=True,
        state=LodgementState.ACCEPTED,
        test=False,
        content_digest="",
        document=b"",
        declaration=b"",
        findings=b"[]",
        agencies=(),
        received=RECEIVED,
    )


@pytest.fixture
def source(parties: Parties) -> Source:
    return Source(parties.named("trader"), "https", "M0000000000001", RECEIVED)


@pytest.fixture
def make(parties: Parties) -> Callable[[str], Receipts]:
    def made(public_url: str) -> Receipts:
        key = {"certificate": "c", "key": "k"}
        settings = msgspec.convert(
            {
                "as2-name": "TIDEWAITER",
                "edifact-id": "T",
                "signing": key,
                "tls": key,
                "public-url": public_url,
            },
            GatewaySettings,
        )
        return Receipts(settings, lambda: parties.signer, lambda: ISSUED)

    return made


@pytest.fixture
def receipts(make: Callable[[str], Receipts]) -> Receipts:
    return make("https://gateway.example")


def said(receipt: Receipt) -> Any:
    return msgspec.json.decode(receipt.body)


def test_a_lodgement_is_named_with_all_that_proves_it(receipts: Receipts, source: Source) -> None:
    one = lodgement()
    receipt = receipts.lodged([one], [], DIGEST, 42, source)
    status = f"https://gateway.example/v1/declarations/{one.id}"
    named = {"id": one.id, "lrn": "LRN-1", "status": status, "lodged-before": False}
    assert receipt.status == 202
    assert said(receipt) == {
        "gateway": "TIDEWAITER",
        "party": "trader",
        **named,
        "lodgements": [named],
        "digest": {"algorithm": "sha-256", "value": DIGEST, "octets": 42},
        "received": "2026-06-02T12:00:00.123Z",
        "issued": "2026-06-02T12:00:01.000Z",
    }
    assert dict(receipt.headers)["Content-Type"] == "application/json"
    assert dict(receipt.headers)["Location"] == status


def test_every_lodgement_of_a_message_is_named(receipts: Receipts, source: Source) -> None:
    """The new ones first; what had been lodged before says so."""
    new, other, before = lodgement("A"), lodgement("B"), lodgement("C")
    value = said(receipts.lodged([new, other], [before], DIGEST, 42, source))
    assert value["id"] == new.id
    assert [(each["id"], each["lrn"], each["lodged-before"]) for each in value["lodgements"]] == [
        (new.id, "A", False),
        (other.id, "B", False),
        (before.id, "C", True),
    ]


def test_what_was_all_lodged_before_names_the_first(receipts: Receipts, source: Source) -> None:
    before = lodgement()
    receipt = receipts.lodged([], [before], DIGEST, 42, source)
    assert said(receipt)["id"] == before.id
    assert said(receipt)["lodged-before"] is True
    assert dict(receipt.headers)["Location"].endswith(before.id)


def test_without_a_public_address_the_status_is_a_path(
    make: Callable[[str], Receipts], source: Source
) -> None:
    one = lodgement()
    receipt = make("").lodged([one], [], DIGEST, 42, source)
    assert said(receipt)["status"] == f"/v1/declarations/{one.id}"


def test_answers_are_counted(receipts: Receipts, source: Source) -> None:
    receipt = receipts.answered(["L1", "L2"], DIGEST, 42, source)
    assert receipt.status == 202
    value = said(receipt)
    assert (value["id"], value["answered"]) == ("M0000000000001", 2)
    assert "Location" not in dict(receipt.headers)
    assert SIGNATURE_HEADER in dict(receipt.headers)


@pytest.mark.parametrize("kind", ["lodged", "answered"])
def test_the_signature_is_ours_over_the_octets_of_the_body(
    receipts: Receipts, source: Source, starter: Any, kind: str
) -> None:
    if kind == "lodged":
        receipt = receipts.lodged([lodgement("\u00fc\u4e2d")], [], DIGEST, 42, source)
    else:
        receipt = receipts.answered(["L1"], DIGEST, 42, source)
    signature = base64.b64decode(dict(receipt.headers)[SIGNATURE_HEADER], validate=True)
    ours = load_certificates((starter / "keys/gateway.pem").read_bytes())
    theirs = load_certificates((starter / "keys/trader.pem").read_bytes())
    now = clock.utc(ISSUED)
    verified = verify(signature, receipt.body, ours, policy=DEFAULT_POLICY, now=now)
    assert verified.certificate == ours[0]
    with pytest.raises(IntegrityFailed):
        verify(signature, receipt.body + b" ", ours, policy=DEFAULT_POLICY, now=now)
    with pytest.raises(AuthenticationFailed):
        verify(signature, receipt.body, theirs, policy=DEFAULT_POLICY, now=now)


def test_a_header_is_one_line_of_ascii(receipts: Receipts, source: Source) -> None:
    receipt = receipts.lodged([lodgement("\u00fc\r\nX: y")], [], DIGEST, 42, source)
    for name, value in receipt.headers:
        assert (name + value).isascii()
        assert (name + value).isprintable()


@pytest.mark.anyio
async def test_the_receipt_of_a_real_lodgement_names_what_is_in_the_ledger(
    folder: Any, open_bench: Any, make_document: Callable[..., bytes]
) -> None:
    file = folder / "gateway.toml"
    file.write_text(file.read_text().replace('public-url = "https://localhost:8443"', ""))
    async with open_bench() as bench:
        response = await bench.lodge(make_document("export.xml"))
        stored = await bench.only()
        assert dict(response.headers)["Location"] == f"/v1/declarations/{stored.lodgement.id}"
        assert said(response)["lrn"] == stored.lodgement.lrn
        ours = [bench.parties.signer.certificate]
        signature = base64.b64decode(dict(response.headers)[SIGNATURE_HEADER], validate=True)
        verify(signature, response.body, ours, policy=DEFAULT_POLICY, now=clock.utc(bench.now()))
