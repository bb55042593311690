"""Canonical values to WCO XML, in schema order and the real namespaces."""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from ..declaration import Amount, DateTime, Declaration, Node, Quantity, Response, ResponseDeclaration, fields
from .metadata import METADATA_FIELDS, MetaData
from .names import DECLARATION, DECLARATION_DATES, METADATA, RESPONSE, RESPONSE_DATES

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
# XML 1.0, production 2: what is outside cannot be written, not even as a reference.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_ATTRIBUTE = str.maketrans(
    {"&": "&amp;", "<": "&lt;", '"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}
)


class UnwritableError(ValueError):
    """A value holds a character that XML cannot carry; the message names none of the value."""


def write_declaration(declaration: Declaration, metadata: MetaData) -> bytes:
    """`declaration` in its envelope, UTF-8.

    Elements stand in the order of the reference schema; the result is valid by it where the values keep to
    the profile, which a declaration read without errors does. Raises UnwritableError.
    """
    return _envelope(metadata, _body(declaration, "Declaration", DECLARATION, DECLARATION_DATES))


def write_response(
    responses: Response | Sequence[Response],
    metadata: MetaData,
    corrections: Sequence[Declaration | None] = (),
) -> bytes:
    """One or several responses in one envelope, UTF-8; `corrections`, if any, stand beside `responses`.

    A response without a declaration is written with an empty one, which the schema requires. Raises
    UnwritableError, and ValueError where the numbers of responses and corrections differ.
    """
    every = [responses] if isinstance(responses, Response) else list(responses)
    bodies = []
    for response, correction in zip(every, corrections or [None] * len(every), strict=True):
        corrected = (
            "" if correction is None else _body(correction, "Declaration", DECLARATION, DECLARATION_DATES)
        )
        named = replace(response, declaration=response.declaration or ResponseDeclaration())
        bodies.append(_body(named, "Response", RESPONSE, RESPONSE_DATES, last=corrected))
    return _envelope(metadata, "".join(bodies))


def _envelope(metadata: MetaData, bodies: str) -> bytes:
    out = [_HEAD, f'<md:MetaData xmlns:md="{METADATA}">']
    for tag, name in METADATA_FIELDS.items():
        value = getattr(metadata, name)
        if value is not None:
            out.append(f"<md:{tag}>{value.translate(_TEXT)}</md:{tag}>")
    text = "".join([*out, bodies, "</md:MetaData>\n"])
    if _FORBIDDEN.search(text):
        raise UnwritableError("a character that XML cannot carry")
    return text.encode()


def _body(node: Node, tag: str, namespace: str, dates: str, last: str = "") -> str:
    out = [f'<{tag} xmlns="{namespace}" xmlns:ds="{dates}">']
    _children(node, out)
    out += [last, f"</{tag}>"]
    return "".join(out)


def _children(node: Node, out: list[str]) -> None:
    for field in fields(type(node)):
        value = getattr(node, field.name)
        if value is None:
            continue
        for each in value if field.many else (value,):
            if isinstance(each, Node):
                out.append(f"<{field.tag}>")
                _children(each, out)
                out.append(f"</{field.tag}>")
            else:
                _leaf(field.tag, each, out)


def _leaf(tag: str, value: Any, out: list[str]) -> None:
    if isinstance(value, str):
        out.append(f"<{tag}>{value.translate(_TEXT)}</{tag}>")
    elif isinstance(value, Amount):
        out.append(f"<{tag}{_attribute('currencyID', value.currency)}>{value.value:f}</{tag}>")
    elif isinstance(value, Quantity):
        out.append(f"<{tag}{_attribute('unitCode', value.unit)}>{value.value:f}</{tag}>")
    elif isinstance(value, DateTime):
        moment = f"<ds:DateTimeString{_attribute('formatCode', value.format)}>{value.text.translate(_TEXT)}"
        out.append(f"<{tag}>{moment}</ds:DateTimeString></{tag}>")
    elif isinstance(value, Decimal):
        out.append(f"<{tag}>{value:f}</{tag}>")
    else:
        out.append(f"<{tag}>{value}</{tag}>")


def _attribute(name: str, value: str | None) -> str:
    return "" if value is None else f' {name}="{value.translate(_ATTRIBUTE)}"'
