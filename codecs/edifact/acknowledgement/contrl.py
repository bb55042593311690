"""CONTRL as a value: what became of an interchange, level by level (ISO 9735-4; version 3: UN/ECE R.1186).

UCI speaks of the interchange, UCF of a functional group, UCM of a message or a package, UCS of a segment and
UCD of an element in it. What is acknowledged by the level above and not named is acknowledged.
"""

import enum
from collections.abc import Iterable

import msgspec

from ..interchange import Interchange

TYPE = "CONTRL"
# 0031 by syntax version: 2, receipt only, came with version 4.
_RECEIPT_ONLY, _FIRST_VERSION_WITH_RECEIPTS = "2", 4


class Action(enum.StrEnum):
    """UNTDID 0083. 1, 2, 3, 5 and 6 were withdrawn in 2001; they are still read."""

    REJECTED = "4"
    ACKNOWLEDGED = "7"
    RECEIVED = "8"


# 3: one or more rejected at the next lower level; 6: UNB and UNZ rejected.
REJECTING = frozenset({"3", "4", "6"})
KNOWN_ACTIONS = frozenset("12345678")


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A service segment at fault, and the element and component in it where known.

    `element` counts from 1 after the tag as in every pointer (0098 counts the tag as 1); `repetition` is its
    occurrence. `security` and `position` tell a security segment (0534 and 0138).
    """

    tag: str = ""
    element: int | None = None
    component: int | None = None
    repetition: int | None = None
    security: str = ""
    position: int | None = None


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One place told in a CONTRL: the segment (UNH = 1), and the element and component where known.

    A missing segment is told at the one before it.
    """

    segment: int
    code: str
    element: int | None = None
    component: int | None = None
    repetition: int | None = None


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a CONTRL says of one message, or of one package (then `package` is its 0800 and `type` empty).

    `group` is the functional group it was told under. `place` is where in UNH or UNT the code applies.
    """

    reference: str
    type: str
    action: str
    code: str = ""
    faults: tuple[Fault, ...] = ()
    place: Place = Place()
    group: str | None = None
    package: str = ""


class GroupVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a CONTRL says of one functional group."""

    reference: str
    sender: str
    recipient: str
    action: str
    code: str = ""
    place: Place = Place()


class Control(msgspec.Struct, frozen=True, kw_only=True):
    """A CONTRL as read: the interchange it speaks of (by its 0020), and each group and message it names."""

    reference: str
    sender: str
    recipient: str
    action: str
    code: str = ""
    place: Place = Place()
    groups: tuple[GroupVerdict, ...] = ()
    messages: tuple[Verdict, ...] = ()

    @property
    def rejected(self) -> bool:
        """True if the interchange, a group or a message of it was rejected."""
        return any(action in REJECTING for action in self._actions())

    @property
    def understood(self) -> bool:
        """True if every action is one that there is or was."""
        return all(action in KNOWN_ACTIONS for action in self._actions())

    @property
    def codes(self) -> tuple[str, ...]:
        """The error codes told, from the interchange down."""
        told = [self.code, *(group.code for group in self.groups)]
        for message in self.messages:
            told += [message.code, *(fault.code for fault in message.faults)]
        return tuple(code for code in told if code)

    def _actions(self) -> Iterable[str]:
        return (self.action, *(group.action for group in self.groups), *(one.action for one in self.messages))


def owed(interchange: Interchange) -> bool:
    """True if a CONTRL may answer: nothing in the interchange is a CONTRL itself."""
    return all(message.type != TYPE for message in interchange.messages)


def requested(interchange: Interchange) -> Action | None:
    """What UNB 0031 asks for: a CONTRL that acknowledges, in version 4 one that only says it arrived."""
    if interchange.acknowledgement == "1":
        return Action.ACKNOWLEDGED
    versioned = interchange.syntax_version >= _FIRST_VERSION_WITH_RECEIPTS
    return Action.RECEIVED if versioned and interchange.acknowledgement == _RECEIPT_ONLY else None
