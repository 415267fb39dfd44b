"""Counts the bytes of a query as BigQuery does, of what DuckDB says that it scanned. Runs where warehouse_server.py does.

BigQuery counts the whole of each column that a statement names, once, in the partitions that its filters leave, and each value by its
type: 8 bytes a number or time, 2 bytes and its length a text, nothing a null (cloud.google.com/bigquery/pricing#data). So what a page costs
can be seen before it does. Blocks that clustering spares are counted here, and so are the tables of a materialised view, which here is a
view; what DuckDB knows to be empty, it does not read. A file of DuckDB's never changes: its rows by day, and the mean size of a column
among its first rows, are found once.
"""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import duckdb
from sqlglot.errors import SqlglotError
from warehouse_scans import Bound, Scan, scans  # type: ignore[import-not-found]  # it lies beside this file

FIRST_ROWS = 10_000
"""Of so many rows of a file the mean size of a text is taken."""

_WIDTHS = dict.fromkeys(("bigint", "double", "integer", "timestamp", "timestamp with time zone", "date", "time"), 8) | {
    "boolean": 1,
    "decimal": 16,
    "interval": 16,
}
_DAY = timedelta(days=1)
_FILES = """
    select f.path, f.record_count, schema_name, table_name from {catalog}.ducklake_data_file as f
    join {catalog}.ducklake_table as t using (table_id) join {catalog}.ducklake_schema as s using (schema_id)
    where f.end_snapshot is null and t.end_snapshot is null and s.end_snapshot is null
        and table_id = (select table_id from {catalog}.ducklake_data_file where path = $1)"""


@dataclass
class File:
    """Holds what is known of a file: `rows_by_day` (None: not counted yet) and `sizes`, bytes a row by column."""

    rows: int
    rows_by_day: Counter[datetime] | None = None
    sizes: dict[str, float] = field(default_factory=dict)

    def rows_within(self, bounds: Iterable[Bound]) -> int:
        """Returns the rows of the days that one of the bounds reaches."""
        if self.rows_by_day is None:
            return self.rows
        return sum(rows for day, rows in self.rows_by_day.items() if any(day + _DAY > each.first and day <= each.last for each in bounds))


class Meter:
    """Counts for a server: `database` is local-bigquery's, `partitioned_by` tells the column of a table's days, None if it has none."""

    def __init__(self, database: Any, partitioned_by: Callable[[str, str, str], str | None]) -> None:
        self._database, self._partitioned_by = database, partitioned_by
        self._files: dict[Path, File] = {}
        self._lock = threading.Lock()

    def bytes_of(self, profiles: Iterable[str]) -> int:
        """Returns what a statement read, of its profiles.

        Raises duckdb.Error, KeyError for a type that has no size here, ParseError for a filter that is no SQL.
        """
        by_folder: dict[Path, list[Scan]] = {}
        for scan in (scan for profile in profiles for scan in scans(profile)):
            by_folder.setdefault(scan.file.parent, []).append(scan)
        with self._lock, self._database.cursor() as cursor:
            return round(sum(self._of_table(cursor, folder, of_table) for folder, of_table in by_folder.items()))

    def _of_table(self, cursor: Any, folder: Path, of_table: list[Scan]) -> float:
        project = folder.relative_to(self._database.settings.data_dir.absolute()).parts[0]
        catalog = self._database.quote(f"__ducklake_metadata_{project}")
        found = cursor.execute(_FILES.format(catalog=catalog), [of_table[0].file.name]).fetchall()
        if not found:
            return 0.0
        files = {folder / path: self._files.setdefault(folder / path, File(rows)) for path, rows, *_ in found}
        day = self._partitioned_by(project, *found[0][2:])
        bounds: dict[str, list[Bound]] = {}
        for scan in of_table:
            for column in scan.columns:
                bounds.setdefault(column, []).append(scan.bounds.get(day, Bound()) if day else Bound())
        if day:
            _count(cursor, day, {path: file for path, file in files.items() if file.rows_by_day is None})
        _size(cursor, sorted(bounds), {path: file for path, file in files.items() if not bounds.keys() <= file.sizes.keys()})
        return sum(file.sizes[column] * file.rows_within(of_column) for file in files.values() for column, of_column in bounds.items())


