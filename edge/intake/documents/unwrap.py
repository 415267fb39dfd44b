"""Takes off what senders put around a payload: gzip, a byte order mark, zero bytes at the end. Bounded; pure."""

from __future__ import annotations

import zlib

from edge.reading import PayloadError

MAX_UNPACKED_BYTES = 4 << 20
_GZIP = b"\x1f\x8b"
_GZIP_BITS = 31
_BOMS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_UTF8_BOM = b"\xef\xbb\xbf"


def unwrapped(payload: bytes) -> bytes:
    """Returns the payload itself, as UTF-8 if it is text. Raises PayloadError."""
    if payload.startswith(_GZIP):
        payload = _unpacked(payload)
    if coding := _BOMS.get(payload[:2]):
        payload = payload.decode(coding, "replace").encode()
    return payload.removeprefix(_UTF8_BOM).rstrip(b"\0")


def unpacked(payload: bytes) -> bytes:
    """Returns what gzip holds, and any other payload as it is: for formats of bytes, in which zeros have a meaning. Raises PayloadError."""
    return _unpacked(payload) if payload.startswith(_GZIP) else payload


def _unpacked(payload: bytes) -> bytes:
    inflate = zlib.decompressobj(_GZIP_BITS)
    try:
        body = inflate.decompress(payload, MAX_UNPACKED_BYTES)
    except zlib.error as error:
        raise PayloadError("malformed_gzip", f"not valid gzip: {error}") from error
    if inflate.unconsumed_tail:
        raise PayloadError("oversized", f"gzip of more than {MAX_UNPACKED_BYTES} bytes")
    if not inflate.eof:
        raise PayloadError("malformed_gzip", "gzip is cut off")
    return body
