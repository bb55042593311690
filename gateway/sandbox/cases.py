"""What the demonstration lodges, and how each must come out. A row is right if what came back says so."""

from collections.abc import Mapping

import msgspec

# WCO 017 of the answer the trader must hold for a decision.
FUNCTION_OF: Mapping[str, str] = {"released": "08", "inspection": "05"}


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One lodging and what must come of it.

    `asked` has each agency and its answer; `told` is the message the trader gets (CUSRES, RES, CONTRL, or 422
    for the response itself); `codes` are findings that must be among those reported, all with a place.
    `again`: the first message once more, byte for byte.
    """

    title: str
    sample: str
    channel: str
    syntax: str
    type: str
    asked: Mapping[str, str] = {}
    decision: str = ""
    told: str
    codes: frozenset[str] = frozenset()
    again: bool = False


class Observed(msgspec.Struct, frozen=True, kw_only=True):
    """What came back. `seconds` is the e-document time, `share` the gateway's own part of it."""

    receipt: str
    receipted: bool
    syntax: str = ""
    type: str = ""
    findings: tuple[tuple[str, str], ...] = ()
    asked: Mapping[str, str] = {}
    decision: str = ""
    told: str = ""
    function: str = ""
    mrn: str = ""
    seconds: float | None = None
    share: float | None = None
    level: str = ""
    notes: tuple[str, ...] = ()


CASES = (
    Case(
        title="Import of coffee",
        sample="import.edi",
        channel="as2",
        syntax="edifact",
        type="import",
        asked={"customs": "released", "health": "released"},
        decision="released",
        told="CUSRES",
    ),
    Case(
        title="Export of optics",
        sample="export.xml",
        channel="https",
        syntax="xml",
        type="export",
        asked={"customs": "released"},
        decision="released",
        told="RES",
    ),
    Case(
        title="Import of plants",
        sample="plants.xml",
        channel="https",
        syntax="xml",
        type="import",
        asked={"customs": "released", "agriculture": "released"},
        decision="released",
        told="RES",
    ),
    Case(
        title="Import of fireworks",
        sample="fireworks.edi",
        channel="https",
        syntax="edifact",
        type="import",
        asked={"customs": "inspection"},
        decision="inspection",
        told="CUSRES",
    ),
    Case(
        title="Invalid EDIFACT",
        sample="invalid.edi",
        channel="as2",
        syntax="edifact",
        type="import",
        told="CONTRL",
        codes=frozenset({"13", "15", "29", "39"}),
    ),
    Case(
        title="Invalid XML",
        sample="invalid.xml",
        channel="https",
        syntax="xml",
        type="export",
        told="422",
        codes=frozenset({"missing-element", "too-long", "unknown-element", "wrong-format", "wrong-type"}),
    ),
    Case(
        title="The first again",
        sample="import.edi",
        channel="as2",
        syntax="edifact",
        type="import",
        asked={"customs": "released", "health": "released"},
        decision="released",
        told="same MDN",
        again=True,
    ),
)


def faults(case: Case, seen: Observed) -> tuple[str, ...]:
    """Everything in which `seen` is not what `case` asks for; empty if it came out as it must."""
    found = list(seen.notes)
    if not seen.receipted:
        found.append(f"the receipt proves nothing: {seen.receipt}")
    for name in ("syntax", "type", "asked", "decision", "told"):
        wanted, got = getattr(case, name), getattr(seen, name)
        if wanted != got:
            found.append(f"{name} is {got or 'none'!r}, must be {wanted or 'none'!r}")
    codes = {code for code, _ in seen.findings}
    if not case.codes <= codes or (codes and not case.codes):
        found.append(f"findings are {sorted(codes)}, must have {sorted(case.codes)}")
    if not all(where for _, where in seen.findings):
        found.append("a finding has no place")
    if case.decision and not case.again:
        if seen.function != FUNCTION_OF[case.decision]:
            found.append(
                f"the answer says {seen.function or 'nothing'}, must say {FUNCTION_OF[case.decision]}"
            )
        if not seen.mrn:
            found.append("the answer has no MRN")
    if seen.seconds is None and not case.again:
        found.append("the e-document time was not measured")
    return tuple(found)
