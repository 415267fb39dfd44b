"""Seals what the store keeps, so that a bit that rots is found when it is read: a checksum of the bytes and of what they belong to."""

from __future__ import annotations

import struct
from zlib import crc32

_SEALED = b"\xc1"
"""Begins a sealed blob, and no unsealed one of earlier versions: neither MessagePack nor zstd ever begins so."""
_HEAD = struct.Struct(">cI")


class BrokenSeal(Exception):
    """These bytes are not those that were sealed; the text says of what they are."""


def sealed(body: bytes, *of: str | int) -> bytes:
    """Returns the bytes under a seal that names what they belong to, as a row's key."""
    return _HEAD.pack(_SEALED, _sum(body, of)) + body


def is_sealed(blob: bytes) -> bool:
    return blob[:1] == _SEALED


def unsealed(blob: bytes, *of: str | int) -> bytes:
    """Returns the bytes. What an earlier version wrote without a seal is returned as it is. Raises BrokenSeal."""
    if not is_sealed(blob):
        return blob
    body = blob[_HEAD.size :]
    if len(blob) < _HEAD.size or _HEAD.unpack_from(blob)[1] != _sum(body, of):
        raise BrokenSeal(f"the bytes of {'/'.join(map(str, of))} are not those that were written")
    return body


def _sum(body: bytes, of: tuple[str | int, ...]) -> int:
    return crc32(body, crc32("\0".join(map(str, of)).encode()))
