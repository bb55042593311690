"""The description of `/v1` for programs: OpenAPI 3.1."""

from typing import Any

from .. import __version__
from ..routing.lifecycle import DeliveryState, LodgementState


def _content(media_type: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": {media_type: {"schema": schema}}}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _answer(description: str, name: str) -> dict[str, Any]:
    return {"description": description, **_content("application/json", _ref(name))}


def _problem(description: str) -> dict[str, Any]:
    return {"description": description, **_content("application/problem+json", _ref("Problem"))}


def _text(description: str = "") -> dict[str, Any]:
    return {"type": "string", **({"description": description} if description else {})}


def _object(**properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name.replace("_", "-"): value for name, value in properties.items()},
    }


def _array(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


_NUMBER = {"type": "integer", "minimum": 0}
_MOMENT = {"type": "string", "format": "date-time"}
_FLAG = {"type": "boolean"}
_TEXT_OR_NONE = {"type": ["string", "null"]}
_DOCUMENT = {
    "required": True,
    "content": {
        "application/edifact": {"schema": _text("An interchange with CUSDEC messages, D.96B")},
        "application/xml": {"schema": _text("A WCO DEC document, with or without its MetaData")},
    },
}
_ANSWER_DOCUMENT = {
    "required": True,
    "content": {
        "application/edifact": {"schema": _text("An interchange with CUSRES messages")},
        "application/xml": {"schema": _text("A WCO RES document")},
    },
}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "maxLength": 255},
    "description": "Your name for this document: sent again under it, it gets the same receipt, for ever.",
}
_REFUSALS = {
    "400": _problem("The request cannot be understood"),
    "401": _problem("No client certificate, or one of nobody known"),
    "413": _problem("The body is larger than this gateway takes"),
    "415": _problem("Neither application/edifact nor application/xml"),
    "500": _problem("A fault of ours: the document is kept, and looked into"),
    "503": _problem("Nothing was taken in: send it again after Retry-After seconds"),
}
# Of what only reads.
_UNREAD = {
    "401": _REFUSALS["401"],
    "503": _problem("Nothing can be read now: ask again after Retry-After seconds"),
}
_TRADERS = _problem("Only traders lodge")
_SIGNATURE = {
    "Receipt-Signature": {
        "schema": _text(),
        "description": "Base64 of a detached CMS signature (DER) over the octets of the body",
    }
}

_LODGED = {
    "id": _text("Names the lodgement in every later call"),
    "lrn": _text(),
    "status": _text("Where its standing can be asked"),
    "lodged_before": {**_FLAG, "description": "It was lodged before, with the same content"},
}
_SUMMARY = {
    "id": _text(),
    "state": {"enum": [state.value for state in LodgementState]},
    "type": _text(),
    "function": _text(),
    "declarant": _text(),
    "lrn": _text(),
    "mrn": _TEXT_OR_NONE,
    "channel": {"enum": ["as2", "https"]},
    "syntax": {"enum": ["edifact", "xml"]},
    "test": _FLAG,
    "received": _MOMENT,
}

