"""Reads from DuckDB's profile of a statement which columns of which tables it scanned, and between which times. Runs where
warehouse_server.py does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlglot
from sqlglot import exp

_SCAN = "DUCKLAKE_SCAN"
_OPTIONAL = "optional: "
_AHEAD, _BEHIND = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Bound:
    """Holds the first and the last time that a column has in what a scan looks for."""

    first: datetime = _AHEAD
    last: datetime = _BEHIND

    def __and__(self, other: Bound) -> Bound:
        return Bound(max(self.first, other.first), min(self.last, other.last))


_BOUNDS: dict[type[exp.Expression], Callable[[datetime], Bound]] = {
    exp.GTE: lambda time: Bound(first=time),
    exp.GT: lambda time: Bound(first=time + datetime.resolution),
    exp.LTE: lambda time: Bound(last=time),
    exp.LT: lambda time: Bound(last=time - datetime.resolution),
    exp.EQ: lambda time: Bound(time, time),
}


@dataclass(frozen=True, slots=True)
class Scan:
    """Is one scan of a table, known by one of its files. A column is its name, or the path of a field in it: `advice.moisture`.

    What DuckDB adds as optional, to leave out files, is a filter of the same column, but no bound: BigQuery does not know it.
    """

    file: Path
    columns: frozenset[str]
    bounds: dict[str, Bound]


def scans(profile: str) -> list[Scan]:
    """Returns the scans of a statement that had a file to read. Raises ParseError for a filter that is no SQL."""
    return [_scan(info) for info in _infos(json.loads(profile)) if "Filename(s)" in info] if _SCAN in profile else []


def _infos(operator: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if operator.get("operator_name", "").strip() == _SCAN:
        yield operator["extra_info"]
    for child in operator.get("children", ()):
        yield from _infos(child)


def _scan(info: dict[str, Any]) -> Scan:
    filters = _texts(info, "Filters")
    filtered = {name for text in filters for name in _columns(_sql(text.replace(_OPTIONAL, "")))}
    held = [text.partition(_OPTIONAL)[0].removesuffix(" AND ") for text in filters]
    file, suffix, _ = info["Filename(s)"].partition(".parquet")
    return Scan(Path(file + suffix), frozenset(filtered | set(_texts(info, "Projections"))), _bounds(list(map(_sql, filter(None, held)))))


def _texts(info: dict[str, Any], name: str) -> list[str]:
    """Returns a list of a profile: it is a text where it has one element."""
    found = info.get(name) or []
    return [found] if isinstance(found, str) else found


def _sql(text: str) -> exp.Expression:
    return sqlglot.parse_one(text, dialect="duckdb")


def _columns(condition: exp.Expression) -> Iterator[str]:
    for column in condition.find_all(exp.Column):
        yield ".".join(part.name for part in column.parts)


def _bounds(filters: list[exp.Expression]) -> dict[str, Bound]:
    bounds: dict[str, Bound] = {}
    for part in (part for each in filters for part in _parts(each)):
        if bound := _bound(part):
            bounds[part.this.name] = bounds.get(part.this.name, Bound()) & bound
    return bounds


def _parts(condition: exp.Expression) -> Iterator[exp.Expression]:
    """Yields the conditions of which each holds where the whole does."""
    condition = condition.unnest()
    if isinstance(condition, exp.And):
        yield from _parts(condition.this)
        yield from _parts(condition.expression)
    else:
        yield condition


def _bound(condition: exp.Expression) -> Bound | None:
    """Returns the bound that a comparison of a column with a time is, None of any other condition."""
    bound = _BOUNDS.get(type(condition))
    if bound is None or not isinstance(condition.this, exp.Column) or (time := _time(condition.expression)) is None:
        return None
    return bound(time)


def _time(literal: exp.Expression) -> datetime | None:
    """Returns the time that `'2026-11-28 00:00:00+00'::TIMESTAMP WITH TIME ZONE` and its like say, None of anything else."""
    if not isinstance(literal, exp.Cast) or not literal.this.is_string:
        return None
    try:
        time = datetime.fromisoformat(literal.this.name)
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
