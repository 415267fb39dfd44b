"""A relation is compared day by day, and row by row only where a day differs: each kind of difference is found and named."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.records import TABLES
from sql.certify.comparison import MOST_DAYS, Comparison, Row, compare
from sql.certify.relations import NOT_COMPARED, RELATIONS, Relation
from sql.certify.report import line
from sql.certify.warehouse import Bucket, Columns

RELATION = Relation(name="things", key=("day", "id"), day="day", ignored={"received": "of the run"})
DERIVED = Relation(name="derived", key=("day", "id"), day="day", exact=False)
COLUMNS = Columns(("day", "id", "value"), frozenset({"value"}))


@dataclass
class Twin:
    """A warehouse of dicts; it notes which days' rows were asked for."""

    content: list[Row]
    names: Columns = COLUMNS
    asked: list[str] = field(default_factory=list)

    def columns(self, relation: Relation) -> Columns:
        return self.names

    def stored(self, relation: Relation) -> int:
        return len(self.content)

    def buckets(self, relation: Relation, columns: Columns) -> dict[str, Bucket]:
        days = {row["day"] for row in self.content}
        return {day: Bucket(len(rows := self._of(day)), hash(str([_shown(row, columns) for row in rows]))) for day in days}

    def rows(self, relation: Relation, columns: Columns, bucket: str) -> Iterator[Row]:
        self.asked.append(bucket)
        return iter(self._of(bucket))

    def _of(self, day: str) -> list[Row]:
        return sorted((row for row in self.content if row["day"] == day), key=lambda row: (row["id"] is not None, row["id"]))


def _shown(row: Row, columns: Columns) -> list[Any]:
    return [row[name] for name in columns.names]


def thing(day: str, number: int | None, value: Any = 1.5) -> dict[str, Any]:
    return {"day": day, "id": number, "value": value}


def compared(a: list[Row], b: list[Row], relation: Relation = RELATION) -> Comparison:
    return compare(relation, Twin(a), Twin(b))


ROWS = [thing(f"d{day}", number) for day in range(3) for number in range(4)]


def test_equal_rows_in_any_order_are_equal_and_none_is_looked_at() -> None:
    a, b = Twin(ROWS), Twin(ROWS[::-1])
    assert compare(RELATION, a, b).equal
    assert a.asked == b.asked == []


def test_a_changed_value_is_named_with_key_column_and_both_values() -> None:
    changed = [*ROWS[:5], {**ROWS[5], "value": 1.5000000001}, *ROWS[6:]]
    a, b = Twin(ROWS), Twin(changed)
    comparison = compare(RELATION, a, b)
    assert (comparison.different, comparison.first) == (1, ({"day": "d1", "id": 1}, "value", 1.5, 1.5000000001))
    assert a.asked == b.asked == ["d1"]
    assert "day = 'd1', id = 1\n    column value: A has 1.5, B has 1.5000000001" in line(comparison)


def test_a_row_on_one_side_only_does_not_make_its_neighbours_differ() -> None:
    without = [row for row in ROWS if row != thing("d2", 1)]
    comparison = compared(ROWS, without)
    assert (comparison.different, comparison.rows_a, comparison.rows_b) == (1, 12, 11)
    assert comparison.first == ({"day": "d2", "id": 1}, None, "a row", "none")
    assert compared(without, ROWS).first == ({"day": "d2", "id": 1}, None, "none", "a row")


def test_a_day_that_one_side_lacks_is_all_its_rows() -> None:
    assert compared(ROWS, ROWS[:8]).different == 4


def test_a_column_on_one_side_only_is_a_difference() -> None:
    wider = Twin(ROWS, Columns((*COLUMNS.names, "newer"), COLUMNS.floats))
    comparison = compare(RELATION, Twin(ROWS), wider)
    assert not comparison.equal
    assert "columns on one side only: newer" in line(comparison)


def test_floats_that_were_added_in_another_order_are_alike_where_they_may_be() -> None:
    added = [thing("d1", 1, 0.1 + 0.2)], [thing("d1", 1, 0.3)]
    assert compared(*added, DERIVED).equal
    assert not compared(*added, RELATION).equal
    assert not compared([thing("d1", 1, 0.3)], [thing("d1", 1, 0.300001)], DERIVED).equal
    assert compared([thing("d1", 1, math.nan)], [thing("d1", 1, math.nan)], DERIVED).equal
    assert not compared([thing("d1", 1, math.nan)], [thing("d1", 1, 1.0)], DERIVED).equal
    inside = [[thing("d1", 1, [{"value": value}])] for value in (0.1 + 0.2, 0.3, 0.4)]
    assert compared(inside[0], inside[1], DERIVED).equal
    assert not compared(inside[0], inside[2], DERIVED).equal
    assert not compared([thing("d1", 1, None)], [thing("d1", 1, 0.0)], DERIVED).equal


def test_days_beyond_the_bound_are_counted_and_not_read() -> None:
    a = Twin([thing(f"{day:03}", 1) for day in range(MOST_DAYS + 5)])
    comparison = compare(RELATION, a, Twin([]))
    assert (comparison.different, comparison.days_left, len(a.asked)) == (MOST_DAYS, 5, MOST_DAYS)
    assert "5 more days differ" in line(comparison)


def test_what_is_stored_repeatedly_is_said_and_no_difference() -> None:
    comparison = compared(ROWS, ROWS)
    assert "stored repeatedly" not in line(comparison)
    a = Twin(ROWS)
    a.stored = lambda relation: 14  # type: ignore[method-assign]
    assert line(compare(RELATION, a, Twin(ROWS))).endswith("equal (stored repeatedly: 2 in A)")


_THINGS = st.dictionaries(st.tuples(st.sampled_from(["d1", "d2", "d3"]), st.none() | st.integers(0, 5)), st.sampled_from([0.5, 1.5, None]))


@given(_THINGS, _THINGS)
def test_as_many_rows_differ_as_a_comparison_of_everything_finds(
    a: Mapping[tuple[str, int | None], Any], b: Mapping[tuple[str, int | None], Any]
) -> None:
    comparison = compared([thing(*key, value) for key, value in a.items()], [thing(*key, value) for key, value in b.items()])
    absent = object()
    expected = sum(a.get(key, absent) != b.get(key, absent) for key in a.keys() | b.keys())
    assert comparison.different == expected
    assert comparison.equal == (expected == 0)


def test_every_table_is_compared_or_has_a_reason_and_so_do_the_views_that_people_look_at() -> None:
    names = {relation.name for relation in RELATIONS}
    tables = {table.name for table in TABLES.values()}
    assert tables <= names | NOT_COMPARED.keys()
    assert not names & NOT_COMPARED.keys()
    assert names >= {"summaries", "site_windows", "irrigation", "alerts", "completeness"}
    views = {path.stem for path in (Path(__file__).parents[3] / "sql" / "views").glob("*.sql")}
    assert names <= tables | views
