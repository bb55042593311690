"""Sends messages to a gateway and takes the time of every answer: a process of its own, for `oracle`.

    python -m tidewaiter.benchmarks.as2.prober FILE

FILE holds an Errand; what comes of it is written to FILE.times.
"""

import pathlib
import random
import re
import socket
import sys
import threading
import time
from collections.abc import Iterator

import msgspec

# Every connection has an address of its own: what is kept of strangers is counted by address.
_SOURCE = "127.7.{}.{}"
_PATIENCE = 60.0
_READ = 65536
# What may differ between two answers: ids, dates, boundaries and the signature.
_VARIABLE = (
    (re.compile(rb"(?im)^(date|message-id|original-message-id): [^\r]*"), rb"\1:"),
    (re.compile(rb'boundary="[^"]*"'), b"boundary"),
    (re.compile(rb"(?m)^--[^\r\n]*"), b"--"),
    (re.compile(rb'(?s)(\.p7s"\r\n\r\n)[A-Za-z0-9+/=\r\n]+'), rb"\1"),
)


class Errand(msgspec.Struct, frozen=True):
    """What to send: of each cause so many, in an order made of `seed`, over so many connections at once."""

    port: int
    headers: list[tuple[str, str]]
    bodies: dict[str, list[bytes]]
    counts: dict[str, int]
    connections: int
    seed: int


class Times(msgspec.Struct):
    """Seconds to the answer by cause, and every form of it by cause, ids and dates taken out."""

    seconds: dict[str, list[float]]
    answers: dict[str, list[bytes]]


class Errors(Exception):  # noqa: N818 - what the gateway said instead
    """An answer that is none."""


def probe(errand: Errand) -> Times:
    """Run `errand`. Raises Errors, or OSError where the gateway cannot be reached."""
    order = [cause for cause, count in errand.counts.items() for _ in range(count)]
    random.Random(errand.seed).shuffle(order)
    work = enumerate(order)
    times = Times({cause: [] for cause in errand.bodies}, {cause: [] for cause in errand.bodies})
    lock = threading.Lock()
    failed: list[BaseException] = []

    def run(number: int) -> None:
        try:
            _run(number, errand, work, times, lock)
        except (OSError, Errors) as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(errand.connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return times


def _run(
    number: int, errand: Errand, work: Iterator[tuple[int, str]], times: Times, lock: threading.Lock
) -> None:
    connection = _connected(number, errand.port)
    while True:
        with lock:
            index, cause = next(work, (0, ""))
        if not cause:
            connection.close()
            return
        bodies = errand.bodies[cause]
        request = _request(errand, index, bodies[index % len(bodies)])
        began = time.perf_counter()
        connection.sendall(request)
        answer = connection.recv(_READ)
        seconds = time.perf_counter() - began
        answer = _whole(connection, answer)
        form = answered(answer)
        with lock:
            times.seconds[cause].append(seconds)
            if form not in times.answers[cause]:
                times.answers[cause].append(form)
        if b"\r\nconnection: close" in answer.lower():
            connection.close()
            connection = _connected(number, errand.port)


def answered(answer: bytes) -> bytes:
    """The answer without what may differ. Raises Errors unless it is a receipt."""
    if not answer.startswith(b"HTTP/1.1 200 "):
        raise Errors(answer[:80].decode("latin-1"))
    for pattern, instead in _VARIABLE:
        answer = pattern.sub(instead, answer)
    # The turns of a connection are not the message's.
    return re.sub(rb"(?im)^(connection|keep-alive|content-length): [^\r]*\r\n", b"", answer)


def _connected(number: int, port: int) -> socket.socket:
    source = _SOURCE.format(number // 250, number % 250 + 1)
    connection = socket.create_connection(("127.0.0.1", port), _PATIENCE, (source, 0))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _request(errand: Errand, index: int, body: bytes) -> bytes:
    fields = [*errand.headers, ("Message-ID", f"<probe-{index:09}@bench.example>")]
    head = "".join(f"{name}: {value}\r\n" for name, value in fields)
    head = f"POST /as2 HTTP/1.1\r\nHost: gateway\r\nContent-Length: {len(body)}\r\n{head}\r\n"
    return head.encode("latin-1") + body


def _whole(connection: socket.socket, answer: bytes) -> bytes:
    head, _, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
    missing = int(length[1]) - len(body) if length else 0
    while missing > 0:
        more = connection.recv(_READ)
        if not more:
            raise Errors("the connection ended within an answer")
        answer, missing = answer + more, missing - len(more)
    return answer


def _main() -> None:
    file = pathlib.Path(sys.argv[1])
    times = probe(msgspec.msgpack.decode(file.read_bytes(), type=Errand))
    file.with_suffix(".times").write_bytes(msgspec.msgpack.encode(times))


if __name__ == "__main__":
    _main()
