"""Writes rows as text: an aligned table for people, JSON and CSV for programs. Times are UTC."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from program import terminal

_FORMULA = ("=", "+", "-", "@", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""Begin what a spreadsheet computes instead of showing it."""

Rows = Sequence[Mapping[str, Any]]


def table(names: Sequence[str], rows: Rows) -> str:
    """Aligns columns, numbers to the right."""
    texts = [[_cell(row[name]) for name in names] for row in rows]
    widths = [max(len(name), *(len(line[at]) for line in texts)) if texts else len(name) for at, name in enumerate(names)]
    right = [bool(rows) and all(row[name] is None or _is_number(row[name]) for row in rows) for name in names]
    lines = [list(names), ["-" * width for width in widths], *texts]
    return "\n".join(_line(line, widths, right) for line in lines)


def as_json(rows: Rows) -> str:
    """Writes a list of objects, with times in ISO 8601 and bytes in base64."""
    return terminal.safe_json(json.dumps([dict(row) for row in rows], default=_plain, indent=2, ensure_ascii=False))


def as_csv(names: Sequence[str], rows: Rows) -> str:
    """Writes a line for each row. A text that a spreadsheet would take for a formula, wide signs included, has an apostrophe before it."""
    return "".join([csv_line(names), *(csv_line([row[name] for name in names]) for row in rows)]).rstrip("\n")


def csv_line(values: Sequence[Any]) -> str:
    """Writes a row as a line of CSV, its end included."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(map(_field, values))
    return out.getvalue()


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    return "  ".join(
        cell.rjust(width) if to_right else cell.ljust(width) for cell, width, to_right in zip(cells, widths, right, strict=True)
    ).rstrip()


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, list | dict | bytes):
        return terminal.safe(json.dumps(value, default=_plain, ensure_ascii=False))
    return terminal.safe(str(value).replace("\n", " "))


def _field(value: Any) -> Any:
    if isinstance(value, str):
        text = terminal.safe(value, lines=True)
        return f"'{text}" if text.startswith(_FORMULA) else text
    if value is None or isinstance(value, int | float):
        return value
    return json.dumps(value, default=_plain, ensure_ascii=False).strip('"')


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"{type(value).__name__} has no JSON form")
