"""Terms that contradict themselves are never made."""

from typing import Any

import pytest


@pytest.mark.parametrize(
    "changes",
    [
        {"our_name": ""},
        {"their_name": "\u00e9"},
        {"signer": None},
        {"their_encryption": None},
        {"max_payload": 0},
    ],
)
def test_terms_that_cannot_be_kept_are_not_made(link: Any, changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        link.alice(**changes)
