"""The receipt of the HTTPS channel: JSON that proves a lodgement, and a detached CMS signature over it."""

import base64
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from ..routing.instant import Instant
from ..security.cms import Signer, sign
from . import clock
from .config import GatewaySettings
from .ledger import LodgementRecord, Receipt
from .lodging import Source

SIGNATURE_HEADER = "Receipt-Signature"


class Receipts:
    """Signs receipts in the gateway's name."""

    def __init__(
        self,
        settings: GatewaySettings,
        signer: Callable[[], Signer],
        now: Callable[[], Instant] = clock.instant,
    ) -> None:
        """`signer` is asked for each receipt: certificates change while the gateway runs."""
        self._settings = settings
        self._signer = signer
        self._now = now

    def lodged(
        self,
        lodgements: Sequence[LodgementRecord],
        tied: Sequence[LodgementRecord],
        digest: str,
        octets: int,
        source: Source,
    ) -> Receipt:
        """202 for declarations: `lodgements` are new, `tied` had been lodged before with the same content."""
        named = [self._named(lodgement, before=False) for lodgement in lodgements]
        named += [self._named(lodgement, before=True) for lodgement in tied]
        first = named[0]
        return self._receipt({**first, "lodgements": named}, first["status"], digest, octets, source)

    def answered(
        self, lodgements: Sequence[str], digest: str, octets: int, source: Source, acknowledged: int = 0
    ) -> Receipt:
        """202 for an agency's answers, and for what acknowledges beside them."""
        about: dict[str, Any] = {"id": source.message, "answered": len(lodgements)}
        if acknowledged:
            about["acknowledged"] = acknowledged
        return self._receipt(about, None, digest, octets, source)

    def acknowledged(self, number: int, digest: str, octets: int, source: Source) -> Receipt:
        """202 for what a trader acknowledges: so many entries of its log."""
        about = {"id": source.message, "acknowledged": number}
        return self._receipt(about, None, digest, octets, source)

    def _named(self, lodgement: LodgementRecord, *, before: bool) -> dict[str, Any]:
        return {
            "id": lodgement.id,
            "lrn": lodgement.lrn,
            "status": f"{self._settings.public_url}/v1/declarations/{lodgement.id}",
            "lodged-before": before,
        }

    def _receipt(
        self, about: dict[str, Any], location: str | None, digest: str, octets: int, source: Source
    ) -> Receipt:
        now = self._now()
        body = msgspec.json.encode(
            {
                "gateway": self._settings.as2_name,
                "party": source.party.name,
                **about,
                "digest": {"algorithm": "sha-256", "value": digest, "octets": octets},
                "received": clock.iso(source.received),
                "issued": clock.iso(now),
            }
        )
        signature = sign(body, self._signer(), detached=True, signing_time=clock.utc(now))
        headers = [
            ("Content-Type", "application/json"),
            (SIGNATURE_HEADER, base64.b64encode(signature).decode()),
        ]
        if location is not None:
            headers.append(("Location", location))
        return Receipt(status=202, headers=tuple(headers), body=body)
