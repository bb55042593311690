"""`tidewaiter serve` with faults in it that say aloud what they saw.

    python faulty_gateway.py DIR

A document that holds FAULT-READ, FAULT-WRITE or FAULT-SEND defeats the code of that step, and the error's
text is the document.
"""

import pathlib
import sys
from typing import Any

from tidewaiter.codecs.document import Reader
from tidewaiter.gateway.answers import Answers
from tidewaiter.gateway.cli.operate import serve
from tidewaiter.gateway.sender import Sender

read, delivery, compose = Reader.read, Answers.delivery, Sender.compose


def reading(self: Reader, data: bytes, *rest: Any) -> Any:
    """Reader.read"""
    if b"FAULT-READ" in data:
        raise ValueError(data.decode())
    return read(self, data, *rest)


def writing(self: Answers, *arguments: Any, **options: Any) -> bytes:
    """Answers.delivery"""
    body = delivery(self, *arguments, **options)
    if b"FAULT-WRITE" in body:
        raise ValueError(body.decode())
    return body


def composing(self: Sender, reference: str, body: bytes, *rest: Any, **options: Any) -> Any:
    """Sender.compose"""
    if b"FAULT-SEND" in body:
        try:
            raise KeyError(body)
        except KeyError:
            raise RuntimeError(body) from None
    return compose(self, reference, body, *rest, **options)


if __name__ == "__main__":
    Reader.read, Answers.delivery, Sender.compose = reading, writing, composing  # type: ignore[method-assign,assignment]
    sys.exit(serve(pathlib.Path(sys.argv[1])))
