"""No load ever leaves this machine."""

import socket

import pytest

from tidewaiter.loadtest.loopback import NotLoopback, require_loopback


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1:8443", "http://127.8.9.1/as2", "https://[::1]:8443", "https://localhost:1/v1"]
)
def test_loopback_is_allowed(url: str) -> None:
    require_loopback(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://192.0.2.1:8443",
        "https://0.0.0.0:8443",
        "https://[2001:db8::1]/",
        "https://127.0.0.1@192.0.2.1/",
        "/v1/declarations",
        "",
        "https://[::1",
    ],
)
def test_anything_else_is_refused(url: str) -> None:
    with pytest.raises(NotLoopback):
        require_loopback(url)


def test_a_name_is_judged_by_all_its_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolved(*_: object, **__: object) -> list[tuple[object, ...]]:
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0))
            for address in ("127.0.0.1", "192.0.2.9")
        ]

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    with pytest.raises(NotLoopback, match="not on this machine"):
        require_loopback("https://gateway.example")