def counting_bytes(execute: Any, meter: Any) -> Any:
    """Returns a replacement of local-bigquery's query.execute that says how many bytes were read, of one statement outside a session."""

    def executed(cursor: Any, project: str, job: str | None, config: Any, **options: Any) -> Any:
        if options.get("dry_run") or options.get("session"):
            return execute(cursor, project, job, config, **options)
        profiles = cursor.profiles()
        statistics, children, destination = execute(cursor, project, job, config, **options)
        if not children:
            statistics = statistics.replace(totalBytesProcessed=counted(meter, profiles))
        return statistics, children, destination

    return executed


def counted(meter: Any, profiles: list[str]) -> str | None:
    """Returns the bytes of a statement; None, with a line in the log, of what cannot be counted: no query fails for that."""
    try:
        return str(meter.bytes_of(profiles))
    except (duckdb.Error, KeyError, SqlglotError) as error:
        print(f"what a query read was not counted: {error!r}", file=sys.stderr)
        return None


def with_bytes(results: Any) -> Any:
    """Returns a replacement of local-bigquery's jobs.results that says what was counted, and nothing where nobody did: it would say 0."""

    def results_of(job: Any, *arguments: Any) -> Any:
        payload, rows = results(job, *arguments)
        payload["totalBytesProcessed"] = job.statistics.query.totalBytesProcessed if job.statistics.query else None
        return payload, rows

    return results_of


def partitioned_by(metadata: Any, table: Any) -> Any:
    """Returns what tells by which column local-bigquery has a table partitioned, None if by none."""

    def column_of(*reference: str) -> str | None:
        stored = metadata.load(table, *reference)
        return stored.timePartitioning.field if stored and stored.timePartitioning else None

    return column_of


def _count(cursor: Any, column: str, files: dict[Path, File]) -> None:
    """Counts the rows of each day in files; those without a time are in none."""
    counters: dict[str, Counter[datetime]] = {str(path): Counter() for path in files}
    source = f"select filename, cast({column} as date), count(*) from {_read(files)} where {column} is not null group by all"
    for path, day, rows in cursor.execute(source).fetchall() if files else ():
        counters[path][datetime.combine(day, time(), UTC)] = rows
    for path, file in files.items():
        file.rows_by_day = counters[str(path)]


def _size(cursor: Any, columns: list[str], files: dict[Path, File]) -> None:
    """Finds the mean bytes of columns in files."""
    for file in files.values():
        file.sizes.update(dict.fromkeys(columns, 0.0))
    if not files or not columns:
        return
    named = ", ".join(f"{_quoted(column)} as c{index}" for index, column in enumerate(columns))
    source = f"select filename, {named} from {_read(files)} where file_row_number < {FIRST_ROWS}"
    types = cursor.sql(source).types[1:]
    means = ", ".join(f"avg({_bytes(f'c{index}', kind)})" for index, kind in enumerate(types))
    for path, *sizes in cursor.execute(f"select filename, {means} from ({source}) group by filename").fetchall():
        files[Path(path)].sizes.update(zip(columns, sizes, strict=True))


def _read(files: dict[Path, File]) -> str:
    paths = ", ".join("'" + str(path).replace("'", "''") + "'" for path in files)
    return f"read_parquet([{paths}], filename = true, file_row_number = true, union_by_name = true)"


def _quoted(column: str) -> str:
    return ".".join(f'"{part}"' for part in column.split("."))


def _bytes(value: str, kind: Any, depth: int = 0) -> str:
    """Returns an expression of the bytes that a value of a type of DuckDB's has in BigQuery."""
    match kind.id:
        case "list":
            element = f"e{depth}"
            return f"coalesce(list_sum(list_transform({value}, lambda {element}: {_bytes(element, kind.child, depth + 1)})), 0)"
        case "struct":
            return " + ".join(_bytes(f'{value}."{name}"', child, depth) for name, child in kind.children)
        case "varchar":
            size = f"2 + strlen({value})"
        case "blob":
            size = f"2 + octet_length({value})"
        case other:
            size = str(_WIDTHS[other])
    return f"if({value} is null, 0, {size})"
