"""Between an event's JSON and its sealed state: packed, for a measure makes a dozen of events.

The first byte tells how: `{` is JSON as it stands, as all states were before and short ones are;
1 is DEFLATE (RFC 1951) of JSON with the first lexicon as its preset dictionary.
"""

import zlib

from services.chassis.lexicon import LEXICON_1

LEAST = 200
"""Bytes from which packing saves more than it costs."""
PACKED_1 = b"\x01"
LEVEL, WINDOW, MEMORY = 2, -13, 5
"""A quick level; 8 kB of window hold the lexicon and a state; no header, no checksum."""

_PACKER = zlib.compressobj(LEVEL, zlib.DEFLATED, WINDOW, MEMORY, zlib.Z_DEFAULT_STRATEGY, LEXICON_1)
_UNPACKER = zlib.decompressobj(WINDOW, LEXICON_1)
"""Never used themselves: a copy of each has read the lexicon already."""


def pack(plain: bytes) -> bytes:
    """JSON of an object in fewer bytes; short ones as they are."""
    if len(plain) < LEAST:
        return plain
    packer = _PACKER.copy()
    return PACKED_1 + packer.compress(plain) + packer.flush()


def unpack(packed: bytes) -> bytes:
    """What `pack` was given.

    Raises:
        ValueError: it was packed in a way that this version does not know, or is not whole.
    """
    if packed[:1] == b"{":
        return packed
    if packed[:1] != PACKED_1:
        raise ValueError("packed in an unknown way")
    unpacker = _UNPACKER.copy()
    try:
        plain = unpacker.decompress(packed[1:])
    except zlib.error:
        raise ValueError("not whole") from None
    if not unpacker.eof:
        raise ValueError("not whole")
    return plain
