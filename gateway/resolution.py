"""Where the name in an address leads: asked once for each try, and looked at before anything connects.

What was looked at is what is connected to: a name that resolves anew in between would lead anywhere.
"""

import socket
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import anyio

from .as2.addresses import Reach, reach_of

# The IP addresses of a host, best first. Raises OSError or UnicodeError where there is none.
Resolve = Callable[[str, int], Awaitable[list[str]]]


class NotReachable(Exception):  # noqa: N818 - named for what was found
    """There is no IP address to connect to. `forbidden`: there is, but none a receipt may go to."""

    def __init__(self, reason: str, *, forbidden: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.forbidden = forbidden


async def resolve(host: str, port: int) -> list[str]:
    """By the system's resolver."""
    found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[4][0]) for address in found))


async def address_of(url: str, *, private: bool, resolver: Resolve = resolve) -> str:
    """The IP address to connect to for `url`, which `is_allowed_address` has let through.

    `private`: it may be one of this machine or a private network. Raises NotReachable.
    """
    parts = urlsplit(url)
    assert parts.hostname is not None
    try:
        found = await resolver(parts.hostname, parts.port or (443 if parts.scheme == "https" else 80))
    except (OSError, UnicodeError):
        raise NotReachable("the name does not resolve", forbidden=False) from None
    allowed = {Reach.PUBLIC, Reach.PRIVATE} if private else {Reach.PUBLIC}
    for address in found:
        if reach_of(address) in allowed:
            return address
    raise NotReachable("the name leads to an address nothing is posted to", forbidden=bool(found))
