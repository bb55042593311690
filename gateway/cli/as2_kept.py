"""Messages of `as2 send` as files: NNNN-request.http and NNNN-response.http, and a line about each in
`messages.jsonl`. Numbers go on from what the folder has; nothing in it is written over."""

import pathlib
import re

import msgspec

from ..sandbox.wire import MESSAGES, Message
from .as2_means import Unusable

_NUMBER = re.compile(r"(\d{4,9})-(?:request|response)\.http")


class Keeper:
    """Keeps exchanges in a folder, which is made. Raises Unusable where it cannot be written."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            found = (_NUMBER.fullmatch(file.name) for file in folder.iterdir())
            self._last = max((int(match[1]) for match in found if match), default=0)
        except OSError as error:
            raise _unusable(folder, error) from None

    def request(self, data: bytes, line: Message) -> pathlib.Path:
        """Keep a request before it is sent: what was not kept is not sent."""
        self._last += 1
        return self._keep("request", data, line)

    def response(self, data: bytes, line: Message) -> pathlib.Path:
        """Keep the response to the last request."""
        return self._keep("response", data, msgspec.structs.replace(line, answers=self._name("request")))

    def _name(self, what: str) -> str:
        return f"{self._last:04}-{what}.http"

    def _keep(self, what: str, data: bytes, line: Message) -> pathlib.Path:
        file = self._folder / self._name(what)
        line = msgspec.structs.replace(line, file=file.name)
        try:
            with file.open("xb") as target:
                target.write(data)
            with (self._folder / MESSAGES).open("ab") as index:
                index.write(msgspec.json.encode(line) + b"\n")
        except OSError as error:
            raise _unusable(file, error) from None
        return file


def _unusable(file: pathlib.Path, error: OSError) -> Unusable:
    return Unusable(f"{error.filename or file}: {error.strerror}")
