"""Compares a relation of two warehouses: first what each day adds up to, then the rows of the days that differ, side by side.

Memory is bounded: a day is a number until it differs, and then a page of each warehouse is held at once.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from sql.certify.relations import Relation
from sql.certify.warehouse import Bucket, Columns

RELATIVE, ABSOLUTE = 1e-9, 1e-7
"""How far floats may be apart that were added up in another order."""
MOST_DAYS = 31
"""How many differing days are looked into; of more the numbers of rows are known, not which."""

Row = Mapping[str, Any]


class Side(Protocol):
    """Is one of the two warehouses."""

    def columns(self, relation: Relation) -> Columns: ...

    def stored(self, relation: Relation) -> int: ...

    def buckets(self, relation: Relation, columns: Columns) -> dict[str, Bucket]: ...

    def rows(self, relation: Relation, columns: Columns, bucket: str) -> Iterator[Row]: ...


class Difference(NamedTuple):
    """Shows a row that differs: its key, and the first column with both values. Without a column, the row is on one side only."""

    key: Mapping[str, Any]
    column: str | None
    a: Any
    b: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Says how a relation compares."""

    relation: Relation
    rows_a: int
    rows_b: int
    stored_a: int
    stored_b: int
    different: int
    """How many rows differ or are on one side only, in the days that were looked into."""
    days_left: int
    """How many differing days were not looked into."""
    first: Difference | None
    columns_on_one_side: tuple[str, ...]

    @property
    def equal(self) -> bool:
        return not (self.different or self.days_left or self.columns_on_one_side)


def compare(relation: Relation, a: Side, b: Side) -> Comparison:
    """Compares a relation. Raises NoRelation where one side lacks it."""
    columns_a, columns_b = a.columns(relation), b.columns(relation)
    columns = Columns(tuple(name for name in columns_a.names if name in columns_b.names), columns_a.floats & columns_b.floats)
    buckets_a, buckets_b = a.buckets(relation, columns), b.buckets(relation, columns)
    differing = [day for day in sorted(buckets_a.keys() | buckets_b.keys()) if buckets_a.get(day) != buckets_b.get(day)]
    differences = _Tally()
    for day in differing[:MOST_DAYS]:
        differences.add(row_by_row(relation, columns, a.rows(relation, columns, day), b.rows(relation, columns, day)))
    return Comparison(
        relation=relation,
        rows_a=_total(buckets_a),
        rows_b=_total(buckets_b),
        stored_a=a.stored(relation),
        stored_b=b.stored(relation),
        different=differences.total,
        days_left=len(differing[MOST_DAYS:]),
        first=differences.first,
        columns_on_one_side=tuple(sorted(set(columns_a.names) ^ set(columns_b.names))),
    )


def row_by_row(relation: Relation, columns: Columns, rows_a: Iterable[Row], rows_b: Iterable[Row]) -> Iterator[Difference]:
    """Yields the rows that differ, of rows in the order of their key."""
    remaining_a, remaining_b = iter(rows_a), iter(rows_b)
    a, b = next(remaining_a, None), next(remaining_b, None)
    while a is not None or b is not None:
        order = _order(relation, a, b)
        if order == 0 and a is not None and b is not None:
            column = _differing_column(relation, columns, a, b)
            if column:
                yield Difference(_key(relation, a), column, a[column], b[column])
        elif a is not None and order < 0:
            yield Difference(_key(relation, a), None, "a row", "none")
        elif b is not None:
            yield Difference(_key(relation, b), None, "none", "a row")
        a = next(remaining_a, None) if order <= 0 else a
        b = next(remaining_b, None) if order >= 0 else b


class _Tally:
    def __init__(self) -> None:
        self.total = 0
        self.first: Difference | None = None

    def add(self, differences: Iterable[Difference]) -> None:
        for difference in differences:
            self.total += 1
            self.first = self.first or difference


def _total(buckets: Mapping[str, Bucket]) -> int:
    return sum(bucket.rows for bucket in buckets.values())


def _order(relation: Relation, a: Row | None, b: Row | None) -> int:
    """Returns whose row comes first: -1 for a's, 1 for b's, 0 if it is the same row."""
    if a is None or b is None:
        return 1 if a is None else -1
    key_a, key_b = _sortable(relation, a), _sortable(relation, b)
    return (key_a > key_b) - (key_a < key_b)


def _sortable(relation: Relation, row: Row) -> tuple[tuple[bool, Any], ...]:
    """Sorts as SQL does: null first."""
    return tuple((row[name] is not None, row[name]) for name in relation.key)


def _key(relation: Relation, row: Row) -> dict[str, Any]:
    return {name: row[name] for name in relation.key}


def _differing_column(relation: Relation, columns: Columns, a: Row, b: Row) -> str | None:
    return next((name for name in columns.names if not _alike(a[name], b[name], exact=relation.exact)), None)


def _alike(a: Any, b: Any, *, exact: bool) -> bool:
    """Compares two values, and what is in lists and structs of them."""
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(_alike(*pair, exact=exact) for pair in zip(a, b, strict=True))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_alike(a[name], b[name], exact=exact) for name in a)
    if isinstance(a, float) and isinstance(b, float):
        return _floats_alike(a, b, exact=exact)
    return bool(a == b)


def _floats_alike(a: float, b: float, *, exact: bool) -> bool:
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    return a == b if exact else math.isclose(a, b, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
