"""From a declaration's facts to its deliveries: who is asked, and who is not although a rule named it."""

from collections.abc import Callable, Mapping

import msgspec

from ..codecs.finding import Finding, Severity, shown
from .agreement import Agency
from .facts import Facts
from .lifecycle import DELIVERY, DeliveryState, DeliveryTrigger
from .rules import Match, RuleSet

# The rule that sends an amendment or a cancellation where its original went.
FOLLOWS_ORIGINAL = "follows-original"
# The codes of the findings.
NO_AGENCY = "no-agency-competent"
UNKNOWN_AGENCY = "agency-not-configured"


class PlannedDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery to be stored: PENDING, or WITHHELD and kept only to show why it was not sent."""

    id: str
    agency: str
    state: DeliveryState
    rule: str
    reason: str


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Who gets the declaration. `findings` say what the caller must answer or tell the operator."""

    deliveries: tuple[PlannedDelivery, ...]
    findings: tuple[Finding, ...] = ()

    @property
    def asked(self) -> tuple[str, ...]:
        """The agencies whose answers the decision waits for."""
        return tuple(d.agency for d in self.deliveries if d.state is DeliveryState.PENDING)

    @property
    def withheld(self) -> tuple[PlannedDelivery, ...]:
        """The deliveries that will never be sent."""
        return tuple(d for d in self.deliveries if d.state is DeliveryState.WITHHELD)


def plan(
    facts: Facts,
    rules: RuleSet,
    agencies: Mapping[str, Agency],
    *,
    test: bool,
    earlier: tuple[str, ...] = (),
    new_id: Callable[[], str],
) -> Plan:
    """The deliveries of one declaration, the agencies of its original (`earlier`) first, each agency once.

    A test document reaches no live agency: the delivery is WITHHELD, and the agency's stand-in, where it has
    one, is asked in its place. With nobody to ask, or a competent agency that is not configured, an error
    finding says so and the caller answers with it: such a declaration would wait for ever, or be released
    behind an agency's back. `new_id` gives one fresh id a delivery.
    """
    deliveries: dict[str, PlannedDelivery] = {}
    findings: list[Finding] = []
    for match in _matches(facts, rules, earlier):
        agency = agencies.get(match.agency)
        if agency is None:
            findings.append(_unknown(match))
            continue
        for name, state, reason in _legs(agency, agencies, test=test, reason=match.reason):
            if name not in deliveries:
                deliveries[name] = PlannedDelivery(
                    id=new_id(), agency=name, state=state, rule=match.rule, reason=reason
                )
    result = Plan(deliveries=tuple(deliveries.values()))
    if not result.asked:
        findings.append(_nobody(result))
    return msgspec.structs.replace(result, findings=tuple(findings))


def _matches(facts: Facts, rules: RuleSet, earlier: tuple[str, ...]) -> list[Match]:
    again = [
        Match(rule=FOLLOWS_ORIGINAL, agency=agency, reason="the original went to this agency")
        for agency in dict.fromkeys(earlier)
    ]
    return again + [match for match in rules.match(facts) if match.agency not in earlier]


def _legs(
    agency: Agency, agencies: Mapping[str, Agency], *, test: bool, reason: str
) -> list[tuple[str, DeliveryState, str]]:
    pending = DELIVERY.after(None, DeliveryTrigger.QUEUE)
    if not (test and agency.live):
        return [(agency.name, pending, reason)]
    withheld = DELIVERY.after(None, DeliveryTrigger.WITHHOLD)
    legs = [(agency.name, withheld, f"test document, live agency: {reason}")]
    stand_in = agencies.get(agency.stand_in) if agency.stand_in is not None else None
    if stand_in is not None and not stand_in.live:
        legs.append((stand_in.name, pending, f"stands in for {agency.name}: {reason}"))
    return legs


def _unknown(match: Match) -> Finding:
    """An agency that has left is a warning; one that a rule demands must not be passed over."""
    gone = match.rule == FOLLOWS_ORIGINAL
    return Finding(
        severity=Severity.WARNING if gone else Severity.ERROR,
        code=UNKNOWN_AGENCY,
        text=f"Rule {match.rule} names an agency that this gateway does not know.",
        value=shown(match.agency),
    )


def _nobody(result: Plan) -> Finding:
    text = "No agency is competent for this declaration."
    if result.withheld:
        text = "This is a test document, and every competent agency is live."
    return Finding(severity=Severity.ERROR, code=NO_AGENCY, text=text)
