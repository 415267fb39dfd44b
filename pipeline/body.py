"""Opens the body of a message: one zstd frame, perhaps with a dictionary, in it either columns or, of gateways before version 1.3, an Arrow
IPC stream. Memory is bounded before it is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from threading import local

import pyarrow as pa
import zstandard

from pipeline import arrow_stream, column_stream
from pipeline.arrow_stream import BadStream, Stream
from pipeline.column_stream import Columns
from schemas.columns import MAGIC
from schemas.dictionary import dictionaries, version_of
from schemas.envelope import MAX_BODY_BYTES, MAX_RAW_BYTES

Content = Stream | Columns
"""Is what a body holds. Those of equal `schema` can be read together."""

_THREAD = local()


class Undecodable(ValueError):
    """The message is not a batch. `reason` is a short fixed word, the text says what was wrong."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


def opened(body: bytes, raw_bytes: int) -> Content:
    """Opens a body that must hold exactly so many bytes. Raises Undecodable."""
    return _taken_apart(_decompressed(body, raw_bytes))


def rows_of(body: bytes) -> pa.RecordBatch:
    """Returns the rows of a body, whatever its envelope says. Raises Undecodable."""
    content = _taken_apart(_decompressed(body, None))
    return read_together([content], [content.rows])


def read_together(contents: Sequence[Content], counts: Sequence[int]) -> pa.RecordBatch:
    """Returns the rows of contents of one schema, each of which must have so many, one after the other. Raises Undecodable."""
    if isinstance(contents[0], Columns):
        return _read_columns(contents, counts)  # type: ignore[arg-type]
    _check_rows(contents, counts)
    try:
        return arrow_stream.read_together(contents)  # type: ignore[arg-type]
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        raise Undecodable("bad_arrow", f"not a sound Arrow IPC stream: {error}") from error


def _read_columns(contents: Sequence[Columns], counts: Sequence[int]) -> pa.RecordBatch:
    try:
        buffers = column_stream.locate(contents)
    except BadStream as error:
        raise Undecodable("bad_columns", str(error)) from error
    _check_rows(contents, counts)
    try:
        return column_stream.read(buffers)
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        raise Undecodable("bad_columns", f"not sound columns: {error}") from error


def _check_rows(contents: Sequence[Content], counts: Sequence[int]) -> None:
    for content, count in zip(contents, counts, strict=True):
        if content.rows != count:
            raise Undecodable("bad_row_count", f"the envelope says {count} rows, the body holds {content.rows}")


def _taken_apart(raw: bytes) -> Content:
    in_columns = raw.startswith(MAGIC)
    try:
        return column_stream.take_apart(raw) if in_columns else arrow_stream.take_apart(raw)
    except BadStream as error:
        raise Undecodable("bad_columns" if in_columns else "bad_arrow", str(error)) from error


def _decompressed(body: bytes, raw_bytes: int | None) -> bytes:
    """Returns what is in the body's one zstd frame, which must say before it is opened how much it holds: exactly `raw_bytes`, if known."""
    if len(body) > MAX_BODY_BYTES:
        raise Undecodable("oversized", f"the body has {len(body)} bytes; at most {MAX_BODY_BYTES} are accepted")
    try:
        declared = zstandard.frame_content_size(body)
        if not 0 <= declared <= MAX_RAW_BYTES or declared != (declared if raw_bytes is None else raw_bytes):
            raise Undecodable("bad_size", f"the envelope says {raw_bytes} bytes, the zstd frame {declared}")
        number = zstandard.get_frame_parameters(body).dict_id
        return _decompressor(number).decompress(body, max_output_size=declared, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise Undecodable("bad_zstd", f"not exactly one sound zstd frame: {error}") from error


def _decompressor(number: int) -> zstandard.ZstdDecompressor:
    """Returns this thread's decompressor for a dictionary, 0 for none: one is made once, for it costs as much as many batches."""
    kept: dict[int, zstandard.ZstdDecompressor] = _THREAD.__dict__.setdefault("decompressors", {})
    if number not in kept:
        kept[number] = zstandard.ZstdDecompressor(dict_data=_dictionary(number)) if number else zstandard.ZstdDecompressor()
    return kept[number]


@cache
def _dictionary(number: int) -> zstandard.ZstdCompressionDict:
    if number not in dictionaries():
        raise Undecodable("no_dictionary", _missing(number))
    return zstandard.ZstdCompressionDict(dictionaries()[number])


def _missing(number: int) -> str:
    here = ", ".join(map(version_of, sorted(dictionaries())))
    return f"the body needs zstd dictionary {number} (of a gateway of schema version {version_of(number)}); here are those of {here}"
