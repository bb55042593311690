"""What is measured with: a realistic declaration of about 5 KB, and AS2 requests that each hold another."""

import secrets
from datetime import UTC, datetime

import msgspec

from tidewaiter.codecs import edifact
from tidewaiter.codecs.document import EDIFACT_MEDIA_TYPE, Reader
from tidewaiter.gateway import clock
from tidewaiter.gateway.as2 import Composed, compose
from tidewaiter.gateway.http.outgoing import parse_url, write_request
from tidewaiter.gateway.sandbox.accounts import Account
from tidewaiter.gateway.sandbox.samples import sample

# The shipped import has three; eleven make 4.9 KB, what a declaration of a usual shipment weighs.
ITEMS = 11
# Stand in the template for the names that differ. None is longer than what it stands for.
_LRN, _REFERENCE = b"BENCH-LRN-000000", b"BENCHREF000000"


class Declarations:
    """CUSDECs that differ in their names only."""

    def __init__(self, reader: Reader) -> None:
        declaration = reader.read(sample("import.edi")).documents[0].declaration
        assert declaration is not None
        assert declaration.goods_shipment is not None
        items = declaration.goods_shipment.government_agency_goods_item
        many = tuple(
            msgspec.structs.replace(items[number % len(items)], sequence_numeric=number + 1)
            for number in range(ITEMS)
        )
        shipment = msgspec.structs.replace(declaration.goods_shipment, government_agency_goods_item=many)
        changed = msgspec.structs.replace(
            declaration,
            functional_reference_id=_LRN.decode(),
            goods_shipment=shipment,
            goods_item_quantity=ITEMS,
        )
        envelope = edifact.Envelope(
            sender="MERIDIAN",
            recipient="TIDEWAITER",
            reference=_REFERENCE.decode(),
            prepared=datetime.now(UTC),
        )
        self._template, _ = edifact.write_cusdec(changed, envelope)
        self._made = 0

    def new(self) -> bytes:
        """The next one: an LRN and an interchange reference of its own."""
        self._made += 1
        lrn, reference = f"BENCH-LRN-{self._made:06}", f"BENCHREF{self._made:06}"
        return self._template.replace(_LRN, lrn.encode()).replace(_REFERENCE, reference.encode())


def composed(payload: bytes, account: Account) -> Composed:
    """`payload` as the trader of `account` sends it over AS2."""
    assert account.terms is not None
    return compose(
        payload,
        EDIFACT_MEDIA_TYPE,
        account.terms,
        message_id=f"<{clock.new_id('B')}@bench.example>",
        now=datetime.now(UTC),
        boundary=secrets.token_hex(16),
    )


def request_bytes(message: Composed, account: Account) -> bytes:
    """The whole HTTP request, as it comes over the wire."""
    return write_request("POST", parse_url(account.as2_url), message.headers, message.body)
