"""Reckons how many pages of SQLite what is written will fill."""

from __future__ import annotations

from collections.abc import Iterable

PAGE_BYTES = 4096


def pages(blobs: Iterable[int]) -> int:
    """Returns an upper bound of the pages that new rows with blobs of these sizes fill, whatever the mixture of sizes."""
    return -(-sum(map(filled_bytes, blobs)) // PAGE_BYTES)


def filled_bytes(size: int) -> int:
    """Returns an upper bound of the bytes of pages that a new row with a blob of this size fills.

    Rows share a page, or have a page alone, or go on in a chain of others; a part of the last of each is unused.
    """
    if size < PAGE_BYTES // 2:
        return size * 3 // 2 + 96
    return PAGE_BYTES if size < PAGE_BYTES - 96 else size + 2 * PAGE_BYTES
