"""Seals what the store keeps, so that a bit that rots is found when it is read: a checksum of the bytes and of what they belong to."""

from __future__ import annotations

import struct
from zlib import crc32

_SEALED = b"\xc1"
"""Begins a sealed blob, and no unsealed one of version 2: neither MessagePack nor zstd ever begins so."""
_HEAD = struct.Struct(">cI")


class BrokenSeal(Exception):
    """These bytes are not those that were sealed; the text says of what they are."""


def sealed(body: bytes, *of: str | int) -> bytes:
    """Returns the bytes under a seal that names what they belong to, as a row's key."""
    return _HEAD.pack(_SEALED, _sum(body, of)) + body


def unsealed(blob: bytes, *of: str | int) -> bytes:
    """Returns the bytes. Raises BrokenSeal, for bytes without a seal too: it is the first that may rot."""
    body = blob[_HEAD.size :]
    if len(blob) < _HEAD.size or _HEAD.unpack_from(blob) != (_SEALED, _sum(body, of)):
        raise BrokenSeal(f"the bytes of {'/'.join(map(str, of))} are not those that were written")
    return body


def unsealed_or_earlier(blob: bytes, *of: str | int) -> bytes:
    """Returns the bytes; as they are where no seal begins, for a store with rows of version 2. Raises BrokenSeal."""
    return unsealed(blob, *of) if blob[:1] == _SEALED else blob


def _sum(body: bytes, of: tuple[str | int, ...]) -> int:
    return crc32(body, crc32("\0".join(map(str, of)).encode()))
