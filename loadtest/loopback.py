"""The one rule about targets: this machine. A load test of somebody else's gateway is an attack."""

import ipaddress
import socket
from urllib.parse import urlsplit


class NotLoopback(Exception):  # noqa: N818 - named for what is wrong
    """The address is not this machine's own, or none can be made out."""


def require_loopback(url: str) -> None:
    """Return if every address that the host of `url` stands for is a loopback address. Raises NotLoopback."""
    try:
        host = urlsplit(url).hostname
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM) if host else []
    except (OSError, ValueError) as error:
        raise NotLoopback(f"{url}: {error}") from None
    addresses = {str(address[0]) for *_, address in found}
    if not addresses or not all(ipaddress.ip_address(one).is_loopback for one in addresses):
        raise NotLoopback(f"{url} is not on this machine; load is sent to loopback addresses only")
