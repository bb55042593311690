"""CompressedData: both ways, against openssl, and bombs."""

import time
import tracemalloc
import zlib
from collections.abc import Callable

import pytest

from tidewaiter.security import DecompressionFailed, MalformedCms, SecurityError, der
from tidewaiter.security.cms import ContentType, compress, content_type, decompress
from tidewaiter.security.cms.content import DATA, EXPLICIT_0, write

MIB = 1024 * 1024


def message(stream: bytes, algorithm: str = "1.2.840.113549.1.9.16.3.8") -> bytes:
    """A CompressedData around any octets."""
    return write(
        ContentType.COMPRESSED,
        [
            der.tlv(der.INTEGER, b"\0"),
            der.tlv(der.SEQUENCE, der.oid(algorithm)),
            der.tlv(der.SEQUENCE, DATA, der.tlv(EXPLICIT_0, der.tlv(der.OCTET_STRING, stream))),
        ],
    )


@pytest.fixture(scope="module")
def bomb() -> bytes:
    """256 MiB of zeros."""
    deflater = zlib.compressobj(9)
    zeros = bytes(MIB)
    return message(b"".join(deflater.compress(zeros) for _ in range(256)) + deflater.flush())


@pytest.mark.parametrize(
    "content", [b"", b"a", b"UNB+UNOC:3'" * 1000, bytes(range(256)) * 4096, bytes(3 * MIB)]
)
def test_what_was_compressed_comes_back(content: bytes) -> None:
    compressed = compress(content)
    assert content_type(compressed) is ContentType.COMPRESSED
    assert decompress(compressed, limit=len(content)) == content


def test_one_octet_over_the_limit_is_refused() -> None:
    with pytest.raises(DecompressionFailed):
        decompress(compress(bytes(1001)), limit=1000)


def test_a_bomb_costs_what_its_limit_costs(bomb: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(DecompressionFailed):
            decompress(bomb, limit=16 * MIB)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 32 * MIB


def test_a_bomb_is_refused_at_once(bomb: bytes) -> None:
    start = time.process_time()
    with pytest.raises(DecompressionFailed):
        decompress(bomb, limit=MIB)
    assert time.process_time() - start < 0.1


def test_a_large_content_exists_once() -> None:
    compressed = compress(bytes(64 * MIB))
    tracemalloc.start()
    try:
        content = decompress(compressed, limit=64 * MIB)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < len(content) + 32 * MIB


@pytest.mark.parametrize(
    "stream",
    [
        b"",
        b"not zlib",
        zlib.compress(b"content")[:-1],
        zlib.compress(b"content") + b"x",
        zlib.compress(bytes(2 * MIB)) + bytes(200_000),
        zlib.compress(b"content")[:-4] + b"\0\0\0\0",
        zlib.compress(b"content", wbits=31),
        zlib.compress(b"content", wbits=-15),
    ],
    ids=["empty", "noise", "cut", "trailing", "much-trailing", "checksum", "gzip", "raw"],
)
def test_anything_but_one_zlib_stream_is_refused(stream: bytes) -> None:
    with pytest.raises(DecompressionFailed):
        decompress(message(stream), limit=4 * MIB)


def test_octets_after_a_stream_that_ends_with_a_slice_are_refused() -> None:
    stream = next(
        found for size in range(65_536, 65_400, -1) if len(found := zlib.compress(bytes(size), 0)) == 65_536
    )
    assert decompress(message(stream), limit=MIB).count(0) > 65_400
    for trailing in (b"x", stream):
        with pytest.raises(DecompressionFailed):
            decompress(message(stream + trailing), limit=MIB)


@pytest.mark.parametrize("data", [b"", b"\x30\x00", message(b"", "1.2.3"), message(b"")[:-1]])
def test_what_is_no_compressed_data_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedCms):
        decompress(data, limit=100)


def test_a_detached_content_is_malformed() -> None:
    structure = [der.tlv(der.INTEGER, b"\0"), der.tlv(der.SEQUENCE, der.oid("1.2.840.113549.1.9.16.3.8"))]
    with pytest.raises(SecurityError):
        decompress(write(ContentType.COMPRESSED, [*structure, der.tlv(der.SEQUENCE, DATA)]), limit=100)


def test_openssl_reads_what_is_written(openssl: Callable[..., bytes]) -> None:
    try:
        read = openssl("cms", "-uncompress", "-inform", "DER", data=compress(b"content" * 100))
    except AssertionError as error:
        if "zlib" in str(error) or "unsupported" in str(error):
            pytest.skip("this openssl has no zlib")
        raise
    assert read == b"content" * 100
