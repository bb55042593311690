"""One decision out of the agencies' answers. The agencies decide; this only adds up.

A refusal or a hold by any agency is told at once. A release is told when every agency that was asked has let
the goods go. Time plays no part: an agency that stays silent is waited for, and nobody decides in its place.
An agency may supersede or withdraw what it said; then a new version of the decision replaces the one told.
"""

import enum
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, time

import msgspec

from ..codecs.declaration import DateTime, Response
from .agreement import Agency
from .facts import content_digest
from .lifecycle import LodgementTrigger
from .outcome import Outcome, outcome_of

# What stops the goods, the gravest first: the first one present gives the decision its name.
PRECEDENCE = (Outcome.REFUSED, Outcome.INSPECTION, Outcome.DOCUMENTS_REQUIRED, Outcome.HELD)

# What telling a decision does to the lodgement.
TRIGGERS: Mapping[Outcome, LodgementTrigger] = {
    Outcome.REFUSED: LodgementTrigger.REFUSE,
    Outcome.INSPECTION: LodgementTrigger.HOLD,
    Outcome.DOCUMENTS_REQUIRED: LodgementTrigger.HOLD,
    Outcome.HELD: LodgementTrigger.HOLD,
    Outcome.RELEASED: LodgementTrigger.RELEASE,
    Outcome.CANCELLED: LodgementTrigger.CANCEL,
    Outcome.WITHDRAWN: LodgementTrigger.REOPEN,
}


class Ground(enum.Enum):
    """The rule of consolidation that made a decision."""

    CANCELLED_BY_AGENCY = "cancelled_by_agency"
    STOPPED_BY_AGENCY = "stopped_by_agency"
    CLEARED_BY_ALL = "cleared_by_all"
    NO_LONGER_HOLDS = "no_longer_holds"  # what was told was superseded, and not all have cleared


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """How answers are added up; `version` names it in every decision.

    `clears` holds the outcomes by which an agency lets goods go (one not named: RELEASED). `cancelled_by`
    are the agencies whose word cancels the whole declaration, None: any. `precedence` may order what stops
    the goods otherwise, and leave nothing out.
    """

    version: str = "1"
    clears: Mapping[str, frozenset[Outcome]] = {}
    cancelled_by: frozenset[str] | None = None
    precedence: tuple[Outcome, ...] = PRECEDENCE

    def __post_init__(self) -> None:
        if sorted(o.value for o in self.precedence) != sorted(o.value for o in PRECEDENCE):
            raise ValueError("policy: precedence must name each outcome that stops goods, once")

    def cleared(self, agency: str, outcome: Outcome) -> bool:
        """Whether `outcome` is `agency` letting the goods go."""
        return outcome in self.clears.get(agency, _RELEASED)

    def may_cancel(self, agency: str) -> bool:
        """Whether `agency` may cancel the whole declaration."""
        return self.cancelled_by is None or agency in self.cancelled_by


_RELEASED = frozenset({Outcome.RELEASED})