_SCHEMAS = {
    "Receipt": _object(
        gateway=_text(),
        party=_text(),
        **_LODGED,
        lodgements=_array(_object(**_LODGED)),
        answered={**_NUMBER, "description": "How many answers were recorded"},
        acknowledged={**_NUMBER, "description": "How many CONTRL and APERAK were tied to what we sent"},
        digest=_object(algorithm=_text(), value=_text("Hexadecimal"), octets=_NUMBER),
        received=_MOMENT,
        issued=_MOMENT,
    ),
    "Finding": _object(
        severity={"enum": ["error", "warning", "info"]},
        code=_text("UNTDID 0085 for EDIFACT syntax, the name of a rule otherwise"),
        text=_text(),
        where=_text("The place, readable"),
        pointer={
            "type": "object",
            "description": "The place in its parts: XPath and WCO pointer, or segment and element",
        },
        value=_text("What stands there, shortened"),
        expected=_text(),
    ),
    "Problem": _object(
        type=_text(),
        title=_text(),
        status=_NUMBER,
        detail=_text(),
        message=_text("Under this name what you sent is kept, with its bytes"),
        id={**_TEXT_OR_NONE, "description": "The rejected lodgement"},
        findings=_array(_ref("Finding")),
    ),
    "Decision": _object(
        version=_NUMBER, outcome=_text(), decided=_MOMENT, reasons={"type": "array", "items": {}}
    ),
    "Declaration": _object(
        **_SUMMARY,
        amends={**_TEXT_OR_NONE, "description": "The lodgement it corrects or cancels"},
        later={
            **_array(_object(id=_text(), function=_text(), state=_text())),
            "description": "The lodgements that amended or cancelled it since",
        },
        filename={**_TEXT_OR_NONE, "description": "What you called the document, where its message named it"},
        attachments={
            **_array(
                _object(
                    position=_NUMBER,
                    filename=_TEXT_OR_NONE,
                    content_type=_text(),
                    octets=_NUMBER,
                    **{"sha-256": _text("Hexadecimal")},
                )
            ),
            "description": "The supporting documents that came in the same AS2 message",
        },
        findings=_array(_ref("Finding")),
        agencies=_array(
            _object(
                agency=_text(),
                delivery=_text(),
                state={"enum": [state.value for state in DeliveryState]},
                attempts=_NUMBER,
                answers=_array(_object(outcome=_text(), received=_MOMENT)),
            )
        ),
        waiting_for=_array(_text()),
        stuck={
            **_array(_text()),
            "description": "Agencies whose delivery was given up or not received as sent: a person must look",
        },
        decision={"anyOf": [_ref("Decision"), {"type": "null"}]},
        decisions=_array(_ref("Decision")),
        last_notification=_NUMBER,
    ),
    "Declarations": _object(declarations=_array(_object(**_SUMMARY))),
    "Notifications": _object(
        notifications=_array(
            _object(
                number=_NUMBER,
                id=_text(),
                declaration=_TEXT_OR_NONE,
                kind=_text("RES, CUSRES or CONTRL"),
                decision_version={"type": ["integer", "null"]},
                created=_MOMENT,
                content_type=_text(),
                document={"type": "string", "contentEncoding": "base64"},
            )
        ),
        last=_NUMBER,
    ),
}

OPENAPI: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {
        "title": "Tidewaiter",
        "version": __version__,
        "description": "Lodge once, get a signed receipt, read one decision. Your TLS certificate names you.",
    },
    "paths": {
        "/v1/declarations": {
            "post": {
                "summary": "Lodge a declaration",
                "parameters": [_KEY],
                "requestBody": _DOCUMENT,
                "responses": {
                    "202": {**_answer("Durably lodged", "Receipt"), "headers": _SIGNATURE},
                    "403": _TRADERS,
                    "409": _problem("The Idempotency-Key names another document"),
                    "422": _problem("The document is not valid: every finding of one pass"),
                    **_REFUSALS,
                },
            },
            "get": {
                "summary": "Your newest lodgements",
                "responses": {"200": _answer("Newest first", "Declarations"), "403": _TRADERS, **_UNREAD},
            },
        },
        "/v1/declarations/{reference}": {
            "get": {
                "summary": "How a declaration stands",
                "parameters": [
                    {
                        "name": "reference",
                        "in": "path",
                        "required": True,
                        "schema": _text(),
                        "description": "The receipt's id, your LRN, or the MRN",
                    }
                ],
                "responses": {
                    "200": _answer("Every agency's leg and every decision", "Declaration"),
                    "403": _TRADERS,
                    **_UNREAD,
                    "404": _problem("You have lodged nothing under this reference"),
                },
            }
        },
        "/v1/notifications": {
            "get": {
                "summary": "Your log: numbered without gaps, readable again from any number",
                "parameters": [
                    {"name": "after", "in": "query", "schema": {**_NUMBER, "default": 0}},
                    {
                        "name": "limit",
                        "in": "query",
                        "schema": {"type": "integer", "maximum": 1000, "default": 100},
                    },
                ],
                "responses": {
                    "200": _answer("The entries above `after`, in order", "Notifications"),
                    "400": _REFUSALS["400"],
                    **_UNREAD,
                },
            }
        },
        "/v1/answers": {
            "post": {
                "summary": "Answer a delivery (agencies)",
                "description": "The document's functional reference is the delivery reference you were sent.",
                "parameters": [
                    _KEY,
                    {**_KEY, "name": "Tidewaiter-Delivery", "description": "The delivery reference"},
                ],
                "requestBody": _ANSWER_DOCUMENT,
                "responses": {
                    "202": _answer("Durably recorded", "Receipt"),
                    "403": _problem("Only agencies answer"),
                    "409": _problem("The Idempotency-Key names another document"),
                    "422": _problem("Not an answer, or to no delivery of yours"),
                    **_REFUSALS,
                },
            }
        },
    },
    "components": {"schemas": _SCHEMAS, "securitySchemes": {"certificate": {"type": "mutualTLS"}}},
    "security": [{"certificate": []}],
}
