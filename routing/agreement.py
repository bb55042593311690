"""What was agreed with a trader or an agency, as far as a decision depends on it.

Names, certificates and algorithms of a channel are not here: decisions need none of them.
"""

import enum
from collections.abc import Mapping

import msgspec

from .outcome import Outcome


class Channel(enum.Enum):
    """How a document travels."""

    AS2 = "as2"
    HTTPS = "https"


class Syntax(enum.Enum):
    """How a document is written."""

    EDIFACT = "edifact"
    XML = "xml"


class RetryPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a failed delivery is tried again. All in seconds; ValueError for a policy that makes no sense."""

    first: float = 5.0
    factor: float = 2.0
    # A peer that comes back waits no longer than this for the next attempt.
    cap: float = 600.0
    # Two weeks: a public holiday with an outage before and after it.
    deadline: float = 14 * 86_400.0

    def __post_init__(self) -> None:
        if not 0 < self.first <= self.cap:
            raise ValueError("retry: first must be above 0 and not above cap")
        if not 1 <= self.factor < float("inf"):
            raise ValueError("retry: factor must be 1 or more")
        if not self.cap <= self.deadline < float("inf"):
            raise ValueError("retry: deadline must not be below cap")


class Partner(msgspec.Struct, frozen=True, kw_only=True):
    """A trader or its software house: who lodges, and how it hears the answer.

    `endpoint` None: notifications wait in the log to be pulled. `ordered`: its notifications are sent one
    after the other over all its declarations (per declaration they always are).
    """

    name: str
    channel: Channel
    syntax: Syntax
    endpoint: str | None = None
    live: bool = True
    ordered: bool = False
    retry: RetryPolicy = RetryPolicy()


class Agency(msgspec.Struct, frozen=True, kw_only=True):
    """An agency that answers declarations.

    `live` False marks a test system. A test document never reaches a live agency; it goes to `stand_in`, a
    test system that answers in its place, where one is named. `clears` are the outcomes by which this agency
    lets goods go. `outcomes` are its own function codes where they differ from the data model's.
    `answer_within` seconds is what was agreed; when it has passed a person is told, and nothing is decided.
    `concurrency` bounds the deliveries under way at once.
    """

    name: str
    channel: Channel
    syntax: Syntax
    endpoint: str
    live: bool = True
    stand_in: str | None = None
    retry: RetryPolicy = RetryPolicy()
    ordered: bool = False
    concurrency: int = 8
    answer_within: float | None = None
    clears: frozenset[Outcome] = frozenset({Outcome.RELEASED})
    outcomes: Mapping[str, Outcome] = {}

    def __post_init__(self) -> None:
        if self.concurrency < 1:
            raise ValueError(f"agency {self.name}: concurrency must be 1 or more")
        if not self.clears or self.clears - CLEARING:
            raise ValueError(f"agency {self.name}: clears may only name released, accepted")
        if self.stand_in == self.name:
            raise ValueError(f"agency {self.name}: stand_in must be another agency")


# No agreement can turn a hold or a refusal into a release.
CLEARING = frozenset({Outcome.RELEASED, Outcome.ACCEPTED})
