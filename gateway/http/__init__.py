"""HTTP/1.1, both sides: a strict listener and a strict client over AnyIO streams."""

from .client import Client, ClientLimits
from .errors import BadResponse, ClientError, ConnectFailed, HttpRefusal, PeerClosed, RequestTimeout
from .exchange import Admit, Handler, Limits, Request, Response, problem
from .head import Headers, RequestHead, ResponseHead
from .listener import serve
from .outgoing import ClientResponse

__all__ = [
    "Admit",
    "BadResponse",
    "Client",
    "ClientError",
    "ClientLimits",
    "ClientResponse",
    "ConnectFailed",
    "Handler",
    "Headers",
    "HttpRefusal",
    "Limits",
    "PeerClosed",
    "Request",
    "RequestHead",
    "RequestTimeout",
    "Response",
    "ResponseHead",
    "problem",
    "serve",
]
