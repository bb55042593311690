"""Everything this room raises on purpose.

HttpRefusal                     the peer sent what the border does not take; carries the answer to give
ClientError                     a request of ours that got no usable answer
    ConnectFailed               no connection, or no TLS
    PeerClosed                  the peer went away before its answer was complete
    RequestTimeout              no answer within the time given
    BadResponse                 an answer that breaks HTTP, or is larger than the limit
"""


class HttpRefusal(Exception):  # noqa: N818 - named for what happened
    """A message that is refused. The peer is at fault; the connection closes after the answer.

    `status` is the HTTP code to answer with, `reason` a fixed sentence that quotes nothing of the message.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status}: {reason}")
        self.status = status
        self.reason = reason


class ClientError(Exception):
    """No usable answer. `sent` False: the peer cannot have taken the request; True: it may have."""

    def __init__(self, reason: str, *, sent: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.sent = sent


class ConnectFailed(ClientError):  # noqa: N818 - named for what happened
    """No connection could be made, or the TLS handshake failed.

    `sent` is False, unless a first try had gone out on a pooled connection that then failed.
    """


class PeerClosed(ClientError):  # noqa: N818 - named for what happened
    """The peer closed or reset the connection before its answer was complete."""


class RequestTimeout(ClientError):  # noqa: N818 - named for what happened
    """The time given for the whole request has passed."""


class BadResponse(ClientError):  # noqa: N818 - named for what happened
    """The answer breaks HTTP/1.1 or is over the size limit; `sent` is True, for the request was taken."""
