"""The stream below HTTP: TLS handshakes that end in an alert, connections that end in good order."""

import contextlib
import ssl

import anyio
from anyio.abc import ByteStream, SocketAttribute
from anyio.streams.tls import TLSAttribute, TLSStream

# Read and dropped after our last byte, so that the system sends no reset that overtakes the answer.
MAX_LINGER = 1024 * 1024

WENT_AWAY = "the peer went away"

# What a stream raises when the peer or the line fails.
STREAM_ERRORS = (
    anyio.EndOfStream,
    anyio.BrokenResourceError,
    anyio.ClosedResourceError,
    ssl.SSLError,
    OSError,
)


class _AlertingObject(ssl.SSLObject):
    """An SSLObject whose failed handshake first lets the alert out.

    The caller of `do_handshake` stops at the first error, with the alert for the peer still in the outgoing
    buffer: the peer would see a reset and nobody would know why. Asking to write first gets it sent.
    """

    _failure: ssl.SSLError | None = None

    def do_handshake(self) -> None:
        if self._failure is not None:
            raise self._failure
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError, ssl.SSLSyscallError, ssl.SSLEOFError):
            raise
        except ssl.SSLError as failure:
            self._failure = failure
            raise ssl.SSLWantWriteError from failure


async def accept_tls(stream: ByteStream, context: ssl.SSLContext) -> TLSStream:
    """`stream` after the server's side of a handshake.

    Raises ssl.SSLError (the alert is sent) and STREAM_ERRORS; closing `stream` is then the caller's.
    """
    context.sslobject_class = _AlertingObject
    return await TLSStream.wrap(stream, server_side=True, ssl_context=context)


async def connect_tls(stream: ByteStream, context: ssl.SSLContext, host: str) -> TLSStream:
    """`stream` after the client's side of a handshake with `host`; raises as `accept_tls` does."""
    context.sslobject_class = _AlertingObject
    return await TLSStream.wrap(stream, hostname=host, server_side=False, ssl_context=context)


def peer_certificate(stream: ByteStream) -> bytes | None:
    """The peer's certificate in DER; None without TLS and where it sent none."""
    return stream.extra(TLSAttribute.peer_certificate_binary, None)  # noqa: S610 - not Django


def peer_address(stream: ByteStream) -> str:
    """The peer's address without its port; empty if the peer has already gone."""
    try:
        address = stream.extra(SocketAttribute.remote_address)  # noqa: S610 - not Django
    except (anyio.TypedAttributeLookupError, OSError):
        return ""
    return address if isinstance(address, str) else str(address[0])


def why_refused(error: BaseException) -> str:
    """Why a handshake failed, in the TLS library's words; WENT_AWAY if the peer just left."""
    cause = error if isinstance(error, ssl.SSLError) else error.__cause__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return cause.verify_message
    if isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLEOFError):
        return cause.reason or type(cause).__qualname__
    return WENT_AWAY


async def close_in_order(stream: ByteStream, seconds: float) -> None:
    """Say that we are done, give the peer `seconds` to read what we sent and to close, then close.

    Never raises a stream error. In a cancelled scope it closes at once.
    """
    transport = stream
    if isinstance(stream, TLSStream) and isinstance(stream.transport_stream, ByteStream):
        transport = stream.transport_stream
    try:
        with anyio.move_on_after(seconds):
            if isinstance(stream, TLSStream):
                with contextlib.suppress(*STREAM_ERRORS):
                    await stream.unwrap()
            with contextlib.suppress(*STREAM_ERRORS):
                await transport.send_eof()
                room = MAX_LINGER
                while room > 0:
                    room -= len(await transport.receive())
    finally:
        await anyio.aclose_forcefully(transport)
