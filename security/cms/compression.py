"""CompressedData (RFC 3274): one zlib stream."""

import io
import zlib

from .. import der
from ..errors import DecompressionFailed, MalformedCms
from .content import DATA, EXPLICIT_0, ContentType, encapsulated, fields, read, tags, write

_VERSION_0 = der.tlv(der.INTEGER, b"\0")
_ZLIB_OID = der.oid("1.2.840.113549.1.9.16.3.8")
_ZLIB = der.tlv(der.SEQUENCE, _ZLIB_OID)

# zlib hands back what it could not use of its input: small slices keep that copy small.
_SLICE = 64 * 1024
# The most that exists beside the result at any moment.
_PIECE = 1024 * 1024

# What any stream may give, however small it is: a test message of one line repeated is no attack, and this
# much is inflated in about 50 ms.
FREE_OCTETS = 12 * 1024 * 1024
# Above that, octets given for each octet taken in so far. Lines that differ in a number only give 9 to 18;
# deflate ends at 1,032, and a bomb is near it.
MAX_RATIO = 150


def compress(content: der.Buffer) -> bytes:
    """A CompressedData of `content`, in DER."""
    deflater = zlib.compressobj()
    whole = memoryview(content)
    # In pieces that are joined once: what does not compress would else exist three times.
    slices = (whole[start : start + _PIECE] for start in range(0, len(whole), _PIECE))
    stream: list[der.Buffer] = [*map(deflater.compress, slices), deflater.flush()]
    inner = der.nest(EXPLICIT_0, der.nest(der.OCTET_STRING, stream))
    return write(ContentType.COMPRESSED, [_VERSION_0, _ZLIB, *der.nest(der.SEQUENCE, [DATA, *inner])])


def decompress(data: bytes, *, limit: int) -> bytes:
    """The content of the CompressedData `data`, at most `limit` octets.

    Inflates piece by piece and stops at `limit`, or earlier where the stream gives more than FREE_OCTETS and
    MAX_RATIO allow: memory stays within the result and a piece, and a bomb costs the same whatever `limit`.
    Raises DecompressionFailed for anything else than one whole zlib stream within these bounds, MalformedCms
    where there is no CompressedData.
    """
    return _inflate(read(data, _compressed), limit)


def _compressed(data: bytes) -> memoryview:
    parts = fields(data, ContentType.COMPRESSED, limit=3)
    if tags(parts) != (der.INTEGER, der.SEQUENCE, der.SEQUENCE):
        raise MalformedCms("not a CompressedData")
    algorithm = der.element_at(data, parts[1].start, parts[1].stop)
    if data[algorithm.header : algorithm.stop] != _ZLIB_OID:
        raise MalformedCms("the compression algorithm is not zlib")
    _, content = encapsulated(data, parts[2])
    if content is None:
        raise MalformedCms("there is no compressed content")
    return content


def _inflate(stream: memoryview, limit: int) -> bytes:
    inflater = zlib.decompressobj()
    result = io.BytesIO()  # unlike a bytearray it gives up its buffer without a copy
    size = position = 0
    done = False
    try:
        while position < len(stream) and not done:
            pending: der.Buffer = stream[position : position + _SLICE]
            position += len(pending)
            # Output that waits inside comes with the next input: at least the checksum is still to be read.
            while pending and not done:
                piece = inflater.decompress(pending, min(_PIECE, limit - size + 1))
                size += len(piece)
                pending = inflater.unconsumed_tail
                taken = position - len(pending)
                if size > limit or size > FREE_OCTETS + MAX_RATIO * taken:
                    raise DecompressionFailed("the content inflates to more than the limit")
                result.write(piece)
                done = inflater.eof
    except zlib.error:
        raise DecompressionFailed("the content is not a zlib stream") from None
    if not done or inflater.unused_data or position < len(stream):
        raise DecompressionFailed("the compressed content is cut off or followed by other octets")
    return result.getvalue()
