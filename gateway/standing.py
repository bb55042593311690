"""Lodgements as they stand after what came before them in the same payload."""

from .changes import standing_after
from .ledger import Change, DeliveryRecord, Ledger, Status


class Standing:
    """Reads each lodgement once, and keeps what each change makes of it."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._known: dict[str, Status] = {}

    async def of(self, delivery: DeliveryRecord) -> tuple[Status, DeliveryRecord]:
        """The lodgement of `delivery`, and `delivery` itself, as they will be."""
        status = self._known.get(delivery.lodgement) or await self._ledger.status(delivery.lodgement)
        assert status is not None, "a delivery refers to its lodgement"
        return status, next(one for one in status.deliveries if one.id == delivery.id)

    def after(self, status: Status, change: Change) -> None:
        """`change` will be written for the lodgement of `status`."""
        self._known[status.lodgement.id] = standing_after(status, change)
