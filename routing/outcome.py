"""What an agency's answer amounts to, read from the code of its response."""

import enum
from collections.abc import Mapping

from ..codecs.declaration import Response


class Outcome(enum.Enum):
    """An agency's word on a declaration. The values are stored; they never change."""

    ACCEPTED = "accepted"
    RELEASED = "released"
    HELD = "held"
    INSPECTION = "inspection"
    DOCUMENTS_REQUIRED = "documents_required"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    NOT_COMPETENT = "not_competent"  # the agency has no say in this declaration
    WITHDRAWN = "withdrawn"  # the agency takes its earlier answer back and has not given another


# An officer takes over: the automatic path ends here.
HAND_OVER = frozenset({Outcome.HELD, Outcome.INSPECTION, Outcome.DOCUMENTS_REQUIRED})

# WCO element 017 of a response. What is not here informs (02 registered, 07 corrected, 11 an answer to a
# request, 13 and up taxes, reminders, exits) and decides nothing. An agency with other codes lists them in
# its agreement.
OUTCOMES: Mapping[str, Outcome] = {
    "01": Outcome.ACCEPTED,
    "03": Outcome.REFUSED,
    "05": Outcome.INSPECTION,
    "06": Outcome.DOCUMENTS_REQUIRED,
    "08": Outcome.RELEASED,
    "09": Outcome.RELEASED,
    "10": Outcome.CANCELLED,
}


def outcome_of(response: Response, own: Mapping[str, Outcome] | None = None) -> Outcome | None:
    """The outcome that `response` states, None where it informs without deciding.

    Only the function code counts: an accepted declaration may carry Error elements as warnings, so their
    presence is no refusal. `own` holds an agency's codes that differ from OUTCOMES or are missing there.
    """
    code = response.function_code
    if code is None:
        return None
    # The data model writes 017 as n..2: "1" and "01" are one number.
    code = code.zfill(2)
    if own is not None and code in own:
        return own[code]
    return OUTCOMES.get(code)
