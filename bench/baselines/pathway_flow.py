"""Does the pipeline's work in Pathway, as its documentation has it: rows with a primary key, a join with the registry, grouped sums.
One thread.

A repeat has the key of the row before it and takes its place. All is one commit: with one between a row and its repeat, now and then some
hundred rows of 80,000 counted twice. Pathway has no columns in Python: a variant with ours in it would
be our functions inside one UDF and nothing of Pathway's.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pathway as pw
from pathway.internals.parse_graph import G

from bench.baselines import rowwise


class Summary(pw.Schema):
    """Holds the columns that the work needs, and the others along with them as one value each."""

    batch_id: str = pw.column_definition(primary_key=True)
    row: int = pw.column_definition(primary_key=True)
    gateway_id: str
    device_id: str
    channel: str
    unit: str
    window_start: pw.DateTimeUtc
    window_seconds: int
    count: int
    sum: float
    m2: float
    min: float
    max: float
    last: float
    last_time: pw.DateTimeUtc
    late: bool
    time_quality: str
    clock_offset_ms: float | None


class DeviceSite(pw.Schema):
    device_id: str = pw.column_definition(primary_key=True)
    site_id: str


class Rows(pw.io.python.ConnectorSubject):
    """Reads the rows of an export file."""

    def __init__(self, export_file: Path) -> None:
        super().__init__()
        self._export_file = export_file

    def run(self) -> None:
        for entry in rowwise.read(self._export_file):
            for row in rowwise.rows(entry):
                self.next(**{name: row[name] for name in _NAMES})


def run(export_file: Path, registry: Path) -> tuple[int, int]:
    """Returns the numbers of rows and windows."""
    G.clear()
    seen = {"facts": 0, "windows": 0}
    places = pw.debug.table_from_rows(DeviceSite, sorted(rowwise.sites(registry).items()))
    rows = pw.io.python.read(Rows(export_file), schema=Summary, autocommit_duration_ms=None)
    rows_with_site = rows.join(places, rows.device_id == places.device_id).select(*rows, places.site_id)
    _count(rows_with_site, seen, "facts")
    for seconds in (60, 3600):
        _count(_windows(rows_with_site, seconds), seen, "windows")
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    return seen["facts"], seen["windows"]


def _windows(rows: Any, seconds: int) -> Any:
    """Sums up by site, channel, unit and window; squares around zero, for they add up."""
    cut = rows.with_columns(
        start=rows.window_start.dt.floor(pw.Duration(seconds=seconds)), squares=rows.m2 + rows.sum * rows.sum / rows["count"]
    )
    return cut.groupby(cut.site_id, cut.channel, cut.unit, cut.start).reduce(
        cut.site_id,
        cut.channel,
        cut.unit,
        cut.start,
        count=pw.reducers.sum(cut["count"]),
        sum=pw.reducers.sum(cut.sum),
        squares=pw.reducers.sum(cut.squares),
        min=pw.reducers.min(cut.min),
        max=pw.reducers.max(cut.max),
    )


def _count(table: Any, seen: dict[str, int], name: str) -> None:
    """Counts changes: a retracted row is one less."""

    def change(key: Any, row: Any, time: int, is_addition: bool) -> None:  # noqa: FBT001 - as Pathway calls it
        seen[name] += 1 if is_addition else -1

    pw.io.subscribe(table, on_change=change)


_NAMES = tuple(Summary.column_names())

if __name__ == "__main__":
    rowwise.main(run)
