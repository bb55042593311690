"""What can be said at all: a response without characters that no document carries, or the least of one."""

import re
from decimal import Decimal
from typing import Any

import msgspec

from ..codecs.declaration import Response, ResponseAdditionalInformation, ResponseDeclaration

# 226 of a statement that is for people.
STATEMENT_TYPE = "ACB"
# What XML cannot carry, not even as a reference (XML 1.0, production 2): a peer that writes UTF-8 EDIFACT may
# send it.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def expressible(response: Response) -> Response:
    """`response` with U+FFFD for each character that no document can carry."""
    plain = msgspec.to_builtins(response, builtin_types=(Decimal,))
    clean = _clean(plain)
    return response if clean == plain else msgspec.convert(clean, Response, builtin_types=(Decimal,))


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", value)
    if isinstance(value, dict):
        return {name: _clean(part) for name, part in value.items()}
    return [_clean(part) for part in value] if isinstance(value, list | tuple) else value


def bare(response: Response) -> Response:
    """What is left of a response that cannot be written: its answer and whose declaration it is about."""
    text = "What the agencies said cannot be written here; all of it is in the status of the declaration"
    named = response.declaration
    return Response(
        function_code=response.function_code,
        functional_reference_id=response.functional_reference_id,
        additional_information=(
            ResponseAdditionalInformation(statement_type_code=STATEMENT_TYPE, statement_description=text),
        ),
        declaration=ResponseDeclaration(
            functional_reference_id=named.functional_reference_id if named is not None else None,
            id=named.id if named is not None else None,
        ),
    )
