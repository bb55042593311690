"""Where a name leads: the first address that may be reached, and none other."""

import pytest

from tidewaiter.gateway.resolution import NotReachable, address_of, resolve

pytestmark = pytest.mark.anyio

URL = "https://mdn.example/x"


def leading_to(*addresses: str) -> object:
    asked: list[tuple[str, int]] = []

    async def resolver(host: str, port: int) -> list[str]:
        asked.append((host, port))
        return list(addresses)

    resolver.asked = asked  # type: ignore[attr-defined]
    return resolver


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        (URL, ("mdn.example", 443)),
        ("http://mdn.example", ("mdn.example", 80)),
        ("https://MDN.example:4443?a=b", ("mdn.example", 4443)),
        ("https://[2a00:1450::5]/", ("2a00:1450::5", 443)),
    ],
)
async def test_what_is_asked(url: str, asked: tuple[str, int]) -> None:
    resolver = leading_to("198.41.0.4")
    assert await address_of(url, private=False, resolver=resolver) == "198.41.0.4"  # type: ignore[arg-type]
    assert resolver.asked == [asked]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("found", "private", "address"),
    [
        (["198.41.0.4", "198.41.0.5"], False, "198.41.0.4"),
        (["10.0.0.1", "198.41.0.5"], False, "198.41.0.5"),
        (["10.0.0.1", "198.41.0.5"], True, "10.0.0.1"),
        (["169.254.169.254", "127.0.0.1"], True, "127.0.0.1"),
        (["10.0.0.1"], False, None),
        (["169.254.169.254", "0.0.0.0", "ff02::1"], True, None),
        ([], True, None),
    ],
)
async def test_which_address_is_taken(found: list[str], private: bool, address: str | None) -> None:
    resolver = leading_to(*found)
    if address is not None:
        assert await address_of(URL, private=private, resolver=resolver) == address  # type: ignore[arg-type]
        return
    with pytest.raises(NotReachable) as failure:
        await address_of(URL, private=private, resolver=resolver)  # type: ignore[arg-type]
    assert failure.value.forbidden is bool(found)


@pytest.mark.parametrize("error", [OSError(), UnicodeError()])
async def test_a_name_that_does_not_resolve(error: Exception) -> None:
    async def resolver(host: str, port: int) -> list[str]:
        raise error

    with pytest.raises(NotReachable) as failure:
        await address_of(URL, private=True, resolver=resolver)
    assert not failure.value.forbidden


@pytest.mark.parametrize("notation", ["127.0.0.1", "127.1", "2130706433", "0x7f.1", "017700000001"])
async def test_the_system_reads_every_notation_of_an_address(notation: str) -> None:
    """So what is looked at is what it makes of it."""
    assert await resolve(notation, 80) == ["127.0.0.1"]
    with pytest.raises(NotReachable):
        await address_of(f"http://{notation}/", private=False)
