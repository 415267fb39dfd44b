"""Writes rejects for a terminal: tables of counts, one reject with its bytes. What strangers sent is bounded, and moves no cursor."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa

from pipeline.replay.contents import rows_in
from program import terminal

LONGEST = 200
"""So many characters of a sentence are shown in a table, or of a value of a row."""

_HIDDEN = ("payloadString", "payloadBytes", "attributes")


def table(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yields the lines of a table, the names of the columns first; the last column is as wide as it is."""
    names = list(rows[0])
    cells = [names, *([_cell(row[name]) for name in names] for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(names) - 1)]
    for line in cells:
        padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=False))
        yield "  ".join([*padded, line[-1]]).rstrip()


def reject(row: Mapping[str, Any], most_bytes: int, most_rows: int) -> Iterator[str]:
    """Yields the lines of one reject: its columns, its attributes, and its bytes as rows, JSON, text or hexadecimal numbers."""
    for name, value in row.items():
        if name not in _HIDDEN and value not in (None, []):
            yield f"{name:14} {safe(_text(value), most_bytes)}"
    for attribute in row["attributes"]:
        yield f"attribute      {safe(attribute['key'])} = {safe(attribute['value'], LONGEST)}"
    body = bytes(row["payloadBytes"])
    yield f"bytes          {len(body)}"
    yield from _body(row["stage"], body, most_bytes, most_rows)


def safe(text: str, most: int = LONGEST) -> str:
    """Returns at most so many characters, and no other than printable ones and new lines."""
    return terminal.safe(text[:most], lines=True) + (f" ... ({len(text) - most} more)" if len(text) > most else "")


def _body(stage: str, body: bytes, most_bytes: int, most_rows: int) -> Iterable[str]:
    try:
        rows = rows_in(stage, body)
    except (pa.ArrowException, OSError, ValueError):
        return safe(_as_text(body[:most_bytes] if not _is_json(body) else body), most_bytes).split("\n")
    return _rows(rows, most_rows)


def _rows(rows: pa.RecordBatch, most: int) -> Iterator[str]:
    yield f"rows           {rows.num_rows}"
    for row in rows.slice(0, most).to_pylist():
        yield safe(json.dumps({name: value for name, value in row.items() if value not in (None, [])}, default=_text), 10 * LONGEST)
    if rows.num_rows > most:
        yield f"... {rows.num_rows - most} more"


def _as_text(body: bytes) -> str:
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        pass
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body.hex(" ")


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True


def _cell(value: Any) -> str:
    return safe(_text(value), LONGEST).replace("\n", " ")


def _text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    return value if isinstance(value, str) else str(value)
