"""A sink that keeps rows in this process, and a clock that stands still: twins for tests of the whole flow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import apache_beam as beam

from pipeline.elements import RejectedRows, TableRows, UnwrittenRows
from pipeline.transforms.each import Each
from tests.pipeline.bodies import NOW

WRITTEN: dict[str, list[TableRows]] = {}
"""By name of the sink. Engines make copies of sinks, so what is written is kept here."""

REFUSED_CHANNEL = "poison"
"""Summaries of this channel are refused, as a warehouse refuses rows for their content."""


def still() -> datetime:
    return NOW


@dataclass(frozen=True, slots=True)
class MemorySink:
    name: str

    keeps: bool = False
    """Whether it keeps what an earlier run wrote."""

    def kept(self) -> MemorySink:
        return MemorySink(self.name, keeps=True)

    def write(self) -> beam.PTransform[Any, Any]:
        WRITTEN[self.name] = WRITTEN[self.name] if self.keeps else []
        return Each(beam.ParDo(_Keep(self.name)))

    def write_or_fail(self) -> beam.PTransform[Any, Any]:
        return Each(beam.ParDo(_Keep(self.name)))

    def table(self, name: str) -> list[dict[str, Any]]:
        """The rows of a table in the order of writing."""
        return [row for rows in WRITTEN[self.name] if rows.table == name for row in rows.rows.to_pylist()]


class _Keep(beam.DoFn):
    def __init__(self, name: str) -> None:
        self._name = name

    def process(self, rows: TableRows) -> Iterator[UnwrittenRows]:
        bad = [
            row
            for row in range(rows.rows.num_rows)
            if rows.table == "summaries_v1" and rows.rows.column("channel")[row].as_py() == REFUSED_CHANNEL
        ]
        good = [row for row in range(rows.rows.num_rows) if row not in bad]
        WRITTEN[self._name].append(TableRows(rows.table, rows.rows.take(good)))
        if bad:
            yield UnwrittenRows(rows.table, RejectedRows("warehouse_refused", "poison", rows.rows.take(bad)))
