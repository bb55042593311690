"""S6 against `tidewaiter serve`: documents made to blow up are refused quickly and cheaply, and it goes on.

Seconds are those the gateway spent computing, which others on the machine cannot make more.
"""

import os
import pathlib
import shutil
import socket
from collections.abc import Callable
from typing import Any

import anyio
import pytest

pytestmark = [pytest.mark.anyio, pytest.mark.process]

SECONDS, MEMORY = 0.25, 64 * 2**20
# What one body may have, and one octet more.
TOO_MUCH = 10_000_001
XML = b'<?xml version="1.0"?>'
METADATA = b'<MetaData xmlns="urn:wco:datamodel:WCO:DocumentMetaData-DMS:2"'

BOMBS: dict[str, bytes] = {
    "a billion laughs": XML
    + b'<!DOCTYPE a [<!ENTITY a0 "ha">%s]><a>&a9;</a>'
    % b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 10)),
    "one long entity many times": XML
    + b'<!DOCTYPE a [<!ENTITY b "%s">]><a>%s</a>' % (b"x" * 50_000, b"&b;" * 50_000),
    "entities of a parameter": XML + b"<!DOCTYPE a [<!ENTITY % p '<!ENTITY &#37; q \"r\">'>%p;%q;]><a/>",
    "a file": XML + b'<!DOCTYPE a [<!ENTITY f SYSTEM "file:///etc/passwd">]><a>&f;</a>',
    "a definition from elsewhere": XML + b'<!DOCTYPE a SYSTEM "http://127.0.0.1:@/a.dtd"><a/>',
    "an entity from elsewhere": XML + b'<!DOCTYPE a [<!ENTITY e SYSTEM "http://127.0.0.1:@/e">]><a>&e;</a>',
    "a schema from elsewhere": XML
    + METADATA
    + b' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="x http://127.0.0.1:@/"/>',
    "a part from elsewhere": XML
    + METADATA
    + b' xmlns:i="http://www.w3.org/2001/XInclude"><i:include href="http://127.0.0.1:@/"/></MetaData>',
    "a style from elsewhere": XML + b'<?xml-stylesheet href="http://127.0.0.1:@/"?>' + METADATA + b"/>",
    "deep": XML + METADATA + b">" + b"<a>" * 200_000,
    "deep and closed": XML + METADATA + b">" + b"<a>" * 100_000 + b"</a>" * 100_000 + b"</MetaData>",
    "attributes": XML + METADATA + b"".join(b' a%d=""' % n for n in range(300_000)) + b"/>",
    "a name": XML + METADATA + b"><" + b"a" * 2_000_000 + b"/></MetaData>",
    "prefixes": XML + METADATA + b"".join(b' xmlns:a%d="u:%d"' % (n, n) for n in range(100_000)) + b"/>",
    "remarks": XML + METADATA + b">" + b"<!---->" * 1_000_000 + b"</MetaData>",
    "wide characters": ('<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>').encode("utf-16"),
    "no end": XML + METADATA,
    "nothing": b"",
    "octets": bytes(range(256)) * 1000,
}


@pytest.fixture
def anyio_backend() -> str:
    """The loop of the client."""
    return "trio"


@pytest.fixture(scope="module")
def served(
    starter: pathlib.Path,
    tmp_path_factory: pytest.TempPathFactory,
    serve_all_module: Callable[..., Any],
    door: Any,
) -> Any:
    """A gateway and its door, for all of them."""
    folder = pathlib.Path(shutil.copytree(starter, tmp_path_factory.mktemp("bombs") / "gateway"))
    gateway = serve_all_module(folder)
    assert anyio.run(gateway.ready, backend="trio")
    return gateway, door(folder)


def _spent(gateway: Any) -> float:
    """Seconds of computing so far, of all its threads."""
    fields = pathlib.Path(f"/proc/{gateway.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("bomb", BOMBS)
async def test_a_bomb_is_refused_quickly_and_cheaply(
    served: Any, declaration: Callable[..., bytes], bomb: str
) -> None:
    gateway, door = served
    # What it needs for its first document is not counted.
    lodged = await door.lodge(declaration("BOMB-0", "export.xml"), "bomb-0")
    assert lodged.status == 202
    with socket.create_server(("127.0.0.1", 0)) as lure:
        lure.setblocking(False)
        body = BOMBS[bomb].replace(b":@/", b":%d/" % lure.getsockname()[1])
        spent, memory = _spent(gateway), gateway.memory(afresh=True)
        answer = await door.ask("POST", "/v1/declarations", body, Content_Type="application/xml")
        spent, memory = _spent(gateway) - spent, gateway.memory() - memory
        with pytest.raises(BlockingIOError):
            lure.accept()
    assert answer.status == 422, answer.body[:300]
    # A definition is not read to be refused: that it is there is enough.
    assert (b"xml-doctype" in answer.body) == (b"DOCTYPE" in body.replace(b"\0", b""))
    assert len(answer.body) < 100_000
    assert spent <= SECONDS
    assert memory <= MEMORY


async def test_what_is_too_large_is_refused_by_its_head(
    served: Any, declaration: Callable[..., bytes]
) -> None:
    gateway, door = served
    memory = gateway.memory(afresh=True)
    answer = await door.ask("POST", "/v1/declarations", b"x" * TOO_MUCH, Content_Type="application/xml")
    assert answer.status == 413
    assert gateway.memory() - memory < TOO_MUCH
    assert (await door.lodge(declaration("BOMB-1", "export.xml"), "bomb-1")).status == 202
