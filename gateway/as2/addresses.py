"""Where an asynchronous receipt may be posted: the sender writes the address, the agreement decides.

The address comes in a header that nobody has verified when it is first read, so it is compared with the
origins of the agreement and otherwise only stored; and what its name resolves to is looked at once more
before anything connects.
"""

import enum
import ipaddress
import re
from collections.abc import Iterable

# Long addresses with a query are usual for receipts; a URL is never data.
MAX_ADDRESS = 2048

_PORTS = {"http": 80, "https": 443}
# One spelling only, because each other one is read differently by somebody: no user information, no escapes
# or other alphabets in the host, no backslash, no fragment, nothing that is not visible ASCII.
_URL = re.compile(
    r"(https?)://"
    r"([a-z0-9](?:[a-z0-9._-]{0,253}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])"
    r"(?::([0-9]{1,5}))?"
    r"(?:[/?][a-z0-9\-._~!$&'()*+,;=:@/%?\[\]{}|]*)?",
    re.IGNORECASE | re.ASCII,
)

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Reach(enum.Enum):
    """Whom an IP address belongs to, as far as a receipt is concerned."""

    PUBLIC = "public"
    PRIVATE = "private"
    """Our own machine or network: only where the agreement says so."""
    FORBIDDEN = "forbidden"
    """Nobody's whom we could have an agreement with: multicast, link-local, metadata services."""


# The tables of RFC 6890 as far as one needs them; those of `ipaddress` change with the version of Python.
_PRIVATE = tuple(
    map(
        ipaddress.ip_network,
        (
            "127.0.0.0/8",
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "::1/128",
            "fc00::/7",
        ),
    )
)
_FORBIDDEN = tuple(
    map(
        ipaddress.ip_network,
        (
            "0.0.0.0/8",  # "This host": Linux connects it to itself.
            "100.64.0.0/10",  # Shared by carriers; one cloud has its metadata service here.
            "168.63.129.16/32",  # Another's, at an address that looks public.
            "169.254.0.0/16",  # Link-local, with the metadata services of most clouds.
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4",
            "::/96",  # Unspecified, and IPv4 addresses in a form long withdrawn; ::1 is told apart before.
            "64:ff9b:1::/48",
            "100::/64",
            "2001::/23",
            "2001:db8::/32",
            "3fff::/20",
            "5f00::/16",
            "fe80::/10",
            "fec0::/10",
            "ff00::/8",
        ),
    )
)
# Networks whose addresses are IPv4 addresses in disguise, and where in them those stand (from the right).
_CARRIERS = (
    (ipaddress.IPv6Network("::ffff:0:0/96"), 0),
    (ipaddress.IPv6Network("::ffff:0:0:0/96"), 0),  # SIIT (RFC 2765)
    (ipaddress.IPv6Network("64:ff9b::/96"), 0),
    (ipaddress.IPv6Network("2002::/16"), 80),
)
# A metadata service within a private range.
_EXCEPTIONS = (ipaddress.IPv6Network("fd00:ec2::/32"),)


def is_allowed_address(url: str, origins: Iterable[str]) -> bool:
    """Whether a receipt may be posted to `url`: http or https, and scheme, host and port those of one of
    `origins` (`https://host[:port]`; 80 and 443 go without saying). Path and query are free.
    """
    asked = _origin(url)
    return asked is not None and any(asked == _origin(origin) for origin in origins)


def reach_of(address: str) -> Reach:
    """What a connection to this IP address would reach. Raises ValueError if it is none."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if ip.version == 6:
        for network, shift in _CARRIERS:
            if ip in network:
                return reach_of(str(ipaddress.IPv4Address((int(ip) >> shift) & 0xFFFFFFFF)))
    if _is_in(ip, _EXCEPTIONS):
        return Reach.FORBIDDEN
    if _is_in(ip, _PRIVATE):
        return Reach.PRIVATE
    return Reach.FORBIDDEN if _is_in(ip, _FORBIDDEN) else Reach.PUBLIC


def _is_in(ip: ipaddress.IPv4Address | ipaddress.IPv6Address, networks: tuple[Network, ...]) -> bool:
    return any(ip in network for network in networks)


def _origin(url: str) -> tuple[str, str, int] | None:
    """Scheme, host and port; None for what is no address a receipt could go to."""
    match = _URL.fullmatch(url) if len(url) <= MAX_ADDRESS else None
    if match is None:
        return None
    scheme, host = match[1].lower(), match[2].lower()
    port = int(match[3]) if match[3] else _PORTS[scheme]
    if host.startswith("["):
        try:
            host = str(ipaddress.IPv6Address(host[1:-1]))
        except ValueError:
            return None
    return (scheme, host, port) if 0 < port <= 65535 else None
