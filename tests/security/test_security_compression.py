"""CompressedData: both ways, against openssl, and bombs."""

import os
import time
import tracemalloc
import zlib
from collections.abc import Callable

import pytest

from tidewaiter.security import DecompressionFailed, MalformedCms, SecurityError, der
from tidewaiter.security.cms import ContentType, compress, content_type, decompress
from tidewaiter.security.cms.compression import FREE_OCTETS, MAX_RATIO
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


def peak_of(work: Callable[[], object]) -> int:
    """The most that `work` has in memory at once."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.fixture(scope="module")
def bomb() -> bytes:
    """300 MiB of zeros in 300 KiB."""
    deflater = zlib.compressobj(9)
    zeros = bytes(MIB)
    return message(b"".join(deflater.compress(zeros) for _ in range(300)) + deflater.flush())


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


@pytest.mark.parametrize("limit", [MIB, 16 * MIB, 1024 * MIB])
def test_a_bomb_costs_the_same_whatever_the_limit(bomb: bytes, limit: int) -> None:
    def refused() -> None:
        with pytest.raises(DecompressionFailed):
            decompress(bomb, limit=limit)

    assert peak_of(refused) < 32 * MIB


def test_a_bomb_is_refused_at_once(bomb: bytes) -> None:
    """Best of three: the processor is shared, and one run says how busy it was."""
    seconds: list[float] = []
    for _ in range(3):
        start = time.process_time()
        with pytest.raises(DecompressionFailed):
            decompress(bomb, limit=1024 * MIB)
        seconds.append(time.process_time() - start)
    assert min(seconds) < 0.1


def test_what_is_repetitive_and_of_some_size_passes() -> None:
    content = b"CST+1+84713000:122'".ljust(100) * (FREE_OCTETS // 100)
    compressed = compress(content)
    assert len(content) > MAX_RATIO * len(compressed)
    assert decompress(compressed, limit=len(content)) == content


def test_a_large_document_of_like_lines_passes() -> None:
    content = b"".join(b"CST+%d+84713000:122'MOA+38:%d.00:EUR'" % (n, n % 1000) for n in range(900_000))
    assert len(content) > 2 * FREE_OCTETS
    assert decompress(compress(content), limit=len(content)) == content


@pytest.mark.parametrize("before", [0, 30_000, 200_000])
def test_noise_before_a_bomb_pays_for_itself_only(before: int) -> None:
    """The ratio is that of what has been read so far, not of the whole."""
    content = os.urandom(before) + bytes(FREE_OCTETS + (MAX_RATIO + 50) * before + 3 * MIB)
    compressed = compress(content)
    with pytest.raises(DecompressionFailed):
        decompress(compressed, limit=len(content))


def large() -> bytes:
    """16 MiB that deflate to somewhat less."""
    return b"".join(os.urandom(3 * 1024) + bytes(1024) for _ in range(4096))


def test_a_large_content_exists_once() -> None:
    content = large()
    compressed = compress(content)
    assert peak_of(lambda: decompress(compressed, limit=len(content))) < 1.2 * len(content) + 2 * MIB


def test_compressing_holds_the_stream_twice() -> None:
    content = large()
    assert peak_of(lambda: compress(content)) < 2.1 * len(content)


def in_pieces(stream: bytes, size: int) -> bytes:
    """The message as a streaming sender writes it: indefinite lengths, the string in pieces."""
    pieces = (der.tlv(der.OCTET_STRING, stream[n : n + size]) for n in range(0, len(stream), size))
    content = b"\x24\x80" + b"".join(pieces) + b"\0\0"
    kind = der.oid("1.2.840.113549.1.9.16.1.9")
    algorithm = der.tlv(der.SEQUENCE, der.oid("1.2.840.113549.1.9.16.3.8"))
    inner = b"\x30\x80" + DATA + b"\xa0\x80" + content + b"\0\0" * 2
    outer = b"\x30\x80" + der.tlv(der.INTEGER, b"\0") + algorithm + inner + b"\0\0"
    return b"\x30\x80" + kind + b"\xa0\x80" + outer + b"\0\0" * 2


@pytest.mark.parametrize("size", [64, 1000, 100_000])
def test_a_stream_in_pieces_comes_back(size: int) -> None:
    content = os.urandom(300_000)
    assert decompress(in_pieces(zlib.compress(content), size), limit=len(content)) == content


def test_pieces_of_one_octet_are_no_message_when_there_are_many() -> None:
    """A bound of elements to octets: what is held for each piece is larger than the piece."""
    stream = zlib.compress(os.urandom(200_000))
    with pytest.raises(MalformedCms):
        decompress(in_pieces(stream, 1), limit=MIB)
    assert decompress(in_pieces(zlib.compress(b"content"), 1), limit=MIB) == b"content"


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