def policy_of(
    agencies: Mapping[str, Agency], *, version: str = "1", cancelled_by: Collection[str] | None = None
) -> Policy:
    """The policy that the agreements with `agencies` add up to."""
    return Policy(
        version=version,
        clears={name: agency.clears for name, agency in agencies.items()},
        cancelled_by=None if cancelled_by is None else frozenset(cancelled_by),
    )


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One deciding answer of an agency.

    `id` is the same for the same answer received twice. `number` rises in the order of receipt; `issued_at`
    is the agency's own time, which orders its answers when they overtake each other.
    """

    id: str
    number: int
    outcome: Outcome
    issued_at: datetime | None = None
    response: Response | None = None


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a decision's proof: who said what, in which answer, and which rule had it asked."""

    agency: str
    outcome: Outcome
    answer: str
    rule: str | None = None


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What the trader is told: a numbered version, its ground and proof, and who is still waited for."""

    version: int
    outcome: Outcome
    ground: Ground
    policy: str
    reasons: tuple[Reason, ...]
    waiting: tuple[str, ...] = ()


def answer_of(
    response: Response, *, message: str, number: int, own: Mapping[str, Outcome] | None = None
) -> Answer | None:
    """`response` as an Answer, None where it only informs. `own`: the agency's own codes, see outcome_of.

    A dated response is known again by its content. One without a date is known by `message`, the id of the
    message that brought it: the same words may be a new hold, and a hold must not be taken for an echo.
    """
    outcome = outcome_of(response, own)
    if outcome is None:
        return None
    issued_at = _moment(response.issue_date_time)
    return Answer(
        id=message if issued_at is None else content_digest(response),
        number=number,
        outcome=outcome,
        issued_at=issued_at,
        response=response,
    )


def consolidate(
    asked: tuple[str, ...],
    answers: Mapping[str, tuple[Answer, ...]],
    told: tuple[Decision, ...],
    policy: Policy,
    routed: Mapping[str, str] | None = None,
) -> Decision | None:
    """The next decision to tell, None when `told` already says it or there is nothing to tell yet.

    `answers` holds every answer of each agency in any order and with any repetition; agencies outside
    `asked` have no say. `told` are the decisions told before, oldest first. `routed` names the routing rule
    of each agency for the proof. The same arguments give the same result, and telling it makes the next
    result None. A cancellation is final: nothing follows it.
    """
    last = told[-1] if told else None
    if last is not None and last.outcome is Outcome.CANCELLED:
        return None
    standing = {
        agency: kept for agency in asked if (kept := _standing(agency, answers.get(agency, ()), policy))
    }
    found = _verdict(asked, standing, last, policy)
    if found is None:
        return None
    outcome, ground, agencies = found
    decision = Decision(
        version=last.version + 1 if last is not None else 1,
        outcome=outcome,
        ground=ground,
        policy=policy.version,
        reasons=tuple(_reason(agency, standing[agency], routed) for agency in agencies),
        waiting=tuple(a for a in asked if a not in standing or not _lets_go(a, standing[a], policy)),
    )
    return None if last is not None and _says_the_same(last, decision) else decision


def nobody_competent(
    asked: tuple[str, ...], answers: Mapping[str, tuple[Answer, ...]], policy: Policy
) -> bool:
    """Whether each agency that was asked has said, and said last, that it is not competent."""
    standing = [_standing(agency, answers.get(agency, ()), policy) for agency in asked]
    return bool(asked) and all(
        answer is not None and answer.outcome is Outcome.NOT_COMPETENT for answer in standing
    )


def _verdict(
    asked: tuple[str, ...], standing: Mapping[str, Answer], last: Decision | None, policy: Policy
) -> tuple[Outcome, Ground, tuple[str, ...]] | None:
    """The outcome, its ground, and the agencies whose answers make it."""
    said = {agency: answer.outcome for agency, answer in standing.items()}
    cancelling = tuple(a for a, outcome in said.items() if _cancels(a, outcome, policy))
    if cancelling:
        return Outcome.CANCELLED, Ground.CANCELLED_BY_AGENCY, cancelling
    stopping = tuple(a for a, outcome in said.items() if outcome in policy.precedence)
    if stopping:
        gravest = min((said[a] for a in stopping), key=policy.precedence.index)
        return gravest, Ground.STOPPED_BY_AGENCY, stopping
    # Agencies that are not competent stand aside; they alone release nothing.
    clearing = tuple(a for a, outcome in said.items() if policy.cleared(a, outcome))
    if clearing and all(a in standing and _lets_go(a, standing[a], policy) for a in asked):
        return Outcome.RELEASED, Ground.CLEARED_BY_ALL, tuple(said)
    if last is None:
        return None
    return Outcome.WITHDRAWN, Ground.NO_LONGER_HOLDS, tuple(said)


def _standing(agency: str, answers: tuple[Answer, ...], policy: Policy) -> Answer | None:
    """The answer that counts among all of one agency's: the latest, and a cancellation before all others."""
    first: dict[str, Answer] = {}
    for answer in sorted(answers, key=lambda a: a.number):
        first.setdefault(answer.id, answer)
    if not first:
        return None
    known = list(first.values())
    cancelling = [a for a in known if _cancels(agency, a.outcome, policy)]
    return max(cancelling or known, key=_order(known))


def _order(known: list[Answer]) -> Callable[[Answer], tuple[float, int]]:
    """By the agency's own time if it dates all its answers (one clock), else by receipt."""
    if all(answer.issued_at is not None for answer in known):
        return lambda a: (a.issued_at.timestamp() if a.issued_at is not None else 0.0, a.number)
    return lambda a: (0.0, a.number)


def _lets_go(agency: str, answer: Answer, policy: Policy) -> bool:
    return answer.outcome is Outcome.NOT_COMPETENT or policy.cleared(agency, answer.outcome)


def _cancels(agency: str, outcome: Outcome, policy: Policy) -> bool:
    return outcome is Outcome.CANCELLED and policy.may_cancel(agency)


def _reason(agency: str, answer: Answer, routed: Mapping[str, str] | None) -> Reason:
    rule = routed.get(agency) if routed is not None else None
    return Reason(agency=agency, outcome=answer.outcome, answer=answer.id, rule=rule)


def _says_the_same(told: Decision, found: Decision) -> bool:
    if told.outcome is not found.outcome:
        return False
    # That answers are awaited again is told once, whoever answers meanwhile without deciding.
    return found.outcome is Outcome.WITHDRAWN or told.reasons == found.reasons


def _moment(value: DateTime | None) -> datetime | None:
    """A response's date as a moment; without a zone it is read as UTC: only one agency's own are compared."""
    parsed = value.parsed() if value is not None else None
    if parsed is None:
        return None
    moment = parsed if isinstance(parsed, datetime) else datetime.combine(parsed, time())
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
