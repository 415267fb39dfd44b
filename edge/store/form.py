"""Says how the bodies of batches are written: as columns with a dictionary, or as pipelines of an earlier release read them.

Guarantees that a form holds exactly the columns of its version, so that no reader of that version meets one that it does not know.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import zstandard

from schemas import columns
from schemas.dictionary import LEVEL, current
from schemas.envelope import MAX_RAW_BYTES
from schemas.records import SCHEMA_VERSION

_EARLIER_LEVEL = 3


class FormError(Exception):
    """Bodies cannot be written so on this machine; the text names the package that is missing."""


class Form(NamedTuple):
    """Writes what is in a body, and compresses it. Not thread-safe: batches are encoded in the gateway's one thread."""

    schema_version: str
    content: Callable[[type, Sequence[Any]], bytes]
    compress: Callable[[bytes], bytes]


@cache
def form(schema_version: str = SCHEMA_VERSION) -> Form:
    """Returns the form of bodies of this version of the records or an earlier one. Raises FormError."""
    return _current() if schema_version == SCHEMA_VERSION else _earlier(schema_version)


def _current() -> Form:
    dictionary = zstandard.ZstdCompressionDict(current())
    return Form(SCHEMA_VERSION, columns.pack, zstandard.ZstdCompressor(level=LEVEL, dict_data=dictionary, write_checksum=True).compress)


def _earlier(schema_version: str) -> Form:
    """Returns a form with an Arrow stream. What it needs is imported here, for most gateways never do."""
    try:
        from edge.store import arrow_stream
    except ImportError as error:
        raise FormError(
            f"batches.for_pipeline needs the package nanoarrow ({error}): pip install nanoarrow, or remove the setting"
        ) from error
    compress = zstandard.ZstdCompressor(level=_EARLIER_LEVEL, write_checksum=True).compress
    return Form(schema_version, lambda record, rows: arrow_stream.pack(record, rows, schema_version), compress)


def decoded(body: bytes) -> list[dict[str, Any]]:
    """Returns the rows of a body of any form."""
    decompressor = zstandard.ZstdDecompressor(dict_data=zstandard.ZstdCompressionDict(current()))
    content = decompressor.decompress(body, max_output_size=MAX_RAW_BYTES)
    if content.startswith(columns.MAGIC):
        return columns.unpack(content)
    from edge.store import arrow_stream

    return arrow_stream.unpack(content)
