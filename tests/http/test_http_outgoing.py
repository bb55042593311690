"""URLs and requests as the client writes them; exchanges stand in test_http_client."""

import pytest

from tidewaiter.gateway.http.outgoing import Endpoint, parse_url, write_request


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("http://a.example", Endpoint("http", "a.example", 80, "a.example", "/")),
        ("https://A.example:443/b?c=d#e", Endpoint("https", "a.example", 443, "a.example", "/b?c=d")),
        ("https://a.example:8443?c", Endpoint("https", "a.example", 8443, "a.example:8443", "/?c")),
        ("http://[::1]:8080/", Endpoint("http", "::1", 8080, "[::1]:8080", "/")),
        ("http://a.example:443/", Endpoint("http", "a.example", 443, "a.example:443", "/")),
    ],
)
def test_endpoints(url: str, endpoint: Endpoint) -> None:
    assert parse_url(url) == endpoint


@pytest.mark.parametrize(
    ("method", "body", "length"),
    [
        ("GET", b"", None),
        ("HEAD", b"", None),
        ("POST", b"", b"0"),
        ("PUT", b"ab", b"2"),
        ("DELETE", b"a", b"1"),
    ],
)
def test_requests(method: str, body: bytes, length: bytes | None) -> None:
    data = write_request(method, parse_url("http://a.example/b"), (("X", "y"),), body)
    line = b"" if length is None else b"content-length: " + length + b"\r\n"
    expected = method.encode() + b" /b HTTP/1.1\r\nhost: a.example\r\nX: y\r\n" + line + b"\r\n" + body
    assert data == expected
