"""Seals what the store keeps, so that a bit that rots is found when it is read: a checksum of the bytes and of what they belong to.

Where the store has a cipher, what is sealed is encrypted. The seal is around it, so that damage is found without the key.
"""

from __future__ import annotations

import struct
from typing import Protocol
from zlib import crc32

_SEALED, _ENCRYPTED = b"\xc1", b"\xc0"
"""Begin a sealed blob, the second one that is encrypted, and no unsealed one of version 2: neither zstd, UTF-8 nor MessagePack of more than
a byte ever begins so.
"""
_HEAD = struct.Struct(">cI")


class BrokenSeal(Exception):
    """These bytes are not those that were sealed; the text says of what they are."""


class Undecryptable(Exception):
    """These bytes are whole, and the key that they were encrypted under is not here; the text says of what they are."""


class Cipher(Protocol):
    """Encrypts bytes for a row, which it names: what a store needs of edge.store.encryption.Encryption."""

    @property
    def name(self) -> str: ...
    def encrypted(self, body: bytes, *of: str | int) -> bytes: ...
    def decrypted(self, body: bytes, *of: str | int) -> bytes:
        """Raises Undecryptable."""


class Seals:
    """Seals and opens the rows of one store; `of` names what bytes belong to, as a row's key.

    Usage: `seals.seal(body, key)`, `seals.open(blob, key)`.
    """

    def __init__(self, cipher: Cipher | None) -> None:
        self._cipher = cipher
        self.takes_unsealed = False
        """Whether bytes without a seal are taken as they are, for a store with rows of version 2."""

    def seal(self, body: bytes, *of: str | int) -> bytes:
        """Returns the bytes under a seal, encrypted if there is a cipher."""
        return _closed(_ENCRYPTED, self._cipher.encrypted(body, *of), of) if self._cipher else sealed(body, *of)

    def open(self, blob: bytes, *of: str | int) -> bytes:
        """Returns the bytes, whether they were encrypted or not. Raises BrokenSeal and Undecryptable."""
        if self.takes_unsealed and (len(blob) < _HEAD.size or blob[:1] not in (_SEALED, _ENCRYPTED)):
            return blob
        body = unsealed(blob, *of)
        if blob[:1] == _SEALED:
            return body
        if self._cipher is None:
            raise Undecryptable(f"the bytes of {said(of)} are encrypted, and no store.encryption_key_file is set")
        return self._cipher.decrypted(body, *of)


def sealed(body: bytes, *of: str | int) -> bytes:
    """Returns the bytes under a seal, as they are."""
    return _closed(_SEALED, body, of)


def unsealed(blob: bytes, *of: str | int) -> bytes:
    """Returns the bytes, encrypted ones as they are. Raises BrokenSeal, for bytes without a seal too: it is the first that may rot."""
    body = blob[_HEAD.size :]
    if len(blob) < _HEAD.size or blob[:1] not in (_SEALED, _ENCRYPTED) or blob != _closed(blob[:1], body, of):
        raise BrokenSeal(f"the bytes of {said(of)} are not those that were written")
    return body


def said(of: tuple[str | int, ...]) -> str:
    return "/".join(map(str, of))


def _closed(mark: bytes, body: bytes, of: tuple[str | int, ...]) -> bytes:
    return _HEAD.pack(mark, _sum(mark, body, of)) + body


def _sum(mark: bytes, body: bytes, of: tuple[str | int, ...]) -> int:
    # The marks are a bit apart: one that rots must not become the other.
    start = crc32(mark) if mark == _ENCRYPTED else 0
    return crc32(body, crc32("\0".join(map(str, of)).encode(), start))
