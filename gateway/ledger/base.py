"""The ledger as the gateway sees it: methods that take and give values, whatever engine stands behind."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

import anyio

from ...routing.lifecycle import DeliveryState, MdnState, NotificationState
from .values import (
    AttachmentRecord,
    Change,
    ClaimedDelivery,
    ClaimedMdn,
    ClaimedNotification,
    DeliveryRecord,
    Duplicate,
    EventRecord,
    LodgementRecord,
    MdnRecord,
    MessageRecord,
    NotificationRecord,
    Result,
    Status,
    Wire,
)


class Ledger(Protocol):
    """The durable store. When `commit` returns, what it says is committed has been fsynced.

    Every method may raise LedgerUnavailable. A caller that is cancelled while it commits may find its change
    written or not, but never in part.
    """

    @property
    def failed(self) -> anyio.Event:
        """Set once a write or an fsync has failed: nothing is committed any more, end the process."""
        ...

    def has_room(self) -> bool:
        """False if nothing new should be taken in: what is free would not do for the reserve and for what was
        accepted and has still to be sent, or the store has failed."""
        ...

    def can_finish(self) -> bool:
        """False if not even what was accepted should be worked on: the reserve itself is half gone."""
        ...

    async def reckon(self) -> None:
        """Count anew what has still to be sent, for `has_room`; in between, what is committed is added."""
        ...

    async def due(
        self,
        *,
        now_ns: int,
        skip: Collection[str] = (),
        skip_mdns: Collection[str] = (),
        held: Collection[str] = frozenset(),
    ) -> tuple[bool, bool, bool]:
        """Whether there is a delivery to claim, to an agency not in `skip`; a notification; an MDN, to one
        not in `skip_mdns` and of no message in `held`."""
        ...

    async def rebase(self, *, now_ns: int, latest_ns: int, lease_ns: int, ahead_ns: int = 0) -> None:
        """Make times of another clock those of this one, which was found to be set.

        Nothing that waits is due after `latest_ns`; what is under way is leased for `lease_ns` from now. A
        first try was as long ago as it was before the clock was set ahead by `ahead_ns`, and none is still
        to come.
        """
        ...

    async def commit(self, changes: Sequence[Change]) -> list[Result]:
        """Write each change whole or not at all; many callers' changes share one transaction.

        Raises LedgerUnavailable when nothing could be made durable; then nothing may be acknowledged. Raises
        ChangeRefused when a change cannot be written as it is, a fault of ours; the others are.
        """
        ...

    async def claim_deliveries(
        self,
        *,
        now_ns: int,
        lease_ns: int,
        limit: int,
        skip: Collection[str] = (),
        room: Mapping[str, int] | None = None,
    ) -> list[ClaimedDelivery]:
        """Lease the deliveries that are due: the first unfinished one for each root and agency only.

        Agencies take turns; those in `skip` are left out, and those in `room` get no more than it says.
        Unfinished are PENDING, SENDING, AWAITING, DEAD and MISMATCHED: what follows a dead letter, or one
        whose MDN is of other content, waits until a person closes or requeues it. One that is AWAITING its
        MDN is claimed again when it is due. A lease that lapsed, or that belongs to an earlier process, is
        given anew.
        """
        ...

    async def claim_notifications(
        self, *, now_ns: int, lease_ns: int, limit: int
    ) -> list[ClaimedNotification]:
        """Lease the notifications that are due, in number order for each partner (one at a time).

        One that is AWAITING its MDN keeps those behind it waiting, and is claimed again when it is due.
        """
        ...

    async def claim_mdns(
        self,
        *,
        now_ns: int,
        lease_ns: int,
        limit: int,
        skip: Collection[str] = (),
        held: Collection[str] = frozenset(),
    ) -> list[ClaimedMdn]:
        """Lease the MDNs that are due, the parties in turn, each with the receipt to be posted; those to a
        party in `skip` and those of a message in `held` are left out."""
        ...

    async def keep_wire(self, wires: Sequence[tuple[str, Wire]]) -> None:
        """Keep the outgoing message of each delivery or notification id, before its first try.

        Kept once more for the same id, the newer is the one that claims give; the older stays stored.
        """
        ...

    async def find_message(self, scope: str, key: str) -> Duplicate | None:
        """The accepted message under this scope and key, with its receipt."""
        ...

    async def find_original(self, declarant: str, lrn: str, *, partner: str) -> LodgementRecord | None:
        """The accepted original that `partner` lodged for this declarant under this LRN; never a test."""
        ...

    async def find_follow_up(self, root: str, content_digest: str) -> LodgementRecord | None:
        """The accepted lodgement that amends or cancels `root` with this very content."""
        ...

    async def find_interchange(self, partner: str, sender: str, reference: str) -> list[LodgementRecord]:
        """All accepted lodgements under this interchange reference of a partner's sender, by position."""
        ...

    async def find_by_mrn(self, mrn: str, *, partner: str | None = None) -> LodgementRecord | None:
        """The accepted original under this MRN, of one partner if named; never a test.

        Of several, one that an agency gave the MRN before one whose trader wrote it, then the newest.
        """
        ...

    async def find_delivery(self, delivery: str) -> DeliveryRecord | None:
        """The delivery under the gateway's reference."""
        ...

    async def find_notification(self, notification: str) -> NotificationRecord | None:
        """The entry of somebody's log under the gateway's reference."""
        ...

    async def find_wire(self, owner: str) -> Wire | None:
        """The outgoing message of a delivery or a notification, the newest of several."""
        ...

    async def find_mdn(self, reference: str) -> MdnRecord | None:
        """The asynchronous MDN of a message, by the message's id or its own."""
        ...

    async def mdns(self, *, state: MdnState, limit: int) -> list[MdnRecord]:
        """The asynchronous MDNs in one state, the oldest first."""
        ...

    async def attachments(self, message: str) -> list[AttachmentRecord]:
        """The supporting documents that came in a message, in order."""
        ...

    async def status(self, reference: str, *, partner: str | None = None) -> Status | None:
        """Everything about a lodgement, by its id, a delivery's reference, its MRN or its LRN, in this order.

        An LRN that several declarants use means the newest original. With `partner`, only its own count.
        """
        ...

    async def message(self, reference: str) -> MessageRecord | None:
        """The stored message under its id."""
        ...

    async def lodgements(self, *, limit: int, partner: str | None = None) -> list[LodgementRecord]:
        """The newest lodgements first."""
        ...

    async def notifications(self, partner: str, *, after: int, limit: int) -> list[NotificationRecord]:
        """The partner's entries with a number above `after`, in order."""
        ...

    async def notifications_in_state(
        self, *, state: NotificationState, limit: int
    ) -> list[NotificationRecord]:
        """The notifications of every log that are in one state that waits for a person, the oldest first."""
        ...

    async def events(
        self, *, lodgement: str | None, after: int, limit: int, message: str | None = None
    ) -> list[EventRecord]:
        """The history in order, of one lodgement or of all; with `message` and no lodgement, what it says of
        that message alone (its refusal, the posting of its receipt)."""
        ...

    async def deliveries(self, *, state: DeliveryState, limit: int) -> list[DeliveryRecord]:
        """The deliveries in one state, such as the dead letters, the oldest of each agency first."""
        ...

    async def delivery_counts(self) -> list[tuple[str, DeliveryState, int]]:
        """How many deliveries each agency has in each state."""
        ...
